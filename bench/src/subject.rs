//! What every measurement is told: which server, on which databases.

use std::path::PathBuf;

/// What is measured.
#[derive(clap::Args)]
pub(crate) struct Subject {
    /// The server's release build.
    #[arg(long)]
    pub(crate) server: PathBuf,
    /// A PostgreSQL server whose user may create databases.
    #[arg(long)]
    pub(crate) postgres_url: String,
    /// Only this database: `sqlite` or `postgres`.
    #[arg(long)]
    database: Option<String>,
}

impl Subject {
    /// Whether it is measured on this database.
    pub(crate) fn includes(&self, database: &str) -> bool {
        self.database.as_deref().is_none_or(|only| only == database)
    }
}
