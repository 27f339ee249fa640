-- Other programs that are told of what happens.
CREATE TABLE webhooks (
    id {uuid} PRIMARY KEY,
    name TEXT NOT NULL,
    url TEXT NOT NULL,
    events {json} NOT NULL,
    status TEXT NOT NULL,
    disabled_because TEXT,
    owner_id {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK ((status = 'disabled') = (disabled_because IS NOT NULL))
);
CREATE INDEX webhooks_created_at ON webhooks (created_at, id);

-- What messages are signed with. They are needed as they are, so they cannot be kept as hashes.
CREATE TABLE webhook_secrets (
    id {uuid} PRIMARY KEY,
    webhook_id {uuid} NOT NULL REFERENCES webhooks (id) ON DELETE CASCADE,
    secret {bytes} NOT NULL,
    created_at {instant} NOT NULL,
    expires_at {instant}
);
-- One is the present one; the others are on their way out.
CREATE UNIQUE INDEX webhook_secrets_present ON webhook_secrets (webhook_id) WHERE expires_at IS NULL;
CREATE INDEX webhook_secrets_webhook_id ON webhook_secrets (webhook_id);

-- Up to which event each webhook has heard.
CREATE TABLE webhook_places (
    webhook_id {uuid} PRIMARY KEY REFERENCES webhooks (id) ON DELETE CASCADE,
    sequence BIGINT NOT NULL
);

-- A webhook may leave very many deliveries, and goes before them: then it is on the list below until they are gone.
CREATE TABLE webhook_deliveries (
    id {uuid} PRIMARY KEY,
    webhook_id {uuid} NOT NULL,
    event_id {uuid} NOT NULL,
    event TEXT NOT NULL,
    sequence BIGINT,
    record_kind TEXT,
    record_id {uuid},
    actor_id {uuid},
    occurred_at {instant} NOT NULL,
    status TEXT NOT NULL,
    attempts BIGINT NOT NULL,
    next_attempt_at {instant},
    last_attempt_at {instant},
    response_status BIGINT,
    duration_ms BIGINT,
    response_body TEXT,
    problem TEXT,
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    CHECK ((status = 'pending') = (next_attempt_at IS NOT NULL))
);
-- An event goes to a receiver once, however often the trail is read.
CREATE UNIQUE INDEX webhook_deliveries_event_id ON webhook_deliveries (webhook_id, event_id);
CREATE INDEX webhook_deliveries_created_at ON webhook_deliveries (created_at, id);
CREATE INDEX webhook_deliveries_webhook_id ON webhook_deliveries (webhook_id, created_at, id);
CREATE INDEX webhook_deliveries_due ON webhook_deliveries (webhook_id, next_attempt_at, sequence, id) WHERE status = 'pending';
CREATE INDEX webhook_deliveries_pings ON webhook_deliveries (next_attempt_at) WHERE status = 'pending' AND event = 'webhook.ping';
CREATE INDEX webhook_deliveries_arrived ON webhook_deliveries (webhook_id, last_attempt_at) WHERE status = 'delivered';
-- What waits of one record goes out in order.
CREATE INDEX webhook_deliveries_record_id ON webhook_deliveries (webhook_id, record_id, sequence) WHERE status = 'pending';

-- Webhooks that were deleted, and of which deliveries are still to be removed. Nobody sees or sends them any more.
CREATE TABLE deleted_webhooks (
    id {uuid} PRIMARY KEY
);
