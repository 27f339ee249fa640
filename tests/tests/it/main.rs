//! End-to-end tests: the real binary, over HTTP, on SQLite and on PostgreSQL.

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
