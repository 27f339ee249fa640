//! Who owned a customer when and why, and the counts that limits on owning are judged by.

use std::collections::HashMap;

use chrono::NaiveDate;
use fairlead_domain::customer::{OwnerLoad, OwnershipCause, OwnershipChange, OwnershipRecord, PoolOpening};
use fairlead_domain::pool::RecycleFacts;
use fairlead_domain::values::{CustomerId, JobId, PoolId, Timestamp, TransferId, UserId};
use uuid::Uuid;

use crate::error::StoreError;
use crate::member::{Row, only};
use crate::reader::Reader;
use crate::sql::Sql;
use crate::work::Work;

impl Work {
    /// Notes a change of hands, and the job that did it.
    pub async fn note_ownership(
        &self,
        change: &OwnershipChange,
        job: Option<JobId>,
    ) -> Result<(), StoreError> {
        self.append(&OwnershipRecord {
            id: self.new_id(),
            customer_id: change.customer_id,
            merged_from_id: None,
            from_id: change.from,
            to_id: change.to,
            cause: change.cause,
            reason: change.reason.clone(),
            job_id: job,
            actor_id: self.user(),
            occurred_at: self.now(),
        })
        .await
    }

    /// Lets the history of a customer that is merged away be part of another one's.
    pub async fn join_ownership(&self, loser: CustomerId, survivor: CustomerId) -> Result<(), StoreError> {
        let text = "UPDATE ownership_history SET customer_id = $2, \
                    merged_from_id = COALESCE(merged_from_id, customer_id) WHERE customer_id = $1";
        self.execute(text, vec![loser.0.into(), survivor.0.into()]).await?;
        Ok(())
    }

    /// What a user owns and has claimed since the business day began. Locks the user's row, so that the
    /// figures hold until the end of the transaction.
    pub async fn owner_load(&self, user: UserId, day_began: Timestamp) -> Result<OwnerLoad, StoreError> {
        self.lock_user(user).await?;
        self.load_of(&Owner { user, day_began }).await
    }

    /// The same, not locked: figures that may change before the transaction ends.
    pub async fn load_of(&self, owner: &Owner) -> Result<OwnerLoad, StoreError> {
        let mut sql = Sql::new("SELECT ");
        owner.ask(&mut sql);
        Owner::only(self.select(sql, Owner::take).await?.into_iter().next())
    }

    /// How many pool customers a user opened on a business day, and whether this one is among them. Locks the
    /// user's row.
    pub async fn pool_opening(
        &self,
        user: UserId,
        day: NaiveDate,
        customer: CustomerId,
    ) -> Result<PoolOpening, StoreError> {
        self.lock_user(user).await?;
        let text = "SELECT COUNT(*), COALESCE(SUM(CASE WHEN customer_id = $3 THEN 1 ELSE 0 END), 0) \
                    FROM pool_openings WHERE user_id = $1 AND day = $2";
        let opening = self
            .first(text, vec![user.0.into(), day.into(), customer.0.into()], |row| {
                let opened_today = row.column::<i64>()?;
                Ok(PoolOpening { opened_today, again: row.column::<i64>()? > 0 })
            })
            .await?;
        Ok(opening.unwrap_or_default())
    }

    /// Notes that a user opened a pool customer.
    pub async fn note_opening(
        &self,
        user: UserId,
        day: NaiveDate,
        customer: CustomerId,
    ) -> Result<(), StoreError> {
        let text = "INSERT INTO pool_openings (user_id, day, customer_id) VALUES ($1, $2, $3) \
                    ON CONFLICT (user_id, day, customer_id) DO NOTHING";
        self.execute(text, vec![user.0.into(), day.into(), customer.0.into()]).await?;
        Ok(())
    }

    /// Notes that the records of a transfer no longer wait for it.
    pub async fn settle_transfer(&self, transfer: TransferId) -> Result<(), StoreError> {
        let text = "UPDATE transfer_items SET pending = FALSE WHERE transfer_id = $1";
        self.execute(text, vec![transfer.0.into()]).await?;
        Ok(())
    }

    /// Forgets what would have gone along with a transfer when it was asked for.
    pub async fn forget_included(&self, transfer: TransferId) -> Result<(), StoreError> {
        let text = "DELETE FROM transfer_items WHERE transfer_id = $1 AND included";
        self.execute(text, vec![transfer.0.into()]).await?;
        Ok(())
    }

