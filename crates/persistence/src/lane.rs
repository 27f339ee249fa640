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

use crate::deadline::{Deadline, Heeding};
use crate::error::{StoreError, within};
use crate::sql::Sql;

/// How to connect.
type Options<DB> = <<DB as Database>::Connection as Connection>::Options;

/// The lanes of either database.
#[derive(Debug, Clone)]
pub(crate) enum Reads {
    Sqlite(Arc<Lanes<Sqlite>>),
    Postgres(Arc<Lanes<Postgres>>),
}

/// Those that requests use give up early; what looks at everything has a connection of its own.
#[derive(Debug)]
pub(crate) struct Lanes<DB: Database> {
    /// For requests.
    pub(crate) prompt: Arc<Lane<DB>>,
    /// For those statements of requests that may go through much: they are not to keep the others waiting.
    pub(crate) broad: Arc<Lane<DB>>,
    /// For what looks at everything; no connection until then.
    pub(crate) patient: Arc<Lane<DB>>,
}

impl Reads {
    /// All rows of a statement.
    pub(crate) async fn all(&self, sql: Sql) -> Result<Vec<QueryResult>, StoreError> {
        match self {
            Self::Sqlite(lanes) => lanes.of(&sql).all(sql).await,
            // What its driver holds while it waits is large.
            Self::Postgres(lanes) => Box::pin(lanes.of(&sql).all(sql)).await,
        }
    }

    /// All rows of a statement that looks at everything there is, however long that takes.
    pub(crate) async fn patiently(&self, sql: Sql) -> Result<Vec<QueryResult>, StoreError> {
        match self {
            Self::Sqlite(lanes) => lanes.patient.all(sql).await,
            Self::Postgres(lanes) => Box::pin(lanes.patient.all(sql)).await,
        }
    }

    /// The first row of a statement. Asked for one row, SQLite's driver wakes us once, not again for the end of the
    /// rows.
    pub(crate) async fn one(&self, sql: Sql) -> Result<Option<QueryResult>, StoreError> {
        match self {
            Self::Sqlite(lanes) => lanes.of(&sql).one(sql).await,
            Self::Postgres(lanes) => Box::pin(lanes.of(&sql).one(sql)).await,
        }
    }

    /// Closes every connection.
    pub(crate) async fn close(&self) {
        match self {
            Self::Sqlite(lanes) => lanes.close().await,
            Self::Postgres(lanes) => lanes.close().await,
        }
    }
}

impl<DB: Database> Lanes<DB> {
    /// Where a request's statement belongs. In the other lanes perhaps nobody asks any more, who would close what is kept
    /// there for nothing.
    fn of(&self, sql: &Sql) -> &Arc<Lane<DB>> {
        let (lane, other) = match sql.goes_through_much() {
            Some(_) => (&self.broad, &self.prompt),
            None => (&self.prompt, &self.broad),
        };
        other.close_unused();
        self.patient.close_unused();
        lane
    }

    async fn close(&self) {
        self.prompt.close().await;
        self.broad.close().await;
        self.patient.close().await;
    }
}

/// Connections to one database.
pub(crate) struct Lane<DB: Database> {
    options: Options<DB>,
    /// In the order of their last use. The one used last is taken first: what it needs is still at hand. So the others are
    /// used only where many ask at once, and those that were not for long are closed.
    idle: Mutex<Vec<Kept<DB>>>,
    permits: Arc<Semaphore>,
    limits: Limits,
}

/// How long what may take.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Limits {
    /// To wait for a connection: since the question began, where several statements that go through much ask one.
    pub(crate) patience: Duration,
    /// To make one, if there is none to be had at once.
    pub(crate) connecting: Duration,
    /// To use a connection before it is replaced.
    pub(crate) lifetime: Option<Duration>,
    /// To keep one that nobody uses, with all that it has gathered.
    pub(crate) idle: Duration,
    /// To run a statement, where the database does not count by itself.
    pub(crate) statement: Option<Duration>,
    /// To answer one, where the database can fall silent.
    pub(crate) silence: Option<Duration>,
}

