//! Payment plans from patterns: by shares such as 30/60/10, or in equal months. The parts always add up to the amount.

use chrono::{Days, Months, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use super::{Contract, ContractDetails, InstallmentPlan};
use crate::context::{Context, Event};
use crate::error::{Refusal, Rule};
use crate::valid::Valid;
use crate::values::{Line, Money, Rate};

/// A share of the amount.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct PlanShare {
    /// How large a part it is; all shares add up to 1.
    pub share: Rate,
    /// How many days after the plan begins it is due.
    #[validate(range(min = 0, max = 3650, message = "must be from 0 to 3650"))]
    #[schema(minimum = 0, maximum = 3650)]
    pub after_days: i64,
    /// On what condition.
    #[serde(default)]
    #[validate(nested)]
    pub condition: Option<Line>,
}

/// How a contract's amount is to be cut into installments: by shares or in months.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[validate(schema(function = "one_pattern"))]
#[schema(example = json!({
    "starts_on": "2026-02-01",
    "shares": [
        {"share": "0.3", "after_days": 0, "condition": "On signing"},
        {"share": "0.6", "after_days": 150, "condition": "On acceptance"},
        {"share": "0.1", "after_days": 365, "condition": "After one year"}
    ]
}))]
pub struct PlanForm {
    /// When the plan begins.
    #[serde(deserialize_with = "crate::values::day")]
    #[validate(custom(function = "crate::values::written_day"))]
    pub starts_on: NaiveDate,
    /// By shares.
    #[serde(default)]
    #[validate(length(min = 1, max = 120), custom(function = "add_up"), nested)]
    #[schema(min_items = 1, max_items = 120)]
    pub shares: Option<Vec<PlanShare>>,
    /// In so many equal parts, one a month from the beginning on.
    #[serde(default)]
    #[validate(range(min = 1, max = 120, message = "must be from 1 to 120"))]
    #[schema(minimum = 1, maximum = 120)]
    pub months: Option<u32>,
}

fn one_pattern(form: &PlanForm) -> Result<(), ValidationError> {
    if form.shares.is_some() != form.months.is_some() {
        return Ok(());
    }
    Err(Rule::OnePattern.error("must be either by shares or in months"))
}

fn add_up(shares: &[PlanShare]) -> Result<(), ValidationError> {
    if shares.iter().map(|part| part.share.basis_points()).sum::<i64>() == 10_000 {
        return Ok(());
    }
    Err(Rule::SharesMismatch.error("must add up to 1"))
}

/// Cuts an amount by weights. What rounding leaves goes to the later parts, at most one minor unit each.
fn cut(amount: Money, weights: &[i64]) -> Vec<Money> {
    let whole: i128 = weights.iter().map(|weight| i128::from(*weight)).sum::<i128>().max(1);
    let (mut passed, mut given) = (0_i128, 0_i64);
    let part = |weight: &i64| {
        passed += i128::from(*weight);
        // The fraction passed/whole is 1 at most, so it fits.
        let until = i64::try_from(i128::from(amount.minor()) * passed / whole).unwrap_or(i64::MAX);
        let part = Money::from_minor(until - given, amount.currency());
        given = until;
        part
    };
    weights.iter().map(part).collect()
}

impl PlanForm {
    /// The installments of an amount.
    pub fn plan(&self, amount: Money) -> Result<Vec<InstallmentPlan>, Refusal> {
        let too_far = || Refusal::invalid("/starts_on", Rule::OutOfRange, "the plan would end too far away");
        let one = |due_on: Option<NaiveDate>, amount: Money, condition: Option<Line>| {
            due_on.map(|due_on| InstallmentPlan { due_on, amount, condition }).ok_or_else(too_far)
        };
        if let Some(shares) = &self.shares {
            let weights: Vec<i64> = shares.iter().map(|part| part.share.basis_points()).collect();
            let parts = shares.iter().zip(cut(amount, &weights)).map(|(share, amount)| {
                let days = Days::new(u64::try_from(share.after_days).unwrap_or(0));
                one(self.starts_on.checked_add_days(days), amount, share.condition.clone())
            });
            return parts.collect();
        }
        let months = self.months.unwrap_or(1);
        let weights = vec![1; usize::try_from(months).unwrap_or(1)];
        let parts = (0..months).zip(cut(amount, &weights));
        parts
            .map(|(at, amount)| one(self.starts_on.checked_add_months(Months::new(at)), amount, None))
            .collect()
    }
}

