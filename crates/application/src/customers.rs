//! Customers (客户), in the pool or with an owner.

mod opening;

use std::collections::{BTreeMap, BTreeSet};

use fairlead_domain::access::{Permission, ScopeFilter};
use fairlead_domain::context::{Context, Event};
use fairlead_domain::customer::{
    Customer, CustomerDetails, CustomerKind, CustomerTies, Grade, Lifecycle, OwnershipCause, OwnershipChange,
    OwnershipRecord,
};
use fairlead_domain::customer_change::check_at_once;
use fairlead_domain::error::Refusal;
use fairlead_domain::lead::{LikeKeys, Source};
use fairlead_domain::patch::Patch;
use fairlead_domain::record::RecordKind;
use fairlead_domain::text_enum;
use fairlead_domain::timeline::{self, Guarded, TimelineEntry};
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{CustomerId, JobId, Line, PoolId, UserId, phone_key};
use fairlead_persistence::{Predicate, Visible, Work};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;
use validator::Validate;

use crate::activities;
use crate::app::App;
use crate::bulk::{self, BulkMode, BulkResult};
use crate::call::{Call, Failure, Page, Read, Written};
use crate::change::{self, AT_ONCE, Eyes, Resource, save_changed};
use crate::likeness::{self, Among, Duplicates};
use crate::listing::{Field, Kind, ListRequest, Listing, MAX_INTEGER};
use crate::lists::{self, Links, words};
use crate::views::{Included, views};
use crate::{collaborators, customer_changes, merging, pool, transfers};

pub use opening::get;
pub(crate) use opening::{Place, entered, get_from, open};

views!(Customer, /// A customer.
    CustomerView, /// A customer in a list.
    CustomerSummary, [owner: WithOwner, primary_contact: WithPrimaryContact]);

/// What a list of customers can be asked.
pub static LISTING: Listing = Listing {
    resource: "customers",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("updated_at", Kind::Timestamp).sortable(),
        Field::new("name", Kind::Text).sortable(),
        Field::new("kind", words!(CustomerKind)),
        Field::new("registration_number", Kind::Text).nullable().sensitive(),
        Field::new("source", words!(Source)).nullable(),
        Field::new("grade", words!(Grade)).nullable().sortable(),
        Field::new("industry", Kind::Text).nullable(),
        Field::new("region", Kind::Text).nullable(),
        Field::new("tags", Kind::Tags),
        Field::new("phone", Kind::Text).nullable().compared_by("phone_key", phone_key).sensitive(),
        Field::new("email", Kind::Text).nullable().sensitive(),
        Field::new("lifecycle", words!(Lifecycle)),
        Field::new("owner_id", Kind::Id).nullable(),
        Field::new("pool_id", Kind::Id),
        Field::new("locked", Kind::Boolean),
        Field::new("recycle_on", Kind::Date).nullable().sortable(),
        Field::new("previous_owner_id", Kind::Id).nullable(),
        Field::new("last_activity_at", Kind::Timestamp).nullable().sortable(),
        Field::new("next_activity_at", Kind::Timestamp).nullable().sortable(),
        Field::new("owned_since", Kind::Timestamp).nullable().sortable(),
        Field::new("pooled_at", Kind::Timestamp).nullable().sortable(),
    ],
    search: &["name"],
    default_sort: "-created_at",
    includes: CustomerSummary::INCLUDES,
};

impl Resource for Customer {
    type View = CustomerView;
    type Ties = CustomerTies;
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Customer::reveal(self, ctx)
    }
    fn view(self, ctx: &Context, ties: CustomerTies) -> Result<CustomerView, Refusal> {
        let actions = self.allowed_actions(ctx, &ties);
        Ok(CustomerView { allowed_actions: actions, record: self.seen_by(ctx, true) })
    }
    fn shown_after(self, ctx: &Context, before: &Self, is_trial: bool) -> Self {
        Customer::shown_after(self, ctx, before, is_trial)
    }
}

