//! The frame of every list: who may see what, the page, and what is included, in its rows and in a record alone.

use std::collections::HashMap;

use fairlead_domain::access::Permission;
use fairlead_domain::context::Context;
use fairlead_domain::contract::Contract;
use fairlead_domain::customer::Customer;
use fairlead_domain::error::Refusal;
use fairlead_domain::opportunity::Opportunity;
use fairlead_domain::values::{ContractId, CustomerId, OpportunityId, UserId};
use fairlead_persistence::query::listing::{Include, ListRequest};
use fairlead_persistence::{Kept, Predicate, Reader, Slice, Stored, Visible};
use uuid::Uuid;

use crate::call::{Failure, Page, PageInfo};
use crate::change::Resource;
use crate::contacts;
use crate::views::{
    ContactRef, CustomerRef, Included, OpportunityRef, Related, RelatedContract, RelatedCustomer,
    WithContract, WithCustomer, WithCustomerOfContract, WithOpportunity, WithOwner, WithPrimaryContact,
};

/// The words of a text enum, for a filter.
macro_rules! words {
    ($type:ty) => {
        $crate::listing::Kind::OneOf(|| <$type>::ALL.iter().map(|word| word.as_str()).collect())
    };
}
pub(crate) use words;

/// The rows that a permission shows; the column is the one with the customer that a row is or belongs to. Whoever
/// does not hold it at all is told so instead of getting an empty list.
pub(crate) fn scope(
    ctx: &Context,
    permission: Permission,
    customer_column: &'static str,
) -> Result<Predicate, Refusal> {
    let filter = ctx.actor.visible_scope(permission);
    if filter.is_nothing() {
        ctx.actor.authorize_own(permission)?;
    }
    Ok(Predicate::Scope(customer_column, filter))
}

/// The records that a record refers to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Links {
    pub(crate) owner: Option<UserId>,
    /// Of a customer itself: its primary contact is found by it.
    pub(crate) customer: Option<CustomerId>,
    pub(crate) contract: Option<ContractId>,
    pub(crate) opportunity: Option<OpportunityId>,
}

/// One page, with what was asked to be included.
pub(crate) async fn page<T: Stored, S: From<(T, Included)>>(
    ctx: &Context<'_>,
    reader: &Reader<'_>,
    request: &ListRequest,
    visible: impl Into<Visible>,
    links: impl Fn(&T) -> Links,
) -> Result<Page<S>, Failure> {
    let slice: Slice<T> = reader.list(request, &visible.into()).await?;
    let all: Vec<Links> = slice.records.iter().map(links).collect();
    let included = included(ctx, reader, &request.include, &all).await?;
    let data = slice.records.into_iter().zip(included).map(S::from).collect();
    let has_more = slice.next_cursor.is_some();
    Ok(Page { data, page: PageInfo { next_cursor: slice.next_cursor, has_more, total: slice.total } })
}

/// A record alone, with what was asked to be included: judged as in the rows of its list, since it is the same.
pub(crate) async fn related<V>(
    ctx: &Context<'_>,
    reader: &Reader<'_>,
    include: &Include,
    links: Links,
    view: V,
) -> Result<Related<V>, Failure> {
    let included = included(ctx, reader, include, &[links]).await?.pop().unwrap_or_default();
    Ok(Related { view, included })
}

/// What was asked to be included of some records, in their order: one statement for each kind of related record, never
/// one for each record.
pub(crate) async fn included(
    ctx: &Context<'_>,
    reader: &Reader<'_>,
    include: &Include,
    all: &[Links],
) -> Result<Vec<Included>, Failure> {
    let wants = |what: &str| include.contains(&what);
    let ids = distinct(all.iter().filter_map(|link| link.contract).filter(|_| wants("contract")));
    let contracts: HashMap<Uuid, Contract> = seen(ctx, reader, ids).await?;
    let of_rows = all.iter().filter_map(|link| link.customer).filter(|_| wants("customer"));
    let of_contracts = contracts.values().map(|contract| contract.details.customer_id);
    let ids = distinct(of_rows.chain(of_contracts.filter(|_| wants("contract.customer"))));
    let customers: HashMap<Uuid, Customer> = seen(ctx, reader, ids).await?;
    let ids = distinct(all.iter().filter_map(|link| link.opportunity).filter(|_| wants("opportunity")));
    let opportunities: HashMap<Uuid, Opportunity> = seen(ctx, reader, ids).await?;
    let ids = distinct(all.iter().filter_map(|link| link.customer).filter(|_| wants("primary_contact")));
    let people = contacts::primary(ctx, reader, ids).await?;

    let owner = |what: &str, id: Option<UserId>| WithOwner {
        owner: wants(what).then(|| id.and_then(|id| ctx.org.user_ref(id))),
    };
    let customer = |id: CustomerId| {
        let customer = customers.get(&id.0)?;
        Some(RelatedCustomer {
            record: customer.into(),
            owner_id: customer.owner_id,
            owner: owner("customer.owner", customer.owner_id),
        })
    };
    let contract = |id: ContractId| {
        let contract = contracts.get(&id.0)?;
        let customer = customers.get(&contract.details.customer_id.0);
        Some(RelatedContract {
            record: contract.into(),
            owner_id: contract.owner_id,
            customer_id: contract.details.customer_id,
            owner: owner("contract.owner", Some(contract.owner_id)),
            customer: WithCustomerOfContract {
                customer: wants("contract.customer").then(|| customer.map(CustomerRef::from)),
            },
        })
    };
    let opportunity = |id: OpportunityId| opportunities.get(&id.0).map(OpportunityRef::from);
    let primary_contact = |id: CustomerId| people.get(&id).map(ContactRef::from);
    let of = |link: &Links| Included {
        owner: owner("owner", link.owner),
        customer: WithCustomer { customer: wants("customer").then(|| link.customer.and_then(customer)) },
        contract: WithContract { contract: wants("contract").then(|| link.contract.and_then(contract)) },
        opportunity: WithOpportunity {
            opportunity: wants("opportunity").then(|| link.opportunity.and_then(opportunity)),
        },
        primary_contact: WithPrimaryContact {
            primary_contact: wants("primary_contact").then(|| link.customer.and_then(primary_contact)),
        },
    };
    Ok(all.iter().map(of).collect())
}

/// Those of some records that the caller may see, by their ids: one statement, and none for none.
async fn seen<T: Resource>(
    ctx: &Context<'_>,
    reader: &Reader<'_>,
    ids: Vec<Uuid>,
) -> Result<HashMap<Uuid, T>, Failure> {
    let found: Vec<T> = reader.some(ids).await?;
    let seen = found.into_iter().filter(|record| record.reveal(ctx).is_ok());
    Ok(seen.map(|record| (record.id(), record)).collect())
}

/// One page of the lines of a history.
pub(crate) async fn lines<T: Kept>(
    reader: &Reader<'_>,
    request: &ListRequest,
    visible: Predicate,
) -> Result<Page<T>, Failure> {
    let slice: Slice<T> = reader.list(request, &visible.into()).await?;
    let has_more = slice.next_cursor.is_some();
    Ok(Page {
        data: slice.records,
        page: PageInfo { next_cursor: slice.next_cursor, has_more, total: slice.total },
    })
}

fn distinct<T: Into<Uuid>>(ids: impl Iterator<Item = T>) -> Vec<Uuid> {
    let mut ids: Vec<Uuid> = ids.map(Into::into).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}
