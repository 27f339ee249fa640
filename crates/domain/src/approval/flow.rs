use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::{ApprovalSubject, SubjectFacts, matching};
use crate::access::{Actor, RoleKey, Standing};
use crate::context::{Context, Event};
use crate::contract::CollectionScheme;
use crate::customer::Grade;
use crate::error::{Refusal, Rule};
use crate::organisation::Organisation;
use crate::record;
use crate::settings::Settings;
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{FlowId, FlowVersionId, Line, Money, Rate, Timestamp, UserId, form, one_of};
use crate::workflow::AllowedAction;

/// Who decides a step. As text: `manager_of_owner`, `levels_up:2`, `role:finance`, `users:<id>,<id>`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ApproverRule {
    /// Whoever holds the subject's permission to approve, in a scope that covers the owner.
    ManagerOfOwner,
    /// Whoever holds that permission in the team so many levels above the owner's, or in the topmost where the tree
    /// is not as high; from 1 to [`ApproverRule::MAX_LEVELS`].
    LevelsUp(u8),
    /// Whoever has the role.
    Role(RoleKey),
    /// One of these users, from 1 to [`ApproverRule::MAX_USERS`].
    Users(Vec<UserId>),
}

impl ApproverRule {
    /// The most users that one rule may name.
    pub const MAX_USERS: usize = 20;
    /// The most levels of the tree of teams that one rule may go up.
    pub const MAX_LEVELS: u8 = 9;
    const MANAGER: &str = "manager_of_owner";
    const LEVELS: &str = "levels_up:";
    const ROLE: &str = "role:";
    pub(super) const USERS: &str = "users:";

    pub(super) fn names(
        &self,
        org: &Organisation,
        actor: &Actor,
        subject: ApprovalSubject,
        standing: &Standing,
    ) -> bool {
        let approves = || actor.authorize(subject.approve(), standing).is_ok();
        match self {
            Self::ManagerOfOwner => approves(),
            Self::LevelsUp(levels) => {
                let Standing::Owned { team: Some(team), .. } = standing else { return false };
                actor.team == Some(org.team_above(*team, *levels)) && approves()
            }
            Self::Role(role) => actor.roles.contains(role),
            Self::Users(users) => users.contains(&actor.id),
        }
    }
}

impl fmt::Display for ApproverRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ManagerOfOwner => f.write_str(Self::MANAGER),
            Self::LevelsUp(levels) => write!(f, "{}{levels}", Self::LEVELS),
            Self::Role(role) => write!(f, "{}{}", Self::ROLE, role.as_str()),
            Self::Users(users) => {
                let ids: Vec<String> = users.iter().map(ToString::to_string).collect();
                write!(f, "{}{}", Self::USERS, ids.join(","))
            }
        }
    }
}

impl FromStr for ApproverRule {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        if text == Self::MANAGER {
            return Ok(Self::ManagerOfOwner);
        }
        if let Some(levels) = text.strip_prefix(Self::LEVELS) {
            let levels = levels.parse().ok().filter(|levels| (1..=Self::MAX_LEVELS).contains(levels));
            // One text for one rule: not `+1` or `01`.
            return levels
                .map(Self::LevelsUp)
                .filter(|rule| rule.to_string() == text)
                .ok_or_else(|| format!("levels go from 1 to {}", Self::MAX_LEVELS));
        }
        if let Some(role) = text.strip_prefix(Self::ROLE) {
            let role = RoleKey(role.to_owned());
            return role
                .validate()
                .map(|()| Self::Role(role))
                .map_err(|_| "not the key of a role".to_owned());
        }
        if let Some(ids) = text.strip_prefix(Self::USERS) {
            let users = ids.split(',').map(str::parse).collect::<Result<Vec<UserId>, _>>()?;
            if users.len() <= Self::MAX_USERS {
                return Ok(Self::Users(users));
            }
        }
        Err("expected `manager_of_owner`, `levels_up:<n>`, `role:<key>` or `users:<id>,<id>`".to_owned())
    }
}

impl Serialize for ApproverRule {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for ApproverRule {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|why: String| form::broken(Rule::InvalidApproverRule, why))
    }
}

