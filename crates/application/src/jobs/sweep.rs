//! What falls due by itself and is done at once, record by record.

use std::sync::PoisonError;

use chrono::Days;
use fairlead_domain::approval::Approval;
use fairlead_domain::contract::{Contract, Installment};
use fairlead_domain::customer::Customer;
use fairlead_domain::lead::{COUNTED, Lead};
use fairlead_domain::values::ApprovalId;
use fairlead_domain::webhook::KEPT;
use fairlead_persistence::Predicate;
use uuid::Uuid;

use crate::app::App;
use crate::bulk::refused;
use crate::call::Failure;
use crate::{approvals, contracts};

/// How many records are looked at together.
const BATCH: u64 = 200;

/// How many rows of a kind are forgotten together.
const FORGOTTEN: u64 = 10_000;

impl App {
    /// Does what has fallen due since the last time. Each record is judged again under its lock, so that servers
    /// may sweep at the same time.
    pub(super) async fn sweep(&self) -> Result<(), Failure> {
        self.sweep_late_leads().await?;
        self.end_steps_without_approvers().await?;
        self.remind_approvers().await?;
        self.warn_of_installments().await?;
        self.sweep_deliveries().await?;
        let org = self.organisation().await?;
        let day = (org.today(self.now()).0, org.settings.dormant_after_days);
        if *self.inner.swept.lock().unwrap_or_else(PoisonError::into_inner) != Some(day) {
            self.sweep_dormant_customers().await?;
            self.forget().await?;
            *self.inner.swept.lock().unwrap_or_else(PoisonError::into_inner) = Some(day);
        }
        // Last: where files are is another place than where records are, and may be away.
        self.sweep_files().await
    }

    /// Reminds the owners of new leads, and takes those back that nobody responded to in time.
    async fn sweep_late_leads(&self) -> Result<(), Failure> {
        let mut after: Option<Uuid> = None;
        loop {
            let found: Vec<Uuid> = self
                .look(None, async |ctx, reader| {
                    let ahead = chrono::Duration::hours(ctx.org.settings.leads.reminder_hours);
                    Ok(reader.leads_due(ctx.now, ctx.now.plus(ahead), after, BATCH).await?)
                })
                .await?;
            let Some(last) = found.last().copied() else { return Ok(()) };
            self.act("sweep", async |ctx, work| {
                for before in work.load_all::<Lead>(Predicate::ids(found.iter().copied())).await? {
                    let mut after = before.clone();
                    let event = match after.give_back_late(ctx)? {
                        Some(event) => Some(event),
                        None => after.remind(ctx),
                    };
                    if let Some(event) = event {
                        work.save(&before, &mut after, event).await?;
                    }
                }
                Ok(())
            })
            .await?;
            after = Some(last);
        }
    }

    /// Tells of installments that are due soon or overdue. Their contracts are locked first, as by everybody.
    async fn warn_of_installments(&self) -> Result<(), Failure> {
        let mut after: Option<Uuid> = None;
        loop {
            let found: Vec<(Uuid, Uuid)> = self
                .look(None, async |ctx, reader| {
                    let settings = &ctx.org.settings;
                    let (soon, days) = (settings.due_soon_days, &settings.overdue_reminder_days);
                    Ok(reader.installments_to_tell(ctx.today(), soon, days, after, BATCH).await?)
                })
                .await?;
            let Some((last, _)) = found.last().copied() else { return Ok(()) };
            self.act("sweep", async |ctx, work| {
                let contracts = Predicate::ids(found.iter().map(|(_, contract)| *contract));
                let contracts: Vec<Contract> = work.load_all(contracts).await?;
                let parts = Predicate::ids(found.iter().map(|(installment, _)| *installment));
                for before in work.load_all::<Installment>(parts).await? {
                    let contract = contracts.iter().find(|contract| contract.id == before.contract_id);
                    if let Some(contract) = contract.filter(|contract| contract.running().is_ok()) {
                        contracts::warn(ctx, work, contract, &before).await?;
                    }
                }
                Ok(())
            })
            .await?;
            after = Some(last);
        }
    }

