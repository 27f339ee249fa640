//! What webhooks leave in the database besides themselves: how far each has heard, what is on its way, and with what it
//! is signed.

use fairlead_domain::values::{Timestamp, WebhookId};
use fairlead_domain::webhook::{PING, Webhook, WebhookDelivery};
use uuid::Uuid;

use crate::error::StoreError;
use crate::member::{Member, only};
use crate::query::predicate::Predicate;
use crate::reader::Reader;
use crate::sql::Sql;
use crate::stored::Kept;
use crate::work::Work;

/// What of a webhook can be delivered now; of a disabled one only trials, and nothing of a record before what happened to
/// it earlier. The column or value `webhook` says of which webhook.
fn due(sql: &mut Sql, webhook: &str, active: &str, now: Timestamp) {
    sql.push(&format!(
        " FROM webhook_deliveries AS due WHERE due.webhook_id = {webhook} AND due.status = 'pending' \
         AND ({active} OR due.event = '{PING}') AND NOT EXISTS (SELECT 1 FROM webhook_deliveries AS earlier \
         WHERE earlier.webhook_id = due.webhook_id AND earlier.record_id = due.record_id \
         AND earlier.sequence < due.sequence AND earlier.status = 'pending') AND due.next_attempt_at <= ",
    ));
    sql.bind(now.instant());
}

/// Deliveries of webhooks that are there.
pub fn of_present_webhooks() -> Predicate {
    // By the few that are not: the list keeps its own order, whatever the planner knows.
    Predicate::Each("webhook_deliveries.webhook_id", "deleted_webhooks", Box::new(Predicate::True)).negate()
}

impl Reader<'_> {
    /// The webhooks that have not heard everything yet, each with the place up to which it has.
    pub async fn webhooks_behind(&self) -> Result<Vec<(Webhook, i64)>, StoreError> {
        self.rows(
            |sql| {
                sql.push(&Webhook::table().selection);
                sql.push(", webhook_places.sequence FROM webhooks ");
                sql.push("JOIN webhook_places ON webhook_places.webhook_id = webhooks.id ");
                sql.push("JOIN audit_head ON audit_head.sequence > webhook_places.sequence ");
                sql.push("WHERE webhooks.status = 'active' ORDER BY webhooks.id");
                Ok(())
            },
            |row| Ok((Webhook::take(row)?, row.column()?)),
        )
        .await
    }

    /// The webhooks that have anything to be delivered now.
    pub async fn webhooks_due(&self, now: Timestamp) -> Result<Vec<WebhookId>, StoreError> {
        self.rows(
            |sql| {
                sql.push("id FROM webhooks WHERE (status = 'active' AND EXISTS (SELECT 1");
                due(sql, "webhooks.id", "TRUE", now);
                // As a text, so that both databases see that there is an index of just these.
                sql.push(&format!(
                    ")) OR id IN (SELECT webhook_id FROM webhook_deliveries \
                     WHERE status = 'pending' AND event = '{PING}' AND next_attempt_at <= "
                ));
                sql.bind(now.instant()).push(")");
                Ok(())
            },
            |row| Ok(WebhookId(row.column()?)),
        )
        .await
    }

    /// A deleted webhook of which deliveries are still to be removed.
    pub async fn deleted_webhook(&self) -> Result<Option<WebhookId>, StoreError> {
        let next = |sql: &mut Sql| {
            sql.push("id FROM deleted_webhooks ORDER BY id LIMIT 1");
            Ok(())
        };
        Ok(self.rows(next, WebhookId::take).await?.first().copied())
    }

    /// The keys that a webhook's messages are signed with, the present one first.
    pub async fn webhook_secrets(
        &self,
        webhook: WebhookId,
        now: Timestamp,
    ) -> Result<Vec<Vec<u8>>, StoreError> {
        self.rows(
            |sql| {
                sql.push("secret FROM webhook_secrets WHERE webhook_id = ").bind(webhook.0);
                sql.push(" AND (expires_at IS NULL OR expires_at > ").bind(now.instant());
                sql.push(") ORDER BY created_at DESC, id DESC");
                Ok(())
            },
            only,
        )
        .await
    }
}

impl Work {
    /// Lets a webhook hear what happens from now on.
    pub async fn begin_hearing(&self, webhook: WebhookId) -> Result<(), StoreError> {
        let text = "INSERT INTO webhook_places (webhook_id, sequence) SELECT $1, sequence FROM audit_head WHERE TRUE \
                    ON CONFLICT (webhook_id) DO UPDATE SET sequence = excluded.sequence";
        self.execute(text, vec![webhook.0.into()]).await?;
        Ok(())
    }

    /// Notes that a webhook has heard everything up to a place, if it had come as far as was thought. Of several servers
    /// one writes what it heard. The webhook was locked before.
    pub async fn note_heard(&self, webhook: WebhookId, from: i64, to: i64) -> Result<bool, StoreError> {
        let text = "UPDATE webhook_places SET sequence = $3 WHERE webhook_id = $1 AND sequence = $2";
        Ok(self.execute(text, vec![webhook.0.into(), from.into(), to.into()]).await? == 1)
    }

