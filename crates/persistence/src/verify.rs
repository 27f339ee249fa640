//! Recomputes every sum and looks for every invariant that rows could break.

mod checks;
mod documents;
mod replay;

use sea_orm::DbBackend;
use uuid::Uuid;

use crate::derived::DERIVING;
use crate::error::StoreError;
use crate::member::{Row, only};
use crate::sql::Sql;
use crate::store::Store;
use checks::{CHECKS, SQLITE_CHECKS};

/// How many records that are not there are named.
const STRAYS: u64 = 1000;

/// How many rows were looked at, and everything that is wrong with them.
pub(crate) type Checked = (u64, Vec<String>);

/// What one check found.
#[derive(Debug)]
pub struct Finding {
    /// Its name.
    pub check: &'static str,
    /// How many rows it looked at.
    pub checked: u64,
    /// Everything that does not add up.
    pub differences: Vec<String>,
}

impl Store {
    /// Runs one check, by its place from 0; none when there are no more.
    pub async fn verify_one(&self, at: usize) -> Result<Option<Finding>, StoreError> {
        let of_sqlite = if self.backend() == DbBackend::Sqlite { SQLITE_CHECKS } else { &[] };
        if let Some(check) = CHECKS.iter().chain(of_sqlite).nth(at) {
            let rows = self.texts(check.population, only::<i64>).await?;
            let checked = u64::try_from(rows.first().copied().unwrap_or(0)).unwrap_or(0);
            let differences = self.texts(check.differences, only::<String>).await?;
            return Ok(Some(Finding { check: check.name, checked, differences }));
        }
        let (check, (checked, differences)) = match at - CHECKS.len() - of_sqlite.len() {
            0 => ("opportunities are in stages of their pipeline", self.verify_stages().await?),
            1 => ("approvals have their decisions", self.verify_decisions().await?),
            2 => ("contracts are worth their line items", self.verify_lines("contracts", "number").await?),
            3 => (
                "opportunities are worth their line items",
                self.verify_lines("opportunities", "name").await?,
            ),
            4 => ("search knows every record as it is", self.verify_search().await?),
            5 => ("audit trail", self.verify_chain().await?),
            6 => ("records are what the audit trail says", self.verify_records().await?),
            _ => return Ok(None),
        };
        Ok(Some(Finding { check, checked, differences }))
    }

    /// What search knows of each record is what follows from it. Whether the rest does, too, is told with the records.
    async fn verify_search(&self) -> Result<Checked, StoreError> {
        let strays = self.strays(STRAYS).await?;
        let mut found: Vec<String> =
            strays.iter().map(|(_, title)| format!("{title}: a record that is not there is known")).collect();
        let mut checked = 0;
        for kind in DERIVING {
            let mut last = Uuid::nil();
            while let Some(compared) = self.compare_derived(*kind, last).await? {
                let off = compared.off.iter().filter(|off| off.in_search);
                found.extend(off.map(|off| format!("{kind} {}: is known otherwise, or not at all", off.id)));
                checked += compared.checked;
                last = compared.last;
            }
        }
        Ok((checked, found))
    }

    async fn texts<T>(
        &self,
        text: &str,
        each: impl Fn(&mut Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.reader.patiently(Sql::new(text)).await?;
        rows.iter().map(|row| each(&mut Row::new(row))).collect()
    }
}
