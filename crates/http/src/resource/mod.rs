//! The API's resources. Each declares its operations: path, words, use case, permission, and what it may
//! refuse with.

mod activities;
mod approvals;
mod audit_events;
mod contacts;
mod contracts;
mod customers;
mod health;
mod invoices;
mod leads;
mod opportunities;
mod payments;
mod pipelines;
mod public_pool;
mod roles;
mod session;
mod teams;
mod users;
mod workflows;

use crate::api::Api;

/// All operations, in the order in which the specification shows them.
pub(crate) fn api() -> Api {
    let resources = [
        session::routes,
        leads::routes,
        customers::routes,
        public_pool::routes,
        contacts::routes,
        activities::routes,
        pipelines::routes,
        opportunities::routes,
        contracts::routes,
        invoices::routes,
        payments::routes,
        approvals::routes,
        users::routes,
        teams::routes,
        roles::routes,
        audit_events::routes,
        workflows::routes,
        health::routes,
    ];
    let mut api = Api::default();
    for declare in resources {
        declare(&mut api);
    }
    api
}