/// To whom a customer is given.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "owner_id": UserId::example(1),
    "reason": "Looks after East China from now on"
}))]
pub struct AssignForm {
    /// The new owner: somebody of `/people`.
    pub owner_id: UserId,
    /// Why; kept in the customer's history.
    #[serde(default)]
    #[validate(nested)]
    pub reason: Option<Line>,
}

/// Why a customer is given back.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "reason": "No need before next year"
}))]
pub struct ReleaseForm {
    /// Why.
    #[validate(nested)]
    pub reason: Line,
}

/// To which pool a customer goes.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct MovePoolForm {
    /// The pool.
    pub pool_id: PoolId,
}

text_enum! {
    /// What is done with many customers.
    pub enum CustomerBulkAction {
        /// Take them from the pool.
        Claim = "claim",
        /// Give each to its `owner_id`.
        Assign = "assign",
        /// Give them back to the pool, each with its `reason`.
        Release = "release",
        /// Move each to its `pool_id`.
        Move = "move",
        /// Keep them from being recycled.
        Lock = "lock",
        /// Let them be recycled again.
        Unlock = "unlock",
    }
}

/// One of many customers. What its action does not take is refused.
#[derive(Debug, Clone, Serialize, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CustomerBulkItem {
    /// The customer.
    pub id: CustomerId,
    /// The version that the caller believes to change; any when absent.
    #[serde(default)]
    #[validate(range(min = 1, max = MAX_INTEGER, message = "must be between 1 and 2^53"))]
    #[schema(minimum = 1)]
    pub version: Option<i64>,
    /// The new owner, for `assign`.
    #[serde(default)]
    pub owner_id: Option<UserId>,
    /// The pool, for `move`.
    #[serde(default)]
    pub pool_id: Option<PoolId>,
    /// Why, for `release` and `assign`.
    #[serde(default)]
    #[validate(nested)]
    pub reason: Option<Line>,
}

/// An action over many customers.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({
    "action": "claim",
    "mode": "best_effort",
    "items": [{"id": CustomerId::example(3)}]
}))]
pub struct CustomerBulk {
    /// What is done.
    pub action: CustomerBulkAction,
    /// What happens when some are refused.
    pub mode: BulkMode,
    /// With which customers, each once.
    #[validate(length(min = 1, max = "bulk::MAX", message = "must have between 1 and 200 items"), nested)]
    #[schema(min_items = 1, max_items = 200)]
    pub items: Vec<CustomerBulkItem>,
}

impl bulk::Operation for CustomerBulkItem {
    fn id(&self) -> Uuid {
        self.id.0
    }
    fn version(&self) -> Option<i64> {
        self.version
    }
}

/// What a list of changes of hands can be asked.
pub static HISTORY: Listing = Listing {
    resource: "ownership_history",
    fields: &[
        Field::new("occurred_at", Kind::Timestamp).sortable(),
        Field::new("cause", words!(OwnershipCause)),
    ],
    search: &[],
    default_sort: "-occurred_at",
    includes: &[],
};

/// Writes a new customer and the first line of its ownership history.
pub(crate) async fn insert(
    work: &mut Work,
    (customer, change, event): (Customer, OwnershipChange, Event),
) -> Result<Customer, Failure> {
    work.insert(&customer, event).await?;
    work.note_ownership(&change, None).await?;
    Ok(customer)
}

/// Who owns customers now; nobody those that are in the pool.
pub(crate) type Owners = BTreeMap<CustomerId, Option<UserId>>;

/// What every change of hands leaves: a line of the history, the end of other transfers that named the customer, what was
/// asked about it in the hands of whom it concerns now, and the end of what was shared with whom it no longer does.
/// However many there are, what hangs on them is looked for once.
pub(crate) async fn moved(
    ctx: &Context<'_>,
    work: &mut Work,
    changes: &[OwnershipChange],
    job: Option<JobId>,
) -> Result<(), Failure> {
    for some in changes.chunks(AT_ONCE) {
        for change in some {
            work.note_ownership(change, job).await?;
        }
        let owners: Owners = some.iter().map(|change| (change.customer_id, change.to)).collect();
        let ids: Vec<Uuid> = owners.keys().map(|customer| customer.0).collect();
        transfers::lapse(ctx, work, &ids).await?;
        customer_changes::follow(ctx, work, &owners).await?;
        collaborators::end(work, &owners).await?;
    }
    Ok(())
}

