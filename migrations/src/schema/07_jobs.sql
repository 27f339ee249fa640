-- What is done in the background, and what came of it.
CREATE TABLE jobs (
    id {uuid} PRIMARY KEY,
    kind TEXT NOT NULL,
    status TEXT NOT NULL,
    parameters {json} NOT NULL,
    total BIGINT,
    examined BIGINT NOT NULL,
    changed BIGINT NOT NULL,
    warned BIGINT NOT NULL,
    failed BIGINT NOT NULL,
    problem TEXT,
    position {uuid},
    business_day {date},
    created_by {uuid} REFERENCES users (id),
    started_at {instant},
    finished_at {instant},
    leased_until {instant},
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);
CREATE INDEX jobs_created_at ON jobs (created_at, id);
CREATE INDEX jobs_waiting ON jobs (created_at, id) WHERE status IN ('queued', 'running');
-- The scheduler begins each kind once a business day, however many servers there are.
CREATE UNIQUE INDEX jobs_business_day ON jobs (kind, business_day);

CREATE TABLE job_items (
    id {uuid} PRIMARY KEY,
    job_id {uuid} NOT NULL REFERENCES jobs (id),
    record_kind TEXT NOT NULL,
    record_id {uuid} NOT NULL,
    owner_id {uuid} REFERENCES users (id),
    outcome TEXT NOT NULL,
    reason TEXT NOT NULL,
    -- As the domain says it; other languages are made from the reason, the figures and the broken rules.
    detail TEXT,
    errors {json} NOT NULL,
    figures {json} NOT NULL,
    created_at {instant} NOT NULL
);
CREATE INDEX job_items_job_id ON job_items (job_id, id);
