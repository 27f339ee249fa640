CREATE TABLE approvals (
    id {uuid} PRIMARY KEY,
    subject_kind TEXT NOT NULL,
    subject_id {uuid} NOT NULL,
    subject_number TEXT NOT NULL,
    subject_version BIGINT NOT NULL,
    amount_minor BIGINT,
    amount_currency CHAR(3),
    requester_id {uuid} NOT NULL REFERENCES users (id),
    owner_id {uuid} REFERENCES users (id),
    beneficiary_id {uuid} REFERENCES users (id),
    customer_id {uuid} REFERENCES customers (id),
    flow_version BIGINT NOT NULL,
    steps {json} NOT NULL,
    step BIGINT NOT NULL,
    waiting_for TEXT,
    waiting_since {instant} NOT NULL,
    reminded_at {instant},
    trail {json} NOT NULL,
    status TEXT NOT NULL,
    decided_at {instant},
    snapshot {json} NOT NULL,
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK ((amount_minor IS NULL) = (amount_currency IS NULL)),
    CHECK ((status = 'pending') = (waiting_for IS NOT NULL))
);
CREATE UNIQUE INDEX approvals_pending ON approvals (subject_id) WHERE status = 'pending';
CREATE INDEX approvals_subject_id ON approvals (subject_id);
CREATE INDEX approvals_customer_id ON approvals (customer_id);
CREATE INDEX approvals_waiting_for ON approvals (waiting_for);
CREATE INDEX approvals_created_at ON approvals (created_at, id);

CREATE INDEX approvals_waiting_since ON approvals (waiting_since, id) WHERE status = 'pending';

-- Nobody decides twice, and no step is decided twice, whatever the code above thinks. Where each of several must
-- agree, each has a seat; elsewhere there is one. What was returned is decided anew.
CREATE TABLE approval_decisions (
    id {uuid} PRIMARY KEY,
    approval_id {uuid} NOT NULL REFERENCES approvals (id),
    step BIGINT NOT NULL,
    seat {uuid} NOT NULL,
    user_id {uuid} NOT NULL REFERENCES users (id),
    on_behalf_of {uuid} REFERENCES users (id),
    outcome TEXT NOT NULL,
    void {boolean} NOT NULL,
    decided_at {instant} NOT NULL
);
CREATE UNIQUE INDEX approval_decisions_seat ON approval_decisions (approval_id, step, seat) WHERE NOT void;
CREATE UNIQUE INDEX approval_decisions_user_id ON approval_decisions (approval_id, user_id) WHERE NOT void;
CREATE INDEX approval_decisions_by ON approval_decisions (user_id);
CREATE INDEX approval_decisions_for ON approval_decisions (on_behalf_of);

CREATE TABLE customer_changes (
    id {uuid} PRIMARY KEY,
    number TEXT NOT NULL,
    customer_id {uuid} NOT NULL REFERENCES customers (id),
    owner_id {uuid} REFERENCES users (id),
    reason TEXT,
    before {json} NOT NULL,
    after {json} NOT NULL,
    status TEXT NOT NULL,
    decided_at {instant},
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);
CREATE UNIQUE INDEX customer_changes_number ON customer_changes (number);
CREATE UNIQUE INDEX customer_changes_pending ON customer_changes (customer_id) WHERE status = 'pending';
CREATE INDEX customer_changes_customer_id ON customer_changes (customer_id);
CREATE INDEX customer_changes_owner_id ON customer_changes (owner_id, created_at, id);
CREATE INDEX customer_changes_created_at ON customer_changes (created_at, id);

CREATE TABLE approval_flows (
    id {uuid} PRIMARY KEY,
    subject_kind TEXT NOT NULL,
    enabled {boolean} NOT NULL,
    customer_grades {json} NOT NULL,
    steps {json} NOT NULL,
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);
CREATE UNIQUE INDEX approval_flows_subject_kind ON approval_flows (subject_kind);

CREATE TABLE approval_flow_versions (
    id {uuid} PRIMARY KEY,
    flow_id {uuid} NOT NULL REFERENCES approval_flows (id),
    version BIGINT NOT NULL,
    enabled {boolean} NOT NULL,
    customer_grades {json} NOT NULL,
    steps {json} NOT NULL,
    created_by {uuid} REFERENCES users (id),
    created_at {instant} NOT NULL
);
CREATE UNIQUE INDEX approval_flow_versions_flow_id ON approval_flow_versions (flow_id, version);

CREATE TABLE delegations (
    id {uuid} PRIMARY KEY,
    user_id {uuid} NOT NULL REFERENCES users (id),
    delegate_id {uuid} NOT NULL REFERENCES users (id),
    starts_at {instant} NOT NULL,
    ends_at {instant} NOT NULL,
    subject_kinds {json} NOT NULL,
    reason TEXT,
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK (user_id <> delegate_id),
    CHECK (starts_at < ends_at)
);
CREATE INDEX delegations_user_id ON delegations (user_id);
CREATE INDEX delegations_delegate_id ON delegations (delegate_id);

-- Change of hands by approval ----------------------------------------------------------------------

CREATE TABLE transfers (
    id {uuid} PRIMARY KEY,
    number TEXT NOT NULL,
    kind TEXT NOT NULL,
    record_ids {json} NOT NULL,
    to_user_id {uuid} NOT NULL REFERENCES users (id),
    reason TEXT NOT NULL,
    include_opportunities {boolean} NOT NULL,
    include_contracts {boolean} NOT NULL,
    owner_id {uuid} NOT NULL REFERENCES users (id),
    customer_ids {json} NOT NULL,
    status TEXT NOT NULL,
    decided_at {instant},
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);
CREATE UNIQUE INDEX transfers_number ON transfers (number);
CREATE INDEX transfers_owner_id ON transfers (owner_id, created_at, id);
CREATE INDEX transfers_to_user_id ON transfers (to_user_id);
CREATE INDEX transfers_created_at ON transfers (created_at, id);

CREATE TABLE transfer_items (
    id {uuid} PRIMARY KEY,
    transfer_id {uuid} NOT NULL REFERENCES transfers (id),
    record_kind TEXT NOT NULL,
    record_id {uuid} NOT NULL,
    included {boolean} NOT NULL,
    pending {boolean} NOT NULL,
    created_at {instant} NOT NULL
);
CREATE INDEX transfer_items_transfer_id ON transfer_items (transfer_id, id);
-- A record waits for one transfer at a time.
CREATE UNIQUE INDEX transfer_items_pending ON transfer_items (record_id) WHERE pending;
CREATE INDEX transfer_items_record_id ON transfer_items (record_id);
