//! What events become besides the audit trail: timelines of customers, notifications, and the outbox for whoever
//! reads it.

use fairlead_domain::notification::{Happened, Notification};
use fairlead_domain::record::RecordKind;
use fairlead_domain::timeline::TimelineEntry;
use fairlead_domain::values::{Timestamp, UserId};
use sea_orm::Value;
use uuid::Uuid;

use crate::error::StoreError;
use crate::member::{Member, Row, members, only};
use crate::reader::Reader;
use crate::sql::Sql;
use crate::stored::{Kept, kept};
use crate::work::Work;

impl Member for TimelineEntry {
    fn columns(_name: &str, out: &mut Vec<String>) {
        let columns = [
            "id",
            "sequence",
            "customer_id",
            "occurred_at",
            "actor_id",
            "event",
            "record_kind",
            "record_id",
            "changes",
        ];
        out.extend(columns.map(str::to_owned));
    }
    fn put(&self, out: &mut Vec<Value>) {
        self.id.put(out);
        self.sequence.put(out);
        self.customer_id.put(out);
        self.occurred_at.put(out);
        self.actor_id.put(out);
        self.event.put(out);
        self.record_kind.put(out);
        self.record_id.put(out);
        serde_json::Value::Object(self.changes.clone()).to_string().put(out);
    }
    fn take(row: &mut Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.member()?,
            sequence: row.member()?,
            customer_id: row.member()?,
            occurred_at: row.member()?,
            actor_id: row.member()?,
            event: row.member()?,
            record_kind: row.member()?,
            record_id: row.member()?,
            changes: serde_json::from_str(&row.column::<String>()?)
                .map_err(|error| StoreError::Corrupt(error.to_string()))?,
        })
    }
}
kept!(TimelineEntry, "timeline_entries");

/// What happened to a record.
#[derive(Debug, Clone)]
pub struct TrailEvent {
    /// Its place in the audit trail.
    pub sequence: i64,
    /// Its id.
    pub event_id: Uuid,
    /// What happened, such as `contract.submitted`.
    pub event: String,
    /// The kind of record.
    pub kind: RecordKind,
    /// Which record.
    pub id: Uuid,
    /// When.
    pub occurred_at: Timestamp,
    /// Who did it; none when Fairlead itself.
    pub actor: Option<UserId>,
}

members!(Notification {
    id,
    user_id,
    kind,
    record_kind,
    record_id,
    title,
    actor_id,
    event_id,
    created_at,
    read_at,
});
kept!(Notification, "notifications");

impl Reader<'_> {
    /// What happened to records of these kinds after an event, and how far the trail was looked at: not more than so
    /// many events.
    pub async fn events_after(
        &self,
        place: i64,
        kinds: &[RecordKind],
        most: i64,
    ) -> Result<(Vec<TrailEvent>, i64), StoreError> {
        let last = self.last_event().await?.min(place.saturating_add(most));
        if kinds.is_empty() {
            return Ok((Vec::new(), last.max(place)));
        }
        let events = self
            .rows(
                |sql| {
                    sql.push(
                        "sequence, id, action, record_kind, record_id, occurred_at, actor_id FROM audit_events ",
                    );
                    sql.push("WHERE sequence > ").bind(place).push(" AND sequence <= ").bind(last);
                    sql.push(" AND record_kind IN (");
                    sql.bind_list(kinds.iter().map(|kind| kind.as_str())).push(") ORDER BY sequence");
                    Ok(())
                },
                |row| {
                    Ok(TrailEvent {
                        sequence: row.column()?,
                        event_id: row.column()?,
                        event: row.column()?,
                        kind: row.member()?,
                        id: row.column()?,
                        occurred_at: row.member()?,
                        actor: row.member()?,
                    })
                },
            )
            .await?;
        Ok((events, last.max(place)))
    }

    /// Whether there are events that a reader of the outbox has not seen.
    pub async fn has_news(&self, reader: &str) -> Result<bool, StoreError> {
        let question = |sql: &mut Sql| {
            sql.push("sequence > COALESCE((SELECT sequence FROM outbox_readers WHERE name = ");
            sql.bind(reader).push("), 0) FROM audit_head");
            Ok(())
        };
        Ok(self.rows(question, only::<bool>).await?.first().copied().unwrap_or(false))
    }
}

impl Work {
    /// How far a reader of the outbox has come. Locks its place: of several servers one reads at a time.
    pub async fn outbox_place(&self, reader: &str) -> Result<i64, StoreError> {
        let text = "INSERT INTO outbox_readers (name, sequence) VALUES ($1, 0) \
                    ON CONFLICT (name) DO UPDATE SET sequence = outbox_readers.sequence RETURNING sequence";
        let place = self.first(text, vec![reader.into()], only::<i64>).await?;
        Ok(place.unwrap_or(0))
    }

    /// The next events of the outbox, in order. Events get their places under the lock of the trail's head, so none
    /// appears before one that is seen. Where to begin is said of both tables: PostgreSQL does not conclude it for the
    /// other one, and would read the whole trail.
    pub async fn outbox_after(&self, place: i64, most: u64) -> Result<Vec<Happened>, StoreError> {
        let text = format!(
            "SELECT outbox.sequence, outbox.id, outbox.occurred_at, event, outbox.record_kind, outbox.record_id, \
             data, audit_events.actor_id, audit_events.changes FROM outbox JOIN audit_events ON audit_events.sequence = outbox.sequence \
             WHERE outbox.sequence > $1 AND audit_events.sequence > $1 ORDER BY outbox.sequence LIMIT {most}"
        );
        self.select(Sql::with(text, vec![place.into()]), |row| {
            Ok(Happened {
                sequence: row.column()?,
                id: row.column()?,
                occurred_at: row.member()?,
                event: row.column()?,
                record_kind: row.member()?,
                record_id: row.column()?,
                data: serde_json::from_str(&row.column::<String>()?)
                    .map_err(|error| StoreError::Corrupt(error.to_string()))?,
                actor_id: row.member()?,
                changes: serde_json::from_str(&row.column::<String>()?)
                    .map_err(|error| StoreError::Corrupt(error.to_string()))?,
            })
        })
        .await
    }

    /// Notes how far a reader has come.
    pub async fn note_outbox_place(&self, reader: &str, place: i64) -> Result<(), StoreError> {
        let text = "UPDATE outbox_readers SET sequence = $2 WHERE name = $1";
        self.execute(text, vec![reader.into(), place.into()]).await?;
        Ok(())
    }

    /// Keeps a notification, if it was not kept before.
    pub async fn notify(&self, notification: &Notification) -> Result<(), StoreError> {
        let mut values = Vec::new();
        notification.put(&mut values);
        let text =
            format!("{} ON CONFLICT (event_id, user_id, kind) DO NOTHING", Notification::table().insert);
        self.execute(&text, values).await?;
        Ok(())
    }

    /// Notes that a user read a notification of theirs, or all of them. Says how many were new.
    pub async fn read_notifications(
        &self,
        user: UserId,
        one: Option<fairlead_domain::values::NotificationId>,
    ) -> Result<u64, StoreError> {
        let mut sql = Sql::new("UPDATE notifications SET read_at = ");
        sql.bind(self.now().instant()).push(" WHERE read_at IS NULL AND user_id = ").bind(user.0);
        if let Some(one) = one {
            sql.push(" AND id = ").bind(one.0);
        }
        let (text, values) = sql.into_parts();
        self.execute(&text, values).await
    }
}