    /// Goes on with requests that wait for nobody, because somebody left after the others had agreed.
    async fn end_steps_without_approvers(&self) -> Result<(), Failure> {
        let mut after: Option<Uuid> = None;
        loop {
            let (last, through): (Option<Uuid>, Vec<ApprovalId>) = self
                .look(None, async |ctx, reader| {
                    let found = reader.approvals_agreed_in_part(ctx.now, after, BATCH).await?;
                    let all: Vec<Approval> = reader.some(found.clone()).await?;
                    let through = all.iter().filter(|approval| approval.is_through(ctx.org));
                    Ok((found.last().copied(), through.map(|approval| approval.id).collect()))
                })
                .await?;
            let Some(last) = last else { return Ok(()) };
            for id in through {
                let done = self.act("sweep", async |ctx, work| approvals::go_on(ctx, work, id).await).await;
                if let Some(refusal) = refused(done)?.err() {
                    tracing::warn!(approval = %id, code = %refusal.code, "an approved request cannot be done");
                    let why = &refusal.detail;
                    self.act("sweep", async |ctx, work| approvals::give_up(ctx, work, id, why).await).await?;
                }
            }
            after = Some(last);
        }
    }

    /// Reminds of requests for approval that wait for long.
    async fn remind_approvers(&self) -> Result<(), Failure> {
        let mut after: Option<Uuid> = None;
        loop {
            let found: Vec<Uuid> = self
                .look(None, async |ctx, reader| {
                    let Some(hours) = ctx.org.settings.approvals.remind_after_hours else {
                        return Ok(Vec::new());
                    };
                    let before = ctx.now.plus(-chrono::Duration::hours(hours));
                    Ok(reader.approvals_waiting_since(before, after, BATCH).await?)
                })
                .await?;
            let Some(last) = found.last().copied() else { return Ok(()) };
            self.act("sweep", async |ctx, work| {
                for before in work.load_all::<Approval>(Predicate::ids(found.iter().copied())).await? {
                    let mut after = before.clone();
                    if let Some(event) = after.remind_when_late(ctx)? {
                        work.save(&before, &mut after, event).await?;
                    }
                }
                Ok(())
            })
            .await?;
            after = Some(last);
        }
    }

    /// Finds customers dormant with whom nothing happens any more.
    async fn sweep_dormant_customers(&self) -> Result<(), Failure> {
        let mut after: Option<Uuid> = None;
        loop {
            let found = self
                .look(None, async |ctx, reader| {
                    let Some(days) = ctx.org.settings.dormant_after_days else { return Ok(Vec::new()) };
                    let days = Days::new(u64::try_from(days).unwrap_or(0));
                    let last = ctx.today().0.checked_sub_days(days).and_then(|day| day.succ_opt());
                    let Some(before) = last.map(|day| ctx.org.midnight(day)) else { return Ok(Vec::new()) };
                    Ok(reader.idle_customers(before, after, BATCH).await?)
                })
                .await?;
            let Some(last) = found.last().copied() else { return Ok(()) };
            self.act("sweep", async |ctx, work| {
                let customers: Vec<Customer> = work.load_all(Predicate::ids(found.iter().copied())).await?;
                let facts = work.recycle_facts(&found).await?;
                for before in customers {
                    let live = facts.get(&before.id).map_or(0, |facts| facts.live_contracts);
                    let mut after = before.clone();
                    if let Some(event) = after.doze(ctx, live) {
                        work.save(&before, &mut after, event).await?;
                    }
                }
                Ok(())
            })
            .await?;
            after = Some(last);
        }
    }

    /// Forgets what nobody will ask for again, some of it at a time: other writers wait meanwhile.
    async fn forget(&self) -> Result<(), Failure> {
        loop {
            let forgotten = self
                .act("sweep", async |ctx, work| {
                    Ok([
                        work.forget_deliveries(ctx.now.plus(-KEPT), FORGOTTEN).await?,
                        work.forget_idempotency_keys(FORGOTTEN).await?,
                        work.forget_refresh_tokens(FORGOTTEN).await?,
                        work.forget_sessions(FORGOTTEN).await?,
                        work.forget_form_submissions(ctx.now.plus(-COUNTED), FORGOTTEN).await?,
                    ])
                })
                .await?;
            if forgotten.into_iter().all(|rows| rows < FORGOTTEN) {
                return Ok(());
            }
        }
    }
}
