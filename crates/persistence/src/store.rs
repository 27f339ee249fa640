//! The database: which one, and how to reach it.

use std::num::NonZero;
use std::ops::RangeInclusive;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use fairlead_migrations::Migrator;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbBackend, DbErr, SqliteTransactionMode,
    SqlxPostgresConnector, SqlxSqliteConnector, Statement, TransactionOptions, TransactionTrait,
};
use sea_orm_migration::MigratorTrait;
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgConnection, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

use crate::error::{SILENCE, StoreError, within};
use crate::lane::{Lane, Lanes, Limits, Reads};
use crate::query::cursor::CursorKey;
use crate::sql::Sql;

/// How long a statement waits for a lock that another transaction holds.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// How long a connection to a server is used: what it has gathered there is freed, and a server that moved is found.
const LIFETIME: Duration = Duration::from_mins(30);
/// How long a connection that reads is kept while nobody needs it. On SQLite it holds a megabyte or more: statements, a
/// page cache and a thread.
const IDLE: Duration = Duration::from_mins(1);
/// How long a statement of a request may read. On PostgreSQL the server counts, also for those that write.
const STATEMENT: Duration = Duration::from_secs(30);
/// What one that reads may keep of SQLite's file in memory, in KiB; what is larger is also sorted in a file, so that memory
/// does not grow with the tables. It forgets all of it as soon as somebody wrote, so that more is seldom of use and is the
/// fuller the larger the tables are; the operating system keeps the rest at hand.
const READER_CACHE: u32 = 256;
/// What the one that writes may keep, in KiB: a transaction that changes more goes to the log before it is over.
const WRITER_CACHE: u32 = 1024;
/// How many connections read SQLite's file at most. They compute and seldom wait: two for each processor use them all,
/// and each has a thread, statements and a page cache of its own.
const SQLITE_READERS: RangeInclusive<u32> = 4..=16;
/// How many times as long as for another connection a request waits for one of the few that go through much: those
/// before it take longer than other reads, and nobody else is kept waiting by it. What the request has read since it began
/// counts as well.
const BROAD_PATIENCE: u32 = 5;
/// How long the database may take to say that it is there.
const READY: Duration = Duration::from_secs(2);
/// Whoever migrates holds the advisory lock of this number; any would do, as long as all versions use the same.
const MIGRATING: i64 = 0x0066_6169_726c_6561;
/// What is so in a PostgreSQL database that compares and sorts texts as SQLite does: by their code points, and of letters
/// a to z only whatever their case. Its locale is part of it from the beginning, and can be changed no more.
const PLAIN_LOCALE: [&str; 2] =
    ["SELECT getdatabaseencoding() = 'UTF8'", "SELECT LOWER('Ü') = 'Ü' AND 'B' < 'a' AND 'z' < 'é'"];
/// What to do about one that does not.
const FOREIGN_LOCALE: &str = "its encoding is not UTF8 or its locale not C, so that it compares texts otherwise than \
                              SQLite does. Make another one: createdb --template=template0 --encoding=UTF8 \
                              --locale-provider=libc --locale=C <name>; what is in this one is moved by pg_dump and psql";

/// Where the database is.
#[derive(Debug, Clone)]
pub struct Location<'a> {
    /// `sqlite:<file>` or `postgres://...`.
    pub url: &'a str,
    /// How many connections at most, but one at least to read, one to search and one to write; on SQLite how many
    /// readers, but two for each processor at most (4 to 16), and half as many search beside them.
    pub max_connections: u32,
    /// How long a request waits for a connection before it is told that we are overloaded; a search waits longer.
    pub acquire_timeout: Duration,
    /// Whether a SQLite file that is not there is made.
    pub create: bool,
}

/// An open database.
///
/// Some connections read and others write. SQLite has one that writes, for which writers queue in order: many writers
/// at once would only fight over the one lock there is. PostgreSQL has as many of the one kind as of the other.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) reader: Reads,
    pub(crate) writer: DatabaseConnection,
    /// How many connections that write can have died without anybody noticing.
    perishable: u32,
    /// How long it may take to begin to write: to wait for a connection, and for SQLite's lock.
    beginning: Duration,
    pub(crate) cursor_key: CursorKey,
}

/// How many connections may read SQLite's file on this machine.
fn sqlite_readers() -> u32 {
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let wanted = u32::try_from(processors * 2).unwrap_or(u32::MAX);
    wanted.clamp(*SQLITE_READERS.start(), *SQLITE_READERS.end())
}

