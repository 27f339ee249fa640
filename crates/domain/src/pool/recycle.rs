#[cfg(test)]
mod tests;

use chrono::{Days, NaiveDate};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::Validate;

use crate::customer::Customer;
use crate::organisation::Organisation;
use crate::text_enum;
use crate::values::{Timestamp, Today};

text_enum! {
    /// Which rule brings a customer back to the pool.
    pub enum RecycleCause {
        /// No activity for too long.
        NoActivity = "no_activity" ("No activity", "长期未跟进"),
        /// No opportunity since its owner got it.
        NoOpportunity = "no_opportunity" ("No opportunity", "未产生商机"),
        /// No contract since its owner got it.
        NoContract = "no_contract" ("No contract", "未签合同"),
        /// No new contract since the last one ended.
        ContractEnded = "contract_ended" ("Contract ended", "合同结束未续签"),
    }
}

/// When a customer comes back to the pool by itself (回收规则). Days are business days of the organisation's time
/// zone, counted from the day after; a rule that is absent is off.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, Validate, ToSchema)]
#[serde(default, deny_unknown_fields)]
#[schema(example = json!({
    "no_activity_days": 30,
    "no_opportunity_days": 90,
    "no_contract_days": 180,
    "after_contract_days": 60,
    "warning_days": 3
}))]
pub struct RecycleRules {
    /// After so many days without an activity.
    #[validate(range(min = 1, max = 3650, message = "must be from 1 to 3650"))]
    #[schema(minimum = 1, maximum = 3650)]
    pub no_activity_days: Option<i64>,
    /// So many days after its owner got it, if no opportunity came of it.
    #[validate(range(min = 1, max = 3650, message = "must be from 1 to 3650"))]
    #[schema(minimum = 1, maximum = 3650)]
    pub no_opportunity_days: Option<i64>,
    /// So many days after its owner got it, if no contract came of it.
    #[validate(range(min = 1, max = 3650, message = "must be from 1 to 3650"))]
    #[schema(minimum = 1, maximum = 3650)]
    pub no_contract_days: Option<i64>,
    /// So many days after the end of a signed customer's last contract, if no new one came of it.
    #[validate(range(min = 1, max = 3650, message = "must be from 1 to 3650"))]
    #[schema(minimum = 1, maximum = 3650)]
    pub after_contract_days: Option<i64>,
    /// How many days before that its owner is warned. Nothing is recycled without this warning, even where the
    /// rule is new.
    #[validate(range(min = 0, max = 365, message = "must be from 0 to 365"))]
    #[schema(minimum = 0, maximum = 365)]
    pub warning_days: i64,
}

impl Default for RecycleRules {
    fn default() -> Self {
        Self {
            no_activity_days: None,
            no_opportunity_days: None,
            no_contract_days: None,
            after_contract_days: None,
            warning_days: 3,
        }
    }
}

impl RecycleRules {
    /// The shortest rule, from which on a customer that somebody owns has to be looked at; none when all are off.
    pub fn shortest(&self) -> Option<i64> {
        [self.no_activity_days, self.no_opportunity_days, self.no_contract_days, self.after_contract_days]
            .into_iter()
            .flatten()
            .min()
            .map(|days| (days - self.warning_days).max(0))
    }
}

/// What recycling needs to know about a customer besides itself.
#[derive(Debug, Clone, Copy, Default)]
pub struct RecycleFacts {
    /// When its last opportunity was recorded.
    pub last_opportunity_at: Option<Timestamp>,
    /// When its last contract became active.
    pub last_contract_at: Option<Timestamp>,
    /// When the last of its contracts that ran out without a last day, or was terminated, was closed.
    pub last_contract_closed_at: Option<Timestamp>,
    /// The last day of the last of its other contracts that ran out.
    pub last_contract_ends_on: Option<NaiveDate>,
    /// Contracts that are asked for or running. A draft keeps nobody: it would shield a customer for ever.
    pub live_contracts: i64,
    /// Approvals about it, its contracts and invoices that are not decided yet.
    pub pending_approvals: i64,
}

/// What recycling does with a customer today.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recycling {
    /// Nothing.
    Keep,
    /// The day that its owner was told is called off: the customer is out of danger.
    CallOff,
    /// Its owner was told that it goes on that day.
    Wait(RecycleCause, NaiveDate),
    /// Its owner is told that it goes on that day.
    Warn(RecycleCause, NaiveDate),
    /// It goes.
    Move(RecycleCause),
}

/// The day on which the rules would take a customer, and the rule that does so first.
fn due(
    customer: &Customer,
    facts: &RecycleFacts,
    rules: &RecycleRules,
    org: &Organisation,
) -> Option<(NaiveDate, RecycleCause)> {
    if customer.locked || facts.live_contracts + facts.pending_approvals > 0 {
        return None;
    }
    let since = customer.owned_since?;
    let day = |at: Timestamp| org.today(at).0;
    let after = |from: NaiveDate, days: Option<i64>, cause: RecycleCause| {
        Some((from.checked_add_days(whole_days(days?))?, cause))
    };
    let owned_on = day(since);
    let last_seen = customer.last_activity_at.map_or(owned_on, |at| day(at).max(owned_on));
    let none_since = |last: Option<Timestamp>| last.is_none_or(|at| at < since);
    let mut dates = vec![after(last_seen, rules.no_activity_days, RecycleCause::NoActivity)];
    if none_since(facts.last_opportunity_at) {
        dates.push(after(owned_on, rules.no_opportunity_days, RecycleCause::NoOpportunity));
    }
    if none_since(facts.last_contract_at) {
        dates.push(after(owned_on, rules.no_contract_days, RecycleCause::NoContract));
    }
    let ended = facts.last_contract_closed_at.map(day).max(facts.last_contract_ends_on);
    if let Some(ended) = ended {
        dates.push(after(ended.max(owned_on), rules.after_contract_days, RecycleCause::ContractEnded));
    }
    dates.into_iter().flatten().min()
}

fn whole_days(days: i64) -> Days {
    Days::new(u64::try_from(days).unwrap_or(0))
}

/// What happens to a customer today. It is asked again under the lock of the customer's row before anything is
/// done, so that whoever runs it, and however often, it is done once.
pub fn recycling(
    customer: &Customer,
    facts: &RecycleFacts,
    rules: &RecycleRules,
    org: &Organisation,
    today: Today,
) -> Recycling {
    let told = customer.recycle_on;
    let safe = if told.is_some() { Recycling::CallOff } else { Recycling::Keep };
    let Some((due, cause)) = due(customer, facts, rules, org) else { return safe };
    let Some(horizon) = today.0.checked_add_days(whole_days(rules.warning_days)) else { return safe };
    if horizon < due {
        return safe;
    }
    match told {
        // What was told holds, unless something happened that put the day off.
        Some(day) if day >= due && today.0 >= day => Recycling::Move(cause),
        Some(day) if day >= due => Recycling::Wait(cause, day),
        _ if rules.warning_days == 0 => Recycling::Move(cause),
        _ => Recycling::Warn(cause, due.max(horizon)),
    }
}
