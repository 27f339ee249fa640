//! The organisation: users, teams, roles, and the snapshot of them that every request is judged by.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{Duration, NaiveDate, NaiveTime, TimeZone, Utc};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::access::{Actor, Grant, Permission, Places, RoleKey, Scope, Share, Standing};
use crate::approval::{Approval, ApprovalFlow, ApprovalSubject, Delegation};
use crate::context::Context;
use crate::dependents::Dependents;
use crate::error::{Code, Refusal};
use crate::lead::{AssignmentRule, LeadDetails, Score, Scoring, ScoringRule};
use crate::pool::{Pool, PoolDetails, PoolRules};
use crate::record;
use crate::record::RecordKind;
use crate::settings::{Settings, SettingsDetails};
use crate::text_enum;
use crate::values::{
    CustomerId, Email, Line, PoolId, Prose, RoleId, TeamId, Timestamp, Today, UserId, folded, one_of,
};
use crate::workflow::AllowedAction;

text_enum! {
    /// Whether a user may log in and own records.
    pub enum UserStatus {
        /// Works.
        Active = "active" ("Active", "正常"),
        /// May not log in; tokens are refused at once.
        Disabled = "disabled" ("Disabled", "已停用"),
    }
}

text_enum! {
    /// The language that a user reads.
    pub enum Locale {
        /// English.
        En = "en" ("English", "英语"),
        /// Simplified Chinese.
        ZhCn = "zh-CN" ("Simplified Chinese", "简体中文"),
    }
}

