//! What a payment is put on, and the sums that follow.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::{Validate, ValidationError};

use crate::contract::{CollectionScheme, Contract, Installment};
use crate::error::{Code, Refusal, Rule};
use crate::invoice::{Invoice, InvoiceStatus};
use crate::record;
use crate::text_enum;
use crate::values::{AllocationId, ContractId, InstallmentId, InvoiceId, Money, PaymentId, Timestamp};

text_enum! {
    /// What a part of a payment is put on.
    pub enum AllocationTarget {
        /// An issued invoice.
        Invoice = "invoice" ("Invoice", "发票"),
        /// An installment.
        Installment = "installment" ("Installment", "回款计划"),
    }
}

/// A part of a payment and what it is put on: an invoice or an installment.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "one_target"))]
#[schema(example = json!({
    "invoice_id": InvoiceId::example(1),
    "amount": {"amount": "36000.00", "currency": "CNY"}
}))]
pub struct AllocationPlan {
    /// The invoice, when the contract collects by invoice.
    #[serde(default)]
    pub invoice_id: Option<InvoiceId>,
    /// The installment, when the contract collects by contract.
    #[serde(default)]
    pub installment_id: Option<InstallmentId>,
    /// How much.
    #[validate(custom(function = "crate::contract::positive"))]
    pub amount: Money,
}

fn one_target(plan: &AllocationPlan) -> Result<(), ValidationError> {
    if plan.invoice_id.is_some() != plan.installment_id.is_some() {
        return Ok(());
    }
    Err(Rule::OneTarget.error("must name either an invoice or an installment"))
}

pub(crate) fn distinct_targets(plans: &[AllocationPlan]) -> Result<(), ValidationError> {
    let targets: BTreeSet<_> = plans.iter().map(|plan| (plan.invoice_id, plan.installment_id)).collect();
    if targets.len() == plans.len() {
        return Ok(());
    }
    Err(Rule::Distinct.error("must name each target once"))
}

/// A part of a payment, put on one invoice or one installment. It counts while its payment is recorded or
/// confirmed, until the payment is allocated anew.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Allocation {
    /// Its id.
    pub id: AllocationId,
    /// The payment.
    pub payment_id: PaymentId,
    /// The payment's contract.
    pub contract_id: ContractId,
    /// The invoice that it is put on.
    #[schema(required)]
    pub invoice_id: Option<InvoiceId>,
    /// The installment that it is put on.
    #[schema(required)]
    pub installment_id: Option<InstallmentId>,
    /// How much.
    pub amount: Money,
    /// Whether it no longer counts: the payment was allocated anew, or paid back in part.
    pub void: bool,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Allocation, Allocation);

/// What one target can still take.
struct Room {
    id: Uuid,
    open: Money,
}

/// A part of the amount for a target.
pub(super) type Share = (Uuid, Money);

/// The contract's invoices, oldest issue first. Those that are not issued take nothing.
fn invoice_rooms(contract: &Contract, invoices: &[Invoice]) -> Result<Vec<Room>, Refusal> {
    let mut own: Vec<&Invoice> =
        invoices.iter().filter(|invoice| invoice.details.contract_id == contract.id).collect();
    own.sort_by_key(|invoice| (invoice.issued_on, &invoice.number, invoice.id));
    own.into_iter()
        .map(|invoice| {
            let amount = invoice.details.amount;
            let open = match invoice.status {
                InvoiceStatus::Issued => invoice.open()?,
                _ => Money::zero(amount.currency()),
            };
            Ok(Room { id: invoice.id.into(), open })
        })
        .collect()
}

/// The contract's installments, oldest due date first. Closed ones take nothing.
fn installment_rooms(contract: &Contract, installments: &[Installment]) -> Result<Vec<Room>, Refusal> {
    let mut own: Vec<&Installment> =
        installments.iter().filter(|part| part.contract_id == contract.id).collect();
    own.sort_by_key(|part| (part.due_on, part.sequence));
    own.into_iter()
        .map(|part| {
            let open = part.amount.minus(part.allocated)?;
            Ok(Room {
                id: part.id.into(),
                open: if part.closed { Money::zero(open.currency()) } else { open },
            })
        })
        .collect()
}

fn oldest_first(amount: Money, target: AllocationTarget, rooms: &[Room]) -> Result<Vec<Share>, Refusal> {
    let mut rest = amount;
    let mut shares = Vec::new();
    for room in rooms {
        let part = rest.at_most(room.open)?;
        if part.is_positive() {
            shares.push((room.id, part));
            rest = rest.minus(part)?;
        }
    }
    if rest.is_zero() {
        return Ok(shares);
    }
    let open = amount.minus(rest)?;
    Err(Refusal::new(Code::NothingToAllocate, format!("{open} of {amount} find an open {target}"))
        .with("target", target)
        .with("amount", amount)
        .with("open", open))
}

