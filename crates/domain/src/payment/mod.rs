//! Payments (回款): recorded by sales or finance, confirmed by finance, and allocated to what they settle.
//!
//! A payment's amount is put on targets when it is recorded: by the scheme `by_invoice` on issued invoices
//! and on installments, by the scheme `by_contract` on installments. The allocations are kept for ever;
//! they count while their payment is recorded or confirmed. Sums change here only, and always together.

mod allocation;
mod anew;
mod refund;
#[cfg(test)]
mod tests;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

pub(crate) use allocation::distinct_targets;
pub use allocation::{Allocation, AllocationPlan, AllocationTarget};
use allocation::{Posting, Share, shares};
pub use anew::{Anew, ReallocateForm};
pub use refund::{MACHINE as REFUND_MACHINE, Refund, RefundAction, RefundDetails, RefundForm, RefundStatus};

use crate::access::Permission;
use crate::contact::unchanged;
use crate::context::{Context, Event};
use crate::contract::{Contract, ContractStatus, Installment};
use crate::error::{self, Code, Refusal};
use crate::invoice::Invoice;
use crate::record;
use crate::record::RecordKind;
use crate::search::{ContactData, SearchEntry};
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{
    AllocationId, ContractId, CustomerId, Line, Money, Number, PaymentId, Prose, Tags, Timestamp, UserId,
};
use crate::workflow::{AllowedAction, Machine, Rule, Who};

text_enum! {
    /// The state of a payment.
    pub enum PaymentStatus {
        /// Entered; counts against the contract's amount.
        Recorded = "recorded" ("Recorded", "待确认"),
        /// Seen on the account by finance; the contract is paid as far.
        Confirmed = "confirmed" ("Confirmed", "已确认"),
        /// Not found by finance. Final.
        Rejected = "rejected" ("Rejected", "已驳回"),
        /// Taken back after it was confirmed. Final.
        Reversed = "reversed" ("Reversed", "已撤销"),
        /// Paid back in full. Final.
        Refunded = "refunded" ("Refunded", "已退款"),
    }
}

impl PaymentStatus {
    /// Whether money that came in is no longer accounted for by the payment. What was paid back still is: it came and
    /// went.
    pub const fn frees_receipt(self) -> bool {
        match self {
            Self::Rejected | Self::Reversed => true,
            Self::Recorded | Self::Confirmed | Self::Refunded => false,
        }
    }
}

text_enum! {
    /// What may happen to a payment.
    pub enum PaymentAction {
        /// Say that the money arrived.
        Confirm = "confirm",
        /// Say that it did not.
        Reject = "reject",
        /// Take a confirmed payment back.
        Reverse = "reverse",
        /// Put it on other invoices or installments.
        Reallocate = "reallocate",
        /// It was paid back in full.
        Refund = "refund",
    }
}

text_enum! {
    /// How the money came.
    pub enum PaymentMethod {
        /// Bank transfer.
        BankTransfer = "bank_transfer" ("Bank transfer", "银行转账"),
        /// Cash.
        Cash = "cash" ("Cash", "现金"),
        /// Cheque.
        Cheque = "cheque" ("Cheque", "支票"),
        /// Bill accepted by a bank or a company (承兑汇票).
        AcceptanceBill = "acceptance_bill" ("Acceptance bill", "承兑汇票"),
        /// Alipay (支付宝).
        Alipay = "alipay" ("Alipay", "支付宝"),
        /// WeChat Pay (微信支付).
        WechatPay = "wechat_pay" ("WeChat Pay", "微信支付"),
        /// Card.
        Card = "card" ("Card", "银行卡"),
        /// Anything else.
        Other = "other" ("Other", "其他"),
    }
}

