//! The connections that read.
//!
//! sqlx's pool asks the database after each use whether the connection still lives: one more round trip, as dear as
//! reading a record. A read that ended leaves nothing behind to ask about, so here its connection is simply kept for
//! the next one. Only one whose read was given up half-way is asked.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use sea_orm::QueryResult;
use sea_orm::sea_query::Values;
use sea_query_sqlx::SqlxValues;
use sqlx::database::HasStatementCache;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, ConnectOptions, Connection, Database, Executor, IntoArguments, Postgres, Sqlite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::{StoreError, answered};
use crate::sql::Sql;

/// How to connect.
type Options<DB> = <<DB as Database>::Connection as Connection>::Options;

/// The lane of either database.
#[derive(Debug, Clone)]
pub(crate) enum Reads {
    Sqlite(Arc<Lane<Sqlite>>),
    Postgres {
        /// For requests.
        prompt: Arc<Lane<Postgres>>,
        /// For what looks at everything; no connection until then.
        patient: Arc<Lane<Postgres>>,
    },
}

impl Reads {
    /// All rows of a statement.
    pub(crate) async fn all(&self, sql: Sql) -> Result<Vec<QueryResult>, StoreError> {
        match self {
            Self::Sqlite(lane) => lane.all(sql).await,
            Self::Postgres { prompt, .. } => answered(Box::pin(prompt.all(sql))).await,
        }
    }

    /// All rows of a statement that looks at everything there is, however long that takes. On PostgreSQL it has a
    /// connection of its own: those that requests use give up early.
    pub(crate) async fn patiently(&self, sql: Sql) -> Result<Vec<QueryResult>, StoreError> {
        match self {
            Self::Sqlite(lane) => lane.all(sql).await,
            Self::Postgres { patient, .. } => patient.all(sql).await,
        }
    }

    /// The first row of a statement. Asked for one row, SQLite's driver wakes us once, not again for the end of the
    /// rows.
    pub(crate) async fn one(&self, sql: Sql) -> Result<Option<QueryResult>, StoreError> {
        match self {
            Self::Sqlite(lane) => lane.one(sql).await,
            Self::Postgres { prompt, .. } => answered(Box::pin(prompt.one(sql))).await,
        }
    }

    /// Closes every connection.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(lane) => lane.close().await,
            Self::Postgres { prompt, patient } => {
                prompt.close().await;
                patient.close().await;
            }
        }
    }
}

/// Connections to one database.
pub(crate) struct Lane<DB: Database> {
    options: Options<DB>,
    /// The one used last is taken first: what it needs is still at hand.
    idle: Mutex<Vec<Kept<DB>>>,
    permits: Arc<Semaphore>,
    patience: Duration,
    lifetime: Option<Duration>,
}

struct Kept<DB: Database> {
    connection: DB::Connection,
    since: Instant,
}

impl<DB: Database> std::fmt::Debug for Lane<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lane")
    }
}

impl<DB: Database> Lane<DB> {
    /// Up to so many connections, made when they are first needed. A request waits for one as long as `patience` says;
    /// none is kept for longer than its lifetime.
    pub(crate) fn new(
        options: Options<DB>,
        connections: u32,
        patience: Duration,
        lifetime: Option<Duration>,
    ) -> Arc<Self> {
        let permits = usize::try_from(connections).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
        let (idle, permits) = (Mutex::default(), Arc::new(Semaphore::new(permits)));
        Arc::new(Self { options, idle, permits, patience, lifetime })
    }

    async fn borrow(self: &Arc<Self>) -> Result<Loan<DB>, StoreError> {
        let connected = tokio::time::timeout(self.patience, async {
            let permit =
                Arc::clone(&self.permits).acquire_owned().await.map_err(|_| sqlx::Error::PoolClosed)?;
            let kept = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let kept = match kept {
                Some(kept) => kept,
                None => Kept { connection: self.options.connect().await?, since: Instant::now() },
            };
            Ok(Loan { lane: Arc::clone(self), kept: Some(kept), permit: Some(permit) })
        })
        .await;
        // Whatever the reason why there is no connection: the server may be there and still let nobody into the database.
        connected
            .unwrap_or(Err(sqlx::Error::PoolTimedOut))
            .map_err(|error| StoreError::Unavailable(error.to_string()))
    }

    fn keep(&self, kept: Kept<DB>) {
        let old = self.lifetime.is_some_and(|lifetime| kept.since.elapsed() > lifetime);
        if !old && !self.permits.is_closed() {
            self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
        }
    }

