//! Contracts (合同), their line items and installments, and the sums that everything about money is
//! judged by.

use chrono::NaiveDate;
use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::access::Permission;
use crate::contact::unchanged;
use crate::context::{Context, Event};
use crate::customer::Customer;
use crate::error::{Code, Refusal};
use crate::opportunity::Opportunity;
use crate::record;
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{
    ContractId, CustomerId, InstallmentId, Line, Money, Number, OpportunityId, Prose, Rate, Timestamp, Today,
    UserId, form,
};
use crate::workflow::{AllowedAction, Machine, Rule, Who};

text_enum! {
    /// The state of a contract.
    pub enum ContractStatus {
        /// Being written.
        Draft = "draft",
        /// Waiting for approval.
        PendingApproval = "pending_approval",
        /// Running.
        Active = "active",
        /// Paid in full.
        Completed = "completed",
        /// Ended before it was paid in full.
        Terminated = "terminated",
        /// Given up before it ran.
        Cancelled = "cancelled",
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
    }
}

text_enum! {
    /// How money is collected.
    pub enum CollectionScheme {
        /// Against issued invoices.
        ByInvoice = "by_invoice",
        /// Against the approved contract's installments.
        ByContract = "by_contract",
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
            guards: &["the caller asked for the approval"],
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
            guards: &["a payment was reversed"],
        },
    ],
};

/// A quantity above zero and up to one thousand million, with at most four decimals; written as a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quantity(Decimal);

impl std::str::FromStr for Quantity {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let plain = text.len() <= 16 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
        plain
            .then(|| text.parse::<Decimal>().ok())
            .flatten()
            .map(|quantity| quantity.normalize())
            .filter(|quantity| *quantity > Decimal::ZERO && *quantity <= Decimal::from(1_000_000_000))
            .filter(|quantity| quantity.scale() <= 4)
            .map(Self)
            .ok_or_else(|| "expected a quantity above 0 with at most 4 decimals, such as `2.5`".to_owned())
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|why: String| form::broken("invalid_quantity", why))
    }
}

impl utoipa::PartialSchema for Quantity {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some(r"^[0-9]{1,10}(\.[0-9]{1,4})?$"))
            .max_length(Some(16))
            .description(Some("A quantity above 0 with at most 4 decimals."))
            .examples([serde_json::json!("2.5")])
            .into()
    }
}
impl ToSchema for Quantity {}

/// Something sold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LineItem {
    /// What.
    #[validate(nested)]
    pub product: Line,
    /// How much.
    pub quantity: Quantity,
    /// For how much each.
    #[validate(custom(function = "positive"))]
    pub unit_price: Money,
    /// Discount as a fraction of the price.
    #[serde(default = "no_discount")]
    pub discount: Rate,
}

fn no_discount() -> Rate {
    Rate::ZERO
}

impl LineItem {
    /// Price times quantity less the discount, rounded half-even once.
    pub fn amount(&self) -> Result<Money, Refusal> {
        self.unit_price.times(self.quantity.0 * (Decimal::ONE - self.discount.fraction()))
    }
}

/// A part of the amount and when it is due.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct InstallmentPlan {
    /// When it is due.
    pub due_on: NaiveDate,
    /// How much.
    #[validate(custom(function = "positive"))]
    pub amount: Money,
    /// On what condition.
    #[serde(default)]
    #[validate(nested)]
    pub condition: Option<Line>,
}

/// Refuses an amount that is not above zero.
pub(crate) fn positive(amount: &Money) -> Result<(), ValidationError> {
    if amount.is_positive() {
        return Ok(());
    }
    Err(ValidationError::new("not_positive").with_message("must be above zero".into()))
}

/// What one may say about a contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "dates_in_order"), schema(function = "amounts_agree"))]
pub struct ContractDetails {
    /// In one line.
    #[validate(nested)]
    pub title: Line,
    /// The customer; cannot be changed.
    pub customer_id: CustomerId,
    /// The amount, tax included. With line items it is their sum.
    #[validate(custom(function = "positive"))]
    pub amount: Money,
    /// What is sold; may be empty.
    #[serde(default)]
    #[validate(length(max = 200), nested)]
    #[schema(max_items = 200)]
    pub line_items: Vec<LineItem>,
    /// When the amount is due; must add up to it before the contract is submitted.
    #[serde(default)]
    #[validate(length(max = 120), nested)]
    #[schema(max_items = 120)]
    pub installments: Vec<InstallmentPlan>,
    /// How money is collected.
    pub collection_scheme: CollectionScheme,
    /// When it was signed.
    #[serde(default)]
    pub signed_on: Option<NaiveDate>,
    /// When it begins.
    #[serde(default)]
    pub starts_on: Option<NaiveDate>,
    /// When it ends.
    #[serde(default)]
    pub ends_on: Option<NaiveDate>,
    /// Who signs for us.
    #[serde(default)]
    #[validate(nested)]
    pub our_signer: Option<Line>,
    /// Who signs for the customer.
    #[serde(default)]
    #[validate(nested)]
    pub customer_signer: Option<Line>,
    /// The terms.
    #[serde(default)]
    #[validate(nested)]
    pub terms: Option<Prose>,
}

