use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{CollectionScheme, Contract, ContractAction, ContractStatus, MACHINE};
use crate::context::{Context, Event};
use crate::error::{Code, Refusal};
use crate::values::Money;

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

/// A contract that was paid in full is so no longer, and runs again.
pub const REACTIVATED: Event = Event("contract.reactivated");

impl ContractStatus {
    /// Refuses money matters of a contract that does not run.
    fn running(self) -> Result<(), Refusal> {
        if self == Self::Active {
            return Ok(());
        }
        Err(Refusal::new(Code::ContractNotActive, format!("the contract is {self}"))
            .with("contract_status", self))
    }

    /// Refuses invoices of a contract that neither runs nor was paid in full: under the scheme `by_contract`
    /// money may come before the invoice.
    pub(crate) fn invoicing(self) -> Result<(), Refusal> {
        if self == Self::Completed { Ok(()) } else { self.running() }
    }
}

impl Contract {
    /// Refuses money matters of a contract that does not run.
    pub fn running(&self) -> Result<(), Refusal> {
        self.status.running()
    }

    /// Refuses invoices of a contract that neither runs nor was paid in full.
    pub fn invoicing(&self) -> Result<(), Refusal> {
        self.status.invoicing()
    }

    /// What is still to be paid: nothing any more of a contract that was given up or ended early.
    pub fn outstanding(&self) -> Result<Money, Refusal> {
        self.unless_over(self.sums.paid)
    }

    /// What may still be invoiced.
    pub fn invoiceable(&self) -> Result<Money, Refusal> {
        self.unless_over(self.sums.invoice_committed)
    }

    fn unless_over(&self, less: Money) -> Result<Money, Refusal> {
        match self.status {
            ContractStatus::Cancelled | ContractStatus::Terminated => {
                Ok(Money::zero(self.details.amount.currency()))
            }
            ContractStatus::Draft
            | ContractStatus::PendingApproval
            | ContractStatus::Active
            | ContractStatus::Completed => self.details.amount.minus(less),
        }
    }

    /// Commits an invoice's amount, before anybody is asked to approve it.
    pub fn commit_invoice(&mut self, amount: Money) -> Result<(), Refusal> {
        self.invoicing()?;
        let committed = self.sums.invoice_committed.plus(amount)?;
        if committed.exceeds(self.details.amount)? {
            let detail = format!("{} of {} may still be invoiced", self.invoiceable()?, self.details.amount);
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
        self.invoicing()?;
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
        self.sums.received = self.received_with(amount)?;
        Ok(())
    }

    /// What recorded and confirmed payments would add up to with this one.
    pub(crate) fn received_with(&self, amount: Money) -> Result<Money, Refusal> {
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
        Ok(received)
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
                Ok(Some(REACTIVATED))
            }
            _ => Ok(None),
        }
    }
}
