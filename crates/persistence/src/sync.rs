//! Delta sync: where records stood at an event of the audit trail, and what is different for somebody since.
//!
//! A client's copy is as of one event, its *point*. What it has to add or replace is what can be seen now and had an
//! event since; what it has to forget is what could be seen then and cannot be seen now. The second question is about
//! the past: [`note`] keeps a row for each stretch of events over which a record stood in one place.
//!
//! The point is taken before the pages of an answer are read, and each page is of its own moment. So a copy may have
//! what came into sight behind its point, and lack what was away just then. What it *may* have is what could be seen
//! at any time from its point to the last event of its pages, and is forgotten; what it has *surely* is what could be
//! seen all that time, and need not be told.

use std::ops::RangeInclusive;

use fairlead_domain::record::RecordKind;
use sea_orm::{DbBackend, Value};
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
const KINDS: [RecordKind; 7] = [
    RecordKind::Lead,
    RecordKind::Customer,
    RecordKind::Contact,
    RecordKind::Opportunity,
    RecordKind::Contract,
    RecordKind::Invoice,
    RecordKind::Payment,
];

/// The members by which it is decided who may see a record.
const PLACES: [&str; 3] = ["owner_id", "pool_id", "customer_id"];

/// Records of one kind, as far as somebody may see them.
#[derive(Debug)]
pub struct Watched {
    /// Their kind.
    pub kind: RecordKind,
    /// Their table.
    pub table: &'static str,
    /// Which of them can be seen now; of those that go with their customer, which customers.
    pub visible: Predicate,
    /// The same as a condition on `standings`: their own, or those of their customer.
    pub stood: Stood,
}

impl Watched {
    /// The condition that a row of a table can be seen now. Of those that go with their customer the customer is asked
    /// for by row: of what `IN` names SQLite makes a list first, of all customers there are for a single row.
    fn can_be_seen(&self, sql: &mut Sql, table: &str) {
        match self.stood {
            Stood::Itself(_) => self.visible.write(sql),
            Stood::Customer(_) => {
                let same = format!("customers.id = {table}.customer_id");
                sql.push(&format!("EXISTS (SELECT 1 FROM customers WHERE {same} AND "));
                self.visible.write(sql);
                sql.push(")");
            }
        }
    }

    /// The same where few customers can be seen, which are listed first.
    fn are_of_few_customers(&self, sql: &mut Sql) {
        sql.push("customer_id IN (SELECT id FROM customers WHERE ");
        self.visible.write(sql);
        sql.push(")");
    }
}

/// By which standing it is decided who could see a record.
#[derive(Debug)]
pub enum Stood {
    /// By its own.
    Itself(Predicate),
    /// By its customer's.
    Customer(Predicate),
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

/// Whoever sees fewer customers than these is told what goes with them by looking at each.
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
    let [owner, pool, customer] = PLACES.map(|place| id(&entry.data, place));
    let customer = if entry.kind == RecordKind::Customer { Some(entry.record_id) } else { customer };
    let text = "INSERT INTO standings (record_kind, record_id, owner_id, pool_id, customer_id, since) \
                VALUES ($1, $2, $3, $4, $5, $6)";
    let values: Vec<Value> = vec![
        entry.kind.as_str().into(),
        entry.record_id.into(),
        owner.into(),
        pool.into(),
        customer.into(),
        sequence.into(),
    ];
    work.execute(text, values).await?;
    Ok(())
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
        let few = window.is_none() && self.sees_few_customers(watched).await?;
        self.rows(
            |sql| {
                let table = T::table();
                sql.push(&table.selection).push(" FROM ").push(table.name).push(" WHERE ");
                if few {
                    watched.are_of_few_customers(sql);
                } else {
                    watched.can_be_seen(sql, table.name);
                }
                if let Some(window) = window {
                    sql.push(" AND id IN (SELECT record_id FROM audit_events WHERE ");
                    within(sql, "sequence", window);
                    sql.push(" AND record_kind = ").bind(watched.kind.as_str());
                    if let Stood::Customer(stood) = &watched.stood {
                        came_with_their_customer(sql, table.name, stood, window);
                    }
                    sql.push(")");
                }
                if matches!(watched.stood, Stood::Customer(_)) {
                    sql.plan_each_time();
                }
                after(sql, "id", part);
                first(sql, "id", part);
                Ok(())
            },
            T::take,
        )
        .await
    }

    /// Whether SQLite had better begin with the customers that can be seen than go through what there is in its order,
    /// as pages of a copy do otherwise. PostgreSQL knows by itself.
    async fn sees_few_customers(&self, watched: &Watched) -> Result<bool, StoreError> {
        if self.backend() != DbBackend::Sqlite || matches!(watched.stood, Stood::Itself(_)) {
            return Ok(false);
        }
        let count = |sql: &mut Sql| {
            sql.push("COUNT(*) FROM (SELECT 1 FROM customers WHERE ");
            watched.visible.write(sql);
            sql.push(&format!(" LIMIT {FEW}) AS seen"));
            Ok(())
        };
        let seen = self.number(count).await?;
        Ok(u64::try_from(seen).unwrap_or(0) < FEW)
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
                sql.push("record_id FROM ");
                match &watched.stood {
                    Stood::Itself(stood) => {
                        sql.push("standings AS own WHERE record_kind = ").bind(watched.kind.as_str());
                        sql.push(" AND ");
                        within(sql, "until", window);
                        sql.push(" AND ");
                        stood.write(sql);
                    }
                    Stood::Customer(stood) => {
                        went_or_their_customer(sql, watched.kind, window);
                        sql.push(" WHERE ");
                        while_their_customer_was_seen(sql, stood, window);
                        sql.plan_each_time();
                    }
                }
                sql.push(" AND ");
                at_some_time(sql, window);
                let table = watched.table;
                sql.push(&format!(
                    " AND NOT EXISTS (SELECT 1 FROM {table} WHERE {table}.id = own.record_id AND "
                ));
                watched.can_be_seen(sql, table);
                sql.push(")");
                // It may have stood in several places.
                after(sql, "record_id", part);
                sql.push(" GROUP BY record_id");
                first(sql, "record_id", part);
                Ok(())
            },
            only,
        )
        .await
    }

    /// The events of which can be told for each of these records: all where it can be seen now, and otherwise those
    /// from where it came into sight to the one that took it away, each time, however late that is heard. What goes
    /// with its customer can be told of as long as the customer can be seen, even that it is gone.
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
                watched.can_be_seen(sql, table);
                sql.push(" UNION SELECT record_id, since, until FROM standings WHERE until IS NOT NULL AND record_id IN (");
                sql.bind_list(records.iter().copied()).push(") AND ");
                sql.push("record_kind = ").bind(watched.kind.as_str()).push(" AND ");
                match &watched.stood {
                    Stood::Itself(stood) => stood.write(sql),
                    Stood::Customer(_) => watched.can_be_seen(sql, "standings"),
                }
                Ok(())
            },
            |row| Ok((row.column()?, row.column()?..=row.column()?)),
        )
        .await
    }
}