fn dates_in_order(details: &ContractDetails) -> Result<(), ValidationError> {
    match (details.starts_on, details.ends_on) {
        (Some(starts), Some(ends)) if ends < starts => {
            Err(ValidationError::new("dates_out_of_order").with_message("ends_on is before starts_on".into()))
        }
        _ => Ok(()),
    }
}

fn amounts_agree(details: &ContractDetails) -> Result<(), ValidationError> {
    let currency = details.amount.currency();
    let other = |amount: &Money| amount.currency() != currency;
    if details.line_items.iter().any(|item| other(&item.unit_price))
        || details.installments.iter().any(|part| other(&part.amount))
    {
        let message = "line items and installments must have the amount's currency";
        return Err(ValidationError::new("currency_mismatch").with_message(message.into()));
    }
    if details.line_items.is_empty() {
        return Ok(());
    }
    let sum = details
        .line_items
        .iter()
        .map(LineItem::amount)
        .collect::<Result<Vec<_>, _>>()
        .and_then(|amounts| Money::sum(currency, amounts))
        .map_err(|_| ValidationError::new("amount_out_of_range"))?;
    if sum == details.amount {
        return Ok(());
    }
    let mut error = ValidationError::new("line_items_mismatch")
        .with_message(format!("amount must be the sum of the line items, {sum}").into());
    error.add_param("sum".into(), &sum);
    Err(error)
}

/// What invoices and payments of a contract add up to. They change under the lock of the contract's row
/// only, so that no two callers can pass a limit together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct ContractSums {
    /// Invoices that are pending, approved or issued.
    pub invoice_committed: Money,
    /// Invoices that are issued.
    pub invoiced: Money,
    /// Payments that are recorded or confirmed.
    pub received: Money,
    /// Payments that are confirmed.
    pub paid: Money,
}

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
record!(Contract, Contract);

text_enum! {
    /// Where an installment stands; follows from dates and allocations, never typed in.
    pub enum InstallmentStatus {
        /// Due later.
        Scheduled = "scheduled",
        /// Due within the days that the organisation set.
        DueSoon = "due_soon",
        /// Due before today and not paid in full.
        Overdue = "overdue",
        /// Paid in part, and not overdue.
        PartiallyPaid = "partially_paid",
        /// Paid in full.
        Paid = "paid",
        /// Not wanted any more.
        Closed = "closed",
    }
}

/// A part of a running contract's amount (回款计划). Made when the contract becomes active.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Installment {
    /// Its id.
    pub id: InstallmentId,
    /// The contract.
    pub contract_id: ContractId,
    /// Its place in the plan, from 1.
    #[schema(minimum = 1)]
    pub sequence: i64,
    /// When it is due.
    pub due_on: NaiveDate,
    /// How much.
    pub amount: Money,
    /// On what condition.
    #[schema(required)]
    pub condition: Option<Line>,
    /// What recorded and confirmed payments put on it.
    pub allocated: Money,
    /// What confirmed payments put on it.
    pub paid: Money,
    /// Whether its contract was terminated before it was paid.
    pub closed: bool,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Installment, Installment);

impl Installment {
    /// Where it stands on a day.
    pub fn status(&self, today: Today, due_soon_days: u64) -> InstallmentStatus {
        if self.paid == self.amount {
            InstallmentStatus::Paid
        } else if self.closed {
            InstallmentStatus::Closed
        } else if self.due_on < today.0 {
            InstallmentStatus::Overdue
        } else if self.paid.is_positive() {
            InstallmentStatus::PartiallyPaid
        } else if self.due_on <= today.plus_days(due_soon_days) {
            InstallmentStatus::DueSoon
        } else {
            InstallmentStatus::Scheduled
        }
    }

