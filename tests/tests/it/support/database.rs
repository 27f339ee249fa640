use std::fmt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, UNIX_EPOCH};

use sqlx::error::ErrorKind;
use sqlx::{Connection, Executor, Row};

use super::server::{binary, command};

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
        })
    }
}

/// A database of one test's own, removed with it.
#[derive(Debug)]
pub struct Database {
    pub kind: Kind,
    pub url: String,
    folder: tempfile::TempDir,
    name: String,
    altered: AtomicBool,
}

fn postgres_url() -> String {
    std::env::var("FAIRLEAD_TEST_POSTGRES_URL")
        .expect("FAIRLEAD_TEST_POSTGRES_URL is not set: run `cargo xtask test`, or see CONTRIBUTING.md")
}

/// A connection to a database past the server.
pub enum Direct {
    Sqlite(sqlx::SqliteConnection),
    Postgres(sqlx::PgConnection),
}

impl Direct {
    /// Runs statements, with `;` between them.
    pub async fn run(&mut self, text: &str) {
        let text = sqlx::AssertSqlSafe(text.to_owned());
        match self {
            Self::Sqlite(connection) => drop(connection.execute(text).await.unwrap()),
            Self::Postgres(connection) => drop(connection.execute(text).await.unwrap()),
        }
    }

    /// Runs statements that may be refused, and answers with the kind of constraint that refuses them.
    pub async fn refusal(&mut self, text: &str) -> Option<ErrorKind> {
        let text = sqlx::AssertSqlSafe(text.to_owned());
        let outcome = match self {
            Self::Sqlite(connection) => connection.execute(text).await.map(drop),
            Self::Postgres(connection) => connection.execute(text).await.map(drop),
        };
        outcome.err().map(|error| match error {
            sqlx::Error::Database(error) => error.kind(),
            other => panic!("{other}"),
        })
    }

    /// The one number that a question answers with.
    pub async fn number(&mut self, text: &str) -> i64 {
        let text = sqlx::AssertSqlSafe(text.to_owned());
        match self {
            Self::Sqlite(connection) => sqlx::query_scalar(text).fetch_one(connection).await.unwrap(),
            Self::Postgres(connection) => sqlx::query_scalar(text).fetch_one(connection).await.unwrap(),
        }
    }

    /// What a statement that explains another one answers with, in lines.
    pub async fn plan(&mut self, text: &str) -> String {
        let text = sqlx::AssertSqlSafe(text.to_owned());
        let lines: Vec<String> = match self {
            Self::Sqlite(connection) => {
                let rows = connection.fetch_all(text).await.unwrap();
                rows.iter().map(|row| row.get("detail")).collect()
            }
            Self::Postgres(connection) => {
                let rows = connection.fetch_all(text).await.unwrap();
                rows.iter().map(|row| row.get(0)).collect()
            }
        };
        lines.join("\n")
    }

    /// Begins a transaction that keeps others from writing what the question selects; on SQLite, from writing at all.
    pub async fn hold(&mut self, question: &str) {
        match self {
            Self::Sqlite(_) => self.run("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE").await,
            Self::Postgres(_) => self.run(&format!("BEGIN; {question} FOR UPDATE")).await,
        }
    }

    /// Waits until a request waits for what is held.
    pub async fn until_somebody_waits(&mut self) {
        self.until_so_many_wait(1).await;
    }

    /// Waits until so many requests wait, for what is held or for each other.
    pub async fn until_so_many_wait(&mut self, many: i64) {
        let waiting = "SELECT count(*) FROM pg_stat_activity \
                       WHERE datname = current_database() AND wait_event_type = 'Lock'";
        match self {
            // It cannot be seen; a request is soon there.
            Self::Sqlite(_) => tokio::time::sleep(Duration::from_millis(700)).await,
            Self::Postgres(_) => {
                let begun = Instant::now();
                while self.number(waiting).await < many {
                    assert!(begun.elapsed() < Duration::from_secs(4), "nobody waits");
                    tokio::time::sleep(Duration::from_millis(10)).await;
                }
            }
        }
    }
}

/// How the names of databases begin that others are copied from.
const MIGRATED: &str = "fairlead_test_migrated_";

