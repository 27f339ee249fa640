//! Contracts (合同), their line items and installments, and the sums that everything about money is
//! judged by.

mod details;
mod installment;
mod plan;
mod sums;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

pub(crate) use details::positive;
pub use details::{CollectionScheme, ContractDetails, InstallmentPlan};
pub use installment::{Installment, InstallmentStatus, InstallmentWarning, close_installments, overdue};
pub use plan::{PlanForm, PlanShare};
pub use sums::{ContractSums, REACTIVATED};

use crate::access::Permission;
use crate::approval::{Approval, ApprovalSubject, SubjectFacts, TAKES_BACK, may_take_back, never_asked};
use crate::catalogue::PriceBook;
use crate::contact::unchanged;
use crate::context::{Context, Event};
use crate::customer::{Customer, owned};
use crate::dependents::Dependents;
use crate::error::{self, Code, Refusal};
use crate::lead::eligible_owner;
use crate::opportunity::Opportunity;
use crate::organisation::Organisation;
use crate::record;
use crate::record::RecordKind;
use crate::search::SearchEntry;
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{ContractId, InstallmentId, Line, Money, Number, OpportunityId, Timestamp, UserId};
use crate::workflow::{Action, AllowedAction, Machine, Rule, Who};

text_enum! {
    /// The state of a contract.
    pub enum ContractStatus {
        /// Being written.
        Draft = "draft" ("Draft", "草稿"),
        /// Waiting for approval.
        PendingApproval = "pending_approval" ("Pending approval", "审批中"),
        /// Running.
        Active = "active" ("Active", "执行中"),
        /// Paid in full.
        Completed = "completed" ("Completed", "已完成"),
        /// Ended before it was paid in full.
        Terminated = "terminated" ("Terminated", "已终止"),
        /// Given up before it ran.
        Cancelled = "cancelled" ("Cancelled", "已取消"),
    }
}

text_enum! {
    /// What may happen to a contract.
    pub enum ContractAction {
        /// Ask for approval.
        Submit = "submit",
        /// Take the question back.
        Withdraw = "withdraw",
        /// Give the draft up.
        Cancel = "cancel",
        /// End it early.
        Terminate = "terminate",
        /// The last approver agreed.
        Approve = "approve",
        /// An approver did not agree.
        Reject = "reject",
        /// It was paid in full.
        Complete = "complete",
        /// A payment or an invoice was taken back after completion.
        Reactivate = "reactivate",
        /// It goes to another owner.
        Transfer = "transfer",
    }
}

/// The contract's state machine.
pub static MACHINE: Machine<ContractStatus, ContractAction> = Machine {
    name: "contract",
    initial: &[ContractStatus::Draft],
    states: ContractStatus::ALL,
    rules: &[
        Rule {
            action: ContractAction::Submit,
            from: &[ContractStatus::Draft],
            to: Some(ContractStatus::PendingApproval),
            who: Who::Holder(Permission::ContractsSubmit),
            guards: &[
                "the customer has an owner",
                "installments are present and add up to the amount",
                "every step of the approval has somebody to decide it",
            ],
        },
        Rule {
            action: ContractAction::Withdraw,
            from: &[ContractStatus::PendingApproval],
            to: Some(ContractStatus::Draft),
            who: Who::Holder(Permission::ContractsSubmit),
            guards: &[TAKES_BACK],
        },
        Rule {
            action: ContractAction::Cancel,
            from: &[ContractStatus::Draft],
            to: Some(ContractStatus::Cancelled),
            who: Who::Holder(Permission::ContractsDraft),
            guards: &[],
        },
        Rule {
            action: ContractAction::Terminate,
            from: &[ContractStatus::Active],
            to: Some(ContractStatus::Terminated),
            who: Who::Holder(Permission::ContractsTerminate),
            guards: &["a reason is given"],
        },
        Rule {
            action: ContractAction::Approve,
            from: &[ContractStatus::PendingApproval],
            to: Some(ContractStatus::Active),
            who: Who::System,
            guards: &["the last step of the approval was approved"],
        },
        Rule {
            action: ContractAction::Reject,
            from: &[ContractStatus::PendingApproval],
            to: Some(ContractStatus::Draft),
            who: Who::System,
            guards: &["a step of the approval was rejected"],
        },
        Rule {
            action: ContractAction::Complete,
            from: &[ContractStatus::Active],
            to: Some(ContractStatus::Completed),
            who: Who::System,
            guards: &["confirmed payments equal the amount", "by_invoice: issued invoices equal it too"],
        },
        Rule {
            action: ContractAction::Reactivate,
            from: &[ContractStatus::Completed],
            to: Some(ContractStatus::Active),
            who: Who::System,
            guards: &["confirmed payments, or by_invoice issued invoices, no longer equal the amount"],
        },
        Rule {
            action: ContractAction::Transfer,
            from: &[ContractStatus::Draft, ContractStatus::Active],
            to: None,
            who: Who::System,
            guards: &[
                "a transfer was approved, or its owner leaves",
                "no approval of it, of an amendment or of its invoices is pending",
            ],
        },
    ],
};

