//! What an organisation may set. Every rule takes its figure from here.

use std::collections::BTreeSet;

use chrono_tz::Tz;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use validator::{Validate, ValidationError};

use crate::access::{Permission, RoleKey, Standing};
use crate::context::{Context, Event};
use crate::error::{Code, Refusal, Rule};
use crate::lead::MatchedOn;
use crate::pool::PoolRules;
use crate::record;
use crate::valid::Valid;
use crate::values::{SettingsId, Timestamp, UserId, form};
use crate::workflow::AllowedAction;

/// A time zone of the IANA list, such as `Asia/Shanghai`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct TimeZone(pub Tz);

impl<'de> Deserialize<'de> for TimeZone {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        let zone = name.parse().map(Self);
        zone.map_err(|_| {
            form::broken(Rule::UnknownTimeZone, "must be a name of the IANA list, such as Asia/Shanghai")
        })
    }
}

impl utoipa::PartialSchema for TimeZone {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .min_length(Some(1))
            .max_length(Some(64))
            .description(Some("A time zone of the IANA list."))
            .examples([serde_json::json!("Asia/Shanghai")])
            .into()
    }
}
impl ToSchema for TimeZone {}

/// Hours within which an assigned lead wants its first response, by its grade.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ResponseHours {
    /// Of a hot lead.
    #[validate(range(min = 1, max = 8760, message = "must be from 1 to 8760"))]
    #[schema(minimum = 1, maximum = 8760)]
    pub hot: i64,
    /// Of a warm one.
    #[validate(range(min = 1, max = 8760, message = "must be from 1 to 8760"))]
    #[schema(minimum = 1, maximum = 8760)]
    pub warm: i64,
    /// Of a cold one.
    #[validate(range(min = 1, max = 8760, message = "must be from 1 to 8760"))]
    #[schema(minimum = 1, maximum = 8760)]
    pub cold: i64,
}

/// How leads are judged and awaited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "grades_are_in_order"))]
pub struct LeadSettings {
    /// From which score on a lead is hot.
    #[validate(range(min = 1, max = 100, message = "must be from 1 to 100"))]
    #[schema(minimum = 1, maximum = 100)]
    pub hot_from: i64,
    /// From which score on a lead is warm; below, it is cold.
    #[validate(range(min = 0, max = 100, message = "must be from 0 to 100"))]
    #[schema(minimum = 0, maximum = 100)]
    pub warm_from: i64,
    /// Hours until the first response.
    #[validate(nested)]
    pub response_hours: ResponseHours,
    /// How many hours before that its owner is reminded.
    #[validate(range(min = 0, max = 8760, message = "must be from 0 to 8760"))]
    #[schema(minimum = 0, maximum = 8760)]
    pub reminder_hours: i64,
}

fn grades_are_in_order(settings: &LeadSettings) -> Result<(), ValidationError> {
    if settings.warm_from < settings.hot_from {
        return Ok(());
    }
    Err(Rule::GradesOrder.error("warm_from must be below hot_from"))
}

/// A limit for the holders of a role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct RoleLimit {
    /// The role.
    #[validate(nested)]
    pub role: RoleKey,
    /// The limit.
    #[validate(range(min = 0, max = 1_000_000, message = "must be from 0 to 1000000"))]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub limit: i64,
}

/// A limit for one user.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UserLimit {
    /// The user.
    pub user_id: UserId,
    /// The limit.
    #[validate(range(min = 0, max = 1_000_000, message = "must be from 0 to 1000000"))]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub limit: i64,
}

pub(crate) fn distinct_limits(limits: &[RoleLimit]) -> Result<(), ValidationError> {
    if limits.iter().map(|limit| &limit.role).collect::<BTreeSet<_>>().len() == limits.len() {
        return Ok(());
    }
    Err(Rule::Distinct.error("must name each role once"))
}

fn distinct_users(limits: &[UserLimit]) -> Result<(), ValidationError> {
    if limits.iter().map(|limit| limit.user_id).collect::<BTreeSet<_>>().len() == limits.len() {
        return Ok(());
    }
    Err(Rule::Distinct.error("must name each user once"))
}

