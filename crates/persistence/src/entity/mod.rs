//! Which members of each record are kept, and where.

mod approvals;
mod contracts;
mod customers;
mod jobs;
mod leads;
mod opportunities;
mod organisation;
mod payments;
mod webhooks;
