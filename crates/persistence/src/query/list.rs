//! From a [`ListRequest`] to SQL: filters, search, order and the keyset of the page.

use sea_orm::Value;

use super::cursor::{self, CursorKey};
use super::listing::{Condition, Kind, ListRequest, Operator, Sort};
use super::predicate::Predicate;
use crate::sql::Sql;
use crate::stored::Kept;
use fairlead_domain::error::Refusal;

/// Counting stops here: beyond it nobody reads the figure, and it costs a scan.
const COUNT_LIMIT: u64 = 10_000;

/// One page of records.
#[derive(Debug)]
pub struct Slice<T> {
    /// The records.
    pub records: Vec<T>,
    /// Where to go on, if there is more.
    pub next_cursor: Option<String>,
    /// How many there are, if that was asked.
    pub total: Option<String>,
}

/// What of a table a caller may see.
#[derive(Debug)]
pub struct Visible {
    /// Which rows.
    pub rows: Predicate,
    /// Whether contact data of records without owner is hidden, so that no filter may tell it.
    pub hides_pool_contact_data: bool,
}

impl From<Predicate> for Visible {
    fn from(rows: Predicate) -> Self {
        Self { rows, hides_pool_contact_data: false }
    }
}

pub(crate) fn conditions(sql: &mut Sql, request: &ListRequest, visible: &Visible) {
    sql.push(" WHERE ");
    visible.rows.write(sql);
    further(sql, &request.conditions, visible);
    for group in &request.groups {
        // Without alternatives it is what a query says: in the same words it has the same plan.
        if let [only] = group.as_slice() {
            further(sql, only, visible);
        } else {
            either(sql, group, visible);
        }
    }
    if let Some(text) = &request.search {
        sql.push(" AND (");
        for (at, column) in request.listing.search.iter().enumerate() {
            sql.push(if at == 0 { "" } else { " OR " });
            like(sql, column, &format!("%{}%", escape(text)));
        }
        sql.push(")");
    }
}

/// Conditions that hold besides.
fn further(sql: &mut Sql, conditions: &[Condition], visible: &Visible) {
    for condition in conditions {
        sql.push(" AND ");
        write_masked(sql, condition, visible);
    }
}

/// Filters of which one holds besides.
fn either(sql: &mut Sql, filters: &[Vec<Condition>], visible: &Visible) {
    for (at, filter) in filters.iter().enumerate() {
        sql.push(if at == 0 { " AND (" } else { " OR " });
        for (at, condition) in filter.iter().enumerate() {
            sql.push(if at == 0 { "(" } else { " AND " });
            write_masked(sql, condition, visible);
        }
        sql.push(")");
    }
    sql.push(")");
}

/// The rows of a page, and one more that tells whether there is another page.
pub(crate) fn page<T: Kept>(
    sql: &mut Sql,
    request: &ListRequest,
    visible: &Visible,
    key: &CursorKey,
) -> Result<(), Refusal> {
    let table = T::table();
    sql.push(&table.selection).push(" FROM ").push(table.name);
    conditions(sql, request, visible);
    if let Some(text) = &request.cursor {
        let after = cursor::open(key, text, request)?;
        sql.push(" AND ");
        beyond(sql, &request.sort, &after);
    }
    sql.push(" ORDER BY ");
    for sort in &request.sort {
        sql.push(sort.field.column).push(direction(sort.descending));
        sql.push(if sort.field.nullable { " NULLS LAST, " } else { ", " });
    }
    sql.push("id").push(direction(ties_descend(&request.sort)));
    sql.push(&format!(" LIMIT {}", request.limit + 1));
    Ok(())
}

pub(crate) fn count<T: Kept>(sql: &mut Sql, request: &ListRequest, visible: &Visible) {
    sql.push(&format!("COUNT(*) FROM (SELECT 1 FROM {}", T::table().name));
    conditions(sql, request, visible);
    sql.push(&format!(" LIMIT {}) AS counted", COUNT_LIMIT + 1));
}

pub(crate) fn counted(rows: i64) -> String {
    if u64::try_from(rows).is_ok_and(|rows| rows > COUNT_LIMIT) {
        format!("{COUNT_LIMIT}+")
    } else {
        rows.to_string()
    }
}

/// Cuts the surplus row off and says where to go on.
pub(crate) fn slice<T: Kept>(mut records: Vec<T>, request: &ListRequest, key: &CursorKey) -> Slice<T> {
    let limit = usize::try_from(request.limit).unwrap_or(usize::MAX);
    let more = records.len() > limit;
    records.truncate(limit);
    let next_cursor = records.last().filter(|_| more).map(|last| {
        let mut values = Vec::new();
        last.put(&mut values);
        let columns = &T::table().columns;
        let of = |name: &str| {
            let at = columns.iter().position(|column| column == name);
            at.map_or(Value::Bool(None), |at| values[at].clone())
        };
        let after: Vec<Value> =
            request.sort.iter().map(|sort| of(sort.field.column)).chain([of("id")]).collect();
        cursor::seal(key, &after, request)
    });
    Slice { records, next_cursor, total: None }
}

