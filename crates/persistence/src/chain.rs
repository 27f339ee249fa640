//! The audit trail: events in one order, each bound to the one before by a hash, so that an edited, removed
//! or reordered event shows. The outbox is written in the same order.

use std::sync::LazyLock;

use fairlead_domain::audit::AuditEvent;
use fairlead_domain::context::Event;
use fairlead_domain::record::RecordKind;
use fairlead_domain::values::{AuditEventId, UserId};
use sea_orm::Value;
use serde_json::Map;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::error::StoreError;
use crate::member::{Member, Row};
use crate::sql::Sql;
use crate::store::Store;
use crate::stored::{Kept, Table};
use crate::sync;
use crate::verify::Checked;
use crate::work::{Author, Work};

/// Something that happened in a unit of work.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) id: Uuid,
    pub(crate) event: Event,
    pub(crate) kind: RecordKind,
    pub(crate) record_id: Uuid,
    /// The customers that it concerns.
    pub(crate) customers: Vec<Uuid>,
    pub(crate) changes: Map<String, serde_json::Value>,
    pub(crate) data: serde_json::Value,
}

/// Makes the end of the chain ours until the transaction ends, and appends to it.
pub(crate) async fn append(
    work: &Work,
    author: &Author,
    entries: Vec<Entry>,
    lock: &str,
) -> Result<(), StoreError> {
    if entries.is_empty() {
        return Ok(());
    }
    let text = format!("SELECT sequence, hash FROM audit_head WHERE id = 1{lock}");
    let head = work.first(&text, vec![], |row| Ok((row.column::<i64>()?, row.column::<String>()?))).await?;
    let (mut sequence, mut hash) =
        head.ok_or_else(|| StoreError::Corrupt("the audit trail has no head".to_owned()))?;
    let mut audit: Vec<Vec<Value>> = Vec::with_capacity(entries.len());
    let mut outbox: Vec<Vec<Value>> = Vec::with_capacity(entries.len());
    let mut timeline: Vec<Vec<Value>> = Vec::new();
    for entry in entries {
        sequence += 1;
        sync::note(work, &entry, sequence).await?;
        timeline.extend(entry.customers.iter().map(|customer| vec![(*customer).into(), sequence.into()]));
        let changes = serde_json::Value::Object(entry.changes.clone()).to_string();
        let event = AuditEvent {
            id: AuditEventId(entry.id),
            sequence,
            occurred_at: work.now(),
            actor_id: author.user,
            action: entry.event.0.to_owned(),
            record_kind: entry.kind,
            record_id: entry.record_id,
            request_id: author.request_id.clone(),
            changes: entry.changes,
            previous_hash: hash,
            hash: String::new(),
        };
        hash = digest(&event, &changes);
        audit.push(vec![
            entry.id.into(),
            sequence.into(),
            work.now().instant().into(),
            author.user.map(|user| user.0).into(),
            entry.event.0.into(),
            entry.kind.as_str().into(),
            entry.record_id.into(),
            author.request_id.clone().into(),
            changes.into(),
            event.previous_hash.into(),
            hash.clone().into(),
        ]);
        outbox.push(vec![
            sequence.into(),
            entry.id.into(),
            work.now().instant().into(),
            entry.event.0.into(),
            entry.kind.as_str().into(),
            entry.record_id.into(),
            entry.data.to_string().into(),
        ]);
    }
    work.insert_rows(&format!("INSERT INTO audit_events ({COLUMNS}) VALUES "), &audit).await?;
    let into_outbox =
        "INSERT INTO outbox (sequence, id, occurred_at, event, record_kind, record_id, data) VALUES ";
    work.insert_rows(into_outbox, &outbox).await?;
    work.insert_rows("INSERT INTO timeline (customer_id, sequence) VALUES ", &timeline).await?;
    let text = "UPDATE audit_head SET sequence = $1, hash = $2 WHERE id = 1";
    work.execute(text, vec![sequence.into(), hash.into()]).await?;
    Ok(())
}

const COLUMNS: &str = "id, sequence, occurred_at, actor_id, action, record_kind, record_id, request_id, \
                       changes, previous_hash, hash";

const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];