impl utoipa::PartialSchema for ApproverRule {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        utoipa::openapi::schema::ObjectBuilder::new()
            .schema_type(utoipa::openapi::schema::Type::String)
            .pattern(Some(r"^(manager_of_owner|levels_up:[1-9]|role:[a-z][a-z0-9_]{1,39}|users:[0-9a-f,-]{36,739})$"))
            .max_length(Some(745))
            .description(Some(
                "Who decides a step: `manager_of_owner`, a manager in the team so many levels above the owner's \
                 (`levels_up:2`), whoever has a role (`role:finance`), or named users (`users:<id>,<id>`).",
            ))
            .examples([serde_json::json!("role:finance")])
            .into()
    }
}
impl ToSchema for ApproverRule {}

text_enum! {
    /// How many of those whom a step names must agree.
    pub enum StepMode {
        /// One of them.
        Any = "any" ("Any approver", "或签"),
        /// Each of them. One who does not agree is enough to reject.
        All = "all" ("All approvers", "会签"),
    }
}

/// When a step is wanted. Every part that is given must hold.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(default, deny_unknown_fields)]
pub struct StepCondition {
    /// The amount at stake is this or more. An amount in another currency always is, and so is one that nobody said:
    /// nobody may evade a step by writing a contract in dollars. Not for transfers and changes of customers.
    #[validate(custom(function = "crate::contract::positive"))]
    pub amount_from: Option<Money>,
    /// The largest discount on a line is this fraction or more, measured by the list price. One that is not known always
    /// is: without line items, or where there are price lists and a line has no price in them. Only for contracts,
    /// their amendments and stages of opportunities.
    pub discount_from: Option<Rate>,
    /// A customer that it is about has one of these grades.
    #[validate(length(max = 4))]
    #[schema(max_items = 4)]
    pub customer_grades: Vec<Grade>,
    /// Money is collected in one of these ways. Only for contracts, their amendments and invoices.
    #[validate(length(max = 2))]
    #[schema(max_items = 2)]
    pub collection_schemes: Vec<CollectionScheme>,
}

impl StepCondition {
    fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The members that mean nothing for this kind of subject.
    fn meaningless(&self, kind: ApprovalSubject) -> Vec<&'static str> {
        use ApprovalSubject as Kind;
        let (amount, discount, scheme) = match kind {
            Kind::Contract | Kind::ContractAmendment | Kind::InstallmentChange => (true, true, true),
            Kind::Invoice => (true, false, true),
            Kind::StageGate => (true, true, false),
            Kind::Transfer | Kind::CustomerChange => (false, false, false),
        };
        let given = [
            ("amount_from", self.amount_from.is_some() && !amount),
            ("discount_from", self.discount_from.is_some() && !discount),
            ("collection_schemes", !self.collection_schemes.is_empty() && !scheme),
        ];
        given.into_iter().filter(|(_, meaningless)| *meaningless).map(|(member, _)| member).collect()
    }

    fn holds(&self, facts: &SubjectFacts) -> bool {
        let amount = self
            .amount_from
            .is_none_or(|least| facts.amount.is_none_or(|amount| !least.exceeds(amount).unwrap_or(false)));
        let discount =
            self.discount_from.is_none_or(|least| facts.discount.is_none_or(|discount| discount >= least));
        let grade = self.customer_grades.is_empty()
            || self.customer_grades.iter().any(|grade| facts.customer_grades.contains(grade));
        let scheme = self.collection_schemes.is_empty()
            || facts.collection_scheme.is_some_and(|scheme| self.collection_schemes.contains(&scheme));
        amount && discount && grade && scheme
    }
}

/// One step of a flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FlowStep {
    /// Its name.
    #[validate(nested)]
    pub name: Line,
    /// Who decides it.
    pub rule: ApproverRule,
    /// How many of them.
    #[serde(default = "any_of_them")]
    pub mode: StepMode,
    /// When it is wanted; always, when absent.
    #[serde(default)]
    #[validate(nested)]
    pub condition: Option<StepCondition>,
}

fn any_of_them() -> StepMode {
    StepMode::Any
}

impl FlowStep {
    /// A step that is always wanted, and that one of those whom it names decides.
    pub fn new(name: &str, rule: ApproverRule) -> Self {
        Self { name: Line::new(name), rule, mode: StepMode::Any, condition: None }
    }

    fn is_always_wanted(&self) -> bool {
        self.condition.as_ref().is_none_or(StepCondition::is_empty)
    }

