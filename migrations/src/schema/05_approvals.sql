CREATE TABLE approvals (
    id {uuid} PRIMARY KEY,
    subject_kind TEXT NOT NULL,
    subject_id {uuid} NOT NULL,
    subject_number TEXT NOT NULL,
    subject_version BIGINT NOT NULL,
    amount_minor BIGINT,
    amount_currency CHAR(3),
    requester_id {uuid} NOT NULL REFERENCES users (id),
    owner_id {uuid} NOT NULL REFERENCES users (id),
    beneficiary_id {uuid} REFERENCES users (id),
    customer_id {uuid} REFERENCES customers (id),
    flow_version BIGINT NOT NULL,
    steps {json} NOT NULL,
    step BIGINT NOT NULL,
    waiting_for TEXT,
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
CREATE INDEX approvals_waiting_for ON approvals (waiting_for);
CREATE INDEX approvals_created_at ON approvals (created_at, id);

-- Nobody decides twice, and no step is decided twice, whatever the code above thinks.
CREATE TABLE approval_decisions (
    approval_id {uuid} NOT NULL REFERENCES approvals (id),
    step BIGINT NOT NULL,
    user_id {uuid} NOT NULL REFERENCES users (id),
    outcome TEXT NOT NULL,
    decided_at {instant} NOT NULL,
    PRIMARY KEY (approval_id, step)
);
CREATE UNIQUE INDEX approval_decisions_user_id ON approval_decisions (approval_id, user_id);

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
