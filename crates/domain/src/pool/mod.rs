//! Public pools (公海): where customers without owner are, by region or line of business, and by which rules.

mod distribution;
mod recycle;
mod rules;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

pub use distribution::{Seat, Strategy, distribute};
pub use recycle::{RecycleCause, RecycleFacts, RecycleRules, Recycling, recycling};
pub use rules::{ContactField, PoolRules};

use crate::access::{Permission, Standing};
use crate::context::{Context, Event};
use crate::dependents::Dependents;
use crate::error::{Refusal, Rule};
use crate::record;
use crate::settings::{Settings, in_use};
use crate::valid::Valid;
use crate::values::{Line, PoolId, Prose, TeamId, Timestamp, UserId};
use crate::workflow::AllowedAction;

/// What one may say about a pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "name": "East China pool",
    "description": "Customers of East China whom nobody looks after at present.",
    "is_default": false,
    "regions": ["East China", "上海", "江苏", "浙江"],
    "rules": {
        "recycle": {
            "no_activity_days": 30,
            "no_opportunity_days": 90,
            "no_contract_days": 180,
            "after_contract_days": 60,
            "warning_days": 3
        },
        "daily_claim_limit": 20,
        "daily_open_limit": 200,
        "daily_open_limits": [{"role": "sales_manager", "limit": 500}],
        "cool_down_days": 7,
        "masked_fields": ["phone", "email", "address"]
    }
}))]
pub struct PoolDetails {
    /// Its name.
    #[validate(nested)]
    pub name: Line,
    /// What it is for.
    #[serde(default)]
    #[validate(nested)]
    pub description: Option<Prose>,
    /// Whether customers go here that no other pool's regions fit; exactly one pool is the default.
    #[serde(default)]
    pub is_default: bool,
    /// New customers of these regions go here.
    #[serde(default)]
    #[validate(length(max = 100), nested)]
    #[schema(max_items = 100)]
    pub regions: Vec<Line>,
    /// Teams whose members, and those of the teams below, may see and claim what is in it.
    #[serde(default)]
    #[validate(length(max = 100), custom(function = "distinct_teams"))]
    #[schema(max_items = 100)]
    pub member_team_ids: Vec<TeamId>,
    /// Users who may as well. Without any teams and users, it is open to whoever may see pools.
    #[serde(default)]
    #[validate(length(max = 1000), custom(function = "distinct_users"))]
    #[schema(max_items = 1000)]
    pub member_ids: Vec<UserId>,
    /// Of those who may assign customers of a part of the organisation, only these may do so from here; without any,
    /// all of them. Whoever may assign every customer may do so from any pool.
    #[serde(default)]
    #[validate(length(max = 100), custom(function = "distinct_users"))]
    #[schema(max_items = 100)]
    pub manager_ids: Vec<UserId>,
    /// Its own rules; those of the settings when absent.
    #[serde(default)]
    #[validate(nested)]
    pub rules: Option<PoolRules>,
}

fn distinct_users(users: &[UserId]) -> Result<(), ValidationError> {
    distinct(users.iter().collect::<BTreeSet<_>>().len() == users.len())
}

fn distinct_teams(teams: &[TeamId]) -> Result<(), ValidationError> {
    distinct(teams.iter().collect::<BTreeSet<_>>().len() == teams.len())
}

pub(crate) fn distinct(holds: bool) -> Result<(), ValidationError> {
    if holds {
        return Ok(());
    }
    Err(Rule::Distinct.error("must name each once"))
}

/// A public pool.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Pool {
    /// Its id.
    pub id: PoolId,
    /// What was said about it.
    #[serde(flatten)]
    pub details: PoolDetails,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Pool, Pool);

impl Pool {
    /// The pool that an organisation begins with.
    pub fn first(id: PoolId, now: Timestamp) -> Self {
        let details = PoolDetails {
            name: Line::new("Public pool"),
            description: None,
            is_default: true,
            regions: Vec::new(),
            member_team_ids: Vec::new(),
            member_ids: Vec::new(),
            manager_ids: Vec::new(),
            rules: None,
        };
        Self { id, details, version: 1, created_at: now, updated_at: now }
    }

    /// Whoever may see pools at all may know this one, if it is theirs.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        if Settings::may_read(ctx).is_ok() {
            return Ok(());
        }
        ctx.actor
            .authorize(Permission::PoolRead, &Standing::Pooled(self.id))
            .map_err(|_| Refusal::not_found())
    }

    /// Records a pool.
    pub fn new(ctx: &Context, id: PoolId, form: Valid<PoolDetails>) -> Result<(Self, Event), Refusal> {
        Settings::may_manage(ctx)?;
        check_references(ctx, &form)?;
        let pool =
            Self { id, details: form.into_inner(), version: 1, created_at: ctx.now, updated_at: ctx.now };
        Ok((pool, Event("pool.created")))
    }

    /// Changes it. The default pool stays the default until another one takes its place.
    pub fn edit(&mut self, ctx: &Context, form: Valid<PoolDetails>) -> Result<Event, Refusal> {
        Settings::may_manage(ctx)?;
        if self.details.is_default && !form.is_default {
            let why = "make another pool the default instead";
            return Err(Refusal::invalid("/is_default", Rule::DefaultNeeded, why));
        }
        check_references(ctx, &form)?;
        self.details = form.into_inner();
        Ok(Event("pool.updated"))
    }

    /// May it be deleted? New customers need the default one, and those of its own need it.
    pub fn may_delete(&self, ctx: &Context, dependents: &Dependents) -> Result<(), Refusal> {
        Settings::may_manage(ctx)?;
        if self.details.is_default {
            return Err(in_use("make another pool the default first"));
        }
        dependents.check_none()
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context, dependents: &Dependents) -> Vec<AllowedAction> {
        vec![
            AllowedAction::judge("update", Settings::may_manage(ctx)),
            AllowedAction::judge("delete", self.may_delete(ctx, dependents)),
        ]
    }
}

fn check_references(ctx: &Context, form: &PoolDetails) -> Result<(), Refusal> {
    if let Some(at) = form.member_team_ids.iter().position(|team| !ctx.org.knows_team(*team)) {
        return Err(Refusal::unknown_reference(&format!("/member_team_ids/{at}")));
    }
    for (name, users) in [("member_ids", &form.member_ids), ("manager_ids", &form.manager_ids)] {
        if let Some(at) = users.iter().position(|user| ctx.org.user(*user).is_none()) {
            return Err(Refusal::unknown_reference(&format!("/{name}/{at}")));
        }
    }
    form.rules.as_ref().map_or(Ok(()), |rules| rules.check_references(ctx, "/rules"))
}
