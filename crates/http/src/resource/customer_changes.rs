//! Changes of customers that take an approval (客户变更审批).

use fairlead_application::customer_changes;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Customer changes", "Changes of customers by approval (客户变更审批), where the organisation wants one.")
        .list(
            "/customer-changes",
            "list_customer_changes",
            "List changes of customers",
            "Those of customers that the caller may change, by sharing as well, and those that the caller asked for. \
             Contact data in them is masked for whoever only asked and does not see that of the customer any more.",
            &customer_changes::LISTING,
            customer_changes::list,
        )
        .needs(Permission::CustomersUpdate)
        .create(
            "/customer-changes",
            "request_customer_change",
            "Ask for a change of a customer",
            "Of one that has an owner. It is made when its last approver agrees, if the customer is then as it was. Where \
             the flow `customer_change` is switched on for the customer's grade, before or after, the customer changes in \
             no other way: `409 approval_required`.",
            customer_changes::create,
        )
        .needs(Permission::CustomersUpdate)
        .refuses(&[
            Code::UnknownReference,
            Code::CustomerUnowned,
            Code::PendingApproval,
            Code::PossibleDuplicate,
            Code::NoEligibleApprover,
        ])
        .get_related(
            "/customer-changes/{id}",
            "get_customer_change",
            "Get a change of a customer",
            "What was said about the customer, what is to be said, and what differs. It is there for whoever finds it in \
              the list, and as it is there. It is `withdrawn` when the customer changes hands before it was decided.",
            &customer_changes::LISTING,
            customer_changes::get,
        )
        .needs(Permission::CustomersUpdate)
        .act(
            "/customer-changes/{id}/withdraw",
            "withdraw_customer_change",
            "Take a change back",
            "By whoever asked for it, while it is pending; by somebody else who may ask for it once they no longer may.",
            customer_changes::withdraw,
        )
        .needs(Permission::CustomersUpdate)
        .refuses(&[Code::Forbidden, Code::AlreadyDecided]);
}
