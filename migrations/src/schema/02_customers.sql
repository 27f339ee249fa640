CREATE TABLE customers (
    id {uuid} PRIMARY KEY,
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    name_key TEXT NOT NULL,
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
    tax_profiles {json} NOT NULL,
    note TEXT,
    owner_id {uuid} REFERENCES users (id),
    pool_id {uuid} NOT NULL REFERENCES pools (id),
    locked {boolean} NOT NULL,
    lifecycle TEXT NOT NULL,
    furthest TEXT NOT NULL,
    last_activity_at {instant},
    next_activity_at {instant},
    owned_since {instant},
    pooled_at {instant},
    pool_reason TEXT,
    recycle_on {date},
    previous_owner_id {uuid} REFERENCES users (id),
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL,
    CHECK ((owner_id IS NULL) = (pooled_at IS NOT NULL)),
    CHECK (owner_id IS NOT NULL OR NOT locked)
);
CREATE UNIQUE INDEX customers_registration_key ON customers (registration_key);
-- Not of the pool: SQLite would take it for that, and sort all of it.
CREATE INDEX customers_owner_id ON customers (owner_id, created_at, id) WHERE owner_id IS NOT NULL;
-- How many of somebody's are locked, which are few: to look at all that they own would take longer than all else that a
-- claim asks.
CREATE INDEX customers_locked ON customers (owner_id) WHERE locked;
CREATE INDEX customers_created_at ON customers (created_at, id);
CREATE INDEX customers_name ON customers (name, id);
CREATE INDEX customers_phone_key ON customers (phone_key);
CREATE INDEX customers_email_key ON customers (email_key);
CREATE INDEX customers_name_key ON customers (name_key);
-- What is looked for in the pool, in the orders in which it is listed.
CREATE INDEX customers_pooled_at ON customers (pooled_at, id) WHERE owner_id IS NULL;
CREATE INDEX customers_pooled_name ON customers (name, id) WHERE owner_id IS NULL;
CREATE INDEX customers_pooled_grade ON customers (grade, pooled_at, id) WHERE owner_id IS NULL;
CREATE INDEX customers_pooled_region ON customers (region, pooled_at, id) WHERE owner_id IS NULL;
CREATE INDEX customers_pooled_industry ON customers (industry, pooled_at, id) WHERE owner_id IS NULL;
-- How many customers a pool has, as `ties` asks: in any pool, whoever has them. It is partial, by what holds for all of
-- them, because SQLite would take a whole one for lists of the pool, and sort all of it.
CREATE INDEX customers_pool_id ON customers (pool_id) WHERE kind <> '';
-- What recycling looks at.
CREATE INDEX customers_recycle_on ON customers (recycle_on) WHERE recycle_on IS NOT NULL;
CREATE INDEX customers_owned_since ON customers (owned_since, id) WHERE owner_id IS NOT NULL;

-- It outlives its customers: limits count what was claimed, whatever became of it.
CREATE TABLE ownership_history (
    id {uuid} PRIMARY KEY,
    customer_id {uuid} NOT NULL,
    merged_from_id {uuid},
    from_id {uuid} REFERENCES users (id),
    to_id {uuid} REFERENCES users (id),
    cause TEXT NOT NULL,
    reason TEXT,
    job_id {uuid},
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
    phone_key TEXT,
    email TEXT,
    email_key TEXT,
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
CREATE INDEX contacts_created_at ON contacts (created_at, id);
CREATE INDEX contacts_phone_key ON contacts (phone_key);
CREATE INDEX contacts_email_key ON contacts (email_key);
CREATE UNIQUE INDEX contacts_primary ON contacts (customer_id) WHERE is_primary;

CREATE TABLE collaborators (
    id {uuid} PRIMARY KEY,
    customer_id {uuid} NOT NULL REFERENCES customers (id),
    user_id {uuid} NOT NULL REFERENCES users (id),
    access TEXT NOT NULL,
    created_by {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);
CREATE UNIQUE INDEX collaborators_customer_id ON collaborators (customer_id, user_id);

-- Who opened what in the pool on which business day.
CREATE TABLE pool_openings (
    user_id {uuid} NOT NULL REFERENCES users (id),
    day {date} NOT NULL,
    customer_id {uuid} NOT NULL,
    PRIMARY KEY (user_id, day, customer_id)
);
