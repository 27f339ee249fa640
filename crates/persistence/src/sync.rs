//! Delta sync: where records stood at an event of the audit trail, and what is different for somebody since.
//!
//! A client's copy is as of one event, its *point*. What it has to add or replace is what can be seen now and had an
//! event since; what it has to forget is what could be seen then and cannot be seen now. The second question is about
//! the past: [`note`] keeps a row for each stretch of events over which a record stood in one place.
//!
//! Some records are seen with others: a contact with its customer, an activity with the customer or the lead whose it is
//! and with the opportunity or the contract that it is about. Their standings name these, and what the others' standings
//! say decides about them: they go out of sight and come into it without an event of their own.
//!
//! The point is taken before the pages of an answer are read, and each page is of its own moment. So a copy may have
//! what came into sight behind its point, and lack what was away just then. What it *may* have is what could be seen
//! at any time from its point to the last event of its pages, and is forgotten; what it has *surely* is what could be
//! seen all that time, and need not be told.

use std::ops::RangeInclusive;

use fairlead_domain::activity::Subject;
use fairlead_domain::approval::Approval;
use fairlead_domain::record::RecordKind;
use sea_orm::{DbBackend, Value};
use serde::Deserialize;
use serde_json::{Map, Value as Json};
use uuid::Uuid;

use crate::chain::Entry;
use crate::error::StoreError;
use crate::member::{Row, only};
use crate::query::cursor;
use crate::query::predicate::Predicate;
use crate::reader::Reader;
use crate::sql::Sql;
use crate::store::Store;
use crate::stored::Kept;
use crate::work::Work;

/// The kinds of records of which it is kept where they stood.
const KINDS: [RecordKind; 10] = [
    RecordKind::Lead,
    RecordKind::Customer,
    RecordKind::Contact,
    RecordKind::Activity,
    RecordKind::Opportunity,
    RecordKind::Contract,
    RecordKind::Invoice,
    RecordKind::Payment,
    RecordKind::Approval,
    RecordKind::Transfer,
];

/// The members by which it is decided who may see a record.
const PLACES: [&str; 6] = ["owner_id", "pool_id", "customer_id", "lead_id", "waiting_for", "steps"];

/// Records of one kind, as far as somebody may see them.
#[derive(Debug)]
pub struct Watched {
    /// Their kind.
    pub kind: RecordKind,
    /// Their table.
    pub table: &'static str,
    /// Which rows of it can be seen now, for whoever is told of all of them; those that are seen with others by way of
    /// these.
    pub visible: Predicate,
    /// The columns in which standings name with what such a record is seen; none where it is seen by itself.
    pub with: &'static [&'static str],
    /// The same as `visible` of standings: their own, or those of all that they name.
    pub stood: Predicate,
}

impl Watched {
    /// The condition that the record with this id can be seen now, by where it stands. What it is seen with is asked
    /// for by row: of what `IN` names SQLite makes a list first, of all customers there are for a single row.
    fn is_seen(&self, sql: &mut Sql, id: &str) {
        sql.push("EXISTS (SELECT 1 FROM standings AS here ");
        sql.push(&format!("WHERE here.record_id = {id} AND here.until IS NULL"));
        self.stands_in_sight(sql, "here");
        sql.push(")");
    }

    /// More of a condition on a standing: who stands there can be seen, or whatever it names can be seen now.
    fn stands_in_sight(&self, sql: &mut Sql, standing: &str) {
        if self.with.is_empty() {
            sql.push(" AND ");
            self.stood.write(sql);
        }
        for column in self.with {
            sql.push(" AND EXISTS (SELECT 1 FROM standings AS theirs WHERE ");
            sql.push(&format!("theirs.record_id = {standing}.{column} AND theirs.until IS NULL AND "));
            self.stood.write(sql);
            sql.push(")");
        }
    }
}

/// The events after one and up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// The point of the client's copy.
    pub after: i64,
    /// The last event when the copy's last page had been read; it is not before the point.
    pub read: i64,
    /// The point that it is to have.
    pub to: i64,
}

/// Part of an answer: records behind one in the order of their ids, and not more than so many.
#[derive(Debug, Clone, Copy)]
pub struct Part {
    /// The last one that was told.
    pub behind: Option<Uuid>,
    /// How many at most.
    pub most: u64,
}

/// Whoever sees fewer customers, or leads, than these is told what is seen with them by looking at each.
const FEW: u64 = 1000;

/// What the points of clients are signed for.
const POINT: &str = "sync point";

