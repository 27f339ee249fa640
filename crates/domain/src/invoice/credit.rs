//! Credit notes (红冲): an issued invoice is taken back, in whole or in part.

use chrono::NaiveDate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use super::{Invoice, InvoiceAction, MACHINE};
use crate::access::Permission;
use crate::context::{Context, Event};
use crate::contract::Contract;
use crate::error::{Code, Refusal, Rule};
use crate::record;
use crate::valid::Valid;
use crate::values::{
    ContractId, CreditNoteId, CustomerId, InvoiceId, Line, Money, Number, TaxSplit, Timestamp, UserId,
};

/// What a credit note takes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "invoice_id": InvoiceId::example(1),
    "amount": {"amount": "6000.00", "currency": "CNY"},
    "tax_invoice_number": "26332000000087654321",
    "reason": "A part of the service was not wanted"
}))]
pub struct CreditForm {
    /// The invoice.
    pub invoice_id: InvoiceId,
    /// How much of it, tax included.
    #[validate(custom(function = "crate::contract::positive"))]
    pub amount: Money,
    /// The number of the red tax invoice; unique, whatever the case and the width of its characters and the spaces in
    /// it.
    #[validate(nested)]
    pub tax_invoice_number: Line,
    /// When it was issued; today when absent.
    #[serde(default, deserialize_with = "crate::values::optional_day")]
    #[validate(custom(function = "crate::values::written_day"))]
    pub issued_on: Option<NaiveDate>,
    /// Why.
    #[validate(nested)]
    pub reason: Line,
}

/// A credit note. It is never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct CreditNote {
    /// Its id.
    pub id: CreditNoteId,
    /// Its number inside Fairlead.
    pub number: Number,
    /// The invoice.
    pub invoice_id: InvoiceId,
    /// The invoice's contract.
    pub contract_id: ContractId,
    /// The contract's customer.
    pub customer_id: CustomerId,
    /// The contract's owner.
    pub owner_id: UserId,
    /// How much of the invoice, tax included.
    pub amount: Money,
    /// The tax in it: the taxes of the credit notes that take back a whole invoice are the invoice's tax. So it may be a
    /// cent off what the rate makes of the amount, and is kept as an amount of its own, where an invoice has net, tax and
    /// gross worked out of its amount.
    pub tax: Money,
    /// The number of the red tax invoice.
    pub tax_invoice_number: Line,
    /// When it was issued.
    pub issued_on: NaiveDate,
    /// Why.
    pub reason: Line,
    /// Who issued it.
    pub created_by: UserId,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(CreditNote, CreditNote);

impl CreditNote {
    /// The number of the red tax invoice as it is compared.
    pub fn tax_invoice_key(&self) -> String {
        self.tax_invoice_number.normalised()
    }

    /// Seen by whoever sees the invoice.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.reveal(Permission::InvoicesRead, Some(self.owner_id))
    }
}

impl Invoice {
    /// May the caller credit it, or a part of it? While payments leave something of it.
    pub fn may_credit(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.authorize(Permission::InvoicesVoid, Some(self.owner_id))?;
        MACHINE.follow(self.status, InvoiceAction::Credit)?;
        if self.open()?.is_positive() { Ok(()) } else { self.unpaid() }
    }

    /// Takes a part of it back, or all of it, and frees as much of the contract's amount. What payments were put on
    /// stays: they are allocated anew or reversed first.
    pub fn credit(
        &mut self,
        ctx: &Context,
        contract: &mut Contract,
        (id, number): (CreditNoteId, Number),
        form: Valid<CreditForm>,
    ) -> Result<(CreditNote, Event), Refusal> {
        self.may_credit(ctx)?;
        let form = form.into_inner();
        form.amount.stated_in(self.details.amount.currency(), "/amount")?;
        let today = ctx.today().0;
        let issued_on = form.issued_on.unwrap_or(today);
        if issued_on > today {
            return Err(Refusal::invalid("/issued_on", Rule::InFuture, "must not be in the future"));
        }
        if self.issued_on.is_some_and(|day| issued_on < day) {
            return Err(Refusal::invalid(
                "/issued_on",
                Rule::BeforeInvoice,
                "must not be before the invoice's day",
            ));
        }
        let open = self.open()?;
        if form.amount.exceeds(open)? {
            let detail = format!("{open} of {} can be credited", self.details.amount);
            let code =
                if self.allocated.is_zero() { Code::CreditExceedsInvoice } else { Code::InvoiceHasPayments };
            return Err(Refusal::new(code, detail)
                .with("amount", form.amount)
                .with("credited", self.credited)
                .with("allocated", self.allocated)
                .with("remaining", open));
        }
        let tax = |gross: Money| gross.split_tax(self.details.tax_rate).map(|split: TaxSplit| split.tax);
        let credited = self.credited.plus(form.amount)?;
        let note = CreditNote {
            id,
            number,
            invoice_id: self.id,
            contract_id: contract.id,
            customer_id: self.customer_id,
            owner_id: self.owner_id,
            amount: form.amount,
            tax: tax(credited)?.minus(tax(self.credited)?)?,
            tax_invoice_number: form.tax_invoice_number,
            issued_on,
            reason: form.reason,
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        contract.void_invoice(form.amount)?;
        self.credited = credited;
        if credited == self.details.amount {
            self.status = MACHINE.follow(self.status, InvoiceAction::Credit)?;
        }
        Ok((note, Event("credit_note.issued")))
    }
}