/// How many customers one user may own (保有量).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnershipLimits {
    /// For whom nothing else is said.
    #[validate(range(min = 0, max = 1_000_000, message = "must be from 0 to 1000000"))]
    #[schema(minimum = 0, maximum = 1_000_000)]
    pub limit: i64,
    /// By role; of several roles the highest limit counts.
    #[validate(length(max = 100), custom(function = "distinct_limits"), nested)]
    #[schema(max_items = 100)]
    pub by_role: Vec<RoleLimit>,
    /// By user; counts before any other.
    #[validate(length(max = 1000), custom(function = "distinct_users"), nested)]
    #[schema(max_items = 1000)]
    pub by_user: Vec<UserLimit>,
    /// Whether locked customers count.
    pub counts_locked: bool,
}

impl OwnershipLimits {
    /// The limit of a user with these roles.
    pub fn of(&self, user: UserId, roles: &[RoleKey]) -> i64 {
        let own = self.by_user.iter().find(|limit| limit.user_id == user).map(|limit| limit.limit);
        own.unwrap_or_else(|| by_role(&self.by_role, roles).unwrap_or(self.limit))
    }
}

/// The highest limit that these roles have.
pub(crate) fn by_role(limits: &[RoleLimit], roles: &[RoleKey]) -> Option<i64> {
    limits.iter().filter(|limit| roles.contains(&limit.role)).map(|limit| limit.limit).max()
}

/// How records are recognised that are there already (查重).
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DuplicateSettings {
    /// By what a lead or a customer is refused that looks like one that is there; by nothing when empty.
    #[validate(length(max = 4), custom(function = "distinct_matches"))]
    #[schema(max_items = 4)]
    pub refuse_on: Vec<MatchedOn>,
}

fn distinct_matches(on: &[MatchedOn]) -> Result<(), ValidationError> {
    crate::pool::distinct(on.iter().collect::<BTreeSet<_>>().len() == on.len())
}

/// How approvals are awaited.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ApprovalSettings {
    /// After how many hours those are reminded for whom a step waits, and again after as many; never when absent.
    #[validate(range(min = 1, max = 8760, message = "must be from 1 to 8760"))]
    #[schema(minimum = 1, maximum = 8760)]
    pub remind_after_hours: Option<i64>,
}

/// What an organisation may set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(example = json!({
    "due_soon_days": 7,
    "overdue_reminder_days": [1, 7, 30],
    "time_zone": "Asia/Shanghai",
    "leads": {
        "hot_from": 70,
        "warm_from": 40,
        "response_hours": {"hot": 4, "warm": 24, "cold": 72},
        "reminder_hours": 1
    },
    "duplicates": {"refuse_on": ["phone", "email", "company", "registration_number"]},
    "ownership": {
        "limit": 200,
        "by_role": [{"role": "sales_manager", "limit": 300}],
        "by_user": [{"user_id": UserId::example(1), "limit": 500}],
        "counts_locked": true
    },
    "pool": {
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
    },
    "approvals": {"remind_after_hours": 24},
    "dormant_after_days": 180
}))]
pub struct SettingsDetails {
    /// The time zone in which business days begin and end.
    pub time_zone: TimeZone,
    /// How leads are judged and awaited.
    #[validate(nested)]
    pub leads: LeadSettings,
    /// How records are recognised that are there already.
    #[validate(nested)]
    pub duplicates: DuplicateSettings,
    /// How many customers one user may own.
    #[validate(nested)]
    pub ownership: OwnershipLimits,
    /// The rules of every public pool that has none of its own.
    #[validate(nested)]
    pub pool: PoolRules,
    /// How approvals are awaited.
    #[validate(nested)]
    pub approvals: ApprovalSettings,
    /// After how many days without an activity or a running contract a customer is dormant; never when absent.
    #[validate(range(min = 1, max = 3650, message = "must be from 1 to 3650"))]
    #[schema(minimum = 1, maximum = 3650)]
    pub dormant_after_days: Option<i64>,
    /// Days before its date at which an installment is due soon.
    #[validate(range(max = 3650, message = "must be from 0 to 3650"))]
    #[schema(minimum = 0, maximum = 3650)]
    pub due_soon_days: u64,
    /// For how many days an installment has been overdue when its owner, their managers and finance are told: each once.
    #[validate(length(max = 10), custom(function = "days_in_order"))]
    #[schema(max_items = 10)]
    pub overdue_reminder_days: Vec<i64>,
}

