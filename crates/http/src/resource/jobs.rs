//! Background jobs.

use fairlead_application::jobs::{self, verify};
use fairlead_domain::access::Permission;

use crate::api::Api;

pub(crate) fn routes(api: &mut Api) {
    api.tag("Jobs", "Work that takes longer than a request, with its progress and its record.")
        .list("/jobs", "list_jobs", "List jobs", "The newest first.", &jobs::LISTING, jobs::list)
        .needs(Permission::SettingsRead)
        .begin(
            ("/verifications", "/jobs"),
            "run_verification",
            "Recompute every sum",
            "What `fairlead verify` does, in the background: sums of contracts, invoices, installments and payments, records \
             that contradict each other, the chain of the audit trail. The job's `failed` counts the differences, its items \
             tell them.",
            verify::start,
        )
        .needs(Permission::SettingsManage)
        .get("/jobs/{id}", "get_job", "Get a job", "With its progress.", jobs::get)
        .needs(Permission::SettingsRead)
        .list_of(
            "/jobs/{id}/items",
            "list_job_items",
            "List what a job did",
            "Record by record, and why.",
            &jobs::ITEMS,
            jobs::items,
        )
        .tells_parts()
        .needs(Permission::SettingsRead);
}
