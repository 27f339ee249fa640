//! Use cases: what one may ask of Fairlead, each as one function. They open the unit of work, load what a
//! rule needs, let the domain decide, and save.

pub mod activities;
pub mod admin;
mod app;
pub mod approvals;
pub mod audit;
mod call;
mod change;
mod clock;
pub mod contacts;
pub mod contracts;
pub mod customers;
pub mod demo;
pub mod invoices;
pub mod leads;
mod lists;
pub mod opportunities;
mod passwords;
pub mod payments;
pub mod pipelines;
pub mod pool;
pub mod roles;
pub mod session;
pub mod teams;
mod throttle;
mod tokens;
pub mod users;
pub mod verify;
mod views;
pub mod workflows;

pub use app::{App, AppConfig, DatabaseConfig, OpenError};
pub use call::{
    Call, Caller, Done, Expected, Failure, IdempotencyKey, Page, PageInfo, Read, Versioned, Written,
};
pub use clock::{Clock, SystemClock};
pub use fairlead_persistence::StoreError;
pub use fairlead_persistence::query::listing;
pub use views::{ContractRef, CustomerRef, Included};
