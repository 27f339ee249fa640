//! One text for both databases: the few types that they name differently stand in braces, and so does the database
//! before a statement that is for one of them only.

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

/// What each placeholder means on SQLite and on PostgreSQL.
///
/// SQLite keeps ids as blobs of 16 bytes and instants as text in UTC, which sorts by time.
const TYPES: [(&str, &str, &str); 7] = [
    ("{uuid}", "BLOB", "UUID"),
    ("{instant}", "TEXT", "TIMESTAMPTZ"),
    ("{date}", "TEXT", "DATE"),
    ("{json}", "TEXT", "JSONB"),
    ("{bytes}", "BLOB", "BYTEA"),
    // Case folding beyond ASCII is the application's: it stores normal forms where they are compared.
    ("{boolean}", "BOOLEAN", "BOOLEAN"),
    ("{serial}", "INTEGER PRIMARY KEY", "BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY"),
];

/// What a statement begins with that is for one database only: on SQLite, and on PostgreSQL.
const ONLY: [&str; 2] = ["{on sqlite}", "{on postgres}"];

/// Runs the statements of a text, each ended by `;` at the end of a line.
pub(crate) async fn run(manager: &SchemaManager<'_>, text: &str) -> Result<(), DbErr> {
    let sqlite = manager.get_database_backend() == DbBackend::Sqlite;
    let mut text = text.to_owned();
    for (placeholder, on_sqlite, on_postgres) in TYPES {
        text = text.replace(placeholder, if sqlite { on_sqlite } else { on_postgres });
    }
    let (ours, theirs) = if sqlite { (ONLY[0], ONLY[1]) } else { (ONLY[1], ONLY[0]) };
    for statement in text.split(";\n").map(without_comments) {
        let statement = statement.strip_prefix(ours).unwrap_or(&statement);
        if !statement.is_empty() && !statement.starts_with(theirs) {
            manager.get_connection().execute_unprepared(statement).await?;
        }
    }
    Ok(())
}

/// A statement without the lines before it that are comments.
fn without_comments(statement: &str) -> String {
    let lines = statement.trim().lines().skip_while(|line| line.starts_with("--") || line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}
