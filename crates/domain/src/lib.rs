//! The rules of Fairlead: who may, what may happen, and what adds up.
//!
//! Pure code: no I/O, no clock, no ORM, no HTTP. Whoever calls gives the time, the ids and the facts, and
//! gets a new value or a [`Refusal`](error::Refusal).

pub mod access;
pub mod activity;
pub mod amendment;
pub mod approval;
pub mod attachment;
pub mod audit;
pub mod catalogue;
pub mod contact;
pub mod context;
pub mod contract;
pub mod customer;
pub mod customer_change;
pub mod dependents;
pub mod error;
#[cfg(test)]
mod fixtures;
pub mod invoice;
pub mod job;
pub mod lead;
pub mod merge;
pub mod notification;
pub mod opportunity;
pub mod organisation;
pub mod patch;
pub mod payment;
pub mod person;
pub mod pipeline;
pub mod pool;
pub mod receipt;
pub mod record;
pub mod saved_view;
pub mod search;
pub mod session;
pub mod settings;
pub mod target;
pub mod timeline;
pub mod transfer;
pub mod valid;
pub mod values;
pub mod webhook;
pub mod workflow;
