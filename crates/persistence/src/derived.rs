//! What follows from a record and is kept beside it: the normal forms that the database compares by, and what search
//! finds it by. It is written together with the record. Here the two are compared, and it is written anew where it
//! differs: somebody changed it past Fairlead, or a later version takes texts apart otherwise.

use fairlead_domain::catalogue::Product;
use fairlead_domain::contact::Contact;
use fairlead_domain::contract::Contract;
use fairlead_domain::customer::Customer;
use fairlead_domain::invoice::{CreditNote, Invoice};
use fairlead_domain::lead::Lead;
use fairlead_domain::opportunity::Opportunity;
use fairlead_domain::organisation::User;
use fairlead_domain::payment::{Payment, Refund};
use fairlead_domain::receipt::Receipt;
use fairlead_domain::record::RecordKind;
use sea_orm::{QueryResult, Value};
use uuid::Uuid;

use crate::error::StoreError;
use crate::member::Row;
use crate::query::predicate::Predicate;
use crate::search::{self, Entry};
use crate::sql::Sql;
use crate::store::Store;
use crate::stored::{Kept, Stored};
use crate::work::Work;

/// How many records are looked at together.
const BATCH: u64 = 200;

/// Some records of a kind, and what is kept beside them.
#[derive(Debug)]
pub struct Compared {
    /// The last of them.
    pub last: Uuid,
    /// How many there were.
    pub checked: u64,
    /// Those of which something else is kept than follows from them.
    pub off: Vec<Off>,
}

/// A record of which something else is kept than follows from it.
#[derive(Debug, Clone, Copy)]
pub struct Off {
    /// The record.
    pub id: Uuid,
    /// Whether search is wrong about it.
    pub in_search: bool,
}

/// Declares beside which kinds of records something is kept.
macro_rules! deriving {
    ($($type:ident),+ $(,)?) => {
        /// The kinds of records beside which something is kept.
        pub const DERIVING: &[RecordKind] = &[$(RecordKind::$type),+];

        impl Store {
            /// Compares the next records of a kind behind one with what is kept beside them; none behind the last.
            pub async fn compare_derived(
                &self,
                kind: RecordKind,
                last: Uuid,
            ) -> Result<Option<Compared>, StoreError> {
                match kind {
                    $(RecordKind::$type => self.compare_some::<$type>(last).await,)+
                    _ => Ok(None),
                }
            }
        }

        impl Work {
            /// Writes anew what follows from these records. They are locked, and stay as they are.
            pub async fn derive(&self, kind: RecordKind, ids: &[Uuid]) -> Result<(), StoreError> {
                match kind {
                    $(RecordKind::$type => self.derive_some::<$type>(ids).await,)+
                    _ => Ok(()),
                }
            }
        }

        /// The condition on what search knows of records that are not there.
        fn strays() -> String {
            let known = [$((RecordKind::$type, $type::table().name)),+].map(|(kind, table)| {
                format!(
                    "(record_kind = '{kind}' AND EXISTS (SELECT 1 FROM {table} \
                     WHERE {table}.id = search_entries.record_id))"
                )
            });
            format!("NOT ({})", known.join(" OR "))
        }
    };
}
deriving! {
    User, Lead, Customer, Contact, Product, Opportunity, Contract, Invoice, CreditNote, Payment, Refund, Receipt,
}

impl Store {
    async fn compare_some<T: Stored>(&self, last: Uuid) -> Result<Option<Compared>, StoreError> {
        let table = T::table();
        let derived: Vec<String> =
            table.derived.iter().map(|column| format!("{}.{column}, ", table.name)).collect();
        let (name, columns, derived, entry) =
            (table.name, &table.selection, derived.concat(), search::ENTRY_COLUMNS);
        // By one statement: a server that runs changes both at once.
        let text = format!(
            "SELECT {columns}, {derived}{entry} FROM {name} \
             LEFT JOIN search_entries ON search_entries.record_id = {name}.id \
             WHERE {name}.id > $1 ORDER BY {name}.id LIMIT {BATCH}"
        );
        let rows = self.reader.all(Sql::with(text, vec![last.into()])).await?;
        let Some(end) = rows.last() else { return Ok(None) };
        let off = rows.iter().filter_map(off::<T>).collect();
        Ok(Some(Compared { last: Row::new(end).column()?, checked: rows.len() as u64, off }))
    }

    /// What search knows of records that are not there, each by its place and its title, not more than so many.
    pub async fn strays(&self, most: u64) -> Result<Vec<(i64, String)>, StoreError> {
        let text = format!("SELECT id, title FROM search_entries WHERE {} LIMIT {most}", strays());
        let rows = self.reader.patiently(Sql::new(text)).await?;
        let stray = |row: &QueryResult| -> Result<(i64, String), StoreError> {
            let mut row = Row::new(row);
            Ok((row.column()?, row.column()?))
        };
        rows.iter().map(stray).collect()
    }
}

impl Work {
    async fn derive_some<T: Stored>(&self, ids: &[Uuid]) -> Result<(), StoreError> {
        let table = T::table();
        let changes: Vec<String> =
            (2..).zip(table.derived).map(|(place, column)| format!("{column} = ${place}")).collect();
        let text = format!("UPDATE {} SET {} WHERE id = $1", table.name, changes.join(", "));
        for record in self.load_all::<T>(Predicate::ids(ids.iter().copied())).await? {
            if !changes.is_empty() {
                let values = std::iter::once(Value::from(record.id())).chain(record.derived());
                self.execute(&text, values.collect()).await?;
            }
            self.keep_entry(record.id(), search::entry(&record)).await?;
        }
        Ok(())
    }

    /// Forgets what search knows of records that are not there. Says how many of these there were.
    pub async fn forget_strays(&self, places: &[i64]) -> Result<u64, StoreError> {
        let mut sql = Sql::new("DELETE FROM search_entries WHERE id IN (");
        sql.bind_list(places.iter().copied()).push(") AND ").push(&strays());
        let (text, values) = sql.into_parts();
        self.execute(&text, values).await
    }
}

/// The record of a row, if something else is kept beside it than follows from it.
fn off<T: Stored>(row: &QueryResult) -> Option<Off> {
    let mut row = Row::new(row);
    // From a record that cannot be read nothing follows; that it cannot is told by another check.
    let record = T::take(&mut row).ok()?;
    // What cannot be read is not what follows, either.
    let mut kept = || row.column::<Option<String>>().ok().flatten();
    let same = record.derived().into_iter().filter(|wanted| Value::from(kept()) == *wanted).count();
    let entry: Entry = std::array::from_fn(|_| kept());
    let in_search = entry != search::entry(&record).unwrap_or_default();
    (in_search || same < T::table().derived.len()).then(|| Off { id: record.id(), in_search })
}