/// Keeps where an event leaves its record.
pub(crate) async fn note(work: &Work, entry: &Entry, sequence: i64) -> Result<(), StoreError> {
    let changes = &entry.changes;
    if !KINDS.contains(&entry.kind) || !PLACES.iter().chain(&["id"]).any(|it| changes.contains_key(*it)) {
        return Ok(());
    }
    let text = "UPDATE standings SET until = $2 WHERE record_id = $1 AND until IS NULL";
    work.execute(text, vec![entry.record_id.into(), sequence.into()]).await?;
    if is_gone(changes) {
        return Ok(());
    }
    let of = |place| id(&entry.data, place);
    let customer = if entry.kind == RecordKind::Customer { Some(entry.record_id) } else { of("customer_id") };
    let (with, about) = seen_with(entry.kind, &entry.data);
    let concerns = Concerns::of(entry)?;
    let text = "INSERT INTO standings \
                (record_kind, record_id, owner_id, pool_id, customer_id, with_id, about_id, \
                 subject_kind, waiting_for, persons, since) \
                VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
    let values: Vec<Value> = vec![
        entry.kind.as_str().into(),
        entry.record_id.into(),
        of("owner_id").into(),
        of("pool_id").into(),
        customer.into(),
        with.into(),
        about.into(),
        concerns.subject_kind.into(),
        concerns.waiting_for.into(),
        concerns.persons.into(),
        sequence.into(),
    ];
    work.execute(text, values).await?;
    Ok(())
}

/// The records with which a record is seen: the customer or the lead whose it is, and what it is about, which is the
/// same again where that has no readers of its own.
fn seen_with(kind: RecordKind, data: &Json) -> (Option<Uuid>, Option<Uuid>) {
    let with = id(data, "customer_id").or_else(|| id(data, "lead_id"));
    match kind {
        RecordKind::Contact => (with, None),
        RecordKind::Activity => {
            let about = data.get("about").and_then(|about| Subject::deserialize(about).ok());
            let about = about.filter(|about| about.kind.has_own_readers()).map(|about| about.id);
            (with, about.or(with))
        }
        _ => (None, None),
    }
}

/// Whom a record concerns, whosesoever it is.
#[derive(Default)]
struct Concerns {
    /// What a request for approval is about.
    subject_kind: Option<String>,
    /// For whom it waits.
    waiting_for: Option<String>,
    /// Who sees it for what they have to do with it: those who decided a request; the receiver of a transfer, and
    /// whoever asked for it.
    persons: Option<String>,
}

impl Concerns {
    fn of(entry: &Entry) -> Result<Self, StoreError> {
        match entry.kind {
            RecordKind::Approval => {
                let request = Approval::deserialize(&entry.data);
                let request = request.map_err(|error| StoreError::Corrupt(error.to_string()))?;
                Ok(Self {
                    subject_kind: Some(request.subject_kind.to_string()),
                    waiting_for: request.waiting_for.as_ref().map(ToString::to_string),
                    persons: Some(named(request.those_who_decided())),
                })
            }
            RecordKind::Transfer => {
                let persons = ["to_user_id", "created_by"].into_iter();
                let persons = named(persons.filter_map(|member| id(&entry.data, member)));
                Ok(Self { persons: Some(persons), ..Self::default() })
            }
            _ => Ok(Self::default()),
        }
    }
}

fn named(persons: impl Iterator<Item = impl ToString>) -> String {
    persons.map(|person| person.to_string()).collect::<Vec<_>>().join(" ")
}

/// Whether an event is the end of its record.
fn is_gone(changes: &Map<String, Json>) -> bool {
    changes.get("id").is_some_and(|id| id.get("after").is_none_or(Json::is_null))
}

fn id(data: &Json, member: &str) -> Option<Uuid> {
    data.get(member)?.as_str()?.parse().ok()
}

impl Store {
    /// The last event.
    pub async fn last_event(&self) -> Result<i64, StoreError> {
        let row = self.reader.one(Sql::new("SELECT sequence FROM audit_head")).await?;
        row.map_or(Ok(0), |row| Row::new(&row).column())
    }

    /// What a client was given by [`Reader::sign_point`]; nothing where it is of somebody else's making.
    pub fn verify_point(&self, text: &str) -> Option<Vec<u8>> {
        cursor::verify(&self.cursor_key, POINT, text)
    }
}

