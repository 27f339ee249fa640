//! The one way to keep a record: its table, its columns in order, and the statements they make.

use fairlead_domain::record::Record;
use sea_orm::Value;
use serde::Serialize;

use crate::member::Member;

/// Something that is read from a table.
pub trait Kept: Member {
    /// The table and its statements.
    fn table() -> &'static Table;
}

/// A record that is written as well. [`stored!`](crate::stored) declares it.
pub trait Stored: Kept + Record + Serialize + Clone {
    /// The values of [`Table::derived`]: normal forms by which the database compares.
    fn derived(&self) -> Vec<Value> {
        Vec::new()
    }
}

/// A record's table and its statements, made once.
#[derive(Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// The columns of the record's members, in order.
    pub columns: Vec<String>,
    /// Columns that are computed from them when a record is written.
    pub derived: &'static [&'static str],
    /// The columns for a `SELECT`, each with the table's name before it.
    pub(crate) selection: String,
    /// An insert up to where its rows follow.
    pub(crate) into: String,
    pub(crate) insert: String,
    pub(crate) update: String,
    pub(crate) delete: String,
}

impl Table {
    /// Makes the statements of a record type.
    pub fn of<T: Member>(name: &'static str, derived: &'static [&'static str]) -> Self {
        let mut columns = Vec::new();
        T::columns("", &mut columns);
        let written: Vec<&str> = columns.iter().map(String::as_str).chain(derived.iter().copied()).collect();
        let places: Vec<String> = (1..=written.len()).map(|at| format!("${at}")).collect();
        let into = format!("INSERT INTO {name} ({}) VALUES ", written.join(", "));
        let insert = format!("{into}({})", places.join(", "));
        let changes: Vec<String> =
            written.iter().zip(&places).map(|(column, place)| format!("{column} = {place}")).collect();
        // The id is the first member of every record, so the first place holds it.
        let expected = written.len() + 1;
        let update =
            format!("UPDATE {name} SET {} WHERE id = $1 AND version = ${expected}", changes[1..].join(", "));
        let delete = format!("DELETE FROM {name} WHERE id = $1 AND version = $2");
        let qualified: Vec<String> = columns.iter().map(|column| format!("{name}.{column}")).collect();
        let selection = qualified.join(", ");
        Self { name, columns, derived, selection, into, insert, update, delete }
    }
}

/// The values of an insert or update.
pub(crate) fn values<T: Stored>(record: &T) -> Vec<Value> {
    let mut values = Vec::with_capacity(T::table().columns.len() + 4);
    record.put(&mut values);
    values.extend(record.derived());
    values
}

/// Declares the table of something whose members are declared already.
macro_rules! kept {
    ($type:ty, $table:literal $(, $derived:literal)*) => {
        impl $crate::stored::Kept for $type {
            fn table() -> &'static $crate::stored::Table {
                static TABLE: std::sync::LazyLock<$crate::stored::Table> =
                    std::sync::LazyLock::new(|| $crate::stored::Table::of::<$type>($table, &[$($derived),*]));
                &TABLE
            }
        }
    };
}
pub(crate) use kept;

/// Declares how a record is kept: its table and its members in the order of the columns, `id` first.
macro_rules! stored {
    ($type:ty, $table:literal { $($member:ident),+ $(,)? } $(derived { $($column:literal = $value:expr),+ $(,)? })?) => {
        $crate::member::members!($type { $($member),+ });
        $crate::stored::kept!($type, $table $(, $($column),+)?);
        impl $crate::stored::Stored for $type {
            $(
                fn derived(&self) -> Vec<sea_orm::Value> {
                    vec![$({ let value: fn(&$type) -> Option<String> = $value; value(self).into() }),+]
                }
            )?
        }
    };
}
pub(crate) use stored;