/// The payment's state machine.
pub static MACHINE: Machine<PaymentStatus, PaymentAction> = Machine {
    name: "payment",
    initial: &[PaymentStatus::Recorded],
    states: PaymentStatus::ALL,
    rules: &[
        Rule {
            action: PaymentAction::Confirm,
            from: &[PaymentStatus::Recorded],
            to: Some(PaymentStatus::Confirmed),
            who: Who::Holder(Permission::PaymentsConfirm),
            guards: &["the caller neither recorded the payment nor owns the contract"],
        },
        Rule {
            action: PaymentAction::Reject,
            from: &[PaymentStatus::Recorded],
            to: Some(PaymentStatus::Rejected),
            who: Who::Holder(Permission::PaymentsConfirm),
            guards: &["a reason is given"],
        },
        Rule {
            action: PaymentAction::Reverse,
            from: &[PaymentStatus::Confirmed],
            to: Some(PaymentStatus::Reversed),
            who: Who::Holder(Permission::PaymentsConfirm),
            guards: &["a reason is given", "no refund of it was recorded"],
        },
        Rule {
            action: PaymentAction::Reallocate,
            from: &[PaymentStatus::Recorded, PaymentStatus::Confirmed],
            to: None,
            who: Who::Holder(Permission::PaymentsConfirm),
            guards: &[
                "the contract is active or completed",
                "the allocations add up to what is left of the payment",
            ],
        },
        Rule {
            action: PaymentAction::Refund,
            from: &[PaymentStatus::Confirmed],
            to: Some(PaymentStatus::Refunded),
            who: Who::System,
            guards: &["confirmed refunds add up to its amount"],
        },
    ],
};

/// What is kept of what was said about a payment. Contract and amount cannot be changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "contract_id": ContractId::example(1),
    "amount": {"amount": "36000.00", "currency": "CNY"},
    "received_on": "2026-02-12",
    "method": "bank_transfer",
    "payer": "宁波海川机械有限公司",
    "note": "First installment",
    "labels": ["first installment"]
}))]
pub struct PaymentDetails {
    /// The contract; cannot be changed.
    pub contract_id: ContractId,
    /// How much; cannot be changed.
    #[validate(custom(function = "crate::contract::positive"))]
    pub amount: Money,
    /// When it arrived.
    #[serde(deserialize_with = "crate::values::day")]
    #[validate(custom(function = "crate::values::written_day"))]
    pub received_on: NaiveDate,
    /// How it came.
    pub method: PaymentMethod,
    /// The bank's reference; unique with the method among payments that count.
    #[serde(default)]
    #[validate(nested)]
    pub bank_reference: Option<Line>,
    /// Who paid.
    #[serde(default)]
    #[validate(nested)]
    pub payer: Option<Line>,
    /// Anything else.
    #[serde(default)]
    #[validate(nested)]
    pub note: Option<Prose>,
    /// Labels, such as that the commission was settled; may be changed at any time.
    #[serde(default)]
    #[validate(nested)]
    pub labels: Tags,
}

impl PaymentDetails {
    /// The bank's reference as it is compared.
    pub fn reference_key(&self) -> Option<String> {
        self.bank_reference.as_ref().map(Line::normalised)
    }
}

/// What recording a payment takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "contract_id": ContractId::example(1),
    "amount": {"amount": "36000.00", "currency": "CNY"},
    "received_on": "2026-02-12",
    "method": "bank_transfer",
    "payer": "宁波海川机械有限公司",
    "note": "First installment",
    "labels": ["first installment"]
}))]
pub struct PaymentForm {
    /// The contract.
    pub contract_id: ContractId,
    /// How much.
    #[validate(custom(function = "crate::contract::positive"))]
    pub amount: Money,
    /// When it arrived.
    #[serde(deserialize_with = "crate::values::day")]
    #[validate(custom(function = "crate::values::written_day"))]
    pub received_on: NaiveDate,
    /// How it came.
    pub method: PaymentMethod,
    /// The bank's reference; unique with the method among payments that count.
    #[serde(default)]
    #[validate(nested)]
    pub bank_reference: Option<Line>,
    /// Who paid.
    #[serde(default)]
    #[validate(nested)]
    pub payer: Option<Line>,
    /// Anything else.
    #[serde(default)]
    #[validate(nested)]
    pub note: Option<Prose>,
    /// Labels.
    #[serde(default)]
    #[validate(nested)]
    pub labels: Tags,
    /// What it settles: invoices of a contract that collects by invoice, installments of one that collects
    /// by contract. The oldest first when absent. Adds up to the amount.
    #[serde(default)]
    #[validate(length(min = 1, max = 100), custom(function = "distinct_targets"), nested)]
    #[schema(min_items = 1, max_items = 100)]
    pub allocations: Option<Vec<AllocationPlan>>,
}

