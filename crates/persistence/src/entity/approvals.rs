use fairlead_domain::approval::Approval;

use crate::stored::stored;

stored!(Approval, "approvals" {
    id, subject_kind, subject_id, subject_number, subject_version, amount, requester_id, owner_id,
    customer_id, flow_version, steps, step, waiting_for, status, decided_at, snapshot, version, created_at,
    updated_at,
});
