//! Reads: straight from the table to the record, without a transaction.

use std::cell::Cell;
use std::time::Instant;

use fairlead_domain::values::{SessionId, Timestamp};
use sea_orm::{DbBackend, QueryResult};
use uuid::Uuid;

use crate::error::StoreError;
use crate::member::{Row, only};
use crate::ownership::Owner;
use crate::query::list::{self, Slice, Visible};
use crate::query::listing::ListRequest;
use crate::query::predicate::Predicate;
use crate::sql::Sql;
use crate::store::Store;
use crate::stored::Kept;

/// What a request was judged by and what must still be so when it reads.
#[derive(Debug, Clone, Copy)]
pub struct Guard {
    /// The organisation's epoch.
    pub epoch: i64,
    /// The caller's session.
    pub session: Option<SessionId>,
}

/// How many columns the guard takes before the others.
const GUARD_COLUMNS: usize = 2;

impl Guard {
    /// The guard's facts as columns. They ride on a statement that is needed anyway: a disabled user or a
    /// changed role is noticed by the very next request, and costs no round trip.
    pub(crate) fn select(&self) -> Sql {
        let mut sql = Sql::new("SELECT (SELECT epoch FROM organisation WHERE id = 1), ");
        match self.session {
            Some(session) => sql
                .push("EXISTS (SELECT 1 FROM sessions WHERE ended_at IS NULL AND id = ")
                .bind(session.0)
                .push(")"),
            None => sql.push("TRUE"),
        };
        sql
    }

    pub(crate) fn check(&self, row: &QueryResult) -> Result<(), StoreError> {
        let mut row = Row::new(row);
        let (epoch, lives): (i64, bool) = (row.column()?, row.column()?);
        if !lives {
            Err(StoreError::SessionEnded)
        } else if epoch == self.epoch {
            Ok(())
        } else {
            Err(StoreError::Stale)
        }
    }
}

/// Reads on behalf of one request. The first statement carries the guard.
#[derive(Debug)]
pub struct Reader<'a> {
    pub(crate) store: &'a Store,
    guard: Guard,
    pub(crate) caller: Option<Owner>,
    checked: Cell<bool>,
    /// When it began.
    pub(crate) begun: Instant,
}

impl Store {
    /// Begins to read.
    pub fn read(&self, guard: Guard) -> Reader<'_> {
        Reader { store: self, guard, caller: None, checked: Cell::new(false), begun: Instant::now() }
    }
}

