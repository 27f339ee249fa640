use fairlead_domain::job::{Job, JobItem};
use fairlead_domain::saved_view::{SavedView, SavedViewDetails};

use crate::member::members;
use crate::stored::{kept, stored};

stored!(Job, "jobs" {
    id, kind, status, parameters, total, examined, changed, warned, failed, problem, position, business_day,
    created_by, started_at, finished_at, leased_until, version, created_at, updated_at,
});

members!(JobItem {
    id,
    job_id,
    record_kind,
    record_id,
    owner_id,
    outcome,
    reason,
    detail,
    errors,
    figures,
    created_at,
});
kept!(JobItem, "job_items");

members!(SavedViewDetails { resource, name, query, shared_with_team_id });
stored!(SavedView, "saved_views" { id, details, owner_id, version, created_at, updated_at });