/// What a customer refers to: itself, by which its primary contact is found.
fn links(customer: &Customer) -> Links {
    Links { owner: customer.owner_id, customer: Some(customer.id), ..Links::default() }
}

/// One page of customers, masked as this caller must see them.
pub(crate) async fn page<S: From<(Customer, Included)>>(
    ctx: &Context<'_>,
    reader: &fairlead_persistence::Reader<'_>,
    list: &ListRequest,
    rows: Predicate,
) -> Result<Page<S>, Failure> {
    let hides_pool_contact_data = !Customer::shows_pool_contact_data(ctx);
    let visible = Visible { rows, hides_pool_contact_data };
    let page: Page<(Customer, Included)> = lists::page(ctx, reader, list, visible, links).await?;
    let data =
        page.data.into_iter().map(|(customer, included)| (customer.seen_by(ctx, false), included).into());
    Ok(Page { data: data.collect(), page: page.page })
}

/// The customers that the caller may see, those in the pool among them.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<CustomerSummary>> {
    app.read(call, async |ctx, reader| {
        let rows = lists::scope(ctx, Permission::CustomersRead, "id")?;
        page(ctx, reader, &list, rows).await
    })
    .await
}

/// Records a customer: a seller's own, or for the pool.
pub async fn create(app: &App, call: &Call, form: Valid<CustomerDetails>) -> Written<CustomerView> {
    app.write(call, async |ctx, work| {
        let owner = match Customer::owner_of_new(ctx) {
            Some(owner) => Some((owner, work.owner_load(owner, ctx.day_began()).await?)),
            None => None,
        };
        if owner.is_some() {
            check_at_once(ctx, &[form.grade])?;
        }
        let keys = LikeKeys::of_customer(&form);
        let made = Customer::new(ctx, work.new_id(), form.clone(), owner, OwnershipCause::Created)?;
        likeness::refuse_known(ctx, work, call, (keys, None, Among::Customers)).await?;
        Ok(insert(work, made).await?.view(ctx, CustomerTies::default())?)
    })
    .await
}

/// Changes what was said about a customer.
pub async fn update(
    app: &App,
    call: &Call,
    id: CustomerId,
    patch: Patch<CustomerDetails>,
) -> Written<CustomerView> {
    app.change(call, id, async |ctx, work, customer: &mut Customer| {
        customer.may_update(ctx)?;
        let before = LikeKeys::of_customer(&customer.details);
        let form = patch.apply(&customer.details)?;
        customer.may_edit(ctx, form.grade)?;
        let event = customer.edit(ctx, form)?;
        let keys = LikeKeys::of_customer(&customer.details).since(&before);
        likeness::refuse_known(ctx, work, call, (keys, Some(id.0), Among::Customers)).await?;
        Ok(event)
    })
    .await
}

/// Leads and customers that look like a customer.
pub async fn duplicates(app: &App, call: &Call, id: CustomerId) -> Read<Duplicates> {
    app.read(call, async |ctx, reader| {
        let customer: Customer = change::read(ctx, reader, id).await?;
        customer.may_update(ctx)?;
        let keys = LikeKeys::of_customer(&customer.details);
        Ok(Duplicates { data: likeness::of(ctx, &Eyes::Reader(reader), &keys, Some(id.0)).await? })
    })
    .await
}

async fn let_go(ctx: &Context<'_>, work: &mut Work, customer: &Customer) -> Result<(), Failure> {
    customer.may_delete(ctx, &work.ties(customer).await?)?;
    collaborators::end(work, &Owners::from([(customer.id, None)])).await?;
    Ok(work.forget_merges(customer.id.0).await?)
}

/// Deletes a customer that was a mistake: nothing may depend on it.
pub async fn delete(app: &App, call: &Call, id: CustomerId) -> Written<()> {
    app.remove(call, id, Event("customer.deleted"), async |ctx, work, customer: &Customer| {
        let_go(ctx, work, customer).await
    })
    .await
}

