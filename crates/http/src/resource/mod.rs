//! The API's resources. Each declares its operations: path, words, use case, permission, and what it may
//! refuse with.

mod activities;
mod amendments;
mod approval_flows;
mod approvals;
mod assignment_rules;
mod audit_events;
mod catalogue;
mod collaborators;
mod contacts;
mod contracts;
mod credit_notes;
mod customer_changes;
mod customers;
mod dictionaries;
mod events;
mod health;
mod invoices;
mod jobs;
mod lead_forms;
mod leads;
mod notifications;
mod opportunities;
mod payments;
mod people;
mod pipelines;
mod public_pool;
mod receipts;
mod refunds;
mod reports;
mod roles;
mod saved_views;
mod scoring_rules;
mod search;
mod session;
mod settings;
mod sync;
mod targets;
mod teams;
mod transfers;
mod users;
mod webhooks;
mod workflows;

use crate::api::Api;

/// All operations, in the order in which the specification shows them: along the sales chain, then what is
/// configured, then what machines ask.
pub(crate) fn api() -> Api {
    let resources = [
        session::routes,
        search::routes,
        people::routes,
        leads::routes,
        customers::routes,
        public_pool::routes,
        contacts::routes,
        collaborators::routes,
        activities::routes,
        opportunities::routes,
        contracts::routes,
        amendments::routes,
        invoices::routes,
        credit_notes::routes,
        payments::routes,
        refunds::routes,
        receipts::routes,
        targets::routes,
        reports::routes,
        approvals::routes,
        transfers::routes,
        customer_changes::routes,
        notifications::routes,
        events::routes,
        sync::routes,
        webhooks::routes,
        saved_views::routes,
        lead_forms::routes,
        scoring_rules::routes,
        assignment_rules::routes,
        pipelines::routes,
        catalogue::routes,
        approval_flows::routes,
        users::routes,
        teams::routes,
        roles::routes,
        settings::routes,
        jobs::routes,
        audit_events::routes,
        workflows::routes,
        dictionaries::routes,
        health::routes,
    ];
    let mut api = Api::default();
    for declare in resources {
        declare(&mut api);
    }
    api
}
