//! What the activities of a lead or a customer say together.

use fairlead_domain::activity::ActivityTimes;
use fairlead_domain::values::{CustomerId, LeadId};
use uuid::Uuid;

use crate::error::StoreError;
use crate::member::Row;
use crate::work::Work;

impl Work {
    /// Of a lead, which the caller has locked.
    pub async fn activities_of_lead(&self, lead: LeadId) -> Result<ActivityTimes, StoreError> {
        self.activity_times("lead_id", lead.0).await
    }

    /// Of a customer, which the caller has locked.
    pub async fn activities_of_customer(&self, customer: CustomerId) -> Result<ActivityTimes, StoreError> {
        self.activity_times("customer_id", customer.0).await
    }

    async fn activity_times(&self, column: &str, id: Uuid) -> Result<ActivityTimes, StoreError> {
        let text = format!(
            "WITH own AS (SELECT id, happened_at, due_at, next_step_at FROM activities WHERE {column} = $1), \
             past AS (SELECT MAX(happened_at) AS at FROM own), \
             step AS (SELECT next_step_at AS at FROM own \
                WHERE happened_at IS NOT NULL AND next_step_at IS NOT NULL \
                ORDER BY happened_at DESC, id DESC LIMIT 1), \
             plan AS (SELECT at FROM step UNION ALL SELECT due_at AS at FROM own WHERE happened_at IS NULL) \
             SELECT past.at, (SELECT MIN(plan.at) FROM plan WHERE past.at IS NULL OR plan.at > past.at) FROM past"
        );
        let times = self
            .first(&text, vec![id.into()], |row: &mut Row| {
                Ok(ActivityTimes { last: row.member()?, next: row.member()? })
            })
            .await?;
        Ok(times.unwrap_or_default())
    }
}
