//! Reading a request: who asks, under which conditions, and with which body.

pub(crate) mod body;
pub(crate) mod condition;
pub(crate) mod idempotency;
pub(crate) mod limit;
pub(crate) mod negotiate;
pub(crate) mod origin;
pub(crate) mod query;
pub(crate) mod range;
pub(crate) mod token;
pub(crate) mod traceparent;