/// A contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Contract {
    /// Its id.
    pub id: ContractId,
    /// Its number.
    pub number: Number,
    /// What was said about it.
    #[serde(flatten)]
    pub details: ContractDetails,
    /// The opportunity from which it came.
    #[schema(required)]
    pub opportunity_id: Option<OpportunityId>,
    /// The owner.
    pub owner_id: UserId,
    /// Its state.
    pub status: ContractStatus,
    /// What its invoices and payments add up to.
    #[serde(flatten)]
    pub sums: ContractSums,
    /// Why it was terminated or cancelled.
    #[schema(required)]
    pub end_reason: Option<Line>,
    /// When it became active.
    #[schema(required)]
    pub activated_at: Option<Timestamp>,
    /// When it was completed, terminated or cancelled.
    #[schema(required)]
    pub closed_at: Option<Timestamp>,
    /// Who asked for its approval last; none before it was submitted.
    #[schema(required)]
    pub submitted_by: Option<UserId>,
    /// Who recorded it.
    pub created_by: UserId,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Contract, Contract, found by |contract| {
    SearchEntry::new(contract.details.title.as_str()).numbered(&contract.number)
});

/// What other records say about what may be done with a contract.
#[derive(Debug, Clone, Default)]
pub struct ContractTies {
    /// Who owns its customer; nobody while that one is in the pool.
    pub customer_owner: Option<UserId>,
    /// How many transfers of it wait for their decision.
    pub pending_transfers: i64,
    /// What would be left without it.
    pub dependents: Dependents,
    /// Why [`Contract::check_submission`] refuses it; asked where [`Contract::may_submit`] does not.
    pub submission: Option<Refusal>,
}

impl Contract {
    /// Drafts a contract with a customer; it belongs to the customer's owner.
    pub fn new(
        ctx: &Context,
        id: ContractId,
        number: Number,
        customer: &Customer,
        form: Valid<ContractDetails>,
    ) -> Result<(Self, Event), Refusal> {
        // Whoever may not at all is told so, whoever owns the customer.
        ctx.actor.authorize_own(Permission::ContractsDraft)?;
        let owner = customer.owner()?;
        ctx.authorize(Permission::ContractsDraft, Some(owner))?;
        eligible_owner(ctx, owner, Permission::PoolClaim)?;
        Ok((Self::draft(ctx, id, number, owner, None, form.into_inner()), Event("contract.drafted")))
    }

    /// Drafts the contract of an opportunity that entered its signing stage.
    pub fn from_opportunity(
        ctx: &Context,
        id: ContractId,
        number: Number,
        opportunity: &Opportunity,
    ) -> Result<(Self, Event), Refusal> {
        eligible_owner(ctx, opportunity.owner_id, Permission::PoolClaim)?;
        let amount = opportunity
            .details
            .amount
            .ok_or_else(|| Refusal::new(Code::StageRequirementsMissing, "the opportunity has no amount"))?;
        let details = ContractDetails {
            title: opportunity.details.name.clone(),
            customer_id: opportunity.details.customer_id,
            amount,
            line_items: opportunity.details.line_items.clone(),
            installments: Vec::new(),
            collection_scheme: CollectionScheme::ByInvoice,
            signed_on: None,
            starts_on: None,
            ends_on: None,
            our_signer: None,
            customer_signer: None,
            terms: None,
            renewal_of_id: None,
        };
        let contract = Self::draft(ctx, id, number, opportunity.owner_id, Some(opportunity.id), details);
        Ok((contract, Event("contract.drafted")))
    }

