//! End-to-end tests: the real binary, over HTTP, on SQLite and on PostgreSQL.

// A test fails by panicking; and everything here is seen by its own crate only.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

#[macro_use]
mod support;

mod browser;
mod document;
mod faults;
mod input;
mod journey;
mod lists;
mod machines;
mod matrix;
mod races;
mod security;
mod smoke;
