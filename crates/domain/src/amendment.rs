//! Amendments (合同变更): other terms for a running contract, once they were approved.
//!
//! Invoices and payments go on while an amendment waits. What it would break by then is judged again when it is
//! executed: the last approver is told, and nothing has changed.

use std::collections::BTreeSet;

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{AnyOfBuilder, ArrayBuilder, ObjectBuilder, Schema, Type};
use utoipa::{PartialSchema, ToSchema};
use validator::{Validate, ValidationError};

use crate::access::Permission;
use crate::approval::{ApprovalSubject, Outcome, Proposal, ProposalAction};
use crate::catalogue::LineItem;
use crate::context::{Context, Event};
use crate::contract::{Contract, ContractDetails, Installment, InstallmentPlan};
use crate::error::{Code, Refusal, Rule};
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{
    AmendmentId, ContractId, CustomerId, InstallmentId, Line, Money, Number, Prose, Timestamp, UserId, json,
};
use crate::{proposal, record};

text_enum! {
    /// What an amendment is about.
    pub enum AmendmentKind {
        /// The terms of the contract.
        Terms = "terms" ("Contract terms", "合同条款"),
        /// Nothing but when and in which parts the amount is due (回款计划变更).
        Installments = "installments" ("Payment plan", "回款计划"),
    }
}

/// An installment as it is to be.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct AmendedInstallment {
    /// Which one it is; a new one when absent.
    #[serde(default)]
    pub id: Option<InstallmentId>,
    /// When it is due.
    #[serde(deserialize_with = "crate::values::day")]
    #[validate(custom(function = "crate::values::written_day"))]
    pub due_on: NaiveDate,
    /// How much.
    #[validate(custom(function = "crate::contract::positive"))]
    pub amount: Money,
    /// On what condition.
    #[serde(default)]
    #[validate(nested)]
    pub condition: Option<Line>,
}

/// How a contract is to change. What is absent stays as it is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "contract_id": ContractId::example(1),
    "reason": "Maintenance goes on",
    "ends_on": "2030-12-31",
    "terms": "Maintenance on site within two working days, until the end of 2030."
}))]
pub struct AmendmentForm {
    /// The contract.
    pub contract_id: ContractId,
    /// Why.
    #[validate(nested)]
    pub reason: Line,
    /// The new amount, tax included.
    #[serde(default)]
    #[validate(custom(function = "crate::contract::positive"))]
    pub amount: Option<Money>,
    /// What is sold instead; none to sell nothing line by line any more.
    #[serde(default)]
    #[validate(length(max = 200), nested)]
    #[schema(max_items = 200)]
    pub line_items: Option<Vec<LineItem>>,
    /// The whole new plan. An installment with money on it must be in it; one that is left out is closed.
    #[serde(default)]
    #[validate(
        length(min = 1, max = 120, message = "must have between 1 and 120 installments"),
        custom(function = "distinct_installments"),
        nested
    )]
    #[schema(min_items = 1, max_items = 120)]
    pub installments: Option<Vec<AmendedInstallment>>,
    /// When it begins; `null` to say no day any more.
    #[serde(default, deserialize_with = "crate::values::day_or_null")]
    #[validate(custom(function = "crate::values::written_day"))]
    #[schema(value_type = Option<NaiveDate>)]
    pub starts_on: Option<Option<NaiveDate>>,
    /// When it ends; `null` to say no day any more.
    #[serde(default, deserialize_with = "crate::values::day_or_null")]
    #[validate(custom(function = "crate::values::written_day"))]
    #[schema(value_type = Option<NaiveDate>)]
    pub ends_on: Option<Option<NaiveDate>>,
    /// The terms; `null` to have none any more.
    #[serde(default, deserialize_with = "crate::values::given_or_null")]
    #[validate(nested)]
    #[schema(value_type = Option<Prose>)]
    pub terms: Option<Option<Prose>>,
}

