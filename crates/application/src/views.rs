//! What callers see of records: the record, what they may do with it, and what they asked to include.

use fairlead_domain::contact::Contact;
use fairlead_domain::contract::Contract;
use fairlead_domain::customer::Customer;
use fairlead_domain::opportunity::Opportunity;
use fairlead_domain::organisation::UserRef;
use fairlead_domain::values::{ContactId, ContractId, CustomerId, Line, Number, OpportunityId, UserId};
use serde::Serialize;
use utoipa::ToSchema;

use crate::call::Versioned;

/// A customer as other records show it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct CustomerRef {
    /// Its id.
    pub id: CustomerId,
    /// Its name.
    pub name: Line,
}

/// A contract as other records show it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContractRef {
    /// Its id.
    pub id: ContractId,
    /// Its number.
    pub number: Number,
    /// Its title.
    pub title: Line,
}

/// An opportunity as other records show it.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct OpportunityRef {
    /// Its id.
    pub id: OpportunityId,
    /// In one line.
    pub name: Line,
}

/// A contact as other records show it: nothing that is masked in the pool.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct ContactRef {
    /// Its id.
    pub id: ContactId,
    /// The person's name.
    pub name: Line,
    /// Position.
    #[schema(required)]
    pub title: Option<Line>,
}

impl From<&Customer> for CustomerRef {
    fn from(customer: &Customer) -> Self {
        Self { id: customer.id, name: customer.details.name.clone() }
    }
}

impl From<&Contract> for ContractRef {
    fn from(contract: &Contract) -> Self {
        Self { id: contract.id, number: contract.number.clone(), title: contract.details.title.clone() }
    }
}

impl From<&Opportunity> for OpportunityRef {
    fn from(opportunity: &Opportunity) -> Self {
        Self { id: opportunity.id, name: opportunity.details.name.clone() }
    }
}

impl From<&Contact> for ContactRef {
    fn from(contact: &Contact) -> Self {
        let details = &contact.details;
        Self { id: contact.id, name: details.name.clone(), title: details.title.clone() }
    }
}

/// Declares a relation: the member that stands beside the id, of what type it is, and which words of `include` ask for
/// it and for what is in it.
macro_rules! relation {
    (
        $(#[doc = $doc:literal])* $with:ident,
        $(#[doc = $about:literal])* $member:ident: $shown:ident, $words:expr
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, Default, Serialize, ToSchema)]
        pub struct $with {
            $(#[doc = $about])*
            #[serde(skip_serializing_if = "Option::is_none")]
            #[schema(value_type = Option<$shown>)]
            pub $member: Option<Option<$shown>>,
        }

        impl $with {
            /// What `include` takes for it.
            pub const WORDS: &'static [&'static str] = &$words;
        }
    };
}

relation!(/// The owner beside its id.
    WithOwner, /// The owner, where `include` names it: null where there is none.
    owner: UserRef, ["owner"]);
relation!(/// The customer beside its id.
    WithCustomer,
    /// The customer, where `include` names it: null where there is none, or none that the caller may see.
    customer: RelatedCustomer, ["customer", "customer.owner"]);
relation!(/// The contract beside its id.
    WithContract,
    /// The contract, where `include` names it: null where there is none, or none that the caller may see.
    contract: RelatedContract, ["contract", "contract.owner", "contract.customer"]);
relation!(/// The customer of a contract that is included itself: relations end here.
    WithCustomerOfContract,
    /// The customer, where `include` names it: null where the caller may not see it.
    customer: CustomerRef, ["customer"]);
relation!(/// The opportunity beside its id.
    WithOpportunity,
    /// The opportunity, where `include` names it: null where there is none, or none that the caller may see.
    opportunity: OpportunityRef, ["opportunity"]);
relation!(/// The primary contact of a customer.
    WithPrimaryContact,
    /// The primary contact, where `include` names it: null where there is none, or none that the caller may see.
    primary_contact: ContactRef, ["primary_contact"]);