impl Reader<'_> {
    /// Says who asks: they may be about to claim what they read.
    #[must_use]
    pub fn asked_by(self, caller: Option<Owner>) -> Self {
        Self { caller, ..self }
    }

    /// Runs the rest of a `SELECT`; `each` reads a row.
    pub async fn rows<T>(
        &self,
        rest: impl FnOnce(&mut Sql) -> Result<(), StoreError>,
        each: impl Fn(&mut Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let (mut sql, skipped) = self.begin();
        rest(&mut sql)?;
        let results = self.store.reader.all(sql).await?;
        self.check(results.first()).await?;
        results.iter().map(|result| each(&mut Row::after(result, skipped))).collect()
    }

    /// A `SELECT` up to where the rest follows, and how many of its columns are not the rest's.
    fn begin(&self) -> (Sql, usize) {
        if self.checked.get() {
            return (Sql::new("SELECT "), 0);
        }
        let mut sql = self.guard.select();
        sql.push(", ");
        (sql, GUARD_COLUMNS)
    }

    /// Checks the guard that rode on the first statement, or asks for it when no row carried it.
    async fn check(&self, first: Option<&QueryResult>) -> Result<(), StoreError> {
        if !self.checked.get() {
            match first {
                Some(first) => self.guard.check(first)?,
                None => self.ask_guard().await?,
            }
            self.checked.set(true);
        }
        Ok(())
    }

    async fn ask_guard(&self) -> Result<(), StoreError> {
        let row = self.store.reader.one(self.guard.select()).await?;
        self.guard.check(&row.ok_or_else(|| StoreError::Corrupt("no organisation".to_owned()))?)
    }

    pub(crate) fn backend(&self) -> DbBackend {
        self.store.backend()
    }

    /// Makes sure that the guard was checked, for requests that read nothing else.
    pub async fn settle(&self) -> Result<(), StoreError> {
        if !self.checked.get() {
            self.ask_guard().await?;
            self.checked.set(true);
        }
        Ok(())
    }

    /// Runs the rest of a `SELECT` that finds one row at most.
    pub(crate) async fn row<T>(
        &self,
        rest: impl FnOnce(&mut Sql),
        each: impl Fn(&mut Row) -> Result<T, StoreError>,
    ) -> Result<Option<T>, StoreError> {
        let (mut sql, skipped) = self.begin();
        rest(&mut sql);
        let result = self.store.reader.one(sql).await?;
        self.check(result.as_ref()).await?;
        result.map(|result| each(&mut Row::after(&result, skipped))).transpose()
    }

    /// One record.
    pub async fn one<T: Kept>(&self, id: impl Into<Uuid>) -> Result<Option<T>, StoreError> {
        Ok(self.tied::<T, ()>(id).await?.map(|(record, ())| record))
    }

    /// All records for which a condition holds, in the order of their ids.
    pub async fn all<T: Kept>(&self, predicate: Predicate) -> Result<Vec<T>, StoreError> {
        self.rows(
            |sql| {
                let table = T::table();
                sql.push(&table.selection).push(" FROM ").push(table.name).push(" WHERE ");
                predicate.write(sql);
                sql.push(" ORDER BY id");
                Ok(())
            },
            T::take,
        )
        .await
    }

    /// Files that no record has named since before a moment, the oldest first.
    pub async fn discarded_files(&self, before: Timestamp, most: u64) -> Result<Vec<Uuid>, StoreError> {
        self.rows(
            |sql| {
                sql.push("id FROM discarded_files WHERE since < ").bind(before.instant());
                sql.push(&format!(" ORDER BY since LIMIT {most}"));
                Ok(())
            },
            only,
        )
        .await
    }

    /// The next records in order of their ids, behind one.
    pub async fn behind<T: Kept>(&self, last: Option<Uuid>, most: u64) -> Result<Vec<T>, StoreError> {
        self.rows(
            |sql| {
                let table = T::table();
                sql.push(&table.selection).push(" FROM ").push(table.name).push(" WHERE id > ");
                sql.bind(last.unwrap_or_default()).push(&format!(" ORDER BY id LIMIT {most}"));
                Ok(())
            },
            T::take,
        )
        .await
    }

    /// The oldest records for which a condition holds, not more than so many.
    pub async fn first<T: Kept>(&self, predicate: Predicate, most: u64) -> Result<Vec<T>, StoreError> {
        self.rows(
            |sql| {
                let table = T::table();
                sql.push(&table.selection).push(" FROM ").push(table.name).push(" WHERE ");
                predicate.write(sql);
                sql.push(&format!(" ORDER BY id LIMIT {most}"));
                Ok(())
            },
            T::take,
        )
        .await
    }

    /// Records by their ids, for `include`: one statement, whatever their number.
    pub async fn some<T: Kept>(&self, ids: Vec<Uuid>) -> Result<Vec<T>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.rows(
            |sql| {
                let table = T::table();
                sql.push(&table.selection).push(" FROM ").push(table.name).push(" WHERE id IN (");
                sql.bind_list(ids).push(")");
                Ok(())
            },
            T::take,
        )
        .await
    }

    /// One page of a list.
    pub async fn list<T: Kept>(
        &self,
        request: &ListRequest,
        visible: &Visible,
    ) -> Result<Slice<T>, StoreError> {
        let key = &self.store.cursor_key;
        let page = |sql: &mut Sql| list::page::<T>(sql, request, visible, key).map_err(StoreError::Refused);
        let records = self.rows(page, T::take).await?;
        let mut slice = list::slice(records, request, key);
        if request.total {
            let count = |sql: &mut Sql| {
                list::count::<T>(sql, request, visible);
                Ok(())
            };
            let rows = self.rows(count, only::<i64>).await?;
            slice.total = rows.first().map(|rows| list::counted(*rows));
        }
        Ok(slice)
    }

    /// What a statement counts or looks up: one number; none is zero.
    pub(crate) async fn number(
        &self,
        rest: impl FnOnce(&mut Sql) -> Result<(), StoreError>,
    ) -> Result<i64, StoreError> {
        Ok(self.rows(rest, only::<i64>).await?.first().copied().unwrap_or(0))
    }

    /// How many rows there are for which a condition holds.
    pub async fn count(&self, table: &str, predicate: Predicate) -> Result<i64, StoreError> {
        let count = |sql: &mut Sql| {
            sql.push(&format!("COUNT(*) FROM {table} WHERE "));
            predicate.write(sql);
            Ok(())
        };
        self.number(count).await
    }
}

impl<'a> Row<'a> {
    /// A row from its n-th column on.
    pub(crate) fn after(result: &'a QueryResult, columns: usize) -> Self {
        let mut row = Self::new(result);
        row.skip(columns);
        row
    }
}
