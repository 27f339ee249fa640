//! Payments that are allocated anew: to other targets, or as much less as was paid back.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::allocation::{AllocationTarget, Posting, Share, kept, shares};
use super::{Allocation, AllocationPlan, Payment, PaymentAction, PaymentStatus, allocate, distinct_targets};
use crate::context::{Context, Event};
use crate::contract::{Contract, ContractStatus, Installment};
use crate::error::Refusal;
use crate::invoice::Invoice;
use crate::valid::Valid;
use crate::values::{AllocationId, InvoiceId, Line, Money};

/// On what a payment is put instead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "allocations": [
        {
            "invoice_id": InvoiceId::example(1),
            "amount": {"amount": "200000.00", "currency": "CNY"}
        }
    ],
    "reason": "The customer meant another invoice"
}))]
pub struct ReallocateForm {
    /// What it settles; the oldest first when absent. Adds up to what is left of the payment.
    #[serde(default)]
    #[validate(length(min = 1, max = 100), custom(function = "distinct_targets"), nested)]
    #[schema(min_items = 1, max_items = 100)]
    pub allocations: Option<Vec<AllocationPlan>>,
    /// Why.
    #[validate(nested)]
    pub reason: Line,
}

/// The allocations of a payment before and after.
#[derive(Debug)]
pub struct Anew {
    /// Those that no longer count.
    pub void: Vec<Allocation>,
    /// Those that do.
    pub live: Vec<Allocation>,
}

impl Payment {
    /// Puts it on other invoices or installments of its contract.
    #[expect(
        clippy::too_many_arguments,
        reason = "the aggregate and the form; a struct would only rename them"
    )]
    pub fn reallocate(
        &self,
        ctx: &Context,
        contract: &Contract,
        invoices: &mut [Invoice],
        installments: &mut [Installment],
        allocations: &[Allocation],
        form: &Valid<ReallocateForm>,
        mut new_id: impl FnMut() -> AllocationId,
    ) -> Result<(Anew, Event), Refusal> {
        self.permit(ctx, PaymentAction::Reallocate)?;
        contract.invoicing()?;
        // A refusal changes nothing: what is undone for it is undone on a copy.
        let (mut on, mut by) = (invoices.to_vec(), installments.to_vec());
        self.undo(allocations, &mut on, &mut by)?;
        let shares = shares(self.left()?, contract, &on, &by, form.allocations.as_deref())?;
        let anew = self.redo(ctx, allocations, shares, (&mut on, &mut by), &mut new_id)?;
        invoices.clone_from_slice(&on);
        installments.clone_from_slice(&by);
        Ok((anew, Event("payment.reallocated")))
    }

    /// A part of it was paid back: the newest of its allocations are undone.
    pub(super) fn reduce(
        &mut self,
        ctx: &Context,
        contract: &mut Contract,
        (invoices, installments): (&mut [Invoice], &mut [Installment]),
        allocations: &[Allocation],
        amount: Money,
        mut new_id: impl FnMut() -> AllocationId,
    ) -> Result<Anew, Refusal> {
        self.undo(allocations, invoices, installments)?;
        self.refunded = self.refunded.plus(amount)?;
        let left = self.left()?;
        let anew =
            self.redo(ctx, allocations, kept(allocations, left)?, (invoices, installments), &mut new_id)?;
        if contract.status == ContractStatus::Terminated {
            // What it had paid of a contract that ended is not asked for again.
            let named = |part: &&mut Installment| {
                allocations.iter().any(|allocation| allocation.installment_id == Some(part.id))
            };
            installments.iter_mut().filter(named).for_each(|part| {
                part.close();
            });
        }
        contract.reverse_paid(amount)?;
        if left.is_zero() {
            self.status = super::MACHINE.follow(self.status, PaymentAction::Refund)?;
        }
        Ok(anew)
    }

    fn undo(
        &self,
        allocations: &[Allocation],
        invoices: &mut [Invoice],
        installments: &mut [Installment],
    ) -> Result<(), Refusal> {
        let posting =
            if self.status == PaymentStatus::Confirmed { Posting::Reverse } else { Posting::Reject };
        posting.post(allocations, invoices, installments)
    }

    fn redo(
        &self,
        ctx: &Context,
        allocations: &[Allocation],
        shares: Vec<(AllocationTarget, Share)>,
        (invoices, installments): (&mut [Invoice], &mut [Installment]),
        new_id: &mut impl FnMut() -> AllocationId,
    ) -> Result<Anew, Refusal> {
        let live = allocate(ctx, (self.id, self.details.contract_id), shares, new_id);
        Posting::Record.post(&live, invoices, installments)?;
        if self.status == PaymentStatus::Confirmed {
            Posting::Confirm.post(&live, invoices, installments)?;
        }
        let void = allocations.iter().map(|allocation| Allocation { void: true, ..allocation.clone() });
        Ok(Anew { void: void.collect(), live })
    }
}