    /// Keeps how a delivery stands. Its row was locked when it was loaded.
    pub async fn save_delivery(&self, delivery: &mut WebhookDelivery) -> Result<(), StoreError> {
        let text = "UPDATE webhook_deliveries SET status = $2, attempts = $3, next_attempt_at = $4, \
                    last_attempt_at = $5, response_status = $6, duration_ms = $7, response_body = $8, problem = $9, \
                    version = $10 WHERE id = $1";
        let mut values = Vec::new();
        delivery.id.put(&mut values);
        delivery.status.put(&mut values);
        delivery.attempts.put(&mut values);
        delivery.next_attempt_at.put(&mut values);
        delivery.last_attempt_at.put(&mut values);
        delivery.response_status.put(&mut values);
        delivery.duration_ms.put(&mut values);
        delivery.response_body.put(&mut values);
        delivery.problem.put(&mut values);
        delivery.version += 1;
        delivery.version.put(&mut values);
        self.execute(text, values).await?;
        Ok(())
    }

    /// What of a webhook is to be delivered now, the oldest first, not more than so many. The rows are locked.
    pub async fn deliveries_due(
        &self,
        webhook: WebhookId,
        most: u64,
    ) -> Result<Vec<WebhookDelivery>, StoreError> {
        let mut sql = Sql::with("SELECT due.id", vec![webhook.0.into()]);
        let active = "EXISTS (SELECT 1 FROM webhooks WHERE id = due.webhook_id AND status = 'active')";
        due(&mut sql, "$1", active, self.now());
        sql.push(&format!(" ORDER BY due.next_attempt_at, due.sequence, due.id LIMIT {most}"));
        let found: Vec<Uuid> = self.select(sql, only).await?;
        // Another server may have taken some of them before their rows could be locked.
        let now = self.now();
        let mut due: Vec<WebhookDelivery> = self.load_all(Predicate::ids(found)).await?;
        due.retain(|delivery| delivery.next_attempt_at.is_some_and(|at| at <= now));
        Ok(due)
    }

    /// Whether anything has arrived at a webhook's receiver since a moment.
    pub async fn has_arrived_since(&self, webhook: WebhookId, since: Timestamp) -> Result<bool, StoreError> {
        let text = "SELECT EXISTS (SELECT 1 FROM webhook_deliveries WHERE webhook_id = $1 AND status = 'delivered' \
                    AND last_attempt_at >= $2)";
        let arrived = self.first(text, vec![webhook.0.into(), since.instant().into()], only::<bool>).await?;
        Ok(arrived.unwrap_or(false))
    }

    /// Notes of a webhook that is being deleted that its deliveries are to be removed.
    pub async fn discard_deliveries(&self, webhook: WebhookId) -> Result<(), StoreError> {
        let text = "INSERT INTO deleted_webhooks (id) VALUES ($1)";
        self.execute(text, vec![webhook.0.into()]).await?;
        Ok(())
    }

    /// Removes deliveries of a deleted webhook, not more than so many. After the last one the webhook is off the list.
    pub async fn remove_deliveries(&self, webhook: WebhookId, most: u64) -> Result<(), StoreError> {
        // Of several servers one removes at a time: otherwise they would take the same rows, in any order.
        let text = format!("SELECT id FROM deleted_webhooks WHERE id = $1{}", self.lock());
        self.first(&text, vec![webhook.0.into()], only::<Uuid>).await?;
        let text = format!(
            "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries WHERE webhook_id = $1 \
             LIMIT {most})"
        );
        self.execute(&text, vec![webhook.0.into()]).await?;
        let text = "DELETE FROM deleted_webhooks WHERE id = $1 \
                    AND NOT EXISTS (SELECT 1 FROM webhook_deliveries WHERE webhook_id = $1)";
        self.execute(text, vec![webhook.0.into()]).await?;
        Ok(())
    }

    /// Forgets what was recorded before a moment and is over, not more than so many. Says how many there were.
    pub async fn forget_deliveries(&self, before: Timestamp, most: u64) -> Result<u64, StoreError> {
        let text = format!(
            "DELETE FROM webhook_deliveries WHERE id IN (SELECT id FROM webhook_deliveries \
             WHERE created_at < $1 AND status <> 'pending' ORDER BY created_at LIMIT {most})"
        );
        self.execute(&text, vec![before.instant().into()]).await
    }

    /// Gives a webhook a new secret. The one that it had is good until a moment; an older one is forgotten.
    pub async fn replace_webhook_secret(
        &self,
        webhook: WebhookId,
        secret: &[u8],
        former_until: Timestamp,
    ) -> Result<(), StoreError> {
        let now = self.now().instant();
        // Of those that had been replaced before, none is good any more: there are two at most.
        let text = "DELETE FROM webhook_secrets WHERE webhook_id = $1 AND expires_at IS NOT NULL";
        self.execute(text, vec![webhook.0.into()]).await?;
        let text = "UPDATE webhook_secrets SET expires_at = $2 WHERE webhook_id = $1 AND expires_at IS NULL";
        self.execute(text, vec![webhook.0.into(), former_until.instant().into()]).await?;
        let text = "INSERT INTO webhook_secrets (id, webhook_id, secret, created_at) VALUES ($1, $2, $3, $4)";
        let id: Uuid = self.new_id();
        self.execute(text, vec![id.into(), webhook.0.into(), secret.to_vec().into(), now.into()]).await?;
        Ok(())
    }
}