impl Reader<'_> {
    /// The last event.
    pub async fn last_event(&self) -> Result<i64, StoreError> {
        let last = |sql: &mut Sql| {
            sql.push("sequence FROM audit_head");
            Ok(())
        };
        self.number(last).await
    }

    /// Where a client's copy is, so that the client can give it back and not make it up: with events of their choice,
    /// what is removed would tell of records that they never saw.
    pub fn sign_point(&self, point: &[u8]) -> String {
        cursor::sign(&self.store.cursor_key, POINT, point)
    }

    /// What can be seen now: all of it, or what is new or changed since a point.
    pub async fn changed<T: Kept>(
        &self,
        watched: &Watched,
        window: Option<Window>,
        part: Part,
    ) -> Result<Vec<T>, StoreError> {
        let few = window.is_none() && self.sees_few_others(watched).await?;
        self.rows(
            |sql| {
                let table = T::table();
                sql.push(&table.selection).push(" FROM ").push(table.name).push(" WHERE ");
                match window {
                    None if few => watched.visible.write(sql),
                    None => watched.visible.each().write(sql),
                    Some(window) => {
                        watched.is_seen(sql, &format!("{}.id", table.name));
                        sql.push(" AND id IN (SELECT record_id FROM audit_events WHERE ");
                        within(sql, "sequence", window);
                        sql.push(" AND record_kind = ").bind(watched.kind.as_str());
                        came_with_others(sql, watched, window);
                        sql.push(")");
                    }
                }
                sql.plan_each_time();
                after(sql, "id", part);
                first(sql, "id", part);
                Ok(())
            },
            T::take,
        )
        .await
    }

    /// Whether SQLite had better begin with the others that can be seen, such as customers, than go through what there
    /// is in its order, as pages of a copy do otherwise. PostgreSQL knows by itself.
    async fn sees_few_others(&self, watched: &Watched) -> Result<bool, StoreError> {
        if self.backend() != DbBackend::Sqlite {
            return Ok(false);
        }
        for (table, which) in watched.visible.listed() {
            let count = |sql: &mut Sql| {
                sql.push(&format!("COUNT(*) FROM (SELECT 1 FROM {table} WHERE "));
                which.write(sql);
                sql.push(&format!(" LIMIT {FEW}) AS seen"));
                Ok(())
            };
            let seen = self.number(count).await?;
            if u64::try_from(seen).unwrap_or(0) >= FEW {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// What could be seen at a point, or while the pages of the copy were read, and cannot be seen now.
    pub async fn removed(
        &self,
        watched: &Watched,
        window: Window,
        part: Part,
    ) -> Result<Vec<Uuid>, StoreError> {
        self.rows(
            |sql| {
                sql.push("own.record_id FROM ");
                if watched.with.is_empty() {
                    sql.push("standings AS own WHERE record_kind = ").bind(watched.kind.as_str());
                    sql.push(" AND ");
                    within(sql, "until", window);
                    sql.push(" AND ");
                    watched.stood.write(sql);
                } else {
                    went_or_others_did(sql, watched, window);
                    while_others_were_seen(sql, watched, Some(window));
                }
                sql.plan_each_time().push(" AND ");
                at_some_time(sql, "own", window);
                sql.push(" AND NOT ");
                watched.is_seen(sql, "own.record_id");
                // It may have stood in several places.
                after(sql, "own.record_id", part);
                sql.push(" GROUP BY own.record_id");
                first(sql, "own.record_id", part);
                Ok(())
            },
            only,
        )
        .await
    }

    /// The events of which can be told for each of these records: all where it can be seen now, and otherwise those
    /// from where it came into sight to the one that took it away, each time, however late that is heard: also where
    /// others with which it is seen went out of sight and it did not move.
    pub async fn told_during(
        &self,
        watched: &Watched,
        records: &[Uuid],
    ) -> Result<Vec<(Uuid, RangeInclusive<i64>)>, StoreError> {
        if records.is_empty() {
            return Ok(Vec::new());
        }
        // The guard's columns would ride on one half of the union only.
        self.settle().await?;
        let table = watched.table;
        self.rows(
            |sql| {
                sql.push(&format!("id, CAST(0 AS BIGINT), CAST({} AS BIGINT) FROM {table}", i64::MAX));
                sql.push(" WHERE id IN (");
                sql.bind_list(records.iter().copied()).push(") AND ");
                watched.is_seen(sql, &format!("{table}.id"));
                sql.push(" UNION SELECT own.record_id, ");
                during(sql, watched, self.backend());
                sql.push(" FROM standings AS own");
                if watched.with.is_empty() {
                    sql.push(" WHERE own.until IS NOT NULL AND ");
                    watched.stood.write(sql);
                } else {
                    while_others_were_seen(sql, watched, None);
                }
                sql.push(" AND own.record_id IN (").bind_list(records.iter().copied());
                sql.push(") AND own.record_kind = ").bind(watched.kind.as_str());
                Ok(())
            },
            |row| Ok((row.column()?, row.column()?..=row.column()?)),
        )
        .await
    }
}

/// More of what changed: what came into sight with others, and had no event of its own. It is looked for from the
/// others that moved, for `OR` would have everything looked at.
fn came_with_others(sql: &mut Sql, watched: &Watched, window: Window) {
    for column in watched.with {
        sql.push(" UNION ALL SELECT own.record_id FROM standings AS moved ");
        sql.push(&format!("JOIN standings AS own ON own.{column} = moved.record_id "));
        sql.push("WHERE own.record_kind = ").bind(watched.kind.as_str()).push(" AND own.until IS NULL AND ");
        within(sql, "moved.since", window);
        sql.push(" AND NOT EXISTS (SELECT 1 FROM standings AS theirs ");
        sql.push("WHERE theirs.record_id = moved.record_id AND ");
        all_the_time(sql, window);
        sql.push(" AND ");
        watched.stood.write(sql);
        sql.push(")");
    }
}

/// The standings that ended themselves, or one of the others that they name did.
fn went_or_others_did(sql: &mut Sql, watched: &Watched, window: Window) {
    sql.push("(SELECT record_id, with_id, about_id, since, until FROM standings WHERE record_kind = ");
    sql.bind(watched.kind.as_str()).push(" AND ");
    within(sql, "until", window);
    for column in watched.with {
        sql.push(" UNION ALL SELECT own.record_id, own.with_id, own.about_id, own.since, own.until ");
        sql.push("FROM standings AS moved ");
        sql.push(&format!("JOIN standings AS own ON own.{column} = moved.record_id WHERE "));
        within(sql, "moved.until", window);
        sql.push(" AND own.record_kind = ").bind(watched.kind.as_str());
    }
    sql.push(") AS own");
}

/// All at the same time: what came to a customer that was out of sight was never told. Stretches of which any two have
/// a time in common have one all together. Each is looked up for the standing that is there already: SQLite keeps to
/// the order of a `CROSS JOIN`.
fn while_others_were_seen(sql: &mut Sql, watched: &Watched, window: Option<Window>) {
    for column in watched.with {
        sql.push(" CROSS JOIN (SELECT record_id, since, until FROM standings WHERE ");
        if let Some(window) = window {
            at_some_time(sql, "standings", window);
            sql.push(" AND ");
        }
        watched.stood.write(sql);
        sql.push(&format!(") AS of_{column}"));
    }
    let mut before = vec!["own".to_owned()];
    for column in watched.with {
        let other = format!("of_{column}");
        sql.push(if before.len() == 1 { " WHERE " } else { " AND " });
        sql.push(&format!("{other}.record_id = own.{column}"));
        for one in &before {
            sql.push(&format!(" AND ({other}.until IS NULL OR {other}.until > {one}.since)"));
            sql.push(&format!(" AND ({one}.until IS NULL OR {one}.until > {other}.since)"));
        }
        before.push(other);
    }
}

/// The first and the last event of what a standing, and those of all others that it names, have in common.
fn during(sql: &mut Sql, watched: &Watched, backend: DbBackend) {
    let all = ["own".to_owned()].into_iter().chain(watched.with.iter().map(|column| format!("of_{column}")));
    let all: Vec<String> = all.collect();
    let since: Vec<String> = all.iter().map(|one| format!("{one}.since")).collect();
    let until: Vec<String> = all.iter().map(|one| format!("COALESCE({one}.until, {})", i64::MAX)).collect();
    let (greatest, least) = match backend {
        // With one argument they would be of all rows.
        _ if watched.with.is_empty() => ("", ""),
        DbBackend::Sqlite => ("MAX", "MIN"),
        _ => ("GREATEST", "LEAST"),
    };
    sql.push(&format!("{greatest}({}), {least}({})", since.join(", "), until.join(", ")));
}

/// The column has an event of the window.
fn within(sql: &mut Sql, column: &str, window: Window) {
    sql.push(&format!("{column} > ")).bind(window.after);
    sql.push(&format!(" AND {column} <= ")).bind(window.to);
}

/// The standing was the present one at some time while the copy was made.
fn at_some_time(sql: &mut Sql, standing: &str, window: Window) {
    sql.push(&format!("{standing}.since <= ")).bind(window.read);
    sql.push(&format!(" AND ({standing}.until IS NULL OR {standing}.until > ")).bind(window.after).push(")");
}

/// The standing was the present one all the time while the copy was made.
fn all_the_time(sql: &mut Sql, window: Window) {
    sql.push("since <= ").bind(window.after).push(" AND (until IS NULL OR until > ");
    sql.bind(window.read).push(")");
}

fn after(sql: &mut Sql, column: &str, part: Part) {
    sql.push(&format!(" AND {column} > ")).bind(part.behind.unwrap_or_default());
}

fn first(sql: &mut Sql, column: &str, part: Part) {
    sql.push(&format!(" ORDER BY {column} LIMIT {}", part.most));
}