    /// Notes that records wait for no transfer any more, since they went by other means: whoever has them now may ask for
    /// a transfer of their own. What becomes of the transfers that waited is for the caller to say.
    pub async fn release_from_transfers(&self, records: &[Uuid]) -> Result<(), StoreError> {
        if records.is_empty() {
            return Ok(());
        }
        let mut sql = Sql::new("UPDATE transfer_items SET pending = FALSE WHERE pending AND record_id IN (");
        sql.bind_list(records.iter().copied()).push(")");
        let (text, values) = sql.into_parts();
        self.execute(&text, values).await?;
        Ok(())
    }

    /// What recycling needs to know about customers.
    pub async fn recycle_facts(&self, ids: &[Uuid]) -> Result<HashMap<CustomerId, RecycleFacts>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let mut sql = Sql::new("SELECT ");
        facts(&mut sql, ids);
        Ok(self.select(sql, fact).await?.into_iter().collect())
    }
}

/// A user as somebody who owns customers.
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    /// Who.
    pub user: UserId,
    /// When the business day began.
    pub day_began: Timestamp,
}

impl Owner {
    fn ask(&self, sql: &mut Sql) {
        Self::columns(Some(self), sql, ("", ""));
    }

    /// The columns that tell what somebody owns and has claimed, each between two texts. Nobody has nothing.
    pub(crate) fn columns(owner: Option<&Self>, sql: &mut Sql, (before, after): (&str, &str)) {
        let (user, day_began) =
            (owner.map(|owner| owner.user.0), owner.map(|owner| owner.day_began.instant()));
        let count = "(SELECT COUNT(*) FROM customers AS other WHERE other.owner_id = ";
        sql.push(before).push(count).bind_unseen(user).push(")").push(after);
        sql.push(", ").push(before).push(count).bind_unseen(user).push(" AND other.locked)").push(after);
        sql.push(", ").push(before);
        sql.push("(SELECT COUNT(*) FROM ownership_history AS other WHERE other.to_id = ").bind_unseen(user);
        sql.push(" AND other.cause = ").bind_unseen(OwnershipCause::Claimed.as_str());
        sql.push(" AND other.occurred_at >= ").bind_unseen(day_began).push(")").push(after);
    }

    pub(crate) fn take(row: &mut Row) -> Result<OwnerLoad, StoreError> {
        Ok(OwnerLoad { owned: row.column()?, locked: row.column()?, claimed_today: row.column()? })
    }

    /// Limits are judged by it: nothing told must not look like nothing owned.
    fn only(told: Option<OwnerLoad>) -> Result<OwnerLoad, StoreError> {
        told.ok_or_else(|| StoreError::Corrupt("nothing tells what somebody owns".to_owned()))
    }
}

/// Which customers recycling looks at.
#[derive(Debug, Clone)]
pub struct RecycleCandidates {
    /// Of which pools, and with their owners since when at the latest; none when no rule of the pool takes any.
    pub pools: Vec<(PoolId, Option<Timestamp>)>,
    /// After this one, in the order of their ids.
    pub after: Option<Uuid>,
    /// How many at most.
    pub limit: u64,
}

