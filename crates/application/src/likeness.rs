//! Looks for leads and customers that may be the same as one (查重).

use std::collections::{BTreeMap, BTreeSet};

use fairlead_domain::access::Permission;
use fairlead_domain::contact::Contact;
use fairlead_domain::context::Context;
use fairlead_domain::customer::{Customer, CustomerKind};
use fairlead_domain::lead::{self, DisqualifyReason, Lead, LeadStatus, LikeKeys, Likeness, MatchedOn};
use fairlead_domain::values::{CustomerId, Email, Phone};
use fairlead_persistence::{Kept, Predicate, StoreError, Stored, Work};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use crate::call::{Call, Failure};
use crate::change::Eyes;

/// How many of a kind are told of at most.
const MOST: usize = 50;

/// Records that may be the same.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Duplicates {
    /// Those that look like it. Of one that the caller may not see, no more is told than that it is there.
    #[schema(max_items = 100)]
    pub data: Vec<Likeness>,
}

impl Eyes<'_> {
    async fn see<T: Kept>(&self, which: Predicate) -> Result<Vec<T>, StoreError> {
        match self {
            Self::Reader(reader) => reader.first(which, MOST as u64).await,
            Self::Work(work) => work.first_of(which, MOST as u64).await,
        }
    }

    /// The records among `others` that meet a condition of the first kind and, as far as there is room, those that
    /// meet one of the second. However many share a company, whoever has the same telephone is found.
    async fn see_first<T: Stored>(
        &self,
        kinds: [Vec<Predicate>; 2],
        others: &Predicate,
    ) -> Result<Vec<T>, StoreError> {
        let mut found: Vec<T> = Vec::new();
        for conditions in kinds.into_iter().filter(|conditions| !conditions.is_empty()) {
            if found.len() < MOST {
                let known: BTreeSet<Uuid> = found.iter().map(T::id).collect();
                let which = Predicate::All(vec![Predicate::Any(conditions), others.clone()]);
                let more: Vec<T> = self.see(which).await?;
                found.extend(more.into_iter().filter(|record| !known.contains(&record.id())));
            }
        }
        found.truncate(MOST);
        Ok(found)
    }
}

/// A record that looks like another one.
pub(crate) enum Like {
    Lead(Lead),
    Customer(Customer),
}

/// What a new or changed record is compared with.
pub(crate) enum Among {
    /// With leads and customers: somebody new may be either.
    Everybody,
    /// With customers: a lead that becomes one is known.
    Customers,
}

/// Refuses a record that looks like one that is there, unless the caller may say that it is another one and does.
/// Whoever records the same at once waits.
pub(crate) async fn refuse_known(
    ctx: &Context<'_>,
    work: &Work,
    call: &Call,
    (keys, itself, among): (LikeKeys, Option<Uuid>, Among),
) -> Result<(), Failure> {
    if call.allow_duplicate {
        let permission = match among {
            Among::Everybody => Permission::LeadsAllowDuplicate,
            Among::Customers => Permission::CustomersAllowDuplicate,
        };
        return Ok(ctx.actor.authorize_own(permission)?);
    }
    let keys = keys.refusing(&ctx.org.settings.duplicates.refuse_on);
    work.hold_words(keys.words()).await?;
    let eyes = Eyes::Work(work);
    let found = match among {
        Among::Everybody => find(&eyes, &keys, itself).await?,
        Among::Customers => customers(&eyes, &keys, itself).await?,
    };
    let found: Vec<Likeness> = found.into_iter().map(|like| known(ctx, like)).collect();
    Ok(lead::check_unknown(&found)?)
}

fn known(ctx: &Context, (like, common): (Like, Vec<MatchedOn>)) -> Likeness {
    match like {
        Like::Lead(lead) => Likeness::of_lead(ctx, &lead, common),
        Like::Customer(customer) => Likeness::of_customer(ctx, &customer, common),
    }
}

/// The records that look like one with these keys, other than itself, as this caller may know them.
pub(crate) async fn of(
    ctx: &Context<'_>,
    eyes: &Eyes<'_>,
    keys: &LikeKeys,
    itself: Option<Uuid>,
) -> Result<Vec<Likeness>, Failure> {
    Ok(find(eyes, keys, itself).await?.into_iter().map(|like| known(ctx, like)).collect())
}

