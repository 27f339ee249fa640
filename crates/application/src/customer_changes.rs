//! Changes of customers that take an approval (客户变更审批).

use std::collections::BTreeMap;

use fairlead_domain::access::Permission;
use fairlead_domain::approval::{ApprovalStatus, Proposal, SubjectFacts};
use fairlead_domain::audit::MemberChanges;
use fairlead_domain::context::{Context, Event};
use fairlead_domain::customer::Customer;
use fairlead_domain::customer_change::{CustomerChange, CustomerChangeForm};
use fairlead_domain::error::{Code, Refusal};
use fairlead_domain::lead::LikeKeys;
use fairlead_domain::valid::Valid;
use fairlead_domain::values::{CustomerChangeId, CustomerId, NumberKind};
use fairlead_persistence::{Predicate, Work};
use serde::Serialize;
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::app::App;
use crate::approvals;
use crate::call::{Call, Failure, Page, Read, Versioned, Written};
use crate::change::{Eyes, Resource, named, save_changed, there};
use crate::customers::Owners;
use crate::likeness::{self, Among};
use crate::listing::{Field, Include, Kind, ListRequest, Listing};
use crate::lists::{self, Links, words};
use crate::views::{Included, Related, summary};

/// A change of a customer.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CustomerChangeView {
    /// The record.
    #[serde(flatten)]
    pub record: CustomerChange,
    /// What it changes, member by member, `before` and `after`: every member that changes, be its contact data masked or
    /// left out (null, or an empty list).
    #[schema(value_type = MemberChanges)]
    pub changes: Map<String, Value>,
    /// What the caller may do with it now.
    #[schema(max_items = 20)]
    pub allowed_actions: Vec<fairlead_domain::workflow::AllowedAction>,
}

impl Versioned for CustomerChangeView {
    fn version(&self) -> i64 {
        self.record.version
    }
}

summary!(CustomerChange, /// A change of a customer in a list.
    CustomerChangeSummary, [owner: WithOwner, customer: WithCustomer]);

/// What a list of changes can be asked.
pub static LISTING: Listing = Listing {
    resource: "customer_changes",
    fields: &[
        Field::new("created_at", Kind::Timestamp).sortable(),
        Field::new("decided_at", Kind::Timestamp).nullable().sortable(),
        Field::new("number", Kind::Text).sortable(),
        Field::new("customer_id", Kind::Id),
        Field::new("owner_id", Kind::Id).nullable(),
        Field::new("status", words!(ApprovalStatus)),
        Field::new("created_by", Kind::Id),
    ],
    search: &["number"],
    default_sort: "-created_at",
    includes: CustomerChangeSummary::INCLUDES,
};

impl Resource for CustomerChange {
    type View = CustomerChangeView;
    type Ties = ();
    fn reveal(&self, ctx: &Context) -> Result<(), Refusal> {
        CustomerChange::reveal(self, ctx)
    }
    fn view(self, ctx: &Context, (): ()) -> Result<CustomerChangeView, Refusal> {
        let (changes, allowed_actions) = (self.changes(ctx), self.allowed_actions(ctx));
        Ok(CustomerChangeView { record: self.seen_by(ctx), changes, allowed_actions })
    }
}

/// What a change refers to.
fn links(change: &CustomerChange) -> Links {
    Links { owner: change.owner_id, customer: Some(change.customer_id), ..Links::default() }
}

/// One change.
pub async fn get(
    app: &App,
    call: &Call,
    id: CustomerChangeId,
    include: Include,
) -> Read<Related<CustomerChangeView>> {
    app.get_related::<CustomerChange>(call, id, &include, links).await
}

/// The changes that the caller may see: the SQL of [`CustomerChange::reveal`].
pub(crate) fn visible(ctx: &Context) -> Result<Predicate, Refusal> {
    let scope = lists::scope(ctx, Permission::CustomersUpdate, "customer_id")?;
    Ok(Predicate::Any(vec![scope, Predicate::Is("created_by", ctx.actor.id.0.into())]))
}

/// The changes of customers that the caller may change, and those that the caller asked for, as this caller must see
/// them.
pub async fn list(app: &App, call: &Call, list: ListRequest) -> Read<Page<CustomerChangeSummary>> {
    app.read(call, async |ctx, reader| {
        let page: Page<(CustomerChange, Included)> =
            lists::page(ctx, reader, &list, visible(ctx)?, links).await?;
        let shown = |(change, included): (CustomerChange, Included)| {
            CustomerChangeSummary::from((change.seen_by(ctx), included))
        };
        Ok(Page { data: page.data.into_iter().map(shown).collect(), page: page.page })
    })
    .await
}