    pub(super) fn is_wanted(&self, facts: &SubjectFacts) -> bool {
        self.condition.as_ref().is_none_or(|condition| condition.holds(facts))
    }
}

/// What one may say about a flow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "steps": [
        {"name": "Manager", "rule": "manager_of_owner", "mode": "any"},
        {
            "name": "Director",
            "rule": "role:sales_director",
            "mode": "any",
            "condition": {"customer_grades": ["A"]}
        }
    ],
    "enabled": true
}))]
pub struct FlowDetails {
    /// Whether approval is asked for at all. Only what can do without may be switched off.
    pub enabled: bool,
    /// Of customers of which grades it is asked for at all, before or after the change. Of a flow for changes of customers,
    /// one or more when it is switched on; of others none.
    #[serde(default)]
    #[validate(length(max = 4))]
    #[schema(max_items = 4)]
    pub customer_grades: Vec<Grade>,
    /// The steps in order, of which one or more are always wanted.
    #[validate(
        length(min = 1, max = 10, message = "must have between 1 and 10 steps"),
        custom(function = "one_is_always_wanted"),
        nested
    )]
    #[schema(min_items = 1, max_items = 10)]
    pub steps: Vec<FlowStep>,
}

fn one_is_always_wanted(steps: &[FlowStep]) -> Result<(), ValidationError> {
    if steps.iter().any(FlowStep::is_always_wanted) {
        return Ok(());
    }
    let message = "one step must be wanted always: nobody would decide what meets no condition";
    Err(Rule::NoStepForTheRest.error(message))
}

/// The steps that a kind of subject passes (审批流): there is one flow for each kind. A request keeps the steps and
/// the version with which it began.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct ApprovalFlow {
    /// Its id.
    pub id: FlowId,
    /// What is asked about.
    pub subject_kind: ApprovalSubject,
    /// What was said about it.
    #[serde(flatten)]
    pub details: FlowDetails,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(ApprovalFlow, ApprovalFlow);

/// A flow as it was in one of its versions. Never changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct FlowVersion {
    /// Its id.
    pub id: FlowVersionId,
    /// Of which flow.
    pub flow_id: FlowId,
    /// Which version.
    #[schema(minimum = 1)]
    pub version: i64,
    /// What was said about it.
    #[serde(flatten)]
    pub details: FlowDetails,
    /// Who said so; none when Fairlead did.
    #[schema(required)]
    pub created_by: Option<UserId>,
    /// From when on.
    pub created_at: Timestamp,
}

impl ApprovalFlow {
    /// The flow that Fairlead brings along: the owner's manager, then finance where money is at stake.
    pub fn first(id: FlowId, subject_kind: ApprovalSubject, now: Timestamp) -> Self {
        let manager = FlowStep::new("Manager", ApproverRule::ManagerOfOwner);
        let finance = || FlowStep::new("Finance", ApproverRule::Role(RoleKey("finance".to_owned())));
        let steps = match subject_kind {
            ApprovalSubject::Contract
            | ApprovalSubject::Invoice
            | ApprovalSubject::ContractAmendment
            | ApprovalSubject::InstallmentChange => vec![manager, finance()],
            ApprovalSubject::Transfer | ApprovalSubject::StageGate | ApprovalSubject::CustomerChange => {
                vec![manager]
            }
        };
        let details =
            FlowDetails { enabled: !subject_kind.is_optional(), customer_grades: Vec::new(), steps };
        Self { id, subject_kind, details, version: 1, created_at: now, updated_at: now }
    }

    /// It, as it is now, for its history.
    pub fn as_version(&self, id: FlowVersionId, created_by: Option<UserId>) -> FlowVersion {
        FlowVersion {
            id,
            flow_id: self.id,
            version: self.version,
            details: self.details.clone(),
            created_by,
            created_at: self.updated_at,
        }
    }

