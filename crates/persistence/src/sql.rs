//! A statement in the making. Values are always bound, never written into the text; `$n` is understood by
//! both databases.

use std::time::Instant;

use sea_orm::{DbBackend, Statement, Value};
use uuid::Uuid;

/// Text with its bound values.
#[derive(Debug, Clone)]
pub struct Sql {
    text: String,
    values: Vec<Value>,
    planned_once: bool,
    broad: Option<Instant>,
}

impl Sql {
    /// Begins with a text.
    pub fn new(text: impl Into<String>) -> Self {
        Self::with(text, Vec::new())
    }

    /// Begins with a text whose `$n` are already in place.
    pub fn with(text: impl Into<String>, values: Vec<Value>) -> Self {
        Self { text: text.into(), values, planned_once: true, broad: None }
    }

    /// Adds text.
    pub fn push(&mut self, text: &str) -> &mut Self {
        self.text.push_str(text);
        self
    }

    /// Adds a value.
    pub fn bind(&mut self, value: impl Into<Value>) -> &mut Self {
        self.values.push(value.into());
        self.text.push('$');
        self.text.push_str(&self.values.len().to_string());
        self
    }

    /// Adds a value that no plan depends on, as what a question of its own answers. Where statistics were gathered, SQLite
    /// would otherwise prepare the statement anew each time that the value is bound (its `STAT4`), and PostgreSQL go on
    /// planning it for each value; that took ten times as long as running it.
    pub(crate) fn bind_unseen(&mut self, value: impl Into<Value>) -> &mut Self {
        self.push("(SELECT ").bind(value).push(")")
    }

    /// Adds values with commas between them.
    pub fn bind_list<V: Into<Value>>(&mut self, values: impl IntoIterator<Item = V>) -> &mut Self {
        for (at, value) in values.into_iter().enumerate() {
            if at > 0 {
                self.push(", ");
            }
            self.bind(value);
        }
        self
    }

    /// Says that the way to the rows depends on the values. PostgreSQL plans a statement that it was asked five times
    /// without looking at them, which for what a quarter of all records fit takes a second in place of some milliseconds.
    pub(crate) fn plan_each_time(&mut self) -> &mut Self {
        self.planned_once = false;
        self
    }

    /// Says that it may go through very much, by no fault of whoever asks: a few connections are for such statements. What
    /// it is a part of began at this moment, and does not wait anew for one with each of its statements.
    pub(crate) fn go_through_much(&mut self, begun: Instant) -> &mut Self {
        self.broad = Some(begun);
        self
    }

    /// Ends a statement that finds few of many rows by an index: those behind one in the order of their ids, not more
    /// than so many. Where it could, a database would go through the whole table in that order: so neither the place nor
    /// the order is written as the index of ids has it, and PostgreSQL is to see by the values how few there are.
    pub(crate) fn page_of_few(&mut self, after: Option<Uuid>, most: u64) -> &mut Self {
        if let Some(after) = after {
            self.push(" AND NOT (id <= ").bind(after).push(")");
        }
        self.push(&format!(" ORDER BY COALESCE(id, id) LIMIT {most}")).plan_each_time()
    }

    /// Whether its plan may be kept for other values.
    pub(crate) fn is_planned_once(&self) -> bool {
        self.planned_once
    }

    /// If it may go through very much: when that began which it is a part of.
    pub(crate) fn goes_through_much(&self) -> Option<Instant> {
        self.broad
    }

    pub(crate) fn into_parts(self) -> (String, Vec<Value>) {
        (self.text, self.values)
    }

    pub(crate) fn statement(self, backend: DbBackend) -> Statement {
        Statement::from_sql_and_values(backend, self.text, self.values)
    }
}