const fn direction(descending: bool) -> &'static str {
    if descending { " DESC" } else { "" }
}

fn ties_descend(sort: &[Sort]) -> bool {
    sort.last().is_some_and(|sort| sort.descending)
}

/// Rows after a row with these values: `(a > x) OR (a = x AND b > y) OR ...`, with the id last.
fn beyond(sql: &mut Sql, sort: &[Sort], after: &[Value]) {
    let id_descends = ties_descend(sort);
    if let ([only], [value, id]) = (sort, after)
        && !only.field.nullable
    {
        // One row comparison, which an index answers from its middle.
        sql.push(&format!("({}, id) {} (", only.field.column, if only.descending { "<" } else { ">" }));
        sql.bind(value.clone()).push(", ").bind(id.clone()).push(")");
        return;
    }
    let columns: Vec<(&str, bool, bool)> = sort
        .iter()
        .map(|sort| (sort.field.column, sort.descending, sort.field.nullable))
        .chain([("id", id_descends, false)])
        .collect();
    sql.push("(FALSE");
    for last in 0..columns.len() {
        let (column, descends, nullable) = columns[last];
        // Absent values come last: nothing of this column follows one.
        if absent(&after[last]) {
            continue;
        }
        sql.push(" OR (");
        for at in 0..last {
            let name = columns[at].0;
            if absent(&after[at]) {
                sql.push(&format!("{name} IS NULL AND "));
            } else {
                sql.push(&format!("{name} = ")).bind(after[at].clone()).push(" AND ");
            }
        }
        sql.push(&format!("({column} {} ", if descends { "<" } else { ">" })).bind(after[last].clone());
        if nullable {
            sql.push(&format!(" OR {column} IS NULL"));
        }
        sql.push("))");
    }
    sql.push(")");
}

fn absent(value: &Value) -> bool {
    matches!(
        value,
        Value::String(None)
            | Value::BigInt(None)
            | Value::Bool(None)
            | Value::Uuid(None)
            | Value::ChronoDate(None)
            | Value::ChronoDateTimeUtc(None)
    )
}

/// A condition that is false of what the caller sees masked, whatever is kept there. What hides it stands beside the
/// condition itself: among alternatives it takes away this one only, and no other tells whether it would have held.
fn write_masked(sql: &mut Sql, condition: &Condition, visible: &Visible) {
    sql.push("(");
    write_condition(sql, condition);
    if condition.field.sensitive && visible.hides_pool_contact_data {
        sql.push(" AND owner_id IS NOT NULL");
    }
    sql.push(")");
}

fn write_condition(sql: &mut Sql, condition: &Condition) {
    let column = condition.field.key(condition.operator).map_or(condition.field.column, |key| key.column);
    if let Kind::Money(currency_column) = condition.field.kind
        && condition.operator != Operator::IsNull
    {
        for value in &condition.values {
            sql.push(&format!("{currency_column} = ")).bind(value[1].clone()).push(" AND ");
        }
    }
    if matches!(condition.field.kind, Kind::Tags) {
        return write_labels(sql, condition);
    }
    let values = || condition.values.iter().map(|value| value[0].clone());
    let compare = |sql: &mut Sql, operator: &str| {
        for value in values() {
            sql.push(&format!("{column} {operator} ")).bind(value);
        }
    };
    match condition.operator {
        Operator::Equals => {
            sql.push(&format!("{column} IN (")).bind_list(values()).push(")");
        }
        Operator::Not => {
            sql.push(&format!("({column} IS NULL OR {column} NOT IN (")).bind_list(values()).push("))");
        }
        Operator::Gt => compare(sql, ">"),
        Operator::Gte => compare(sql, ">="),
        Operator::Lt => compare(sql, "<"),
        Operator::Lte => compare(sql, "<="),
        Operator::Contains | Operator::Prefix => {
            let before = if condition.operator == Operator::Contains { "%" } else { "" };
            for value in values() {
                if let Value::String(Some(text)) = value {
                    like(sql, column, &format!("{before}{}%", escape(&text)));
                }
            }
        }
        Operator::IsNull => {
            let yes = condition.values.iter().any(|value| value[0] == Value::Bool(Some(true)));
            sql.push(&format!("{column} IS {}NULL", if yes { "" } else { "NOT " }));
        }
    }
}

/// Both databases write a list of labels with each in quotes, and know `REPLACE`; neither keeps an index of them.
fn write_labels(sql: &mut Sql, condition: &Condition) {
    let column = condition.field.column;
    sql.push(if condition.operator == Operator::Not { "NOT (FALSE" } else { "(FALSE" });
    for value in &condition.values {
        sql.push(&format!(" OR REPLACE(CAST({column} AS TEXT), ")).bind(value[0].clone());
        sql.push(&format!(", '') <> CAST({column} AS TEXT)"));
    }
    sql.push(")");
}

fn like(sql: &mut Sql, column: &str, pattern: &str) {
    sql.push(&format!("LOWER({column}) LIKE LOWER(")).bind(pattern.to_owned()).push(r") ESCAPE '\'");
}

fn escape(text: &str) -> String {
    text.replace('\\', r"\\").replace('%', r"\%").replace('_', r"\_")
}
