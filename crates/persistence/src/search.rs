//! Global search: an index of tokens, kept by the same transaction that keeps the record.
//!
//! PostgreSQL keeps it as `tsvector` with a GIN index, SQLite as an FTS5 table. Neither takes texts apart or knows
//! languages here: the domain did that (`fairlead_domain::search`), so that both find the same.

use fairlead_domain::record::{Record, RecordKind};
use fairlead_domain::search::{Condition, SearchEntry, Wanted};
use sea_orm::{DbBackend, Value};
use uuid::Uuid;

use crate::error::StoreError;
use crate::member::Row;
use crate::query::predicate::Predicate;
use crate::reader::Reader;
use crate::sql::Sql;
use crate::store::Store;
use crate::work::Work;

/// Records of one kind, as far as they may be found.
#[derive(Debug, Clone)]
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
    /// The tokens of its names and numbers, without those of contact data.
    pub words: String,
}

/// What is kept of a record, but for its id.
pub(crate) type Entry = [Option<String>; 5];

/// The columns of that, in order.
pub(crate) const ENTRY_COLUMNS: &str = "search_entries.record_kind, search_entries.title, search_entries.number, \
                                        search_entries.words, search_entries.contact_words";

/// What a record is found by; none where it is not looked for.
pub(crate) fn entry<T: Record>(record: &T) -> Option<Entry> {
    let entry = record.search_entry()?;
    let (words, contact_words) = (entry.words(), entry.contact_words());
    let SearchEntry { title, number, .. } = entry;
    Some([Some(T::KIND.as_str().to_owned()), Some(title), number, Some(words), Some(contact_words)])
}

/// What SQLite's index has of other tokens than the table: each token that it has counts for its letters and the space
/// behind it, each list of tokens in the table for as many less.
pub(crate) const OUT_OF_STEP: &str = "SELECT 'entry ' || CAST(id AS TEXT) || ': the index has other words' FROM (\
         SELECT doc AS id, LENGTH(term) + 1 AS size FROM search_vocabulary \
         UNION ALL SELECT id, -LENGTH(words) - 1 FROM search_entries WHERE words <> '' \
         UNION ALL SELECT id, -LENGTH(contact_words) - 1 FROM search_entries WHERE contact_words <> ''\
     ) AS sizes GROUP BY id HAVING SUM(size) <> 0";

impl Store {
    /// Whether the index has other words than the table. Only SQLite keeps the two apart.
    pub async fn is_index_out_of_step(&self) -> Result<bool, StoreError> {
        if self.backend() == DbBackend::Postgres {
            return Ok(false);
        }
        match self.reader.patiently(Sql::new(format!("{OUT_OF_STEP} LIMIT 1"))).await {
            Ok(rows) => Ok(!rows.is_empty()),
            Err(error) if error.is_unavailable() => Err(error),
            // One that is broken altogether cannot even be read.
            Err(_) => Ok(true),
        }
    }
}

impl Work {
    /// Makes SQLite's index anew. It is one statement, for which other writers wait: a second for a hundred thousand
    /// records.
    pub async fn rebuild_index(&self) -> Result<(), StoreError> {
        self.execute("INSERT INTO search_index (search_index) VALUES ('rebuild')", vec![]).await?;
        Ok(())
    }

    /// Keeps what a record is found by in step with it.
    pub(crate) async fn index<T: Record>(
        &self,
        before: Option<&T>,
        after: Option<&T>,
    ) -> Result<(), StoreError> {
        let (former, present) = (before.and_then(entry), after.and_then(entry));
        if present == former {
            return Ok(());
        }
        self.keep_entry(after.or(before).map(Record::id).unwrap_or_default(), present).await
    }

    /// Keeps what a record is found by.
    pub(crate) async fn keep_entry(&self, record: Uuid, entry: Option<Entry>) -> Result<(), StoreError> {
        let Some(entry) = entry else {
            self.execute("DELETE FROM search_entries WHERE record_id = $1", vec![record.into()]).await?;
            return Ok(());
        };
        let text = "INSERT INTO search_entries (record_id, record_kind, title, number, words, contact_words) \
                    VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (record_id) DO UPDATE SET \
                    record_kind = excluded.record_kind, title = excluded.title, number = excluded.number, \
                    words = excluded.words, contact_words = excluded.contact_words";
        let values = std::iter::once(Value::from(record)).chain(entry.map(Value::from));
        self.execute(text, values.collect()).await?;
        Ok(())
    }
}

/// What more records than these fit is common, and found by walking from the youngest of each kind on.
const FEW: u64 = 2000;
/// Whoever sees fewer records of a kind than these is told which of them fit by looking at each: what all the others are
/// called does not matter to them, and the youngest may all be somebody else's.
const NARROW: u64 = 10_000;

