//! Customers (客户).

use fairlead_application::customers;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Customers", "Companies and persons that buy (客户), each with one owner or in the public pool.")
        .list(
            "/customers",
            "list_customers",
            "List customers",
            "The customers within the caller's scope; with `pool:read` also those in the public pool, whose \
             contact data is masked for whoever may not change them.",
            &customers::LISTING,
            customers::list,
        )
        .needs(Permission::CustomersRead)
        .create(
            "/customers",
            "create_customer",
            "Record a customer",
            "Whoever may claim customers owns what they record, within their ownership limit; from others it \
             goes to the public pool. A registration number is unique.",
            customers::create,
        )
        .needs(Permission::CustomersCreate)
        .refuses(&[Code::Duplicate, Code::OwnershipLimitReached])
        .get(
            "/customers/{id}",
            "get_customer",
            "Get a customer",
            "One customer within the caller's scope, or in the public pool.",
            customers::get,
        )
        .needs(Permission::CustomersRead)
        .patch(
            "/customers/{id}",
            "update_customer",
            "Change a customer",
            "Changes what was said about it; the owner changes by actions only, the lifecycle by events.",
            customers::update,
        )
        .needs(Permission::CustomersUpdate)
        .refuses(&[Code::Duplicate])
        .delete(
            "/customers/{id}",
            "delete_customer",
            "Delete a customer",
            "For customers recorded by mistake: nothing may depend on them.",
            customers::delete,
        )
        .needs(Permission::CustomersUpdate)
        .refuses(&[Code::InUse])
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
        .needs(Permission::CustomersRelease)
        .refuses(&[Code::CustomerHasOpenBusiness]);
}
