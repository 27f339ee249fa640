-- Access -----------------------------------------------------------------------------------------

-- One row: its epoch is bumped by every change that access depends on.
CREATE TABLE organisation (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    epoch BIGINT NOT NULL
);
INSERT INTO organisation (id, epoch) VALUES (1, 1);

CREATE TABLE teams (
    id {uuid} PRIMARY KEY,
    name TEXT NOT NULL,
    parent_id {uuid} REFERENCES teams (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);

CREATE TABLE roles (
    id {uuid} PRIMARY KEY,
    key TEXT NOT NULL,
    name TEXT NOT NULL,
    description TEXT,
    grants {json} NOT NULL,
    built_in {boolean} NOT NULL,
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);
CREATE UNIQUE INDEX roles_key ON roles (key);

CREATE TABLE users (
    id {uuid} PRIMARY KEY,
    email TEXT NOT NULL,
    email_key TEXT NOT NULL,
    display_name TEXT NOT NULL,
    team_id {uuid} REFERENCES teams (id),
    roles {json} NOT NULL,
    locale TEXT NOT NULL,
    status TEXT NOT NULL,
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);
CREATE UNIQUE INDEX users_email_key ON users (email_key);
CREATE INDEX users_team_id ON users (team_id);

CREATE TABLE credentials (
    user_id {uuid} PRIMARY KEY REFERENCES users (id),
    password_hash TEXT NOT NULL,
    updated_at {instant} NOT NULL
);

CREATE TABLE sessions (
    id {uuid} PRIMARY KEY,
    user_id {uuid} NOT NULL REFERENCES users (id),
    created_at {instant} NOT NULL,
    last_used_at {instant} NOT NULL,
    expires_at {instant} NOT NULL,
    client TEXT NOT NULL,
    ended_at {instant}
);
CREATE INDEX sessions_user_id ON sessions (user_id);

-- Every refresh token of a session, by its hash. A second use of one ends the session.
CREATE TABLE refresh_tokens (
    hash {bytes} PRIMARY KEY,
    session_id {uuid} NOT NULL REFERENCES sessions (id),
    created_at {instant} NOT NULL,
    used_at {instant}
);
CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id);

CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    secret {bytes} NOT NULL,
    created_at {instant} NOT NULL
);

-- Customers and leads ----------------------------------------------------------------------------

CREATE TABLE customers (
    id {uuid} PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    registration_number TEXT,
    registration_key TEXT,
    source TEXT,
    grade TEXT,
    industry TEXT,
    region TEXT,
    address TEXT,
    scale TEXT,
    phone TEXT,
    phone_key TEXT,
    email TEXT,
    email_key TEXT,
    website TEXT,
    tags {json} NOT NULL,
    tax_profile {json},
    note TEXT,
    owner_id {uuid} REFERENCES users (id),
    lifecycle TEXT NOT NULL,
    last_activity_at {instant},
    next_activity_at {instant},
    owned_since {instant},
    pooled_at {instant},
    pool_reason TEXT,
    previous_owner_id {uuid} REFERENCES users (id),
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK ((owner_id IS NULL) = (pooled_at IS NOT NULL))
);
CREATE UNIQUE INDEX customers_registration_key ON customers (registration_key);
CREATE INDEX customers_owner_id ON customers (owner_id, created_at, id);
CREATE INDEX customers_created_at ON customers (created_at, id);
CREATE INDEX customers_name ON customers (name, id);
CREATE INDEX customers_phone_key ON customers (phone_key);
CREATE INDEX customers_email_key ON customers (email_key);

CREATE TABLE ownership_history (
    id {uuid} PRIMARY KEY,
    customer_id {uuid} NOT NULL REFERENCES customers (id),
    from_id {uuid} REFERENCES users (id),
    to_id {uuid} REFERENCES users (id),
    cause TEXT NOT NULL,
    note TEXT,
    actor_id {uuid} REFERENCES users (id),
    occurred_at {instant} NOT NULL
);
CREATE INDEX ownership_history_customer_id ON ownership_history (customer_id, occurred_at);
CREATE INDEX ownership_history_to_id ON ownership_history (to_id, cause, occurred_at);

CREATE TABLE contacts (
    id {uuid} PRIMARY KEY,
    customer_id {uuid} NOT NULL REFERENCES customers (id),
    name TEXT NOT NULL,
    title TEXT,
    department TEXT,
    phone TEXT,
    email TEXT,
    wechat TEXT,
    birthday {date},
    decision_role TEXT,
    is_primary {boolean} NOT NULL,
    note TEXT,
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);
CREATE INDEX contacts_customer_id ON contacts (customer_id);
CREATE UNIQUE INDEX contacts_primary ON contacts (customer_id) WHERE is_primary;

