//! Teams, which make a tree.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::access::{Permission, Standing};
use crate::context::Context;
use crate::dependents::Dependents;
use crate::error::Refusal;
use crate::record;
use crate::values::{Line, TeamId, Timestamp};
use crate::workflow::AllowedAction;

/// What one may say about a team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "East China sales"
}))]
pub struct TeamDetails {
    /// The team's name.
    #[validate(nested)]
    pub name: Line,
    /// The team above.
    #[serde(default)]
    pub parent_id: Option<TeamId>,
}

/// A team (团队) in the tree of teams.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Team {
    /// Its id.
    pub id: TeamId,
    /// What was said about the team.
    #[serde(flatten)]
    pub details: TeamDetails,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Team, Team);

impl Team {
    /// May the caller change teams?
    pub fn may_manage(ctx: &Context) -> Result<(), Refusal> {
        ctx.actor.authorize(Permission::TeamsManage, &Standing::Organisation)
    }

    /// May it be deleted? While nobody is in it, no team is below it, and nothing else is about it.
    pub fn may_delete(ctx: &Context, dependents: &Dependents) -> Result<(), Refusal> {
        Self::may_manage(ctx)?;
        dependents.check_none()
    }

    /// What this caller may do with it.
    pub fn allowed_actions(ctx: &Context, dependents: &Dependents) -> Vec<AllowedAction> {
        vec![
            AllowedAction::judge("update", Self::may_manage(ctx)),
            AllowedAction::judge("delete", Self::may_delete(ctx, dependents)),
        ]
    }
}