fn days_in_order(days: &[i64]) -> Result<(), ValidationError> {
    let within = days.iter().all(|days| (1..=3650).contains(days));
    if within && days.is_sorted_by(|one, next| one < next) {
        return Ok(());
    }
    Err(Rule::DaysOrder.error("must be from 1 to 3650, each more than the one before"))
}

impl Default for SettingsDetails {
    fn default() -> Self {
        Self {
            time_zone: TimeZone(Tz::Asia__Shanghai),
            leads: LeadSettings {
                hot_from: 70,
                warm_from: 40,
                response_hours: ResponseHours { hot: 4, warm: 24, cold: 72 },
                reminder_hours: 1,
            },
            duplicates: DuplicateSettings { refuse_on: MatchedOn::ALL.to_vec() },
            ownership: OwnershipLimits {
                limit: 200,
                by_role: Vec::new(),
                by_user: Vec::new(),
                counts_locked: true,
            },
            pool: PoolRules::default(),
            approvals: ApprovalSettings { remind_after_hours: Some(24) },
            dormant_after_days: Some(180),
            due_soon_days: 7,
            overdue_reminder_days: vec![1, 7, 30],
        }
    }
}

/// The organisation's settings; there is one of them.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Settings {
    /// Its id.
    pub id: SettingsId,
    /// What was set.
    #[serde(flatten)]
    pub details: SettingsDetails,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When they were first made.
    pub created_at: Timestamp,
    /// When they were last changed.
    pub updated_at: Timestamp,
}
record!(Settings, Settings);

impl Settings {
    /// What a new organisation begins with.
    pub fn first(id: SettingsId, now: Timestamp) -> Self {
        Self { id, details: SettingsDetails::default(), version: 1, created_at: now, updated_at: now }
    }

    /// May the caller see how the organisation is set up?
    pub fn may_read(ctx: &Context) -> Result<(), Refusal> {
        ctx.actor.authorize(Permission::SettingsRead, &Standing::Organisation)
    }

    /// May the caller set the organisation up?
    pub fn may_manage(ctx: &Context) -> Result<(), Refusal> {
        ctx.actor.authorize(Permission::SettingsManage, &Standing::Organisation)
    }

    /// Changes them; every rule goes by them from the next request on. Known leads keep their grades until a job scores
    /// them anew.
    pub fn edit(&mut self, ctx: &Context, form: Valid<SettingsDetails>) -> Result<Event, Refusal> {
        Self::may_manage(ctx)?;
        for (at, limit) in form.ownership.by_role.iter().enumerate() {
            known_role(ctx, &limit.role, &format!("/ownership/by_role/{at}/role"))?;
        }
        for (at, limit) in form.ownership.by_user.iter().enumerate() {
            if ctx.org.user(limit.user_id).is_none() {
                return Err(Refusal::unknown_reference(&format!("/ownership/by_user/{at}/user_id")));
            }
        }
        form.pool.check_references(ctx, "/pool")?;
        self.details = form.into_inner();
        Ok(Event("settings.updated"))
    }

    /// What this caller may do with them.
    pub fn allowed_actions(ctx: &Context) -> Vec<AllowedAction> {
        vec![AllowedAction::judge("update", Self::may_manage(ctx))]
    }
}

pub(crate) fn known_role(ctx: &Context, role: &RoleKey, pointer: &str) -> Result<(), Refusal> {
    if ctx.org.knows_role(role) { Ok(()) } else { Err(Refusal::unknown_reference(pointer)) }
}

/// Refuses to take away what only an administrator can give back.
pub(crate) fn in_use(why: &str) -> Refusal {
    Refusal::new(Code::InUse, why)
}