fn distinct_installments(plan: &[AmendedInstallment]) -> Result<(), ValidationError> {
    let named: Vec<InstallmentId> = plan.iter().filter_map(|part| part.id).collect();
    if named.iter().collect::<BTreeSet<_>>().len() == named.len() {
        return Ok(());
    }
    Err(Rule::Distinct.error("must name each installment once"))
}

/// What an amendment can change.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ContractTerms {
    /// The amount, tax included.
    pub amount: Money,
    /// What is sold.
    #[schema(max_items = 200)]
    pub line_items: Vec<LineItem>,
    /// When the amount is due.
    #[schema(max_items = 120)]
    pub installments: Vec<AmendedInstallment>,
    /// When the contract begins.
    #[schema(required)]
    pub starts_on: Option<NaiveDate>,
    /// When it ends.
    #[schema(required)]
    pub ends_on: Option<NaiveDate>,
    /// The terms.
    #[schema(required)]
    pub terms: Option<Prose>,
}

impl ContractTerms {
    /// The terms that a contract has. `installments` are all of it.
    pub fn of(contract: &Contract, installments: &[Installment]) -> Self {
        let mut open: Vec<&Installment> = installments.iter().filter(|part| !part.closed).collect();
        open.sort_by_key(|part| (part.due_on, part.sequence));
        let plan = open.into_iter().map(|part| AmendedInstallment {
            id: Some(part.id),
            due_on: part.due_on,
            amount: part.amount,
            condition: part.condition.clone(),
        });
        let details = &contract.details;
        Self {
            amount: details.amount,
            line_items: details.line_items.clone(),
            installments: plan.collect(),
            starts_on: details.starts_on,
            ends_on: details.ends_on,
            terms: details.terms.clone(),
        }
    }

    fn with(&self, form: &AmendmentForm) -> Self {
        let mut installments = form.installments.clone().unwrap_or_else(|| self.installments.clone());
        installments.sort_by_key(|part| part.due_on);
        Self {
            amount: form.amount.unwrap_or(self.amount),
            line_items: form.line_items.clone().unwrap_or_else(|| self.line_items.clone()),
            installments,
            starts_on: form.starts_on.unwrap_or(self.starts_on),
            ends_on: form.ends_on.unwrap_or(self.ends_on),
            terms: form.terms.clone().unwrap_or_else(|| self.terms.clone()),
        }
    }

    /// The contract's details with these terms, judged as if they were written now.
    fn applied_to(&self, details: &ContractDetails) -> Result<Valid<ContractDetails>, Refusal> {
        Valid::check(ContractDetails {
            amount: self.amount,
            line_items: self.line_items.clone(),
            installments: self
                .installments
                .iter()
                .map(|part| InstallmentPlan {
                    due_on: part.due_on,
                    amount: part.amount,
                    condition: part.condition.clone(),
                })
                .collect(),
            starts_on: self.starts_on,
            ends_on: self.ends_on,
            terms: self.terms.clone(),
            ..details.clone()
        })
    }

    /// Refuses terms that what happened already does not allow.
    fn fit(&self, contract: &Contract, installments: &[Installment]) -> Result<(), Refusal> {
        let sums = &contract.sums;
        if sums.invoice_committed.exceeds(self.amount)? || sums.received.exceeds(self.amount)? {
            let detail = format!(
                "{} is invoiced or about to be, {} received: the amount cannot be {}",
                sums.invoice_committed, sums.received, self.amount
            );
            return Err(Refusal::new(Code::AmendmentBelowSums, detail)
                .with("amount", self.amount)
                .with("invoice_committed", sums.invoice_committed)
                .with("received", sums.received));
        }
        let planned = Money::sum(self.amount.currency(), self.installments.iter().map(|part| part.amount))?;
        if planned != self.amount {
            let detail = format!("installments add up to {planned}, the amount is {}", self.amount);
            return Err(Refusal::new(Code::InstallmentsMismatch, detail)
                .with("installments", planned)
                .with("amount", self.amount));
        }
        for (at, part) in self.installments.iter().enumerate() {
            let Some(id) = part.id else { continue };
            let known = installments.iter().find(|known| known.id == id && !known.closed);
            let Some(known) = known else {
                return Err(Refusal::unknown_reference(&format!("/installments/{at}/id")));
            };
            if known.allocated.exceeds(part.amount)? {
                return Err(has_payments(known));
            }
        }
        let kept: BTreeSet<InstallmentId> = self.installments.iter().filter_map(|part| part.id).collect();
        let mut left_out = installments.iter().filter(|known| !known.closed && !kept.contains(&known.id));
        match left_out.find(|known| known.allocated.is_positive()) {
            Some(known) => Err(has_payments(known)),
            None => Ok(()),
        }
    }
}

