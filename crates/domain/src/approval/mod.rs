//! The approval engine (审批): who must agree before a contract or an invoice goes on.
//!
//! A [`Flow`] says which steps a subject passes. A request ([`Approval`]) keeps the steps with which it
//! began and collects one decision for each, by different persons, none of whom asked for it, owns the
//! subject or would receive it. A request that nobody could decide is never made.

mod flow;
mod inbox;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use flow::{ApproverRule, Flow, FlowStep, default_flow};
pub use inbox::{Inbox, InboxClause, SubjectScope, inbox, readable};

use crate::access::{Actor, Permission};
use crate::context::{Context, Event};
use crate::contract::Contract;
use crate::error::{Code, Refusal};
use crate::invoice::Invoice;
use crate::organisation::Organisation;
use crate::record;
use crate::text_enum;
use crate::transfer::Transfer;
use crate::values::{ApprovalId, CustomerId, Line, Money, Number, Prose, Timestamp, UserId};
use crate::workflow::{AllowedAction, Machine, Rule, Who};

text_enum! {
    /// The state of an approval request.
    pub enum ApprovalStatus {
        /// Waits for a decision.
        Pending = "pending",
        /// Every step was approved.
        Approved = "approved",
        /// A step was rejected.
        Rejected = "rejected",
        /// The requester took it back.
        Withdrawn = "withdrawn",
    }
}

text_enum! {
    /// What may happen to an approval request.
    pub enum ApprovalAction {
        /// Agree to the present step.
        Approve = "approve",
        /// Do not agree.
        Reject = "reject",
        /// Take the question back.
        Withdraw = "withdraw",
    }
}

text_enum! {
    /// What is asked about.
    pub enum ApprovalSubject {
        /// A contract.
        Contract = "contract",
        /// An invoice.
        Invoice = "invoice",
        /// A transfer.
        Transfer = "transfer",
    }
}

text_enum! {
    /// How somebody decided.
    pub enum Decision {
        /// Agreed.
        Approved = "approved",
        /// Did not agree.
        Rejected = "rejected",
    }
}

impl ApprovalSubject {
    /// The permission that shows such a subject, and with it the requests about it.
    pub const fn read(self) -> Permission {
        match self {
            Self::Contract => Permission::ContractsRead,
            Self::Invoice => Permission::InvoicesRead,
            Self::Transfer => Permission::TransfersRead,
        }
    }

    /// The permission that makes somebody the manager of such a subject's owner.
    pub const fn approve(self) -> Permission {
        match self {
            Self::Contract => Permission::ContractsApprove,
            Self::Invoice => Permission::InvoicesApprove,
            Self::Transfer => Permission::TransfersApprove,
        }
    }
}

/// The request's state machine.
pub static MACHINE: Machine<ApprovalStatus, ApprovalAction> = Machine {
    name: "approval",
    initial: &[ApprovalStatus::Pending],
    states: ApprovalStatus::ALL,
    rules: &[
        Rule {
            action: ApprovalAction::Approve,
            from: &[ApprovalStatus::Pending],
            to: Some(ApprovalStatus::Approved),
            who: Who::Named,
            guards: &[
                "the caller is named by the present step",
                "the caller neither asked, nor owns or would receive the subject, nor decided an earlier step",
                "the subject is as it was when the request was made",
                "the request is approved with its last step",
            ],
        },
        Rule {
            action: ApprovalAction::Reject,
            from: &[ApprovalStatus::Pending],
            to: Some(ApprovalStatus::Rejected),
            who: Who::Named,
            guards: &[
                "the caller is named by the present step",
                "the caller neither asked, nor owns or would receive the subject, nor decided an earlier step",
                "a comment is given",
            ],
        },
        Rule {
            action: ApprovalAction::Withdraw,
            from: &[ApprovalStatus::Pending],
            to: Some(ApprovalStatus::Withdrawn),
            who: Who::Named,
            guards: &["the caller made the request"],
        },
    ],
};

/// How a step was decided.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct StepDecision {
    /// How.
    pub outcome: Decision,
    /// By whom.
    pub by: UserId,
    /// When.
    pub at: Timestamp,
    /// Why.
    #[schema(required)]
    pub comment: Option<Prose>,
}

/// One step of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Step {
    /// Its name.
    pub name: Line,
    /// Who decides it.
    pub rule: ApproverRule,
    /// How it was decided.
    #[schema(required)]
    pub decision: Option<StepDecision>,
}

