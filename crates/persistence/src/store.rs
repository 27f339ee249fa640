//! The database: which one, and how to reach it.

use std::str::FromStr;
use std::time::Duration;

use fairlead_migrations::Migrator;
use sea_orm::{DatabaseConnection, DbBackend, SqlxPostgresConnector, SqlxSqliteConnector};
use sea_orm_migration::MigratorTrait;
use sqlx::Connection;
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{
    SqliteConnectOptions, SqliteConnection, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous,
};

use crate::error::StoreError;
use crate::lane::{Lane, Reads};
use crate::query::cursor::CursorKey;
use crate::sql::Sql;

/// How long a statement waits for a lock that another transaction holds.
const LOCK_WAIT: Duration = Duration::from_secs(5);
/// How long a connection to a server is used: what it has gathered there is freed, and a server that moved is found.
const LIFETIME: Duration = Duration::from_mins(30);

/// Where the database is.
#[derive(Debug, Clone)]
pub struct Location<'a> {
    /// `sqlite:<file>` or `postgres://...`.
    pub url: &'a str,
    /// How many connections at most, but one at least to read and one to write; on SQLite how many readers.
    pub max_connections: u32,
    /// How long a request waits for a connection before it is told that we are overloaded.
    pub acquire_timeout: Duration,
}

/// An open database.
///
/// Some connections read and others write. SQLite has one that writes, for which writers queue in order: many writers
/// at once would only fight over the one lock there is. PostgreSQL has as many of the one kind as of the other.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) reader: Reads,
    pub(crate) writer: DatabaseConnection,
    pub(crate) cursor_key: CursorKey,
}

impl Store {
    /// Opens a database; a SQLite file is created when it is not there.
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
        let options = SqliteConnectOptions::from_str(location.url)
            .map_err(|error| StoreError::Unavailable(error.to_string()))?
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            // An acknowledged write survives a power loss, not only a crash of the process.
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(LOCK_WAIT)
            .pragma("cache_size", "-8000")
            .pragma("temp_store", "memory")
            .statement_cache_capacity(256);
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
        let writer = pool(1)
            .connect_with(options.clone())
            .await
            .map_err(|error| StoreError::Unavailable(error.to_string()))?;
        let readers = location.max_connections.clamp(1, 16);
        Ok(Self {
            reader: Reads::Sqlite(Lane::new(options, readers, location.acquire_timeout, None)),
            writer: SqlxSqliteConnector::from_sqlx_sqlite_pool(writer),
            cursor_key,
        })
    }

    fn open_postgres(location: &Location<'_>, cursor_key: CursorKey) -> Result<Self, StoreError> {
        let options = PgConnectOptions::from_str(location.url)
            .map_err(|error| StoreError::Unavailable(error.to_string()))?
            .application_name("fairlead")
            .statement_cache_capacity(512)
            .options([("lock_timeout", "5s"), ("statement_timeout", "30s"), ("timezone", "UTC")]);
        let readers = location.max_connections.div_ceil(2).max(1);
        let writers = location.max_connections.saturating_sub(readers).max(1);
        let lane = Lane::new(options.clone(), readers, location.acquire_timeout, Some(LIFETIME));
        let pool = PgPoolOptions::new()
            .max_connections(writers)
            .max_lifetime(LIFETIME)
            .acquire_timeout(location.acquire_timeout)
            // A round trip for each request would cost more than the rare request that meets a dead connection.
            .test_before_acquire(false)
            .connect_lazy_with(options);
        let writer = SqlxPostgresConnector::from_sqlx_postgres_pool(pool);
        Ok(Self { reader: Reads::Postgres(lane), writer, cursor_key })
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

    /// Applies the steps of the schema that are missing. Says how many there were.
    pub async fn migrate(&self) -> Result<usize, StoreError> {
        let pending = Migrator::get_pending_migrations(&self.writer).await?.len();
        if pending > 0 {
            Migrator::up(&self.writer, None).await?;
        }
        Ok(pending)
    }

    /// The names of the schema's steps, and whether each was applied.
    pub async fn migrations(&self) -> Result<Vec<(String, bool)>, StoreError> {
        let pending: Vec<String> = Migrator::get_pending_migrations(&self.writer)
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
        self.reader.one(Sql::new("SELECT epoch FROM organisation")).await?;
        Ok(())
    }

    /// Closes every connection.
    pub async fn close(&self) {
        self.reader.close().await;
        // What cannot be closed any more is closed by the end of the process.
        let _ = self.writer.close_by_ref().await;
    }
}

/// Whether a connection can be used again. When the disk is full or fails, SQLite ends the transaction by
/// itself. sqlx does not notice: it goes on counting it, and takes each transaction that follows for a part of
/// it, whose commit then commits nothing. Such a connection is closed.
async fn has_no_transaction(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    // A rollback that was only begun happens first.
    connection.ping().await?;
    Ok(!connection.is_in_transaction())
}
