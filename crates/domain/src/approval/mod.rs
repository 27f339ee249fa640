//! The approval engine (审批): who must agree before a contract or an invoice goes on.
//!
//! A [`Flow`] says which steps a subject passes. A request ([`Approval`]) keeps the steps with which it
//! began and collects one decision for each, by different persons, none of whom asked for it, owns the
//! subject or would receive it. A request that nobody could decide is never made.

mod course;
mod delegation;
mod facts;
mod flow;
mod inbox;
mod matching;
mod proposal;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

pub use course::{AddStepForm, ApprovalTies, Place, Progress, ReturnForm};
pub use delegation::{Delegation, DelegationDetails};
pub use facts::{ApprovalSnapshot, SubjectFacts};
pub use flow::{ApprovalFlow, ApproverRule, FlowDetails, FlowStep, FlowVersion, StepCondition, StepMode};
pub use inbox::{Inbox, InboxClause, SubjectScope, inboxes, readable, sees_any};
pub use proposal::{Outcome, Proposal, ProposalAction, ProposalMachine, rules as proposal_rules};

use crate::access::{Actor, Permission, Standing};
use crate::context::Context;
use crate::dependents::Dependents;
use crate::error::{Code, Refusal};
use crate::record;
use crate::text_enum;
use crate::values::{ApprovalId, ContractId, CustomerId, Line, Money, Number, Prose, Timestamp, UserId};
use crate::workflow::{Machine, Rule, Who};

text_enum! {
    /// The state of an approval request, and of what waits for one.
    pub enum ApprovalStatus {
        /// Waits for a decision.
        Pending = "pending" ("Pending", "审批中"),
        /// Every step was approved. Final.
        Approved = "approved" ("Approved", "已通过"),
        /// A step was rejected. Final.
        Rejected = "rejected" ("Rejected", "已驳回"),
        /// It was taken back, or what it is about was no longer there to be decided. Final.
        Withdrawn = "withdrawn" ("Withdrawn", "已撤回"),
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
        /// End it: what it is about is no longer there to be decided.
        Lapse = "lapse",
        /// Have a former step decided anew.
        Return = "return",
        /// Have one more person agree (加签).
        AddStep = "add_step",
        /// Remind those for whom it waits (催办).
        Remind = "remind",
        /// Say something about it.
        Comment = "comment",
    }
}

text_enum! {
    /// What is asked about.
    pub enum ApprovalSubject {
        /// A contract.
        Contract = "contract" ("Contract", "合同"),
        /// An invoice.
        Invoice = "invoice" ("Invoice", "开票"),
        /// A transfer.
        Transfer = "transfer" ("Transfer", "转移"),
        /// Other terms of a running contract.
        ContractAmendment = "contract_amendment" ("Contract amendment", "合同变更"),
        /// Another payment plan of a running contract.
        InstallmentChange = "installment_change" ("Payment plan change", "回款计划变更"),
        /// An opportunity's next stage.
        StageGate = "stage_gate" ("Opportunity stage", "商机阶段"),
        /// A change of a customer.
        CustomerChange = "customer_change" ("Customer change", "客户变更"),
    }
}

text_enum! {
    /// How somebody decided.
    pub enum Decision {
        /// Agreed.
        Approved = "approved" ("Approved", "已同意"),
        /// Did not agree.
        Rejected = "rejected" ("Rejected", "已驳回"),
    }
}

impl ApprovalSubject {
    /// Whether it can do without an approval, where the organisation says so.
    pub const fn is_optional(self) -> bool {
        match self {
            Self::Contract
            | Self::Invoice
            | Self::Transfer
            | Self::ContractAmendment
            | Self::InstallmentChange
            | Self::StageGate => false,
            Self::CustomerChange => true,
        }
    }

    /// The permission that shows such a subject, and with it the requests about it.
    pub const fn read(self) -> Permission {
        match self {
            Self::Contract | Self::ContractAmendment | Self::InstallmentChange => Permission::ContractsRead,
            Self::Invoice => Permission::InvoicesRead,
            Self::Transfer => Permission::TransfersRead,
            Self::StageGate => Permission::OpportunitiesRead,
            Self::CustomerChange => Permission::CustomersUpdate,
        }
    }

    /// The permission to ask about such a subject.
    pub const fn request(self) -> Permission {
        match self {
            Self::Contract => Permission::ContractsSubmit,
            Self::ContractAmendment | Self::InstallmentChange => Permission::ContractsDraft,
            Self::Invoice => Permission::InvoicesRequest,
            Self::Transfer => Permission::TransfersRequest,
            Self::StageGate => Permission::OpportunitiesAdvance,
            Self::CustomerChange => Permission::CustomersUpdate,
        }
    }

    /// The permission that makes somebody the manager of such a subject's owner.
    pub const fn approve(self) -> Permission {
        match self {
            Self::Contract | Self::ContractAmendment | Self::InstallmentChange => {
                Permission::ContractsApprove
            }
            Self::Invoice => Permission::InvoicesApprove,
            Self::Transfer => Permission::TransfersApprove,
            Self::StageGate => Permission::OpportunitiesApprove,
            Self::CustomerChange => Permission::CustomersApprove,
        }
    }
}