impl Limits {
    /// What a statement answers, unless the database has fallen silent.
    async fn answered<T>(&self, statement: impl Future<Output = T>) -> Result<T, StoreError> {
        match self.silence {
            Some(time) => within(time, async { Ok::<_, StoreError>(statement.await) }).await,
            None => Ok(statement.await),
        }
    }
}

struct Kept<DB: Database> {
    connection: DB::Connection,
    deadline: Deadline,
    since: Instant,
    used: Instant,
}

impl<DB: Database> std::fmt::Debug for Lane<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Lane")
    }
}

impl<DB: Database> Lane<DB> {
    /// Up to so many connections, made when they are first needed.
    pub(crate) fn new(options: Options<DB>, connections: u32, limits: Limits) -> Arc<Self> {
        let permits = usize::try_from(connections).unwrap_or(usize::MAX).clamp(1, Semaphore::MAX_PERMITS);
        let (idle, permits) = (Mutex::default(), Arc::new(Semaphore::new(permits)));
        Arc::new(Self { options, idle, permits, limits })
    }

    fn keep(&self, mut kept: Kept<DB>) {
        let old = self.limits.lifetime.is_some_and(|lifetime| kept.since.elapsed() > lifetime);
        if old || self.permits.is_closed() {
            return;
        }
        self.close_unused();
        kept.used = Instant::now();
        self.idle.lock().unwrap_or_else(PoisonError::into_inner).push(kept);
    }

