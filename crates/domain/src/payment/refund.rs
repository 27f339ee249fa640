//! Refunds (退款): money that goes back to the customer, recorded by one of finance and confirmed by another.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::{Allocation, Anew, Payment, PaymentMethod, PaymentStatus};
use crate::access::Permission;
use crate::context::{Context, Event};
use crate::contract::{Contract, Installment};
use crate::error::{self, Code, Refusal};
use crate::invoice::Invoice;
use crate::record;
use crate::record::RecordKind;
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{
    AllocationId, ContractId, CustomerId, Line, Money, Number, PaymentId, RefundId, Timestamp, UserId,
};
use crate::workflow::{AllowedAction, Machine, Rule, Who};

text_enum! {
    /// The state of a refund.
    pub enum RefundStatus {
        /// Entered; waits for somebody else of finance.
        Recorded = "recorded" ("Recorded", "待确认"),
        /// The money went back. Final.
        Confirmed = "confirmed" ("Confirmed", "已确认"),
        /// It did not. Final.
        Rejected = "rejected" ("Rejected", "已驳回"),
    }
}

text_enum! {
    /// What may happen to a refund.
    pub enum RefundAction {
        /// Say that the money went back.
        Confirm = "confirm",
        /// Say that it does not.
        Reject = "reject",
    }
}

/// The refund's state machine.
pub static MACHINE: Machine<RefundStatus, RefundAction> = Machine {
    name: "refund",
    initial: &[RefundStatus::Recorded],
    states: RefundStatus::ALL,
    rules: &[
        Rule {
            action: RefundAction::Confirm,
            from: &[RefundStatus::Recorded],
            to: Some(RefundStatus::Confirmed),
            who: Who::Holder(Permission::PaymentsConfirm),
            guards: &["the caller neither recorded the refund nor owns the contract"],
        },
        Rule {
            action: RefundAction::Reject,
            from: &[RefundStatus::Recorded],
            to: Some(RefundStatus::Rejected),
            who: Who::Holder(Permission::PaymentsConfirm),
            guards: &["a reason is given"],
        },
    ],
};

/// What recording a refund takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "payment_id": PaymentId::example(1),
    "amount": {"amount": "6000.00", "currency": "CNY"},
    "method": "bank_transfer",
    "reason": "Paid more than was invoiced"
}))]
pub struct RefundForm {
    /// The payment of which a part, or all, goes back.
    pub payment_id: PaymentId,
    /// How much.
    #[validate(custom(function = "crate::contract::positive"))]
    pub amount: Money,
    /// When it went back; today when absent.
    #[serde(default, deserialize_with = "crate::values::optional_day")]
    #[validate(custom(function = "crate::values::written_day"))]
    pub refunded_on: Option<NaiveDate>,
    /// How.
    pub method: PaymentMethod,
    /// The bank's reference; unique with the method among refunds that were not rejected.
    #[serde(default)]
    #[validate(nested)]
    pub bank_reference: Option<Line>,
    /// Why.
    #[validate(nested)]
    pub reason: Line,
}

/// What is kept of what was said about a refund.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct RefundDetails {
    /// The payment of which a part, or all, goes back.
    pub payment_id: PaymentId,
    /// How much.
    pub amount: Money,
    /// When it went back.
    pub refunded_on: NaiveDate,
    /// How.
    pub method: PaymentMethod,
    /// The bank's reference; unique with the method among refunds that were not rejected.
    #[schema(required)]
    pub bank_reference: Option<Line>,
    /// Why.
    pub reason: Line,
}

impl RefundDetails {
    /// The bank's reference as it is compared.
    pub fn reference_key(&self) -> Option<String> {
        self.bank_reference.as_ref().map(Line::normalised)
    }
}

/// A refund.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// Its number.
    pub number: Number,
    /// What was said about it.
    #[serde(flatten)]
    pub details: RefundDetails,
    /// The payment's contract.
    pub contract_id: ContractId,
    /// The contract's customer.
    pub customer_id: CustomerId,
    /// The contract's owner.
    pub owner_id: UserId,
    /// Its state.
    pub status: RefundStatus,
    /// Why it was rejected.
    #[schema(required)]
    pub end_reason: Option<Line>,
    /// Who confirmed it.
    #[schema(required)]
    pub confirmed_by: Option<UserId>,
    /// When it was confirmed.
    #[schema(required)]
    pub confirmed_at: Option<Timestamp>,
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
record!(Refund, Refund);