/// Who takes a question back, in words.
pub(crate) const TAKES_BACK: &str =
    "the caller made the request, or may make such a request and whoever made it no longer may";

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
                "with the last step: the subject can go on",
                "the request is approved with its last step",
                "a step that each of several decides ends by itself when nobody is left whom it waits for",
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
                "the subject is as it was when the request was made",
                "a comment is given",
            ],
        },
        Rule {
            action: ApprovalAction::Withdraw,
            from: &[ApprovalStatus::Pending],
            to: Some(ApprovalStatus::Withdrawn),
            who: Who::Named,
            guards: &[TAKES_BACK],
        },
        Rule {
            action: ApprovalAction::Lapse,
            from: &[ApprovalStatus::Pending],
            to: Some(ApprovalStatus::Withdrawn),
            who: Who::System,
            guards: &["the transfer, the amendment or the change of a customer that it is about lapsed"],
        },
        Rule {
            action: ApprovalAction::Return,
            from: &[ApprovalStatus::Pending],
            to: None,
            who: Who::Named,
            guards: &[
                "the caller could decide the present step",
                "there is a step before it",
                "every step that is left has somebody to decide it",
                "a comment is given",
            ],
        },
        Rule {
            action: ApprovalAction::AddStep,
            from: &[ApprovalStatus::Pending],
            to: None,
            who: Who::Named,
            guards: &[
                "the caller could decide the present step",
                "the new approver may see the subject, and neither asked, nor owns or would receive it, nor decided",
                "every step that is left has somebody to decide it",
                "before: nobody decided the present step yet",
            ],
        },
        Rule {
            action: ApprovalAction::Remind,
            from: &[ApprovalStatus::Pending],
            to: None,
            who: Who::Named,
            guards: &["the caller made the request", "nobody was reminded within the last hour"],
        },
        Rule {
            action: ApprovalAction::Comment,
            from: ApprovalStatus::ALL,
            to: None,
            who: Who::Named,
            guards: &["the caller may see the request"],
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
    /// For whom, where somebody's decisions are delegated.
    #[schema(required)]
    pub on_behalf_of: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// Why.
    #[schema(required)]
    pub comment: Option<Prose>,
}

/// One step of a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
#[schema(example = json!({
    "name": "Finance",
    "rule": "role:finance",
    "mode": "any",
    "added_by": null,
    "decisions": []
}))]
pub struct Step {
    /// Its name.
    pub name: Line,
    /// Who decides it.
    pub rule: ApproverRule,
    /// How many of them.
    pub mode: StepMode,
    /// Who added it to the request, where it is not one of the flow.
    #[schema(required)]
    pub added_by: Option<UserId>,
    /// How it was decided; where each of several must agree, by each.
    #[schema(max_items = 1000)]
    pub decisions: Vec<StepDecision>,
}

text_enum! {
    /// What else happened to a request.
    pub enum TrailKind {
        /// Somebody said something.
        Commented = "commented" ("Commented", "已评论"),
        /// A former step is decided anew.
        Returned = "returned" ("Returned", "已退回"),
        /// One more person is to agree.
        StepAdded = "step_added" ("Approver added", "已加签"),
        /// Those for whom it waits were reminded.
        Reminded = "reminded" ("Reminded", "已催办"),
    }
}

/// Something else that happened to a request.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct TrailEntry {
    /// What.
    pub kind: TrailKind,
    /// The place of the step that was the present one then.
    #[schema(minimum = 0, maximum = 19)]
    pub step: i64,
    /// Who did it; none when Fairlead did.
    #[schema(required)]
    pub by: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// What was said.
    #[schema(required)]
    pub comment: Option<Prose>,
    /// The decisions that no longer count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schema(max_items = 1000)]
    pub undone: Vec<StepDecision>,
}

/// A request for approval.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Approval {
    /// Its id.
    pub id: ApprovalId,
    /// What is asked about.
    pub subject_kind: ApprovalSubject,
    /// Which.
    #[schema(example = json!(ContractId::example(1)))]
    pub subject_id: Uuid,
    /// Its number; of an opportunity, how its name begins.
    pub subject_number: Number,
    /// The version of the subject that is reviewed.
    #[schema(minimum = 1)]
    pub subject_version: i64,
    /// How much is at stake; none where no money is.
    #[schema(required)]
    pub amount: Option<Money>,
    /// Who asked.
    pub requester_id: UserId,
    /// Who owns the subject; none of a change of a customer that is in the pool.
    #[schema(required)]
    pub owner_id: Option<UserId>,
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
    /// Since when the present step waits.
    pub waiting_since: Timestamp,
    /// When those for whom it waits were reminded last.
    #[schema(required)]
    pub reminded_at: Option<Timestamp>,
    /// What else happened, in order.
    #[schema(max_items = 500)]
    pub trail: Vec<TrailEntry>,
    /// Its state.
    pub status: ApprovalStatus,
    /// When it was approved, rejected or withdrawn.
    #[schema(required)]
    pub decided_at: Option<Timestamp>,
    /// The subject as it was when the request was made.
    #[schema(value_type = ApprovalSnapshot)]
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

/// Refuses to delete a subject about which somebody once asked: it took part in an approval, which is among what depends
/// on it.
pub(crate) fn never_asked(submitted_by: Option<UserId>, dependents: &Dependents) -> Result<(), Refusal> {
    if submitted_by.is_none() {
        return Ok(());
    }
    Err(dependents.refuse("it took part in an approval; cancel it instead"))
}

/// Whether this caller takes a question back: whoever asked it, while they may ask such questions; nobody else decides
/// that for them. When they may no longer, because they left or do something else now, whoever else may: a question
/// that nobody answers would otherwise stay for ever.
pub(crate) fn may_take_back(
    ctx: &Context,
    asker: Option<UserId>,
    kind: ApprovalSubject,
    standing: &Standing,
) -> Result<(), Refusal> {
    ctx.actor.authorize(kind.request(), standing)?;
    let may_ask = |actor: Arc<Actor>| actor.authorize(kind.request(), standing).is_ok();
    let others = asker.filter(|asker| *asker != ctx.actor.id).and_then(|asker| ctx.org.actor(asker));
    if others.is_some_and(may_ask) {
        return Err(Refusal::new(Code::Forbidden, "only whoever made the request takes it back"));
    }
    Ok(())
}
