//! Collaborators (协作人): with whom customers are shared.

use fairlead_domain::access::{Permission, Share};
use fairlead_domain::context::{Context, Event};
use fairlead_domain::customer::{Collaborator, CollaboratorDetails, Customer};
use fairlead_domain::patch::Patch;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::CollaboratorId;
use fairlead_persistence::{Predicate, Work};

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Written};
use crate::change::{self, named, there};
use crate::customers::Owners;
use crate::listing::{Field, Include, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::views::{Related, views};

views!(Collaborator, /// A collaborator.
    CollaboratorView, /// A collaborator in a list.
    CollaboratorSummary, [customer: WithCustomer]);

/// What a list of collaborators can be asked.
pub static LISTING: Listing = Listing {
    resource: "collaborators",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("customer_id", Kind::Id),
        Field::new("user_id", Kind::Id),
        Field::new("access", words!(Share)),
    ],
    search: &[],
    default_sort: "-created_at",
    includes: CollaboratorSummary::INCLUDES,
};

fn view(ctx: &Context, customer: &Customer, record: Collaborator) -> CollaboratorView {
    CollaboratorView { allowed_actions: record.allowed_actions(ctx, customer), record }
}

/// Locks the customer first, then the collaborator: the order in which everybody locks.
async fn load(
    ctx: &Context<'_>,
    work: &Work,
    id: CollaboratorId,
) -> Result<(Customer, Collaborator), Failure> {
    let found: Collaborator = there(work.find(id).await?)?;
    let customer: Customer = change::load_parent(ctx, work, found.details.customer_id).await?;
    Ok((customer, there(work.load(id).await?)?))
}

/// What a collaborator refers to.
fn links(collaborator: &Collaborator) -> Links {
    Links { customer: Some(collaborator.details.customer_id), ..Links::default() }
}

/// One collaborator.
pub async fn get(
    app: &App,
    call: &Call,
    id: CollaboratorId,
    include: Include,
) -> Read<Related<CollaboratorView>> {
    app.read(call, async |ctx, reader| {
        let collaborator: Collaborator = there(reader.one(id).await?)?;
        let customer: Customer = change::read_parent(ctx, reader, collaborator.details.customer_id).await?;
        let links = links(&collaborator);
        lists::related(ctx, reader, &include, links, view(ctx, &customer, collaborator)).await
    })
    .await
}

/// The collaborators of the customers that the caller may see.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<CollaboratorSummary>> {
    app.read(call, async |ctx, reader| {
        let scope = lists::scope(ctx, Permission::CustomersRead, "id")?;
        let visible = Predicate::Through("collaborators.customer_id", "customers", Box::new(scope));
        lists::page(ctx, reader, &list, visible, links).await
    })
    .await
}

/// Shares a customer with a user.
pub async fn create(app: &App, call: &Call, form: Valid<CollaboratorDetails>) -> Written<CollaboratorView> {
    app.write(call, async |ctx, work| {
        let customer: Customer = named(ctx, work, form.customer_id, "/customer_id").await?;
        let (collaborator, event) = Collaborator::new(ctx, work.new_id(), &customer, form.clone())?;
        work.insert(&collaborator, event).await?;
        Ok(view(ctx, &customer, collaborator))
    })
    .await
}

/// Changes how far a customer is shared.
pub async fn update(
    app: &App,
    call: &Call,
    id: CollaboratorId,
    patch: Patch<CollaboratorDetails>,
) -> Written<CollaboratorView> {
    app.write(call, async |ctx, work| {
        let (customer, before) = load(ctx, work, id).await?;
        call.check_version(before.version)?;
        Collaborator::may_share(ctx, &customer)?;
        let mut after = before.clone();
        let event = after.edit(ctx, &customer, patch.apply(&before.details)?)?;
        work.save(&before, &mut after, event).await?;
        Ok(view(ctx, &customer, after))
    })
    .await
}

/// Ends a sharing.
pub async fn delete(app: &App, call: &Call, id: CollaboratorId) -> Written<()> {
    app.write(call, async |ctx, work| {
        let (customer, collaborator) = load(ctx, work, id).await?;
        call.check_version(collaborator.version)?;
        collaborator.may_remove(ctx, &customer)?;
        Ok(work.delete(&collaborator, Event("collaborator.removed")).await?)
    })
    .await
}

/// Ends every sharing of customers that go to the pool or are deleted, and of others the one with their new owner.
pub(crate) async fn end(work: &mut Work, owners: &Owners) -> Result<(), Failure> {
    let of_customers = Predicate::In("customer_id", owners.keys().map(|customer| customer.0).collect());
    for collaborator in work.load_all::<Collaborator>(of_customers).await? {
        let details = &collaborator.details;
        let owner = owners.get(&details.customer_id).copied().flatten();
        if owner.is_none_or(|owner| owner == details.user_id) {
            work.delete(&collaborator, Event("collaborator.removed")).await?;
        }
    }
    Ok(())
}
