//! Amendments of running contracts (合同变更).

use fairlead_application::amendments;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;
use fairlead_domain::values::AmendmentId;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Amendments", "Other terms, or another payment plan, of a running contract (合同变更), once approved.")
        .list(
            "/amendments",
            "list_amendments",
            "List amendments",
            "Those of contracts within the caller's scope.",
            &amendments::LISTING,
            amendments::list,
        )
        .needs(Permission::ContractsRead)
        .create(
            "/amendments",
            "request_amendment",
            "Ask for other terms of a running contract",
            "What is absent stays as it is. The amount cannot be below what is invoiced or received. A new plan names the \
             installments that stay by their ids and adds up to the amount; those with payments on them stay. Where \
             nothing but the plan changes, the flow `installment_change` counts, else `contract_amendment`. Judged \
             again when it is approved: invoices and payments go on meanwhile.",
            amendments::create,
        )
        .needs(Permission::ContractsDraft)
        .refuses(&[
            Code::UnknownReference,
            Code::ContractNotActive,
            Code::CurrencyMismatch,
            Code::AmountOutOfRange,
            Code::AmendmentBelowSums,
            Code::InstallmentsMismatch,
            Code::InstallmentHasPayments,
            Code::PendingApproval,
            Code::NoEligibleApprover,
        ])
        .get_related(
            "/amendments/{id}",
            "get_amendment",
            "Get an amendment",
            "With the terms before and after, and what differs.",
            &amendments::LISTING,
            amendments::get,
        )
        .needs(Permission::ContractsRead)
        .act(
            "/amendments/{id}/withdraw",
            "withdraw_amendment",
            "Take an amendment back",
            "By whoever asked for it, while it is pending; by somebody else who may ask for it once they no longer may.",
            amendments::withdraw,
        )
        .shown_with(&AmendmentId::example(2))
        .needs(Permission::ContractsRead)
        .refuses(&[Code::Forbidden, Code::AlreadyDecided]);
}