async fn give(
    ctx: &Context<'_>,
    work: &mut Work,
    call: &Call,
    id: CustomerId,
    to: UserId,
    reason: Option<Line>,
) -> Result<Customer, Failure> {
    change::changed(ctx, work, call, id, async |work: &mut Work, customer: &mut Customer| {
        customer.may_assign(ctx, to)?;
        let load = work.owner_load(to, ctx.day_began()).await?;
        let (change, event) = customer.assign(ctx, to, load, reason)?;
        moved(ctx, work, &[change], None).await?;
        Ok(event)
    })
    .await
}

async fn give_back(
    ctx: &Context<'_>,
    work: &mut Work,
    call: &Call,
    id: CustomerId,
    reason: Line,
) -> Result<Customer, Failure> {
    change::changed(ctx, work, call, id, async |work: &mut Work, customer: &mut Customer| {
        let open = work.ties(&*customer).await?;
        let (change, event) = customer.release(ctx, open, reason)?;
        moved(ctx, work, &[change], None).await?;
        Ok(event)
    })
    .await
}

async fn set(
    ctx: &Context<'_>,
    work: &mut Work,
    call: &Call,
    id: CustomerId,
    case: impl FnOnce(&Context, &mut Customer) -> Result<Event, Refusal>,
) -> Result<Customer, Failure> {
    change::changed(ctx, work, call, id, async |_, customer: &mut Customer| Ok(case(ctx, customer)?)).await
}

/// Gives a customer to a user.
pub async fn assign(
    app: &App,
    call: &Call,
    id: CustomerId,
    form: Valid<AssignForm>,
) -> Written<CustomerView> {
    app.write(call, async |ctx, work| {
        let customer = give(ctx, work, call, id, form.owner_id, form.reason.clone()).await?;
        customer.seen(ctx, &Eyes::Work(work)).await
    })
    .await
}

/// Gives a customer back to the pool.
pub async fn release(
    app: &App,
    call: &Call,
    id: CustomerId,
    form: Valid<ReleaseForm>,
) -> Written<CustomerView> {
    app.write(call, async |ctx, work| {
        let customer = give_back(ctx, work, call, id, form.reason.clone()).await?;
        customer.seen(ctx, &Eyes::Work(work)).await
    })
    .await
}

/// Moves a customer to another pool.
pub async fn move_pool(
    app: &App,
    call: &Call,
    id: CustomerId,
    form: Valid<MovePoolForm>,
) -> Written<CustomerView> {
    app.write(call, async |ctx, work| {
        let customer =
            set(ctx, work, call, id, |ctx, customer| customer.move_pool(ctx, form.pool_id)).await?;
        customer.seen(ctx, &Eyes::Work(work)).await
    })
    .await
}

/// Keeps a customer from being recycled.
pub async fn lock(app: &App, call: &Call, id: CustomerId) -> Written<CustomerView> {
    app.write(call, async |ctx, work| {
        let customer = set(ctx, work, call, id, |ctx, customer| customer.lock(ctx, true)).await?;
        customer.seen(ctx, &Eyes::Work(work)).await
    })
    .await
}

/// Lets a customer be recycled again.
pub async fn unlock(app: &App, call: &Call, id: CustomerId) -> Written<CustomerView> {
    app.write(call, async |ctx, work| {
        let customer = set(ctx, work, call, id, |ctx, customer| customer.lock(ctx, false)).await?;
        customer.seen(ctx, &Eyes::Work(work)).await
    })
    .await
}