impl Reader<'_> {
    /// What fits a condition and may be found: of each kind the youngest, and so many at most. No kind crowds out
    /// another, however many of it fit.
    pub async fn find(
        &self,
        condition: &Condition,
        among: &[Findable],
        most: u64,
    ) -> Result<Vec<Found>, StoreError> {
        let found = |row: &mut Row| {
            Ok(Found {
                kind: row.member()?,
                id: row.column()?,
                title: row.column()?,
                number: row.column()?,
                words: row.column()?,
            })
        };
        // Of one kind alone, SQLite finds the youngest without knowing how many there are.
        let is_rare = match (self.backend(), among) {
            (DbBackend::Sqlite, [_]) => false,
            _ => self.is_rare(condition).await?,
        };
        if self.backend() == DbBackend::Sqlite {
            return self
                .rows(
                    |sql| {
                        sql.go_through_much(self.begun);
                        match among {
                            [_] => youngest_on_sqlite(sql, condition, among, (most, most)),
                            _ if is_rare => youngest_on_sqlite(sql, condition, among, (FEW, most)),
                            _ => each_on_sqlite(sql, condition, among, most),
                        }
                        Ok(())
                    },
                    found,
                )
                .await;
        }
        let ways = if is_rare { vec![Way::Hits; among.len()] } else { self.ways(among).await? };
        self.rows(
            |sql| {
                sql.go_through_much(self.begun);
                on_postgres(sql, condition, among, most, &ways);
                Ok(())
            },
            found,
        )
        .await
    }

    /// Whether a condition fits few records, whoever may see them.
    async fn is_rare(&self, condition: &Condition) -> Result<bool, StoreError> {
        let count = |sql: &mut Sql| {
            sql.go_through_much(self.begun);
            if self.backend() == DbBackend::Sqlite {
                sql.push("COUNT(*) FROM (SELECT rowid FROM search_index WHERE search_index MATCH ");
                sql.bind(format!("({})", expression(condition, &SQLITE)));
                sql.push(&format!(" LIMIT {}) AS hits", FEW + 1));
            } else {
                sql.plan_each_time()
                    .push("COUNT(*) FROM search_hits(CAST(")
                    .bind(expression(condition, &POSTGRES));
                sql.push(&format!(" AS tsquery), {})", FEW + 1));
            }
            Ok(())
        };
        let hits = self.number(count).await?;
        Ok(u64::try_from(hits).unwrap_or(0) <= FEW)
    }

    /// Where to begin among each kind with what is common.
    async fn ways(&self, among: &[Findable]) -> Result<Vec<Way>, StoreError> {
        let count = |sql: &mut Sql| {
            sql.go_through_much(self.begun).plan_each_time();
            for (at, Findable { table, visible, .. }) in among.iter().enumerate() {
                sql.push(if at == 0 { "" } else { ", " });
                sql.push(&format!("(SELECT COUNT(*) FROM (SELECT 1 FROM {table} WHERE "));
                visible.write(sql);
                sql.push(&format!(" LIMIT {NARROW}) AS seen)"));
            }
            Ok(())
        };
        let way = |row: &mut Row| {
            let seen = u64::try_from(row.column::<i64>()?).unwrap_or(0);
            Ok(if seen < NARROW { Way::Seen } else { Way::Youngest })
        };
        let each = |row: &mut Row| among.iter().map(|_| way(row)).collect::<Result<Vec<_>, StoreError>>();
        Ok(self.rows(count, each).await?.pop().unwrap_or_default())
    }
}

/// Where a search among the records of a kind begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// With what fits, which is rare.
    Hits,
    /// With what somebody sees, which is little.
    Seen,
    /// With the youngest.
    Youngest,
}

/// One walk from the youngest hit on, over all kinds, to so many hits; of these so many of each kind.
fn youngest_on_sqlite(sql: &mut Sql, condition: &Condition, among: &[Findable], (all, each): (u64, u64)) {
    sql.push("record_kind, record_id, title, number, words FROM (SELECT record_kind, record_id, title, number, words, id, ");
    sql.push("ROW_NUMBER() OVER (PARTITION BY record_kind ORDER BY id DESC) AS place FROM (");
    // What is numbered is collected first: else the planner numbers the whole table, kind by kind.
    sql.push("SELECT record_kind, record_id, title, number, words, search_entries.id AS id FROM search_entries WHERE ");
    fits(sql, DbBackend::Sqlite, condition, Reach::Everything);
    sql.push(" AND (");
    visible_on_sqlite(sql, condition, among);
    sql.push(&format!(
        ") ORDER BY search_entries.id DESC LIMIT {all}) AS hits) AS found WHERE place <= {each} ORDER BY id DESC"
    ));
}

