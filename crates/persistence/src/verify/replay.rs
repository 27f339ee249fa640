//! Whether each record is what the audit trail says that it was made: whatever was changed past Fairlead shows, in
//! whichever column, also where no sum speaks of it.

use std::collections::BTreeMap;

use fairlead_domain::activity::Activity;
use fairlead_domain::amendment::Amendment;
use fairlead_domain::approval::{Approval, ApprovalFlow, Delegation};
use fairlead_domain::attachment::Attachment;
use fairlead_domain::audit::Told;
use fairlead_domain::catalogue::{PriceList, Product};
use fairlead_domain::contact::Contact;
use fairlead_domain::contract::{Contract, Installment};
use fairlead_domain::customer::{Collaborator, Customer};
use fairlead_domain::customer_change::CustomerChange;
use fairlead_domain::invoice::{CreditNote, Invoice};
use fairlead_domain::job::Job;
use fairlead_domain::lead::{AssignmentRule, Lead, LeadForm, ScoringRule};
use fairlead_domain::opportunity::Opportunity;
use fairlead_domain::organisation::{Role, Team, User};
use fairlead_domain::payment::{Allocation, Payment, Refund};
use fairlead_domain::pipeline::Pipeline;
use fairlead_domain::pool::Pool;
use fairlead_domain::receipt::Receipt;
use fairlead_domain::record::RecordKind;
use fairlead_domain::saved_view::SavedView;
use fairlead_domain::settings::Settings;
use fairlead_domain::target::Target;
use fairlead_domain::transfer::Transfer;
use fairlead_domain::webhook::Webhook;
use sea_orm::Value;
use serde_json::{Value as Json, json};
use uuid::Uuid;

use super::Checked;
use crate::error::StoreError;
use crate::member::Row;
use crate::sql::Sql;
use crate::store::Store;
use crate::stored::Stored;

/// How many events are read at once.
const EVENTS: usize = 1000;
/// How many records are looked at together.
const RECORDS: usize = 200;
/// How often a record is looked at again that a running server is changing.
const LOOKS: usize = 20;

/// A record as it is kept: its version, and all of it.
type Present = BTreeMap<Uuid, (i64, Json)>;

/// Records as the audit trail tells them.
type Traced = BTreeMap<RecordKind, BTreeMap<Uuid, Told>>;

/// An event, as far as it matters here.
struct Line {
    record: Uuid,
    sequence: i64,
    kind: RecordKind,
    changes: serde_json::Map<String, Json>,
}

impl Store {
    /// Walks the events record by record, and compares each record with what they say together.
    pub(super) async fn verify_records(&self) -> Result<Checked, StoreError> {
        let (mut checked, mut found) = (0, Vec::new());
        let mut traced = Traced::new();
        let mut last = (Uuid::nil(), 0);
        loop {
            let lines = self.lines("(record_id, sequence) > ($1, $2)", last).await?;
            let over = lines.len() < EVENTS;
            for line in lines {
                // A record that is through can be looked at; the last one may have events on the next page.
                let full = traced.values().map(BTreeMap::len).sum::<usize>() >= RECORDS;
                if full && line.record != last.0 {
                    checked += self.compare(std::mem::take(&mut traced), &mut found).await?;
                }
                last = (line.record, line.sequence);
                traced.entry(line.kind).or_default().entry(line.record).or_default().hear(&line.changes);
            }
            if over {
                checked += self.compare(traced, &mut found).await?;
                return Ok((checked, found));
            }
        }
    }

    async fn lines(&self, which: &str, (record, sequence): (Uuid, i64)) -> Result<Vec<Line>, StoreError> {
        let text = format!(
            "SELECT record_id, sequence, record_kind, changes FROM audit_events WHERE {which} \
             ORDER BY record_id, sequence LIMIT {EVENTS}"
        );
        let rows = self.reader.all(Sql::with(text, vec![record.into(), sequence.into()])).await?;
        // What cannot be read is told by the check of the trail itself; here it says nothing.
        let line = |row| {
            let (record, sequence) = (Row::new(row).column()?, Row::after(row, 1).column()?);
            let kind = Row::after(row, 2).member().unwrap_or(RecordKind::Session);
            let changes: String = Row::after(row, 3).column()?;
            let changes = serde_json::from_str(&changes).unwrap_or_default();
            Ok(Line { record, sequence, kind, changes })
        };
        rows.iter().map(line).collect()
    }

    async fn compare(&self, traced: Traced, found: &mut Vec<String>) -> Result<u64, StoreError> {
        let mut checked = 0;
        for (kind, records) in traced {
            let ids: Vec<Uuid> = records.keys().copied().collect();
            let Some(present) = self.present(kind, &ids).await? else { continue };
            checked += records.len() as u64;
            for (id, told) in records {
                let differs = told.differences(present.get(&id).map(|(_, record)| record));
                if differs.is_empty() {
                    continue;
                }
                // A server that runs may have changed it between the two looks.
                if let Some(differs) = self.look_again(kind, id).await? {
                    found.push(format!("{kind} {id}: {}", differs.join(", ")));
                }
            }
        }
        Ok(checked)
    }

