//! A database of the benchmark's own, and pools to it that are set like the server's.

use std::path::Path;
use std::str::FromStr;

use anyhow::{Context, Result};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, PgPool, SqlitePool};
use uuid::Uuid;

/// A new database; nothing is in it yet.
pub(crate) struct Database {
    /// How the figures name it.
    pub(crate) name: &'static str,
    /// Where it is.
    pub(crate) url: String,
    /// On PostgreSQL, the server and the database's name there.
    on_server: Option<(String, String)>,
}

impl Database {
    /// A file in a folder.
    pub(crate) fn sqlite(folder: &Path) -> Self {
        let url = format!("sqlite:{}", folder.join("fairlead.db").display());
        Self { name: "SQLite", url, on_server: None }
    }

    /// A database on a server, whose URL names another one.
    pub(crate) async fn postgres(server: &str) -> Result<Self> {
        let name = format!("fairlead_bench_{}", Uuid::now_v7().simple());
        let mut connection = PgConnection::connect(server).await.context("cannot reach PostgreSQL")?;
        let text = format!(
            "CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8' LOCALE_PROVIDER libc LOCALE 'C'"
        );
        connection.execute(AssertSqlSafe(text)).await?;
        let (before, after) = server.split_once('?').unwrap_or((server, ""));
        let (host, _) = before.rsplit_once('/').context("the server's URL names no database")?;
        Ok(Self {
            name: "PostgreSQL",
            url: format!("{host}/{name}?{after}"),
            on_server: Some((server.to_owned(), name)),
        })
    }

    /// Removes it from its server. A file goes with its folder.
    pub(crate) async fn remove(self) -> Result<()> {
        if let Some((server, name)) = self.on_server {
            let mut connection = PgConnection::connect(&server).await?;
            connection.execute(AssertSqlSafe(format!("DROP DATABASE {name} WITH (FORCE)"))).await?;
        }
        Ok(())
    }
}

/// Connections to a database.
pub(crate) enum Pools {
    /// Many that read, one that writes.
    Sqlite {
        /// For reads.
        reader: SqlitePool,
        /// For writes.
        writer: SqlitePool,
    },
    /// One pool for all.
    Postgres(PgPool),
}

/// Runs one text on either database: `$pool` is of another type in each arm.
macro_rules! on_reader {
    ($pools:expr, |$pool:ident| $body:expr) => {
        match $pools {
            $crate::database::Pools::Sqlite { reader: $pool, .. } => $body,
            $crate::database::Pools::Postgres($pool) => $body,
        }
    };
}

/// The same with the connection that may write.
macro_rules! on_writer {
    ($pools:expr, |$pool:ident| $body:expr) => {
        match $pools {
            $crate::database::Pools::Sqlite { writer: $pool, .. } => $body,
            $crate::database::Pools::Postgres($pool) => $body,
        }
    };
}
pub(crate) use {on_reader, on_writer};

impl Pools {
    /// As many connections as the server has, with its settings; but pooled, as one would usually do it.
    pub(crate) async fn open(url: &str, connections: u32) -> Result<Self> {
        if url.starts_with("sqlite:") {
            let options = SqliteConnectOptions::from_str(url)?
                .journal_mode(SqliteJournalMode::Wal)
                .synchronous(SqliteSynchronous::Full)
                .foreign_keys(true)
                .pragma("cache_size", "-8000")
                .pragma("temp_store", "memory")
                .statement_cache_capacity(256);
            let pool = |connections| {
                SqlitePoolOptions::new()
                    .max_connections(connections)
                    .test_before_acquire(false)
                    .idle_timeout(None)
                    .max_lifetime(None)
            };
            let writer = pool(1).connect_with(options.clone()).await?;
            return Ok(Self::Sqlite { reader: pool(connections).connect_lazy_with(options), writer });
        }
        let options = PgConnectOptions::from_str(url)?.statement_cache_capacity(512).options([
            ("lock_timeout", "5s"),
            ("statement_timeout", "30s"),
            ("timezone", "UTC"),
        ]);
        let pool = PgPoolOptions::new().max_connections(connections).test_before_acquire(false);
        Ok(Self::Postgres(pool.connect_lazy_with(options)))
    }

    /// Which engine it is, and how durable its writes are.
    pub(crate) async fn description(&self) -> Result<String> {
        Ok(match self {
            Self::Sqlite { writer, .. } => {
                let version: String = sqlx::query_scalar("SELECT sqlite_version()").fetch_one(writer).await?;
                format!("SQLite {version}, WAL, synchronous=FULL")
            }
            Self::Postgres(pool) => {
                let version: String = sqlx::query_scalar("SHOW server_version").fetch_one(pool).await?;
                let fsync: String = sqlx::query_scalar("SHOW fsync").fetch_one(pool).await?;
                let commit: String = sqlx::query_scalar("SHOW synchronous_commit").fetch_one(pool).await?;
                format!("PostgreSQL {version}, fsync={fsync}, synchronous_commit={commit}")
            }
        })
    }

    /// Leaves the database as one that has been in use for some time: PostgreSQL gathers statistics by itself, SQLite has
    /// none, since Fairlead does not ask for them.
    pub(crate) async fn settle(&self) -> Result<()> {
        match self {
            Self::Sqlite { writer, .. } => {
                writer.execute("PRAGMA wal_checkpoint(TRUNCATE)").await?;
            }
            Self::Postgres(pool) => {
                pool.execute("VACUUM ANALYZE").await?;
                pool.execute("CHECKPOINT").await.ok();
            }
        }
        Ok(())
    }

    /// Closes every connection.
    pub(crate) async fn close(self) {
        match self {
            Self::Sqlite { reader, writer } => {
                reader.close().await;
                writer.close().await;
            }
            Self::Postgres(pool) => pool.close().await,
        }
    }
}