impl Contract {
    /// Replaces a draft's payment plan by one from a pattern.
    pub fn plan(&mut self, ctx: &Context, form: &Valid<PlanForm>) -> Result<Event, Refusal> {
        self.may_update(ctx)?;
        let installments = form.plan(self.details.amount)?;
        let details = ContractDetails { installments, ..self.details.clone() };
        self.edit(ctx, Valid::check(details)?)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::fixtures::cny;
    use crate::values::Currency;

    fn form(change: impl FnOnce(&mut PlanForm)) -> Result<Valid<PlanForm>, Refusal> {
        let starts_on = NaiveDate::from_ymd_opt(2026, 1, 31).unwrap();
        let mut form = PlanForm { starts_on, shares: None, months: None };
        change(&mut form);
        Valid::check(form)
    }

    fn shares(points: &[i64]) -> Vec<PlanShare> {
        let share = |(at, points): (i64, &i64)| PlanShare {
            share: Rate::from_basis_points(*points).unwrap(),
            after_days: at * 30,
            condition: None,
        };
        (0..).zip(points).map(share).collect()
    }

    #[test]
    fn patterns_become_plans() {
        let by_shares = form(|it| it.shares = Some(shares(&[3000, 6000, 1000]))).unwrap();
        let plan = by_shares.plan(cny(10_001)).unwrap();
        assert_eq!(plan.iter().map(|part| part.amount.minor()).collect::<Vec<_>>(), [3000, 6000, 1001]);
        assert_eq!(plan[2].due_on.to_string(), "2026-04-01");
        let monthly = form(|it| it.months = Some(3)).unwrap().plan(cny(100)).unwrap();
        assert_eq!(monthly.iter().map(|part| part.amount.minor()).collect::<Vec<_>>(), [33, 33, 34]);
        // The last day of a shorter month, and then the day again.
        let days: Vec<String> = monthly.iter().map(|part| part.due_on.to_string()).collect();
        assert_eq!(days, ["2026-01-31", "2026-02-28", "2026-03-31"]);
        assert!(form(|_| {}).is_err());
        assert!(form(|it| it.shares = Some(shares(&[3000, 6999]))).is_err());
        assert!(form(|it| (it.shares, it.months) = (Some(shares(&[10_000])), Some(1))).is_err());
    }

    proptest! {
        /// Whatever the amount, the weights and the currency: the parts add up exactly, none is negative, and none is
        /// further than one minor unit from its share.
        #[test]
        fn parts_add_up(
            minor in 1..1_000_000_000_000_i64,
            weights in proptest::collection::vec(1..10_000_i64, 1..120),
            currency in proptest::sample::select(vec![Currency::JPY, Currency::CNY, Currency::KWD]),
        ) {
            let parts = cut(Money::from_minor(minor, currency), &weights);
            let whole: i128 = weights.iter().map(|weight| i128::from(*weight)).sum();
            prop_assert_eq!(parts.iter().map(|part| part.minor()).sum::<i64>(), minor);
            for (part, weight) in parts.iter().zip(&weights) {
                let exact = i128::from(minor) * i128::from(*weight);
                let given = i128::from(part.minor()) * whole;
                prop_assert!(part.minor() >= 0 && (given - exact).abs() < whole, "{:?}", part);
            }
        }
    }
}
