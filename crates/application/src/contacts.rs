//! Contacts (联系人) of customers.

use std::collections::HashMap;

use fairlead_domain::access::Permission;
use fairlead_domain::contact::{Contact, ContactDetails, DecisionRole};
use fairlead_domain::context::{Context, Event};
use fairlead_domain::customer::Customer;
use fairlead_domain::dependents::Dependents;
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::patch::Patch;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{ContactId, CustomerId};
use fairlead_persistence::{Predicate, Reader, Work};
use uuid::Uuid;

use crate::app::App;
use crate::call::{Call, Failure, Page, Read, Written};
use crate::change::{self, named, there};
use crate::customers::{self, Place};
use crate::listing::{Field, Include, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::views::{Included, Related, views};

views!(Contact, /// A contact.
    ContactView, /// A contact in a list.
    ContactSummary, [customer: WithCustomer]);

/// What a list of contacts can be asked.
pub static LISTING: Listing = Listing {
    resource: "contacts",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("name", Kind::Text).sortable(),
        Field::new("customer_id", Kind::Id),
        Field::new("title", Kind::Text).nullable(),
        Field::new("department", Kind::Text).nullable(),
        Field::new("decision_role", words!(DecisionRole)).nullable(),
        Field::new("is_primary", Kind::Boolean),
    ],
    search: &["name"],
    default_sort: "-created_at",
    includes: ContactSummary::INCLUDES,
};

fn view(ctx: &Context, customer: &Customer, contact: Contact, dependents: &Dependents) -> ContactView {
    ContactView {
        allowed_actions: Contact::allowed_actions(ctx, customer, dependents),
        record: contact.seen_by(ctx, customer),
    }
}

/// Locks the customer first, then the contact: the order in which everybody locks.
async fn load(ctx: &Context<'_>, work: &Work, id: ContactId) -> Result<(Customer, Contact), Failure> {
    let found: Contact = there(work.find(id).await?)?;
    let customer: Customer = change::load_parent(ctx, work, found.details.customer_id).await?;
    let contact = there(work.load(id).await?)?;
    Ok((customer, contact))
}

/// A customer has one primary contact: a new one takes the place of the one before.
async fn step_down(work: &mut Work, customer: CustomerId, except: ContactId) -> Result<(), Failure> {
    let primary = Predicate::All(vec![
        Predicate::Is("customer_id", customer.0.into()),
        Predicate::Is("is_primary", true.into()),
        Predicate::Is("id", except.0.into()).negate(),
    ]);
    for before in work.load_all::<Contact>(primary).await? {
        let mut after = before.clone();
        after.details.is_primary = false;
        work.save(&before, &mut after, Event("contact.updated")).await?;
    }
    Ok(())
}

/// What a contact refers to.
fn links(contact: &Contact) -> Links {
    Links { customer: Some(contact.details.customer_id), ..Links::default() }
}

/// One contact. That of a masked customer is behind opening it.
pub async fn get(app: &App, call: &Call, id: ContactId, include: Include) -> Read<Related<ContactView>> {
    let mut opened = None;
    loop {
        let found = app.read(call, async |ctx, reader| {
            let (contact, dependents): (Contact, _) = there(reader.tied(id).await?)?;
            let customer: Customer = change::read_parent(ctx, reader, contact.details.customer_id).await?;
            if customer.is_opened(ctx) && opened != Some(customer.id) {
                return Ok(Err(customer.id));
            }
            let links = links(&contact);
            let view = view(ctx, &customer, contact, &dependents);
            Ok(Ok(lists::related(ctx, reader, &include, links, view).await?))
        });
        let found = found.await?;
        match found {
            Ok(shown) => return Ok(shown),
            Err(pooled) => match customers::open(app, call, Place::Customers, pooled).await {
                Ok(_) => opened = Some(pooled),
                // The contact went along with its customer.
                Err(Failure::Refused(refusal)) if refusal.code == Code::Merged => {}
                Err(failure) => return Err(failure),
            },
        }
    }
}

