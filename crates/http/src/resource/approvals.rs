//! Approvals (审批).

use fairlead_application::approvals;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Approvals", "Requests for approval (审批) of contracts, invoices and transfers, step by step.")
        .list(
            "/approvals",
            "list_approvals",
            "List requests for approval",
            "Those that wait for the caller, that the caller asked for or decided, and those whose \
             contract, invoice or transfer the caller may see; `box` chooses.",
            &approvals::LISTING,
            approvals::list,
        )
        .refuses(&[Code::Forbidden])
        .get(
            "/approvals/{id}",
            "get_approval",
            "Get a request for approval",
            "With its steps, the decisions on them, and the record as it was when the request was made.",
            approvals::get,
        )
        .act_with(
            "/approvals/{id}/approve",
            "approve_request",
            "Approve the present step",
            "By somebody whom the step names, who neither asked, nor owns the record, nor decided an earlier \
             step. The last step moves the record in the same transaction.",
            approvals::approve,
        )
        .refuses(&[
            Code::Forbidden,
            Code::SeparationOfDuties,
            Code::AlreadyDecided,
            Code::StaleApproval,
            Code::ContractNotActive,
            Code::TransferObstructed,
            Code::OwnerNotEligible,
        ])
        .act_with(
            "/approvals/{id}/reject",
            "reject_request",
            "Reject the present step",
            "With a comment, by whoever could approve it. The record is a draft again.",
            approvals::reject,
        )
        .refuses(&[
            Code::Forbidden,
            Code::SeparationOfDuties,
            Code::AlreadyDecided,
            Code::StaleApproval,
            Code::CommentRequired,
        ])
        .act(
            "/approvals/{id}/withdraw",
            "withdraw_request",
            "Take back a request for approval",
            "By whoever made it, while it is pending. The record is a draft again.",
            approvals::withdraw,
        )
        .refuses(&[Code::Forbidden, Code::AlreadyDecided]);
}