impl PaymentForm {
    fn split(self) -> (PaymentDetails, Option<Vec<AllocationPlan>>) {
        let details = PaymentDetails {
            contract_id: self.contract_id,
            amount: self.amount,
            received_on: self.received_on,
            method: self.method,
            bank_reference: self.bank_reference,
            payer: self.payer,
            note: self.note,
            labels: self.labels,
        };
        (details, self.allocations)
    }
}

/// A payment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// Its number.
    pub number: Number,
    /// What was said about it.
    #[serde(flatten)]
    pub details: PaymentDetails,
    /// The contract's customer.
    pub customer_id: CustomerId,
    /// The contract's owner.
    pub owner_id: UserId,
    /// Its state.
    pub status: PaymentStatus,
    /// How much of it was paid back.
    pub refunded: Money,
    /// Why it was rejected or reversed.
    #[schema(required)]
    pub end_reason: Option<Line>,
    /// Who changed what describes it besides its labels.
    #[schema(max_items = 1000)]
    pub corrected_by: Vec<UserId>,
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
record!(Payment, Payment, found by |payment| {
    SearchEntry::borrowing(payment.details.payer.as_ref(), &payment.number)
        .with_contact(payment.details.bank_reference.as_ref().map(ContactData::Number))
});

/// What other records say about what may be done with a payment.
#[derive(Debug, Clone)]
pub struct PaymentTies {
    /// The state of its contract.
    pub contract_status: ContractStatus,
    /// What refunds of it wait for.
    pub pending_refunds: Money,
}

fn arrived(ctx: &Context, received_on: NaiveDate) -> Result<(), Refusal> {
    if received_on <= ctx.today().0 {
        return Ok(());
    }
    Err(Refusal::invalid("/received_on", error::Rule::InFuture, "must not be in the future"))
}

/// Makes allocations of shares.
fn allocate(
    ctx: &Context,
    (payment_id, contract_id): (PaymentId, ContractId),
    shares: Vec<(AllocationTarget, Share)>,
    new_id: &mut impl FnMut() -> AllocationId,
) -> Vec<Allocation> {
    let one = |(target, (target_id, amount)): (AllocationTarget, Share)| Allocation {
        id: new_id(),
        payment_id,
        contract_id,
        invoice_id: (target == AllocationTarget::Invoice).then_some(target_id.into()),
        installment_id: (target == AllocationTarget::Installment).then_some(target_id.into()),
        amount,
        void: false,
        version: 1,
        created_at: ctx.now,
        updated_at: ctx.now,
    };
    shares.into_iter().map(one).collect()
}

