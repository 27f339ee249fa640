//! Scoring rules for leads (评分规则).

use fairlead_application::scoring_rules;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Scoring rules", "How good a lead is: rules that give points (评分规则).")
        .list(
            "/scoring-rules",
            "list_scoring_rules",
            "List scoring rules",
            "All of them.",
            &scoring_rules::LISTING,
            scoring_rules::list,
        )
        .needs(Permission::SettingsRead)
        .create(
            "/scoring-rules",
            "create_scoring_rule",
            "Record a scoring rule",
            "Every open lead is scored anew by it, in the background: a job of the kind `rescore_leads` tells the progress.",
            scoring_rules::create,
        )
        .needs(Permission::SettingsManage)
        .refuses(&[Code::TooMany])
        .get(
            "/scoring-rules/{id}",
            "get_scoring_rule",
            "Get a scoring rule",
            "One of them.",
            scoring_rules::get,
        )
        .needs(Permission::SettingsRead)
        .patch(
            "/scoring-rules/{id}",
            "update_scoring_rule",
            "Change a scoring rule",
            "Every open lead is scored anew by it, in the background.",
            scoring_rules::update,
        )
        .needs(Permission::SettingsManage)

        .delete(
            "/scoring-rules/{id}",
            "delete_scoring_rule",
            "Delete a scoring rule",
            "Every open lead is scored anew without it, in the background.",
            scoring_rules::delete,
        )
        .needs(Permission::SettingsManage);
}