fn has_payments(part: &Installment) -> Refusal {
    let detail = format!("{} was put on installment {} already", part.allocated, part.sequence);
    Refusal::new(Code::InstallmentHasPayments, detail)
        .with("installment_id", part.id)
        .with("allocated", part.allocated)
}

/// One of the terms that changes.
#[derive(Debug, Clone, PartialEq, Serialize, ToSchema)]
pub struct TermChange {
    /// Which: a member of the terms.
    #[schema(max_length = 40, example = "amount")]
    pub member: String,
    /// What it was.
    #[schema(value_type = TermValue)]
    pub before: Value,
    /// What it is to be.
    #[schema(value_type = TermValue)]
    pub after: Value,
}

/// The value of one of the terms, as the specification describes it.
#[derive(Debug, Clone, Copy)]
pub struct TermValue;

impl PartialSchema for TermValue {
    fn schema() -> RefOr<Schema> {
        let lines = ArrayBuilder::new().items(json::reference::<LineItem>()).max_items(Some(200));
        let plan = ArrayBuilder::new().items(json::reference::<AmendedInstallment>()).max_items(Some(120));
        // No line and no installment look alike: of the two lists, an empty one is either.
        AnyOfBuilder::new()
            .item(json::reference::<Money>())
            .item(lines.description(Some("Line items.")))
            .item(plan.description(Some("The payment plan.")))
            .item(
                ObjectBuilder::new()
                    .schema_type(Type::String)
                    .max_length(Some(Prose::MAX))
                    .description(Some("A day, or the terms in words.")),
            )
            .item(ObjectBuilder::new().schema_type(Type::Null))
            .description(Some("The value of one of the terms; which of these it is depends on the member."))
            .into()
    }
}
impl ToSchema for TermValue {
    fn schemas(named: &mut Vec<(String, RefOr<Schema>)>) {
        json::name::<Money>(named);
        json::name::<LineItem>(named);
        json::name::<AmendedInstallment>(named);
    }
}

/// An amendment of a running contract.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Amendment {
    /// Its id.
    pub id: AmendmentId,
    /// Its number.
    pub number: Number,
    /// The contract.
    pub contract_id: ContractId,
    /// The contract's customer.
    pub customer_id: CustomerId,
    /// The contract's owner.
    pub owner_id: UserId,
    /// What it is about.
    pub kind: AmendmentKind,
    /// Why.
    pub reason: Line,
    /// The new amount.
    pub amount: Money,
    /// The terms that the contract had when it was asked for.
    pub before: ContractTerms,
    /// The terms that it is to have.
    pub after: ContractTerms,
    /// How it stands.
    #[serde(flatten)]
    pub outcome: Outcome,
    /// Who asked for it.
    pub created_by: UserId,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Amendment, Amendment);
proposal!(
    Amendment,
    "amendment",
    |it| (it.subject(), Some(it.customer_id)),
    &[
        "the last step of its approval was approved",
        "the contract runs, with the terms that were to be changed",
        "the new amount is not below what is invoiced or received",
        "the new installments add up to it, and none is below what was put on it",
    ],
    &["the contract was terminated"]
);

