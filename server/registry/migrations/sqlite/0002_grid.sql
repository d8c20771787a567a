-- What keeps the grid quick with a million devices. src/sql/walk.rs says how it is used.
--
-- A device's status, tier and whether it was ever seen are one number, its facet: there are 24. Devices that are of
-- one model and alike in these stand side by side in an index, by name and by friendly name. Any filter by them is
-- some of those runs, and any order is a merge of them.
CREATE TABLE devices_new (
    -- Named, so that VACUUM keeps it: device_search refers to it.
    row INTEGER PRIMARY KEY,
    id BLOB NOT NULL UNIQUE,
    account BLOB NOT NULL REFERENCES accounts (id),
    name TEXT NOT NULL,
    model BLOB NOT NULL REFERENCES models (id),
    friendly_name TEXT,
    description TEXT,
    -- 0 ExtraSmall, 1 Small, 2 Medium, 3 Large
    tier INTEGER NOT NULL,
    -- 0 Registered, 1 Active, 2 Disabled
    status INTEGER NOT NULL,
    -- Whether it ever sent data. When it last did stands in device_states.
    seen INTEGER NOT NULL DEFAULT 0,
    registered_at INTEGER NOT NULL,
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
    facet INTEGER GENERATED ALWAYS AS (status * 8 + tier * 2 + seen) VIRTUAL,
    -- The order of friendly names: bytes, with A–Z as a–z.
    friendly_key TEXT GENERATED ALWAYS AS (LOWER(COALESCE(friendly_name, ''))) VIRTUAL,
    UNIQUE (account, name)
) STRICT;
INSERT INTO devices_new (id, account, name, model, friendly_name, description, tier, status, seen, registered_at,
    token_hash, old_token_hashes, token_made_at, token_from, first_used, registration, search)
SELECT id, account, name, model, friendly_name, description, tier, status, last_seen IS NOT NULL, registered_at,
    token_hash, old_token_hashes, token_made_at, token_from, first_used, registration, search
FROM devices ORDER BY rowid;

CREATE TABLE device_states_new (
    device BLOB PRIMARY KEY NOT NULL REFERENCES devices_new (id) ON DELETE CASCADE,
    -- Those of the device, which never change.
    account BLOB NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    last_seen INTEGER NOT NULL
) STRICT;
INSERT INTO device_states_new (device, account, name, state, last_seen)
SELECT d.id, d.account, d.name, COALESCE(s.state, '{}'), d.last_seen
FROM devices d LEFT JOIN device_states s ON s.device = d.id WHERE d.last_seen IS NOT NULL;

CREATE TABLE group_members_new (
    device_group BLOB NOT NULL REFERENCES device_groups (id) ON DELETE CASCADE,
    -- That of the device, which never changes: so a group can be walked by name.
    name TEXT NOT NULL,
    device BLOB NOT NULL REFERENCES devices_new (id) ON DELETE CASCADE,
    PRIMARY KEY (device_group, name)
) STRICT, WITHOUT ROWID;
INSERT INTO group_members_new (device_group, name, device)
SELECT gm.device_group, d.name, d.id FROM group_members gm JOIN devices d ON d.id = gm.device ORDER BY 1, 2;

-- What refers to devices goes first: dropping a table deletes its rows, and theirs with them.
DROP TABLE group_members;
DROP TABLE device_states;
DROP TABLE devices;
ALTER TABLE devices_new RENAME TO devices;
ALTER TABLE device_states_new RENAME TO device_states;
ALTER TABLE group_members_new RENAME TO group_members;

CREATE INDEX devices_by_name ON devices (model, facet, name);
CREATE INDEX devices_by_friendly_key ON devices (model, facet, friendly_key, name);
-- Not by name: so the devices of a registration are put at the end of it, one after the other.
CREATE INDEX devices_registration ON devices (registration);
CREATE INDEX device_states_last_seen ON device_states (account, last_seen, name);
CREATE INDEX group_members_device ON group_members (device);

-- Every three letters of what a search looks into. It keeps no copy of the text.
CREATE VIRTUAL TABLE device_search USING fts5(
    search, content = '', contentless_delete = 1, tokenize = 'trigram case_sensitive 1'
);
INSERT INTO device_search (rowid, search) SELECT row, search FROM devices ORDER BY row;

-- How many devices there are of each kind, so that nobody counts a million.
CREATE TABLE device_counts (
    account BLOB NOT NULL,
    model BLOB NOT NULL,
    facet INTEGER NOT NULL,
    devices INTEGER NOT NULL,
    PRIMARY KEY (account, model, facet)
) STRICT, WITHOUT ROWID;
INSERT INTO device_counts (account, model, facet, devices)
SELECT account, model, facet, COUNT(*) FROM devices GROUP BY account, model, facet;

CREATE TABLE group_counts (
    device_group BLOB PRIMARY KEY NOT NULL,
    devices INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO group_counts (device_group, devices) SELECT device_group, COUNT(*) FROM group_members GROUP BY device_group;

CREATE TRIGGER devices_added AFTER INSERT ON devices BEGIN
    INSERT INTO device_search (rowid, search) VALUES (NEW.row, NEW.search);
    INSERT INTO device_counts (account, model, facet, devices) VALUES (NEW.account, NEW.model, NEW.facet, 1)
        ON CONFLICT (account, model, facet) DO UPDATE SET devices = devices + 1;
END;
CREATE TRIGGER devices_changed AFTER UPDATE OF status, tier, seen ON devices WHEN OLD.facet <> NEW.facet BEGIN
    UPDATE device_counts SET devices = devices - 1
        WHERE account = OLD.account AND model = OLD.model AND facet = OLD.facet;
    INSERT INTO device_counts (account, model, facet, devices) VALUES (NEW.account, NEW.model, NEW.facet, 1)
        ON CONFLICT (account, model, facet) DO UPDATE SET devices = devices + 1;
END;
CREATE TRIGGER devices_gone AFTER DELETE ON devices BEGIN
    DELETE FROM device_search WHERE rowid = OLD.row;
    UPDATE device_counts SET devices = devices - 1
        WHERE account = OLD.account AND model = OLD.model AND facet = OLD.facet;
END;
CREATE TRIGGER group_members_added AFTER INSERT ON group_members BEGIN
    INSERT INTO group_counts (device_group, devices) VALUES (NEW.device_group, 1)
        ON CONFLICT (device_group) DO UPDATE SET devices = devices + 1;
END;
CREATE TRIGGER group_members_gone AFTER DELETE ON group_members BEGIN
    UPDATE group_counts SET devices = devices - 1 WHERE device_group = OLD.device_group;
END;
CREATE TRIGGER device_groups_gone AFTER DELETE ON device_groups BEGIN
    DELETE FROM group_counts WHERE device_group = OLD.id;
END;