/// What the database is called that others are copied from: another one for each build of the server.
fn migrated_name() -> String {
    let built = std::fs::metadata(binary()).unwrap().modified().unwrap();
    format!("{MIGRATED}{}", built.duration_since(UNIX_EPOCH).unwrap().as_nanos())
}

async fn migrate(database: &Database) {
    let migrated = command(database, &["migrate"]).output().await.unwrap();
    assert!(migrated.status.success(), "{}", String::from_utf8_lossy(&migrated.stderr));
    let whole = match database.kind {
        // What is in the log only is not copied.
        Kind::Sqlite => "PRAGMA wal_checkpoint(TRUNCATE)",
        Kind::Postgres => "",
    };
    database.connect().await.run(&format!("DELETE FROM signing_keys; {whole}")).await;
}

impl Database {
    /// A connection past the server.
    pub async fn connect(&self) -> Direct {
        match self.kind {
            Kind::Sqlite => Direct::Sqlite(sqlx::SqliteConnection::connect(&self.url).await.unwrap()),
            Kind::Postgres => Direct::Postgres(sqlx::PgConnection::connect(&self.url).await.unwrap()),
        }
    }

    /// How a statement writes an id.
    pub fn id(&self, id: &str) -> String {
        match self.kind {
            Kind::Sqlite => format!("X'{}'", id.replace('-', "")),
            Kind::Postgres => format!("'{id}'"),
        }
    }

    /// A copy with its files, which nobody may be using.
    pub async fn copy(&self) -> Self {
        let copy = Self::create_from(self.kind, &self.name).await;
        let (from, to) = (self.folder().join("fairlead-files"), copy.folder().join("fairlead-files"));
        std::fs::create_dir_all(&to).unwrap();
        for file in std::fs::read_dir(from).into_iter().flatten() {
            let file = file.unwrap();
            std::fs::copy(file.path(), to.join(file.file_name())).unwrap();
        }
        if self.kind == Kind::Sqlite {
            std::fs::copy(self.folder().join("fairlead.db"), copy.folder().join("fairlead.db")).unwrap();
        }
        copy
    }

    /// An empty one.
    pub async fn create(kind: Kind) -> Self {
        Self::create_from(kind, "template0 ENCODING 'UTF8' LOCALE_PROVIDER libc LOCALE 'C'").await
    }

    /// One with the schema and nothing else: not even keys, which each server makes itself. The first test that needs one
    /// migrates it, and what it got is kept to be copied: to make every table anew would be a third of what many tests
    /// do.
    pub async fn migrated(kind: Kind) -> Self {
        match kind {
            Kind::Sqlite => Self::migrated_sqlite().await,
            Kind::Postgres => Self::migrated_postgres().await,
        }
    }

    async fn migrated_sqlite() -> Self {
        let (folder, name) = (Path::new(env!("CARGO_TARGET_TMPDIR")), migrated_name());
        let kept = folder.join(format!("{name}.db"));
        let database = Self::create(Kind::Sqlite).await;
        let file = database.folder().join("fairlead.db");
        if std::fs::copy(&kept, &file).is_err() {
            migrate(&database).await;
            for file in std::fs::read_dir(folder).unwrap().flatten() {
                let of = file.file_name().to_string_lossy().into_owned();
                if of.starts_with(MIGRATED) && !of.starts_with(&name) {
                    let _ = std::fs::remove_file(file.path());
                }
            }
            // Whoever looks meanwhile finds the whole file or none.
            let half = kept.with_extension(&database.name);
            std::fs::copy(&file, &half).unwrap();
            std::fs::rename(&half, &kept).unwrap();
        }
        database
    }

    async fn migrated_postgres() -> Self {
        let kept = migrated_name();
        let mut server = sqlx::PgConnection::connect(&postgres_url()).await.unwrap();
        let names = sqlx::query_scalar("SELECT datname FROM pg_database WHERE datname LIKE $1");
        let known: Vec<String> = names.bind(format!("{MIGRATED}%")).fetch_all(&mut server).await.unwrap();
        if !known.contains(&kept) {
            let first = Self::create(Kind::Postgres).await;
            migrate(&first).await;
            let old = known.iter().map(|old| format!("DROP DATABASE IF EXISTS {old}"));
            for text in old.chain([format!("CREATE DATABASE {kept} TEMPLATE {}", first.name)]) {
                // Another test may have been faster.
                let _ = server.execute(sqlx::AssertSqlSafe(text)).await;
            }
        }
        Self::create_from(Kind::Postgres, &kept).await
    }

