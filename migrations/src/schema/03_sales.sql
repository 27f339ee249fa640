CREATE TABLE products (
    id {uuid} PRIMARY KEY,
    code TEXT NOT NULL,
    code_key TEXT NOT NULL,
    name TEXT NOT NULL,
    unit TEXT,
    description TEXT,
    tax_rate BIGINT NOT NULL,
    is_active {boolean} NOT NULL,
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);
CREATE UNIQUE INDEX products_code_key ON products (code_key);

CREATE TABLE price_lists (
    id {uuid} PRIMARY KEY,
    name TEXT NOT NULL,
    currency CHAR(3) NOT NULL,
    valid_from {date} NOT NULL,
    valid_until {date},
    customer_grades {json} NOT NULL,
    prices {json} NOT NULL,
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);
CREATE INDEX price_lists_currency ON price_lists (currency, valid_from);

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
    line_items {json} NOT NULL,
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
    pending_stage_id {uuid},
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
    company_key TEXT,
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
    previous_owner_id {uuid} REFERENCES users (id),
    score BIGINT NOT NULL,
    grade TEXT NOT NULL,
    score_lines {json} NOT NULL,
    score_basis TEXT NOT NULL,
    status TEXT NOT NULL,
    disqualify_reason TEXT,
    response_due_at {instant},
    reminded_at {instant},
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
CREATE INDEX leads_company_key ON leads (company_key);
CREATE INDEX leads_score_basis ON leads (score_basis, id) WHERE status <> 'converted';
CREATE INDEX leads_response_due_at ON leads (response_due_at) WHERE response_due_at IS NOT NULL;
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

CREATE TABLE scoring_rules (
    id {uuid} PRIMARY KEY,
    name TEXT NOT NULL,
    field TEXT NOT NULL,
    operator TEXT NOT NULL,
    value TEXT,
    points BIGINT NOT NULL,
    active {boolean} NOT NULL,
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);

CREATE TABLE assignment_rules (
    id {uuid} PRIMARY KEY,
    name TEXT NOT NULL,
    position BIGINT NOT NULL,
    active {boolean} NOT NULL,
    sources {json} NOT NULL,
    regions {json} NOT NULL,
    grades {json} NOT NULL,
    user_id {uuid} REFERENCES users (id),
    team_id {uuid} REFERENCES teams (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);

-- Who had the last turn by each assignment rule; locked by whoever gives the next one.
CREATE TABLE assignment_turns (
    rule_id {uuid} PRIMARY KEY REFERENCES assignment_rules (id) ON DELETE CASCADE,
    last_user_id {uuid}
);

CREATE TABLE lead_forms (
    id {uuid} PRIMARY KEY,
    name TEXT NOT NULL,
    source TEXT NOT NULL,
    campaign TEXT,
    fields {json} NOT NULL,
    required {json} NOT NULL,
    allowed_origins {json} NOT NULL,
    hourly_limit BIGINT NOT NULL,
    active {boolean} NOT NULL,
    token TEXT NOT NULL,
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);
CREATE UNIQUE INDEX lead_forms_token ON lead_forms (token);

-- What each form took, to count by the hour.
CREATE TABLE lead_form_submissions (
    id {uuid} PRIMARY KEY,
    form_id {uuid} NOT NULL REFERENCES lead_forms (id) ON DELETE CASCADE,
    received_at {instant} NOT NULL
);
CREATE INDEX lead_form_submissions_form_id ON lead_form_submissions (form_id, received_at);
