//! What is still to be paid: whom to tell of it, and how old it is.

use chrono::{Days, NaiveDate};
use fairlead_domain::values::{Money, Timestamp, Today, UserId};
use uuid::Uuid;

use crate::error::StoreError;
use crate::member::{Row, money};
use crate::query::predicate::Predicate;
use crate::reader::Reader;
use crate::sql::Sql;

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
                sql.push(")").page_of_few(after, most);
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

fn signed(sql: &mut Sql, from: Timestamp, to: Timestamp) {
    sql.push(
        "owner_id, amount_currency, CAST(SUM(amount_minor) AS BIGINT) FROM contracts \
         WHERE status IN ('active', 'completed', 'terminated') AND activated_at >= ",
    );
    sql.bind(from.instant()).push(" AND activated_at < ").bind(to.instant());
    sql.push(" GROUP BY owner_id, amount_currency");
}

fn collected(sql: &mut Sql, from: NaiveDate, to: NaiveDate) {
    sql.push(
        "owner_id, amount_currency, CAST(SUM(amount_minor - refunded_minor) AS BIGINT) FROM payments \
         WHERE status = 'confirmed' AND received_on >= ",
    );
    sql.bind(from).push(" AND received_on < ").bind(to).push(" GROUP BY owner_id, amount_currency");
}

fn of_owner(row: &mut Row) -> Result<(UserId, Money), StoreError> {
    let (owner, code): (UserId, String) = (row.member()?, row.column()?);
    Ok((owner, money(row.column()?, &code)?))
}

impl Reader<'_> {
    /// The amounts of contracts that became active in a time, by their owners.
    pub async fn signed_by_owner(
        &self,
        from: Timestamp,
        to: Timestamp,
    ) -> Result<Vec<(UserId, Money)>, StoreError> {
        let rest = |sql: &mut Sql| {
            signed(sql, from, to);
            Ok(())
        };
        self.rows(rest, of_owner).await
    }

    /// What arrived in a time and was confirmed, less what went back, by the contracts' owners.
    pub async fn collected_by_owner(
        &self,
        from: NaiveDate,
        to: NaiveDate,
    ) -> Result<Vec<(UserId, Money)>, StoreError> {
        let rest = |sql: &mut Sql| {
            collected(sql, from, to);
            Ok(())
        };
        self.rows(rest, of_owner).await
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
