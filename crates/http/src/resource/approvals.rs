//! Approvals (审批).

use fairlead_application::approvals;
use fairlead_domain::error::Code;
use fairlead_domain::values::ApprovalId;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    const WORDS: &str = "Requests for approval (审批), step by step: of contracts, their amendments and payment plans, of \
        invoices, transfers and changes of customers, and of opportunities that enter a stage.";
    api.tag("Approvals", WORDS)
        .list(
            "/approvals",
            "list_approvals",
            "List requests for approval",
            "Those whose subject the caller may see, those that wait for somebody who delegated their decisions to the \
             caller, and those that the caller decided. `box` and `role` choose: `role=approver` those that wait for the \
             caller's decision or had it, `role=requester` those that the caller asked for. Contact data in the `snapshot` \
             of a change of a customer is masked for whoever decided it and does not see that of the customer any more.",
            &approvals::LISTING,
            approvals::list,
        )
        .refuses(&[Code::Forbidden])
        .get_related(
            "/approvals/{id}",
            "get_approval",
            "Get a request for approval",
            "One whose subject the caller may see, that waits for the caller's decision in whoever's name, or that the \
             caller decided. With its steps, the decisions on them, and the record as it was when the request was made, masked \
             as in the list. \
             What the record has become meanwhile is judged as well: where approving it would be refused, `approve` in \
             `allowed_actions` says with which code.",
            &approvals::LISTING,
            approvals::get,
        )
        .read(
            "/approvals/counts",
            "count_approvals",
            "Count what waits",
            "For a badge: how many requests wait for the caller's decision, also in the name of those who delegated \
             theirs, and how many of the caller's own are not decided. For whoever may list requests.",
            approvals::counts,
        )
        .refuses(&[Code::Forbidden])
        .act_with(
            "/approvals/{id}/approve",
            "approve_request",
            "Approve the present step",
            "By somebody whom the step names, or to whom such a person delegated their decisions, who neither asked, nor \
             owns the record, nor decided an earlier step. A step of mode `all` waits for everybody whom it names; it \
             ends by itself when those who did not agree left. The last step moves the record in the same transaction.",
            approvals::approve,
        )
        .refuses(&[
            Code::Forbidden,
            Code::SeparationOfDuties,
            Code::AlreadyDecided,
            Code::StaleApproval,
            Code::ContractNotActive,
            Code::ContractIncomplete,
            Code::CustomerUnowned,
            Code::TransferObstructed,
            Code::OwnerNotEligible,
            Code::AmendmentBelowSums,
            Code::Duplicate,
            Code::InstallmentsMismatch,
            Code::InstallmentHasPayments,
            Code::UnknownReference,
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
        .act_with(
            "/approvals/{id}/return",
            "return_request",
            "Send back to a former step",
            "By whoever could approve the present step. That step and those after it are decided anew; what was decided \
             there is kept in the trail, and no longer counts.",
            approvals::return_to,
        )
        .shown_with(&ApprovalId::example(2))
        .refuses(&[
            Code::Forbidden,
            Code::SeparationOfDuties,
            Code::AlreadyDecided,
            Code::InvalidTransition,
            Code::NoEligibleApprover,
            Code::TooMany,
        ])
        .act_with(
            "/approvals/{id}/add-step",
            "add_approval_step",
            "Have one more person agree",
            "By whoever could approve the present step (加签): before it, so that it waits again afterwards, or after it. \
             The person must see the record, and neither have asked, nor own it, nor have decided.",
            approvals::add_step,
        )
        .refuses(&[
            Code::Forbidden,
            Code::SeparationOfDuties,
            Code::AlreadyDecided,
            Code::UnknownReference,
            Code::InvalidTransition,
            Code::NoEligibleApprover,
            Code::TooMany,
        ])
        .act_with(
            "/approvals/{id}/comment",
            "comment_on_request",
            "Say something about a request",
            "By whoever sees it, at any time. Whoever asked, decided, spoke or is to decide is told.",
            approvals::comment,
        )
        .refuses(&[Code::TooMany])
        .act(
            "/approvals/{id}/remind",
            "remind_of_request",
            "Remind those who are to decide",
            "By whoever made the request (催办), at most once an hour.",
            approvals::remind,
        )
        .refuses(&[Code::Forbidden, Code::AlreadyDecided, Code::RemindedRecently])
        .act(
            "/approvals/{id}/withdraw",
            "withdraw_request",
            "Take back a request for approval",
            "By whoever made it, while it is pending. The record is a draft again. Somebody else who may make such a \
             request takes it back once whoever made it no longer may, because they left or have other duties.",
            approvals::withdraw,
        )
        .refuses(&[Code::Forbidden, Code::AlreadyDecided]);
}
