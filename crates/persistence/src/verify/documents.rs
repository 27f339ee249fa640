//! What stands inside of JSON, which the two databases take apart differently: it is looked at here.

use std::collections::BTreeSet;

use fairlead_domain::approval::Step;
use fairlead_domain::catalogue::{LineItem, lines_agree};
use fairlead_domain::pipeline::Stage;
use fairlead_domain::values::Money;
use sea_orm::QueryResult;
use uuid::Uuid;

use super::Checked;
use crate::error::StoreError;
use crate::member::Row;
use crate::sql::Sql;
use crate::store::Store;

/// How many rows are read at once.
const BATCH: usize = 1000;

/// A decision: which step, by whom, how.
type Decided = (i64, Uuid, String);

impl Store {
    /// Every opportunity, and every stage that one goes back to, is in a stage of its pipeline.
    pub(super) async fn verify_stages(&self) -> Result<Checked, StoreError> {
        let text = "SELECT pipelines.name, used.stage_id, pipelines.stages FROM pipelines JOIN \
                    (SELECT pipeline_id, stage_id FROM opportunities \
                     UNION SELECT pipeline_id, returns_to_stage_id FROM opportunities \
                     WHERE status = 'open' AND returns_to_stage_id IS NOT NULL) AS used \
                    ON used.pipeline_id = pipelines.id";
        let rows = self.reader.all(Sql::new(text)).await?;
        let mut found = Vec::new();
        for row in &rows {
            let mut row = Row::new(row);
            let (pipeline, used): (String, Uuid) = (row.column()?, row.column()?);
            match row.member::<Vec<Stage>>() {
                Ok(stages) if stages.iter().any(|stage| stage.id.is_some_and(|id| id.0 == used)) => {}
                Ok(_) => found.push(format!("{pipeline} has no stage {used}, but opportunities are in it")),
                Err(error) => found.push(format!("{pipeline}: {error}")),
            }
        }
        Ok((rows.len() as u64, found))
    }

    /// What has line items is worth their sum.
    pub(super) async fn verify_lines(&self, table: &str, called: &str) -> Result<Checked, StoreError> {
        let text = format!(
            "SELECT id, {called}, amount_minor, amount_currency, line_items FROM {table} \
             WHERE id > $1 ORDER BY id LIMIT {BATCH}"
        );
        let (mut checked, mut found, mut last) = (0, Vec::new(), Uuid::nil());
        loop {
            let rows = self.reader.all(Sql::with(text.clone(), vec![last.into()])).await?;
            for row in &rows {
                let mut row = Row::new(row);
                last = row.column()?;
                let called: String = row.column()?;
                let amount: Option<Money> = row.member()?;
                match row.member::<Vec<LineItem>>() {
                    Ok(lines) if lines_agree(&lines, amount).is_ok() => {}
                    Ok(_) => found.push(format!("{called}: its line items do not add up to its amount")),
                    Err(error) => found.push(format!("{called}: {error}")),
                }
            }
            checked += rows.len() as u64;
            if rows.len() < BATCH {
                return Ok((checked, found));
            }
        }
    }

    /// The decisions in an approval's steps are those in the table that keeps anybody from deciding twice.
    pub(super) async fn verify_decisions(&self) -> Result<Checked, StoreError> {
        let text = format!(
            "SELECT page.id, page.subject_number, page.steps, decided.step, decided.user_id, decided.outcome FROM \
             (SELECT id, subject_number, steps FROM approvals WHERE id > $1 ORDER BY id LIMIT {BATCH}) AS page \
             LEFT JOIN approval_decisions AS decided ON decided.approval_id = page.id AND NOT decided.void ORDER BY page.id, decided.step"
        );
        let (mut checked, mut found) = (0, Vec::new());
        let mut last = Uuid::nil();
        loop {
            let rows = self.reader.all(Sql::with(text.clone(), vec![last.into()])).await?;
            let mut approvals = 0;
            for rows in rows.chunk_by(|one, next| id(one) == id(next)) {
                let Some(first) = rows.first() else { continue };
                approvals += 1;
                last = id(first).ok_or_else(|| StoreError::Corrupt("an approval without id".to_owned()))?;
                let number: String = Row::after(first, 1).column()?;
                match (in_steps(first), in_table(rows)) {
                    (Ok(steps), Ok(table)) if steps == table => {}
                    (Ok(_), Ok(_)) => {
                        found.push(format!("{number}: its steps were decided otherwise than was noted"));
                    }
                    (Err(error), _) | (_, Err(error)) => found.push(format!("{number}: {error}")),
                }
            }
            checked += approvals as u64;
            if approvals < BATCH {
                return Ok((checked, found));
            }
        }
    }
}

fn id(row: &QueryResult) -> Option<Uuid> {
    Row::new(row).column().ok()
}

fn in_steps(row: &QueryResult) -> Result<BTreeSet<Decided>, StoreError> {
    let steps: Vec<Step> = Row::after(row, 2).member()?;
    let decided = (0..)
        .zip(steps)
        .flat_map(|(at, step)| step.decisions.into_iter().map(move |decision| (at, decision)));
    Ok(decided.map(|(at, decision)| (at, decision.by.0, decision.outcome.as_str().to_owned())).collect())
}

fn in_table(rows: &[QueryResult]) -> Result<BTreeSet<Decided>, StoreError> {
    let mut decided = BTreeSet::new();
    for row in rows {
        let mut row = Row::after(row, 3);
        // None where the approval has no decision at all.
        if let Some(step) = row.column::<Option<i64>>()? {
            decided.insert((step, row.column()?, row.column()?));
        }
    }
    Ok(decided)
}
