-- Where records stood from one event on to another: whose they were, in which pool, of which customer, and with which
-- records they are seen (whose standings are here as well). What delta sync needs to know of the past, and nothing that
-- the audit trail does not say.
CREATE TABLE standings (
    record_kind TEXT NOT NULL,
    record_id {uuid} NOT NULL,
    owner_id {uuid},
    pool_id {uuid},
    customer_id {uuid},
    with_id {uuid},
    about_id {uuid},
    -- Whom a record concerns: what a request for approval is about, for whom it waits, and who decided; who receives a
    -- transfer, and who asked for it.
    subject_kind TEXT,
    waiting_for TEXT,
    persons TEXT,
    since BIGINT NOT NULL,
    until BIGINT,
    PRIMARY KEY (record_id, since),
    CHECK (until > since)
);
CREATE UNIQUE INDEX standings_present ON standings (record_id) WHERE until IS NULL;
CREATE INDEX standings_since ON standings (since);
CREATE INDEX standings_until ON standings (until) WHERE until IS NOT NULL;
CREATE INDEX standings_with_id ON standings (with_id) WHERE with_id IS NOT NULL;
CREATE INDEX standings_about_id ON standings (about_id) WHERE about_id IS NOT NULL;