/// A request for approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// What is asked about.
    pub subject_kind: ApprovalSubject,
    /// Which.
    pub subject_id: Uuid,
    /// Its number.
    pub subject_number: Number,
    /// The version of the subject that is reviewed.
    #[schema(minimum = 1)]
    pub subject_version: i64,
    /// How much is at stake; none where no money is.
    #[schema(required)]
    pub amount: Option<Money>,
    /// Who asked.
    pub requester_id: UserId,
    /// Who owns the subject.
    pub owner_id: UserId,
    /// Who would receive what it is about, if somebody would.
    #[schema(required)]
    pub beneficiary_id: Option<UserId>,
    /// The subject's customer; none where it has several.
    #[schema(required)]
    pub customer_id: Option<CustomerId>,
    /// The version of the flow with which it began.
    #[schema(minimum = 1)]
    pub flow_version: i64,
    /// The steps, in order.
    #[schema(min_items = 1, max_items = 20)]
    pub steps: Vec<Step>,
    /// The place of the present step, from 0; once decided, of the step that decided it.
    #[schema(minimum = 0, maximum = 19)]
    pub step: i64,
    /// Who decides the present step; none once it is decided.
    #[schema(required)]
    pub waiting_for: Option<ApproverRule>,
    /// Its state.
    pub status: ApprovalStatus,
    /// When it was approved, rejected or withdrawn.
    #[schema(required)]
    pub decided_at: Option<Timestamp>,
    /// The subject as it was when the request was made.
    #[schema(value_type = Object)]
    pub snapshot: serde_json::Value,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Approval, Approval);

/// What a request needs to know of its subject: the submitted record, with the version that it has once
/// the submission is written.
#[derive(Debug, Clone, PartialEq)]
pub struct SubjectFacts {
    /// Its kind.
    pub kind: ApprovalSubject,
    /// Its id.
    pub id: Uuid,
    /// Its number.
    pub number: Number,
    /// Its version.
    pub version: i64,
    /// Its amount.
    pub amount: Option<Money>,
    /// Its owner.
    pub owner_id: UserId,
    /// Who would receive it.
    pub beneficiary_id: Option<UserId>,
    /// Its customer.
    pub customer_id: Option<CustomerId>,
    /// All of it.
    pub snapshot: serde_json::Value,
}

impl SubjectFacts {
    /// Of a contract.
    pub fn of_contract(contract: &Contract) -> Result<Self, Refusal> {
        Ok(Self {
            kind: ApprovalSubject::Contract,
            id: contract.id.into(),
            number: contract.number.clone(),
            version: contract.version,
            amount: Some(contract.details.amount),
            owner_id: contract.owner_id,
            beneficiary_id: None,
            customer_id: Some(contract.details.customer_id),
            snapshot: snapshot(contract)?,
        })
    }

    /// Of an invoice.
    pub fn of_invoice(invoice: &Invoice) -> Result<Self, Refusal> {
        Ok(Self {
            kind: ApprovalSubject::Invoice,
            id: invoice.id.into(),
            number: invoice.number.clone(),
            version: invoice.version,
            amount: Some(invoice.details.amount),
            owner_id: invoice.owner_id,
            beneficiary_id: None,
            customer_id: Some(invoice.customer_id),
            snapshot: snapshot(invoice)?,
        })
    }

    /// Of a transfer.
    pub fn of_transfer(transfer: &Transfer) -> Result<Self, Refusal> {
        Ok(Self {
            kind: ApprovalSubject::Transfer,
            id: transfer.id.into(),
            number: transfer.number.clone(),
            version: transfer.version,
            amount: None,
            owner_id: transfer.owner_id,
            beneficiary_id: Some(transfer.details.to_user_id),
            customer_id: None,
            snapshot: snapshot(transfer)?,
        })
    }
}

fn snapshot(subject: &impl Serialize) -> Result<serde_json::Value, Refusal> {
    serde_json::to_value(subject).map_err(|error| Refusal::new(Code::Internal, error.to_string()))
}

/// Refuses to delete a subject about which somebody once asked: it took part in an approval.
pub(crate) fn never_asked(submitted_by: Option<UserId>) -> Result<(), Refusal> {
    if submitted_by.is_none() {
        return Ok(());
    }
    Err(Refusal::new(Code::InUse, "it took part in an approval; cancel it instead"))
}

