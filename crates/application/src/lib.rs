//! Use cases: what one may ask of Fairlead, each as one function. They open the unit of work, load what a
//! rule needs, let the domain decide, and save.

pub mod activities;
pub mod admin;
pub mod amendments;
mod app;
pub mod approval_flows;
pub mod approvals;
pub mod assignment_rules;
pub mod attachments;
pub mod audit;
mod bulk;
mod call;
pub mod catalogue;
mod change;
mod clock;
pub mod collaborators;
pub mod contacts;
pub mod contract_document;
pub mod contracts;
pub mod credit_notes;
pub mod customer_changes;
pub mod customers;
pub mod delegations;
pub mod demo;
pub mod dictionaries;
pub mod events;
pub mod fields;
pub mod handover;
pub mod invoices;
pub mod jobs;
pub mod lead_forms;
pub mod leads;
mod likeness;
mod lists;
mod merging;
pub mod notifications;
pub mod opportunities;
mod passwords;
pub mod payments;
pub mod people;
pub mod pipelines;
pub mod pool;
pub mod pools;
pub mod query;
pub mod receipts;
pub mod refunds;
pub mod reindex;
pub mod reports;
pub mod roles;
pub mod saved_views;
pub mod scoring_rules;
pub mod search;
pub mod session;
pub mod settings;
pub mod sync;
pub mod targets;
pub mod teams;
mod throttle;
mod tokens;
pub mod transfers;
pub mod users;
pub mod verify;
mod views;
mod visibility;
pub mod webhooks;
pub mod workflows;

pub use app::{App, AppConfig, DatabaseConfig, OpenError};
pub use call::{
    Call, Caller, Done, Expected, Failure, Flag, IdempotencyKey, Page, PageInfo, Read, Versioned, Written,
};
pub use clock::{Clock, SystemClock};
pub use fairlead_persistence::StoreError;
pub use fairlead_persistence::files::{FilesConfig, S3Config};
pub use fairlead_persistence::query::{groups, listing};
pub use throttle::{Budget, stands_for};
pub use views::{
    ContactRef, ContractRef, CustomerRef, Included, OpportunityRef, Related, RelatedContract,
    RelatedCustomer, WithContract, WithCustomer, WithCustomerOfContract, WithOpportunity, WithOwner,
    WithPrimaryContact,
};