/// Which contacts of some customers the caller may see.
pub(crate) fn visible(ctx: &Context<'_>, of: Predicate) -> Result<Predicate, Refusal> {
    let scope = customers::entered(ctx, lists::scope(ctx, Permission::CustomersRead, "id")?);
    let seen = Predicate::All(vec![of, scope]);
    Ok(Predicate::Through("contacts.customer_id", "customers", Box::new(seen)))
}

/// The primary contacts of some customers, where the caller may see them: one statement, and none for none.
pub(crate) async fn primary(
    ctx: &Context<'_>,
    reader: &Reader<'_>,
    customers: Vec<Uuid>,
) -> Result<HashMap<CustomerId, Contact>, Failure> {
    if customers.is_empty() {
        return Ok(HashMap::new());
    }
    // Whoever may list no contacts sees none here either.
    let Ok(visible) = visible(ctx, Predicate::ids(customers)) else { return Ok(HashMap::new()) };
    let primary = Predicate::All(vec![Predicate::Is("is_primary", true.into()), visible]);
    let found: Vec<Contact> = reader.all(primary).await?;
    Ok(found.into_iter().map(|contact| (contact.details.customer_id, contact)).collect())
}

/// The contacts of the customers that the caller may see. Those of a masked one are behind opening it.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<ContactSummary>> {
    app.read(call, async |ctx, reader| {
        let visible = visible(ctx, Predicate::True)?;
        let page: Page<(Contact, Included)> = lists::page(ctx, reader, &list, visible, links).await?;
        let mut ids: Vec<_> = page.data.iter().map(|(contact, _)| contact.details.customer_id.0).collect();
        ids.sort_unstable();
        ids.dedup();
        let customers: Vec<Customer> = reader.some(ids).await?;
        let data = page.data.into_iter().filter_map(|(contact, included)| {
            let customer = customers.iter().find(|customer| customer.id == contact.details.customer_id)?;
            Some((contact.seen_by(ctx, customer), included).into())
        });
        Ok(Page { data: data.collect(), page: page.page })
    })
    .await
}

/// Records a contact.
pub async fn create(app: &App, call: &Call, form: Valid<ContactDetails>) -> Written<ContactView> {
    app.write(call, async |ctx, work| {
        let customer: Customer = named(ctx, work, form.customer_id, "/customer_id").await?;
        let (contact, event) = Contact::new(ctx, work.new_id(), &customer, form.clone())?;
        if contact.details.is_primary {
            step_down(work, customer.id, contact.id).await?;
        }
        work.insert(&contact, event).await?;
        Ok(view(ctx, &customer, contact, &Dependents::default()))
    })
    .await
}

/// Changes what was said about a contact.
pub async fn update(
    app: &App,
    call: &Call,
    id: ContactId,
    patch: Patch<ContactDetails>,
) -> Written<ContactView> {
    app.write(call, async |ctx, work| {
        let (customer, before) = load(ctx, work, id).await?;
        call.check_version(before.version)?;
        customer.may_update(ctx)?;
        let mut after = before.clone();
        let event = after.edit(ctx, &customer, patch.apply(&before.details)?)?;
        if after.details.is_primary {
            step_down(work, customer.id, after.id).await?;
        }
        work.save(&before, &mut after, event).await?;
        let dependents = work.ties(&after).await?;
        Ok(view(ctx, &customer, after, &dependents))
    })
    .await
}

/// Deletes a contact that nothing refers to.
pub async fn delete(app: &App, call: &Call, id: ContactId) -> Written<()> {
    app.write(call, async |ctx, work| {
        let (customer, contact) = load(ctx, work, id).await?;
        call.check_version(contact.version)?;
        Contact::may_delete(ctx, &customer, &work.ties(&contact).await?)?;
        Ok(work.delete(&contact, Event("contact.deleted")).await?)
    })
    .await
}
