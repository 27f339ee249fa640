//! Global search: an index of tokens, kept by the same transaction that keeps the record.
//!
//! PostgreSQL keeps it as `tsvector` with a GIN index, SQLite as an FTS5 table. Neither takes texts apart or knows
//! languages here: the domain did that (`fairlead_domain::search`), so that both find the same.

use fairlead_domain::record::{Record, RecordKind};
use fairlead_domain::search::{Condition, SearchEntry, Wanted};
use sea_orm::DbBackend;
use uuid::Uuid;

use crate::error::StoreError;
use crate::query::predicate::Predicate;
use crate::reader::Reader;
use crate::sql::Sql;
use crate::work::Work;

/// Records of one kind, as far as they may be found.
#[derive(Debug)]
pub struct Findable {
    /// Their kind.
    pub kind: RecordKind,
    /// Their table.
    pub table: &'static str,
    /// Which of them.
    pub visible: Predicate,
    /// Of which of these contact data counts.
    pub by_contact_data: Predicate,
}

/// Something that was found.
#[derive(Debug, Clone)]
pub struct Found {
    /// Its kind.
    pub kind: RecordKind,
    /// Its id.
    pub id: Uuid,
    /// What it is called.
    pub title: String,
    /// Its number, where it has one.
    pub number: Option<String>,
}

impl Work {
    /// Keeps what a record is found by in step with it.
    pub(crate) async fn index<T: Record>(
        &self,
        before: Option<&T>,
        after: Option<&T>,
    ) -> Result<(), StoreError> {
        let entry = after.and_then(T::search_entry);
        let former = before.and_then(T::search_entry);
        if entry == former {
            return Ok(());
        }
        let id = after.or(before).map(Record::id).unwrap_or_default();
        let Some(entry) = entry else {
            self.execute("DELETE FROM search_entries WHERE record_id = $1", vec![id.into()]).await?;
            return Ok(());
        };
        let text = "INSERT INTO search_entries (record_kind, record_id, title, number, words, contact_words) \
                    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (record_id) DO UPDATE SET title = excluded.title, \
                    number = excluded.number, words = excluded.words, contact_words = excluded.contact_words";
        let (words, contact_words) = (entry.words(), entry.contact_words());
        let SearchEntry { title, number, .. } = entry;
        let values = vec![
            T::KIND.as_str().into(),
            id.into(),
            title.into(),
            number.into(),
            words.into(),
            contact_words.into(),
        ];
        self.execute(text, values).await?;
        Ok(())
    }
}

impl Reader<'_> {
    /// What fits a condition and may be found, the youngest first.
    pub async fn find(
        &self,
        condition: &Condition,
        among: &[Findable],
        most: u64,
    ) -> Result<Vec<Found>, StoreError> {
        let backend = self.backend();
        self.rows(
            |sql| {
                sql.push("record_kind, record_id, title, number FROM search_entries WHERE ");
                fits(sql, backend, condition, Reach::Everything);
                sql.push(" AND (FALSE");
                for Findable { kind, table, visible, by_contact_data } in among {
                    sql.push(" OR (record_kind = ").bind(kind.as_str());
                    sql.push(&format!(
                        " AND EXISTS (SELECT 1 FROM {table} WHERE {table}.id = search_entries.record_id AND "
                    ));
                    visible.write(sql);
                    if !matches!(by_contact_data, Predicate::True) {
                        sql.push(" AND (");
                        by_contact_data.write(sql);
                        sql.push(" OR ");
                        fits(sql, backend, condition, Reach::WithoutContactData);
                        sql.push(")");
                    }
                    sql.push("))");
                }
                sql.push(&format!(") ORDER BY search_entries.id DESC LIMIT {most}"));
                Ok(())
            },
            |row| {
                Ok(Found {
                    kind: row.member()?,
                    id: row.column()?,
                    title: row.column()?,
                    number: row.column()?,
                })
            },
        )
        .await
    }
}

/// Which tokens are looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Reach {
    Everything,
    WithoutContactData,
}

/// The condition on a row of `search_entries`.
fn fits(sql: &mut Sql, backend: DbBackend, condition: &Condition, reach: Reach) {
    if backend == DbBackend::Postgres {
        let tokens = match reach {
            Reach::Everything => "search_entries.tokens",
            Reach::WithoutContactData => {
                "array_to_tsvector(array_remove(string_to_array(search_entries.words, ' '), ''))"
            }
        };
        sql.push(&format!("{tokens} @@ CAST(")).bind(expression(condition, &POSTGRES)).push(" AS tsquery)");
    } else {
        let columns = match reach {
            Reach::Everything => "",
            Reach::WithoutContactData => "words : ",
        };
        sql.push("search_entries.id IN (SELECT rowid FROM search_index WHERE search_index MATCH ");
        sql.bind(format!("{columns}({})", expression(condition, &SQLITE))).push(")");
    }
}

/// How a database writes conditions on tokens.
struct Notation {
    quote: char,
    and: &'static str,
    or: &'static str,
    beginning: &'static str,
}

const POSTGRES: Notation = Notation { quote: '\'', and: " & ", or: " | ", beginning: ":*" };
const SQLITE: Notation = Notation { quote: '"', and: " AND ", or: " OR ", beginning: "*" };

fn expression(condition: &Condition, notation: &Notation) -> String {
    // Tokens hold letters, digits, `~` and `=`: there is nothing to escape.
    let quoted = |token: &str| format!("{0}{token}{0}", notation.quote);
    let parts = condition.iter().map(|wanted| match wanted {
        Wanted::Token(token) => quoted(token),
        Wanted::Beginning(start) => quoted(start) + notation.beginning,
        Wanted::OneOf(some) => {
            let some: Vec<String> = some.iter().map(|token| quoted(token)).collect();
            format!("({})", some.join(notation.or))
        }
    });
    parts.collect::<Vec<_>>().join(notation.and)
}
