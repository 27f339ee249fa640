//! The frame of every list: who may see what, the page, and what is included.

use std::collections::HashMap;

use fairlead_domain::access::Permission;
use fairlead_domain::context::Context;
use fairlead_domain::contract::Contract;
use fairlead_domain::customer::Customer;
use fairlead_domain::error::Refusal;
use fairlead_domain::values::{ContractId, CustomerId, UserId};
use fairlead_persistence::query::listing::ListRequest;
use fairlead_persistence::{Kept, Predicate, Reader, Slice, Stored, Visible};
use uuid::Uuid;

use crate::call::{Failure, Page, PageInfo};
use crate::views::{ContractRef, CustomerRef, Included, WithContract, WithCustomer, WithOwner};

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

/// The records that a row refers to.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Links {
    pub(crate) owner: Option<UserId>,
    pub(crate) customer: Option<CustomerId>,
    pub(crate) contract: Option<ContractId>,
}

/// One page, with what was asked to be included: one statement per relation, never one per row.
pub(crate) async fn page<T: Stored, S: From<(T, Included)>>(
    ctx: &Context<'_>,
    reader: &Reader<'_>,
    request: &ListRequest,
    visible: impl Into<Visible>,
    links: impl Fn(&T) -> Links,
) -> Result<Page<S>, Failure> {
    let slice: Slice<T> = reader.list(request, &visible.into()).await?;
    let wants = |what: &str| request.include.contains(&what);
    let all: Vec<Links> = slice.records.iter().map(links).collect();
    let customers: HashMap<CustomerId, CustomerRef> = if wants("customer") {
        let found: Vec<Customer> = reader.some(distinct(all.iter().filter_map(|link| link.customer))).await?;
        let seen = found.iter().filter(|customer| customer.reveal(ctx).is_ok());
        seen.map(|customer| (customer.id, customer.into())).collect()
    } else {
        HashMap::new()
    };
    let contracts: HashMap<ContractId, ContractRef> = if wants("contract") {
        let found: Vec<Contract> = reader.some(distinct(all.iter().filter_map(|link| link.contract))).await?;
        let seen = found.iter().filter(|contract| contract.reveal(ctx).is_ok());
        seen.map(|contract| (contract.id, contract.into())).collect()
    } else {
        HashMap::new()
    };
    let include = |link: &Links| Included {
        owner: WithOwner {
            owner: wants("owner").then(|| link.owner.and_then(|owner| ctx.org.user_ref(owner))),
        },
        customer: WithCustomer {
            customer: wants("customer")
                .then(|| link.customer.and_then(|customer| customers.get(&customer).cloned())),
        },
        contract: WithContract {
            contract: wants("contract")
                .then(|| link.contract.and_then(|contract| contracts.get(&contract).cloned())),
        },
    };
    let data =
        slice.records.into_iter().zip(&all).map(|(record, link)| (record, include(link)).into()).collect();
    let has_more = slice.next_cursor.is_some();
    Ok(Page { data, page: PageInfo { next_cursor: slice.next_cursor, has_more, total: slice.total } })
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
