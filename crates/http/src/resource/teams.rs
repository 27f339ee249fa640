//! Teams (团队).

use fairlead_application::teams;
use fairlead_domain::access::Permission;
use fairlead_domain::error::Code;
use fairlead_domain::values::TeamId;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Teams", "The tree of teams (团队): what a scope of `team` or `team_and_below` reaches.")
        .list("/teams", "list_teams", "List teams", "All teams.", &teams::LISTING, teams::list)
        .needs(Permission::TeamsRead)
        .create("/teams", "create_team", "Make a team", "At the top, or below another team.", teams::create)
        .needs(Permission::TeamsManage)
        .refuses(&[Code::UnknownReference])
        .get("/teams/{id}", "get_team", "Get a team", "One team.", teams::get)
        .needs(Permission::TeamsRead)
        .patch(
            "/teams/{id}",
            "update_team",
            "Change a team",
            "It may move, but never below itself. What its members may see changes at once.",
            teams::update,
        )
        .needs(Permission::TeamsManage)
        .refuses(&[Code::UnknownReference, Code::TeamCycle])
        .delete(
            "/teams/{id}",
            "delete_team",
            "Delete a team",
            "Only without members and teams below.",
            teams::delete,
        )
        .shown_with(&TeamId::example(2))
        .needs(Permission::TeamsManage)
        .refuses(&[Code::InUse]);
}
