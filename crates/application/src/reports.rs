//! Reports: figures over many records, each within the caller's scope.

use std::collections::{BTreeMap, HashMap};

use chrono::NaiveDate;
use fairlead_domain::access::Permission;
use fairlead_domain::context::Context;
use fairlead_domain::customer::Customer;
use fairlead_domain::error::Refusal;
use fairlead_domain::organisation::UserRef;
use fairlead_domain::values::{CurrencyCode, CustomerId, Line, Money, TeamId, UserId};
use fairlead_persistence::{AgingRow, Reader};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::app::App;
use crate::call::{Call, Failure, Read};
use crate::lists;
use crate::views::CustomerRef;

/// How many lines a report has at most.
const MOST: u64 = 1000;

/// What is still to be paid, by how long it has been due.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Aging {
    /// Not due yet, or today.
    pub current: Money,
    /// Due since 1 to 30 days.
    pub days_1_to_30: Money,
    /// Since 31 to 60 days.
    pub days_31_to_60: Money,
    /// Since 61 to 90 days.
    pub days_61_to_90: Money,
    /// Since more than 90 days.
    pub days_over_90: Money,
    /// All that is overdue.
    pub overdue: Money,
    /// All of it.
    pub total: Money,
}

impl Aging {
    fn of(buckets: [Money; 5]) -> Result<Self, Refusal> {
        let [current, days_1_to_30, days_31_to_60, days_61_to_90, days_over_90] = buckets;
        let late = [days_1_to_30, days_31_to_60, days_61_to_90, days_over_90];
        let overdue = Money::sum(current.currency(), late)?;
        Ok(Self {
            current,
            days_1_to_30,
            days_31_to_60,
            days_61_to_90,
            days_over_90,
            overdue,
            total: current.plus(overdue)?,
        })
    }
}

/// What one customer, owner or team is still to pay or collect in one currency.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AgingLine {
    /// The customer, in the report by customer; none where the caller may not see it.
    #[schema(required)]
    pub customer: Option<CustomerRef>,
    /// The contracts' owner, in the report by owner.
    #[schema(required)]
    pub owner: Option<UserRef>,
    /// The owners' team, in the report by team; none for owners without one.
    #[schema(required)]
    pub team_id: Option<TeamId>,
    /// What the team is called.
    #[schema(required)]
    pub team_name: Option<Line>,
    /// The figures.
    #[serde(flatten)]
    pub aging: Aging,
}

/// The sum of a report in one currency.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AgingTotal {
    /// The currency.
    pub currency: CurrencyCode,
    /// The figures.
    #[serde(flatten)]
    pub aging: Aging,
}

/// The age of receivables (账龄) of running contracts.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct AgingReport {
    /// The business day by which it is counted.
    pub as_of: NaiveDate,
    /// Line by line, with what has been due for longest first; at most 1000.
    #[schema(max_items = 1000)]
    pub data: Vec<AgingLine>,
    /// The sums of these lines, by currency.
    #[schema(max_items = 200)]
    pub totals: Vec<AgingTotal>,
}

/// The rows of a report by a column of contracts.
async fn rows(
    ctx: &Context<'_>,
    reader: &Reader<'_>,
    column: &'static str,
) -> Result<Vec<AgingRow>, Failure> {
    let visible = lists::scope(ctx, Permission::ContractsRead, "customer_id")?;
    Ok(reader.receivable_aging(column, ctx.today(), &visible, MOST).await?)
}

fn totals(rows: &[AgingRow]) -> Result<Vec<AgingTotal>, Refusal> {
    let mut sums: BTreeMap<&'static str, [Money; 5]> = BTreeMap::new();
    for row in rows {
        add(&mut sums, row.buckets[0].currency().code(), row.buckets)?;
    }
    let total = |buckets: [Money; 5]| {
        Ok(AgingTotal { currency: CurrencyCode(buckets[0].currency()), aging: Aging::of(buckets)? })
    };
    sums.into_values().map(total).collect()
}

fn add<K: Ord>(sums: &mut BTreeMap<K, [Money; 5]>, key: K, buckets: [Money; 5]) -> Result<(), Refusal> {
    let sum = sums.entry(key).or_insert_with(|| buckets.map(|bucket| Money::zero(bucket.currency())));
    for (sum, bucket) in sum.iter_mut().zip(buckets) {
        *sum = sum.plus(bucket)?;
    }
    Ok(())
}

fn report(
    ctx: &Context,
    rows: &[AgingRow],
    line: impl Fn(Uuid) -> (Option<CustomerRef>, Option<UserRef>),
) -> Result<AgingReport, Failure> {
    let line = |row: &AgingRow| {
        let (customer, owner) = line(row.group);
        Ok(AgingLine { customer, owner, team_id: None, team_name: None, aging: Aging::of(row.buckets)? })
    };
    let data = rows.iter().map(line).collect::<Result<_, Refusal>>()?;
    Ok(AgingReport { as_of: ctx.today().0, data, totals: totals(rows)? })
}

/// The age of receivables by customer.
pub async fn aging_by_customer(app: &App, call: &Call) -> Read<AgingReport> {
    app.read(call, async |ctx, reader| {
        let rows = rows(ctx, reader, "contracts.customer_id").await?;
        let ids: Vec<Uuid> = rows.iter().map(|row| row.group).collect();
        let mut known: HashMap<CustomerId, CustomerRef> = HashMap::new();
        for some in ids.chunks(200) {
            let found: Vec<Customer> = reader.some(some.to_vec()).await?;
            let seen = found.iter().filter(|customer| customer.reveal(ctx).is_ok());
            known.extend(seen.map(|customer| (customer.id, CustomerRef::from(customer))));
        }
        report(ctx, &rows, |id| (known.get(&CustomerId(id)).cloned(), None))
    })
    .await
}

/// The age of receivables by the contracts' owner.
pub async fn aging_by_owner(app: &App, call: &Call) -> Read<AgingReport> {
    app.read(call, async |ctx, reader| {
        let rows = rows(ctx, reader, "contracts.owner_id").await?;
        report(ctx, &rows, |id| (None, ctx.org.user_ref(UserId(id))))
    })
    .await
}

/// The age of receivables by the owners' team.
pub async fn aging_by_team(app: &App, call: &Call) -> Read<AgingReport> {
    app.read(call, async |ctx, reader| {
        let rows = rows(ctx, reader, "contracts.owner_id").await?;
        let mut sums: BTreeMap<(Option<TeamId>, &'static str), [Money; 5]> = BTreeMap::new();
        for row in &rows {
            let team = ctx.org.user_ref(UserId(row.group)).and_then(|owner| owner.team_id);
            add(&mut sums, (team, row.buckets[0].currency().code()), row.buckets)?;
        }
        let line = |((team_id, _), buckets): ((Option<TeamId>, _), _)| {
            let team_name = team_id.and_then(|team| ctx.org.team_name(team)).cloned();
            Ok(AgingLine { customer: None, owner: None, team_id, team_name, aging: Aging::of(buckets)? })
        };
        let data = sums.into_iter().map(line).collect::<Result<_, Refusal>>()?;
        Ok(AgingReport { as_of: ctx.today().0, data, totals: totals(&rows)? })
    })
    .await
}
