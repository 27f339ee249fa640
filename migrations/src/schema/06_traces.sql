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

-- Which events concern which customer; what their timelines are read by.
CREATE TABLE timeline (
    customer_id {uuid} NOT NULL,
    sequence BIGINT NOT NULL,
    PRIMARY KEY (customer_id, sequence)
);
CREATE VIEW timeline_entries AS
    SELECT audit_events.id, timeline.sequence, timeline.customer_id, occurred_at, actor_id, action AS event,
        record_kind, record_id, changes
    FROM timeline JOIN audit_events ON audit_events.sequence = timeline.sequence;

-- Where the records went that were merged into others.
CREATE TABLE merges (
    loser_id {uuid} PRIMARY KEY,
    record_kind TEXT NOT NULL,
    survivor_id {uuid} NOT NULL,
    merged_at {instant} NOT NULL
);
CREATE INDEX merges_survivor_id ON merges (survivor_id);

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

-- How far each reader of the outbox has come.
CREATE TABLE outbox_readers (
    name TEXT PRIMARY KEY,
    sequence BIGINT NOT NULL
);

CREATE TABLE notifications (
    id {uuid} PRIMARY KEY,
    user_id {uuid} NOT NULL REFERENCES users (id),
    kind TEXT NOT NULL,
    record_kind TEXT NOT NULL,
    record_id {uuid} NOT NULL,
    title TEXT,
    actor_id {uuid},
    event_id {uuid} NOT NULL,
    created_at {instant} NOT NULL,
    read_at {instant}
);
CREATE INDEX notifications_user_id ON notifications (user_id, created_at, id);
CREATE INDEX notifications_unread ON notifications (user_id) WHERE read_at IS NULL;
-- An event tells nobody the same twice, however often it is read.
CREATE UNIQUE INDEX notifications_event_id ON notifications (event_id, user_id, kind);

CREATE TABLE saved_views (
    id {uuid} PRIMARY KEY,
    resource TEXT NOT NULL,
    name TEXT NOT NULL,
    query TEXT NOT NULL,
    shared_with_team_id {uuid} REFERENCES teams (id),
    owner_id {uuid} NOT NULL REFERENCES users (id),
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);
CREATE INDEX saved_views_owner_id ON saved_views (owner_id);
CREATE INDEX saved_views_shared_with_team_id ON saved_views (shared_with_team_id);
