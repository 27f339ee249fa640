-- Where records stood from one event on to another: whose they were, in which pool, of which customer. What delta sync
-- needs to know of the past, and nothing that the audit trail does not say.
CREATE TABLE standings (
    record_kind TEXT NOT NULL,
    record_id {uuid} NOT NULL,
    owner_id {uuid},
    pool_id {uuid},
    customer_id {uuid},
    since BIGINT NOT NULL,
    until BIGINT,
    PRIMARY KEY (record_id, since),
    CHECK (until > since)
);
CREATE UNIQUE INDEX standings_present ON standings (record_id) WHERE until IS NULL;
CREATE INDEX standings_since ON standings (since);
CREATE INDEX standings_until ON standings (until) WHERE until IS NOT NULL;
CREATE INDEX standings_customer_id ON standings (customer_id);
