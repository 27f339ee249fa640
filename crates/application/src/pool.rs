//! The public pool (公海): customers without owner, for every seller to see and to claim.

use std::collections::{HashMap, HashSet};

use fairlead_domain::access::Permission;
use fairlead_domain::context::Context;
use fairlead_domain::customer::{Customer, CustomerKind, Grade, Lifecycle, OwnerLoad};
use fairlead_domain::error::{Code, Refusal, Rule};
use fairlead_domain::lead::Source;
use fairlead_domain::pool::{Seat, Strategy};
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{CustomerId, Line, UserId};
use fairlead_persistence::{Predicate, Work};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use validator::{Validate, ValidationError};

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Written};
use crate::change::{self, Eyes, Resource};
use crate::customers::{self, CustomerView, Place};
use crate::listing::{Field, Include, Kind, ListRequest, Listing};
use crate::lists::{self, words};
use crate::views::{Related, summary};

summary!(Customer, /// A customer in a list of the public pool.
    PoolCustomerSummary, [primary_contact: WithPrimaryContact]);

/// What a list of pool customers can be asked: nothing by contact data, which is masked there.
pub static LISTING: Listing = Listing {
    resource: "pool_customers",
    fields: &[
        // Never absent in the pool: to sort it as if it could be would keep PostgreSQL off the index.
        Field::new("pooled_at", Kind::Timestamp).sortable(),
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("name", Kind::Text).sortable(),
        Field::new("kind", words!(CustomerKind)),
        Field::new("source", words!(Source)).nullable(),
        Field::new("grade", words!(Grade)).nullable().sortable(),
        Field::new("industry", Kind::Text).nullable(),
        Field::new("region", Kind::Text).nullable(),
        Field::new("tags", Kind::Tags),
        Field::new("lifecycle", words!(Lifecycle)),
        Field::new("pool_id", Kind::Id),
        Field::new("pool_reason", Kind::Text).nullable(),
        Field::new("previous_owner_id", Kind::Id).nullable(),
        Field::new("last_activity_at", Kind::Timestamp).nullable().sortable(),
    ],
    search: &["name"],
    default_sort: "-pooled_at",
    includes: PoolCustomerSummary::INCLUDES,
};

/// The customers in the pool.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<PoolCustomerSummary>> {
    app.read(call, async |ctx, reader| {
        let scope = lists::scope(ctx, Permission::PoolRead, "id")?;
        let rows = Predicate::All(vec![Predicate::IsNull("owner_id"), scope]);
        customers::page(ctx, reader, &list, rows).await
    })
    .await
}

/// One customer in the pool. Opening it may count.
pub async fn get(app: &App, call: &Call, id: CustomerId, include: Include) -> Read<Related<CustomerView>> {
    customers::get_from(app, call, Place::Pool, id, &include).await
}

/// Takes a customer from the pool. Of many at once, one gets it.
pub async fn claim(app: &App, call: &Call, id: CustomerId) -> Written<CustomerView> {
    app.write(call, async |ctx, work| {
        let customer = take(ctx, work, call, id).await?;
        customer.seen(ctx, &Eyes::Work(work)).await
    })
    .await
}

pub(crate) async fn take(
    ctx: &Context<'_>,
    work: &mut Work,
    call: &Call,
    id: CustomerId,
) -> Result<Customer, Failure> {
    // Whoever comes late is told so, even though the customer has left their sight, but not its version.
    let before: Customer = change::load_any(ctx, work, id.0).await?;
    let mut after = before.clone();
    let load = work.owner_load(ctx.actor.id, ctx.day_began()).await?;
    let (change, event) = after.claim(ctx, load)?;
    call.check_version(before.version)?;
    work.save(&before, &mut after, event).await?;
    customers::moved(ctx, work, &[change], None).await?;
    Ok(after.shown_after(ctx, &before, call.dry_run))
}

/// Who shares what is distributed.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct DistributionMember {
    /// The user.
    pub user_id: UserId,
    /// The user's weight, for `weighted`.
    #[serde(default = "one")]
    #[validate(range(min = 1, max = 1000, message = "must be from 1 to 1000"))]
    #[schema(minimum = 1, maximum = 1000, default = 1)]
    pub weight: i64,
}

fn one() -> i64 {
    1
}

/// What is shared, among whom, and how.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "customer_ids": [CustomerId::example(3)],
    "members": [{"user_id": UserId::example(1)}],
    "strategy": "round_robin",
    "reason": "Customers of a colleague who left"
}))]
pub struct DistributionForm {
    /// Customers in the public pool, each once.
    #[validate(
        length(min = 1, max = 500, message = "must have between 1 and 500 customers"),
        custom(function = "distinct_customers")
    )]
    #[schema(min_items = 1, max_items = 500)]
    pub customer_ids: Vec<CustomerId>,
    /// Members, each once.
    #[validate(length(min = 1, max = 100, message = "must have between 1 and 100 members"), nested)]
    #[schema(min_items = 1, max_items = 100)]
    pub members: Vec<DistributionMember>,
    /// How they are shared.
    pub strategy: Strategy,
    /// Why; kept in each customer's history.
    #[serde(default)]
    #[validate(nested)]
    pub reason: Option<Line>,
}

