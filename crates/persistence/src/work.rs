//! The unit of work: one transaction, with everything that a write leaves behind.
//!
//! A record is saved together with its event; the audit trail and the outbox are written from these when the
//! work is committed, so that none can be forgotten. An idempotency key is claimed before anything else
//! happens, and its answer is stored by the same commit: a crash cannot leave one without the other.

use std::sync::Arc;

use chrono::Duration;
use fairlead_domain::audit;
use fairlead_domain::context::Event;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::organisation::UserStatus;
use fairlead_domain::record::{Record, RecordKind};
use fairlead_domain::values::{
    AssignmentRuleId, LeadFormId, Number, NumberKind, PipelineId, StageId, Timestamp, UserId,
};
use sea_orm::{ConnectionTrait, DatabaseTransaction, DbBackend, Statement, Value};
use serde::Serialize;
use uuid::Uuid;

use crate::chain::{self, Entry};
use crate::error::{StoreError, answered};
use crate::member::{Member, Row, only};
use crate::ownership::Owner;
use crate::query::predicate::Predicate;
use crate::reader::Guard;
use crate::sql::Sql;
use crate::store::Store;
use crate::stored::{self, Kept, Stored};

/// How long an idempotency key is remembered.
const KEY_LIFETIME: Duration = Duration::hours(24);

/// Makes ids; given from outside like the time.
pub type NewId = Arc<dyn Fn() -> Uuid + Send + Sync>;

/// In whose name and when the work is done.
#[derive(Clone)]
pub struct Author {
    /// The user; none when Fairlead itself acts.
    pub user: Option<UserId>,
    /// The request.
    pub request_id: Option<String>,
    /// Tells the time.
    pub clock: Arc<dyn Fn() -> Timestamp + Send + Sync>,
    /// Makes ids.
    pub new_id: NewId,
}

/// An open transaction.
pub struct Work {
    transaction: DatabaseTransaction,
    author: Author,
    now: Timestamp,
    /// The epoch of the snapshot that the work is judged by.
    judged_by: Option<i64>,
    /// For whom it is done.
    pub(crate) caller: Option<Owner>,
    entries: Vec<Entry>,
    changes_access: bool,
    claimed: Option<(UserId, String)>,
}

/// How far a work had come.
#[derive(Debug)]
#[must_use]
pub struct Mark {
    entries: usize,
    changes_access: bool,
}

/// What became of an idempotency key.
#[derive(Debug)]
pub enum Claim {
    /// It is ours: go on.
    Fresh,
    /// The work was done before; this is what was answered.
    Answered(serde_json::Value),
}

impl Store {
    /// Begins a transaction. With a guard, nothing begins that the guard does not allow.
    pub async fn begin(&self, author: Author, guard: Option<Guard>) -> Result<Work, StoreError> {
        let transaction = self.begin_writing().await?;
        // After the wait for the lock: what waited for another transaction happened after it.
        let now = (author.clock)();
        let work = Work {
            transaction,
            author,
            now,
            judged_by: guard.map(|guard| guard.epoch),
            caller: None,
            entries: Vec::new(),
            changes_access: false,
            claimed: None,
        };
        if let Some(guard) = guard {
            let select = guard.select().statement(work.backend());
            let row = answered(work.transaction.query_one_raw(select)).await?;
            guard.check(&row.ok_or_else(|| StoreError::Corrupt("no organisation".to_owned()))?)?;
        }
        Ok(work)
    }
}

impl Work {
    /// Says who asks: they may be about to claim what they are shown. When their day began depends on when the work did.
    #[must_use]
    pub fn asked_by(mut self, caller: Option<Owner>) -> Self {
        self.caller = caller;
        self
    }

    /// The time of everything that this work writes.
    pub fn now(&self) -> Timestamp {
        self.now
    }

    /// In whose name it is done; none when Fairlead itself acts.
    pub fn user(&self) -> Option<UserId> {
        self.author.user
    }

    /// What makes ids, for rules that need several while the work is held.
    pub fn ids(&self) -> NewId {
        Arc::clone(&self.author.new_id)
    }

    /// Makes an id.
    pub fn new_id<T: From<Uuid>>(&self) -> T {
        (self.author.new_id)().into()
    }

    fn backend(&self) -> DbBackend {
        self.transaction.get_database_backend()
    }

    pub(crate) fn is_postgres(&self) -> bool {
        self.backend() == DbBackend::Postgres
    }

