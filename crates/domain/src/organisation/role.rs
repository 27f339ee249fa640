//! Roles: what users may do.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::access::{Grant, Permission, RoleKey, Standing};
use crate::approval::Approval;
use crate::context::Context;
use crate::error::{Code, Refusal, Rule};
use crate::record;
use crate::values::{Line, Prose, RoleId, Timestamp};
use crate::workflow::AllowedAction;

/// What one may say about a role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "key": "presales",
    "name": "Presales",
    "description": "Helps with offers: sees customers and opportunities, and owns none.",
    "grants": [
        {"permission": "customers:read", "scope": "team_and_below"},
        {"permission": "opportunities:read", "scope": "team_and_below"}
    ]
}))]
pub struct RoleDetails {
    /// The key by which users name it; unique.
    #[validate(nested)]
    pub key: RoleKey,
    /// Its name.
    #[validate(nested)]
    pub name: Line,
    /// What it is for.
    #[serde(default)]
    #[validate(nested)]
    pub description: Option<Prose>,
    /// What it grants; each permission once.
    #[validate(length(max = 200), custom(function = "distinct_permissions"))]
    #[schema(max_items = 200)]
    pub grants: Vec<Grant>,
}

fn distinct_permissions(grants: &[Grant]) -> Result<(), ValidationError> {
    let distinct: BTreeSet<Permission> = grants.iter().map(|grant| grant.permission).collect();
    if distinct.len() == grants.len() {
        return Ok(());
    }
    Err(Rule::Distinct.error("must name each permission once"))
}

/// A role (角色): a named set of grants.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Role {
    /// Its id.
    pub id: RoleId,
    /// What was said about the role.
    #[serde(flatten)]
    pub details: RoleDetails,
    /// Whether Fairlead brought it along; such a role cannot be changed.
    pub built_in: bool,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Role, Role);

impl Role {
    /// May the caller make roles?
    pub fn may_manage(ctx: &Context) -> Result<(), Refusal> {
        ctx.actor.authorize(Permission::RolesManage, &Standing::Organisation)
    }

    /// May it be changed? A built-in role is changed by a release of Fairlead only.
    pub fn may_update(&self, ctx: &Context) -> Result<(), Refusal> {
        Self::may_manage(ctx)?;
        if self.built_in {
            return Err(Refusal::new(Code::BuiltInRole, "copy the built-in role under another key"));
        }
        Ok(())
    }

    /// May it be deleted? `pending` are the requests for approval that wait.
    pub fn may_delete(&self, ctx: &Context, pending: &[Approval]) -> Result<(), Refusal> {
        self.may_update(ctx)?;
        self.check_unused(ctx, pending)
    }

    /// Refuses to take a role, or its key, away that somebody has, or from which decisions are or will be waited for.
    pub fn check_unused(&self, ctx: &Context, pending: &[Approval]) -> Result<(), Refusal> {
        let key = &self.details.key;
        ctx.org.check_role_unused(key)?;
        if pending.iter().any(|request| request.waits_for_role(key)) {
            return Err(Refusal::new(Code::InUse, "requests for approval wait for this role"));
        }
        Ok(())
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context, pending: &[Approval]) -> Vec<AllowedAction> {
        vec![
            AllowedAction::judge("update", self.may_update(ctx)),
            AllowedAction::judge("delete", self.may_delete(ctx, pending)),
        ]
    }
}