/// A walk for each kind from its youngest record on, but one look into the index for all of them: the list of what
/// fits stands by itself (its `+` keeps it from being what is walked) and is made once.
fn each_on_sqlite(sql: &mut Sql, condition: &Condition, among: &[Findable], most: u64) {
    sql.push("found.record_kind, found.record_id, found.title, found.number, found.words FROM (");
    for (at, Findable { kind, .. }) in among.iter().enumerate() {
        sql.push(if at == 0 { "SELECT " } else { " UNION ALL SELECT " }).bind(kind.as_str()).push(" AS kind");
    }
    sql.push(
        ") AS kinds CROSS JOIN search_entries AS found WHERE found.id IN (SELECT search_entries.id FROM search_entries \
         WHERE search_entries.record_kind = kinds.kind AND +",
    );
    fits(sql, DbBackend::Sqlite, condition, Reach::Everything);
    sql.push(" AND (");
    visible_on_sqlite(sql, condition, among);
    sql.push(&format!(") ORDER BY search_entries.id DESC LIMIT {most}) ORDER BY found.id DESC"));
}

/// Which rows of `search_entries` somebody may find.
fn visible_on_sqlite(sql: &mut Sql, condition: &Condition, among: &[Findable]) {
    for (at, Findable { kind, table, visible, by_contact_data }) in among.iter().enumerate() {
        sql.push(if at == 0 { "" } else { " OR " });
        sql.push("(search_entries.record_kind = ").bind(kind.as_str());
        sql.push(&format!(
            " AND EXISTS (SELECT 1 FROM {table} WHERE {table}.id = search_entries.record_id AND "
        ));
        visible.write(sql);
        sql.push(")");
        by_contact(sql, condition, table, by_contact_data);
        sql.push(")");
    }
}

/// Kind by kind, each in its way. What may be seen is joined instead of asked for by `IN` and `EXISTS`: of these the
/// planner makes a list of all that somebody sees before it looks at the first hit.
fn on_postgres(sql: &mut Sql, condition: &Condition, among: &[Findable], most: u64, ways: &[Way]) {
    sql.plan_each_time().push("record_kind, record_id, title, number, words FROM (");
    for (at, (Findable { kind, table, visible, by_contact_data }, way)) in among.iter().zip(ways).enumerate()
    {
        sql.push(if at == 0 { "" } else { " UNION ALL " });
        sql.push("(SELECT record_kind, record_id, title, number, words, search_entries.id FROM (SELECT id AS record_id, (");
        by_contact_data.write(sql);
        sql.push(&format!(") AS by_contact_data FROM {table} WHERE "));
        visible.write(sql);
        // Behind `OFFSET` it is collected first, and not put behind the walk from the youngest on.
        sql.push(if *way == Way::Seen { " OFFSET 0" } else { "" });
        sql.push(") AS seen JOIN search_entries USING (record_id) WHERE record_kind = ");
        sql.bind(kind.as_str()).push(" AND ");
        if *way == Way::Hits {
            sql.push("search_entries.id IN (SELECT search_hits(CAST(").bind(expression(condition, &POSTGRES));
            sql.push(&format!(" AS tsquery), {}))", FEW + 1));
        } else {
            fits(sql, DbBackend::Postgres, condition, Reach::Everything);
        }
        sql.push(" AND (by_contact_data OR ");
        fits(sql, DbBackend::Postgres, condition, Reach::WithoutContactData);
        sql.push(&format!(") ORDER BY search_entries.id DESC LIMIT {most})"));
    }
    sql.push(") AS found ORDER BY id DESC");
}

/// Where contact data is hidden on SQLite, what fits must do so without it.
fn by_contact(sql: &mut Sql, condition: &Condition, table: &str, shown: &Predicate) {
    if matches!(shown, Predicate::True) {
        return;
    }
    sql.push(&format!(
        " AND (EXISTS (SELECT 1 FROM {table} WHERE {table}.id = search_entries.record_id AND "
    ));
    shown.write(sql);
    sql.push(") OR ");
    fits(sql, DbBackend::Sqlite, condition, Reach::WithoutContactData);
    sql.push(")");
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
            // "And" binds more tightly than "or" in both.
            let some: Vec<String> = some.iter().map(|one| expression(one, notation)).collect();
            format!("({})", some.join(notation.or))
        }
    });
    parts.collect::<Vec<_>>().join(notation.and)
}
