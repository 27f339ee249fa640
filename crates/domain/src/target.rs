//! Performance targets (业绩目标): what a user or a team is to sign or to collect in a month.

use std::fmt;
use std::str::FromStr;

use chrono::{Datelike, Months, NaiveDate};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use utoipa::ToSchema;
use utoipa::openapi::schema::{ObjectBuilder, Type};
use validator::{Validate, ValidationError};

use crate::access::{Clause, Permission, ScopeFilter, Standing};
use crate::contact::unchanged;
use crate::context::{Context, Event};
use crate::error::{Code, Refusal, Rule};
use crate::record;
use crate::text_enum;
use crate::valid::Valid;
use crate::values::{Money, TargetId, TeamId, Timestamp, UserId, form};
use crate::workflow::AllowedAction;

/// A month, such as `2026-03`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Month(NaiveDate);

impl Month {
    /// Its first day.
    pub const fn first_day(self) -> NaiveDate {
        self.0
    }

    /// The first day of the month after it.
    pub fn end(self) -> NaiveDate {
        self.0.checked_add_months(Months::new(1)).unwrap_or(NaiveDate::MAX)
    }
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:04}-{:02}", self.0.year(), self.0.month())
    }
}

impl FromStr for Month {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let day = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok().map(Self);
        let written =
            day.filter(|month| month.to_string() == text && (2000..=2999).contains(&month.0.year()));
        written.ok_or_else(|| "expected a month from 2000 to 2999 such as `2026-03`".to_owned())
    }
}

impl Serialize for Month {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Month {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(|why: String| form::broken(Rule::InvalidMonth, why))
    }
}

impl utoipa::PartialSchema for Month {
    fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
        ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some(r"^2[0-9]{3}-(0[1-9]|1[0-2])$"))
            .max_length(Some(7))
            .description(Some("A month."))
            .examples([serde_json::json!("2026-03")])
            .into()
    }
}
impl ToSchema for Month {}

text_enum! {
    /// What counts towards a target.
    pub enum TargetMeasure {
        /// The amounts of contracts that became active in the month, amendments included.
        Signed = "signed" ("Signed amount", "签约金额"),
        /// Confirmed payments that arrived in the month, less what was paid back.
        Collected = "collected" ("Collected amount", "回款金额"),
    }
}

/// What one may say about a target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "one_subject"))]
#[schema(example = json!({
    "amount": {"amount": "500000.00", "currency": "CNY"},
    "measure": "signed",
    "month": "2027-03",
    "team_id": TeamId::example(1)
}))]
pub struct TargetDetails {
    /// Whose target; none where it is a team's. Cannot be changed.
    #[serde(default)]
    pub owner_id: Option<UserId>,
    /// The team whose members, and those of the teams below, it is for; none where it is a user's. Cannot be changed.
    #[serde(default)]
    pub team_id: Option<TeamId>,
    /// Of which month; cannot be changed.
    pub month: Month,
    /// What counts; cannot be changed.
    pub measure: TargetMeasure,
    /// How much.
    #[validate(custom(function = "crate::contract::positive"))]
    pub amount: Money,
}

fn one_subject(details: &TargetDetails) -> Result<(), ValidationError> {
    if details.owner_id.is_some() != details.team_id.is_some() {
        return Ok(());
    }
    Err(Rule::OneSubject.error("must name either a user or a team"))
}

/// A target.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Target {
    /// Its id.
    pub id: TargetId,
    /// What was said about it.
    #[serde(flatten)]
    pub details: TargetDetails,
    /// Who recorded it.
    pub created_by: UserId,
    /// Bumped by each write.
    #[schema(minimum = 1)]
    pub version: i64,
    /// When it was recorded.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}
record!(Target, Target);

/// Which targets a permission shows: those of users within a scope, and those of teams.
#[derive(Debug, Clone, PartialEq)]
pub struct TargetScope {
    /// Of users: those that fit.
    pub users: ScopeFilter,
    /// Of teams: these; all of them when absent.
    pub teams: Option<Vec<TeamId>>,
}

/// Which targets the caller may see.
pub fn visible(ctx: &Context) -> TargetScope {
    let users = ctx.actor.visible_scope(Permission::TargetsRead);
    let teams = match &users {
        ScopeFilter::All => None,
        ScopeFilter::Any(clauses) => {
            let teams = clauses.iter().filter_map(|clause| match clause {
                Clause::OwnerInTeams(teams) => Some(teams.clone()),
                _ => None,
            });
            Some(teams.flatten().collect())
        }
    };
    TargetScope { users, teams }
}

