//! Recomputes every sum and looks for every invariant that rows could break.

mod checks;
mod documents;

use sea_orm::DbBackend;

use crate::error::StoreError;
use crate::member::{Row, only};
use crate::sql::Sql;
use crate::store::Store;
use checks::{CHECKS, SQLITE_CHECKS};

/// What `verify` found.
#[derive(Debug, Default)]
pub struct Findings {
    /// Each check and how many rows it looked at.
    pub checked: Vec<(String, u64)>,
    /// Everything that does not add up.
    pub differences: Vec<String>,
}

impl Findings {
    fn add(&mut self, check: &str, differences: Vec<String>) {
        self.differences.extend(differences.into_iter().map(|what| format!("{check}: {what}")));
    }
}

/// How many rows were looked at, and everything that is wrong with them.
pub(crate) type Checked = (u64, Vec<String>);

impl Store {
    /// Runs every check.
    pub async fn verify(&self) -> Result<Findings, StoreError> {
        let mut findings = Findings::default();
        let of_sqlite = if self.backend() == DbBackend::Sqlite { SQLITE_CHECKS } else { &[] };
        for check in CHECKS.iter().chain(of_sqlite) {
            let rows = self.texts(check.population, only::<i64>).await?;
            let population = rows.first().copied().unwrap_or(0);
            findings.checked.push((check.name.to_owned(), u64::try_from(population).unwrap_or(0)));
            findings.add(check.name, self.texts(check.differences, only::<String>).await?);
        }
        for (name, checked) in [
            ("opportunities are in stages of their pipeline", self.verify_stages().await?),
            ("approvals have their decisions", self.verify_decisions().await?),
            ("audit trail", self.verify_chain().await?),
        ] {
            let (population, differences) = checked;
            findings.checked.push((name.to_owned(), population));
            findings.add(name, differences);
        }
        Ok(findings)
    }

    async fn texts<T>(
        &self,
        text: &str,
        each: impl Fn(&mut Row) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let rows = self.reader.all(Sql::new(text)).await?;
        rows.iter().map(|row| each(&mut Row::new(row))).collect()
    }
}
