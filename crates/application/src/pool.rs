//! The public pool (公海): customers without owner, for every seller to see and to claim.

use fairlead_domain::access::Permission;
use fairlead_domain::customer::Customer;
use fairlead_domain::error::Refusal;
use fairlead_domain::values::CustomerId;
use fairlead_persistence::Predicate;

use crate::app::App;
use crate::call::{Call, Page, Read, Written};
use crate::change::{self, Resource};
use crate::customers::{self, CustomerSummary, CustomerView};
use crate::listing::{Field, Kind, ListRequest, Listing};
use crate::lists::{self, words};
use fairlead_domain::customer::{CustomerKind, Grade, Lifecycle};
use fairlead_domain::lead::Source;

/// What a list of pool customers can be asked: nothing by contact data, which is masked there.
pub static LISTING: Listing = Listing {
    resource: "pool_customers",
    fields: &[
        Field::new("pooled_at", Kind::Timestamp).nullable().sortable(),
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("name", Kind::Text).sortable(),
        Field::new("kind", words!(CustomerKind)),
        Field::new("source", words!(Source)).nullable(),
        Field::new("grade", words!(Grade)).nullable().sortable(),
        Field::new("industry", Kind::Text).nullable(),
        Field::new("region", Kind::Text).nullable(),
        Field::new("lifecycle", words!(Lifecycle)),
        Field::new("previous_owner_id", Kind::Id).nullable(),
        Field::new("last_activity_at", Kind::Timestamp).nullable().sortable(),
    ],
    search: &["name"],
    default_sort: "-pooled_at",
    includes: &[],
};

/// The customers in the pool.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<CustomerSummary>> {
    app.read(call, async |ctx, reader| {
        let scope = lists::scope(ctx, Permission::PoolRead, "owner_id")?;
        let rows = Predicate::All(vec![Predicate::IsNull("owner_id"), scope]);
        customers::page(ctx, reader, &list, rows).await
    })
    .await
}

/// One customer in the pool.
pub async fn get(app: &App, call: &Call, id: CustomerId) -> Read<CustomerView> {
    app.read(call, async |ctx, reader| {
        let customer: Customer = change::there(reader.one(id).await?)?;
        ctx.reveal(Permission::PoolRead, customer.owner_id)?;
        if customer.owner_id.is_some() {
            return Err(Refusal::not_found().into());
        }
        Ok(customer.view(ctx)?)
    })
    .await
}

/// Takes a customer from the pool. Of many at once, one gets it.
pub async fn claim(app: &App, call: &Call, id: CustomerId) -> Written<CustomerView> {
    app.write(call, async |ctx, work| {
        // Whoever comes late is told so, even though the customer has left their sight, but not its version.
        let before: Customer = change::there(work.load(id).await?)?;
        let mut after = before.clone();
        let load = work.owner_load(ctx.actor.id, customers::day_began(ctx)).await?;
        let (change, event) = after.claim(ctx, load)?;
        call.check_version(before.version)?;
        work.save(&before, &mut after, event).await?;
        work.note_ownership(&change, ctx.actor.id).await?;
        Ok(after.view(ctx)?)
    })
    .await
}