    fn draft(
        ctx: &Context,
        id: ContractId,
        number: Number,
        owner_id: UserId,
        opportunity_id: Option<OpportunityId>,
        details: ContractDetails,
    ) -> Self {
        let nothing = Money::zero(details.amount.currency());
        Self {
            id,
            number,
            details,
            opportunity_id,
            owner_id,
            status: ContractStatus::Draft,
            sums: ContractSums {
                invoice_committed: nothing,
                invoiced: nothing,
                received: nothing,
                paid: nothing,
            },
            end_reason: None,
            activated_at: None,
            closed_at: None,
            submitted_by: None,
            // Where Fairlead goes on by itself, nobody else did.
            created_by: ctx.org.user(ctx.actor.id).map_or(owner_id, |user| user.id),
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        }
    }

    /// Refuses to renew what never ran, or belongs to another customer.
    pub fn may_be_renewed(&self, form: &ContractDetails) -> Result<(), Refusal> {
        if self.details.customer_id != form.customer_id {
            let why = "must be a contract with the same customer";
            return Err(Refusal::invalid("/renewal_of_id", error::Rule::OtherCustomer, why));
        }
        match self.status {
            ContractStatus::Active | ContractStatus::Completed | ContractStatus::Terminated => Ok(()),
            other => Err(Refusal::new(Code::InvalidTransition, "what never ran is not renewed")
                .with("record_kind", RecordKind::Contract)
                .with("from", other)
                .with("action", "renew")),
        }
    }