fn as_planned(
    amount: Money,
    target: AllocationTarget,
    plans: &[AllocationPlan],
    rooms: &[Room],
) -> Result<Vec<Share>, Refusal> {
    let mut shares = Vec::new();
    for (at, plan) in plans.iter().enumerate() {
        plan.amount.stated_in(amount.currency(), &format!("/allocations/{at}/amount"))?;
        let pointer = format!("/allocations/{at}/{target}_id");
        let id: Uuid = match target {
            AllocationTarget::Invoice => plan.invoice_id.map(Uuid::from),
            AllocationTarget::Installment => plan.installment_id.map(Uuid::from),
        }
        .ok_or_else(|| {
            let why = format!("the contract's collection scheme wants an {target} here");
            Refusal::invalid(&pointer, Rule::WrongTarget, why)
        })?;
        let room =
            rooms.iter().find(|room| room.id == id).ok_or_else(|| Refusal::unknown_reference(&pointer))?;
        if plan.amount.exceeds(room.open)? {
            let detail = format!("the {target} can take {}, not {}", room.open, plan.amount);
            return Err(Refusal::new(Code::AllocationExceedsOpen, detail)
                .with("target", target)
                .with("target_id", id)
                .with("amount", plan.amount)
                .with("open", room.open));
        }
        shares.push((id, plan.amount));
    }
    let sum = Money::sum(amount.currency(), shares.iter().map(|(_, part)| *part))?;
    if sum == amount {
        return Ok(shares);
    }
    Err(Refusal::new(
        Code::AllocationMismatch,
        format!("allocations add up to {sum}, the payment is {amount}"),
    )
    .with("allocations", sum)
    .with("amount", amount))
}

/// Every share of a payment: by the contract's scheme, and in both schemes on installments.
pub(super) fn shares(
    amount: Money,
    contract: &Contract,
    invoices: &[Invoice],
    installments: &[Installment],
    plans: Option<&[AllocationPlan]>,
) -> Result<Vec<(AllocationTarget, Share)>, Refusal> {
    use AllocationTarget::{Installment, Invoice};
    let by = |target, rooms: &[Room], plans: Option<&[AllocationPlan]>| {
        let shares = match plans {
            Some(plans) => as_planned(amount, target, plans, rooms)?,
            None => oldest_first(amount, target, rooms)?,
        };
        Ok::<_, Refusal>(shares.into_iter().map(move |share| (target, share)))
    };
    let parts = installment_rooms(contract, installments)?;
    match contract.details.collection_scheme {
        CollectionScheme::ByInvoice => {
            let settled = by(Invoice, &invoice_rooms(contract, invoices)?, plans)?;
            Ok(settled.chain(by(Installment, &parts, None)?).collect())
        }
        CollectionScheme::ByContract => Ok(by(Installment, &parts, plans)?.collect()),
    }
}

/// Of what is allocated, the oldest parts up to an amount, in both ways in which it is put.
pub(super) fn kept(
    allocations: &[Allocation],
    amount: Money,
) -> Result<Vec<(AllocationTarget, Share)>, Refusal> {
    let mut shares = Vec::new();
    for target in [AllocationTarget::Invoice, AllocationTarget::Installment] {
        let mut rest = amount;
        for allocation in allocations {
            let id: Option<Uuid> = match target {
                AllocationTarget::Invoice => allocation.invoice_id.map(Into::into),
                AllocationTarget::Installment => allocation.installment_id.map(Into::into),
            };
            let part = rest.at_most(allocation.amount)?;
            if let Some(id) = id.filter(|_| part.is_positive()) {
                shares.push((target, (id, part)));
                rest = rest.minus(part)?;
            }
        }
    }
    Ok(shares)
}

/// What happens to the sums of a payment's targets.
#[derive(Clone, Copy)]
pub(super) enum Posting {
    Record,
    Confirm,
    Reject,
    Reverse,
}

impl Posting {
    fn apply(self, allocated: &mut Money, paid: &mut Money, amount: Money) -> Result<(), Refusal> {
        match self {
            Self::Record => *allocated = allocated.plus(amount)?,
            Self::Confirm => *paid = paid.plus(amount)?,
            Self::Reject => *allocated = allocated.minus(amount)?,
            Self::Reverse => {
                *allocated = allocated.minus(amount)?;
                *paid = paid.minus(amount)?;
            }
        }
        if allocated.minor() < paid.minor() || paid.minor() < 0 {
            return Err(Refusal::new(Code::Internal, "the sums of a payment's target do not add up"));
        }
        Ok(())
    }

    pub(super) fn post(
        self,
        allocations: &[Allocation],
        invoices: &mut [Invoice],
        installments: &mut [Installment],
    ) -> Result<(), Refusal> {
        let missing = || Refusal::new(Code::Internal, "the target of an allocation was not given");
        for allocation in allocations {
            let amount = allocation.amount;
            if let Some(id) = allocation.invoice_id {
                let invoice = invoices.iter_mut().find(|invoice| invoice.id == id).ok_or_else(missing)?;
                self.apply(&mut invoice.allocated, &mut invoice.paid, amount)?;
            }
            if let Some(id) = allocation.installment_id {
                let part = installments.iter_mut().find(|part| part.id == id).ok_or_else(missing)?;
                self.apply(&mut part.allocated, &mut part.paid, amount)?;
            }
        }
        Ok(())
    }
}