/// Refuses to take back a question that somebody else asked.
pub(crate) fn asked_by(ctx: &Context, asker: Option<UserId>) -> Result<(), Refusal> {
    if asker == Some(ctx.actor.id) {
        return Ok(());
    }
    Err(Refusal::new(Code::Forbidden, "only whoever made the request takes it back"))
}

/// What a decision leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// The next step waits.
    Next,
    /// That was the last step: the subject goes on.
    Approved,
    /// The subject goes back to its draft.
    Rejected,
}

impl Approval {
    /// Asks for approval in the caller's name. Refuses when the steps could not be decided by different
    /// active persons, none of whom asks or owns the subject.
    pub fn request(
        ctx: &Context,
        id: ApprovalId,
        flow: &Flow,
        subject: SubjectFacts,
    ) -> Result<(Self, Event), Refusal> {
        let steps: Vec<Step> = flow
            .steps
            .iter()
            .map(|step| Step { name: step.name.clone(), rule: step.rule.clone(), decision: None })
            .collect();
        let approval = Self {
            id,
            subject_kind: subject.kind,
            subject_id: subject.id,
            subject_number: subject.number,
            subject_version: subject.version,
            amount: subject.amount,
            requester_id: ctx.actor.id,
            owner_id: subject.owner_id,
            beneficiary_id: subject.beneficiary_id,
            customer_id: subject.customer_id,
            flow_version: flow.version,
            waiting_for: steps.first().map(|step| step.rule.clone()),
            steps,
            step: 0,
            status: ApprovalStatus::Pending,
            decided_at: None,
            snapshot: subject.snapshot,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        approval.decidable(ctx)?;
        Ok((approval, Event("approval.requested")))
    }

    /// Finds a different person for each step (bipartite matching by augmenting paths).
    fn decidable(&self, ctx: &Context) -> Result<(), Refusal> {
        if self.steps.is_empty() {
            return Err(Refusal::new(Code::NoEligibleApprover, "the approval flow has no steps"));
        }
        let actors = ctx.org.active_actors();
        let candidates: Vec<Vec<UserId>> = self
            .steps
            .iter()
            .map(|step| {
                actors
                    .iter()
                    .filter(|actor| self.involved(actor.id).is_none() && self.eligible(ctx.org, actor, step))
                    .map(|actor| actor.id)
                    .collect()
            })
            .collect();
        let mut taken = BTreeMap::new();
        for (at, step) in self.steps.iter().enumerate() {
            if !place(at, &candidates, &mut taken, &mut Vec::new()) {
                let detail = format!("nobody else could decide the step {}", step.name);
                return Err(Refusal::new(Code::NoEligibleApprover, detail).with("step", &step.name));
            }
        }
        Ok(())
    }

    /// Whoever decides a step is named by it and may see what they decide about.
    fn eligible(&self, org: &Organisation, actor: &Actor, step: &Step) -> bool {
        let standing = org.standing(Some(self.owner_id));
        actor.authorize(self.subject_kind.read(), &standing).is_ok()
            && step.rule.names(actor, self.subject_kind, &standing)
    }

    /// Why this person must not decide, whatever their roles.
    fn involved(&self, user: UserId) -> Option<&'static str> {
        if user == self.requester_id {
            Some("nobody decides what they asked for")
        } else if user == self.owner_id {
            Some("nobody decides about what they own")
        } else if Some(user) == self.beneficiary_id {
            Some("nobody decides about what they would receive")
        } else {
            None
        }
    }

    /// Who can decide the present step.
    pub fn approvers(&self, org: &Organisation) -> Vec<UserId> {
        let Some(step) = self.steps.get(self.present()).filter(|_| self.status == ApprovalStatus::Pending)
        else {
            return Vec::new();
        };
        org.active_actors()
            .iter()
            .filter(|actor| self.involved(actor.id).is_none() && !self.decided_by(actor.id))
            .filter(|actor| self.eligible(org, actor, step))
            .map(|actor| actor.id)
            .collect()
    }

    fn decided_by(&self, user: UserId) -> bool {
        self.steps.iter().filter_map(|step| step.decision.as_ref()).any(|decision| decision.by == user)
    }

    fn present(&self) -> usize {
        usize::try_from(self.step).unwrap_or(usize::MAX)
    }

