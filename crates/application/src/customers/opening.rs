//! Looking at one customer (客户). In the pool that may be to open it, which counts.

use fairlead_domain::context::Context;
use fairlead_domain::customer::Customer;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::values::CustomerId;
use fairlead_persistence::{Predicate, StoreError};

use super::{CustomerView, links};
use crate::app::App;
use crate::call::{Call, Done, Failure, Read};
use crate::change::{self, Eyes, Resource};
use crate::listing::Include;
use crate::lists;
use crate::views::{Included, Related};

/// Where a customer is looked for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Place {
    /// Among all customers.
    Customers,
    /// In the pool only.
    Pool,
}

impl Place {
    /// Refuses to tell about a customer who is not there for the caller.
    fn reveal(self, ctx: &Context, customer: &Customer) -> Result<(), Refusal> {
        match self {
            Self::Customers => customer.reveal(ctx),
            Self::Pool => customer.reveal_in_pool(ctx),
        }
    }

    /// What is said of a customer of whom there is no row.
    async fn gone(self, ctx: &Context<'_>, eyes: &Eyes<'_>, id: CustomerId) -> Result<Refusal, StoreError> {
        change::gone_from(eyes, Code::Merged, id.0, |survivor| self.reveal(ctx, survivor)).await
    }
}

/// One customer. In the pool, opening it may count.
pub async fn get(app: &App, call: &Call, id: CustomerId, include: Include) -> Read<Related<CustomerView>> {
    get_from(app, call, Place::Customers, id, &include).await
}

/// The same, wherever it is looked for.
pub(crate) async fn get_from(
    app: &App,
    call: &Call,
    place: Place,
    id: CustomerId,
    include: &Include,
) -> Read<Related<CustomerView>> {
    let seen = app.read(call, async |ctx, reader| {
        let eyes = Eyes::Reader(reader);
        let Some((customer, ties)) = reader.tied::<Customer, _>(id).await? else {
            return Err(place.gone(ctx, &eyes, id).await?.into());
        };
        place.reveal(ctx, &customer)?;
        if customer.is_opened(ctx) {
            return Ok(None);
        }
        let links = links(&customer);
        let view = customer.judged(ctx, &eyes, ties).await?;
        Ok(Some(lists::related(ctx, reader, include, links, view).await?))
    });
    match seen.await? {
        Some(shown) => Ok(shown),
        None => open_related(app, call, place, id, include).await,
    }
}

/// Opens a customer in the pool, and only then looks for what was asked to be included: whoever opened it sees its
/// primary contact.
async fn open_related(
    app: &App,
    call: &Call,
    place: Place,
    id: CustomerId,
    include: &Include,
) -> Read<Related<CustomerView>> {
    let view = open(app, call, place, id).await?;
    if include.is_empty() {
        return Ok(Related { view, included: Included::default() });
    }
    let all = [links(&view.record)];
    let found = app.read(call, async |ctx, reader| lists::included(ctx, reader, include, &all).await);
    let included = found.await?.pop().unwrap_or_default();
    Ok(Related { view, included })
}

/// Opens a customer in the pool: whoever sees it masked opens only so many a day. It may have got an owner since it was
/// read, or have been merged away; from here on it stays as it is.
pub(crate) async fn open(app: &App, call: &Call, place: Place, id: CustomerId) -> Read<CustomerView> {
    let opened = app.write(call, async |ctx, work| {
        let Some(customer) = work.load::<Customer>(id).await? else {
            return Err(place.gone(ctx, &Eyes::Work(work), id).await?.into());
        };
        place.reveal(ctx, &customer)?;
        if customer.is_opened(ctx) {
            let day = ctx.today().0;
            let opening = work.pool_opening(ctx.actor.id, day, id).await?;
            customer.open(ctx, opening)?;
            work.note_opening(ctx.actor.id, day, id).await?;
        }
        customer.seen(ctx, &Eyes::Work(work)).await
    });
    match opened.await? {
        Done::Fresh(view) => Ok(view),
        Done::Replayed(_) => Err(Refusal::new(Code::Internal, "a read was replayed").into()),
    }
}

/// Whoever sees a pool customer masked opens it to see what belongs to it.
pub(super) async fn enter(app: &App, call: &Call, id: CustomerId) -> Result<(), Failure> {
    let counts = app.read(call, async |ctx, reader| {
        let customer: Customer = change::read(ctx, reader, id).await?;
        Ok(customer.is_opened(ctx))
    });
    if counts.await? {
        open(app, call, Place::Customers, id).await?;
    }
    Ok(())
}

/// Of the customers within a scope those whose contacts this caller may see: of those in the pool, if they are masked,
/// the ones that the caller opened today.
pub(crate) fn entered(ctx: &Context, scope: Predicate) -> Predicate {
    if Customer::sees_every_customer(ctx) {
        return scope;
    }
    let today = Predicate::All(vec![
        Predicate::Is("user_id", ctx.actor.id.0.into()),
        Predicate::Is("day", ctx.today().0.into()),
    ]);
    let opened = Predicate::Named("customer_id", "pool_openings", Box::new(today));
    Predicate::Any(vec![scope.clone().owned(), Predicate::All(vec![scope, opened])])
}
