//! Collaborators (协作人).

use fairlead_application::collaborators;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Collaborators", "With whom customers are shared (协作人), never their contracts and money.")
        .list(
            "/collaborators",
            "list_collaborators",
            "List collaborators",
            "Those of the customers that the caller may see.",
            &collaborators::LISTING,
            collaborators::list,
        )
        .needs(Permission::CustomersRead)
        .create(
            "/collaborators",
            "create_collaborator",
            "Share a customer",
            "The owner or a superior of theirs lets another user see it or work with it, and with its contacts, \
             activities and opportunities. It ends when the customer goes to the public pool.",
            collaborators::create,
        )
        .needs(Permission::CustomersUpdate)
        .refuses(&[
            Code::UnknownReference,
            Code::Duplicate,
            Code::OwnerNotEligible,
            Code::AlreadyOwner,
            Code::CustomerUnowned,
        ])
        .get_related(
            "/collaborators/{id}",
            "get_collaborator",
            "Get a collaborator",
            "One of a customer that the caller may see.",
            &collaborators::LISTING,
            collaborators::get,
        )
        .needs(Permission::CustomersRead)
        .patch(
            "/collaborators/{id}",
            "update_collaborator",
            "Change how far a customer is shared",
            "Customer and user cannot be changed.",
            collaborators::update,
        )
        .needs(Permission::CustomersUpdate)
        .refuses(&[Code::CustomerUnowned])
        .delete(
            "/collaborators/{id}",
            "delete_collaborator",
            "End a sharing",
            "The owner, a superior of theirs, or the collaborator may.",
            collaborators::delete,
        )
        .needs(Permission::CustomersRead);
}
