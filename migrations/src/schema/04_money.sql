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
    renewal_of_id {uuid} REFERENCES contracts (id),
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
-- So is a renewal of one that ran.
CREATE UNIQUE INDEX contracts_renewal_of_id ON contracts (renewal_of_id)
    WHERE status NOT IN ('cancelled', 'terminated');
CREATE INDEX contracts_owner_id ON contracts (owner_id, created_at, id);
CREATE INDEX contracts_customer_id ON contracts (customer_id);
CREATE INDEX contracts_created_at ON contracts (created_at, id);
CREATE INDEX contracts_activated_at ON contracts (activated_at) WHERE activated_at IS NOT NULL;
-- By what is open on them, receipts find what they may pay.
CREATE INDEX contracts_open ON contracts ((amount_minor - received_minor)) WHERE status = 'active';

CREATE TABLE amendments (
    id {uuid} PRIMARY KEY,
    number TEXT NOT NULL,
    contract_id {uuid} NOT NULL REFERENCES contracts (id),
    customer_id {uuid} NOT NULL REFERENCES customers (id),
    owner_id {uuid} NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL,
    reason TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    amount_currency CHAR(3) NOT NULL,
    before {json} NOT NULL,
    after {json} NOT NULL,
    status TEXT NOT NULL,
    decided_at {instant},
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);
CREATE UNIQUE INDEX amendments_number ON amendments (number);
-- One at a time: the second would be about terms that the first changes.
CREATE UNIQUE INDEX amendments_pending ON amendments (contract_id) WHERE status = 'pending';
CREATE INDEX amendments_contract_id ON amendments (contract_id, created_at);
CREATE INDEX amendments_customer_id ON amendments (customer_id);
CREATE INDEX amendments_owner_id ON amendments (owner_id, created_at, id);
CREATE INDEX amendments_created_at ON amendments (created_at, id);

CREATE TABLE attachments (
    id {uuid} PRIMARY KEY,
    contract_id {uuid} NOT NULL REFERENCES contracts (id),
    file_name TEXT NOT NULL,
    media_type TEXT NOT NULL,
    size BIGINT NOT NULL,
    sha256 CHAR(64) NOT NULL,
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK (size > 0)
);
CREATE INDEX attachments_contract_id ON attachments (contract_id, created_at, id);

-- Files that no record names, or none yet: what is here for long is removed. Only what was written by this database
-- is ever in it, so that several may keep their files in one place.
CREATE TABLE discarded_files (
    id {uuid} PRIMARY KEY,
    since {instant} NOT NULL
);
CREATE INDEX discarded_files_since ON discarded_files (since);

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
    told_due_soon {boolean} NOT NULL,
    told_overdue_days BIGINT NOT NULL,
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK (paid_minor BETWEEN 0 AND allocated_minor),
    CHECK (allocated_minor <= amount_minor),
    CHECK (allocated_currency = amount_currency AND paid_currency = amount_currency)
);
CREATE UNIQUE INDEX installments_contract_id ON installments (contract_id, sequence);
-- What is still wanted, for warnings and aging.
CREATE INDEX installments_due_on ON installments (due_on) WHERE NOT closed AND paid_minor < amount_minor;
CREATE INDEX installments_open ON installments ((amount_minor - allocated_minor)) WHERE NOT closed;

-- Whatever the spelling: the number of a tax invoice, blue or red, is taken once, also by one that was voided.
CREATE TABLE tax_invoice_numbers (
    tax_invoice_key TEXT PRIMARY KEY
);

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
    credited_minor BIGINT NOT NULL,
    credited_currency CHAR(3) NOT NULL,
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
    CHECK (credited_minor >= 0),
    CHECK (allocated_minor <= amount_minor - credited_minor),
    CHECK (allocated_currency = amount_currency AND paid_currency = amount_currency
        AND credited_currency = amount_currency)
);
CREATE UNIQUE INDEX invoices_number ON invoices (number);
CREATE INDEX invoices_contract_id ON invoices (contract_id);
CREATE INDEX invoices_owner_id ON invoices (owner_id, created_at, id);
CREATE INDEX invoices_created_at ON invoices (created_at, id);

