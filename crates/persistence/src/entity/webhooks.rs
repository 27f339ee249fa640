use fairlead_domain::webhook::{Webhook, WebhookDelivery, WebhookDetails};

use crate::member::members;
use crate::stored::{kept, stored};

members!(WebhookDetails { name, url, events });
stored!(Webhook, "webhooks" { id, details, status, disabled_because, owner_id, version, created_at, updated_at });

members!(WebhookDelivery {
    id,
    webhook_id,
    event_id,
    event,
    sequence,
    record_kind,
    record_id,
    actor_id,
    occurred_at,
    status,
    attempts,
    next_attempt_at,
    last_attempt_at,
    response_status,
    duration_ms,
    response_body,
    problem,
    version,
    created_at,
});
kept!(WebhookDelivery, "webhook_deliveries");