impl Payment {
    /// Records a payment of a running contract and allocates its whole amount. `invoices` and
    /// `installments` are all of the contract; those that the answer's allocations name have changed.
    #[expect(
        clippy::too_many_arguments,
        reason = "the aggregate and the form; a struct would only rename them"
    )]
    pub fn record(
        ctx: &Context,
        id: PaymentId,
        number: Number,
        contract: &mut Contract,
        invoices: &mut [Invoice],
        installments: &mut [Installment],
        form: Valid<PaymentForm>,
        mut new_allocation_id: impl FnMut() -> AllocationId,
    ) -> Result<(Self, Vec<Allocation>, Event), Refusal> {
        ctx.authorize(Permission::PaymentsRecord, Some(contract.owner_id))?;
        contract.running()?;
        let (details, plans) = form.into_inner().split();
        details.amount.stated_in(contract.details.amount.currency(), "/amount")?;
        arrived(ctx, details.received_on)?;
        let received = contract.received_with(details.amount)?;
        let shares = shares(details.amount, contract, invoices, installments, plans.as_deref())?;
        let allocations = allocate(ctx, (id, contract.id), shares, &mut new_allocation_id);
        Posting::Record.post(&allocations, invoices, installments)?;
        contract.sums.received = received;
        let payment = Self {
            id,
            number,
            details,
            customer_id: contract.details.customer_id,
            owner_id: contract.owner_id,
            status: PaymentStatus::Recorded,
            refunded: Money::zero(contract.details.amount.currency()),
            end_reason: None,
            corrected_by: Vec::new(),
            confirmed_by: None,
            confirmed_at: None,
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        Ok((payment, allocations, Event("payment.recorded")))
    }

    /// A payment outside the caller's scope does not exist for them.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.reveal(Permission::PaymentsRead, Some(self.owner_id))
    }

    fn permit(&self, ctx: &Context, action: PaymentAction) -> Result<PaymentStatus, Refusal> {
        MACHINE.permit(ctx.actor, &ctx.standing(Some(self.owner_id)), self.status, action)
    }

    /// What is left of it: its amount less what was paid back.
    pub fn left(&self) -> Result<Money, Refusal> {
        self.details.amount.minus(self.refunded)
    }

    /// May what describes it be changed? While it is recorded; its labels always, by finance once it is confirmed or
    /// over: they say, for instance, whose commission was settled. It is never deleted: finance rejects it.
    pub fn may_update(&self, ctx: &Context) -> Result<(), Refusal> {
        let permission = match self.status {
            PaymentStatus::Recorded => Permission::PaymentsRecord,
            PaymentStatus::Confirmed
            | PaymentStatus::Rejected
            | PaymentStatus::Reversed
            | PaymentStatus::Refunded => Permission::PaymentsConfirm,
        };
        ctx.authorize(permission, Some(self.owner_id))
    }

    /// Refuses to change more than the labels of what is confirmed or over.
    fn may_correct(&self) -> Result<(), Refusal> {
        if self.status == PaymentStatus::Recorded {
            return Ok(());
        }
        let detail = format!("of a payment that is {} only the labels can be changed", self.status);
        Err(Refusal::new(Code::InvalidTransition, detail)
            .with("record_kind", RecordKind::Payment)
            .with("from", self.status)
            .with("action", "update"))
    }

    /// Changes what describes it.
    pub fn edit(&mut self, ctx: &Context, form: Valid<PaymentDetails>) -> Result<Event, Refusal> {
        self.may_update(ctx)?;
        unchanged("/contract_id", &self.details.contract_id, &form.contract_id)?;
        unchanged("/amount", &self.details.amount, &form.amount)?;
        arrived(ctx, form.received_on)?;
        if (PaymentDetails { labels: form.labels.clone(), ..self.details.clone() }) != *form {
            self.may_correct()?;
            if !self.corrected_by.contains(&ctx.actor.id) {
                self.corrected_by.push(ctx.actor.id);
            }
        }
        self.details = form.into_inner();
        Ok(Event("payment.updated"))
    }

    /// Says that the money arrived. A contract terminated meanwhile loses nothing that was paid.
    pub fn confirm(
        &mut self,
        ctx: &Context,
        contract: &mut Contract,
        invoices: &mut [Invoice],
        installments: &mut [Installment],
        allocations: &[Allocation],
    ) -> Result<Event, Refusal> {
        let status = self.permit(ctx, PaymentAction::Confirm)?;
        self.separate(ctx)?;
        Posting::Confirm.post(allocations, invoices, installments)?;
        contract.note_paid(self.details.amount)?;
        self.status = status;
        self.confirmed_by = Some(ctx.actor.id);
        self.confirmed_at = Some(ctx.now);
        Ok(Event("payment.confirmed"))
    }

    fn separate(&self, ctx: &Context) -> Result<(), Refusal> {
        if self.created_by == ctx.actor.id {
            return Err(Refusal::new(
                Code::SeparationOfDuties,
                "whoever recorded a payment does not confirm it",
            ));
        }
        if self.corrected_by.contains(&ctx.actor.id) {
            let why = "whoever corrected a payment does not confirm it";
            return Err(Refusal::new(Code::SeparationOfDuties, why));
        }
        if self.owner_id == ctx.actor.id {
            return Err(Refusal::new(
                Code::SeparationOfDuties,
                "nobody confirms the payments of their contract",
            ));
        }
        Ok(())
    }

    /// Says that the money did not arrive.
    pub fn reject(
        &mut self,
        ctx: &Context,
        contract: &mut Contract,
        invoices: &mut [Invoice],
        installments: &mut [Installment],
        allocations: &[Allocation],
        reason: Line,
    ) -> Result<Event, Refusal> {
        let status = self.permit(ctx, PaymentAction::Reject)?;
        Posting::Reject.post(allocations, invoices, installments)?;
        contract.give_back(self.details.amount)?;
        self.status = status;
        self.end_reason = Some(reason);
        Ok(Event("payment.rejected"))
    }

    /// Takes a confirmed payment back. On a terminated contract, what it had paid stays closed.
    pub fn reverse(
        &mut self,
        ctx: &Context,
        contract: &mut Contract,
        invoices: &mut [Invoice],
        installments: &mut [Installment],
        allocations: &[Allocation],
        reason: Line,
    ) -> Result<Event, Refusal> {
        let status = self.permit(ctx, PaymentAction::Reverse)?;
        self.unrefunded()?;
        Posting::Reverse.post(allocations, invoices, installments)?;
        if contract.status == ContractStatus::Terminated {
            let named =
                |part: &&mut Installment| allocations.iter().any(|a| a.installment_id == Some(part.id));
            installments.iter_mut().filter(named).for_each(|part| {
                part.close();
            });
        }
        contract.reverse_paid(self.details.amount)?;
        self.status = status;
        self.end_reason = Some(reason);
        Ok(Event("payment.reversed"))
    }

    fn unrefunded(&self) -> Result<(), Refusal> {
        if !self.refunded.is_positive() {
            return Ok(());
        }
        let why = "a part of it was paid back; refund the rest";
        Err(Refusal::new(Code::PaymentRefunded, why).with("refunded", self.refunded))
    }

    /// Refuses to take back what refunds wait for.
    pub fn no_refunds(&self, pending: Money) -> Result<(), Refusal> {
        if !pending.is_positive() {
            return Ok(());
        }
        let why = format!("refunds of {pending} wait to be confirmed; reject them first");
        Err(Refusal::new(Code::PaymentRefunded, why).with("refunded", self.refunded).with("pending", pending))
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context, ties: &PaymentTies) -> Vec<AllowedAction> {
        let standing = ctx.standing(Some(self.owner_id));
        let mut actions = MACHINE.offers(ctx.actor, &standing, self.status, |action| match action {
            PaymentAction::Confirm => self.separate(ctx),
            PaymentAction::Reverse => self.unrefunded().and_then(|()| self.no_refunds(ties.pending_refunds)),
            PaymentAction::Reallocate => ties.contract_status.invoicing(),
            PaymentAction::Reject | PaymentAction::Refund => Ok(()),
        });
        actions.push(AllowedAction::judge("update", self.may_update(ctx)));
        actions
    }
}