/// A customer that a row includes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RelatedCustomer {
    /// The customer.
    #[serde(flatten)]
    pub record: CustomerRef,
    /// Who owns it; null in a pool.
    #[schema(required)]
    pub owner_id: Option<UserId>,
    /// Where it was asked to be included.
    #[serde(flatten)]
    pub owner: WithOwner,
}

/// A contract that a row includes.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct RelatedContract {
    /// The contract.
    #[serde(flatten)]
    pub record: ContractRef,
    /// Who owns it.
    pub owner_id: UserId,
    /// Whose contract it is.
    pub customer_id: CustomerId,
    /// Where it was asked to be included.
    #[serde(flatten)]
    pub owner: WithOwner,
    /// Where it was asked to be included.
    #[serde(flatten)]
    pub customer: WithCustomerOfContract,
}

/// What a query asked to include of a record. Each summary takes what its list lets be included. What was not asked for
/// is absent from the answer, and what was asked for and is not there is null in it: whoever reads a record can tell the
/// two apart.
#[derive(Debug, Clone, Default, Serialize)]
pub struct Included {
    /// The owner.
    #[serde(flatten)]
    pub owner: WithOwner,
    /// The customer.
    #[serde(flatten)]
    pub customer: WithCustomer,
    /// The contract.
    #[serde(flatten)]
    pub contract: WithContract,
    /// The opportunity.
    #[serde(flatten)]
    pub opportunity: WithOpportunity,
    /// The primary contact.
    #[serde(flatten)]
    pub primary_contact: WithPrimaryContact,
}

/// A record that is read alone, with what was asked to be included of what its list includes. The answers of writes have
/// the bare view.
#[derive(Debug, Clone, Serialize)]
pub struct Related<V> {
    /// What the caller sees of the record itself.
    #[serde(flatten)]
    pub view: V,
    /// What was asked for besides.
    #[serde(flatten)]
    pub included: Included,
}

impl<V: Versioned> Versioned for Related<V> {
    fn version(&self) -> i64 {
        self.view.version()
    }
}

/// Declares what callers see of a record: alone with `allowed_actions`, in lists with what they include.
macro_rules! views {
    (
        $record:ident, $(#[doc = $doc:literal])* $view:ident,
        $(#[doc = $summary_doc:literal])* $summary:ident, $relations:tt
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
        pub struct $view {
            /// The record.
            #[serde(flatten)]
            pub record: $record,
            /// What the caller may do with it now. What depends on what a call says, such as how many customers the
            /// user owns who is to receive one, is judged when it is done.
            #[schema(max_items = 20)]
            pub allowed_actions: Vec<fairlead_domain::workflow::AllowedAction>,
        }

        impl $crate::call::Versioned for $view {
            fn version(&self) -> i64 {
                self.record.version
            }
        }

        $crate::views::summary!($record, $(#[doc = $summary_doc])* $summary, $relations);
    };
}
pub(crate) use views;

/// Declares what lists show of a record, and which relations they let be included: what cannot be, is no member.
macro_rules! summary {
    (
        $record:ident, $(#[doc = $doc:literal])* $summary:ident,
        [$($relation:ident: $with:ident),*]
    ) => {
        $(#[doc = $doc])*
        #[derive(Debug, Clone, serde::Serialize, utoipa::ToSchema)]
        pub struct $summary {
            /// The record.
            #[serde(flatten)]
            pub record: $record,
            $(
                /// Where it was asked to be included.
                #[serde(flatten)]
                pub $relation: $crate::views::$with,
            )*
        }

        impl $summary {
            /// What `include` takes in a list of these.
            pub const INCLUDES: &'static [&'static [&'static str]] = &[$($crate::views::$with::WORDS),*];
        }

        impl From<($record, $crate::views::Included)> for $summary {
            fn from(row: ($record, $crate::views::Included)) -> Self {
                Self { record: row.0, $($relation: row.1.$relation),* }
            }
        }
    };
}
pub(crate) use summary;
