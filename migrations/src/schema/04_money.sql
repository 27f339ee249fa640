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

