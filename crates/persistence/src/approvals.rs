//! Who decided which step of an approval, in a table whose indexes refuse a second decision by themselves.

use fairlead_domain::approval::{Approval, StepDecision, StepMode};
use fairlead_domain::values::Timestamp;
use uuid::Uuid;

use crate::error::StoreError;
use crate::member::only;
use crate::reader::Reader;
use crate::work::Work;

impl Work {
    /// Notes who decided the present step of an approval, which is given as it was before.
    pub async fn note_decision(&self, before: &Approval, decision: &StepDecision) -> Result<(), StoreError> {
        let step = usize::try_from(before.step).ok().and_then(|at| before.steps.get(at));
        // Where one decision is enough, all compete for one seat.
        let seat = match step.map(|step| step.mode) {
            Some(StepMode::All) => decision.on_behalf_of.unwrap_or(decision.by).0,
            _ => Uuid::nil(),
        };
        let text = "INSERT INTO approval_decisions \
                    (id, approval_id, step, seat, user_id, on_behalf_of, outcome, void, decided_at) \
                    VALUES ($1, $2, $3, $4, $5, $6, $7, FALSE, $8)";
        let id: Uuid = self.new_id();
        let values = vec![
            id.into(),
            before.id.0.into(),
            before.step.into(),
            seat.into(),
            decision.by.0.into(),
            decision.on_behalf_of.map(|user| user.0).into(),
            decision.outcome.as_str().into(),
            self.now().instant().into(),
        ];
        self.execute(text, values).await?;
        Ok(())
    }

    /// Lets a step of an approval, and those after it, be decided anew.
    pub async fn void_decisions(&self, approval: Uuid, from_step: i64) -> Result<(), StoreError> {
        let text =
            "UPDATE approval_decisions SET void = TRUE WHERE approval_id = $1 AND step >= $2 AND NOT void";
        self.execute(text, vec![approval.into(), from_step.into()]).await?;
        Ok(())
    }
}

impl Reader<'_> {
    /// Pending approvals whose present step waits, or of which somebody was reminded last, since before this time.
    pub async fn approvals_waiting_since(
        &self,
        before: Timestamp,
        after: Option<Uuid>,
        most: u64,
    ) -> Result<Vec<Uuid>, StoreError> {
        self.rows(
            |sql| {
                sql.push("id FROM approvals WHERE status = 'pending' AND waiting_since <= ")
                    .bind(before.instant());
                sql.push(" AND (reminded_at IS NULL OR reminded_at <= ").bind(before.instant()).push(")");
                sql.page_of_few(after, most);
                Ok(())
            },
            only,
        )
        .await
    }

    /// Pending approvals of which some of those whom the present step names have agreed.
    pub async fn approvals_agreed_in_part(
        &self,
        now: Timestamp,
        after: Option<Uuid>,
        most: u64,
    ) -> Result<Vec<Uuid>, StoreError> {
        self.rows(
            |sql| {
                // All have waited for a while; asked for that, SQLite finds them by their index.
                sql.push("id FROM approvals WHERE status = 'pending' AND waiting_since <= ")
                    .bind(now.instant());
                sql.push(
                    " AND EXISTS (SELECT 1 FROM approval_decisions AS d \
                     WHERE d.approval_id = approvals.id AND d.step = approvals.step AND NOT d.void)",
                );
                sql.page_of_few(after, most);
                Ok(())
            },
            only,
        )
        .await
    }
}
