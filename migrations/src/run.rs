//! One text for both databases: the few types that they name differently stand in braces.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// What each placeholder means on SQLite and on PostgreSQL.
///
/// SQLite keeps ids as blobs of 16 bytes and instants as text in UTC, which sorts by time.
const TYPES: [(&str, &str, &str); 6] = [
    ("{uuid}", "BLOB", "UUID"),
    ("{instant}", "TEXT", "TIMESTAMPTZ"),
    ("{date}", "TEXT", "DATE"),
    ("{json}", "TEXT", "JSONB"),
    ("{bytes}", "BLOB", "BYTEA"),
    // Case folding beyond ASCII is the application's: it stores normal forms where they are compared.
    ("{boolean}", "BOOLEAN", "BOOLEAN"),
];

/// Runs the statements of a text, each ended by `;` at the end of a line.
pub(crate) async fn run(manager: &SchemaManager<'_>, text: &str) -> Result<(), DbErr> {
    let sqlite = manager.get_database_backend() == DbBackend::Sqlite;
    let mut text = text.to_owned();
    for (placeholder, on_sqlite, on_postgres) in TYPES {
        text = text.replace(placeholder, if sqlite { on_sqlite } else { on_postgres });
    }
    for statement in text.split(";\n").map(str::trim).filter(|statement| !statement.is_empty()) {
        manager.get_connection().execute_unprepared(statement).await?;
    }
    Ok(())
}