    /// Closes those that nobody has used for long.
    fn close_unused(&self) {
        let unused: Vec<_> = {
            let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
            let unused = idle.iter().take_while(|other| other.used.elapsed() > self.limits.idle).count();
            idle.drain(..unused).collect()
        };
        // Closing takes a moment, and is nobody else's concern.
        drop(unused);
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

impl<DB: Heeding> Lane<DB> {
    /// A connection for a statement, or for one of several since that moment.
    async fn borrow(self: &Arc<Self>, begun: Option<Instant>) -> Result<Loan<DB>, StoreError> {
        let gone = begun.map_or(Duration::ZERO, |begun| begun.elapsed());
        let patience = self.limits.patience.saturating_sub(gone);
        let timed_out = |_| sqlx::Error::PoolTimedOut;
        let connected = async {
            let free = tokio::time::timeout(patience, Arc::clone(&self.permits).acquire_owned());
            let permit = free.await.map_err(timed_out)?.map_err(|_| sqlx::Error::PoolClosed)?;
            let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let kept = match idle {
                Some(kept) => kept,
                None => tokio::time::timeout(self.limits.connecting, self.connect())
                    .await
                    .map_err(timed_out)??,
            };
            kept.deadline.set(self.limits.statement.map(|time| Instant::now() + time));
            Ok(Loan { lane: Arc::clone(self), kept: Some(kept), permit: Some(permit) })
        };
        // Whatever the reason why there is no connection: the server may be there and still let nobody into the database.
        connected.await.map_err(|error: sqlx::Error| StoreError::Unavailable(error.to_string()))
    }

    async fn connect(&self) -> Result<Kept<DB>, sqlx::Error> {
        let (mut connection, deadline) = (self.options.connect().await?, Deadline::default());
        DB::heed(&mut connection, &deadline).await?;
        let now = Instant::now();
        Ok(Kept { connection, deadline, since: now, used: now })
    }
}

impl<DB: Heeding + HasStatementCache> Lane<DB>
where
    for<'c> &'c mut DB::Connection: Executor<'c, Database = DB>,
    SqlxValues: IntoArguments<DB>,
    QueryResult: From<DB::Row>,
{
    async fn all(self: &Arc<Self>, sql: Sql) -> Result<Vec<QueryResult>, StoreError> {
        let mut loan = self.borrow(sql.goes_through_much()).await?;
        let outcome = self.limits.answered(query::<DB>(sql).fetch_all(loan.connection()?)).await?;
        Ok(loan.settle(outcome)?.into_iter().map(QueryResult::from).collect())
    }

    async fn one(self: &Arc<Self>, sql: Sql) -> Result<Option<QueryResult>, StoreError> {
        let mut loan = self.borrow(sql.goes_through_much()).await?;
        let outcome = self.limits.answered(query::<DB>(sql).fetch_optional(loan.connection()?)).await?;
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
        let Some(mut kept) = self.kept.take() else {
            return;
        };
        // Nobody waits for its rows any more.
        kept.deadline.set(Some(Instant::now()));
        let Ok(runtime) = tokio::runtime::Handle::try_current() else {
            return;
        };
        // Until the answer is there, nobody else may open a connection in its place.
        let (lane, permit) = (Arc::clone(&self.lane), self.permit.take());
        runtime.spawn(async move {
            if matches!(tokio::time::timeout(lane.limits.patience, kept.connection.ping()).await, Ok(Ok(())))
            {
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

    /// Yields nothing, and does not end by itself.
    const ENDLESS: &str =
        "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n";

    const LIMITS: Limits = Limits {
        patience: PATIENCE,
        connecting: PATIENCE,
        lifetime: None,
        idle: Duration::from_mins(1),
        statement: None,
        silence: None,
    };

    fn lane(connections: u32) -> Arc<Lane<Sqlite>> {
        limited(connections, LIMITS)
    }

    fn limited(connections: u32, limits: Limits) -> Arc<Lane<Sqlite>> {
        let options = SqliteConnectOptions::from_str("sqlite::memory:").unwrap();
        Lane::new(options, connections, limits)
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
        let lane = lane(4);
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
        let lane = lane(1);
        assert!(matches!(lane.all(Sql::new("SELECT nonsense")).await, Err(StoreError::Database(_))));
        assert_eq!(number(&lane).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn a_read_given_up_half_way_gives_its_connection_back() {
        let lane = lane(1);
        let rows = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n";
        // A new connection would have a database of its own.
        lane.all(Sql::new("PRAGMA user_version = 7")).await.unwrap();
        for endless in [rows, ENDLESS] {
            let given_up = tokio::time::timeout(Duration::from_millis(20), lane.all(Sql::new(endless))).await;
            assert!(given_up.is_err());
            let kept = lane.one(Sql::new("PRAGMA user_version")).await.unwrap().unwrap();
            assert_eq!(kept.try_get_by_index::<i64>(0).unwrap(), 7, "{endless}");
        }
    }

    #[tokio::test]
    async fn a_read_that_takes_too_long_is_ended() {
        let statement = Some(Duration::from_millis(500));
        let lane = limited(1, Limits { statement, ..LIMITS });
        let ended = lane.one(Sql::new(ENDLESS)).await;
        assert!(matches!(ended, Err(StoreError::Unavailable(_))), "{ended:?}");
        tokio::time::sleep(Duration::from_millis(600)).await;
        // SQLite asks a few times whether to go on: long enough to be ended, and far from its own end on a busy machine.
        let next = "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT 10000) SELECT count(*) FROM n";
        assert!(lane.one(Sql::new(next)).await.unwrap().is_some(), "a time of its own");
    }

    #[tokio::test]
    async fn who_waits_too_long_is_told() {
        let lane = lane(1);
        let loan = lane.borrow(None).await.unwrap();
        assert!(matches!(number(&lane).await, Err(StoreError::Unavailable(_))));
        drop(loan);
        assert_eq!(number(&lane).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn who_has_waited_before_waits_less() {
        let lane = lane(1);
        let loan = lane.borrow(None).await.unwrap();
        let begun = Instant::now();
        assert!(lane.borrow(Some(begun)).await.is_err());
        assert!(begun.elapsed() >= PATIENCE);
        let again = Instant::now();
        assert!(lane.borrow(Some(begun)).await.is_err());
        assert!(again.elapsed() < PATIENCE, "it waited anew");
        drop(loan.settle(Ok(())));
        let loan = lane.borrow(Some(begun)).await.expect("what need not be waited for is there");
        // Dropped unsettled, it would be asked whether it lives, and its place be taken meanwhile.
        drop(loan.settle(Ok(())));
        lane.take_idle();
        assert!(lane.borrow(Some(begun)).await.is_ok(), "and to connect is not to wait for others");
    }

    #[tokio::test]
    async fn waiting_is_no_silence() {
        let (patience, silence) = (Duration::from_secs(20), Some(Duration::from_millis(500)));
        let lane = limited(1, Limits { patience, silence, ..LIMITS });
        let silent = lane.one(Sql::new(ENDLESS)).await;
        assert!(matches!(silent, Err(StoreError::Unavailable(_))), "{silent:?}");
        let loan = lane.borrow(None).await.unwrap();
        let waiting = tokio::spawn({
            let lane = Arc::clone(&lane);
            async move { number(&lane).await }
        });
        tokio::time::sleep(Duration::from_secs(1)).await;
        drop(loan.settle(Ok(())));
        assert_eq!(waiting.await.unwrap().unwrap(), 7);
    }

    #[tokio::test]
    async fn what_goes_through_much_leaves_connections_to_others() {
        let lanes = Lanes { prompt: lane(1), broad: lane(1), patient: lane(1) };
        let busy = Arc::clone(&lanes.broad);
        let reads = Arc::new(Reads::Sqlite(Arc::new(lanes)));
        let much = |text: &str| {
            let mut sql = Sql::new(text);
            sql.go_through_much(Instant::now());
            sql
        };
        let long = tokio::spawn({
            let (reads, sql) = (Arc::clone(&reads), much(ENDLESS));
            async move { reads.all(sql).await }
        });
        while busy.permits.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let second = reads.one(much("SELECT 7")).await;
        assert!(matches!(second, Err(StoreError::Unavailable(_))), "two went through much at once");
        assert_eq!(reads.all(Sql::new("SELECT 7")).await.unwrap().len(), 1);
        assert!(reads.one(Sql::new("SELECT 7")).await.unwrap().is_some());
        assert_eq!(reads.patiently(Sql::new("SELECT 7")).await.unwrap().len(), 1);
        long.abort();
        assert!(long.await.unwrap_err().is_cancelled());
        assert_eq!(reads.all(much("SELECT 7")).await.unwrap().len(), 1);
        reads.close().await;
        for sql in [much("SELECT 7"), Sql::new("SELECT 7")] {
            assert!(matches!(reads.all(sql).await, Err(StoreError::Unavailable(_))));
        }
    }

    #[tokio::test]
    async fn what_has_lived_too_long_is_not_kept() {
        let lane = limited(1, Limits { lifetime: Some(Duration::ZERO), ..LIMITS });
        assert_eq!(number(&lane).await.unwrap(), 7);
        assert_eq!(idle(&lane), 0);
        assert_eq!(number(&lane).await.unwrap(), 7);
    }

    #[tokio::test]
    async fn what_nobody_has_used_for_long_is_closed() {
        for (after, left) in [(Duration::from_mins(1), 3), (Duration::ZERO, 1)] {
            let lane = limited(3, Limits { idle: after, ..LIMITS });
            let loans = [lane.borrow(None).await, lane.borrow(None).await, lane.borrow(None).await];
            for loan in loans {
                drop(loan.unwrap().settle(Ok(())));
            }
            // One is enough for what is asked from here on.
            assert_eq!(number(&lane).await.unwrap(), 7);
            assert_eq!(idle(&lane), left, "{after:?}");
        }
    }

    #[tokio::test]
    async fn what_nobody_uses_is_closed_whatever_is_asked() {
        let after = Limits { idle: Duration::ZERO, ..LIMITS };
        let lanes = Lanes { prompt: lane(1), broad: limited(1, after), patient: limited(1, after) };
        let (searching, looking) = (Arc::clone(&lanes.broad), Arc::clone(&lanes.patient));
        let reads = Reads::Sqlite(Arc::new(lanes));
        let mut much = Sql::new("SELECT 7");
        much.go_through_much(Instant::now());
        reads.all(much).await.unwrap();
        reads.patiently(Sql::new("SELECT 7")).await.unwrap();
        assert_eq!((idle(&searching), idle(&looking)), (1, 1));
        reads.all(Sql::new("SELECT 7")).await.unwrap();
        assert_eq!((idle(&searching), idle(&looking)), (0, 0));
    }

    #[tokio::test]
    async fn a_closed_lane_opens_no_more() {
        let lane = lane(2);
        assert_eq!(number(&lane).await.unwrap(), 7);
        let loan = lane.borrow(None).await.unwrap();
        lane.close().await;
        drop(loan.settle(Ok(())));
        assert_eq!(idle(&lane), 0);
        assert!(matches!(number(&lane).await, Err(StoreError::Unavailable(_))));
    }
}
