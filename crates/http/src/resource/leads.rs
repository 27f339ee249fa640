//! Leads (线索).

use fairlead_application::{Flag, leads};
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;
use fairlead_domain::values::LeadId;
use serde_json::json;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Leads", "Possible customers (线索), before anybody knows whether they will buy.")
        .list(
            "/leads",
            "list_leads",
            "List leads",
            "The leads within the caller's scope; with `leads:read_pool` also those without an owner.",
            &leads::LISTING,
            leads::list,
        )
        .needs(Permission::LeadsRead)
        .search(
            "search_leads",
            "Search leads",
            &leads::LISTING,
            json!({
                "all": [
                    {"any": [{"grade": ["hot", "warm"]}, {"budget_gte": "300000.00 CNY"}]},
                    {"any": [{"status": ["new", "contacted", "qualified"]}]}
                ],
                "sort": ["-score", "name"],
                "limit": 20
            }),
            leads::list,
        )
        .needs(Permission::LeadsRead)
        .create(
            "/leads",
            "create_lead",
            "Record a lead",
            "Whoever may claim leads owns what they record; from others it goes to whom an assignment rule names, or \
             to the lead pool. The owner has until `response_due_at` to respond. What looks like a lead or customer \
             that is there, by telephone number, e-mail address or company, is refused with the matches, as far as \
             the caller may see them.",
            leads::create,
        )
        .needs(Permission::LeadsCreate)
        .flagged(&[Flag::AllowDuplicate])
        .refuses(&[Code::PossibleDuplicate])
        .get_related(
            "/leads/{id}",
            "get_lead",
            "Get a lead",
            "One lead within the caller's scope.",
            &leads::LISTING,
            leads::get,
        )
        .needs(Permission::LeadsRead)
        .look(
            "/leads/{id}/duplicates",
            "list_lead_duplicates",
            "List what looks like a lead",
            "Leads and customers with the same telephone number, e-mail address or company. Of one that the caller may \
             not see, no more is told than that it is there.",
            leads::duplicates,
        )
        .needs(Permission::LeadsRead)
        .patch(
            "/leads/{id}",
            "update_lead",
            "Change a lead",
            "Changes what was said about it; owner and status change by actions only. A converted lead is \
             history. What makes it look like a record that is there is refused like a new one.",
            leads::update,
        )
        .needs(Permission::LeadsUpdate)
        .flagged(&[Flag::AllowDuplicate])
        .refuses(&[Code::AlreadyConverted, Code::PossibleDuplicate])
        .delete(
            "/leads/{id}",
            "delete_lead",
            "Delete a lead",
            "For leads recorded by mistake: one with activities stays, and one that was converted is history.",
            leads::delete,
        )
        .needs(Permission::LeadsUpdate)
        .refuses(&[Code::AlreadyConverted, Code::InUse])
        .act_with(
            "/leads/{id}/assign",
            "assign_lead",
            "Give a lead to a user",
            "The receiver must be active, able to own leads, and within the caller's scope.",
            leads::assign,
        )
        .needs(Permission::LeadsAssign)
        .refuses(&[Code::UnknownReference, Code::OwnerNotEligible, Code::AlreadyOwner])
        .act(
            "/leads/{id}/claim",
            "claim_lead",
            "Take a lead from the lead pool",
            "Of any number of claims at once, one wins. Whoever let a new lead go without a response does not take it \
             back.",
            leads::claim,
        )
        .shown_with(&LeadId::example(3))
        .needs(Permission::LeadsClaim)
        .refuses(&[Code::AlreadyClaimed, Code::ClaimCoolDown])
        .act(
            "/leads/{id}/release",
            "release_lead",
            "Give a lead back to the lead pool",
            "The lead must have an owner.",
            leads::release,
        )
        .needs(Permission::LeadsUpdate)
        .act(
            "/leads/{id}/qualify",
            "qualify_lead",
            "Find a lead worth an opportunity",
            "From `contacted`, which the first logged activity brings.",
            leads::qualify,
        )
        .shown_with(&LeadId::example(2))
        .needs(Permission::LeadsQualify)
        .act_with(
            "/leads/{id}/disqualify",
            "disqualify_lead",
            "Give a lead up",
            "From any open status, with a reason.",
            leads::disqualify,
        )
        .needs(Permission::LeadsQualify)
        .act(
            "/leads/{id}/reopen",
            "reopen_lead",
            "Take a lead up again",
            "From `disqualified`; the time to respond begins anew.",
            leads::reopen,
        )
        .shown_with(&LeadId::example(4))
        .needs(Permission::LeadsQualify)
        .act_with(
            "/leads/{id}/convert",
            "convert_lead",
            "Make a customer of a lead",
            "Makes customer, contact and, if asked, opportunity in one step, or none of them. A second \
             conversion is refused with the ids of what the first one made. A new customer that looks like one that \
             is there is refused with the matches: convert to that one instead. A new customer takes \
             `customers:create` besides; one that is there, and the contact, take `customers:update`; an opportunity \
             takes `opportunities:update`.",
            leads::convert,
        )
        .shown_with(&LeadId::example(5))
        .needs(Permission::LeadsConvert)
        .flagged(&[Flag::DryRun, Flag::AllowDuplicate])
        .refuses(&[
            Code::PossibleDuplicate,
            Code::AlreadyConverted,
            Code::UnknownReference,
            Code::Duplicate,
            Code::OwnershipLimitReached,
            Code::OwnerNotEligible,
            Code::CustomerUnowned,
        ])
        .act_with(
            "/leads/{id}/merge",
            "merge_lead",
            "Merge another lead into this one",
            "This one keeps its id and gets what it lacks; the activities of the other one move here. From then on reads \
             of the other one's id answer 308, and writes 409 `record_merged`.",
            leads::merge,
        )
        .needs(Permission::LeadsUpdate)
        .refuses(&[Code::UnknownReference, Code::AlreadyConverted])
        .batch(
            "/leads/bulk",
            "bulk_leads",
            "Do something with many leads",
            "Up to 200, each judged like a single call: assign, claim, release, qualify, disqualify, reopen. `atomic` does \
             all or none, `best_effort` as many as can be; the answer tells each.",
            leads::bulk,
        )
        .tells_parts()
        .needs(Permission::LeadsRead)
        .refuses(&[Code::BulkRefused])
        .merges("/leads");
}
