use fairlead_domain::approval::Approval;
use fairlead_domain::transfer::{Transfer, TransferDetails, TransferItem};

use crate::member::members;
use crate::stored::{kept, stored};

stored!(Approval, "approvals" {
    id, subject_kind, subject_id, subject_number, subject_version, amount, requester_id, owner_id,
    beneficiary_id, customer_id, flow_version, steps, step, waiting_for, status, decided_at, snapshot, version, created_at,
    updated_at,
});

members!(TransferDetails { kind, record_ids, to_user_id, reason, include_opportunities, include_contracts });
stored!(Transfer, "transfers" {
    id, number, details, owner_id, customer_ids, status, decided_at, created_by, version, created_at, updated_at,
});

members!(TransferItem { id, transfer_id, record_kind, record_id, included, pending, created_at });
kept!(TransferItem, "transfer_items");
