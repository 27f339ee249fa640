//! Who owned a customer when and why, and the counts that limits on owning are judged by.

use fairlead_domain::customer::{OpenBusiness, OwnerLoad, OwnershipCause, OwnershipChange};
use fairlead_domain::values::{CustomerId, Timestamp, UserId};
use uuid::Uuid;

use crate::error::StoreError;
use crate::member::{Member, Row};
use crate::work::Work;

impl Work {
    /// Notes a change of hands.
    pub async fn note_ownership(&self, change: &OwnershipChange, actor: UserId) -> Result<(), StoreError> {
        let text = "INSERT INTO ownership_history \
                    (id, customer_id, from_id, to_id, cause, note, actor_id, occurred_at) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7, $8)";
        let mut values = vec![self.new_id::<Uuid>().into()];
        change.customer_id.put(&mut values);
        change.from.put(&mut values);
        change.to.put(&mut values);
        change.cause.put(&mut values);
        change.note.put(&mut values);
        actor.put(&mut values);
        self.now().put(&mut values);
        self.execute(text, values).await?;
        Ok(())
    }

    /// Removes the history of a customer that is about to be deleted. The audit trail keeps it.
    pub async fn forget_ownership(&self, customer: CustomerId) -> Result<(), StoreError> {
        let text = "DELETE FROM ownership_history WHERE customer_id = $1";
        self.execute(text, vec![customer.0.into()]).await?;
        Ok(())
    }

    /// What a user owns and has claimed since the business day began. Locks the user's row, so that the
    /// figures hold until the end of the transaction.
    pub async fn owner_load(&self, user: UserId, day_began: Timestamp) -> Result<OwnerLoad, StoreError> {
        self.lock_user(user).await?;
        let text = "SELECT (SELECT COUNT(*) FROM customers WHERE owner_id = $1), \
                    (SELECT COUNT(*) FROM ownership_history \
                     WHERE to_id = $1 AND cause = $2 AND occurred_at >= $3)";
        let values = vec![user.0.into(), OwnershipCause::Claimed.as_str().into(), day_began.instant().into()];
        let load = self
            .first(text, values, |row| {
                Ok(OwnerLoad { owned: row.column::<i64>()?, claimed_today: row.column::<i64>()? })
            })
            .await?;
        Ok(load.unwrap_or_default())
    }

    /// What a customer still has going on.
    pub async fn open_business(&self, customer: CustomerId) -> Result<OpenBusiness, StoreError> {
        let text = "SELECT (SELECT COUNT(*) FROM opportunities WHERE customer_id = $1 AND status = 'open'), \
                    (SELECT COUNT(*) FROM contracts WHERE customer_id = $1 \
                     AND status IN ('draft', 'pending_approval', 'active'))";
        let open = self
            .first(text, vec![customer.0.into()], |row: &mut Row| {
                Ok(OpenBusiness { opportunities: row.column::<i64>()?, contracts: row.column::<i64>()? })
            })
            .await?;
        Ok(open.unwrap_or_default())
    }
}
