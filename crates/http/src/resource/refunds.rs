//! Refunds (退款).

use fairlead_application::refunds;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;
use fairlead_domain::values::RefundId;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Refunds", "Money that goes back to a customer (退款).")
        .list(
            "/refunds",
            "list_refunds",
            "List refunds",
            "Those of payments within the caller's scope.",
            &refunds::LISTING,
            refunds::list,
        )
        .needs(Permission::PaymentsRead)
        .create(
            "/refunds",
            "record_refund",
            "Record a refund",
            "Of a confirmed payment, up to what is left of it. Nothing changes until somebody else confirms it.",
            refunds::create,
        )
        .needs(Permission::PaymentsConfirm)
        .refuses(&[
            Code::UnknownReference,
            Code::Duplicate,
            Code::CurrencyMismatch,
            Code::InvalidTransition,
            Code::RefundExceedsPayment,
        ])
        .get_related(
            "/refunds/{id}",
            "get_refund",
            "Get a refund",
            "One of a payment within the caller's scope.",
            &refunds::LISTING,
            refunds::get,
        )
        .needs(Permission::PaymentsRead)
        .act(
            "/refunds/{id}/confirm",
            "confirm_refund",
            "Confirm that the money went back",
            "By somebody who neither recorded it nor owns the contract. The payment is as much less: the newest of its \
             allocations are undone first. A contract that was completed runs again.",
            refunds::confirm,
        )
        .shown_with(&RefundId::example(2))
        .needs(Permission::PaymentsConfirm)
        .refuses(&[Code::SeparationOfDuties])
        .act_with(
            "/refunds/{id}/reject",
            "reject_refund",
            "Reject a recorded refund",
            "With a reason. Nothing changes.",
            refunds::reject,
        )
        .shown_with(&RefundId::example(2))
        .needs(Permission::PaymentsConfirm);
}
