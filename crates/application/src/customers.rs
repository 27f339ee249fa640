//! Customers (客户), in the pool or with an owner.

use chrono::{NaiveTime, TimeZone, Utc};
use fairlead_domain::access::Permission;
use fairlead_domain::context::{Context, Event};
use fairlead_domain::customer::{
    Customer, CustomerDetails, CustomerKind, Grade, Lifecycle, OwnershipCause, OwnershipChange,
};
use fairlead_domain::error::Refusal;
use fairlead_domain::lead::Source;
use fairlead_domain::patch::Patch;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{CustomerId, Line, Timestamp, UserId};
use fairlead_persistence::{Predicate, Visible, Work};
use serde::Deserialize;
use utoipa::ToSchema;
use validator::Validate;

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Written};
use crate::change::{Resource, save_changed};
use crate::leads::AssignForm;
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::views::{Included, views};

views!(Customer, /// A customer.
    CustomerView, /// A customer in a list.
    CustomerSummary);

/// What a list of customers can be asked.
pub static LISTING: Listing = Listing {
    resource: "customers",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("updated_at", Kind::Timestamp).sortable(),
        Field::new("name", Kind::Text).sortable(),
        Field::new("kind", words!(CustomerKind)),
        Field::new("registration_number", Kind::Text).nullable(),
        Field::new("source", words!(Source)).nullable(),
        Field::new("grade", words!(Grade)).nullable().sortable(),
        Field::new("industry", Kind::Text).nullable(),
        Field::new("region", Kind::Text).nullable(),
        Field::new("phone", Kind::Text).nullable().sensitive(),
        Field::new("email", Kind::Text).nullable().sensitive(),
        Field::new("lifecycle", words!(Lifecycle)),
        Field::new("owner_id", Kind::Id).nullable(),
        Field::new("previous_owner_id", Kind::Id).nullable(),
        Field::new("last_activity_at", Kind::Timestamp).nullable().sortable(),
        Field::new("next_activity_at", Kind::Timestamp).nullable().sortable(),
        Field::new("owned_since", Kind::Timestamp).nullable().sortable(),
        Field::new("pooled_at", Kind::Timestamp).nullable().sortable(),
    ],
    search: &["name"],
    default_sort: "-created_at",
    includes: &["owner"],
};

impl Resource for Customer {
    type View = CustomerView;
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        Customer::reveal(self, ctx)
    }
    fn view(self, ctx: &Context) -> Result<CustomerView, Refusal> {
        Ok(CustomerView { allowed_actions: self.allowed_actions(ctx), record: self.seen_by(ctx) })
    }
}

/// Why a customer is given back.
#[derive(Debug, Clone, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleaseForm {
    /// Why.
    #[validate(nested)]
    pub reason: Line,
}

/// When the business day began in the organisation's time zone.
pub(crate) fn day_began(ctx: &Context) -> Timestamp {
    let midnight = ctx.today().0.and_time(NaiveTime::MIN);
    // Where clocks were put forward at midnight, that midnight never was; UTC's is near enough.
    let local = ctx.org.settings.time_zone.from_local_datetime(&midnight).earliest();
    Timestamp::new(local.map_or_else(|| midnight.and_utc(), |instant| instant.with_timezone(&Utc)))
}

/// Writes a new customer and the first line of its ownership history.
pub(crate) async fn insert(
    ctx: &Context<'_>,
    work: &mut Work,
    (customer, change, event): (Customer, OwnershipChange, Event),
) -> Result<Customer, Failure> {
    work.insert(&customer, event).await?;
    work.note_ownership(&change, ctx.actor.id).await?;
    Ok(customer)
}

/// One page of customers, masked as this caller must see them.
pub(crate) async fn page(
    ctx: &Context<'_>,
    reader: &fairlead_persistence::Reader<'_>,
    list: &ListRequest,
    rows: Predicate,
) -> Result<Page<CustomerSummary>, Failure> {
    let hides_pool_contact_data = !Customer::shows_pool_contact_data(ctx);
    let visible = Visible { rows, hides_pool_contact_data };
    let links = |customer: &Customer| Links { owner: customer.owner_id, ..Links::default() };
    let page: Page<(Customer, Included)> = lists::page(ctx, reader, list, visible, links).await?;
    let data = page.data.into_iter().map(|(customer, included)| (customer.seen_by(ctx), included).into());
    Ok(Page { data: data.collect(), page: page.page })
}

/// One customer.
pub async fn get(app: &App, call: &Call, id: CustomerId) -> Read<CustomerView> {
    app.get::<Customer>(call, id).await
}

/// The customers that the caller may see, those in the pool among them.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<CustomerSummary>> {
    app.read(call, async |ctx, reader| {
        let rows = lists::scope(ctx, Permission::CustomersRead, "owner_id")?;
        page(ctx, reader, &list, rows).await
    })
    .await
}

/// Records a customer: a seller's own, or for the pool.
pub async fn create(app: &App, call: &Call, form: Valid<CustomerDetails>) -> Written<CustomerView> {
    app.write(call, async |ctx, work| {
        let owner = match Customer::owner_of_new(ctx) {
            Some(owner) => Some((owner, work.owner_load(owner, day_began(ctx)).await?)),
            None => None,
        };
        let made = Customer::new(ctx, work.new_id(), form.clone(), owner, OwnershipCause::Created)?;
        Ok(insert(ctx, work, made).await?.view(ctx)?)
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
    app.change(call, id, async |ctx, _, customer: &mut Customer| {
        customer.may_update(ctx)?;
        Ok(customer.edit(ctx, patch.apply(&customer.details)?)?)
    })
    .await
}

/// Deletes a customer that was a mistake: nothing may depend on it.
pub async fn delete(app: &App, call: &Call, id: CustomerId) -> Written<()> {
    app.remove(call, id, Event("customer.deleted"), async |ctx, work, customer: &Customer| {
        customer.may_update(ctx)?;
        Ok(work.forget_ownership(customer.id).await?)
    })
    .await
}

/// Gives a customer to a user.
pub async fn assign(
    app: &App,
    call: &Call,
    id: CustomerId,
    form: Valid<AssignForm>,
) -> Written<CustomerView> {
    app.change(call, id, async |ctx, work, customer: &mut Customer| {
        customer.may_assign(ctx, form.owner_id)?;
        let load = work.owner_load(form.owner_id, day_began(ctx)).await?;
        let (change, event) = customer.assign(ctx, form.owner_id, load, form.note.clone())?;
        work.note_ownership(&change, ctx.actor.id).await?;
        Ok(event)
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
    app.change(call, id, async |ctx, work, customer: &mut Customer| {
        let open = work.open_business(customer.id).await?;
        let (change, event) = customer.release(ctx, open, form.reason.clone())?;
        work.note_ownership(&change, ctx.actor.id).await?;
        Ok(event)
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
    let before: Customer = crate::change::there(work.load(id).await?)?;
    let mut after = before.clone();
    if let Some((change, event)) = after.return_to(ctx, owner) {
        work.save(&before, &mut after, event).await?;
        work.note_ownership(&change, ctx.actor.id).await?;
    }
    Ok(())
}

/// Moves a customer's lifecycle forward.
pub(crate) async fn reach(work: &mut Work, id: CustomerId, lifecycle: Lifecycle) -> Result<(), Failure> {
    let before: Customer = crate::change::there(work.load(id).await?)?;
    let mut after = before.clone();
    if let Some(event) = after.reach(lifecycle) {
        save_changed(work, &before, &mut after, event).await?;
    }
    Ok(())
}
