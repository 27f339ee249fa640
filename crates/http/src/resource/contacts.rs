//! Contacts (联系人).

use fairlead_application::contacts;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;
use fairlead_domain::values::ContactId;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag(
        "Contacts",
        "The people at a customer (联系人). Who may see and change them follows the customer.",
    )
    .list(
        "/contacts",
        "list_contacts",
        "List contacts",
        "The contacts of the customers that the caller may see. Whoever holds `customers:read` for all customers, as \
         finance and auditors do, sees those of every customer, in the pool as well; of a pool customer that is masked \
         others see them once they opened it today. Whoever may not change a pool customer, finance and auditors among \
         them, sees its contacts with `phone`, `email` and `wechat` in part and without `birthday` and `note`.",
        &contacts::LISTING,
        contacts::list,
    )
    .needs(Permission::CustomersRead)
    .create(
        "/contacts",
        "create_contact",
        "Record a contact",
        "Of a customer that the caller may change. A new primary contact takes the place of the former.",
        contacts::create,
    )
    .needs(Permission::CustomersUpdate)
    .refuses(&[Code::UnknownReference])
    .get_related(
        "/contacts/{id}",
        "get_contact",
        "Get a contact",
        "One contact of a customer that the caller may see. That of a pool customer opens the customer, which counts \
         against the pool's daily limit.",
        &contacts::LISTING,
        contacts::get,
    )
    .needs(Permission::CustomersRead)
        .refuses(&[Code::DailyOpenLimitReached])
    .patch(
        "/contacts/{id}",
        "update_contact",
        "Change a contact",
        "Its customer cannot be changed. A new primary contact takes the place of the former.",
        contacts::update,
    )
    .needs(Permission::CustomersUpdate)
    .delete(
        "/contacts/{id}",
        "delete_contact",
        "Delete a contact",
        "Not while a lead or an opportunity names the contact, or an activity is about it.",
        contacts::delete,
    )
    .shown_with(&ContactId::example(3))
    .needs(Permission::CustomersUpdate)
    .refuses(&[Code::InUse]);
}
