//! Approval flows and delegations (审批流, 审批委托).

use fairlead_application::{approval_flows, delegations};
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Approval flows", "Who must agree to what (审批流), and who decides for whom (审批委托).")
        .list(
            "/approval-flows",
            "list_approval_flows",
            "List approval flows",
            "One for each kind of record that takes an approval.",
            &approval_flows::LISTING,
            approval_flows::list,
        )
        .needs(Permission::SettingsRead)
        .get(
            "/approval-flows/{id}",
            "get_approval_flow",
            "Get an approval flow",
            "Its steps as they are for requests from now on.",
            approval_flows::get,
        )
        .needs(Permission::SettingsRead)
        .patch(
            "/approval-flows/{id}",
            "update_approval_flow",
            "Change an approval flow",
            "Steps are replaced as a whole. A step has a rule (who decides), a mode (`any` of them or `all`), and if wanted \
             a condition. Requests that are pending keep the steps with which they began. Refused are steps that \
             nobody could decide, and flows without a step that is always wanted.",
            approval_flows::update,
        )
        .needs(Permission::SettingsManage)
        .refuses(&[Code::UnknownReference])
        .list_of(
            "/approval-flows/{id}/versions",
            "list_approval_flow_versions",
            "List the versions of an approval flow",
            "What it was, and who changed it when. A request names the version with which it began.",
            &approval_flows::VERSIONS,
            approval_flows::versions,
        )
        .needs(Permission::SettingsRead)
        .list(
            "/delegations",
            "list_delegations",
            "List delegations",
            "Those from and to the caller; all of them for whoever may see users.",
            &delegations::LISTING,
            delegations::list,
        )
        .create(
            "/delegations",
            "create_delegation",
            "Delegate decisions",
            "Somebody decides for the caller for a period, or for somebody else, where the caller manages users. Neither \
             may have anything to do with what they decide, and a delegate cannot delegate further.",
            delegations::create,
        )
        .refuses(&[Code::Forbidden, Code::UnknownReference, Code::TooMany])
        .get(
            "/delegations/{id}",
            "get_delegation",
            "Get a delegation",
            "One from or to the caller, or any for whoever may see users.",
            delegations::get,
        )
        .patch(
            "/delegations/{id}",
            "update_delegation",
            "Change a delegation",
            "By whose decisions they are, or whoever manages users.",
            delegations::update,
        )
        .refuses(&[Code::Forbidden, Code::UnknownReference])
        .delete(
            "/delegations/{id}",
            "delete_delegation",
            "End a delegation",
            "By whose decisions they are, or whoever manages users. It ends at once; what was decided by it stays decided.",
            delegations::delete,
        )
        .refuses(&[Code::Forbidden]);
}
