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

-- Every refresh token of a session, by its hash, and the hash of the one that gave it. They are forgotten in any
-- order, so that the latter is no reference. A second use of one ends the session, but for a short grace.
CREATE TABLE refresh_tokens (
    hash {bytes} PRIMARY KEY,
    session_id {uuid} NOT NULL REFERENCES sessions (id),
    parent_hash {bytes},
    created_at {instant} NOT NULL,
    used_at {instant}
);
CREATE INDEX refresh_tokens_session_id ON refresh_tokens (session_id, parent_hash);

CREATE TABLE signing_keys (
    kid TEXT PRIMARY KEY,
    secret {bytes} NOT NULL,
    created_at {instant} NOT NULL
);

-- One row.
CREATE TABLE settings (
    id {uuid} PRIMARY KEY,
    details {json} NOT NULL,
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);

CREATE TABLE pools (
    id {uuid} PRIMARY KEY,
    name TEXT NOT NULL,
    description TEXT,
    is_default {boolean} NOT NULL,
    regions {json} NOT NULL,
    member_team_ids {json} NOT NULL,
    member_ids {json} NOT NULL,
    manager_ids {json} NOT NULL,
    rules {json},
    version BIGINT NOT NULL,
    created_at {instant} NOT NULL,
    updated_at {instant} NOT NULL
);
CREATE UNIQUE INDEX pools_default ON pools (is_default) WHERE is_default;