    /// Rows are locked against other writers until the end. The weaker lock of the two lets other rows go
    /// on referring to them. SQLite has no such clause: there, the whole transaction is the lock.
    pub(crate) fn lock(&self) -> &'static str {
        if self.backend() == DbBackend::Postgres { " FOR NO KEY UPDATE" } else { "" }
    }

    pub(crate) async fn select<T>(
        &self,
        sql: Sql,
        each: impl Fn(&mut Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let results = answered(self.transaction.query_all_raw(sql.statement(self.backend()))).await?;
        results.iter().map(|result| each(&mut Row::new(result))).collect()
    }

    pub(crate) async fn first<T>(
        &self,
        text: &str,
        values: Vec<Value>,
        each: impl Fn(&mut Row) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        Ok(self.select(Sql::with(text, values), each).await?.into_iter().next())
    }

    pub(crate) async fn execute(&self, text: &str, values: Vec<Value>) -> Result<u64, StoreError> {
        let statement = Statement::from_sql_and_values(self.backend(), text, values);
        Ok(answered(self.transaction.execute_raw(statement)).await?.rows_affected())
    }

    /// Loads a record and locks its row.
    pub async fn load<T: Kept>(&self, id: impl Into<Uuid>) -> Result<Option<T>, StoreError> {
        Ok(self.load_all(Predicate::Is("id", id.into().into())).await?.into_iter().next())
    }

    /// Loads records and locks their rows, in the order of their ids so that nobody waits in a circle.
    pub async fn load_all<T: Kept>(&self, predicate: Predicate) -> Result<Vec<T>, StoreError> {
        self.find_with(predicate, self.lock()).await
    }

    /// Finds a record and keeps others from changing it until the end, while still letting them do the same.
    pub async fn hold<T: Kept>(&self, predicate: Predicate) -> Result<Option<T>, StoreError> {
        let lock = if self.backend() == DbBackend::Postgres { " FOR SHARE" } else { "" };
        Ok(self.find_with(predicate, lock).await?.into_iter().next())
    }

    /// Finds records without locking them.
    pub async fn find_all<T: Kept>(&self, predicate: Predicate) -> Result<Vec<T>, StoreError> {
        self.find_with(predicate, "").await
    }

    /// Finds a record without locking it.
    pub async fn find<T: Kept>(&self, id: impl Into<Uuid>) -> Result<Option<T>, StoreError> {
        Ok(self.find_all(Predicate::Is("id", id.into().into())).await?.into_iter().next())
    }

    /// Finds records without locking them, the oldest and not more than so many.
    pub async fn first_of<T: Kept>(&self, predicate: Predicate, most: u64) -> Result<Vec<T>, StoreError> {
        self.find_with(predicate, &format!(" LIMIT {most}")).await
    }

    async fn find_with<T: Kept>(&self, predicate: Predicate, rest: &str) -> Result<Vec<T>, StoreError> {
        let table = T::table();
        let mut sql = Sql::new(format!("SELECT {} FROM {} WHERE ", table.selection, table.name));
        predicate.write(&mut sql);
        sql.push(" ORDER BY id").push(rest);
        self.select(sql, T::take).await
    }

    /// Counts rows.
    pub async fn count(&self, table: &str, predicate: Predicate) -> Result<i64, StoreError> {
        let mut sql = Sql::new(format!("SELECT COUNT(*) FROM {table} WHERE "));
        predicate.write(&mut sql);
        Ok(self.select(sql, only::<i64>).await?.first().copied().unwrap_or(0))
    }

    /// The stages of a pipeline that opportunities are in, or go back to when their contract is cancelled.
    pub async fn stages_in_use(&self, pipeline: PipelineId) -> Result<Vec<StageId>, StoreError> {
        let text = "SELECT stage_id FROM opportunities WHERE pipeline_id = $1 \
                    UNION SELECT pending_stage_id FROM opportunities \
                    WHERE pipeline_id = $1 AND pending_stage_id IS NOT NULL \
                    UNION SELECT returns_to_stage_id FROM opportunities \
                    WHERE pipeline_id = $1 AND status = 'open' AND returns_to_stage_id IS NOT NULL";
        self.select(Sql::with(text, vec![pipeline.0.into()]), StageId::take).await
    }

    /// Locks the row of a user who is to own something, the root of all limits on what one user may own. Whoever
    /// was disabled after the snapshot was read is judged again, by a new one.
    pub async fn lock_user(&self, user: UserId) -> Result<(), StoreError> {
        let text = format!("SELECT status FROM users WHERE id = $1{}", self.lock());
        let status = self.first(&text, vec![user.0.into()], UserStatus::take).await?;
        if status == Some(UserStatus::Disabled) {
            let text = "SELECT epoch FROM organisation WHERE id = 1";
            if self.first(text, vec![], only::<i64>).await? != self.judged_by {
                return Err(StoreError::Stale);
            }
        }
        Ok(())
    }

    /// Holds on to words until the end: of two who hold the same word, one waits for the other. SQLite has one
    /// writer at a time anyway.
    pub async fn hold_words(&self, mut words: Vec<String>) -> Result<(), StoreError> {
        if self.backend() != DbBackend::Postgres {
            return Ok(());
        }
        words.sort_unstable();
        for word in words {
            let text = "SELECT pg_advisory_xact_lock(hashtextextended($1, 0))";
            self.execute(text, vec![word.into()]).await?;
        }
        Ok(())
    }

    /// Whose turn by an assignment rule was the last. Locks the rule's turns.
    pub async fn last_turn(&self, rule: AssignmentRuleId) -> Result<Option<UserId>, StoreError> {
        let text = "INSERT INTO assignment_turns (rule_id, last_user_id) VALUES ($1, NULL) \
                    ON CONFLICT (rule_id) DO UPDATE SET last_user_id = assignment_turns.last_user_id \
                    RETURNING last_user_id";
        let last = self.first(text, vec![rule.0.into()], only::<Option<Uuid>>).await?;
        Ok(last.flatten().map(UserId))
    }

    /// Notes whose turn it was.
    pub async fn note_turn(&self, rule: AssignmentRuleId, user: UserId) -> Result<(), StoreError> {
        let text = "UPDATE assignment_turns SET last_user_id = $2 WHERE rule_id = $1";
        self.execute(text, vec![rule.0.into(), user.0.into()]).await?;
        Ok(())
    }

    /// How many submissions a web form took since, and when the first of them came.
    pub async fn form_submissions(
        &self,
        form: LeadFormId,
        since: Timestamp,
    ) -> Result<(i64, Option<Timestamp>), StoreError> {
        let text = "SELECT COUNT(*), MIN(received_at) FROM lead_form_submissions \
                    WHERE form_id = $1 AND received_at > $2";
        let values = vec![form.0.into(), since.instant().into()];
        let found = self.first(text, values, |row| Ok((row.column()?, row.member()?))).await?;
        Ok(found.unwrap_or_default())
    }

    /// Notes that a web form took a submission.
    pub async fn note_form_submission(&self, form: LeadFormId) -> Result<(), StoreError> {
        let text = "INSERT INTO lead_form_submissions (id, form_id, received_at) VALUES ($1, $2, $3)";
        let id: Uuid = self.new_id();
        self.execute(text, vec![id.into(), form.0.into(), self.now().instant().into()]).await?;
        Ok(())
    }

    /// Forgets submissions of web forms that came before a moment, at most so many. Says how many there were.
    pub async fn forget_form_submissions(&self, before: Timestamp, most: u64) -> Result<u64, StoreError> {
        let text = format!(
            "DELETE FROM lead_form_submissions WHERE id IN \
             (SELECT id FROM lead_form_submissions WHERE received_at < $1 LIMIT {most})"
        );
        self.execute(&text, vec![before.instant().into()]).await
    }

    /// Notes by which rules leads were scored, where that changed nothing else.
    pub async fn note_score_basis(&self, leads: &[Uuid], basis: &str) -> Result<(), StoreError> {
        if leads.is_empty() {
            return Ok(());
        }
        let mut sql = Sql::new("UPDATE leads SET score_basis = ");
        sql.bind(basis.to_owned()).push(" WHERE id IN (").bind_list(leads.iter().copied()).push(")");
        let (text, values) = sql.into_parts();
        self.execute(&text, values).await?;
        Ok(())
    }

    /// Notes that no record names a file, or none yet.
    pub async fn discard_file(&self, file: Uuid) -> Result<(), StoreError> {
        let text = "INSERT INTO discarded_files (id, since) VALUES ($1, $2)";
        self.execute(text, vec![file.into(), self.now().instant().into()]).await?;
        Ok(())
    }

    /// A record names the file from now on, or it is not there any more. Says whether it was discarded.
    pub async fn forget_discarded(&self, file: Uuid) -> Result<bool, StoreError> {
        let text = "DELETE FROM discarded_files WHERE id = $1";
        Ok(self.execute(text, vec![file.into()]).await? > 0)
    }

    /// Takes the number of a tax invoice, or says that it is taken.
    pub async fn take_tax_number(&self, key: String) -> Result<(), StoreError> {
        let text = "INSERT INTO tax_invoice_numbers (tax_invoice_key) VALUES ($1)";
        self.execute(text, vec![key.into()]).await?;
        Ok(())
    }

    /// Writes a new record.
    pub async fn insert<T: Stored>(&mut self, record: &T, event: Event) -> Result<(), StoreError> {
        self.execute(&T::table().insert, stored::values(record)).await?;
        self.index(None, Some(record)).await?;
        self.note(event, None, Some(record))
    }

    /// Writes a changed record, if it is still what `before` was. An edit that changes nothing is not written: the
    /// record keeps its version, and nobody is told.
    pub async fn save<T: Stored>(
        &mut self,
        before: &T,
        after: &mut T,
        event: Event,
    ) -> Result<(), StoreError> {
        // By what the audit trail would say, so that there is a version for each of its events and none without.
        if event.is_edit() && audit::changes(Some(&json(before)?), Some(&json(after)?)).is_empty() {
            return Ok(());
        }
        after.touch(self.now);
        let mut values = stored::values(after);
        values.push(before.version().into());
        if self.execute(&T::table().update, values).await? == 0 {
            return Err(StoreError::Conflict);
        }
        self.index(Some(before), Some(&*after)).await?;
        self.note(event, Some(before), Some(after))
    }

    /// Removes a record; its last state stays in the audit trail.
    pub async fn delete<T: Stored>(&mut self, record: &T, event: Event) -> Result<(), StoreError> {
        let values = vec![record.id().into(), record.version().into()];
        if self.execute(&T::table().delete, values).await? == 0 {
            return Err(StoreError::Conflict);
        }
        self.index(Some(record), None).await?;
        self.note(event, Some(record), None)
    }

    fn note<T: Stored>(
        &mut self,
        event: Event,
        before: Option<&T>,
        after: Option<&T>,
    ) -> Result<(), StoreError> {
        let id = after.or(before).map(Record::id).unwrap_or_default();
        let (before, after) = (before.map(json).transpose()?, after.map(json).transpose()?);
        let changes = audit::changes(before.as_ref(), after.as_ref());
        self.note_changes(event, T::KIND, id, changes, after.or(before).unwrap_or_default());
        Ok(())
    }

    /// Notes an event about something that is not a record of its own, such as a password.
    pub fn note_changes(
        &mut self,
        event: Event,
        kind: RecordKind,
        record_id: Uuid,
        changes: serde_json::Map<String, serde_json::Value>,
        data: serde_json::Value,
    ) {
        self.changes_access |= matches!(
            kind,
            RecordKind::User
                | RecordKind::Team
                | RecordKind::Role
                | RecordKind::Settings
                | RecordKind::Pool
                | RecordKind::Collaborator
                | RecordKind::ScoringRule
                | RecordKind::AssignmentRule
                | RecordKind::ApprovalFlow
                | RecordKind::Delegation
        );
        let customers = if kind == RecordKind::Customer { vec![record_id] } else { customers_of(&data) };
        let id = (self.author.new_id)();
        self.entries.push(Entry { id, event, kind, record_id, customers, changes, data });
    }

    /// The next number of a series. The series' row stays locked, so none is skipped.
    pub async fn next_number(&self, kind: NumberKind, year: i32) -> Result<Number, StoreError> {
        let text = "INSERT INTO sequences (kind, year, value) VALUES ($1, $2, 1) \
                    ON CONFLICT (kind, year) DO UPDATE SET value = sequences.value + 1 RETURNING value";
        let values = vec![kind.as_str().into(), i64::from(year).into()];
        let value = self.first(text, values, only::<i64>).await?;
        let value = value.ok_or_else(|| StoreError::Corrupt("a number series without a value".to_owned()))?;
        Ok(Number::new(kind, year, value))
    }

    /// Claims an idempotency key. While another transaction holds it, this one waits for its answer.
    pub async fn claim(
        &mut self,
        user: UserId,
        key: &str,
        fingerprint: [u8; 32],
    ) -> Result<Claim, StoreError> {
        let now = self.now;
        let forgotten = now.plus(-KEY_LIFETIME);
        let text = "INSERT INTO idempotency_keys (user_id, key, fingerprint, answer, created_at) \
                    VALUES ($1, $2, $3, NULL, $4) ON CONFLICT (user_id, key) DO UPDATE \
                    SET fingerprint = excluded.fingerprint, answer = NULL, created_at = excluded.created_at \
                    WHERE idempotency_keys.created_at < $5";
        let values = vec![
            user.0.into(),
            key.into(),
            fingerprint.to_vec().into(),
            now.instant().into(),
            forgotten.instant().into(),
        ];
        let in_progress = || {
            let detail = "a request with this key is still running";
            StoreError::Refused(Refusal::new(Code::IdempotencyInProgress, detail).with("retry_after", 1))
        };
        match self.execute(text, values).await {
            Ok(0) => {}
            Ok(_) => {
                self.claimed = Some((user, key.to_owned()));
                return Ok(Claim::Fresh);
            }
            Err(StoreError::Locked(_)) => return Err(in_progress()),
            Err(other) => return Err(other),
        }
        let text = "SELECT fingerprint, answer FROM idempotency_keys WHERE user_id = $1 AND key = $2";
        let found = self
            .first(text, vec![user.0.into(), key.into()], |row| {
                Ok((row.column::<Vec<u8>>()?, row.column::<Option<String>>()?))
            })
            .await?;
        match found {
            Some((stored, _)) if stored != fingerprint => {
                let detail = "the key was used with another request";
                Err(StoreError::Refused(Refusal::new(Code::IdempotencyKeyReused, detail)))
            }
            Some((_, Some(answer))) => serde_json::from_str(&answer)
                .map(Claim::Answered)
                .map_err(|error| StoreError::Corrupt(error.to_string())),
            _ => Err(in_progress()),
        }
    }

    /// Forgets idempotency keys that are not remembered any more, at most so many. Says how many there were.
    pub async fn forget_idempotency_keys(&self, most: u64) -> Result<u64, StoreError> {
        let text = format!(
            "DELETE FROM idempotency_keys WHERE (user_id, key) IN (SELECT user_id, key FROM idempotency_keys \
             WHERE created_at < $1 ORDER BY created_at LIMIT {most})"
        );
        self.execute(&text, vec![self.now.plus(-KEY_LIFETIME).instant().into()]).await
    }

    /// Ends the work; `answer` is kept under the claimed idempotency key.
    pub async fn commit(mut self, answer: Option<&serde_json::Value>) -> Result<(), StoreError> {
        if self.changes_access {
            self.execute("UPDATE organisation SET epoch = epoch + 1 WHERE id = 1", vec![]).await?;
        }
        if let (Some((user, key)), Some(answer)) = (self.claimed.take(), answer) {
            let text = "UPDATE idempotency_keys SET answer = $3 WHERE user_id = $1 AND key = $2";
            self.execute(text, vec![user.0.into(), key.into(), answer.to_string().into()]).await?;
        }
        let entries = std::mem::take(&mut self.entries);
        // Last, because whoever holds the end of the chain holds up every other writer.
        chain::append(&self, &self.author, entries, self.lock()).await?;
        answered(self.transaction.commit()).await
    }

    /// Marks how far the work has come. Marks are not nested.
    pub async fn mark(&mut self) -> Result<Mark, StoreError> {
        self.transaction.execute_unprepared("SAVEPOINT mark").await?;
        Ok(Mark { entries: self.entries.len(), changes_access: self.changes_access })
    }

    /// Takes back everything since a mark.
    pub async fn back_to(&mut self, mark: Mark) -> Result<(), StoreError> {
        self.transaction.execute_unprepared("ROLLBACK TO SAVEPOINT mark").await?;
        self.entries.truncate(mark.entries);
        self.changes_access = mark.changes_access;
        self.forget(mark).await
    }

    /// Keeps everything since a mark.
    pub async fn forget(&mut self, _mark: Mark) -> Result<(), StoreError> {
        self.transaction.execute_unprepared("RELEASE SAVEPOINT mark").await?;
        Ok(())
    }

    /// Gives the work up.
    pub async fn roll_back(self) -> Result<(), StoreError> {
        answered(self.transaction.rollback()).await
    }
}

/// The customers that a record names.
fn customers_of(data: &serde_json::Value) -> Vec<Uuid> {
    let one = data.get("customer_id").into_iter();
    let many = data.get("customer_ids").and_then(serde_json::Value::as_array).into_iter().flatten();
    one.chain(many).filter_map(|id| id.as_str()?.parse().ok()).collect()
}

fn json<T: Serialize>(record: &T) -> Result<serde_json::Value, StoreError> {
    serde_json::to_value(record).map_err(|error| StoreError::Corrupt(error.to_string()))
}