fn distinct_customers(ids: &[CustomerId]) -> Result<(), ValidationError> {
    if ids.iter().collect::<HashSet<_>>().len() == ids.len() {
        return Ok(());
    }
    Err(Rule::Distinct.error("must name each customer once"))
}

/// Who gets a customer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DistributionAssignment {
    /// The customer.
    pub customer_id: CustomerId,
    /// Its new owner.
    pub user_id: UserId,
}

/// What came of it for one member.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct DistributionShare {
    /// The member.
    pub user_id: UserId,
    /// How many customers the member owned before.
    #[schema(minimum = 0)]
    pub before: i64,
    /// How many the member owns afterwards.
    #[schema(minimum = 0)]
    pub after: i64,
    /// How many the member may own.
    #[schema(minimum = 0)]
    pub limit: i64,
}

/// What a distribution did, or would do.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Distribution {
    /// Who gets what.
    #[schema(max_items = 500)]
    pub assignments: Vec<DistributionAssignment>,
    /// What stays in the pool, because every member is at their limit.
    #[schema(max_items = 500)]
    pub unassigned: Vec<CustomerId>,
    /// What came of it for each member.
    #[schema(max_items = 100)]
    pub members: Vec<DistributionShare>,
}

/// Shares pool customers among members, all in one transaction.
pub async fn distribute(app: &App, call: &Call, form: Valid<DistributionForm>) -> Written<Distribution> {
    app.write(call, async |ctx, work| {
        ctx.actor.authorize_own(Permission::PoolAssign)?;
        let customers = shared_customers(ctx, work, &form).await?;
        let mut seats = seats(ctx, work, &form).await?;
        let turns = fairlead_domain::pool::distribute(form.strategy, &chairs(ctx, &seats), customers.len());
        let (mut assignments, mut unassigned, mut changes) = (Vec::new(), Vec::new(), Vec::new());
        for (before, turn) in customers.iter().zip(turns) {
            let Some(seat) = turn.and_then(|at| seats.get_mut(at)) else {
                unassigned.push(before.id);
                continue;
            };
            let mut after = before.clone();
            let load = seat.load.with(seat.received);
            let (change, event) = after.assign(ctx, seat.user, load, form.reason.clone())?;
            work.save(before, &mut after, event).await?;
            changes.push(change);
            seat.received += 1;
            assignments.push(DistributionAssignment { customer_id: before.id, user_id: seat.user });
        }
        customers::moved(ctx, work, &changes, None).await?;
        let share = |seat: &Taken| DistributionShare {
            user_id: seat.user,
            before: seat.load.owned,
            after: seat.load.owned + seat.received,
            limit: ctx.org.ownership_limit(seat.user),
        };
        Ok(Distribution { assignments, unassigned, members: seats.iter().map(share).collect() })
    })
    .await
}

/// The customers in the order in which they were named, locked in the order of their ids.
async fn shared_customers(
    ctx: &Context<'_>,
    work: &Work,
    form: &DistributionForm,
) -> Result<Vec<Customer>, Failure> {
    let found: Vec<Customer> = work.load_all(Predicate::ids(form.customer_ids.iter().map(|id| id.0))).await?;
    let mut found: HashMap<CustomerId, Customer> =
        found.into_iter().map(|customer| (customer.id, customer)).collect();
    let mut customers = Vec::with_capacity(form.customer_ids.len());
    for (at, id) in form.customer_ids.iter().enumerate() {
        let pointer = format!("/customer_ids/{at}");
        let customer = found.remove(id).filter(|customer| customer.reveal(ctx).is_ok());
        let Some(customer) = customer else {
            return Err(change::absent::<Customer>(ctx, &Eyes::Work(work), *id, &pointer).await?.into());
        };
        if customer.owner_id.is_some() {
            let detail = format!("the customer {} has an owner", customer.id);
            return Err(Refusal::new(Code::AlreadyClaimed, detail).with("customer_id", customer.id).into());
        }
        customers.push(customer);
    }
    Ok(customers)
}

/// A member, and what they get.
struct Taken {
    user: UserId,
    weight: i64,
    load: OwnerLoad,
    received: i64,
}

/// The members in the order in which they were named, locked in the order of their ids.
async fn seats(ctx: &Context<'_>, work: &Work, form: &DistributionForm) -> Result<Vec<Taken>, Failure> {
    for (at, member) in form.members.iter().enumerate() {
        Customer::may_receive(ctx, member.user_id, &format!("/members/{at}/user_id"))?;
    }
    let mut loads: HashMap<UserId, OwnerLoad> = HashMap::new();
    let mut ids: Vec<UserId> = form.members.iter().map(|member| member.user_id).collect();
    ids.sort_unstable();
    for id in ids {
        if loads.insert(id, work.owner_load(id, ctx.day_began()).await?).is_some() {
            return Err(Refusal::invalid("/members", Rule::Distinct, "must name each member once").into());
        }
    }
    Ok(form
        .members
        .iter()
        .map(|member| Taken {
            user: member.user_id,
            weight: member.weight,
            load: loads.get(&member.user_id).copied().unwrap_or_default(),
            received: 0,
        })
        .collect())
}

fn chairs(ctx: &Context, seats: &[Taken]) -> Vec<Seat> {
    let chair = |seat: &Taken| Seat {
        owned: seat.load.owned,
        capacity: seat.load.capacity(ctx, seat.user),
        weight: seat.weight,
    };
    seats.iter().map(chair).collect()
}