/// Refuses a PostgreSQL database that would compare texts otherwise than SQLite does.
async fn has_plain_locale(transaction: &DatabaseTransaction) -> Result<(), StoreError> {
    for question in PLAIN_LOCALE {
        let statement = Statement::from_string(DbBackend::Postgres, question);
        let told = transaction.query_one_raw(statement).await?;
        let is_plain = told.is_some_and(|row| row.try_get_by_index(0).unwrap_or(false));
        if !is_plain {
            return Err(StoreError::Unavailable(FOREIGN_LOCALE.to_owned()));
        }
    }
    Ok(())
}

impl Store {
    /// Opens a database.
    pub async fn open(location: &Location<'_>, cursor_key: CursorKey) -> Result<Self, StoreError> {
        let url = location.url;
        if url.starts_with("sqlite:") {
            Self::open_sqlite(location, cursor_key).await
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Self::open_postgres(location, cursor_key)
        } else {
            Err(StoreError::Unavailable("the database's URL must begin with sqlite: or postgres:".to_owned()))
        }
    }

    async fn open_sqlite(location: &Location<'_>, cursor_key: CursorKey) -> Result<Self, StoreError> {
        let readers = location.max_connections.clamp(1, sqlite_readers());
        let options = SqliteConnectOptions::from_str(location.url)
            .map_err(|error| StoreError::Unavailable(error.to_string()))?
            .create_if_missing(location.create)
            .journal_mode(SqliteJournalMode::Wal)
            // An acknowledged write survives a power loss, not only a crash of the process.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(LOCK_WAIT)
            .statement_cache_capacity(256);
        let keeping = |kib: u32| options.clone().pragma("cache_size", format!("-{kib}"));
        let pool = |connections: u32| {
            SqlitePoolOptions::new()
                .after_release(|connection, _| Box::pin(has_no_transaction(connection)))
                .max_connections(connections)
                .acquire_timeout(location.acquire_timeout)
                .test_before_acquire(false)
                .idle_timeout(None)
                .max_lifetime(None)
        };
        // The first connection sets the journal's mode, which readers cannot do at the same time.
        let begun = Instant::now();
        let writer = loop {
            match pool(1).connect_with(keeping(WRITER_CACHE)).await {
                Ok(writer) => break writer,
                // For that lock SQLite does not wait by itself: another process is opening the new file, too.
                Err(error) if is_busy(&error) && begun.elapsed() < LOCK_WAIT => {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
                Err(error) => return Err(StoreError::Unavailable(error.to_string())),
            }
        };
        let limits = Limits {
            patience: location.acquire_timeout,
            connecting: location.acquire_timeout,
            lifetime: None,
            idle: IDLE,
            statement: Some(STATEMENT),
            silence: None,
        };
        let searchers = readers.div_ceil(2);
        let reading = keeping(READER_CACHE);
        let prompt = Lane::new(reading.clone(), readers, limits);
        let broad = Lane::new(reading.clone(), searchers, for_broad(limits));
        let patient = Lane::new(reading, 1, Limits { statement: None, ..limits });
        Ok(Self {
            reader: Reads::Sqlite(Arc::new(Lanes { prompt, broad, patient })),
            writer: SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
            perishable: 0,
            beginning: location.acquire_timeout + LOCK_WAIT,
            cursor_key,
        })
    }

    fn open_postgres(location: &Location<'_>, cursor_key: CursorKey) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(location.url)
            .map_err(|error| StoreError::Unavailable(error.to_string()))?
            .application_name("fairlead")
            .statement_cache_capacity(512)
            .options([
                ("lock_timeout", "5s"),
                ("statement_timeout", &*format!("{}s", STATEMENT.as_secs())),
                // A transaction whose beginning was given up may be left open in the pool.
                ("idle_in_transaction_session_timeout", "60s"),
                ("timezone", "UTC"),
            ]);
        let readers = location.max_connections.div_ceil(2).max(1);
        let writers = location.max_connections.saturating_sub(readers).max(1);
        let searchers = (readers / 4).max(1);
        let patience = location.acquire_timeout;
        let limits = Limits {
            patience,
            connecting: patience,
            lifetime: Some(LIFETIME),
            idle: IDLE,
            statement: None,
            silence: Some(SILENCE),
        };
        let prompt = Lane::new(options.clone(), readers.saturating_sub(searchers), limits);
        let broad = Lane::new(options.clone(), searchers, for_broad(limits));
        let without_deadline = options.clone().options([("statement_timeout", "0")]);
        let patient = Lane::new(without_deadline, 1, Limits { silence: None, ..limits });
        let pool = PgPoolOptions::new()
            // The pool itself would ask a server that has fallen silent, and wait for ever.
            .after_release(move |connection, _| Box::pin(still_answers(connection, patience)))
            .max_connections(writers)
            .max_lifetime(LIFETIME)
            .acquire_timeout(patience)
            // A round trip for each request would cost more than the rare request that meets a dead connection.
            .test_before_acquire(false)
            .connect_lazy_with(options);
        let writer = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
        let (reader, beginning) =
            (Reads::Postgres(Arc::new(Lanes { prompt, broad, patient })), patience + LOCK_WAIT);
        Ok(Self { reader, writer, perishable: writers, beginning, cursor_key })
    }

    /// Which database it is.
    pub fn backend(&self) -> DbBackend {
        self.writer.get_database_backend()
    }

    /// The same store with another key for cursors.
    #[must_use]
    pub fn with_cursor_key(mut self, key: CursorKey) -> Self {
        self.cursor_key = key;
        self
    }

    /// Begins to write.
    pub(crate) async fn begin_writing(&self) -> Result<DatabaseTransaction, StoreError> {
        let options = TransactionOptions {
            // One that reads before it writes would otherwise fail instead of waiting.
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..Default::default()
        };
        for _ in 0..self.perishable {
            let begin = async { Ok::<_, StoreError>(self.writer.begin_with_options(options).await) };
            let error = match within(self.beginning, begin).await? {
                Ok(transaction) => return Ok(transaction),
                Err(error) => error,
            };
            let had_connection = matches!(error, DbErr::Query(_));
            match StoreError::from(error) {
                // It died while nobody used it. Nothing has happened on it yet: the next one is tried.
                StoreError::Unavailable(why) if had_connection => {
                    tracing::info!(why, "a connection has died");
                }
                other => return Err(other),
            }
        }
        within(self.beginning, self.writer.begin_with_options(options)).await
    }

    /// Applies the steps of the schema that are missing, all or none, while no other process does. Says how many
    /// there were.
    pub async fn migrate(&self) -> Result<usize, StoreError> {
        let transaction = self.begin_writing().await?;
        if self.backend() == DbBackend::Postgres {
            has_plain_locale(&transaction).await?;
            // A step may take longer than requests may, and so may the wait for another process.
            let alone = format!(
                "SET LOCAL lock_timeout = 0; SET LOCAL statement_timeout = 0; \
                 SELECT pg_advisory_xact_lock({MIGRATING})"
            );
            transaction.execute_unprepared(&alone).await?;
        }
        let pending = Migrator::get_pending_migrations(&transaction).await?.len();
        Migrator::up(&transaction, None).await?;
        transaction.commit().await?;
        Ok(pending)
    }

    /// The names of the schema's steps, and whether each was applied.
    pub async fn migrations(&self) -> Result<Vec<(String, bool)>, StoreError> {
        let pending: Vec<String> = Migrator::get_pending_migrations_read_only(&self.writer)
            .await?
            .iter()
            .map(|migration| migration.name().to_owned())
            .collect();
        let all = Migrator::migrations();
        Ok(all
            .iter()
            .map(|migration| {
                (migration.name().to_owned(), !pending.iter().any(|name| name == migration.name()))
            })
            .collect())
    }

    /// Whether the database answers and has our schema.
    pub async fn ready(&self) -> Result<(), StoreError> {
        within(READY, Box::pin(self.reader.one(Sql::new("SELECT epoch FROM organisation")))).await?;
        Ok(())
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.reader.close().await;
        // What cannot be closed any more is closed by the end of the process.
        let _ = self.writer.close_by_ref().await;
    }
}

/// The limits of connections that go through much.
fn for_broad(limits: Limits) -> Limits {
    Limits { patience: limits.patience * BROAD_PATIENCE, ..limits }
}

fn is_busy(error: &sqlx::Error) -> bool {
    // Like every extended code of SQLite, those of "busy" have the primary one in their low byte.
    let code = error.as_database_error().and_then(|error| error.code()?.parse::<i32>().ok());
    code.is_some_and(|code| code & 0xff == 5)
}

/// Whether the server at the other end of a connection that comes back still answers.
async fn still_answers(connection: &mut PgConnection, patience: Duration) -> Result<bool, sqlx::Error> {
    tokio::time::timeout(patience, connection.ping()).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))?;
    Ok(true)
}

/// Whether a connection can be used again. When the disk is full or fails, SQLite ends the transaction by
/// itself. sqlx does not notice: it goes on counting it, and takes each transaction that follows for a part of
/// it, whose commit then commits nothing. Such a connection is closed.
async fn has_no_transaction(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // A rollback that was only begun happens first.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}
