//! What can go wrong between a rule and the disk.

use std::time::Duration;

use fairlead_domain::error::{Code, Refusal};
use sea_orm::{DbErr, RuntimeErr};

/// How long the database may take to answer a statement. PostgreSQL gives one up sooner by itself
/// (`statement_timeout`): whatever takes longer has fallen silent, as behind a broken network.
pub(crate) const SILENCE: Duration = Duration::from_secs(35);

/// The answer of a statement, unless the database has fallen silent. Then its connection is not used again.
pub(crate) async fn answered<T, E>(statement: impl Future<Output = Result<T, E>>) -> Result<T, StoreError>
where
    StoreError: From<E>,
{
    within(SILENCE, statement).await
}

/// The answer of a statement, if it comes in time.
pub(crate) async fn within<T, E>(
    time: Duration,
    statement: impl Future<Output = Result<T, E>>,
) -> Result<T, StoreError>
where
    StoreError: From<E>,
{
    match tokio::time::timeout(time, statement).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(StoreError::Unavailable(format!("no answer within {} s", time.as_secs()))),
    }
}

/// A technical failure, or a fact that only the database can know for certain.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The caller's session has ended.
    #[error("the session has ended")]
    SessionEnded,
    /// The organisation changed since it was read; read it again and repeat.
    #[error("the organisation changed")]
    Stale,
    /// Another transaction was in the way; repeat this one.
    #[error("a concurrent transaction was in the way")]
    Conflict,
    /// A constraint says no: a unique value is taken, or something depends on the record.
    #[error("{0}")]
    Refused(Refusal),
    /// Another transaction held a lock for too long.
    #[error("waited too long for a lock: {0}")]
    Locked(String),
    /// The database is away, or too busy to answer in time.
    #[error("the database is not available: {0}")]
    Unavailable(String),
    /// What was stored cannot be read back: a fault of ours.
    #[error("stored data cannot be read: {0}")]
    Corrupt(String),
    /// Anything else: a fault of ours.
    #[error("the database failed: {0}")]
    Database(String),
}

impl StoreError {
    /// Whether to try again later.
    pub fn is_unavailable(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Locked(_) | Self::Stale | Self::Conflict)
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        let (DbErr::Exec(RuntimeErr::SqlxError(source)) | DbErr::Query(RuntimeErr::SqlxError(source))) =
            &error
        else {
            return match error {
                // Whatever the reason why there is no connection: the server may be there and still let nobody
                // into the database.
                DbErr::ConnectionAcquire(_) | DbErr::Conn(_) => Self::Unavailable(error.to_string()),
                other => Self::Database(other.to_string()),
            };
        };
        from_sqlx(source)
    }
}

impl From<sqlx::Error> for StoreError {
    fn from(error: sqlx::Error) -> Self {
        from_sqlx(&error)
    }
}

fn from_sqlx(error: &sqlx::Error) -> StoreError {
    match error {
        sqlx::Error::Database(source) => from_database(&**source),
        sqlx::Error::Io(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_)
        | sqlx::Error::Tls(_) => StoreError::Unavailable(error.to_string()),
        other => StoreError::Database(other.to_string()),
    }
}

fn from_database(error: &dyn sqlx::error::DatabaseError) -> StoreError {
    let message = error.message().to_owned();
    if error.is_unique_violation() {
        return unique(error.constraint().unwrap_or_default(), &message);
    }
    if error.is_foreign_key_violation() {
        let detail = "other records depend on this one, or one that it names is gone";
        return StoreError::Refused(Refusal::new(Code::InUse, detail));
    }
    // PostgreSQL's SQLSTATE, SQLite's extended result code; SQLite's primary code is the low byte.
    let code = error.code().unwrap_or_default();
    let primary = code.parse::<i32>().map(|code| code & 0xff);
    match (&*code, primary) {
        // Serialization failure, deadlock.
        ("40001" | "40P01", _) => StoreError::Conflict,
        // Waited too long for a lock.
        ("55P03", _) => StoreError::Locked(message),
        // Took too long or was cancelled; left a transaction open for too long.
        ("57014" | "25P03", _) => StoreError::Unavailable(message),
        // Shutting down, starting up, gone, out of connections, out of resources, disk full.
        (code, _) if code.len() == 5 && ["57P", "08", "53"].iter().any(|class| code.starts_with(class)) => {
            StoreError::Unavailable(message)
        }
        // Busy, locked, read-only, interrupted because it took too long, I/O error, disk full, cannot open.
        (code, Ok(5 | 6 | 8 | 9 | 10 | 13 | 14)) if code.len() < 5 => StoreError::Unavailable(message),
        _ => StoreError::Database(message),
    }
}

/// Unique facts, as PostgreSQL names the index and as SQLite names the columns, and the member they are about.
const UNIQUE: &[(&str, &str, &str)] = &[
    ("contracts_renewal_of_id", "contracts.renewal_of_id", "/renewal_of_id"),
    ("roles_key", "roles.key", "/key"),
    ("users_email_key", "users.email_key", "/email"),
    ("customers_registration_key", "customers.registration_key", "/registration_number"),
    ("contacts_primary", "contacts.customer_id", "/is_primary"),
    ("products_code_key", "products.code_key", "/code"),
    ("pipelines_default", "pipelines.is_default", "/is_default"),
    ("pools_default", "pools.is_default", "/is_default"),
    ("collaborators_customer_id", "collaborators.customer_id, collaborators.user_id", "/user_id"),
    ("tax_invoice_numbers_pkey", "tax_invoice_numbers.tax_invoice_key", "/tax_invoice_number"),
    (
        "targets_owner_id",
        "targets.owner_id, targets.month, targets.measure, targets.amount_currency",
        "/owner_id",
    ),
    (
        "targets_team_id",
        "targets.team_id, targets.month, targets.measure, targets.amount_currency",
        "/team_id",
    ),
    ("receipts_bank_reference", "receipts.method, receipts.bank_reference_key", "/bank_reference"),
    ("refunds_bank_reference", "refunds.method, refunds.bank_reference_key", "/bank_reference"),
    ("payments_bank_reference", "payments.method, payments.bank_reference_key", "/bank_reference"),
];

fn unique(constraint: &str, message: &str) -> StoreError {
    let sqlite = message.rsplit(": ").next().unwrap_or_default();
    match UNIQUE.iter().find(|(index, columns, _)| *index == constraint || *columns == sqlite) {
        Some((_, _, pointer)) => StoreError::Refused(Refusal::duplicate(pointer)),
        // A unique fact that the rules establish under a lock: whoever meets it here lost a race.
        None => StoreError::Conflict,
    }
}