CREATE TABLE credit_notes (
    id {uuid} PRIMARY KEY,
    number TEXT NOT NULL,
    invoice_id {uuid} NOT NULL REFERENCES invoices (id),
    contract_id {uuid} NOT NULL REFERENCES contracts (id),
    customer_id {uuid} NOT NULL REFERENCES customers (id),
    owner_id {uuid} NOT NULL REFERENCES users (id),
    amount_minor BIGINT NOT NULL,
    amount_currency CHAR(3) NOT NULL,
    tax_minor BIGINT NOT NULL,
    tax_currency CHAR(3) NOT NULL,
    tax_invoice_number TEXT NOT NULL,
    tax_invoice_key TEXT NOT NULL,
    issued_on {date} NOT NULL,
    reason TEXT NOT NULL,
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK (amount_minor > 0),
    CHECK (tax_minor BETWEEN 0 AND amount_minor),
    CHECK (tax_currency = amount_currency)
);
CREATE UNIQUE INDEX credit_notes_number ON credit_notes (number);
CREATE INDEX credit_notes_invoice_id ON credit_notes (invoice_id);
CREATE INDEX credit_notes_contract_id ON credit_notes (contract_id);
CREATE INDEX credit_notes_customer_id ON credit_notes (customer_id);
CREATE INDEX credit_notes_owner_id ON credit_notes (owner_id, created_at, id);
CREATE INDEX credit_notes_created_at ON credit_notes (created_at, id);

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
    labels {json} NOT NULL,
    customer_id {uuid} NOT NULL REFERENCES customers (id),
    owner_id {uuid} NOT NULL REFERENCES users (id),
    status TEXT NOT NULL,
    refunded_minor BIGINT NOT NULL,
    refunded_currency CHAR(3) NOT NULL,
    end_reason TEXT,
    corrected_by {json} NOT NULL,
    confirmed_by {uuid} REFERENCES users (id),
    confirmed_at {instant},
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK (amount_minor > 0),
    CHECK (refunded_minor BETWEEN 0 AND amount_minor),
    CHECK (refunded_currency = amount_currency),
    CHECK (confirmed_by IS NULL OR confirmed_by <> created_by)
);
CREATE UNIQUE INDEX payments_number ON payments (number);
-- The same transfer cannot be entered twice; one that was rejected may be entered again, corrected.
CREATE UNIQUE INDEX payments_bank_reference ON payments (method, bank_reference_key)
    WHERE status IN ('recorded', 'confirmed');
CREATE INDEX payments_contract_id ON payments (contract_id);
CREATE INDEX payments_received_on ON payments (received_on);
CREATE INDEX payments_owner_id ON payments (owner_id, created_at, id);
CREATE INDEX payments_created_at ON payments (created_at, id);

CREATE TABLE targets (
    id {uuid} PRIMARY KEY,
    owner_id {uuid} REFERENCES users (id),
    team_id {uuid} REFERENCES teams (id),
    month CHAR(7) NOT NULL,
    measure TEXT NOT NULL,
    amount_minor BIGINT NOT NULL,
    amount_currency CHAR(3) NOT NULL,
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK (amount_minor > 0),
    CHECK ((owner_id IS NULL) <> (team_id IS NULL))
);
CREATE UNIQUE INDEX targets_owner_id ON targets (owner_id, month, measure, amount_currency);
CREATE UNIQUE INDEX targets_team_id ON targets (team_id, month, measure, amount_currency);
CREATE INDEX targets_month ON targets (month, id);

CREATE TABLE receipts (
    id {uuid} PRIMARY KEY,
    amount_minor BIGINT NOT NULL,
    amount_currency CHAR(3) NOT NULL,
    received_on {date} NOT NULL,
    method TEXT NOT NULL,
    bank_reference TEXT,
    bank_reference_key TEXT,
    payer TEXT,
    memo TEXT,
    status TEXT NOT NULL,
    payment_id {uuid} REFERENCES payments (id),
    part_of_id {uuid} REFERENCES receipts (id),
    reason TEXT,
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK (amount_minor > 0),
    CHECK ((status = 'matched') = (payment_id IS NOT NULL))
);
CREATE UNIQUE INDEX receipts_bank_reference ON receipts (method, bank_reference_key);
-- A payment accounts for one receipt.
CREATE UNIQUE INDEX receipts_payment_id ON receipts (payment_id);
CREATE INDEX receipts_part_of_id ON receipts (part_of_id);
CREATE INDEX receipts_received_on ON receipts (received_on, id);
CREATE INDEX receipts_created_at ON receipts (created_at, id);

CREATE TABLE refunds (
    id {uuid} PRIMARY KEY,
    number TEXT NOT NULL,
    payment_id {uuid} NOT NULL REFERENCES payments (id),
    amount_minor BIGINT NOT NULL,
    amount_currency CHAR(3) NOT NULL,
    refunded_on {date} NOT NULL,
    method TEXT NOT NULL,
    bank_reference TEXT,
    bank_reference_key TEXT,
    reason TEXT NOT NULL,
    contract_id {uuid} NOT NULL REFERENCES contracts (id),
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
CREATE UNIQUE INDEX refunds_number ON refunds (number);
-- Nor is one of these; a rejected one may be entered again.
CREATE UNIQUE INDEX refunds_bank_reference ON refunds (method, bank_reference_key) WHERE status <> 'rejected';
CREATE INDEX refunds_payment_id ON refunds (payment_id);
CREATE INDEX refunds_contract_id ON refunds (contract_id);
CREATE INDEX refunds_customer_id ON refunds (customer_id);
CREATE INDEX refunds_owner_id ON refunds (owner_id, created_at, id);
CREATE INDEX refunds_created_at ON refunds (created_at, id);

CREATE TABLE allocations (
    id {uuid} PRIMARY KEY,
    payment_id {uuid} NOT NULL REFERENCES payments (id),
    contract_id {uuid} NOT NULL REFERENCES contracts (id),
    invoice_id {uuid} REFERENCES invoices (id),
    installment_id {uuid} REFERENCES installments (id),
    amount_minor BIGINT NOT NULL,
    amount_currency CHAR(3) NOT NULL,
    void {boolean} NOT NULL,
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK (amount_minor > 0),
    CHECK ((invoice_id IS NULL) <> (installment_id IS NULL))
);
CREATE INDEX allocations_payment_id ON allocations (payment_id);
CREATE INDEX allocations_invoice_id ON allocations (invoice_id);
CREATE INDEX allocations_installment_id ON allocations (installment_id);

