//! The public pool (公海).

use fairlead_application::jobs::recycle;
use fairlead_application::{Flag, jobs, pool, pools};
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;
use fairlead_domain::values::CustomerId;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Public pool", "Customers without an owner (公海), for whoever claims them first.")
        .list(
            "/public-pool/customers",
            "list_pool_customers",
            "List the customers in the public pool",
            "Those in the pools that the caller is a member of. Contact data (every member that a pool's \
             `masked_fields` can name) is masked in lists for whoever may not change the customer, whatever the pool \
             says: `phone`, `email` and `address` are shown in part, the others are `null` or empty even where there \
             is something. It is neither filtered nor sorted by. A single read opens the customer and masks only what \
             the pool names.",
            &pool::LISTING,
            pool::list,
        )
        .needs(Permission::PoolRead)
        .get_related(
            "/public-pool/customers/{id}",
            "get_pool_customer",
            "Get a customer in the public pool",
            "A customer with an owner is not there. Opening one counts against the pool's daily limit, once for each \
             customer and business day.",
            &pool::LISTING,
            pool::get,
        )
        .needs(Permission::PoolRead)
        .refuses(&[Code::DailyOpenLimitReached])
        .act(
            "/public-pool/customers/{id}/claim",
            "claim_pool_customer",
            "Claim a customer",
            "Of any number of claims at once, one wins. The caller must be below their ownership limit and \
             their daily limit, and may not have given the customer back within the cool-down.",
            pool::claim,
        )
        .needs(Permission::PoolClaim)
        .refuses(&[
            Code::AlreadyClaimed,
            Code::OwnershipLimitReached,
            Code::DailyClaimLimitReached,
            Code::ClaimCoolDown,
        ])
        .merges("/public-pool/customers")
        .example("/public-pool/customers", &CustomerId::example(3))
        .batch(
            "/public-pool/distributions",
            "distribute_pool_customers",
            "Share pool customers fairly",
            "Up to 500 customers of the public pool among chosen members: in turn, to whoever owns the fewest, or by \
             weight. A member at their ownership limit gets none; what nobody may own stays in the pool. All in one \
             transaction: one customer that was taken meanwhile refuses the whole.",
            pool::distribute,
        )
        .needs(Permission::PoolAssign)
        .refuses(&[
            Code::UnknownReference,
            Code::AlreadyClaimed,
            Code::OwnerNotEligible,
            Code::OwnershipLimitReached,
        ])
        .begin(
            ("/public-pool/recycle-runs", "/jobs"),
            "run_recycling",
            "Run recycling now",
            "In the background; the answer's job tells the progress. A dry run (`?dry_run=true`) tells what would go and \
             who would be warned, and may try other `rules` before they are switched on. The scheduler runs it once every \
             business day by itself.",
            recycle::start,
        )
        .flagged(&[Flag::DryJob])
        .needs(Permission::SettingsManage)
        .refuses(&[Code::UnknownReference])
        .list(
            "/public-pool/recycle-runs",
            "list_recycle_runs",
            "List the runs of recycling",
            "What each moved and why is told by the items of the job.",
            &jobs::LISTING,
            recycle::list,
        )
        .needs(Permission::SettingsRead)
        .list(
            "/public-pools",
            "list_public_pools",
            "List the public pools",
            "Those that the caller is a member of; whoever may see the settings sees all.",
            &pools::LISTING,
            pools::list,
        )
        .needs(Permission::PoolRead)
        .create(
            "/public-pools",
            "create_public_pool",
            "Record a public pool",
            "By region or line of business, with its members and managers, and with rules of its own where it needs \
             them. A new default pool takes the place of the one before.",
            pools::create,
        )
        .needs(Permission::SettingsManage)
        .refuses(&[Code::UnknownReference])
        .get(
            "/public-pools/{id}",
            "get_public_pool",
            "Get a public pool",
            "One pool that the caller is a member of.",
            pools::get,
        )
        .needs(Permission::PoolRead)
        .patch(
            "/public-pools/{id}",
            "update_public_pool",
            "Change a public pool",
            "Its members see and claim by it from their next request on.",
            pools::update,
        )
        .needs(Permission::SettingsManage)
        .refuses(&[Code::UnknownReference])
        .delete(
            "/public-pools/{id}",
            "delete_public_pool",
            "Delete a public pool",
            "One that is not the default, and that no customer is in or goes back to.",
            pools::delete,
        )
        .needs(Permission::SettingsManage)
        .refuses(&[Code::InUse]);
}
