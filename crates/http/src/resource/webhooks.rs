//! Webhooks.

use fairlead_application::webhooks::{self, deliveries};
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Webhooks", "Other programs are told of what happens, in the way of Standard Webhooks.")
        .list(
            "/webhooks",
            "list_webhooks",
            "List webhooks",
            "All of them.",
            &webhooks::LISTING,
            webhooks::list,
        )
        .needs(Permission::SettingsRead)
        .create(
            "/webhooks",
            "create_webhook",
            "Make a webhook",
            "Messages are sent as the section `webhooks` of this document has them: signed with the secret that is \
             answered here and never again, once or more for each event under one `webhook-id`, those of one record in \
             order. It tells what happens from now on and what you may see, and lets receivers ask for the rest. \
             Whatever is not answered with 2xx within 10 seconds is sent again for three days, ever more rarely; when \
             nothing arrives meanwhile, or at once when the answer is 410, the webhook is disabled, and administrators \
             are notified.",
            webhooks::create,
        )
        .needs(Permission::SettingsManage)
        .refuses(&[Code::TooMany])
        .get_related(
            "/webhooks/{id}",
            "get_webhook",
            "Get a webhook",
            "One of them, without its secret.",
            &webhooks::LISTING,
            webhooks::get,
        )
        .needs(Permission::SettingsRead)
        .patch(
            "/webhooks/{id}",
            "update_webhook",
            "Change a webhook",
            "What is on its way goes to the new address as well. The webhook tells what you may see from now on.",
            webhooks::update,
        )
        .needs(Permission::SettingsManage)
        .delete(
            "/webhooks/{id}",
            "delete_webhook",
            "Delete a webhook",
            "With everything that is on its way, and its deliveries: from then on none is sent or shown.",
            webhooks::delete,
        )
        .needs(Permission::SettingsManage)
        .act(
            "/webhooks/{id}/ping",
            "ping_webhook",
            "Send a trial",
            "A message of the type `webhook.ping`, at once and once, also while the webhook is disabled. The delivery tells \
             what the receiver answered.",
            webhooks::ping,
        )
        .needs(Permission::SettingsManage)
        .act(
            "/webhooks/{id}/rotate-secret",
            "rotate_webhook_secret",
            "Replace a webhook's secret",
            "For 24 hours messages are signed with this secret and the one before, so that receivers can change theirs \
             without missing one. An older one is good no more: whoever replaces a secret twice has ended it. The \
             webhook tells what you may see from now on.",
            webhooks::rotate_secret,
        )
        .needs(Permission::SettingsManage)
        .act(
            "/webhooks/{id}/disable",
            "disable_webhook",
            "Disable a webhook",
            "What happens meanwhile is not told, and what is on its way waits.",
            webhooks::disable,
        )
        .needs(Permission::SettingsManage)
        .act(
            "/webhooks/{id}/enable",
            "enable_webhook",
            "Enable a webhook",
            "It tells what happens from now on, what you may see. What it missed, `/events` and `/sync` tell.",
            webhooks::enable,
        )
        .needs(Permission::SettingsManage)
        .list(
            "/webhook-deliveries",
            "list_webhook_deliveries",
            "List deliveries",
            "What webhooks told in the last 30 days, and what receivers answered.",
            &deliveries::LISTING,
            deliveries::list,
        )
        .needs(Permission::AuditRead)
        .get(
            "/webhook-deliveries/{id}",
            "get_webhook_delivery",
            "Get a delivery",
            "One of them.",
            deliveries::get,
        )
        .needs(Permission::AuditRead)
        .act(
            "/webhook-deliveries/{id}/redeliver",
            "redeliver_webhook_delivery",
            "Send a delivery again",
            "Under the same `webhook-id`, whatever became of it, and for another three days; while the webhook is disabled \
             it waits. Whoever may not see deliveries (`audit:read`) has none to send again.",
            deliveries::redeliver,
        )
        .needs(Permission::SettingsManage);
}