    /// Changes it, for requests from now on. Refuses steps that nobody could decide.
    pub fn edit(&mut self, ctx: &Context, form: Valid<FlowDetails>) -> Result<Event, Refusal> {
        Settings::may_manage(ctx)?;
        if !form.enabled && !self.subject_kind.is_optional() {
            let why = format!("{} always takes an approval", one_of(self.subject_kind.as_str()));
            return Err(Refusal::invalid("/enabled", Rule::NotOptional, why));
        }
        if !form.customer_grades.is_empty() && self.subject_kind != ApprovalSubject::CustomerChange {
            let why = "only changes of customers can be asked about by grade; use a step's condition";
            return Err(Refusal::invalid("/customer_grades", Rule::NotWanted, why));
        }
        if form.enabled
            && form.customer_grades.is_empty()
            && self.subject_kind == ApprovalSubject::CustomerChange
        {
            let why = "must name a grade: a customer without one could not even be recorded";
            return Err(Refusal::invalid("/customer_grades", Rule::Required, why));
        }
        self.check_conditions(&form.steps)?;
        self.check_deciders(ctx.org, &form.steps)?;
        self.details = form.into_inner();
        Ok(Event("approval_flow.updated"))
    }

    /// No condition asks for what such a subject does not have.
    fn check_conditions(&self, steps: &[FlowStep]) -> Result<(), Refusal> {
        for (at, step) in steps.iter().enumerate() {
            let given = step.condition.iter().flat_map(|condition| condition.meaningless(self.subject_kind));
            if let Some(member) = given.into_iter().next() {
                let why =
                    format!("{} has nothing that this could be asked of", one_of(self.subject_kind.as_str()));
                let pointer = format!("/steps/{at}/condition/{member}");
                return Err(Refusal::invalid(&pointer, Rule::NeverHolds, why));
            }
        }
        Ok(())
    }

    /// Whether it names a role.
    pub fn names_role(&self, key: &RoleKey) -> bool {
        self.details.steps.iter().any(|step| matches!(&step.rule, ApproverRule::Role(role) if role == key))
    }

    /// Whether it is asked for where customers have these grades.
    pub fn concerns(&self, grades: &[Grade]) -> bool {
        self.details.enabled && self.details.customer_grades.iter().any(|grade| grades.contains(grade))
    }

    /// Each step has somebody who can decide it for some owner, and the steps together have different persons.
    fn check_deciders(&self, org: &Organisation, steps: &[FlowStep]) -> Result<(), Refusal> {
        let mut candidates = Vec::new();
        for (at, step) in steps.iter().enumerate() {
            let pointer = format!("/steps/{at}/rule");
            match &step.rule {
                ApproverRule::Role(role) if !org.knows_role(role) => {
                    return Err(Refusal::unknown_reference(&pointer));
                }
                ApproverRule::Users(users) => {
                    if users.iter().collect::<BTreeSet<_>>().len() != users.len() {
                        return Err(Refusal::invalid(&pointer, Rule::Distinct, "must name each user once"));
                    }
                    if users.iter().any(|user| org.actor(*user).is_none()) {
                        return Err(Refusal::unknown_reference(&pointer));
                    }
                }
                _ => {}
            }
            let deciders: Vec<UserId> = org
                .active_actors()
                .iter()
                .filter(|actor| self.could_decide(actor, &step.rule))
                .map(|actor| actor.id)
                .collect();
            if deciders.is_empty() {
                let why =
                    "nobody could decide this step: no active user whom it names may see what it is about";
                return Err(Refusal::invalid(&pointer, Rule::NobodyDecides, why));
            }
            candidates.push((step.mode, deciders));
        }
        match matching::undecidable(&candidates) {
            Some(at) => {
                let why = "the steps need more different persons than there are";
                Err(Refusal::invalid(&format!("/steps/{at}/rule"), Rule::NobodyDecides, why))
            }
            None => Ok(()),
        }
    }

    fn could_decide(&self, actor: &Actor, rule: &ApproverRule) -> bool {
        let names = match rule {
            ApproverRule::ManagerOfOwner => actor.holds(self.subject_kind.approve()),
            ApproverRule::LevelsUp(_) => actor.holds(self.subject_kind.approve()) && actor.team.is_some(),
            ApproverRule::Role(key) => actor.roles.contains(key),
            ApproverRule::Users(users) => users.contains(&actor.id),
        };
        names && actor.holds(self.subject_kind.read())
    }

    /// What this caller may do with it.
    pub fn allowed_actions(ctx: &Context) -> Vec<AllowedAction> {
        vec![AllowedAction::judge("update", Settings::may_manage(ctx))]
    }
}