    fn take_idle(&self) -> Vec<Kept<DB>> {
        std::mem::take(&mut *self.idle.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn close(&self) {
        self.permits.close();
        for kept in self.take_idle() {
            // What cannot be closed any more is closed by the end of the process.
            let _ = kept.connection.close().await;
        }
    }
}

impl<DB: Database + HasStatementCache> Lane<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    SqlxValues: IntoArguments<DB>,
    QueryResult: From<DB::Row>,
{
    async fn all(self: &Arc<Self>, sql: Sql) -> Result<Vec<QueryResult>, StoreError> {
        let mut loan = self.borrow().await?;
        let outcome = query::<DB>(sql).fetch_all(loan.connection()?).await;
        Ok(loan.settle(outcome)?.into_iter().map(QueryResult::from).collect())
    }

    async fn one(self: &Arc<Self>, sql: Sql) -> Result<Option<QueryResult>, StoreError> {
        let mut loan = self.borrow().await?;
        let outcome = query::<DB>(sql).fetch_optional(loan.connection()?).await;
        Ok(loan.settle(outcome)?.map(QueryResult::from))
    }
}

fn query<DB: Database + HasStatementCache>(sql: Sql) -> Query<'static, DB, SqlxValues>
where
    SqlxValues: IntoArguments<DB>,
{
    let planned_once = sql.is_planned_once();
    let (text, values) = sql.into_parts();
    sqlx::query_with(AssertSqlSafe(text), SqlxValues(Values(values))).persistent(planned_once)
}

/// A connection in use. Dropped before its read has ended, it is asked whether it still lives.
struct Loan<DB: Database> {
    lane: Arc<Lane<DB>>,
    /// Gone once the read has ended.
    kept: Option<Kept<DB>>,
    permit: Option<OwnedSemaphorePermit>,
}

impl<DB: Database> Loan<DB> {
    fn connection(&mut self) -> Result<&mut DB::Connection, StoreError> {
        let kept = self.kept.as_mut();
        kept.map(|kept| &mut kept.connection).ok_or_else(|| StoreError::Database("a spent loan".to_owned()))
    }

    /// Ends the read. If the database is not there any more, the other connections are not either.
    fn settle<T>(mut self, outcome: Result<T, sqlx::Error>) -> Result<T, StoreError> {
        let outcome = outcome.map_err(StoreError::from);
        let kept = self.kept.take();
        if matches!(outcome, Err(StoreError::Unavailable(_))) {
            self.lane.take_idle();
        } else if let Some(kept) = kept {
            self.lane.keep(kept);
        }
        outcome
    }
}

impl<DB: Database> Drop for Loan<DB> {
    fn drop(&mut self) {
        let (Some(mut kept), Ok(runtime)) = (self.kept.take(), tokio::runtime::Handle::try_current()) else {
            return;
        };
        // Until the answer is there, nobody else may open a connection in its place.
        let (lane, permit) = (Arc::clone(&self.lane), self.permit.take());
        runtime.spawn(async move {
            if matches!(tokio::time::timeout(lane.patience, kept.connection.ping()).await, Ok(Ok(()))) {
                lane.keep(kept);
            } else {
                // A server that has fallen silent is not heard on the other connections either.
                lane.take_idle();
            }
            drop(permit);
        });
    }
}

#[cfg(test)]
mod tests {
    use std::str::FromStr;

    use sqlx::sqlite::SqliteConnectOptions;

    use super::*;

    const PATIENCE: Duration = Duration::from_millis(500);

    fn lane(connections: u32, lifetime: Option<Duration>) -> Arc<Lane<Sqlite>> {
        let options = SqliteConnectOptions::from_str("sqlite::memory:").unwrap();
        Lane::new(options, connections, PATIENCE, lifetime)
    }

    async fn number(lane: &Arc<Lane<Sqlite>>) -> Result<i64, StoreError> {
        let row = lane.one(Sql::with("SELECT $1", vec![7_i64.into()])).await?;
        Ok(row.unwrap().try_get_by_index(0).unwrap())
    }

    fn idle(lane: &Lane<Sqlite>) -> usize {
        lane.idle.lock().unwrap().len()
    }

    #[tokio::test]
    async fn a_connection_serves_one_read_after_another() {
        let lane = lane(4, None);
        for _ in 0..3 {
            assert_eq!(number(&lane).await.unwrap(), 7);
            assert_eq!(idle(&lane), 1);
        }
        assert!(lane.one(Sql::new("SELECT 1 WHERE FALSE")).await.unwrap().is_none());
        assert_eq!(lane.all(Sql::new("SELECT 1 UNION SELECT 2")).await.unwrap().len(), 2);
        assert_eq!(idle(&lane), 1);
    }

    #[tokio::test]
    async fn a_statement_that_fails_does_no_harm() {
        let lane = lane(1, None);
        assert!(matches!(lane.all(Sql::new("SELECT nonsense")).await, Err(StoreError::Database(_))));
        assert_eq!(number(&lane).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_read_given_up_half_way_gives_its_connection_back() {
        let lane = lane(1, None);
        let endless = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
        let given_up = tokio::time::timeout(Duration::from_millis(20), lane.all(Sql::new(endless))).await;
        assert!(given_up.is_err());
        assert_eq!(number(&lane).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told() {
        let lane = lane(1, None);
        let loan = lane.borrow().await.unwrap();
        assert!(matches!(number(&lane).await, Err(StoreError::Unavailable(_))));
        drop(loan);
        assert_eq!(number(&lane).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn what_has_lived_too_long_is_not_kept() {
        let lane = lane(1, Some(Duration::ZERO));
        assert_eq!(number(&lane).await.unwrap(), 7);
        assert_eq!(idle(&lane), 0);
        assert_eq!(number(&lane).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_closed_lane_opens_no_more() {
        let lane = lane(2, None);
        assert_eq!(number(&lane).await.unwrap(), 7);
        let loan = lane.borrow().await.unwrap();
        lane.close().await;
        drop(loan.settle(Ok(())));
        assert_eq!(idle(&lane), 0);
        assert!(matches!(number(&lane).await, Err(StoreError::Unavailable(_))));
    }
}
