//! Assignment rules for leads (分配规则).

use crate::api::Api;
use fairlead_application::assignment_rules;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Assignment rules", "Who gets a lead that nobody owns: a user, or a team in turn (分配规则).")
        .list(
            "/assignment-rules",
            "list_assignment_rules",
            "List assignment rules",
            "All of them.",
            &assignment_rules::LISTING,
            assignment_rules::list,
        )
        .needs(Permission::SettingsRead)
        .create(
            "/assignment-rules",
            "create_assignment_rule",
            "Record an assignment rule",
            "It counts for leads that come from then on and that nobody owns: of the rules that fit, the one with the lowest position.",
            assignment_rules::create,
        )
        .needs(Permission::SettingsManage)
        .refuses(&[Code::UnknownReference])
        .get(
            "/assignment-rules/{id}",
            "get_assignment_rule",
            "Get an assignment rule",
            "One of them.",
            assignment_rules::get,
        )
        .needs(Permission::SettingsRead)
        .patch(
            "/assignment-rules/{id}",
            "update_assignment_rule",
            "Change an assignment rule",
            "It counts for leads that come from then on.",
            assignment_rules::update,
        )
        .needs(Permission::SettingsManage)
        .refuses(&[Code::UnknownReference])
        .delete(
            "/assignment-rules/{id}",
            "delete_assignment_rule",
            "Delete an assignment rule",
            "Leads that it assigned stay where they are.",
            assignment_rules::delete,
        )
        .needs(Permission::SettingsManage);
}
