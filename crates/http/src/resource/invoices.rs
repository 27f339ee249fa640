//! Invoices (开票).

use fairlead_application::invoices;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;
use fairlead_domain::values::InvoiceId;
use serde_json::json;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Invoices", "Invoices (开票) of running contracts: requested, approved, issued.")
        .list(
            "/invoices",
            "list_invoices",
            "List invoices",
            "The invoices of contracts within the caller's scope.",
            &invoices::LISTING,
            invoices::list,
        )
        .needs(Permission::InvoicesRead)
        .search(
            "search_invoices",
            "Search invoices",
            &invoices::LISTING,
            json!({
                "all": [
                    {"any": [
                        {"status": ["pending_approval", "approved"]},
                        {"status": ["issued"], "amount_gte": "100000.00 CNY"}
                    ]}
                ],
                "sort": ["-created_at"],
                "limit": 20,
                "include": ["contract"]
            }),
            invoices::list,
        )
        .needs(Permission::InvoicesRead)
        .create(
            "/invoices",
            "create_invoice",
            "Draft an invoice",
            "Of a running contract, in its currency. Customer and owner are the contract's.",
            invoices::create,
        )
        .needs(Permission::InvoicesRequest)
        .refuses(&[Code::UnknownReference, Code::ContractNotActive, Code::CurrencyMismatch])
        .get_related(
            "/invoices/{id}",
            "get_invoice",
            "Get an invoice",
            "One invoice of a contract within the caller's scope.",
            &invoices::LISTING,
            invoices::get,
        )
        .needs(Permission::InvoicesRead)
        .patch(
            "/invoices/{id}",
            "update_invoice",
            "Change a draft",
            "Only a draft can be changed; its contract never.",
            invoices::update,
        )
        .shown_with(&InvoiceId::example(2))
        .needs(Permission::InvoicesRequest)
        .refuses(&[Code::PendingApproval, Code::InvalidTransition, Code::CurrencyMismatch])
        .delete(
            "/invoices/{id}",
            "delete_invoice",
            "Delete a draft",
            "Only a draft that never was submitted can be deleted.",
            invoices::delete,
        )
        .shown_with(&InvoiceId::example(2))
        .needs(Permission::InvoicesRequest)
        .refuses(&[Code::PendingApproval, Code::InvalidTransition, Code::InUse])
        .act(
            "/invoices/{id}/submit",
            "submit_invoice",
            "Ask for the approval of an invoice",
            "All invoices of the contract that are pending, approved or issued may not exceed its amount, \
             however many are submitted at once. A special invoice needs the buyer's title and tax number.",
            invoices::submit,
        )
        .shown_with(&InvoiceId::example(2))
        .needs(Permission::InvoicesRequest)
        .refuses(&[
            Code::ContractNotActive,
            Code::InvoiceExceedsContract,
            Code::InvoiceIncomplete,
            Code::NoEligibleApprover,
        ])
        .act(
            "/invoices/{id}/withdraw",
            "withdraw_invoice",
            "Take back the request for approval",
            "By whoever made it. The invoice is a draft again, and its amount is free. Somebody else who may submit it \
             takes the request back once whoever made it no longer may.",
            invoices::withdraw,
        )
        .shown_with(&InvoiceId::example(3))
        .needs(Permission::InvoicesRequest)
        .refuses(&[Code::AlreadyDecided])
        .act(
            "/invoices/{id}/cancel",
            "cancel_invoice",
            "Cancel a draft",
            "It is kept, but never becomes an invoice.",
            invoices::cancel,
        )
        .shown_with(&InvoiceId::example(4))
        .needs(Permission::InvoicesRequest)
        .act_with(
            "/invoices/{id}/issue",
            "issue_invoice",
            "Issue an approved invoice",
            "With the number of the tax invoice, which is unique, and its date.",
            invoices::issue,
        )
        .shown_with(&InvoiceId::example(4))
        .needs(Permission::InvoicesIssue)
        .refuses(&[Code::ContractNotActive, Code::Duplicate])
        .act_with(
            "/invoices/{id}/void",
            "void_invoice",
            "Void an issued invoice",
            "With a reason, and only without payments on it. Its amount is free again.",
            invoices::void,
        )
        .shown_with(&InvoiceId::example(5))
        .needs(Permission::InvoicesVoid)
        .refuses(&[Code::InvoiceHasPayments, Code::InvoiceCredited]);
}