/// The records that look like one with these keys, other than itself, and what they have in common.
pub(crate) async fn find(eyes: &Eyes<'_>, keys: &LikeKeys, itself: Option<Uuid>) -> Result<Found, Failure> {
    let mut found = leads(eyes, keys, itself).await?;
    found.extend(customers(eyes, keys, itself).await?);
    Ok(found)
}

type Found = Vec<(Like, Vec<MatchedOn>)>;

async fn leads(eyes: &Eyes<'_>, keys: &LikeKeys, itself: Option<Uuid>) -> Result<Found, Failure> {
    let person = each([("phone_key", &keys.phone), ("email_key", &keys.email)]);
    let company = each([("company_key", &keys.company)]);
    let others = Predicate::All(vec![other_than("id", itself), is_about()]);
    let leads: Vec<Lead> = eyes.see_first([person, company], &others).await?;
    let common = |lead: Lead| {
        let common = keys.common(&LikeKeys::of_lead(&lead.details));
        (Like::Lead(lead), common)
    };
    Ok(leads.into_iter().map(common).collect())
}

async fn customers(eyes: &Eyes<'_>, keys: &LikeKeys, itself: Option<Uuid>) -> Result<Found, Failure> {
    // By itself or by one of its contacts.
    let person = each([("phone_key", &keys.phone), ("email_key", &keys.email)]);
    let others = other_than("customer_id", itself);
    let contacts: Vec<Contact> = eyes.see_first([person.clone(), Vec::new()], &others).await?;
    let mut by_contact: BTreeMap<CustomerId, Vec<MatchedOn>> = BTreeMap::new();
    for contact in contacts {
        let theirs = LikeKeys {
            phone: contact.details.phone.as_ref().map(Phone::normalised),
            email: contact.details.email.as_ref().map(Email::normalised),
            ..LikeKeys::default()
        };
        by_contact.entry(contact.details.customer_id).or_default().extend(keys.common(&theirs));
    }
    let mut own = person;
    own.extend(each([("registration_key", &keys.registration)]));
    if !by_contact.is_empty() {
        own.push(Predicate::ids(by_contact.keys().map(|customer| customer.0)));
    }
    // A person with a company's name has nothing in common with it.
    let is_company = Predicate::Is("kind", CustomerKind::Company.as_str().into());
    let named = each([("name_key", &keys.company)]);
    let company = named.into_iter().map(|name| Predicate::All(vec![name, is_company.clone()])).collect();
    let customers: Vec<Customer> = eyes.see_first([own, company], &other_than("id", itself)).await?;
    let common = |customer: Customer| {
        let mut common = keys.common(&LikeKeys::of_customer(&customer.details));
        common.extend(by_contact.remove(&customer.id).unwrap_or_default());
        common.sort_unstable();
        common.dedup();
        (Like::Customer(customer), common)
    };
    Ok(customers.into_iter().map(common).collect())
}

/// A condition for each key that there is.
fn each<const N: usize>(keys: [(&'static str, &Option<String>); N]) -> Vec<Predicate> {
    let one = |(column, key): (&'static str, &Option<String>)| {
        key.as_ref().map(|key| Predicate::Is(column, key.clone().into()))
    };
    keys.into_iter().filter_map(one).collect()
}

/// Records that do not name this one there.
fn other_than(column: &'static str, itself: Option<Uuid>) -> Predicate {
    itself.map_or(Predicate::True, |itself| Predicate::Is(column, itself.into()).negate())
}

/// A converted lead is its customer, and some that were given up say nothing.
fn is_about() -> Predicate {
    let void = DisqualifyReason::ALL.iter().filter(|reason| reason.says_nothing());
    let void: Vec<Predicate> =
        void.map(|reason| Predicate::Is("disqualify_reason", reason.as_str().into())).collect();
    Predicate::All(vec![
        Predicate::Is("status", LeadStatus::Converted.as_str().into()).negate(),
        Predicate::Any(vec![Predicate::IsNull("disqualify_reason"), Predicate::Any(void).negate()]),
    ])
}