impl Reader<'_> {
    /// What a user owns and has claimed.
    pub async fn load_of(&self, owner: &Owner) -> Result<OwnerLoad, StoreError> {
        Owner::only(self.row(|sql| owner.ask(sql), Owner::take).await?)
    }

    /// The customers that recycling looks at next: those owned for long enough, and those whose owners were told a
    /// day.
    pub async fn recycle_candidates(&self, which: &RecycleCandidates) -> Result<Vec<Uuid>, StoreError> {
        self.rows(
            |sql| {
                sql.push("id FROM customers WHERE ");
                candidates(sql, which);
                sql.push(&format!(" ORDER BY id LIMIT {}", which.limit));
                Ok(())
            },
            only,
        )
        .await
    }

    /// Whether any owner was told a day on which a customer goes.
    pub async fn is_anybody_told(&self) -> Result<bool, StoreError> {
        let question = |sql: &mut Sql| {
            sql.push("EXISTS (SELECT 1 FROM customers WHERE recycle_on IS NOT NULL)");
            Ok(())
        };
        Ok(self.rows(question, only::<bool>).await?.first().copied().unwrap_or(false))
    }

    /// How many there are.
    pub async fn count_recycle_candidates(&self, which: &RecycleCandidates) -> Result<i64, StoreError> {
        let count = |sql: &mut Sql| {
            sql.push("COUNT(*) FROM customers WHERE ");
            candidates(sql, which);
            Ok(())
        };
        self.number(count).await
    }

    /// New leads whose response is overdue, or due before `soon` and their owner not reminded yet.
    pub async fn leads_due(
        &self,
        now: Timestamp,
        soon: Timestamp,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Uuid>, StoreError> {
        self.rows(
            |sql| {
                sql.push(
                    "id FROM leads WHERE status = 'new' AND owner_id IS NOT NULL AND response_due_at <= ",
                );
                sql.bind(soon.max(now).instant());
                sql.push(" AND (reminded_at IS NULL OR response_due_at <= ").bind(now.instant()).push(")");
                sql.page_of_few(after, limit);
                Ok(())
            },
            only,
        )
        .await
    }

    /// Customers that are not dormant yet, without a live contract, and with whom nothing happened since.
    pub async fn idle_customers(
        &self,
        since: Timestamp,
        after: Option<Uuid>,
        limit: u64,
    ) -> Result<Vec<Uuid>, StoreError> {
        self.rows(
            |sql| {
                sql.push("id FROM customers WHERE lifecycle <> 'dormant' AND created_at < ")
                    .bind(since.instant());
                for column in ["last_activity_at", "owned_since"] {
                    sql.push(&format!(" AND ({column} IS NULL OR {column} < "))
                        .bind(since.instant())
                        .push(")");
                }
                sql.push(
                    " AND NOT EXISTS (SELECT 1 FROM contracts WHERE customer_id = customers.id \
                     AND status IN ('pending_approval', 'active'))",
                );
                if let Some(after) = after {
                    sql.push(" AND id > ").bind(after);
                }
                sql.push(&format!(" ORDER BY id LIMIT {limit}"));
                Ok(())
            },
            only,
        )
        .await
    }

    /// What recycling needs to know about customers.
    pub async fn recycle_facts(&self, ids: &[Uuid]) -> Result<HashMap<CustomerId, RecycleFacts>, StoreError> {
        if ids.is_empty() {
            return Ok(HashMap::new());
        }
        let found = self.rows(
            |sql| {
                facts(sql, ids);
                Ok(())
            },
            fact,
        );
        Ok(found.await?.into_iter().collect())
    }
}

fn candidates(sql: &mut Sql, which: &RecycleCandidates) {
    sql.push("owner_id IS NOT NULL AND (FALSE");
    for (pool, owned_before) in &which.pools {
        sql.push(" OR (pool_id = ").bind(pool.0).push(" AND (recycle_on IS NOT NULL");
        if let Some(before) = owned_before {
            sql.push(" OR owned_since <= ").bind(before.instant());
        }
        sql.push("))");
    }
    sql.push(")");
    if let Some(after) = which.after {
        sql.push(" AND id > ").bind(after);
    }
}

fn facts(sql: &mut Sql, ids: &[Uuid]) {
    sql.push(
        "id, \
         (SELECT MAX(created_at) FROM opportunities WHERE customer_id = customers.id), \
         (SELECT MAX(activated_at) FROM contracts WHERE customer_id = customers.id), \
         (SELECT MAX(closed_at) FROM contracts WHERE customer_id = customers.id \
            AND (status = 'terminated' OR (status = 'completed' AND ends_on IS NULL))), \
         (SELECT MAX(ends_on) FROM contracts WHERE customer_id = customers.id AND status = 'completed'), \
         (SELECT COUNT(*) FROM contracts WHERE customer_id = customers.id \
            AND status IN ('pending_approval', 'active')), \
         (SELECT COUNT(*) FROM approvals WHERE customer_id = customers.id AND status = 'pending') \
            + (SELECT COUNT(*) FROM transfer_items WHERE record_id = customers.id AND pending) \
         FROM customers WHERE id IN (",
    );
    sql.bind_list(ids.iter().copied()).push(")");
}

fn fact(row: &mut Row) -> Result<(CustomerId, RecycleFacts), StoreError> {
    Ok((
        row.member()?,
        RecycleFacts {
            last_opportunity_at: row.member()?,
            last_contract_at: row.member()?,
            last_contract_closed_at: row.member()?,
            last_contract_ends_on: row.member()?,
            live_contracts: row.column()?,
            pending_approvals: row.column()?,
        },
    ))
}