impl Amendment {
    /// Asks for other terms of a running contract. `installments` are all of it.
    pub fn request(
        ctx: &Context,
        id: AmendmentId,
        number: Number,
        (contract, installments): (&Contract, &[Installment]),
        form: Valid<AmendmentForm>,
    ) -> Result<(Self, Event), Refusal> {
        ctx.authorize(Permission::ContractsDraft, Some(contract.owner_id))?;
        contract.running()?;
        let form = form.into_inner();
        let before = ContractTerms::of(contract, installments);
        if let Some(amount) = form.amount {
            amount.stated_in(before.amount.currency(), "/amount")?;
        }
        let after = before.with(&form);
        if after == before {
            return Err(Refusal::invalid("", Rule::NothingChanges, "must change something"));
        }
        after.applied_to(&contract.details)?;
        after.fit(contract, installments)?;
        let only_plan =
            ContractTerms { installments: before.installments.clone(), ..after.clone() } == before;
        let amendment = Self {
            id,
            number,
            contract_id: contract.id,
            customer_id: contract.details.customer_id,
            owner_id: contract.owner_id,
            kind: if only_plan { AmendmentKind::Installments } else { AmendmentKind::Terms },
            reason: form.reason,
            amount: after.amount,
            before,
            after,
            outcome: Outcome::PENDING,
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        Ok((amendment, Event("amendment.requested")))
    }

    /// What its approval is about.
    pub const fn subject(&self) -> ApprovalSubject {
        match self.kind {
            AmendmentKind::Terms => ApprovalSubject::ContractAmendment,
            AmendmentKind::Installments => ApprovalSubject::InstallmentChange,
        }
    }

    /// What is at stake: the greater of the amounts before and after.
    pub fn at_stake(&self) -> Result<Money, Refusal> {
        let (before, after) = (self.before.amount, self.after.amount);
        Ok(if before.exceeds(after)? { before } else { after })
    }

    /// Seen by whoever sees the contract.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.reveal(Permission::ContractsRead, Some(self.owner_id))
    }

    /// What it changes, member by member.
    pub fn changes(&self) -> Vec<TermChange> {
        let members = |terms: &ContractTerms| match serde_json::to_value(terms) {
            Ok(Value::Object(members)) => members,
            _ => serde_json::Map::new(),
        };
        let (before, mut after) = (members(&self.before), members(&self.after));
        before
            .into_iter()
            .map(|(member, before)| TermChange {
                after: after.remove(&member).unwrap_or_default(),
                member,
                before,
            })
            .filter(|change| change.before != change.after)
            .collect()
    }

    /// It was approved: the contract has the new terms now, if what happened meanwhile allows it. `installments` are
    /// all of the contract; new ones are added.
    pub fn approve(
        &mut self,
        ctx: &Context,
        contract: &mut Contract,
        installments: &mut Vec<Installment>,
        mut new_id: impl FnMut() -> InstallmentId,
    ) -> Result<Event, Refusal> {
        let event = self.decided(ctx, ProposalAction::Approve)?;
        contract.running()?;
        if ContractTerms::of(contract, installments) != self.before {
            let why = "the contract's terms are no longer those that were to be changed";
            return Err(Refusal::new(Code::StaleApproval, why));
        }
        self.after.fit(contract, installments)?;
        contract.details = self.after.applied_to(&contract.details)?.into_inner();
        for known in installments.iter_mut().filter(|known| !known.closed) {
            match self.after.installments.iter().find(|part| part.id == Some(known.id)) {
                Some(part) => {
                    let before = known.clone();
                    known.move_to(part.due_on);
                    known.amount = part.amount;
                    known.condition.clone_from(&part.condition);
                    known.note_reopened(&before);
                }
                None => known.closed = true,
            }
        }
        let last = installments.iter().map(|part| part.sequence).max().unwrap_or(0);
        let nothing = Money::zero(self.amount.currency());
        let new = self.after.installments.iter().filter(|part| part.id.is_none()).zip(last + 1..);
        let new: Vec<Installment> = new
            .map(|(part, sequence)| Installment {
                id: new_id(),
                contract_id: contract.id,
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
            .collect();
        installments.extend(new);
        Ok(event)
    }
}