/// Runs one action over many customers.
pub async fn bulk(app: &App, call: &Call, form: Valid<CustomerBulk>) -> Written<BulkResult> {
    app.write(call, async |ctx, work| {
        ctx.actor.authorize_own(Permission::CustomersRead)?;
        bulk::distinct(&form.items)?;
        // Everybody locks customers in the order of their ids, whatever the order of the call.
        work.load_all::<Customer>(Predicate::ids(form.items.iter().map(|item| item.id.0))).await?;
        // Receivers after the customers, in one order as well.
        let receivers: BTreeSet<UserId> = form.items.iter().filter_map(|item| item.owner_id).collect();
        for receiver in receivers {
            work.lock_user(receiver).await?;
        }
        bulk::run(work, call, form.mode, &form.items, async |work, call, at, item| {
            let id = item.id;
            let takes = |actions: &[CustomerBulkAction]| actions.contains(&form.action);
            let reasons = takes(&[CustomerBulkAction::Assign, CustomerBulkAction::Release]);
            bulk::only_wanted(
                at,
                &[
                    ("owner_id", item.owner_id.is_some(), takes(&[CustomerBulkAction::Assign])),
                    ("pool_id", item.pool_id.is_some(), takes(&[CustomerBulkAction::Move])),
                    ("reason", item.reason.is_some(), reasons),
                ],
            )?;
            let customer = match form.action {
                CustomerBulkAction::Claim => pool::take(ctx, work, call, id).await?,
                CustomerBulkAction::Assign => {
                    let to = bulk::needed(item.owner_id.as_ref(), at, "owner_id")?;
                    give(ctx, work, call, id, to, item.reason.clone()).await?
                }
                CustomerBulkAction::Release => {
                    let reason = bulk::needed(item.reason.as_ref(), at, "reason")?;
                    give_back(ctx, work, call, id, reason).await?
                }
                CustomerBulkAction::Move => {
                    let to = bulk::needed(item.pool_id.as_ref(), at, "pool_id")?;
                    set(ctx, work, call, id, |ctx, customer| customer.move_pool(ctx, to)).await?
                }
                CustomerBulkAction::Lock => {
                    set(ctx, work, call, id, |ctx, customer| customer.lock(ctx, true)).await?
                }
                CustomerBulkAction::Unlock => {
                    set(ctx, work, call, id, |ctx, customer| customer.lock(ctx, false)).await?
                }
            };
            Ok(customer.version)
        })
        .await
    })
    .await
}

/// Which customer is the same one and goes.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(example = json!({"loser_id": CustomerId::example(2)}))]
pub struct CustomerMerge {
    /// The customer that goes; its id leads to the survivor from then on.
    pub loser_id: CustomerId,
}

/// Merges another customer into this one.
pub async fn merge(
    app: &App,
    call: &Call,
    id: CustomerId,
    form: Valid<CustomerMerge>,
) -> Written<CustomerView> {
    app.write(call, async |ctx, work| {
        let loser = form.loser_id;
        // Both are locked in the order of their ids, whichever goes.
        work.load_all::<Customer>(Predicate::ids([id.0, loser.0])).await?;
        // Who may not is told so, whatever the other one is.
        change::load::<Customer>(ctx, work, id).await?.may_merge(ctx)?;
        let other: Customer = change::named(ctx, work, loser, "/loser_id").await?;
        let merged =
            change::changed(ctx, work, call, id, async |work: &mut Work, customer: &mut Customer| {
                let (change, event) = customer.absorb(ctx, &other)?;
                merging::customer(work, &other, customer).await?;
                work.note_ownership(&change, None).await?;
                Ok(event)
            });
        // It has what it lacked from the other one, which may have been masked.
        let merged = merged.await?.shown_after(ctx, &other, call.dry_run);
        merged.seen(ctx, &Eyes::Work(work)).await
    })
    .await
}

/// The changes of hands of a customer.
pub async fn ownership_history(
    app: &App,
    call: &Call,
    id: CustomerId,
    list: ListRequest,
) -> Read<Page<OwnershipRecord>> {
    opening::enter(app, call, id).await?;
    app.read(call, async |ctx, reader| {
        change::read::<Customer>(ctx, reader, id).await?;
        let of_customer = Predicate::Is("customer_id", id.0.into());
        lists::lines(reader, &list, of_customer).await
    })
    .await
}

/// What a customer's timeline can be asked.
pub static TIMELINE: Listing = Listing {
    resource: "timeline",
    fields: &[
        Field::new("sequence", Kind::Integer).sortable(),
        Field::new("occurred_at", Kind::Timestamp),
        Field::new("event", Kind::Text),
        Field::new("record_kind", words!(RecordKind)),
        Field::new("record_id", Kind::Id),
        Field::new("actor_id", Kind::Id).nullable(),
    ],
    search: &[],
    default_sort: "-sequence",
    includes: &[],
};

