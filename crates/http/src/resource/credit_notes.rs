//! Credit notes (红冲).

use fairlead_application::credit_notes;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Credit notes", "Issued invoices that are taken back (红冲), in whole or in part.")
        .list(
            "/credit-notes",
            "list_credit_notes",
            "List credit notes",
            "Those of invoices within the caller's scope.",
            &credit_notes::LISTING,
            credit_notes::list,
        )
        .needs(Permission::InvoicesRead)
        .create(
            "/credit-notes",
            "issue_credit_note",
            "Credit an invoice, or a part of it",
            "An issued one, up to what no payment was put on: payments are allocated anew or reversed first. The amount can \
             be invoiced again. The taxes of the credit notes of a whole invoice add up to the invoice's tax.",
            credit_notes::create,
        )
        .needs(Permission::InvoicesVoid)
        .refuses(&[
            Code::UnknownReference,
            Code::CurrencyMismatch,
            Code::InvalidTransition,
            Code::CreditExceedsInvoice,
            Code::InvoiceHasPayments,
            Code::Duplicate,
        ])
        .get_related(
            "/credit-notes/{id}",
            "get_credit_note",
            "Get a credit note",
            "One of an invoice within the caller's scope.",
            &credit_notes::LISTING,
            credit_notes::get,
        )
        .needs(Permission::InvoicesRead);
}
