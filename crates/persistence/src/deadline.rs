//! How long a statement may take.
//!
//! PostgreSQL counts by itself (`statement_timeout`). SQLite does not: it asks every so many steps whether to go on. So
//! a read that was given up ends at once there; on PostgreSQL it ends when its time is over.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use sqlx::{Database, Error, Postgres, Sqlite};

/// How many steps of SQLite's machine lie between two questions: well under a millisecond.
const STEPS: i32 = 20_000;

/// When the statement that runs on a connection has to end; none if it may take as long as it takes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deadline(Arc<Mutex<Option<Instant>>>);

impl Deadline {
    /// For the next statement.
    pub(crate) fn set(&self, end: Option<Instant>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = end;
    }

    fn is_over(&self) -> bool {
        let end = *self.0.lock().unwrap_or_else(PoisonError::into_inner);
        end.is_some_and(|end| end <= Instant::now())
    }
}

/// A database whose statements heed a deadline of ours, if it has none of its own.
pub(crate) trait Heeding: Database {
    /// From here on whatever runs on the connection ends when the deadline is over.
    fn heed(
        connection: &mut Self::Connection,
        deadline: &Deadline,
    ) -> impl Future<Output = Result<(), Error>> + Send;
}

impl Heeding for Postgres {
    async fn heed(_: &mut Self::Connection, _: &Deadline) -> Result<(), Error> {
        Ok(())
    }
}

impl Heeding for Sqlite {
    async fn heed(connection: &mut Self::Connection, deadline: &Deadline) -> Result<(), Error> {
        let deadline = deadline.clone();
        connection.lock_handle().await?.set_progress_handler(STEPS, move || !deadline.is_over());
        Ok(())
    }
}