/// Everything that happened to a customer, as far as the caller may see it.
pub async fn timeline(
    app: &App,
    call: &Call,
    id: CustomerId,
    list: ListRequest,
) -> Read<Page<TimelineEntry>> {
    opening::enter(app, call, id).await?;
    app.read(call, async |ctx, reader| {
        let customer: Customer = change::read(ctx, reader, id).await?;
        let kind = |kind: RecordKind| Predicate::Is("record_kind", kind.as_str().into());
        let open = timeline::OPEN.map(kind);
        // A customer has a few of each, of all that somebody may see.
        let of = |table, seen| Predicate::Each("timeline_entries.record_id", table, Box::new(seen));
        let about = of("activities", activities::about_visible(ctx));
        let all = [Permission::CustomersRead, Permission::OpportunitiesRead, Permission::ContractsRead];
        let activity = if !customer.shows_activities(ctx) {
            Predicate::Any(Vec::new())
        } else if all.iter().all(|it| ctx.actor.visible_scope(*it) == ScopeFilter::All) {
            kind(RecordKind::Activity)
        } else {
            Predicate::All(vec![kind(RecordKind::Activity), about])
        };
        let guarded = Guarded::ALL.map(|guarded| {
            let scope = guarded.scope(ctx);
            // What was deleted belongs to nobody any more: whoever sees everything sees that it was there.
            if scope == ScopeFilter::All {
                return kind(guarded.record());
            }
            let own = |scope| Predicate::Scope("customer_id", scope);
            // Whoever gets no list of them sees none here either.
            let listed = |visible: Result<Predicate, Refusal>| visible.unwrap_or(Predicate::Any(Vec::new()));
            let (table, seen) = match guarded {
                Guarded::Opportunity => ("opportunities", own(scope)),
                Guarded::CustomerChange => ("customer_changes", listed(customer_changes::visible(ctx))),
                Guarded::Contract => ("contracts", own(scope)),
                Guarded::Amendment => ("amendments", own(scope)),
                Guarded::Invoice => ("invoices", own(scope)),
                Guarded::CreditNote => ("credit_notes", own(scope)),
                Guarded::Payment => ("payments", own(scope)),
                Guarded::Refund => ("refunds", own(scope)),
                Guarded::Transfer => ("transfers", listed(transfers::visible(ctx))),
            };
            Predicate::All(vec![kind(guarded.record()), of(table, seen)])
        });
        let seen = Predicate::All(vec![
            Predicate::Is("customer_id", id.0.into()),
            Predicate::Any(open.into_iter().chain(guarded).chain([activity]).collect()),
        ]);
        let page: Page<TimelineEntry> = lists::lines(reader, &list, seen).await?;
        let data = page.data.into_iter().map(|entry| timeline::seen_by(entry, ctx, &customer));
        Ok(Page { data: data.collect(), page: page.page })
    })
    .await
}

/// Gives a customer that is in the pool back to the owner of a contract that runs again.
pub(crate) async fn return_to(
    ctx: &Context<'_>,
    work: &mut Work,
    id: CustomerId,
    owner: UserId,
) -> Result<(), Failure> {
    let before: Customer = change::there(work.load(id).await?)?;
    let mut after = before.clone();
    if let Some((change, event)) = after.return_to(ctx, owner) {
        work.save(&before, &mut after, event).await?;
        moved(ctx, work, &[change], None).await?;
    }
    Ok(())
}

/// Moves a customer's lifecycle forward.
pub(crate) async fn reach(work: &mut Work, id: CustomerId, lifecycle: Lifecycle) -> Result<(), Failure> {
    let before: Customer = change::there(work.load(id).await?)?;
    let mut after = before.clone();
    if let Some(event) = after.reach(lifecycle) {
        save_changed(work, &before, &mut after, event).await?;
    }
    Ok(())
}