/// What one may say about a user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "display_name": "李伟",
    "email": "li.wei@example.com",
    "roles": ["sales_rep"],
    "locale": "zh-CN"
}))]
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
    /// The language that the user reads. Clients send it as `Accept-Language`; without that header messages are in
    /// English, whatever it is.
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
    /// Refuses to hand over what an active user owns: what they give away while they work here takes an approval.
    pub fn check_gone(ctx: &Context, user: UserId) -> Result<(), Refusal> {
        if ctx.org.actor(user).is_none() {
            return Ok(());
        }
        Err(Self::still_here())
    }

    fn still_here() -> Refusal {
        let detail = "the user is active; disable them, or ask for a transfer";
        Refusal::new(Code::InvalidTransition, detail)
            .with("record_kind", RecordKind::User)
            .with("from", UserStatus::Active)
    }

    /// May the caller have what a user owns handed over? Not to themselves: they would decide about what they
    /// receive.
    pub fn may_hand_over(ctx: &Context, successor: Option<UserId>) -> Result<(), Refusal> {
        Self::may_manage(ctx)?;
        if successor == Some(ctx.actor.id) {
            return Err(Refusal::new(Code::SeparationOfDuties, "nobody hands over to themselves"));
        }
        Ok(())
    }

    /// Refuses a status that the user already has.
    fn may_switch_to(&self, status: UserStatus) -> Result<(), Refusal> {
        if self.status == status {
            return Err(Refusal::new(Code::InvalidTransition, format!("the user is {status}"))
                .with("record_kind", RecordKind::User)
                .with("from", status));
        }
        Ok(())
    }

    /// May the caller change users?
    pub fn may_manage(ctx: &Context) -> Result<(), Refusal> {
        ctx.actor.authorize(Permission::UsersManage, &Standing::Organisation)
    }

    /// May the caller end the user's access? Not that of the last one who can manage users.
    pub fn may_disable(&self, ctx: &Context) -> Result<(), Refusal> {
        Self::may_manage(ctx)?;
        self.may_switch_to(UserStatus::Disabled)?;
        ctx.org.check_administrators(Some((self.id, &[])), None)
    }

    /// May the caller give the user access again?
    pub fn may_enable(&self, ctx: &Context) -> Result<(), Refusal> {
        Self::may_manage(ctx)?;
        self.may_switch_to(UserStatus::Active)
    }

    /// What this caller may do with the user.
    pub fn allowed_actions(&self, ctx: &Context) -> Vec<AllowedAction> {
        // By the record itself: the snapshot is older than a user who was disabled just now.
        let gone = if self.status == UserStatus::Disabled { Ok(()) } else { Err(Self::still_here()) };
        vec![
            AllowedAction::judge("update", Self::may_manage(ctx)),
            AllowedAction::judge("disable", self.may_disable(ctx)),
            AllowedAction::judge("enable", self.may_enable(ctx)),
            AllowedAction::judge("set_password", Self::may_manage(ctx)),
            AllowedAction::judge("hand_over", Self::may_hand_over(ctx, None).and(gone)),
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

impl From<&User> for UserRef {
    fn from(user: &User) -> Self {
        let details = &user.details;
        Self { id: user.id, display_name: details.display_name.clone(), team_id: details.team_id }
    }
}

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

/// Everything that access and rules depend on, as it was at one moment. Immutable: a change makes a new one.
#[derive(Debug)]
pub struct Organisation {
    /// The number of the change after which it was read.
    pub epoch: i64,
    /// The settings.
    pub settings: SettingsDetails,
    members: HashMap<UserId, Member>,
    teams: HashMap<TeamId, Option<TeamId>>,
    team_names: HashMap<TeamId, Line>,
    roles: BTreeMap<RoleKey, Vec<Grant>>,
    pools: BTreeMap<PoolId, Pool>,
    scoring: Scoring,
    assignment_rules: Vec<AssignmentRule>,
    flows: BTreeMap<ApprovalSubject, ApprovalFlow>,
    delegations: Vec<Delegation>,
}

#[derive(Debug)]
struct Member {
    user: User,
    actor: Arc<Actor>,
}

/// What an organisation is made of.
#[derive(Debug, Default)]
pub struct Parts {
    /// The settings; the first ones when there are none yet.
    pub settings: Option<Settings>,
    /// All users.
    pub users: Vec<User>,
    /// All teams.
    pub teams: Vec<Team>,
    /// All roles.
    pub roles: Vec<Role>,
    /// All public pools.
    pub pools: Vec<Pool>,
    /// All scoring rules.
    pub scoring_rules: Vec<ScoringRule>,
    /// All assignment rules.
    pub assignment_rules: Vec<AssignmentRule>,
    /// All approval flows.
    pub flows: Vec<ApprovalFlow>,
    /// All delegations.
    pub delegations: Vec<Delegation>,
    /// Which customer is shared with whom, and how far.
    pub shared: Vec<(UserId, CustomerId, Share)>,
}

impl Organisation {
    /// Puts the parts together.
    pub fn new(epoch: i64, parts: Parts) -> Self {
        let parents: HashMap<TeamId, Option<TeamId>> =
            parts.teams.iter().map(|team| (team.id, team.details.parent_id)).collect();
        let roles: BTreeMap<RoleKey, Vec<Grant>> =
            parts.roles.into_iter().map(|role| (role.details.key, role.details.grants)).collect();
        let mut shared: HashMap<UserId, BTreeMap<CustomerId, Share>> = HashMap::new();
        for (user, customer, share) in parts.shared {
            shared.entry(user).or_default().insert(customer, share);
        }
        let pools: BTreeMap<PoolId, Pool> = parts.pools.into_iter().map(|pool| (pool.id, pool)).collect();
        let reaches: HashMap<TeamId, BTreeSet<TeamId>> =
            parents.keys().map(|team| (*team, below(&parents, *team))).collect();
        let members = parts
            .users
            .into_iter()
            .map(|user| {
                let details = &user.details;
                let grants = details.roles.iter().filter_map(|key| roles.get(key)).flatten().copied();
                let reach = details.team_id.and_then(|team| reaches.get(&team)).cloned().unwrap_or_default();
                let open: Vec<&Pool> =
                    pools.values().filter(|pool| admits(&pool.details, &user, &reaches)).collect();
                let manages = |pool: &&&Pool| {
                    let managers = &pool.details.manager_ids;
                    managers.is_empty() || managers.contains(&user.id)
                };
                let places = Places {
                    pools: open.iter().map(|pool| pool.id).collect(),
                    assignable_pools: open.iter().filter(manages).map(|pool| pool.id).collect(),
                    shared: shared.remove(&user.id).unwrap_or_default(),
                    reach,
                };
                let actor = Actor::new(user.id, details.team_id, details.roles.clone(), grants, places);
                (user.id, Member { user, actor: Arc::new(actor) })
            })
            .collect();
        let settings = parts.settings.map(|settings| settings.details).unwrap_or_default();
        let scoring = Scoring::new(parts.scoring_rules, &settings.leads);
        let mut assignment_rules = parts.assignment_rules;
        assignment_rules.sort_by_key(|rule| (rule.details.position, rule.id));
        Self {
            epoch,
            settings,
            members,
            teams: parents,
            team_names: parts.teams.into_iter().map(|team| (team.id, team.details.name)).collect(),
            roles,
            pools,
            scoring,
            assignment_rules,
            flows: parts.flows.into_iter().map(|flow| (flow.subject_kind, flow)).collect(),
            delegations: parts.delegations,
        }
    }

    /// The flow that a kind of subject passes.
    pub fn flow(&self, subject: ApprovalSubject) -> Result<&ApprovalFlow, Refusal> {
        let flow = self.flows.get(&subject);
        flow.ok_or_else(|| Refusal::new(Code::Internal, format!("there is no approval flow of a {subject}")))
    }

    /// Who decides for a user at this time.
    pub fn delegates(
        &self,
        user: UserId,
        now: Timestamp,
        subject: ApprovalSubject,
    ) -> impl Iterator<Item = UserId> {
        let theirs = self.delegations.iter().filter(move |it| it.details.user_id == user);
        let held = theirs.filter(move |it| it.holds(self, now, subject)).map(|it| it.details.delegate_id);
        held.filter(|delegate| self.actor(*delegate).is_some())
    }

    /// For whom a user decides at this time.
    pub fn principals(&self, delegate: UserId, now: Timestamp, subject: ApprovalSubject) -> Vec<Arc<Actor>> {
        let mine = self.delegations.iter().filter(|it| it.details.delegate_id == delegate);
        let held: BTreeSet<UserId> =
            mine.filter(|it| it.holds(self, now, subject)).map(|it| it.details.user_id).collect();
        held.into_iter().filter_map(|user| self.actor(user)).collect()
    }

    /// For whom a user decides at this time, and about what.
    pub fn delegated_to(&self, delegate: UserId, now: Timestamp) -> Vec<(Arc<Actor>, Vec<ApprovalSubject>)> {
        let mut found: BTreeMap<UserId, Vec<ApprovalSubject>> = BTreeMap::new();
        for subject in ApprovalSubject::ALL {
            for principal in self.principals(delegate, now, *subject) {
                found.entry(principal.id).or_default().push(*subject);
            }
        }
        found.into_iter().filter_map(|(user, subjects)| Some((self.actor(user)?, subjects))).collect()
    }

    /// The team so many levels above another, or the topmost where the tree is not as high.
    pub fn team_above(&self, team: TeamId, levels: u8) -> TeamId {
        (0..levels).fold(team, |team, _| self.teams.get(&team).copied().flatten().unwrap_or(team))
    }

    /// The teams that have a team so many levels above them.
    pub fn teams_below(&self, team: TeamId, levels: u8) -> Vec<TeamId> {
        let mut below: Vec<TeamId> =
            self.teams.keys().copied().filter(|below| self.team_above(*below, levels) == team).collect();
        below.sort_unstable();
        below
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

    /// Every user, in no particular order.
    pub fn users(&self) -> impl Iterator<Item = &User> {
        self.members.values().map(|member| &member.user)
    }

    /// A user as other records show them.
    pub fn user_ref(&self, id: UserId) -> Option<UserRef> {
        self.user(id).map(UserRef::from)
    }

    /// Where a record with this owner stands; one without is a lead.
    pub fn standing(&self, owner: Option<UserId>) -> Standing {
        self.standing_with(owner, None)
    }

    /// Where a record stands that may be shared with a customer, and that nobody owns while that is in the pool.
    pub fn standing_with(&self, owner: Option<UserId>, customer: Option<CustomerId>) -> Standing {
        owner.map_or(Standing::Unowned, |owner| self.owned(owner, customer))
    }

    /// Where a record of this owner stands that may be shared with a customer.
    pub fn owned(&self, owner: UserId, customer: Option<CustomerId>) -> Standing {
        let team = self.user(owner).and_then(|user| user.details.team_id);
        Standing::Owned { owner, team, customer }
    }

    /// Whether a public pool exists.
    pub fn knows_pool(&self, id: PoolId) -> bool {
        self.pools.contains_key(&id)
    }

    /// The pool for new customers of a region: the first that names it, else the default one.
    pub fn pool_of(&self, region: Option<&Line>) -> Result<PoolId, Refusal> {
        let region = region.map(|region| folded(region.as_str()));
        let named = |pool: &&Pool| {
            let mut regions = pool.details.regions.iter().map(|known| folded(known.as_str()));
            region.as_ref().is_some_and(|region| regions.any(|known| known == *region))
        };
        let found = self.pools.values().find(named);
        let found = found.or_else(|| self.pools.values().find(|pool| pool.details.is_default));
        found.map(|pool| pool.id).ok_or_else(|| Refusal::new(Code::Internal, "no default pool"))
    }

    /// The rules of a pool: its own, or those of the settings.
    pub fn pool_rules(&self, id: PoolId) -> &PoolRules {
        self.pools.get(&id).and_then(|pool| pool.details.rules.as_ref()).unwrap_or(&self.settings.pool)
    }

    /// All public pools.
    pub fn pools(&self) -> impl Iterator<Item = &Pool> {
        self.pools.values()
    }

    /// How good a lead is by the present rules.
    pub fn score(&self, lead: &LeadDetails) -> Score {
        self.scoring.score(lead, &self.settings.leads)
    }

    /// Names the rules by which leads are scored.
    pub fn score_basis(&self) -> &str {
        self.scoring.basis()
    }

    /// The assignment rules, in the order in which they count.
    pub fn assignment_rules(&self) -> &[AssignmentRule] {
        &self.assignment_rules
    }

    /// Whether a team is another one or below it.
    pub fn is_within(&self, team: TeamId, top: TeamId) -> bool {
        below(&self.teams, top).contains(&team)
    }

    /// How many customers a user may own.
    pub fn ownership_limit(&self, user: UserId) -> i64 {
        let roles = self.user(user).map_or(&[][..], |user| &user.details.roles);
        self.settings.ownership.of(user, roles)
    }

    /// Whether a role exists.
    pub fn knows_role(&self, key: &RoleKey) -> bool {
        self.roles.contains_key(key)
    }

    /// Whether a team exists.
    pub fn knows_team(&self, id: TeamId) -> bool {
        self.teams.contains_key(&id)
    }

    /// What a team is called.
    pub fn team_name(&self, id: TeamId) -> Option<&Line> {
        self.team_names.get(&id)
    }

    /// Refuses to take a role, or its key, away from under users who have it.
    fn check_role_unused(&self, key: &RoleKey) -> Result<(), Refusal> {
        if self.members.values().any(|member| member.user.details.roles.contains(key)) {
            return Err(Refusal::new(Code::InUse, "users have this role"));
        }
        match self.flows.values().find(|flow| flow.names_role(key)) {
            Some(flow) => {
                let why =
                    format!("the approval flow of {} names this role", one_of(flow.subject_kind.as_str()));
                Err(Refusal::new(Code::InUse, why).with("subject_kind", flow.subject_kind))
            }
            None => Ok(()),
        }
    }

    /// The business day.
    pub fn today(&self, now: Timestamp) -> Today {
        Today::at(now, self.settings.time_zone.0)
    }

    /// When a business day begins.
    pub fn midnight(&self, day: NaiveDate) -> Timestamp {
        let midnight = day.and_time(NaiveTime::MIN);
        let zone = self.settings.time_zone.0;
        // Where clocks are put forward at midnight, that midnight never is: the day begins when they were.
        let mut hours = (0..=3).map(|hours| midnight + Duration::hours(hours));
        let begins = hours.find_map(|time| zone.from_local_datetime(&time).earliest());
        Timestamp::new(begins.map_or_else(|| midnight.and_utc(), |instant| instant.with_timezone(&Utc)))
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

/// Whether a pool is open to a user: to all when it names nobody.
fn admits(pool: &PoolDetails, user: &User, reaches: &HashMap<TeamId, BTreeSet<TeamId>>) -> bool {
    let (teams, users) = (&pool.member_team_ids, &pool.member_ids);
    let within = |team: &TeamId| {
        user.details.team_id.is_some_and(|own| reaches.get(team).is_some_and(|reach| reach.contains(&own)))
    };
    (teams.is_empty() && users.is_empty())
        || users.contains(&user.id)
        || pool.manager_ids.contains(&user.id)
        || teams.iter().any(within)
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

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;
    use crate::fixtures::{ADMIN, AUDITOR, REP, World, now, user};

    fn reason(offers: &[AllowedAction], action: &str) -> Option<Code> {
        offers.iter().find(|offer| offer.action == action).unwrap().reason
    }

    #[test]
    fn the_last_administrator_is_neither_disabled_nor_offered_for_it() {
        let one = World::new();
        let two = World::of(&[(ADMIN, None, &["admin"]), (AUDITOR, None, &["auditor", "admin"])]);
        for (world, whom, who, code) in [
            (&one, ADMIN, ADMIN, Some(Code::LastAdministrator)),
            (&one, REP, ADMIN, None),
            (&one, ADMIN, REP, Some(Code::Forbidden)),
            (&two, ADMIN, ADMIN, None),
        ] {
            let record = world.0.user(user(whom)).unwrap();
            assert_eq!(reason(&world.by(who, |ctx| record.allowed_actions(ctx)), "disable"), code);
            let disabled = world.by(who, |ctx| record.may_disable(ctx));
            assert_eq!(disabled.err().map(|refusal| refusal.code), code);
        }
        let gone = User { status: UserStatus::Disabled, ..one.0.user(user(ADMIN)).unwrap().clone() };
        let offers = one.by(ADMIN, |ctx| gone.allowed_actions(ctx));
        assert_eq!(reason(&offers, "disable"), Some(Code::InvalidTransition));
        assert_eq!(reason(&offers, "enable"), None);
    }

    #[test]
    fn a_role_that_somebody_has_is_not_offered_for_deletion() {
        let role = |key: &str, built_in| Role {
            id: RoleId(Uuid::from_u128(9)),
            details: RoleDetails {
                key: RoleKey(key.to_owned()),
                name: Line::new(key),
                description: None,
                grants: Vec::new(),
            },
            built_in,
            version: 1,
            created_at: now(),
            updated_at: now(),
        };
        let world = World::new();
        for (role, who, update, delete) in [
            (role("nobodys", false), ADMIN, None, None),
            (role("sales_rep", false), ADMIN, None, Some(Code::InUse)),
            (role("sales_rep", true), ADMIN, Some(Code::BuiltInRole), Some(Code::BuiltInRole)),
            (role("nobodys", false), REP, Some(Code::Forbidden), Some(Code::Forbidden)),
        ] {
            let offers = world.by(who, |ctx| role.allowed_actions(ctx, &[]));
            assert_eq!((reason(&offers, "update"), reason(&offers, "delete")), (update, delete));
        }
    }

    #[test]
    fn what_depends_on_a_team_or_a_pool_keeps_it() {
        let world = World::new();
        let mut pool = Pool::first(PoolId(Uuid::from_u128(61)), now());
        pool.details.is_default = false;
        let one = |kind| [(kind, 1)].into_iter().collect::<Dependents>();
        let (users, customers) = (one(RecordKind::User), one(RecordKind::Customer));
        let none = Dependents::default();
        for (users, customers, who, code) in [
            (&none, &none, ADMIN, None),
            (&users, &customers, ADMIN, Some(Code::InUse)),
            (&users, &customers, REP, Some(Code::Forbidden)),
        ] {
            let offers = world.by(who, |ctx| Team::allowed_actions(ctx, users));
            assert_eq!(reason(&offers, "delete"), code);
            let offers = world.by(who, |ctx| pool.allowed_actions(ctx, customers));
            assert_eq!(reason(&offers, "delete"), code);
        }
        let refusal = world.by(ADMIN, |ctx| Team::may_delete(ctx, &users)).unwrap_err();
        assert_eq!(refusal.figures["dependents"][0]["record_kind"], "user");
        let refusal = world.by(ADMIN, |ctx| pool.may_delete(ctx, &customers)).unwrap_err();
        assert_eq!(refusal.figures["dependents"][0]["record_kind"], "customer");
    }
}