CREATE TABLE pipelines (
    id {uuid} PRIMARY KEY,
    name TEXT NOT NULL,
    is_default {boolean} NOT NULL,
    stages {json} NOT NULL,
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);
CREATE UNIQUE INDEX pipelines_default ON pipelines (is_default) WHERE is_default;

CREATE TABLE opportunities (
    id {uuid} PRIMARY KEY,
    name TEXT NOT NULL,
    customer_id {uuid} NOT NULL REFERENCES customers (id),
    pipeline_id {uuid} NOT NULL REFERENCES pipelines (id),
    primary_contact_id {uuid} REFERENCES contacts (id),
    amount_minor BIGINT,
    amount_currency CHAR(3),
    expected_close_on {date},
    source TEXT,
    grade TEXT,
    forecast_category TEXT NOT NULL,
    competitors {json} NOT NULL,
    note TEXT,
    owner_id {uuid} NOT NULL REFERENCES users (id),
    status TEXT NOT NULL,
    stage_id {uuid} NOT NULL,
    probability BIGINT NOT NULL,
    stage_entered_at {instant} NOT NULL,
    returns_to_stage_id {uuid},
    loss_reason TEXT,
    lost_to TEXT,
    contract_id {uuid},
    closed_at {instant},
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK ((amount_minor IS NULL) = (amount_currency IS NULL))
);
CREATE INDEX opportunities_owner_id ON opportunities (owner_id, created_at, id);
CREATE INDEX opportunities_customer_id ON opportunities (customer_id);
CREATE INDEX opportunities_pipeline_id ON opportunities (pipeline_id, stage_id);
CREATE INDEX opportunities_created_at ON opportunities (created_at, id);

CREATE TABLE leads (
    id {uuid} PRIMARY KEY,
    name TEXT NOT NULL,
    company TEXT,
    title TEXT,
    phone TEXT,
    phone_key TEXT,
    email TEXT,
    email_key TEXT,
    source TEXT NOT NULL,
    campaign TEXT,
    region TEXT,
    industry TEXT,
    interest TEXT,
    budget_minor BIGINT,
    budget_currency CHAR(3),
    expected_purchase_on {date},
    tags {json} NOT NULL,
    note TEXT,
    owner_id {uuid} REFERENCES users (id),
    status TEXT NOT NULL,
    disqualify_reason TEXT,
    response_due_at {instant},
    first_responded_at {instant},
    last_activity_at {instant},
    converted_customer_id {uuid} REFERENCES customers (id),
    converted_contact_id {uuid} REFERENCES contacts (id),
    converted_opportunity_id {uuid} REFERENCES opportunities (id),
    converted_at {instant},
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK ((status = 'converted') = (converted_customer_id IS NOT NULL))
);
CREATE INDEX leads_owner_id ON leads (owner_id, created_at, id);
CREATE INDEX leads_created_at ON leads (created_at, id);
CREATE INDEX leads_phone_key ON leads (phone_key);
CREATE INDEX leads_email_key ON leads (email_key);
CREATE INDEX leads_converted_customer_id ON leads (converted_customer_id);

CREATE TABLE activities (
    id {uuid} PRIMARY KEY,
    about_kind TEXT NOT NULL,
    about_id {uuid} NOT NULL,
    kind TEXT NOT NULL,
    subject TEXT NOT NULL,
    content TEXT,
    happened_at {instant},
    due_at {instant},
    next_step TEXT,
    next_step_at {instant},
    lead_id {uuid} REFERENCES leads (id),
    customer_id {uuid} REFERENCES customers (id),
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK (lead_id IS NOT NULL OR customer_id IS NOT NULL)
);
CREATE INDEX activities_lead_id ON activities (lead_id, created_at, id);
CREATE INDEX activities_customer_id ON activities (customer_id, created_at, id);
CREATE INDEX activities_about_id ON activities (about_id);
CREATE INDEX activities_created_at ON activities (created_at, id);

-- Money ------------------------------------------------------------------------------------------

