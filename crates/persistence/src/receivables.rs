//! What is still to be paid: whom to tell of it, and how old it is.

use chrono::{Days, NaiveDate};
use fairlead_domain::values::{Money, Today};
use uuid::Uuid;

use crate::error::StoreError;
use crate::member::{Row, money};
use crate::query::predicate::Predicate;
use crate::reader::Reader;

fn before(today: Today, days: i64) -> NaiveDate {
    let days = Days::new(u64::try_from(days).unwrap_or(0));
    today.0.checked_sub_days(days).unwrap_or(NaiveDate::MIN)
}

/// What somebody or some customer owes in one currency, by how long it has been due.
#[derive(Debug, Clone)]
pub struct AgingRow {
    /// Whose: an owner or a customer.
    pub group: Uuid,
    /// Not due yet, and then from 1, 31, 61 and 91 days on.
    pub buckets: [Money; 5],
}

impl Reader<'_> {
    /// The open installments of which something is to be told, with their contracts: due within `soon` days, or overdue
    /// for so many days, and nobody was told yet.
    pub async fn installments_to_tell(
        &self,
        today: Today,
        soon: u64,
        overdue: &[i64],
        after: Option<Uuid>,
        most: u64,
    ) -> Result<Vec<(Uuid, Uuid)>, StoreError> {
        self.rows(
            |sql| {
                sql.push("id, contract_id FROM installments WHERE NOT closed AND paid_minor < amount_minor AND due_on <= ");
                sql.bind(today.plus_days(soon)).push(" AND ((NOT told_due_soon AND due_on >= ").bind(today.0).push(")");
                for days in overdue {
                    sql.push(" OR (told_overdue_days < ").bind(*days).push(" AND due_on <= ");
                    sql.bind(before(today, *days)).push(")");
                }
                sql.push(")");
                if let Some(after) = after {
                    sql.push(" AND id > ").bind(after);
                }
                sql.push(&format!(" ORDER BY id LIMIT {most}"));
                Ok(())
            },
            |row| Ok((row.column()?, row.column()?)),
        )
        .await
    }

    /// What is still to be paid of running contracts within a scope, by a column of theirs and by age: what is due for
    /// longest first.
    pub async fn receivable_aging(
        &self,
        group: &'static str,
        today: Today,
        visible: &Predicate,
        most: u64,
    ) -> Result<Vec<AgingRow>, StoreError> {
        self.rows(
            |sql| {
                let days = |days: i64| before(today, days);
                let spans = [
                    (None, Some(today.0)),
                    (Some(days(1)), Some(days(30))),
                    (Some(days(31)), Some(days(60))),
                    (Some(days(61)), Some(days(90))),
                    (Some(days(91)), None),
                ];
                sql.push(&format!("{group} AS grouped, contracts.amount_currency"));
                for (latest, earliest) in spans {
                    sql.push(", CAST(COALESCE(SUM(CASE WHEN TRUE");
                    if let Some(latest) = latest {
                        sql.push(" AND due_on <= ").bind(latest);
                    }
                    if let Some(earliest) = earliest {
                        sql.push(" AND due_on >= ").bind(earliest);
                    }
                    sql.push(" THEN installments.amount_minor - installments.paid_minor ELSE 0 END), 0) AS BIGINT)");
                }
                sql.push(
                    " FROM installments JOIN contracts ON contracts.id = installments.contract_id \
                     WHERE NOT installments.closed AND installments.paid_minor < installments.amount_minor \
                     AND contracts.status = 'active' AND contracts.id IN (SELECT id FROM contracts WHERE ",
                );
                visible.write(sql);
                sql.push(&format!(
                    ") GROUP BY {group}, contracts.amount_currency ORDER BY MIN(due_on), {group} LIMIT {most}"
                ));
                Ok(())
            },
            aging,
        )
        .await
    }
}

fn aging(row: &mut Row) -> Result<AgingRow, StoreError> {
    let (group, code): (Uuid, String) = (row.column()?, row.column()?);
    let zero = money(0, &code)?;
    let mut buckets = [zero; 5];
    for bucket in &mut buckets {
        *bucket = Money::from_minor(row.column()?, zero.currency());
    }
    Ok(AgingRow { group, buckets })
}
