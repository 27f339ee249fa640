//! Transfers (转移).

use fairlead_application::transfers;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Transfers", "Records go to another owner once a supervisor agreed (转移).")
        .list(
            "/transfers",
            "list_transfers",
            "List transfers",
            "Those of records within the caller's scope, those to the caller, and those that the caller asked for.",
            &transfers::LISTING,
            transfers::list,
        )
        .needs(Permission::TransfersRead)
        .create(
            "/transfers",
            "request_transfer",
            "Ask for a transfer",
            "Up to 200 customers, opportunities or contracts of one owner; customers may take their open \
             opportunities and running contracts along. The owner asks, or a superior of theirs. The owner's \
             supervisor decides it under `/approvals`: then every record is looked at again, and all of them move \
             or none does. Should one of those that were named leave its owner before by other means (assigned, \
             released, recycled, handed over, or as another transfer has it), the whole is `withdrawn`, and its approval \
             with it; the others can be asked for anew at once. What would only have gone along stays behind.",
            transfers::create,
        )
        .needs(Permission::TransfersRequest)
        .refuses(&[
            Code::UnknownReference,
            Code::OwnersDiffer,
            Code::CustomerUnowned,
            Code::OwnerNotEligible,
            Code::AlreadyOwner,
            Code::PendingTransfer,
            Code::TransferObstructed,
            Code::NoEligibleApprover,
        ])
        .get_related(
            "/transfers/{id}",
            "get_transfer",
            "Get a transfer",
            "One that the caller may see.",
            &transfers::LISTING,
            transfers::get,
        )
        .list_of(
            "/transfers/{id}/items",
            "list_transfer_items",
            "List the records of a transfer",
            "Of a transfer that the caller may see: those that were named, and those that go along. While it is pending, \
             these are what would go as things stood when it was asked for; once it is approved, what went.",
            &transfers::ITEMS,
            transfers::items,
        )
        .act(
            "/transfers/{id}/withdraw",
            "withdraw_transfer",
            "Take a transfer back",
            "By whoever asked for it, while it is pending; by somebody else who may ask for it once they no longer may.",
            transfers::withdraw,
        )
        .refuses(&[Code::Forbidden]);
}
