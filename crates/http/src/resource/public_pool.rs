//! The public pool (公海).

use fairlead_application::pool;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Public pool", "Customers without an owner (公海), for whoever claims them first.")
        .list(
            "/public-pool/customers",
            "list_pool_customers",
            "List the customers in the public pool",
            "Contact data is masked for whoever may not change the customer.",
            &pool::LISTING,
            pool::list,
        )
        .needs(Permission::PoolRead)
        .get(
            "/public-pool/customers/{id}",
            "get_pool_customer",
            "Get a customer in the public pool",
            "A customer with an owner is not there.",
            pool::get,
        )
        .needs(Permission::PoolRead)
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
        ]);
}