-- The sums are the root of every limit: they change under this row's lock only, and the checks are the
-- last line behind the domain's rules.
CREATE TABLE contracts (
    id {uuid} PRIMARY KEY,
    number TEXT NOT NULL,
    title TEXT NOT NULL,
    customer_id {uuid} NOT NULL REFERENCES customers (id),
    amount_minor BIGINT NOT NULL,
    amount_currency CHAR(3) NOT NULL,
    line_items {json} NOT NULL,
    installments {json} NOT NULL,
    collection_scheme TEXT NOT NULL,
    signed_on {date},
    starts_on {date},
    ends_on {date},
    our_signer TEXT,
    customer_signer TEXT,
    terms TEXT,
    opportunity_id {uuid} REFERENCES opportunities (id),
    owner_id {uuid} NOT NULL REFERENCES users (id),
    status TEXT NOT NULL,
    invoice_committed_minor BIGINT NOT NULL,
    invoice_committed_currency CHAR(3) NOT NULL,
    invoiced_minor BIGINT NOT NULL,
    invoiced_currency CHAR(3) NOT NULL,
    received_minor BIGINT NOT NULL,
    received_currency CHAR(3) NOT NULL,
    paid_minor BIGINT NOT NULL,
    paid_currency CHAR(3) NOT NULL,
    end_reason TEXT,
    activated_at {instant},
    closed_at {instant},
    submitted_by {uuid} REFERENCES users (id),
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK (amount_minor > 0),
    CHECK (invoiced_minor BETWEEN 0 AND invoice_committed_minor),
    CHECK (invoice_committed_minor <= amount_minor),
    CHECK (paid_minor BETWEEN 0 AND received_minor),
    CHECK (received_minor <= amount_minor),
    CHECK (invoice_committed_currency = amount_currency AND invoiced_currency = amount_currency
        AND received_currency = amount_currency AND paid_currency = amount_currency)
);
CREATE UNIQUE INDEX contracts_number ON contracts (number);
-- A signing stage makes one contract; one that was given up makes room for another.
CREATE UNIQUE INDEX contracts_opportunity_id ON contracts (opportunity_id) WHERE status <> 'cancelled';
CREATE INDEX contracts_owner_id ON contracts (owner_id, created_at, id);
CREATE INDEX contracts_customer_id ON contracts (customer_id);
CREATE INDEX contracts_created_at ON contracts (created_at, id);

CREATE TABLE installments (
    id {uuid} PRIMARY KEY,
    contract_id {uuid} NOT NULL REFERENCES contracts (id),
    sequence BIGINT NOT NULL,
    due_on {date} NOT NULL,
    amount_minor BIGINT NOT NULL,
    amount_currency CHAR(3) NOT NULL,
    condition TEXT,
    allocated_minor BIGINT NOT NULL,
    allocated_currency CHAR(3) NOT NULL,
    paid_minor BIGINT NOT NULL,
    paid_currency CHAR(3) NOT NULL,
    closed {boolean} NOT NULL,
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK (paid_minor BETWEEN 0 AND allocated_minor),
    CHECK (allocated_minor <= amount_minor),
    CHECK (allocated_currency = amount_currency AND paid_currency = amount_currency)
);
CREATE UNIQUE INDEX installments_contract_id ON installments (contract_id, sequence);
CREATE INDEX installments_due_on ON installments (due_on);

CREATE TABLE invoices (
    id {uuid} PRIMARY KEY,
    number TEXT NOT NULL,
    contract_id {uuid} NOT NULL REFERENCES contracts (id),
    amount_minor BIGINT NOT NULL,
    amount_currency CHAR(3) NOT NULL,
    tax_rate BIGINT NOT NULL,
    kind TEXT NOT NULL,
    tax_profile {json},
    note TEXT,
    customer_id {uuid} NOT NULL REFERENCES customers (id),
    owner_id {uuid} NOT NULL REFERENCES users (id),
    status TEXT NOT NULL,
    allocated_minor BIGINT NOT NULL,
    allocated_currency CHAR(3) NOT NULL,
    paid_minor BIGINT NOT NULL,
    paid_currency CHAR(3) NOT NULL,
    tax_invoice_number TEXT,
    tax_invoice_key TEXT,
    issued_on {date},
    void_reason TEXT,
    submitted_by {uuid} REFERENCES users (id),
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK (amount_minor > 0),
    CHECK (paid_minor BETWEEN 0 AND allocated_minor),
    CHECK (allocated_minor <= amount_minor),
    CHECK (allocated_currency = amount_currency AND paid_currency = amount_currency)
);
CREATE UNIQUE INDEX invoices_number ON invoices (number);
-- Whatever the spelling: a number is taken once, also by an invoice that was voided.
CREATE UNIQUE INDEX invoices_tax_invoice_key ON invoices (tax_invoice_key);
CREATE INDEX invoices_contract_id ON invoices (contract_id);
CREATE INDEX invoices_owner_id ON invoices (owner_id, created_at, id);
CREATE INDEX invoices_created_at ON invoices (created_at, id);

