//! Who gets a lead that nobody owns (线索分配): the first rule that fits names a user, or a team in turn.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::{LeadDetails, LeadGrade, Source};
use crate::access::Permission;
use crate::context::{Context, Event};
use crate::error::{Refusal, Rule};
use crate::organisation::Organisation;
use crate::pool::distinct;
use crate::record;
use crate::settings::Settings;
use crate::valid::Valid;
use crate::values::{AssignmentRuleId, Line, TeamId, Timestamp, UserId, folded};
use crate::workflow::AllowedAction;

/// What one may say about an assignment rule. A condition that names nothing holds for every lead.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "names_one"))]
#[schema(example = json!({
    "name": "Good leads of East China",
    "position": 10,
    "active": true,
    "sources": ["website", "event"],
    "regions": ["East China", "上海", "江苏", "浙江"],
    "grades": ["hot", "warm"],
    "team_id": TeamId::example(1)
}))]
pub struct AssignmentRuleDetails {
    /// What it is for.
    #[validate(nested)]
    pub name: Line,
    /// Its place: of the rules that fit, the one with the lowest counts.
    #[validate(range(min = 0, max = 100_000, message = "must be from 0 to 100000"))]
    #[schema(minimum = 0, maximum = 100_000)]
    pub position: i64,
    /// Whether it counts.
    #[serde(default = "yes")]
    #[schema(default = true)]
    pub active: bool,
    /// Leads from these sources.
    #[serde(default)]
    #[validate(length(max = 20), custom(function = "distinct_sources"))]
    #[schema(max_items = 20)]
    pub sources: Vec<Source>,
    /// Leads of these regions.
    #[serde(default)]
    #[validate(length(max = 100), nested)]
    #[schema(max_items = 100)]
    pub regions: Vec<Line>,
    /// Leads of these grades.
    #[serde(default)]
    #[validate(length(max = 3), custom(function = "distinct_grades"))]
    #[schema(max_items = 3)]
    pub grades: Vec<LeadGrade>,
    /// The user who gets them; either this or the team.
    #[serde(default)]
    pub user_id: Option<UserId>,
    /// The team whose members, and those of the teams below, get them in turn.
    #[serde(default)]
    pub team_id: Option<TeamId>,
}

fn yes() -> bool {
    true
}

fn distinct_sources(sources: &[Source]) -> Result<(), ValidationError> {
    distinct(sources.iter().collect::<BTreeSet<_>>().len() == sources.len())
}

fn distinct_grades(grades: &[LeadGrade]) -> Result<(), ValidationError> {
    distinct(grades.iter().collect::<BTreeSet<_>>().len() == grades.len())
}

fn names_one(rule: &AssignmentRuleDetails) -> Result<(), ValidationError> {
    if rule.user_id.is_some() != rule.team_id.is_some() {
        return Ok(());
    }
    Err(Rule::OneReceiver.error("must name either a user or a team"))
}

/// An assignment rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct AssignmentRule {
    /// Its id.
    pub id: AssignmentRuleId,
    /// What was said about it.
    #[serde(flatten)]
    pub details: AssignmentRuleDetails,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(AssignmentRule, AssignmentRule);

impl AssignmentRule {
    /// Records a rule; it counts for leads that come from then on.
    pub fn new(
        ctx: &Context,
        id: AssignmentRuleId,
        form: Valid<AssignmentRuleDetails>,
    ) -> Result<(Self, Event), Refusal> {
        Settings::may_manage(ctx)?;
        check_references(ctx, &form)?;
        let rule =
            Self { id, details: form.into_inner(), version: 1, created_at: ctx.now, updated_at: ctx.now };
        Ok((rule, Event("assignment_rule.created")))
    }

    /// Changes it.
    pub fn edit(&mut self, ctx: &Context, form: Valid<AssignmentRuleDetails>) -> Result<Event, Refusal> {
        Settings::may_manage(ctx)?;
        check_references(ctx, &form)?;
        self.details = form.into_inner();
        Ok(Event("assignment_rule.updated"))
    }

    /// What this caller may do with it.
    pub fn allowed_actions(ctx: &Context) -> Vec<AllowedAction> {
        let verdict = Settings::may_manage(ctx);
        ["update", "delete"].map(|action| AllowedAction::judge(action, verdict.clone())).to_vec()
    }

    fn fits(&self, lead: &LeadDetails, grade: LeadGrade) -> bool {
        let rule = &self.details;
        let region = lead.region.as_ref().map(|region| folded(region.as_str()));
        let in_region = || rule.regions.iter().any(|known| Some(folded(known.as_str())) == region);
        rule.active
            && (rule.sources.is_empty() || rule.sources.contains(&lead.source))
            && (rule.regions.is_empty() || in_region())
            && (rule.grades.is_empty() || rule.grades.contains(&grade))
    }

    /// Who may get leads by it, in the order of their turns: active users who may own leads.
    fn receivers(&self, org: &Organisation) -> Vec<UserId> {
        let of_team = |team: TeamId| {
            let members = org.active_actors().into_iter().filter(move |actor| {
                actor.team.is_some_and(|own| org.is_within(own, team)) && actor.holds(Permission::LeadsClaim)
            });
            members.map(|actor| actor.id).collect()
        };
        let user = |user: UserId| org.actor(user).filter(|actor| actor.holds(Permission::LeadsClaim));
        match (self.details.user_id, self.details.team_id) {
            (Some(named), _) => user(named).map(|actor| actor.id).into_iter().collect(),
            (None, Some(team)) => of_team(team),
            (None, None) => Vec::new(),
        }
    }
}

fn check_references(ctx: &Context, form: &AssignmentRuleDetails) -> Result<(), Refusal> {
    if form.user_id.is_some_and(|user| ctx.org.user(user).is_none()) {
        return Err(Refusal::unknown_reference("/user_id"));
    }
    if form.team_id.is_some_and(|team| !ctx.org.knows_team(team)) {
        return Err(Refusal::unknown_reference("/team_id"));
    }
    Ok(())
}

/// By which rule a lead goes to whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// The rule.
    pub rule_id: AssignmentRuleId,
    /// Who may get it, one at least, in the order of their turns.
    pub receivers: Vec<UserId>,
}

impl Route {
    /// Whose turn it is after somebody had theirs.
    pub fn next(&self, last: Option<UserId>) -> Option<UserId> {
        let after = last.and_then(|last| self.receivers.iter().find(|user| **user > last));
        after.or(self.receivers.first()).copied()
    }
}

/// The first rule that fits a lead and has somebody to give it to.
pub fn route(org: &Organisation, lead: &LeadDetails, grade: LeadGrade) -> Option<Route> {
    org.assignment_rules().iter().filter(|rule| rule.fits(lead, grade)).find_map(|rule| {
        let receivers = rule.receivers(org);
        (!receivers.is_empty()).then_some(Route { rule_id: rule.id, receivers })
    })
}