/// More of what changed: what came into sight with its customer, and had no event of its own. It is looked for from the
/// customers that moved, for `OR` would have everything looked at.
fn came_with_their_customer(sql: &mut Sql, table: &str, stood: &Predicate, window: Window) {
    sql.push(&format!(" UNION ALL SELECT {table}.id FROM standings AS moved "));
    sql.push(&format!("JOIN {table} ON {table}.customer_id = moved.record_id "));
    sql.push("WHERE moved.record_kind = 'customer' AND ");
    within(sql, "moved.since", window);
    sql.push(" AND NOT EXISTS (SELECT 1 FROM standings AS theirs WHERE theirs.record_kind = 'customer' ");
    sql.push("AND theirs.record_id = moved.record_id AND ");
    all_the_time(sql, window);
    sql.push(" AND ");
    stood.write(sql);
    sql.push(")");
}

/// The standings that ended themselves, or one of whose customer did.
fn went_or_their_customer(sql: &mut Sql, kind: RecordKind, window: Window) {
    sql.push("(SELECT record_id, customer_id, since, until FROM standings WHERE record_kind = ");
    sql.bind(kind.as_str()).push(" AND ");
    within(sql, "until", window);
    sql.push(" UNION ALL SELECT own.record_id, own.customer_id, own.since, own.until ");
    sql.push("FROM standings AS moved JOIN standings AS own ON own.customer_id = moved.record_id ");
    sql.push("WHERE moved.record_kind = 'customer' AND ");
    within(sql, "moved.until", window);
    sql.push(" AND own.record_kind = ").bind(kind.as_str()).push(") AS own");
}

/// Both at the same time: what came to a customer that was out of sight was never told.
fn while_their_customer_was_seen(sql: &mut Sql, stood: &Predicate, window: Window) {
    sql.push("EXISTS (SELECT 1 FROM standings AS theirs WHERE theirs.record_kind = 'customer'");
    sql.push(" AND theirs.record_id = own.customer_id");
    sql.push(" AND (theirs.until IS NULL OR theirs.until > own.since)");
    sql.push(" AND (own.until IS NULL OR own.until > theirs.since) AND ");
    at_some_time(sql, window);
    sql.push(" AND ");
    stood.write(sql);
    sql.push(")");
}

/// The column has an event of the window.
fn within(sql: &mut Sql, column: &str, window: Window) {
    sql.push(&format!("{column} > ")).bind(window.after);
    sql.push(&format!(" AND {column} <= ")).bind(window.to);
}

/// The standing was the present one at some time while the copy was made.
fn at_some_time(sql: &mut Sql, window: Window) {
    sql.push("since <= ").bind(window.read).push(" AND (until IS NULL OR until > ");
    sql.bind(window.after).push(")");
}

/// The standing was the present one all the time while the copy was made.
fn all_the_time(sql: &mut Sql, window: Window) {
    sql.push("since <= ").bind(window.after).push(" AND (until IS NULL OR until > ");
    sql.bind(window.read).push(")");
}

fn after(sql: &mut Sql, column: &str, part: Part) {
    sql.push(&format!(" AND {column} > ")).bind(part.behind.unwrap_or(Uuid::nil()));
}

fn first(sql: &mut Sql, column: &str, part: Part) {
    sql.push(&format!(" ORDER BY {column} LIMIT {}", part.most));
}