    /// On PostgreSQL it begins as what another one is, perhaps in another locale.
    pub async fn create_from(kind: Kind, template: &str) -> Self {
        let folder = tempfile::Builder::new().prefix("fairlead-test-").tempdir().unwrap();
        let name = format!("fairlead_test_{}", uuid::Uuid::from_u128(rand::random()).simple());
        let url = match kind {
            Kind::Sqlite => format!("sqlite:{}", folder.path().join("fairlead.db").display()),
            Kind::Postgres => {
                let server = postgres_url();
                let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
                // Its files are copied. By default each page goes through the log, which takes twice as long.
                let text = format!("CREATE DATABASE {name} TEMPLATE {template} STRATEGY file_copy");
                connection.execute(sqlx::AssertSqlSafe(text)).await.unwrap();
                let (before, after) = server.split_once('?').unwrap_or((&server, ""));
                let (host, _) = before.rsplit_once('/').unwrap();
                format!("{host}/{name}?{after}")
            }
        };
        Self { kind, url, folder, name, altered: AtomicBool::new(false) }
    }

    /// Rows are changed behind the server's back: they are no longer what the audit trail says.
    pub fn note_altered(&self) {
        self.altered.store(true, Ordering::Relaxed);
    }

    /// Whether rows were changed behind the server's back.
    pub fn is_altered(&self) -> bool {
        self.altered.load(Ordering::Relaxed)
    }

    /// Changes rows behind the server's back, to let time have passed. `$1` in the text is the id.
    pub async fn alter(&self, text: &str, id: &str) {
        self.note_altered();
        let id = id.parse::<uuid::Uuid>().unwrap();
        match self.kind {
            Kind::Sqlite => {
                let mut connection = sqlx::SqliteConnection::connect(&self.url).await.unwrap();
                let text = sqlx::AssertSqlSafe(text.to_owned());
                sqlx::query(text).bind(id).execute(&mut connection).await.unwrap();
            }
            Kind::Postgres => {
                let mut connection = sqlx::PgConnection::connect(&self.url).await.unwrap();
                let text = sqlx::AssertSqlSafe(text.to_owned());
                sqlx::query(text).bind(id).execute(&mut connection).await.unwrap();
            }
        }
    }

    /// The instant so many days and hours ago, as SQL of this database.
    pub fn ago(&self, days: i64, hours: i64) -> String {
        self.instant(-chrono::Duration::days(days) - chrono::Duration::hours(hours))
    }

    /// The instant that is this far from now, as SQL of this database.
    pub fn instant(&self, away: chrono::Duration) -> String {
        let now = UNIX_EPOCH.elapsed().unwrap().as_millis();
        let now = chrono::DateTime::from_timestamp_millis(i64::try_from(now).unwrap()).unwrap();
        let at = now + away;
        let text = at.to_rfc3339_opts(chrono::SecondsFormat::Millis, false);
        match self.kind {
            Kind::Sqlite => format!("'{text}'"),
            Kind::Postgres => format!("'{text}'::timestamptz"),
        }
    }

    /// The database's name on its server.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// A connection to the server of a PostgreSQL database, not to the database itself.
    pub async fn cluster(&self) -> sqlx::PgConnection {
        sqlx::PgConnection::connect(&postgres_url()).await.unwrap()
    }

    /// A folder that is removed with the database.
    pub fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        // It is about to be gone, and answers name no causes.
        if std::thread::panicking()
            && let Ok(log) = std::fs::read_to_string(self.folder().join("server.log"))
        {
            let lines: Vec<&str> = log.lines().collect();
            eprintln!("the end of the server's log:\n{}", lines[lines.len().saturating_sub(20)..].join("\n"));
        }
        if self.kind == Kind::Sqlite {
            return;
        }
        let name = self.name.clone();
        // A thread of its own: this may run inside a runtime, which cannot be blocked.
        let removed = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                if let Ok(mut connection) = sqlx::PgConnection::connect(&postgres_url()).await {
                    let drop = format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)");
                    let _ = connection.execute(sqlx::AssertSqlSafe(drop)).await;
                }
            });
        });
        let _ = removed.join();
    }
}
