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
            "Nobody can change or delete them.",
            &audit::LISTING,
            audit::list,
        )
        .needs(Permission::AuditRead)
        .look(
            "/audit-events/{id}",
            "get_audit_event",
            "Get an audit event",
            "Who changed what, from which value to which.",
            audit::get,
        )
        .needs(Permission::AuditRead);
}
