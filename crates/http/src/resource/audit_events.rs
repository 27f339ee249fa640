//! The audit trail.

use fairlead_application::audit;
use fairlead_domain::access::Permission;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Audit", "Every change, field by field, each bound to the one before by a hash.")
        .list(
            "/audit-events",
            "list_audit_events",
            "List audit events",
            "Nobody can change or delete them. They are evidence, and told as they were written: the hash of each is over \
             what it tells, and nothing in them is masked, not even the contact data of customers in the public pool, which \
             their own reads mask for whoever may not change them. `action` is a word of the dictionary `audit_action`.",
            &audit::LISTING,
            audit::list,
        )
        .needs(Permission::AuditRead)
        .look(
            "/audit-events/{id}",
            "get_audit_event",
            "Get an audit event",
            "Who changed what, from which value to which, as it was written: contact data of customers in the public pool \
             is not masked.",
            audit::get,
        )
        .needs(Permission::AuditRead);
}
