//! Payments (回款).

use fairlead_application::payments;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;
use fairlead_domain::values::PaymentId;
use serde_json::json;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Payments", "Money that came in (回款), allocated to invoices or installments of one contract.")
        .list(
            "/payments",
            "list_payments",
            "List payments",
            "The payments of contracts within the caller's scope.",
            &payments::LISTING,
            payments::list,
        )
        .needs(Permission::PaymentsRead)
        .search(
            "search_payments",
            "Search payments",
            &payments::LISTING,
            json!({
                "all": [
                    {"any": [
                        {"status": ["recorded"]},
                        {"method": ["bank_transfer", "cheque"], "amount_gte": "50000.00 CNY"}
                    ]}
                ],
                "sort": ["-received_on"],
                "limit": 20,
                "include": ["contract"]
            }),
            payments::list,
        )
        .needs(Permission::PaymentsRead)
        .create(
            "/payments",
            "record_payment",
            "Record a payment",
            "Of a running contract, in its currency, allocated in full: to issued invoices or to \
             installments, oldest first unless said otherwise. All payments of a contract may not exceed its \
             amount, however many are recorded at once. A bank reference is unique for its method.",
            payments::create,
        )
        .needs(Permission::PaymentsRecord)
        .refuses(&[
            Code::UnknownReference,
            Code::CurrencyMismatch,
            Code::AmountOutOfRange,
            Code::ContractNotActive,
            Code::PaymentExceedsContract,
            Code::AllocationExceedsOpen,
            Code::AllocationMismatch,
            Code::NothingToAllocate,
            Code::Duplicate,
        ])
        .get_related(
            "/payments/{id}",
            "get_payment",
            "Get a payment",
            "One payment of a contract within the caller's scope, with its allocations.",
            &payments::LISTING,
            payments::get,
        )
        .needs(Permission::PaymentsRead)
        .patch(
            "/payments/{id}",
            "update_payment",
            "Correct a payment",
            "While it is not confirmed; its labels always, by finance once it is confirmed or over. Amount and contract stay: \
             reject it and record it anew. Whoever corrects it does not confirm it.",
            payments::update,
        )
        .shown_with(&PaymentId::example(2))
        .needs(Permission::PaymentsRecord)
        .refuses(&[Code::InvalidTransition, Code::Duplicate])
        .act(
            "/payments/{id}/confirm",
            "confirm_payment",
            "Confirm that a payment arrived",
            "By somebody who neither recorded it nor owns the contract. The last one completes the contract.",
            payments::confirm,
        )
        .shown_with(&PaymentId::example(2))
        .needs(Permission::PaymentsConfirm)
        .refuses(&[Code::SeparationOfDuties])
        .act_with(
            "/payments/{id}/reject",
            "reject_payment",
            "Reject a recorded payment",
            "With a reason. Its allocations are undone.",
            payments::reject,
        )
        .shown_with(&PaymentId::example(3))
        .needs(Permission::PaymentsConfirm)
        .refuses(&[Code::SeparationOfDuties])
        .act_with(
            "/payments/{id}/reverse",
            "reverse_payment",
            "Reverse a confirmed payment",
            "With a reason. The payment stays on record, its allocations are undone. A contract that was completed \
             runs again; if its customer is in the public pool meanwhile, it goes back to the contract's owner. Not while refunds of it wait, \
             nor after one. A receipt that it accounted for is open again.",
            payments::reverse,
        )
        .shown_with(&PaymentId::example(4))
        .needs(Permission::PaymentsConfirm)
        .refuses(&[Code::SeparationOfDuties, Code::PaymentRefunded])
        .act_with(
            "/payments/{id}/reallocate",
            "reallocate_payment",
            "Put a payment on other invoices or installments",
            "Of its contract, which is active or completed: as named, or the oldest first. What it settled before is open \
             again; what was allocated is kept, and no longer counts.",
            payments::reallocate,
        )
        .needs(Permission::PaymentsConfirm)
        .refuses(&[
            Code::ContractNotActive,
            Code::UnknownReference,
            Code::CurrencyMismatch,
            Code::AllocationExceedsOpen,
            Code::AllocationMismatch,
            Code::NothingToAllocate,
        ])
        .batch(
            "/payments/bulk",
            "bulk_payments",
            "Do something with many payments",
            "Up to 200, each judged like a single call: confirm, reject with a reason, or give other labels, such as that \
             the commission was settled. `atomic` does all or none, `best_effort` as many as can be.",
            payments::bulk,
        )
        .tells_parts()
        .needs(Permission::PaymentsRead)
        .refuses(&[Code::BulkRefused]);
}
