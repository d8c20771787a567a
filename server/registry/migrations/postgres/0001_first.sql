-- Identifiers are UUIDv7, so that rows are stored in the order they come. Times are milliseconds since 1970.
CREATE TABLE accounts (
    id UUID PRIMARY KEY,
    name TEXT COLLATE "C" NOT NULL UNIQUE,
    default_tier SMALLINT NOT NULL,
    made_at BIGINT NOT NULL
);

CREATE TABLE people (
    id UUID PRIMARY KEY,
    account UUID NOT NULL REFERENCES accounts (id),
    email TEXT COLLATE "C" NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    made_at BIGINT NOT NULL
);

CREATE TABLE sessions (
    id UUID PRIMARY KEY,
    person UUID NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    secret_hash BYTEA NOT NULL,
    made_at BIGINT NOT NULL,
    seen_at BIGINT NOT NULL
);
CREATE INDEX sessions_person ON sessions (person);

-- Addresses are known by a hash: people type their password into the wrong box.
CREATE TABLE sign_in_failures (
    address_hash BYTEA NOT NULL,
    failed_at BIGINT NOT NULL
);
CREATE INDEX sign_in_failures_address ON sign_in_failures (address_hash, failed_at);
CREATE INDEX sign_in_failures_failed_at ON sign_in_failures (failed_at);

CREATE TABLE models (
    id UUID PRIMARY KEY,
    account UUID NOT NULL REFERENCES accounts (id),
    name TEXT COLLATE "C" NOT NULL,
    description TEXT,
    definition TEXT NOT NULL,
    properties INTEGER NOT NULL,
    events INTEGER NOT NULL,
    actions INTEGER NOT NULL,
    -- Counts its definitions, so that what was made of an earlier one is known to be old.
    version INTEGER NOT NULL DEFAULT 1,
    updated_at BIGINT NOT NULL,
    UNIQUE (account, name)
);

CREATE TABLE device_groups (
    id UUID PRIMARY KEY,
    account UUID NOT NULL REFERENCES accounts (id),
    name TEXT COLLATE "C" NOT NULL,
    UNIQUE (account, name)
);

CREATE TABLE registrations (
    id UUID PRIMARY KEY,
    account UUID NOT NULL REFERENCES accounts (id),
    person UUID REFERENCES people (id),
    device_group UUID REFERENCES device_groups (id) ON DELETE SET NULL,
    file_name TEXT NOT NULL,
    devices BIGINT NOT NULL,
    parts INTEGER NOT NULL,
    begun_at BIGINT NOT NULL,
    finished_at BIGINT
);
CREATE INDEX registrations_account ON registrations (account, id);

CREATE TABLE registration_parts (
    registration UUID NOT NULL REFERENCES registrations (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    -- 0: registers; 1: a later pass that gives new tokens.
    renew SMALLINT NOT NULL,
    attempt INTEGER NOT NULL,
    registered INTEGER NOT NULL DEFAULT 0,
    already INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    errors_csv BYTEA,
    PRIMARY KEY (registration, renew, number)
);

CREATE TABLE devices (
    id UUID PRIMARY KEY,
    account UUID NOT NULL REFERENCES accounts (id),
    name TEXT COLLATE "C" NOT NULL,
    model UUID NOT NULL REFERENCES models (id),
    friendly_name TEXT,
    description TEXT,
    -- 0 ExtraSmall, 1 Small, 2 Medium, 3 Large
    tier SMALLINT NOT NULL,
    -- 0 Registered, 1 Active, 2 Disabled
    status SMALLINT NOT NULL,
    registered_at BIGINT NOT NULL,
    last_seen BIGINT,
    -- SHA-256 of the newest token's secret; those before it, 32 bytes each, until the newest is first used.
    token_hash BYTEA NOT NULL,
    old_token_hashes BYTEA NOT NULL,
    token_made_at BIGINT NOT NULL,
    -- Which part of which registration made that token, so that a part that is sent again knows its own.
    token_from BYTEA,
    -- When a token of it was first shown.
    first_used BIGINT,
    registration UUID,
    -- Name and friendly name in lower case, which SQLite's LOWER does for ASCII only.
    search TEXT NOT NULL,
    UNIQUE (account, name)
);
CREATE INDEX devices_model ON devices (model);

CREATE TABLE device_states (
    device UUID PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    state TEXT NOT NULL
);

CREATE TABLE group_members (
    device_group UUID NOT NULL REFERENCES device_groups (id) ON DELETE CASCADE,
    device UUID NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    PRIMARY KEY (device_group, device)
);
CREATE INDEX group_members_device ON group_members (device);
