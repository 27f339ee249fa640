//! The organisation: users, teams, roles, and the snapshot of them that every request is judged by.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::access::{Actor, Grant, Permission, RoleKey, Scope, Standing};
use crate::context::Context;
use crate::error::{Code, Refusal};
use crate::record;
use crate::settings::Settings;
use crate::text_enum;
use crate::values::{Email, Line, Prose, RoleId, TeamId, Timestamp, Today, UserId};
use crate::workflow::AllowedAction;

text_enum! {
    /// Whether a user may log in and own records.
    pub enum UserStatus {
        /// Works.
        Active = "active",
        /// May not log in; tokens are refused at once.
        Disabled = "disabled",
    }
}

text_enum! {
    /// The language of messages.
    pub enum Locale {
        /// English.
        En = "en",
        /// Simplified Chinese.
        ZhCn = "zh-CN",
    }
}

/// What one may say about a user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserDetails {
    /// The address to log in with; unique, whatever the case of its letters.
    #[validate(nested)]
    pub email: Email,
    /// The name to show.
    #[validate(nested)]
    pub display_name: Line,
    /// The team.
    #[serde(default)]
    pub team_id: Option<TeamId>,
    /// The roles, one or more.
    #[validate(
        length(min = 1, max = 10, message = "must have between 1 and 10 roles"),
        custom(function = "distinct_roles"),
        nested
    )]
    #[schema(min_items = 1, max_items = 10)]
    pub roles: Vec<RoleKey>,
    /// The language of messages.
    #[serde(default = "english")]
    pub locale: Locale,
}

fn distinct_roles(roles: &[RoleKey]) -> Result<(), ValidationError> {
    if roles.iter().collect::<BTreeSet<_>>().len() == roles.len() {
        return Ok(());
    }
    Err(ValidationError::new("distinct").with_message("must name each role once".into()))
}

fn english() -> Locale {
    Locale::En
}

/// A user. The password's hash is kept apart and never leaves the login.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct User {
    /// Its id.
    pub id: UserId,
    /// What was said about the user.
    #[serde(flatten)]
    pub details: UserDetails,
    /// Active or disabled.
    pub status: UserStatus,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(User, User);

impl User {
    /// Refuses a status that the user already has.
    pub fn may_switch_to(&self, status: UserStatus) -> Result<(), Refusal> {
        if self.status == status {
            return Err(
                Refusal::new(Code::InvalidTransition, format!("the user is {status}")).with("from", status)
            );
        }
        Ok(())
    }

    /// What this caller may do with the user.
    pub fn allowed_actions(&self, ctx: &Context) -> Vec<AllowedAction> {
        let manages = || ctx.actor.authorize(Permission::UsersManage, &Standing::Organisation);
        let switch = |status| manages().and_then(|()| self.may_switch_to(status));
        vec![
            AllowedAction::judge("update", manages()),
            AllowedAction::judge("disable", switch(UserStatus::Disabled)),
            AllowedAction::judge("enable", switch(UserStatus::Active)),
            AllowedAction::judge("set-password", manages()),
        ]
    }
}

/// A user as other records show them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct UserRef {
    /// Its id.
    pub id: UserId,
    /// The name to show.
    pub display_name: Line,
    /// The team.
    #[schema(required)]
    pub team_id: Option<TeamId>,
}

/// What one may say about a team.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
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

/// What one may say about a role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
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
    Err(ValidationError::new("distinct").with_message("must name each permission once".into()))
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
    /// A built-in role is changed by a release of Fairlead only.
    pub fn editable(&self) -> Result<(), Refusal> {
        if self.built_in {
            return Err(Refusal::new(Code::BuiltInRole, "copy the built-in role under another key"));
        }
        Ok(())
    }
}

/// Everything that access depends on, as it was at one moment. Immutable: a change makes a new one.
#[derive(Debug)]
pub struct Organisation {
    /// The number of the change after which it was read.
    pub epoch: i64,
    /// The settings.
    pub settings: Settings,
    members: HashMap<UserId, Member>,
    teams: HashMap<TeamId, Option<TeamId>>,
    roles: BTreeMap<RoleKey, Vec<Grant>>,
}

#[derive(Debug)]
struct Member {
    user: User,
    actor: Arc<Actor>,
}

impl Organisation {
    /// Puts the parts together.
    pub fn new(epoch: i64, settings: Settings, users: Vec<User>, teams: &[Team], roles: &[Role]) -> Self {
        let parents: HashMap<TeamId, Option<TeamId>> =
            teams.iter().map(|team| (team.id, team.details.parent_id)).collect();
        let roles: BTreeMap<RoleKey, Vec<Grant>> =
            roles.iter().map(|role| (role.details.key.clone(), role.details.grants.clone())).collect();
        let members = users
            .into_iter()
            .map(|user| {
                let details = &user.details;
                let grants = details.roles.iter().filter_map(|key| roles.get(key)).flatten().copied();
                let reach = details.team_id.map(|team| below(&parents, team)).unwrap_or_default();
                let actor = Actor::new(user.id, details.team_id, details.roles.clone(), grants, reach);
                (user.id, Member { user, actor: Arc::new(actor) })
            })
            .collect();
        Self { epoch, settings, members, teams: parents, roles }
    }

