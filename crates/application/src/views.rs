//! What callers see of records: the record, what they may do with it, and what they asked to include.

use fairlead_domain::contract::Contract;
use fairlead_domain::customer::Customer;
use fairlead_domain::organisation::UserRef;
use fairlead_domain::values::{ContractId, CustomerId, Line, Number};
use serde::Serialize;
use utoipa::ToSchema;

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

/// The owner beside its id.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct WithOwner {
    /// The owner, with `include=owner`: null where there is none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<UserRef>)]
    pub owner: Option<Option<UserRef>>,
}

/// The customer beside its id.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct WithCustomer {
    /// The customer, with `include=customer`: null where there is none, or none that the caller may see.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<CustomerRef>)]
    pub customer: Option<Option<CustomerRef>>,
}

/// The contract beside its id.
#[derive(Debug, Clone, Default, Serialize, ToSchema)]
pub struct WithContract {
    /// The contract, with `include=contract`: null where there is none, or none that the caller may see.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<ContractRef>)]
    pub contract: Option<Option<ContractRef>>,
}

/// What a query asked to include of a row. Each summary takes what its list lets be included. What was not asked for is
/// absent from the answer, and what was asked for and is not there is null in it: whoever reads a row can tell the two
/// apart.
#[derive(Debug, Clone, Default)]
pub struct Included {
    /// The owner.
    pub owner: WithOwner,
    /// The customer.
    pub customer: WithCustomer,
    /// The contract.
    pub contract: WithContract,
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
            /// What the caller may do with it now. What depends on sums and limits, such as how many customers
            /// somebody may own, is judged when it is done.
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
            pub const INCLUDES: &'static [&'static str] = &[$(stringify!($relation)),*];
        }

        impl From<($record, $crate::views::Included)> for $summary {
            fn from(row: ($record, $crate::views::Included)) -> Self {
                Self { record: row.0, $($relation: row.1.$relation),* }
            }
        }
    };
}
pub(crate) use summary;
