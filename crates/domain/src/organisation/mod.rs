//! The organisation: users, teams, roles, and the snapshot of them that every request is judged by.

mod role;
mod team;
#[cfg(test)]
mod tests;
mod user;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use chrono::{Duration, NaiveDate, NaiveTime, TimeZone, Utc};

pub use role::{Role, RoleDetails};
pub use team::{Team, TeamDetails};
pub use user::{Locale, User, UserDetails, UserRef, UserStatus};

use crate::access::{Actor, Grant, Permission, Places, RoleKey, Scope, Share, Standing};
use crate::approval::{ApprovalFlow, ApprovalSubject, Delegation};
use crate::error::{Code, Refusal};
use crate::lead::{AssignmentRule, LeadDetails, Score, Scoring, ScoringRule};
use crate::pool::{Pool, PoolDetails, PoolRules};
use crate::settings::{Settings, SettingsDetails};
use crate::values::{CustomerId, Line, PoolId, TeamId, Timestamp, Today, UserId, folded, one_of};

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

    /// When the business day began.
    pub fn day_began(&self, now: Timestamp) -> Timestamp {
        self.midnight(self.today(now).0)
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