impl Target {
    /// Sets a target.
    pub fn new(ctx: &Context, id: TargetId, form: Valid<TargetDetails>) -> Result<(Self, Event), Refusal> {
        ctx.actor.authorize_own(Permission::TargetsManage)?;
        let target = Self {
            id,
            details: form.into_inner(),
            created_by: ctx.actor.id,
            version: 1,
            created_at: ctx.now,
            updated_at: ctx.now,
        };
        if target.details.owner_id.is_some_and(|user| ctx.org.user(user).is_none()) {
            return Err(Refusal::unknown_reference("/owner_id"));
        }
        if target.details.team_id.is_some_and(|team| !ctx.org.knows_team(team)) {
            return Err(Refusal::unknown_reference("/team_id"));
        }
        target.may_manage(ctx)?;
        Ok((target, Event("target.created")))
    }

    fn standing(&self, ctx: &Context) -> Standing {
        match self.details.owner_id {
            Some(owner) => ctx.standing(Some(owner)),
            // A team's: nobody in person, but within the reach of whoever leads it.
            None => Standing::Owned {
                owner: UserId(uuid::Uuid::nil()),
                team: self.details.team_id,
                customer: None,
            },
        }
    }

    /// A target outside the caller's scope does not exist for them.
    pub fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.actor.authorize(Permission::TargetsRead, &self.standing(ctx)).map_err(|_| Refusal::not_found())
    }

    /// May the caller change it? Nobody sets their own.
    pub fn may_manage(&self, ctx: &Context) -> Result<(), Refusal> {
        ctx.actor.authorize(Permission::TargetsManage, &self.standing(ctx))?;
        if self.details.owner_id == Some(ctx.actor.id) {
            return Err(Refusal::new(Code::SeparationOfDuties, "nobody sets their own target"));
        }
        Ok(())
    }

    /// Changes how much it is.
    pub fn edit(&mut self, ctx: &Context, form: Valid<TargetDetails>) -> Result<Event, Refusal> {
        self.may_manage(ctx)?;
        unchanged("/owner_id", &self.details.owner_id, &form.owner_id)?;
        unchanged("/team_id", &self.details.team_id, &form.team_id)?;
        unchanged("/month", &self.details.month, &form.month)?;
        unchanged("/measure", &self.details.measure, &form.measure)?;
        form.amount.stated_in(self.details.amount.currency(), "/amount")?;
        self.details = form.into_inner();
        Ok(Event("target.updated"))
    }

    /// What this caller may do with it.
    pub fn allowed_actions(&self, ctx: &Context) -> Vec<AllowedAction> {
        vec![
            AllowedAction::judge("update", self.may_manage(ctx)),
            AllowedAction::judge("delete", self.may_manage(ctx)),
        ]
    }
}

/// How much of a target is attained, in percent with one decimal, rounded down: 87.5 is `"87.5"`. What exceeds it shows.
pub fn percent(attained: Money, target: Money) -> String {
    let tenths = i128::from(attained.minor().max(0)) * 1000 / i128::from(target.minor().max(1));
    format!("{}.{}", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use iso_currency::Currency;

    use super::*;

    #[test]
    fn months_have_one_text() {
        let month: Month = "2026-12".parse().unwrap();
        assert_eq!((month.to_string().as_str(), month.end().to_string().as_str()), ("2026-12", "2027-01-01"));
        for text in ["2026-13", "2026-1", "26-01", "2026-01-01", "", "1999-12", "3000-01", "２０２６-01"]
        {
            assert!(text.parse::<Month>().is_err(), "{text}");
        }
    }

    #[test]
    fn percents_are_rounded_down() {
        let of = |attained, target| {
            percent(Money::from_minor(attained, Currency::CNY), Money::from_minor(target, Currency::CNY))
        };
        assert_eq!(of(0, 100), "0.0");
        assert_eq!(of(9_999, 10_000), "99.9");
        assert_eq!(of(10_000, 10_000), "100.0");
        assert_eq!(of(12_345, 10_000), "123.4");
        assert_eq!(of(i64::MAX, 1), "922337203685477580700.0");
    }
}