    /// A request is visible to whoever may see its subject.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.reveal(self.subject_kind.read(), Some(self.owner_id))
    }

    /// May the caller decide the present step? First whether the step names them, then the separation of
    /// duties, then the state. Whoever no step names learns nothing about the state.
    pub fn may_decide(&self, ctx: &Context) -> Result<(), Refusal> {
        let pending = self.status == ApprovalStatus::Pending;
        let named =
            self.steps.iter().enumerate().any(|(at, step)| {
                (!pending || at == self.present()) && self.eligible(ctx.org, ctx.actor, step)
            });
        if !named {
            return Err(Refusal::new(Code::Forbidden, "the present step is decided by others")
                .with("waiting_for", &self.waiting_for));
        }
        if let Some(why) = self.involved(ctx.actor.id) {
            return Err(Refusal::new(Code::SeparationOfDuties, why));
        }
        if !pending {
            return Err(self.already_decided());
        }
        if self.decided_by(ctx.actor.id) {
            return Err(Refusal::new(Code::SeparationOfDuties, "nobody decides two steps of one request"));
        }
        Ok(())
    }

    fn already_decided(&self) -> Refusal {
        Refusal::new(Code::AlreadyDecided, format!("the request is {}", self.status))
            .with("status", self.status)
    }

    /// A decision binds to the version of the subject that was reviewed.
    pub fn check_version(&self, present: i64) -> Result<(), Refusal> {
        if present == self.subject_version {
            return Ok(());
        }
        Err(Refusal::new(Code::StaleApproval, "the record changed after the approval was asked for")
            .with("reviewed_version", self.subject_version)
            .with("present_version", present))
    }

    /// Decides the present step.
    pub fn decide(
        &mut self,
        ctx: &Context,
        outcome: Decision,
        comment: Option<Prose>,
    ) -> Result<(Progress, Event), Refusal> {
        self.may_decide(ctx)?;
        if outcome == Decision::Rejected && comment.is_none() {
            return Err(Refusal::new(Code::CommentRequired, "say why you do not agree"));
        }
        let at = self.present();
        let Some(step) = self.steps.get_mut(at) else {
            return Err(Refusal::new(Code::Internal, "the request has no present step"));
        };
        step.decision = Some(StepDecision { outcome, by: ctx.actor.id, at: ctx.now, comment });
        if outcome == Decision::Rejected {
            self.end(ctx, ApprovalAction::Reject)?;
            return Ok((Progress::Rejected, Event("approval.rejected")));
        }
        if let Some(next) = self.steps.get(at + 1) {
            self.waiting_for = Some(next.rule.clone());
            self.step += 1;
            return Ok((Progress::Next, Event("approval.step_approved")));
        }
        self.end(ctx, ApprovalAction::Approve)?;
        Ok((Progress::Approved, Event("approval.approved")))
    }

    fn end(&mut self, ctx: &Context, action: ApprovalAction) -> Result<(), Refusal> {
        self.status = MACHINE.follow(self.status, action)?;
        self.waiting_for = None;
        self.decided_at = Some(ctx.now);
        Ok(())
    }

    /// May the caller take the question back? Whoever asked it, while it is pending.
    pub fn may_withdraw(&self, ctx: &Context) -> Result<(), Refusal> {
        asked_by(ctx, Some(self.requester_id))?;
        if self.status != ApprovalStatus::Pending {
            return Err(self.already_decided());
        }
        Ok(())
    }

    /// Takes the question back.
    pub fn withdraw(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        self.may_withdraw(ctx)?;
        self.end(ctx, ApprovalAction::Withdraw)?;
        Ok(Event("approval.withdrawn"))
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context) -> Vec<AllowedAction> {
        vec![
            AllowedAction::judge(ApprovalAction::Approve.as_str(), self.may_decide(ctx)),
            AllowedAction::judge(ApprovalAction::Reject.as_str(), self.may_decide(ctx)),
            AllowedAction::judge(ApprovalAction::Withdraw.as_str(), self.may_withdraw(ctx)),
        ]
    }
}

/// Finds a person for the step `at`, moving others where they can move. `taken` says who decides what.
fn place(
    at: usize,
    candidates: &[Vec<UserId>],
    taken: &mut BTreeMap<UserId, usize>,
    tried: &mut Vec<UserId>,
) -> bool {
    for user in &candidates[at] {
        if tried.contains(user) {
            continue;
        }
        tried.push(*user);
        let free = match taken.get(user).copied() {
            None => true,
            Some(other) => place(other, candidates, taken, tried),
        };
        if free {
            taken.insert(*user, at);
            return true;
        }
    }
    false
}