/// SHA-256 over the previous hash and every fact of the event, with their lengths so that no two events
/// have the same bytes.
fn digest(event: &AuditEvent, changes: &str) -> String {
    let mut hash = Sha256::new();
    let facts = [
        event.previous_hash.clone(),
        event.id.to_string(),
        event.sequence.to_string(),
        event.occurred_at.to_string(),
        event.actor_id.map(|actor| actor.to_string()).unwrap_or_default(),
        event.action.clone(),
        event.record_kind.to_string(),
        event.record_id.to_string(),
        event.request_id.clone().unwrap_or_default(),
        changes.to_owned(),
    ];
    for fact in facts {
        hash.update((fact.len() as u64).to_be_bytes());
        hash.update(fact);
    }
    hash.finalize()
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|nibble| DIGITS[usize::from(nibble)])
        .collect()
}

impl Member for AuditEvent {
    fn columns(_name: &str, out: &mut Vec<String>) {
        out.extend(COLUMNS.split(", ").map(str::to_owned));
    }
    fn put(&self, out: &mut Vec<Value>) {
        self.id.put(out);
        self.sequence.put(out);
        self.occurred_at.put(out);
        self.actor_id.put(out);
        self.action.put(out);
        self.record_kind.put(out);
        self.record_id.put(out);
        self.request_id.put(out);
        serde_json::Value::Object(self.changes.clone()).to_string().put(out);
        self.previous_hash.put(out);
        self.hash.put(out);
    }
    fn take(row: &mut Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.member()?,
            sequence: row.member()?,
            occurred_at: row.member()?,
            actor_id: row.member::<Option<UserId>>()?,
            action: row.member()?,
            record_kind: row.member()?,
            record_id: row.member()?,
            request_id: row.member()?,
            changes: serde_json::from_str(&row.column::<String>()?)
                .map_err(|error| StoreError::Corrupt(error.to_string()))?,
            previous_hash: row.member()?,
            hash: row.member()?,
        })
    }
}

impl Kept for AuditEvent {
    fn table() -> &'static Table {
        static TABLE: LazyLock<Table> = LazyLock::new(|| Table::of::<AuditEvent>("audit_events", &[]));
        &TABLE
    }
}

impl Store {
    /// Where the chain ends: the number and the hash of the newest event. None without a head.
    pub async fn chain_end(&self) -> Result<Option<(i64, String)>, StoreError> {
        let text = "SELECT sequence, hash FROM audit_head WHERE id = 1";
        let Some(head) = self.reader.one(Sql::new(text)).await? else { return Ok(None) };
        let mut head = Row::new(&head);
        Ok(Some((head.column()?, head.column()?)))
    }

    /// The hash of the event with this number.
    pub async fn chain_hash(&self, sequence: i64) -> Result<Option<String>, StoreError> {
        let text = "SELECT hash FROM audit_events WHERE sequence = $1";
        let Some(event) = self.reader.one(Sql::with(text, vec![sequence.into()])).await? else {
            return Ok(None);
        };
        Ok(Some(Row::new(&event).column()?))
    }

    /// Walks the chain up to where its head said at the beginning that it ends: a server may go on appending.
    /// Answers with the number of events and with every place that does not fit.
    pub(crate) async fn verify_chain(&self) -> Result<Checked, StoreError> {
        let mut found = Vec::new();
        let (mut sequence, mut hash) = (0_i64, String::new());
        let Some(end) = self.chain_end().await? else {
            return Ok((0, vec!["there is no head".to_owned()]));
        };
        loop {
            let text = format!(
                "SELECT {COLUMNS} FROM audit_events WHERE sequence > $1 AND sequence <= $2 \
                 ORDER BY sequence LIMIT 1000"
            );
            let rows = self.reader.all(Sql::with(text, vec![sequence.into(), end.0.into()])).await?;
            if rows.is_empty() {
                break;
            }
            for row in &rows {
                let place: i64 = Row::after(row, 1).column()?;
                let previous: String = Row::after(row, 9).column()?;
                if place != sequence + 1 {
                    found.push(format!("events {} to {} are missing", sequence + 1, place - 1));
                } else if previous != hash {
                    found.push(format!("event {place} does not follow the one before it"));
                }
                // The hash is over the bytes that are stored, not over what they mean.
                let changes: String = Row::after(row, 8).column()?;
                hash = Row::after(row, 10).column()?;
                match AuditEvent::take(&mut Row::new(row)) {
                    Ok(event) if digest(&event, &changes) == hash => {}
                    Ok(_) => found.push(format!("event {place} was changed")),
                    Err(error) => found.push(format!("event {place} was changed: {error}")),
                }
                sequence = place;
            }
        }
        if end != (sequence, hash) {
            found.push("it does not end where its head says".to_owned());
        }
        Ok((u64::try_from(sequence).unwrap_or(0), found))
    }
}
