//! Opportunities (商机).

use fairlead_application::opportunities;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;
use fairlead_domain::values::OpportunityId;
use serde_json::json;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Opportunities", "Chances to sell (商机), on their way through a pipeline.")
        .list(
            "/opportunities",
            "list_opportunities",
            "List opportunities",
            "The opportunities within the caller's scope.",
            &opportunities::LISTING,
            opportunities::list,
        )
        .needs(Permission::OpportunitiesRead)
        .search(
            "search_opportunities",
            "Search opportunities",
            &opportunities::LISTING,
            json!({
                "all": [
                    {"any": [{"status": ["open"]}]},
                    {"any": [{"grade": ["A", "B"]}, {"amount_gte": "500000.00 CNY"}, {"probability_gte": 75}]}
                ],
                "sort": ["-amount"],
                "limit": 20,
                "include": ["customer"]
            }),
            opportunities::list,
        )
        .needs(Permission::OpportunitiesRead)
        .create(
            "/opportunities",
            "create_opportunity",
            "Record an opportunity",
            "For a customer with an owner, who owns the opportunity too. It begins in the first stage of its \
             pipeline.",
            opportunities::create,
        )
        .needs(Permission::OpportunitiesUpdate)
        .refuses(&[Code::UnknownReference, Code::CustomerUnowned])
        .get_related(
            "/opportunities/{id}",
            "get_opportunity",
            "Get an opportunity",
            "One opportunity within the caller's scope.",
            &opportunities::LISTING,
            opportunities::get,
        )
        .needs(Permission::OpportunitiesRead)
        .patch(
            "/opportunities/{id}",
            "update_opportunity",
            "Change an opportunity",
            "While it is open. Stage and status change by actions only.",
            opportunities::update,
        )
        .needs(Permission::OpportunitiesUpdate)
        .refuses(&[Code::PendingApproval, Code::InvalidTransition, Code::UnknownReference])
        .delete(
            "/opportunities/{id}",
            "delete_opportunity",
            "Delete an opportunity",
            "While it is open and nothing depends on it: no contract, no lead that became it, no activity about it, no \
             approval that was asked for.",
            opportunities::delete,
        )
        .shown_with(&OpportunityId::example(3))
        .needs(Permission::OpportunitiesUpdate)
        .refuses(&[Code::PendingApproval, Code::InvalidTransition, Code::ContractDecides, Code::InUse, Code::PendingTransfer])
        .act_with(
            "/opportunities/{id}/advance",
            "advance_opportunity",
            "Move an opportunity to another open stage",
            "Forward, every field that the stage requires must be filled in; back, a reason is needed. \
             Entering the stage that starts a contract makes its draft in the same step. A stage that needs an approval \
             (`stage_gate`), or lies behind one that does, is entered when it is given: until then the opportunity has a `pending_stage_id` and is not \
             changed.",
            opportunities::advance,
        )
        .needs(Permission::OpportunitiesAdvance)
        .refuses(&[
            Code::UnknownReference,
            Code::StageRequirementsMissing,
            Code::PendingApproval,
            Code::NoEligibleApprover,
            Code::ReasonRequired,
            Code::ContractDecides,
            Code::CustomerUnowned,
            Code::OwnerNotEligible,
        ])
        .act_with(
            "/opportunities/{id}/lose",
            "lose_opportunity",
            "Give an opportunity up",
            "With a reason. Not while a contract decides about it.",
            opportunities::lose,
        )
        .needs(Permission::OpportunitiesAdvance)
        .refuses(&[Code::PendingApproval, Code::ContractDecides])
        .act(
            "/opportunities/{id}/reopen",
            "reopen_opportunity",
            "Take a lost opportunity up again",
            "It goes back to the first stage of its pipeline. Its customer must have an owner.",
            opportunities::reopen,
        )
        .shown_with(&OpportunityId::example(2))
        .needs(Permission::OpportunitiesReopen)
        .refuses(&[Code::CustomerUnowned]);
}