    /// The actor behind a user who may act; none for an unknown or disabled one.
    pub fn actor(&self, id: UserId) -> Option<Arc<Actor>> {
        self.active(id).map(|member| Arc::clone(&member.actor))
    }

    fn active(&self, id: UserId) -> Option<&Member> {
        self.members.get(&id).filter(|member| member.user.status == UserStatus::Active)
    }

    /// Active users, in the order of their ids.
    pub fn active_actors(&self) -> Vec<Arc<Actor>> {
        let mut actors: Vec<_> = self
            .members
            .values()
            .filter(|member| member.user.status == UserStatus::Active)
            .map(|member| Arc::clone(&member.actor))
            .collect();
        actors.sort_unstable_by_key(|actor| actor.id);
        actors
    }

    /// A user, active or not.
    pub fn user(&self, id: UserId) -> Option<&User> {
        self.members.get(&id).map(|member| &member.user)
    }

    /// A user as other records show them.
    pub fn user_ref(&self, id: UserId) -> Option<UserRef> {
        self.user(id).map(|user| UserRef {
            id,
            display_name: user.details.display_name.clone(),
            team_id: user.details.team_id,
        })
    }

    /// Where a record with this owner stands.
    pub fn standing(&self, owner: Option<UserId>) -> Standing {
        owner.map_or(Standing::Unowned, |owner| Standing::Owned {
            owner,
            team: self.user(owner).and_then(|user| user.details.team_id),
        })
    }

    /// Whether a role exists.
    pub fn knows_role(&self, key: &RoleKey) -> bool {
        self.roles.contains_key(key)
    }

    /// Whether a team exists.
    pub fn knows_team(&self, id: TeamId) -> bool {
        self.teams.contains_key(&id)
    }

    /// Refuses to take a role, or its key, away from under users who have it.
    pub fn check_role_unused(&self, key: &RoleKey) -> Result<(), Refusal> {
        if self.members.values().any(|member| member.user.details.roles.contains(key)) {
            return Err(Refusal::new(Code::InUse, "users have this role"));
        }
        Ok(())
    }

    /// The business day.
    pub fn today(&self, now: Timestamp) -> Today {
        Today::at(now, self.settings.time_zone)
    }

    /// Refuses a place in the tree of teams that would put a team below itself.
    pub fn check_team_parent(&self, team: TeamId, parent: Option<TeamId>) -> Result<(), Refusal> {
        match parent {
            Some(parent) if !self.knows_team(parent) => Err(Refusal::unknown_reference("/parent_id")),
            Some(parent) if below(&self.teams, team).contains(&parent) => {
                Err(Refusal::new(Code::TeamCycle, "a team cannot be below itself"))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a user form that names unknown teams or roles.
    pub fn check_user_references(&self, form: &UserDetails) -> Result<(), Refusal> {
        if form.team_id.is_some_and(|team| !self.knows_team(team)) {
            return Err(Refusal::unknown_reference("/team_id"));
        }
        match form.roles.iter().position(|role| !self.knows_role(role)) {
            Some(index) => Err(Refusal::unknown_reference(&format!("/roles/{index}"))),
            None => Ok(()),
        }
    }

    /// Refuses a change after which nobody could manage users: `user` would then have these roles, none
    /// when disabled; `role` would then have these grants.
    pub fn check_administrators(
        &self,
        user: Option<(UserId, &[RoleKey])>,
        role: Option<(&RoleKey, &[Grant])>,
    ) -> Result<(), Refusal> {
        let manages = |key: &RoleKey| {
            let grants = match role {
                Some((changed, grants)) if changed == key => grants,
                _ => self.roles.get(key).map_or(&[][..], Vec::as_slice),
            };
            grants
                .iter()
                .any(|grant| grant.permission == Permission::UsersManage && grant.scope == Scope::All)
        };
        let remains =
            self.members.values().filter(|member| member.user.status == UserStatus::Active).any(|member| {
                match user {
                    Some((id, roles)) if id == member.user.id => roles.iter().any(manages),
                    _ => member.user.details.roles.iter().any(manages),
                }
            });
        if remains {
            return Ok(());
        }
        Err(Refusal::new(Code::LastAdministrator, "somebody must remain who can manage users"))
    }
}

/// A team and all below it. A cycle, were there one, would end the walk.
fn below(parents: &HashMap<TeamId, Option<TeamId>>, top: TeamId) -> BTreeSet<TeamId> {
    let mut found = BTreeSet::from([top]);
    loop {
        let before = found.len();
        for (team, parent) in parents {
            if parent.is_some_and(|parent| found.contains(&parent)) {
                found.insert(*team);
            }
        }
        if found.len() == before {
            return found;
        }
    }
}
