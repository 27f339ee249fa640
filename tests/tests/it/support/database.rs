use sqlx::{Connection, Executor};

/// Which database.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// A database of one test's own, removed with it.
#[derive(Debug)]
pub struct Database {
    pub kind: Kind,
    pub url: String,
    folder: tempfile::TempDir,
    name: String,
}

fn postgres_url() -> String {
    std::env::var("FAIRLEAD_TEST_POSTGRES_URL")
        .expect("FAIRLEAD_TEST_POSTGRES_URL is not set: run `cargo xtask test`, or see CONTRIBUTING.md")
}

impl Database {
    pub async fn create(kind: Kind) -> Self {
        let folder = tempfile::Builder::new().prefix("fairlead-test-").tempdir().unwrap();
        let name = format!("fairlead_test_{}", uuid::Uuid::from_u128(rand::random()).simple());
        let url = match kind {
            Kind::Sqlite => format!("sqlite:{}", folder.path().join("fairlead.db").display()),
            Kind::Postgres => {
                let server = postgres_url();
                let mut connection = sqlx::PgConnection::connect(&server).await.unwrap();
                connection.execute(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}"))).await.unwrap();
                let (before, after) = server.split_once('?').unwrap_or((&server, ""));
                let (host, _) = before.rsplit_once('/').unwrap();
                format!("{host}/{name}?{after}")
            }
        };
        Self { kind, url, folder, name }
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