impl Refund {
    /// Records a refund of a confirmed payment; `pending` is what other refunds of it wait for.
    pub fn record(
        ctx: &Context,
        id: RefundId,
        number: Number,
        payment: &Payment,
        pending: Money,
        form: Valid<RefundForm>,
    ) -> Result<(Self, Event), Refusal> {
        ctx.authorize(Permission::PaymentsConfirm, Some(payment.owner_id))?;
        if payment.status != PaymentStatus::Confirmed {
            let detail = format!("the payment is {}; only what is confirmed is paid back", payment.status);
            return Err(Refusal::new(Code::InvalidTransition, detail)
                .with("record_kind", RecordKind::Payment)
                .with("from", payment.status)
                .with("action", "refund"));
        }
        form.amount.stated_in(payment.details.amount.currency(), "/amount")?;
        let today = ctx.today().0;
        let refunded_on = form.refunded_on.unwrap_or(today);
        if refunded_on > today {
            return Err(Refusal::invalid("/refunded_on", error::Rule::InFuture, "must not be in the future"));
        }
        if refunded_on < payment.details.received_on {
            let why = format!("must not be before {}, when the money arrived", payment.details.received_on);
            return Err(Refusal::invalid("/refunded_on", error::Rule::BeforePayment, why));
        }
        let left = payment.left()?.minus(pending)?;
        if form.amount.exceeds(left)? {
            let detail = format!("{left} of {} can be paid back", payment.details.amount);
            return Err(Refusal::new(Code::RefundExceedsPayment, detail)
                .with("amount", form.amount)
                .with("refunded", payment.refunded)
                .with("pending", pending)
                .with("remaining", left));
        }
        let RefundForm { payment_id, amount, method, bank_reference, reason, .. } = form.into_inner();
        let refund = Self {
            id,
            number,
            details: RefundDetails { payment_id, amount, refunded_on, method, bank_reference, reason },
            contract_id: payment.details.contract_id,
            customer_id: payment.customer_id,
            owner_id: payment.owner_id,
            status: RefundStatus::Recorded,
            end_reason: None,
            confirmed_by: None,
            confirmed_at: None,
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        Ok((refund, Event("refund.recorded")))
    }

    /// Seen by whoever sees the payment.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.reveal(Permission::PaymentsRead, Some(self.owner_id))
    }

    fn permit(&self, ctx: &Context, action: RefundAction) -> Result<RefundStatus, Refusal> {
        MACHINE.permit(ctx.actor, &ctx.standing(Some(self.owner_id)), self.status, action)
    }

    fn separate(&self, ctx: &Context) -> Result<(), Refusal> {
        let why = if self.created_by == ctx.actor.id {
            "whoever recorded a refund does not confirm it"
        } else if self.owner_id == ctx.actor.id {
            "nobody confirms the refunds of their contract"
        } else {
            return Ok(());
        };
        Err(Refusal::new(Code::SeparationOfDuties, why))
    }

    /// Says that the money went back: the payment is as much less, and so is what was paid on the contract.
    #[expect(clippy::too_many_arguments, reason = "the aggregate; a struct would only rename it")]
    pub fn confirm(
        &mut self,
        ctx: &Context,
        payment: &mut Payment,
        contract: &mut Contract,
        invoices: &mut [Invoice],
        installments: &mut [Installment],
        allocations: &[Allocation],
        new_id: impl FnMut() -> AllocationId,
    ) -> Result<(Anew, Event), Refusal> {
        let status = self.permit(ctx, RefundAction::Confirm)?;
        self.separate(ctx)?;
        if payment.status != PaymentStatus::Confirmed {
            let detail = format!("the payment is {}; nothing of it can be paid back", payment.status);
            return Err(Refusal::new(Code::InvalidTransition, detail)
                .with("record_kind", RecordKind::Payment)
                .with("from", payment.status)
                .with("action", "refund"));
        }
        let amount = self.details.amount;
        let anew = payment.reduce(ctx, contract, (invoices, installments), allocations, amount, new_id)?;
        self.status = status;
        self.confirmed_by = Some(ctx.actor.id);
        self.confirmed_at = Some(ctx.now);
        Ok((anew, Event("refund.confirmed")))
    }

    /// Says that it does not.
    pub fn reject(&mut self, ctx: &Context, reason: Line) -> Result<Event, Refusal> {
        self.status = self.permit(ctx, RefundAction::Reject)?;
        self.end_reason = Some(reason);
        Ok(Event("refund.rejected"))
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context) -> Vec<AllowedAction> {
        let standing = ctx.standing(Some(self.owner_id));
        MACHINE.offers(ctx.actor, &standing, self.status, |action| match action {
            RefundAction::Confirm => self.separate(ctx),
            RefundAction::Reject => Ok(()),
        })
    }
}
