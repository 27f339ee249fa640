//! Conditions on rows, as data: what the domain says about visibility becomes SQL here and nowhere else.

use fairlead_domain::access::{Clause, ScopeFilter};
use sea_orm::Value;
use uuid::Uuid;

use crate::sql::Sql;

/// A condition on the rows of a table.
#[derive(Debug, Clone)]
pub enum Predicate {
    /// Every row.
    True,
    /// Rows within a scope. The column is the one with the customer that a row is or belongs to.
    Scope(&'static str, ScopeFilter),
    /// Rows that name, in this column, a row of another table for which the condition holds. The column is named with
    /// its table, and refers to the other one. How it is asked goes by how many rows the condition may hold for: a list
    /// of all customers would be made anew for each page of contacts.
    Through(&'static str, &'static str, Box<Predicate>),
    /// The same, asked anew of each row: where few rows are looked at, whatever the condition, or where the column may
    /// name what is not there.
    Each(&'static str, &'static str, Box<Predicate>),
    /// Rows that are named in this column of another table, by a row for which the condition holds.
    Named(&'static str, &'static str, Box<Predicate>),
    /// The column has this value.
    Is(&'static str, Value),
    /// The column has one of these ids.
    In(&'static str, Vec<Uuid>),
    /// The column's text fits a pattern of `LIKE`.
    Like(&'static str, String),
    /// The column has no value.
    IsNull(&'static str),
    /// The condition does not hold.
    Not(Box<Predicate>),
    /// All hold.
    All(Vec<Predicate>),
    /// One holds.
    Any(Vec<Predicate>),
}

impl Predicate {
    /// Records with these ids.
    pub fn ids(ids: impl IntoIterator<Item = Uuid>) -> Self {
        Self::In("id", ids.into_iter().collect())
    }

    /// The opposite.
    #[must_use]
    pub fn negate(self) -> Self {
        Self::Not(Box::new(self))
    }

    /// Of these rows those that have an owner. What has none is left out of the scope as well: otherwise all that is
    /// in the pool would be looked through, to be left out again.
    #[must_use]
    pub fn owned(self) -> Self {
        let scope = match self {
            Self::Scope(column, filter) => Self::Scope(column, filter.of_owned()),
            other => other,
        };
        Self::All(vec![scope, Self::IsNull("owner_id").negate()])
    }

    /// The same, asked anew of each row: for whoever goes through the rows in their order, and stops soon.
    #[must_use]
    pub(crate) fn each(&self) -> Self {
        let all = |parts: &[Self]| parts.iter().map(Self::each).collect();
        match self {
            Self::Through(column, table, inner) => Self::Each(column, table, inner.clone()),
            Self::Not(inner) => Self::Not(Box::new(inner.each())),
            Self::All(parts) => Self::All(all(parts)),
            Self::Any(parts) => Self::Any(all(parts)),
            other => other.clone(),
        }
    }

    /// The tables of which rows are listed before anything else is looked at, and the conditions on these.
    pub(crate) fn listed(&self) -> Vec<(&'static str, &Self)> {
        match self {
            Self::Through(_, table, inner) if !inner.is_broad() => vec![(*table, inner.as_ref())],
            Self::Not(inner) => inner.listed(),
            Self::All(parts) | Self::Any(parts) => parts.iter().flat_map(Self::listed).collect(),
            _ => Vec::new(),
        }
    }

    /// Adds the condition to a statement, in brackets.
    pub fn write(&self, sql: &mut Sql) {
        match self {
            Self::True => {
                sql.push("TRUE");
            }
            Self::Scope(column, filter) => scope(sql, column, filter),
            Self::Through(column, _, inner) if inner.is_true() => {
                sql.push(&format!("{column} IS NOT NULL"));
            }
            Self::Through(column, table, inner) if !inner.is_broad() => {
                sql.push(&format!("{column} IN (SELECT id FROM {table} WHERE "));
                inner.write(sql);
                sql.push(")");
            }
            Self::Through(column, table, inner) | Self::Each(column, table, inner) => {
                sql.push(&format!("EXISTS (SELECT 1 FROM {table} WHERE {table}.id = {column} AND "));
                inner.write(sql);
                sql.push(")");
            }
            Self::Named(column, table, inner) => {
                sql.push(&format!("id IN (SELECT {column} FROM {table} WHERE "));
                inner.write(sql);
                sql.push(")");
            }
            Self::Is(column, value) => {
                sql.push(&format!("{column} = ")).bind(value.clone());
            }
            Self::In(_, ids) if ids.is_empty() => {
                sql.push("FALSE");
            }
            Self::In(column, ids) => {
                sql.push(&format!("{column} IN (")).bind_list(ids.iter().copied()).push(")");
            }
            Self::Like(column, pattern) => {
                sql.push(&format!("{column} LIKE ")).bind(pattern.clone());
            }
            Self::IsNull(column) => {
                sql.push(&format!("{column} IS NULL"));
            }
            Self::Not(inner) => {
                sql.push("NOT (");
                inner.write(sql);
                sql.push(")");
            }
            Self::All(parts) => join(sql, parts.iter(), " AND ", "TRUE"),
            // An `OR FALSE` would keep SQLite from looking up each of the others by its index.
            Self::Any(parts) => join(sql, parts.iter().filter(|part| !part.is_false()), " OR ", "FALSE"),
        }
    }

    /// Whether every row fits, whatever the rows are.
    fn is_true(&self) -> bool {
        match self {
            Self::True | Self::Scope(_, ScopeFilter::All) => true,
            Self::All(parts) => parts.iter().all(Self::is_true),
            Self::Any(parts) => parts.iter().any(Self::is_true),
            _ => false,
        }
    }

    /// Whether most rows of a large table may fit.
    fn is_broad(&self) -> bool {
        match self {
            Self::True | Self::Not(_) => true,
            Self::Scope(_, filter) => filter.is_broad(),
            Self::All(parts) => parts.iter().all(Self::is_broad),
            Self::Any(parts) => parts.iter().any(Self::is_broad),
            Self::Through(..)
            | Self::Each(..)
            | Self::Named(..)
            | Self::Is(..)
            | Self::In(..)
            | Self::Like(..)
            | Self::IsNull(_) => false,
        }
    }

    /// Whether no row fits, whatever the rows are.
    fn is_false(&self) -> bool {
        match self {
            Self::In(_, ids) => ids.is_empty(),
            Self::Any(parts) => parts.iter().all(Self::is_false),
            _ => false,
        }
    }
}

fn join<'a>(sql: &mut Sql, parts: impl IntoIterator<Item = &'a Predicate>, word: &str, empty: &str) {
    let mut parts = parts.into_iter().enumerate().peekable();
    if parts.peek().is_none() {
        sql.push(empty);
        return;
    }
    for (at, part) in parts {
        sql.push(if at == 0 { "(" } else { word });
        part.write(sql);
    }
    sql.push(")");
}

/// The same answer as [`ScopeFilter::admits`] gives for one record.
fn scope(sql: &mut Sql, customer: &str, filter: &ScopeFilter) {
    let ScopeFilter::Any(clauses) = filter else {
        sql.push("TRUE");
        return;
    };
    if clauses.is_empty() {
        sql.push("FALSE");
        return;
    }
    for (at, clause) in clauses.iter().enumerate() {
        sql.push(if at == 0 { "(" } else { " OR " });
        match clause {
            Clause::OwnerIs(user) => {
                sql.push("owner_id = ").bind(user.0);
            }
            Clause::OwnerInTeams(teams) => {
                sql.push("owner_id IN (SELECT id FROM users WHERE team_id IN (");
                sql.bind_list(teams.iter().map(|team| team.0)).push("))");
            }
            Clause::Unowned => {
                sql.push("owner_id IS NULL");
            }
            Clause::InPools(pools) => {
                sql.push("(owner_id IS NULL AND pool_id IN (");
                sql.bind_list(pools.iter().map(|pool| pool.0)).push("))");
            }
            // A sharing lies dormant while the customer is in the pool.
            Clause::SharedCustomers(shared) => {
                sql.push(&format!("(owner_id IS NOT NULL AND {customer} IN ("));
                sql.bind_list(shared.iter().map(|customer| customer.0)).push("))");
            }
        }
    }
    sql.push(")");
}
