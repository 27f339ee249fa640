//! Teams, a tree.

use fairlead_domain::access::{Permission, Standing};
use fairlead_domain::context::{Context, Event};
use fairlead_domain::dependents::Dependents;
use fairlead_domain::error::Refusal;
use fairlead_domain::organisation::{Team, TeamDetails};
use fairlead_domain::patch::Patch;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::TeamId;
use fairlead_persistence::Predicate;

use crate::app::App;
use crate::call::{Call, Page, Read, Written};
use crate::change::{Eyes, Resource};
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, Links};
use crate::views::views;

views!(Team, /// A team.
    TeamView, /// A team in a list.
    TeamSummary, []);

/// What a list of teams can be asked.
pub static LISTING: Listing = Listing {
    resource: "teams",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("name", Kind::Text).sortable(),
        Field::new("parent_id", Kind::Id).nullable(),
    ],
    search: &["name"],
    default_sort: "name",
    includes: TeamSummary::INCLUDES,
};

impl Resource for Team {
    type View = TeamView;
    type Ties = Dependents;
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        let reads = ctx.actor.authorize(Permission::TeamsRead, &Standing::Organisation);
        reads.map_err(|_| Refusal::not_found())
    }
    fn view(self, ctx: &Context, dependents: Dependents) -> Result<TeamView, Refusal> {
        Ok(TeamView { allowed_actions: Self::allowed_actions(ctx, &dependents), record: self })
    }
}

/// One team.
pub async fn get(app: &App, call: &Call, id: TeamId) -> Read<TeamView> {
    app.get::<Team>(call, id).await
}

/// All teams.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<TeamSummary>> {
    app.read(call, async |ctx, reader| {
        ctx.actor.authorize(Permission::TeamsRead, &Standing::Organisation)?;
        lists::page(ctx, reader, &list, Predicate::True, |_: &Team| Links::default()).await
    })
    .await
}

/// Makes a team.
pub async fn create(app: &App, call: &Call, form: Valid<TeamDetails>) -> Written<TeamView> {
    app.write(call, async |ctx, work| {
        Team::may_manage(ctx)?;
        let team = Team {
            id: work.new_id(),
            details: form.clone().into_inner(),
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        work.lock_access(ctx.org.epoch).await?;
        ctx.org.check_team_parent(team.id, team.details.parent_id)?;
        work.insert(&team, Event("team.created")).await?;
        Ok(team.view(ctx, Dependents::default())?)
    })
    .await
}

/// Changes a team. Moving it moves what its managers see, from the next request on.
pub async fn update(app: &App, call: &Call, id: TeamId, patch: Patch<TeamDetails>) -> Written<TeamView> {
    app.write(call, async |ctx, work| {
        let before: Team = crate::change::load(ctx, work, id).await?;
        call.check_version(before.version)?;
        Team::may_manage(ctx)?;
        let mut after = before.clone();
        after.details = patch.apply(&before.details)?.into_inner();
        // Two moves at once could make a circle that neither makes alone.
        work.lock_access(ctx.org.epoch).await?;
        ctx.org.check_team_parent(id, after.details.parent_id)?;
        work.save(&before, &mut after, Event("team.updated")).await?;
        after.seen(ctx, &Eyes::Work(work)).await
    })
    .await
}

/// Deletes a team without users and without teams below it, and that nothing else is about.
pub async fn delete(app: &App, call: &Call, id: TeamId) -> Written<()> {
    app.remove(call, id, Event("team.deleted"), async |ctx, work, team: &Team| {
        Ok(Team::may_delete(ctx, &work.ties(team).await?)?)
    })
    .await
}
