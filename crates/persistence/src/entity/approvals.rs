use fairlead_domain::approval::{
    Approval, ApprovalFlow, Delegation, DelegationDetails, FlowDetails, FlowVersion, Outcome,
};
use fairlead_domain::customer_change::CustomerChange;
use fairlead_domain::transfer::{Transfer, TransferDetails, TransferItem};

use crate::member::members;
use crate::stored::{kept, stored};

stored!(Approval, "approvals" {
    id, subject_kind, subject_id, subject_number, subject_version, amount, requester_id, owner_id,
    beneficiary_id, customer_id, flow_version, steps, step, waiting_for, waiting_since, reminded_at,
    trail, status, decided_at, snapshot, version, created_at, updated_at,
});

members!(FlowDetails { enabled, customer_grades, steps });
stored!(ApprovalFlow, "approval_flows" { id, subject_kind, details, version, created_at, updated_at });
members!(FlowVersion { id, flow_id, version, details, created_by, created_at });
kept!(FlowVersion, "approval_flow_versions");

members!(DelegationDetails { user_id, delegate_id, starts_at, ends_at, subject_kinds, reason });
stored!(Delegation, "delegations" { id, details, created_by, version, created_at, updated_at });

members!(Outcome { status, decided_at });

members!(TransferDetails { kind, record_ids, to_user_id, reason, include_opportunities, include_contracts });
stored!(Transfer, "transfers" {
    id, number, details, owner_id, customer_ids, outcome, created_by, version, created_at, updated_at,
});

members!(TransferItem { id, transfer_id, record_kind, record_id, included, pending, created_at });
kept!(TransferItem, "transfer_items");

stored!(CustomerChange, "customer_changes" {
    id, number, customer_id, owner_id, reason, before, after, outcome, created_by, version, created_at,
    updated_at,
});
