//! Customers (客户).

use fairlead_application::{Flag, customers};
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;
use fairlead_domain::values::CustomerId;
use serde_json::json;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Customers", "Companies and persons that buy (客户), each with one owner or in the public pool.")
        .list(
            "/customers",
            "list_customers",
            "List customers",
            "The customers within the caller's scope; with `pool:read` also those in the public pool. Contact data of \
             those (every member that a pool's `masked_fields` can name) is masked in lists for whoever may not change \
             them, whatever the pool says: `phone`, `email` and `address` are shown in part, the others are `null` or \
             empty even where there is something, and filters on them pass over the record. A single read opens the \
             customer and masks only what the pool names.",
            &customers::LISTING,
            customers::list,
        )
        .needs(Permission::CustomersRead)
        .search(
            "search_customers",
            "Search customers",
            &customers::LISTING,
            json!({
                "all": [
                    {"any": [{"grade": ["A", "B"], "region": ["East China 华东"]}, {"tags": ["key account"]}]},
                    {"any": [{"lifecycle_ne": ["dormant"]}, {"owner_id_is_null": true}]}
                ],
                "sort": ["grade", "-created_at"],
                "limit": 20,
                "include": ["owner"]
            }),
            customers::list,
        )
        .needs(Permission::CustomersRead)
        .create(
            "/customers",
            "create_customer",
            "Record a customer",
            "Whoever may claim customers owns what they record, within their ownership limit; from others it \
             goes to the public pool. A registration number is unique. What looks like a customer that is there, by \
             registration number, telephone number, e-mail address or a company's name, is refused with the matches, \
             as far as the caller may see them.",
            customers::create,
        )
        .needs(Permission::CustomersCreate)
        .flagged(&[Flag::AllowDuplicate])
        .refuses(&[Code::ApprovalRequired, Code::PossibleDuplicate, Code::Duplicate, Code::OwnershipLimitReached])
        .get_related(
            "/customers/{id}",
            "get_customer",
            "Get a customer",
            "One customer within the caller's scope, or in a public pool of theirs. Opening one in the pool counts \
             against the pool's daily limit.",
            &customers::LISTING,
            customers::get,
        )
        .needs(Permission::CustomersRead)
        .refuses(&[Code::DailyOpenLimitReached])
        .patch(
            "/customers/{id}",
            "update_customer",
            "Change a customer",
            "Changes what was said about it; the owner changes by actions only, the lifecycle by events. What \
             makes it look like a customer that is there is refused like a new one.",
            customers::update,
        )
        .needs(Permission::CustomersUpdate)
        .flagged(&[Flag::AllowDuplicate])
        .refuses(&[Code::ApprovalRequired, Code::PossibleDuplicate, Code::Duplicate])
        .look(
            "/customers/{id}/duplicates",
            "list_customer_duplicates",
            "List what looks like a customer",
            "Leads and customers with the same telephone number, e-mail address or company name. Of one that the caller \
             may not see, no more is told than that it is there.",
            customers::duplicates,
        )
        .needs(Permission::CustomersUpdate)
        .delete(
            "/customers/{id}",
            "delete_customer",
            "Delete a customer",
            "For customers recorded by mistake: nothing may depend on them. Whoever took one from the public pool \
             gives it back there; only whoever recorded it and those who assign customers delete it.",
            customers::delete,
        )
        .shown_with(&CustomerId::example(4))
        .needs(Permission::CustomersUpdate)
        .refuses(&[Code::InUse, Code::PendingTransfer, Code::PendingApproval])
        .act_with(
            "/customers/{id}/assign",
            "assign_customer",
            "Give a customer to a user",
            "From the public pool or from another owner. The receiver must be active, able to own customers, \
             within the caller's scope, and below their ownership limit.",
            customers::assign,
        )
        .needs(Permission::PoolAssign)
        .refuses(&[
            Code::UnknownReference,
            Code::OwnerNotEligible,
            Code::AlreadyOwner,
            Code::OwnershipLimitReached,
        ])
        .act_with(
            "/customers/{id}/release",
            "release_customer",
            "Give a customer back to the public pool",
            "With a reason, and only without open opportunities and running contracts.",
            customers::release,
        )
        .shown_with(&CustomerId::example(2))
        .needs(Permission::CustomersRelease)
        .refuses(&[Code::CustomerHasOpenBusiness])
        .act_with(
            "/customers/{id}/move",
            "move_customer_to_pool",
            "Move a customer to another public pool",
            "Or say to which it goes once it has no owner. The caller must be allowed to assign from both.",
            customers::move_pool,
        )
        .needs(Permission::PoolAssign)
        .refuses(&[Code::UnknownReference])
        .act(
            "/customers/{id}/lock",
            "lock_customer",
            "Keep a customer from being recycled",
            "Until it is unlocked or changes hands.",
            customers::lock,
        )
        .needs(Permission::PoolAssign)
        .act(
            "/customers/{id}/unlock",
            "unlock_customer",
            "Let a customer be recycled again",
            "Only a locked one.",
            customers::unlock,
        )
        .shown_with(&CustomerId::example(5))
        .needs(Permission::PoolAssign)
        .list_of(
            "/customers/{id}/ownership-history",
            "list_ownership_history",
            "List who owned a customer",
            "From whom, to whom, why, by whom and when.",
            &customers::HISTORY,
            customers::ownership_history,
        )
        .needs(Permission::CustomersRead)
        .refuses(&[Code::DailyOpenLimitReached])
        .list_of(
            "/customers/{id}/timeline",
            "list_customer_timeline",
            "List what happened to a customer",
            "Activities, changes of hands, transfers, opportunities, contracts, invoices, payments and changes of single \
             members, the newest first, as far as the caller may see them.",
            &customers::TIMELINE,
            customers::timeline,
        )
        .needs(Permission::CustomersRead)
        .refuses(&[Code::DailyOpenLimitReached])
        .batch(
            "/customers/bulk",
            "bulk_customers",
            "Do something with many customers",
            "Up to 200, each judged like a single call: claim, assign, release, move to another pool, lock, unlock. \
             `atomic` does all or none, `best_effort` as many as can be; the answer tells each.",
            customers::bulk,
        )
        .tells_parts()
        .needs(Permission::CustomersRead)
        .refuses(&[Code::BulkRefused])
        .act_with(
            "/customers/{id}/merge",
            "merge_customer",
            "Merge another customer into this one",
            "This one keeps its id and gets what it lacks; contacts, activities, opportunities, contracts, invoices and \
             payments of the other one move here. From then on reads of the other one's id answer 308, and writes 409 \
             `record_merged`. Both belong to the same owner, or the other one to nobody. Where changes of customers of \
             their grades take an approval, they are merged by whoever could give it and does not own them.",
            customers::merge,
        )
        .needs(Permission::CustomersMerge)
        .refuses(&[
            Code::ApprovalRequired,
            Code::SeparationOfDuties,
            Code::UnknownReference,
            Code::CustomerUnowned,
            Code::OwnersDiffer,
            Code::PendingApproval,
            Code::PendingTransfer,
        ])
        .merges("/customers");
}
