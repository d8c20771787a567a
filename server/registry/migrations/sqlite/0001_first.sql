-- Identifiers are UUIDv7 as 16 bytes, so that rows are stored in the order they come. Times are milliseconds since 1970.
CREATE TABLE accounts (
    id BLOB PRIMARY KEY NOT NULL,
    name TEXT NOT NULL UNIQUE,
    default_tier INTEGER NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;

CREATE TABLE people (
    id BLOB PRIMARY KEY NOT NULL,
    account BLOB NOT NULL REFERENCES accounts (id),
    email TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    made_at INTEGER NOT NULL
) STRICT;

CREATE TABLE sessions (
    id BLOB PRIMARY KEY NOT NULL,
    person BLOB NOT NULL REFERENCES people (id) ON DELETE CASCADE,
    secret_hash BLOB NOT NULL,
    made_at INTEGER NOT NULL,
    seen_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_person ON sessions (person);

-- Addresses are known by a hash: people type their password into the wrong box.
CREATE TABLE sign_in_failures (
    address_hash BLOB NOT NULL,
    failed_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sign_in_failures_address ON sign_in_failures (address_hash, failed_at);
CREATE INDEX sign_in_failures_failed_at ON sign_in_failures (failed_at);

CREATE TABLE models (
    id BLOB PRIMARY KEY NOT NULL,
    account BLOB NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    description TEXT,
    definition TEXT NOT NULL,
    properties INTEGER NOT NULL,
    events INTEGER NOT NULL,
    actions INTEGER NOT NULL,
    -- Counts its definitions, so that what was made of an earlier one is known to be old.
    version INTEGER NOT NULL DEFAULT 1,
    updated_at INTEGER NOT NULL,
    UNIQUE (account, name)
) STRICT;

CREATE TABLE device_groups (
    id BLOB PRIMARY KEY NOT NULL,
    account BLOB NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    UNIQUE (account, name)
) STRICT;

CREATE TABLE registrations (
    id BLOB PRIMARY KEY NOT NULL,
    account BLOB NOT NULL REFERENCES accounts (id),
    person BLOB REFERENCES people (id),
    device_group BLOB REFERENCES device_groups (id) ON DELETE SET NULL,
    file_name TEXT NOT NULL,
    devices INTEGER NOT NULL,
    parts INTEGER NOT NULL,
    begun_at INTEGER NOT NULL,
    finished_at INTEGER
) STRICT;
CREATE INDEX registrations_account ON registrations (account, id);

CREATE TABLE registration_parts (
    registration BLOB NOT NULL REFERENCES registrations (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    -- 0: registers; 1: a later pass that gives new tokens.
    renew INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    registered INTEGER NOT NULL DEFAULT 0,
    already INTEGER NOT NULL DEFAULT 0,
    failed INTEGER NOT NULL DEFAULT 0,
    errors_csv BLOB,
    PRIMARY KEY (registration, renew, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE devices (
    id BLOB PRIMARY KEY NOT NULL,
    account BLOB NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    model BLOB NOT NULL REFERENCES models (id),
    friendly_name TEXT,
    description TEXT,
    -- 0 ExtraSmall, 1 Small, 2 Medium, 3 Large
    tier INTEGER NOT NULL,
    -- 0 Registered, 1 Active, 2 Disabled
    status INTEGER NOT NULL,
    registered_at INTEGER NOT NULL,
    last_seen INTEGER,
    -- SHA-256 of the newest token's secret; those before it, 32 bytes each, until the newest is first used.
    token_hash BLOB NOT NULL,
    old_token_hashes BLOB NOT NULL,
    token_made_at INTEGER NOT NULL,
    -- Which part of which registration made that token, so that a part that is sent again knows its own.
    token_from BLOB,
    -- When a token of it was first shown.
    first_used INTEGER,
    registration BLOB,
    -- Name and friendly name in lower case, which SQLite's LOWER does for ASCII only.
    search TEXT NOT NULL,
    UNIQUE (account, name)
) STRICT;
CREATE INDEX devices_model ON devices (model);

CREATE TABLE device_states (
    device BLOB PRIMARY KEY NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    state TEXT NOT NULL
) STRICT;

CREATE TABLE group_members (
    device_group BLOB NOT NULL REFERENCES device_groups (id) ON DELETE CASCADE,
    device BLOB NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    PRIMARY KEY (device_group, device)
) STRICT, WITHOUT ROWID;
CREATE INDEX group_members_device ON group_members (device);