    /// Looks at one record until nothing happens to it meanwhile. Answers with what differs, if something does.
    async fn look_again(&self, kind: RecordKind, id: Uuid) -> Result<Option<Vec<String>>, StoreError> {
        let mut differs = Vec::new();
        for _ in 0..LOOKS {
            let before = self.present(kind, &[id]).await?.unwrap_or_default();
            let (mut told, mut sequence) = (Told::default(), 0);
            loop {
                let lines = self.lines("record_id = $1 AND sequence > $2", (id, sequence)).await?;
                for line in &lines {
                    sequence = line.sequence;
                    told.hear(&line.changes);
                }
                if lines.len() < EVENTS {
                    break;
                }
            }
            let after = self.present(kind, &[id]).await?.unwrap_or_default();
            differs = told.differences(after.get(&id).map(|(_, record)| record));
            if differs.is_empty() {
                return Ok(None);
            }
            if before.get(&id).map(|(version, _)| version) == after.get(&id).map(|(version, _)| version) {
                return Ok(Some(differs));
            }
        }
        Ok(Some(differs))
    }

    /// These records as they are kept; none of a kind that is not kept as a record.
    async fn present(&self, kind: RecordKind, ids: &[Uuid]) -> Result<Option<Present>, StoreError> {
        Ok(Some(match kind {
            RecordKind::Session => return Ok(None),
            RecordKind::User => self.kept::<User>(ids).await?,
            RecordKind::Team => self.kept::<Team>(ids).await?,
            RecordKind::Role => self.kept::<Role>(ids).await?,
            RecordKind::Settings => self.kept::<Settings>(ids).await?,
            RecordKind::Pool => self.kept::<Pool>(ids).await?,
            RecordKind::Collaborator => self.kept::<Collaborator>(ids).await?,
            RecordKind::ScoringRule => self.kept::<ScoringRule>(ids).await?,
            RecordKind::AssignmentRule => self.kept::<AssignmentRule>(ids).await?,
            RecordKind::SavedView => self.kept::<SavedView>(ids).await?,
            RecordKind::Webhook => self.kept::<Webhook>(ids).await?,
            RecordKind::LeadForm => self.kept::<LeadForm>(ids).await?,
            RecordKind::Job => self.kept::<Job>(ids).await?,
            RecordKind::Lead => self.kept::<Lead>(ids).await?,
            RecordKind::Customer => self.kept::<Customer>(ids).await?,
            RecordKind::CustomerChange => self.kept::<CustomerChange>(ids).await?,
            RecordKind::Contact => self.kept::<Contact>(ids).await?,
            RecordKind::Activity => self.kept::<Activity>(ids).await?,
            RecordKind::Product => self.kept::<Product>(ids).await?,
            RecordKind::PriceList => self.kept::<PriceList>(ids).await?,
            RecordKind::Pipeline => self.kept::<Pipeline>(ids).await?,
            RecordKind::Opportunity => self.kept::<Opportunity>(ids).await?,
            RecordKind::Contract => self.kept::<Contract>(ids).await?,
            RecordKind::Attachment => self.kept::<Attachment>(ids).await?,
            RecordKind::Amendment => self.kept::<Amendment>(ids).await?,
            RecordKind::Installment => self.kept::<Installment>(ids).await?,
            RecordKind::Invoice => self.kept::<Invoice>(ids).await?,
            RecordKind::CreditNote => self.kept::<CreditNote>(ids).await?,
            RecordKind::Payment => self.kept::<Payment>(ids).await?,
            RecordKind::Target => self.kept::<Target>(ids).await?,
            RecordKind::Receipt => self.kept::<Receipt>(ids).await?,
            RecordKind::Refund => self.kept::<Refund>(ids).await?,
            RecordKind::Allocation => self.kept::<Allocation>(ids).await?,
            RecordKind::Transfer => self.kept::<Transfer>(ids).await?,
            RecordKind::Approval => self.kept::<Approval>(ids).await?,
            RecordKind::ApprovalFlow => self.kept::<ApprovalFlow>(ids).await?,
            RecordKind::Delegation => self.kept::<Delegation>(ids).await?,
        }))
    }

    async fn kept<T: Stored>(&self, ids: &[Uuid]) -> Result<Present, StoreError> {
        let table = T::table();
        let derived: Vec<String> = table.derived.iter().map(|column| format!(", {column}")).collect();
        let (columns, derived) = (&table.selection, derived.concat());
        let mut sql = Sql::new(format!("SELECT {columns}{derived} FROM {} WHERE id IN (", table.name));
        sql.bind_list(ids.iter().copied()).push(")");
        let rows = self.reader.all(sql).await?;
        let one = |row| {
            let read = T::take(&mut Row::new(row)).and_then(|record| {
                let mut json =
                    serde_json::to_value(&record).map_err(|it| StoreError::Corrupt(it.to_string()))?;
                // What the database compares by follows from the record.
                let columns = table.derived.iter().zip(record.derived());
                for (at, (column, wanted)) in (table.columns.len()..).zip(columns) {
                    let kept: Option<String> = Row::after(row, at).column()?;
                    if Value::from(kept) != wanted {
                        json[*column] = json!("does not follow from the record");
                    }
                }
                Ok((record.version(), json))
            });
            let unreadable = |error: StoreError| (0, json!({ "unreadable": error.to_string() }));
            Ok((Row::new(row).column()?, read.unwrap_or_else(unreadable)))
        };
        rows.iter().map(one).collect()
    }
}
