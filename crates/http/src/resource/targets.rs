//! Performance targets (业绩目标).

use fairlead_application::targets;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Targets", "What a user or a team is to sign or to collect in a month (业绩目标).")
        .list(
            "/targets",
            "list_targets",
            "List targets",
            "Those of users and teams within the caller's scope, each with how much of it is attained. A contract counts for \
             its present owner, in the month in which it became active; a payment in the month in which it arrived.",
            &targets::LISTING,
            targets::list,
        )
        .needs(Permission::TargetsRead)
        .create(
            "/targets",
            "create_target",
            "Set a target",
            "One for each user or team, month, measure and currency. Nobody sets their own.",
            targets::create,
        )
        .needs(Permission::TargetsManage)
        .refuses(&[Code::UnknownReference, Code::SeparationOfDuties, Code::Duplicate])
        .get_related(
            "/targets/{id}",
            "get_target",
            "Get a target",
            "With how much of it is attained.",
            &targets::LISTING,
            targets::get,
        )
        .needs(Permission::TargetsRead)
        .patch("/targets/{id}", "update_target", "Change a target", "How much it is.", targets::update)
        .needs(Permission::TargetsManage)
        .refuses(&[Code::SeparationOfDuties, Code::CurrencyMismatch])
        .delete("/targets/{id}", "delete_target", "Delete a target", "At once.", targets::delete)
        .needs(Permission::TargetsManage)
        .refuses(&[Code::SeparationOfDuties]);
}
