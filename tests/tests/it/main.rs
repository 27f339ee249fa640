//! End-to-end tests: the real binary, over HTTP, on SQLite and on PostgreSQL.

// A test fails by panicking; and everything here is seen by its own crate only.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

#[macro_use]
mod support;

mod activities;
mod amendments;
mod approvals;
mod attachments;
mod background;
mod billing;
mod browser;
mod catalogue;
mod conditions;
mod constraints;
mod dictionaries;
mod document;
mod duties;
mod edits;
mod events;
mod faults;
mod guides;
mod includes;
mod input;
mod interleaved;
mod journey;
mod languages;
mod lapsing;
mod leads;
mod lists;
mod long;
mod machines;
mod matrix;
mod merging;
mod model;
mod money;
mod offers;
mod outlook;
mod people;
mod personal;
mod pipelines;
mod plans;
mod pool;
mod races;
mod receipts;
mod receivables;
mod related;
mod search;
mod security;
mod smoke;
mod starting;
mod sync;
mod targets;
mod transfers;
mod verify;
mod webhooks;