/// Asks for a change of a customer.
pub async fn create(app: &App, call: &Call, form: Valid<CustomerChangeForm>) -> Written<CustomerChangeView> {
    app.write(call, async |ctx, work| {
        let customer: Customer = named(ctx, work, form.customer_id, "/customer_id").await?;
        let number = work.next_number(NumberKind::CustomerChange, ctx.today().year()).await?;
        let (change, event) = CustomerChange::request(ctx, work.new_id(), number, &customer, &form)?;
        if !work.find_all::<CustomerChange>(waiting(customer.id)).await?.is_empty() {
            let why = "another change of the customer waits for approval";
            return Err(Refusal::new(Code::PendingApproval, why).into());
        }
        let keys = LikeKeys::of_customer(&change.after.0).since(&LikeKeys::of_customer(&change.before.0));
        likeness::refuse_known(ctx, work, call, (keys, Some(customer.id.0), Among::Customers)).await?;
        work.insert(&change, event).await?;
        approvals::request(ctx, work, SubjectFacts::of_customer_change(&change)?).await?;
        Ok(change.view(ctx, ())?)
    })
    .await
}

fn waiting(customer: CustomerId) -> Predicate {
    Predicate::All(vec![
        Predicate::Is("customer_id", customer.0.into()),
        Predicate::Is("status", ApprovalStatus::Pending.as_str().into()),
    ])
}

/// Lets what was asked for about customers follow each of them to its next owner, or to nobody in the pool: it is as
/// full of contact data as the customer. What waits is taken back: it was asked for, and would be judged, as the former
/// owner's.
pub(crate) async fn follow(ctx: &Context<'_>, work: &mut Work, owners: &Owners) -> Result<(), Failure> {
    let of_customers = Predicate::In("customer_id", owners.keys().map(|customer| customer.0).collect());
    approvals::lapse::<CustomerChange>(ctx, work, of_customers.clone()).await?;
    let mut subjects = BTreeMap::new();
    for before in work.load_all::<CustomerChange>(of_customers).await? {
        let to = owners.get(&before.customer_id).copied().flatten();
        let mut after = before.clone();
        let event = after.belong_to(to);
        save_changed(work, &before, &mut after, event).await?;
        subjects.insert(before.id.0, to);
    }
    approvals::follow(work, &subjects).await
}

/// Locks the customer first, then its change.
pub(crate) async fn load(work: &Work, id: CustomerChangeId) -> Result<(Customer, CustomerChange), Failure> {
    let found: CustomerChange = there(work.find(id).await?)?;
    let customer = there(work.load(found.customer_id).await?)?;
    let change: CustomerChange = there(work.load(id).await?)?;
    Ok((customer, change))
}

/// Takes it back.
pub async fn withdraw(app: &App, call: &Call, id: CustomerChangeId) -> Written<CustomerChangeView> {
    app.write(call, async |ctx, work| {
        let (_, before) = load(work, id).await?;
        before.reveal(ctx)?;
        approvals::take_back(ctx, work, call, before).await
    })
    .await
}

/// The last approver agreed: the customer changes.
pub(crate) async fn execute(
    ctx: &Context<'_>,
    work: &mut Work,
    (customer, before): (&Customer, &CustomerChange),
) -> Result<(), Failure> {
    let (mut after, mut changed) = (before.clone(), customer.clone());
    let event = after.approve(ctx, &mut changed)?;
    work.save(before, &mut after, event).await?;
    Ok(work.save(customer, &mut changed, Event("customer.updated")).await?)
}

/// Why it would be refused if the last approver agreed now: what [`execute`] would answer. Somebody else may have the
/// registration number by now, which no two customers have.
pub(crate) async fn obstacle(
    ctx: &Context<'_>,
    eyes: &Eyes<'_>,
    (customer, change): (&Customer, &CustomerChange),
) -> Result<Option<Refusal>, Failure> {
    let mut changed = customer.clone();
    if let Err(refusal) = change.clone().approve(ctx, &mut changed) {
        return Ok(Some(refusal));
    }
    let (before, after) = (customer.details.registration_key(), changed.details.registration_key());
    let Some(key) = after.filter(|after| before.as_ref() != Some(after)) else { return Ok(None) };
    let taken = eyes.count("customers", Predicate::Is("registration_key", key.into())).await? > 0;
    Ok(taken.then(|| Refusal::duplicate("/registration_number")))
}