    /// How many days it is overdue.
    pub fn overdue_days(&self, today: Today) -> i64 {
        if self.closed || self.paid == self.amount { 0 } else { (today.0 - self.due_on).num_days().max(0) }
    }
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
        let owner = customer
            .owner_id
            .ok_or_else(|| Refusal::new(Code::CustomerUnowned, "claim or assign the customer first"))?;
        ctx.authorize(Permission::ContractsDraft, Some(owner))?;
        Ok((Self::draft(ctx, id, number, owner, None, form.into_inner()), Event("contract.drafted")))
    }

    /// Drafts the contract of an opportunity that entered its signing stage.
    pub fn from_opportunity(
        ctx: &Context,
        id: ContractId,
        number: Number,
        opportunity: &Opportunity,
    ) -> Result<(Self, Event), Refusal> {
        let amount = opportunity
            .details
            .amount
            .ok_or_else(|| Refusal::new(Code::StageRequirementsMissing, "the opportunity has no amount"))?;
        let details = ContractDetails {
            title: opportunity.details.name.clone(),
            customer_id: opportunity.details.customer_id,
            amount,
            line_items: Vec::new(),
            installments: Vec::new(),
            collection_scheme: CollectionScheme::ByInvoice,
            signed_on: None,
            starts_on: None,
            ends_on: None,
            our_signer: None,
            customer_signer: None,
            terms: None,
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
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        }
    }

    /// A contract outside the caller's scope does not exist for them.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.reveal(Permission::ContractsRead, Some(self.owner_id))
    }

    fn permit(&self, ctx: &Context, action: ContractAction) -> Result<ContractStatus, Refusal> {
        MACHINE.permit(ctx.actor, &ctx.standing(Some(self.owner_id)), self.status, action)
    }

    /// May it be changed or deleted by hand? While it is a draft.
    pub fn may_update(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.authorize(Permission::ContractsDraft, Some(self.owner_id))?;
        match self.status {
            ContractStatus::Draft => Ok(()),
            ContractStatus::PendingApproval => {
                Err(Refusal::new(Code::PendingApproval, "withdraw the approval to change the contract"))
            }
            other => Err(Refusal::new(Code::InvalidTransition, "only a draft can be changed")
                .with("from", other)
                .with("action", "update")),
        }
    }

    /// Changes what was said about it.
    pub fn edit(&mut self, ctx: &Context, form: Valid<ContractDetails>) -> Result<Event, Refusal> {
        self.may_update(ctx)?;
        unchanged("/customer_id", &self.details.customer_id, &form.customer_id)?;
        let nothing = Money::zero(form.amount.currency());
        // A draft has neither invoices nor payments; its sums follow the currency.
        self.sums =
            ContractSums { invoice_committed: nothing, invoiced: nothing, received: nothing, paid: nothing };
        self.details = form.into_inner();
        Ok(Event("contract.updated"))
    }

    /// Asks for approval.
    pub fn submit(&mut self, ctx: &Context, customer: &Customer) -> Result<Event, Refusal> {
        let status = self.permit(ctx, ContractAction::Submit)?;
        let owner = customer
            .owner_id
            .ok_or_else(|| Refusal::new(Code::CustomerUnowned, "claim or assign the customer first"))?;
        let in_scope = ctx.org.actor(self.owner_id).is_some_and(|actor| {
            actor.authorize(Permission::CustomersUpdate, &ctx.standing(Some(owner))).is_ok()
        });
        if owner != self.owner_id && !in_scope {
            let detail = "the customer belongs to somebody else than the contract";
            return Err(Refusal::new(Code::ContractIncomplete, detail).with("customer_owner_id", owner));
        }
        let plan = &self.details.installments;
        let sum = Money::sum(self.details.amount.currency(), plan.iter().map(|part| part.amount))?;
        if plan.is_empty() || sum != self.details.amount {
            let detail = format!("installments add up to {sum}, the amount is {}", self.details.amount);
            return Err(Refusal::new(Code::InstallmentsMismatch, detail)
                .with("installments", sum)
                .with("amount", self.details.amount));
        }
        self.status = status;
        Ok(Event("contract.submitted"))
    }

    /// Takes the question back.
    pub fn withdraw(&mut self, ctx: &Context) -> Result<Event, Refusal> {
        self.status = self.permit(ctx, ContractAction::Withdraw)?;
        Ok(Event("contract.withdrawn"))
    }

    /// The last approver agreed. Answers with the event; the plan becomes installments.
    pub fn activate(&mut self, ctx: &Context) -> Result<Event, Refusal> {
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

    /// Ends it early. Nothing paid is lost.
    pub fn terminate(&mut self, ctx: &Context, reason: Line) -> Result<Event, Refusal> {
        self.status = self.permit(ctx, ContractAction::Terminate)?;
        self.end_reason = Some(reason);
        self.closed_at = Some(ctx.now);
        Ok(Event("contract.terminated"))
    }

    /// Refuses money matters of a contract that does not run.
    pub fn running(&self) -> Result<(), Refusal> {
        if self.status == ContractStatus::Active {
            return Ok(());
        }
        Err(Refusal::new(Code::ContractNotActive, format!("the contract is {}", self.status))
            .with("contract_status", self.status))
    }

    /// What is still to be paid.
    pub fn outstanding(&self) -> Result<Money, Refusal> {
        self.details.amount.minus(self.sums.paid)
    }

    /// What may still be invoiced.
    pub fn invoiceable(&self) -> Result<Money, Refusal> {
        self.details.amount.minus(self.sums.invoice_committed)
    }

    /// Commits an invoice's amount, before anybody is asked to approve it.
    pub fn commit_invoice(&mut self, amount: Money) -> Result<(), Refusal> {
        self.running()?;
        let committed = self.sums.invoice_committed.plus(amount)?;
        if committed.exceeds(self.details.amount)? {
            let detail =
                format!("{} of {} may still be invoiced", self.invoiceable()?, self.details.amount);
            return Err(Refusal::new(Code::InvoiceExceedsContract, detail)
                .with("amount", amount)
                .with("contract_amount", self.details.amount)
                .with("already_committed", self.sums.invoice_committed)
                .with("remaining", self.invoiceable()?));
        }
        self.sums.invoice_committed = committed;
        Ok(())
    }

    /// Frees a committed amount again.
    pub fn free_invoice(&mut self, amount: Money) -> Result<(), Refusal> {
        self.sums.invoice_committed = self.sums.invoice_committed.minus(amount)?;
        Ok(())
    }

    /// Notes that a committed invoice was issued.
    pub fn note_issued(&mut self, amount: Money) -> Result<(), Refusal> {
        self.running()?;
        self.sums.invoiced = self.sums.invoiced.plus(amount)?;
        Ok(())
    }

    /// Takes an issued invoice back.
    pub fn void_invoice(&mut self, amount: Money) -> Result<(), Refusal> {
        self.sums.invoiced = self.sums.invoiced.minus(amount)?;
        self.free_invoice(amount)
    }

    /// Counts a recorded payment.
    pub fn receive(&mut self, amount: Money) -> Result<(), Refusal> {
        self.running()?;
        let received = self.sums.received.plus(amount)?;
        if received.exceeds(self.details.amount)? {
            let remaining = self.details.amount.minus(self.sums.received)?;
            let detail = format!("{remaining} of {} may still be received", self.details.amount);
            return Err(Refusal::new(Code::PaymentExceedsContract, detail)
                .with("amount", amount)
                .with("contract_amount", self.details.amount)
                .with("already_received", self.sums.received)
                .with("remaining", remaining));
        }
        self.sums.received = received;
        Ok(())
    }

    /// Takes a recorded payment back.
    pub fn give_back(&mut self, amount: Money) -> Result<(), Refusal> {
        self.sums.received = self.sums.received.minus(amount)?;
        Ok(())
    }

    /// Counts a confirmed payment.
    pub fn note_paid(&mut self, amount: Money) -> Result<(), Refusal> {
        self.sums.paid = self.sums.paid.plus(amount)?;
        Ok(())
    }

    /// Takes a confirmed payment back.
    pub fn reverse_paid(&mut self, amount: Money) -> Result<(), Refusal> {
        self.sums.paid = self.sums.paid.minus(amount)?;
        self.give_back(amount)
    }

    /// Completes it when all is paid (and invoiced, where the scheme wants it), or makes it run again when
    /// that is no longer so.
    pub fn settle(&mut self, ctx: &Context) -> Result<Option<Event>, Refusal> {
        let amount = self.details.amount;
        let invoiced = match self.details.collection_scheme {
            CollectionScheme::ByInvoice => self.sums.invoiced == amount,
            CollectionScheme::ByContract => true,
        };
        let settled = self.sums.paid == amount && invoiced;
        match (self.status, settled) {
            (ContractStatus::Active, true) => {
                self.status = MACHINE.follow(self.status, ContractAction::Complete)?;
                self.closed_at = Some(ctx.now);
                Ok(Some(Event("contract.completed")))
            }
            (ContractStatus::Completed, false) => {
                self.status = MACHINE.follow(self.status, ContractAction::Reactivate)?;
                self.closed_at = None;
                Ok(Some(Event("contract.reactivated")))
            }
            _ => Ok(None),
        }
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context) -> Vec<AllowedAction> {
        let standing = ctx.standing(Some(self.owner_id));
        let mut actions = MACHINE.offers(ctx.actor, &standing, self.status, |_| Ok(()));
        actions.push(AllowedAction::judge("update", self.may_update(ctx)));
        actions.push(AllowedAction::judge("delete", self.may_update(ctx)));
        actions
    }
}