    /// A contract outside the caller's scope does not exist for them.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.reveal(Permission::ContractsRead, Some(self.owner_id))
    }

    fn permit(&self, ctx: &Context, action: ContractAction) -> Result<ContractStatus, Refusal> {
        let standing = ctx.standing(Some(self.owner_id));
        MACHINE.permit_where(ctx.actor, &standing, self.status, action, |offered| match offered {
            ContractAction::Withdraw => self.may_take_back(ctx).is_ok(),
            _ => true,
        })
    }

    /// May it be changed by hand? While it is a draft.
    pub fn may_update(&self, ctx: &Context) -> Result<(), Refusal> {
        self.is_draft(ctx, Action::Update, "only a draft can be changed")
    }

    /// Refuses what is done by hand to drafts only.
    fn is_draft(&self, ctx: &Context, action: Action, why: &str) -> Result<(), Refusal> {
        ctx.authorize(Permission::ContractsDraft, Some(self.owner_id))?;
        match self.status {
            ContractStatus::Draft => Ok(()),
            ContractStatus::PendingApproval => {
                Err(Refusal::new(Code::PendingApproval, "withdraw the approval to change the contract"))
            }
            other => Err(Refusal::new(Code::InvalidTransition, why)
                .with("record_kind", RecordKind::Contract)
                .with("from", other)
                .with("action", action)),
        }
    }

    /// May files be added to it? Not while somebody looks at it, and not to what was given up.
    pub fn may_attach(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.authorize(Permission::ContractsDraft, Some(self.owner_id))?;
        match self.status {
            ContractStatus::Draft
            | ContractStatus::Active
            | ContractStatus::Completed
            | ContractStatus::Terminated => Ok(()),
            ContractStatus::PendingApproval => Err(Refusal::new(
                Code::PendingApproval,
                "what is asked about stays as it is; withdraw the approval",
            )),
            ContractStatus::Cancelled => {
                Err(Refusal::new(Code::InvalidTransition, "nothing is added to what was given up")
                    .with("record_kind", RecordKind::Contract)
                    .with("from", self.status)
                    .with("action", "attach"))
            }
        }
    }

    /// From which day on it counts: when it was signed or approved, whichever was first.
    pub fn began_on(&self, org: &Organisation) -> Option<NaiveDate> {
        let approved = self.activated_at.map(|at| org.today(at).0);
        self.details.signed_on.into_iter().chain(approved).min()
    }

    /// May it be deleted? While it is a draft that nobody was ever asked about, nor about its transfer now, and that no
    /// activity is about.
    pub fn may_delete(&self, ctx: &Context, ties: &ContractTies) -> Result<(), Refusal> {
        self.is_draft(ctx, Action::Delete, "only a draft can be deleted")?;
        never_asked(self.submitted_by, &ties.dependents)?;
        crate::transfer::check_none_pending(self.id.0, ties.pending_transfers)?;
        ties.dependents.check_none()
    }

    /// Changes what was said about it.
    pub fn edit(&mut self, ctx: &Context, form: Valid<ContractDetails>) -> Result<Event, Refusal> {
        self.may_update(ctx)?;
        unchanged("/customer_id", &self.details.customer_id, &form.customer_id)?;
        unchanged("/renewal_of_id", &self.details.renewal_of_id, &form.renewal_of_id)?;
        let nothing = Money::zero(form.amount.currency());
        // A draft has neither invoices nor payments; its sums follow the currency.
        self.sums =
            ContractSums { invoice_committed: nothing, invoiced: nothing, received: nothing, paid: nothing };
        self.details = form.into_inner();
        Ok(Event("contract.updated"))
    }

    /// Goes to another owner, with its invoices and payments, as was approved or because its owner leaves. What
    /// somebody is asked to approve does not change hands.
    pub fn transfer(&mut self, to: UserId, pending: usize) -> Result<Event, Refusal> {
        if self.status == ContractStatus::PendingApproval || pending > 0 {
            let detail = "an approval of the contract, of an amendment or of one of its invoices is pending";
            return Err(Refusal::new(Code::PendingApproval, detail));
        }
        MACHINE.follow(self.status, ContractAction::Transfer)?;
        self.owner_id = to;
        Ok(Event("contract.transferred"))
    }

    /// Asks for approval.
    pub fn submit(&mut self, ctx: &Context, customer: &Customer) -> Result<Event, Refusal> {
        let status = self.permit(ctx, ContractAction::Submit)?;
        self.ready(ctx, customer.owner_id)?;
        self.status = status;
        self.submitted_by = Some(ctx.actor.id);
        Ok(Event("contract.submitted"))
    }

    /// May the caller ask for approval, as far as it and its customer tell?
    pub fn may_submit(&self, ctx: &Context, ties: &ContractTies) -> Result<(), Refusal> {
        self.permit(ctx, ContractAction::Submit)?;
        self.ready(ctx, ties.customer_owner)
    }

    /// Whether it would be submitted: all that the caller would be refused for when they do it.
    pub fn check_submission(
        &self,
        ctx: &Context,
        customer: &Customer,
        prices: &PriceBook,
    ) -> Result<(), Refusal> {
        let mut submitted = self.clone();
        submitted.submit(ctx, customer)?;
        Approval::check_request(ctx, SubjectFacts::of_contract(&submitted, customer, prices)?)
    }

    /// May somebody be asked about it?
    fn ready(&self, ctx: &Context, customer_owner: Option<UserId>) -> Result<(), Refusal> {
        self.is_with(ctx, customer_owner)?;
        self.complete()
    }

    /// Its customer is with its owner, or with somebody whose customers the owner may change.
    fn is_with(&self, ctx: &Context, customer_owner: Option<UserId>) -> Result<(), Refusal> {
        let owner = owned(customer_owner)?;
        let in_scope = ctx.org.actor(self.owner_id).is_some_and(|actor| {
            actor.authorize(Permission::CustomersUpdate, &ctx.standing(Some(owner))).is_ok()
        });
        if owner == self.owner_id || in_scope {
            return Ok(());
        }
        let detail = "the customer belongs to somebody else than the contract";
        Err(Refusal::new(Code::ContractIncomplete, detail).with("customer_owner_id", owner))
    }

    /// Is everything there that it needs by itself, whatever is true of its customer?
    fn complete(&self) -> Result<(), Refusal> {
        let plan = &self.details.installments;
        let sum = Money::sum(self.details.amount.currency(), plan.iter().map(|part| part.amount))?;
        if !plan.is_empty() && sum == self.details.amount {
            return Ok(());
        }
        let detail = format!("installments add up to {sum}, the amount is {}", self.details.amount);
        Err(Refusal::new(Code::InstallmentsMismatch, detail)
            .with("installments", sum)
            .with("amount", self.details.amount))
    }

    fn may_take_back(&self, ctx: &Context) -> Result<(), Refusal> {
        let standing = ctx.standing(Some(self.owner_id));
        may_take_back(ctx, self.submitted_by, ApprovalSubject::Contract, &standing)
    }

    /// Takes the question back.
    pub fn withdraw(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        let status = self.permit(ctx, ContractAction::Withdraw)?;
        self.may_take_back(ctx)?;
        self.status = status;
        Ok(Event("contract.withdrawn"))
    }

    /// The last approver agreed. Answers with the event; the plan becomes installments. Its customer must not have gone
    /// to somebody else meanwhile.
    pub fn activate(&mut self, ctx: &Context, customer: &Customer) -> Result<Event, Refusal> {
        self.is_with(ctx, customer.owner_id)?;
        self.status = MACHINE.follow(self.status, ContractAction::Approve)?;
        self.activated_at = Some(ctx.now);
        Ok(Event("contract.activated"))
    }

    /// The installments of the plan, in order of their due dates.
    pub fn plan_installments(
        &self,
        ctx: &Context,
        mut new_id: impl FnMut() -> InstallmentId,
    ) -> Vec<Installment> {
        let mut plan: Vec<&InstallmentPlan> = self.details.installments.iter().collect();
        plan.sort_by_key(|part| part.due_on);
        let nothing = Money::zero(self.details.amount.currency());
        plan.into_iter()
            .zip(1..)
            .map(|(part, sequence)| Installment {
                id: new_id(),
                contract_id: self.id,
                sequence,
                due_on: part.due_on,
                amount: part.amount,
                condition: part.condition.clone(),
                allocated: nothing,
                paid: nothing,
                closed: false,
                told_due_soon: false,
                told_overdue_days: 0,
                version: 1,
                created_at: ctx.now,
                updated_at: ctx.now,
            })
            .collect()
    }

    /// An approver did not agree.
    pub fn reject(&mut self) -> Result<Event, Refusal> {
        self.status = MACHINE.follow(self.status, ContractAction::Reject)?;
        Ok(Event("contract.rejected"))
    }

    /// Gives the draft up.
    pub fn cancel(&mut self, ctx: &Context, reason: Option<Line>) -> Result<Event, Refusal> {
        self.status = self.permit(ctx, ContractAction::Cancel)?;
        self.end_reason = reason;
        self.closed_at = Some(ctx.now);
        Ok(Event("contract.cancelled"))
    }

    /// Gives the draft up because its customer goes back to the pool.
    pub fn lapse(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        self.status = MACHINE.follow(self.status, ContractAction::Cancel)?;
        self.end_reason = Some(Line::new("Its customer went back to the public pool"));
        self.closed_at = Some(ctx.now);
        Ok(Event("contract.cancelled"))
    }

    /// Ends it early. Nothing paid is lost.
    pub fn terminate(&mut self, ctx: &Context, reason: Line) -> Result<Event, Refusal> {
        self.status = self.permit(ctx, ContractAction::Terminate)?;
        self.end_reason = Some(reason);
        self.closed_at = Some(ctx.now);
        Ok(Event("contract.terminated"))
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context, ties: &ContractTies) -> Vec<AllowedAction> {
        let standing = ctx.standing(Some(self.owner_id));
        let mut actions = MACHINE.offers(ctx.actor, &standing, self.status, |action| match action {
            ContractAction::Submit => {
                self.ready(ctx, ties.customer_owner)?;
                ties.submission.clone().map_or(Ok(()), Err)
            }
            ContractAction::Withdraw => self.may_take_back(ctx),
            _ => Ok(()),
        });
        actions.push(AllowedAction::judge("update", self.may_update(ctx)));
        actions.push(AllowedAction::judge("delete", self.may_delete(ctx, ties)));
        actions.push(AllowedAction::judge("attach", self.may_attach(ctx)));
        actions.push(AllowedAction::judge("plan", self.may_update(ctx)));
        actions
    }
}