CREATE TABLE payments (
    id {uuid} PRIMARY KEY,
    number TEXT NOT NULL,
    contract_id {uuid} NOT NULL REFERENCES contracts (id),
    amount_minor BIGINT NOT NULL,
    amount_currency CHAR(3) NOT NULL,
    received_on {date} NOT NULL,
    method TEXT NOT NULL,
    bank_reference TEXT,
    bank_reference_key TEXT,
    payer TEXT,
    note TEXT,
    customer_id {uuid} NOT NULL REFERENCES customers (id),
    owner_id {uuid} NOT NULL REFERENCES users (id),
    status TEXT NOT NULL,
    end_reason TEXT,
    confirmed_by {uuid} REFERENCES users (id),
    confirmed_at {instant},
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK (amount_minor > 0),
    CHECK (confirmed_by IS NULL OR confirmed_by <> created_by)
);
CREATE UNIQUE INDEX payments_number ON payments (number);
-- The same transfer cannot be entered twice; one that was rejected may be entered again, corrected.
CREATE UNIQUE INDEX payments_bank_reference ON payments (method, bank_reference_key)
    WHERE status IN ('recorded', 'confirmed');
CREATE INDEX payments_contract_id ON payments (contract_id);
CREATE INDEX payments_owner_id ON payments (owner_id, created_at, id);
CREATE INDEX payments_created_at ON payments (created_at, id);

CREATE TABLE allocations (
    id {uuid} PRIMARY KEY,
    payment_id {uuid} NOT NULL REFERENCES payments (id),
    contract_id {uuid} NOT NULL REFERENCES contracts (id),
    invoice_id {uuid} REFERENCES invoices (id),
    installment_id {uuid} REFERENCES installments (id),
    amount_minor BIGINT NOT NULL,
    amount_currency CHAR(3) NOT NULL,
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK (amount_minor > 0),
    CHECK ((invoice_id IS NULL) <> (installment_id IS NULL))
);
CREATE INDEX allocations_payment_id ON allocations (payment_id);
CREATE INDEX allocations_invoice_id ON allocations (invoice_id);
CREATE INDEX allocations_installment_id ON allocations (installment_id);

CREATE TABLE approvals (
    id {uuid} PRIMARY KEY,
    subject_kind TEXT NOT NULL,
    subject_id {uuid} NOT NULL,
    subject_number TEXT NOT NULL,
    subject_version BIGINT NOT NULL,
    amount_minor BIGINT NOT NULL,
    amount_currency CHAR(3) NOT NULL,
    requester_id {uuid} NOT NULL REFERENCES users (id),
    owner_id {uuid} NOT NULL REFERENCES users (id),
    customer_id {uuid} NOT NULL REFERENCES customers (id),
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

-- What every write leaves --------------------------------------------------------------------------

CREATE TABLE sequences (
    kind TEXT NOT NULL,
    year BIGINT NOT NULL,
    value BIGINT NOT NULL,
    PRIMARY KEY (kind, year)
);

-- One row: the end of the chain, locked by whoever appends to it.
CREATE TABLE audit_head (
    id BIGINT PRIMARY KEY CHECK (id = 1),
    sequence BIGINT NOT NULL,
    hash TEXT NOT NULL
);
INSERT INTO audit_head (id, sequence, hash) VALUES (1, 0, '');

-- `changes` is text, not JSON: the hash is over these very bytes.
CREATE TABLE audit_events (
    id {uuid} PRIMARY KEY,
    sequence BIGINT NOT NULL,
    occurred_at {instant} NOT NULL,
    actor_id {uuid},
    action TEXT NOT NULL,
    record_kind TEXT NOT NULL,
    record_id {uuid} NOT NULL,
    request_id TEXT,
    changes TEXT NOT NULL,
    previous_hash TEXT NOT NULL,
    hash TEXT NOT NULL
);
CREATE UNIQUE INDEX audit_events_sequence ON audit_events (sequence);
CREATE INDEX audit_events_record_id ON audit_events (record_id, sequence);

CREATE TABLE outbox (
    sequence BIGINT PRIMARY KEY,
    id {uuid} NOT NULL,
    occurred_at {instant} NOT NULL,
    event TEXT NOT NULL,
    record_kind TEXT NOT NULL,
    record_id {uuid} NOT NULL,
    data TEXT NOT NULL
);

CREATE TABLE idempotency_keys (
    user_id {uuid} NOT NULL,
    key TEXT NOT NULL,
    fingerprint {bytes} NOT NULL,
    answer TEXT,
    created_at {instant} NOT NULL,
    PRIMARY KEY (user_id, key)
);
CREATE INDEX idempotency_keys_created_at ON idempotency_keys (created_at);
