-- What keeps the grid quick with a million devices. src/sql/walk.rs says how it is used.
--
-- A device's status, tier and whether it was ever seen are one number, its facet: there are 24. Devices that are of
-- one model and alike in these stand side by side in an index, by name. Any filter by them is some of those runs, and
-- any order by them is a row of them.
CREATE TABLE devices_new (
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
    -- Which of text_blocks has its texts.
    block INTEGER NOT NULL,
    facet INTEGER GENERATED ALWAYS AS (status * 8 + tier * 2 + seen) VIRTUAL,
    -- The order of friendly names: bytes, with A–Z as a–z.
    friendly_key TEXT GENERATED ALWAYS AS (LOWER(COALESCE(friendly_name, ''))) VIRTUAL,
    UNIQUE (account, name)
) STRICT;
INSERT INTO devices_new (id, account, name, model, friendly_name, description, tier, status, seen, registered_at,
    token_hash, old_token_hashes, token_made_at, token_from, first_used, registration, block)
SELECT id, account, name, model, friendly_name, description, tier, status, last_seen IS NOT NULL, registered_at,
    token_hash, old_token_hashes, token_made_at, token_from, first_used, registration,
    DENSE_RANK() OVER (ORDER BY account, registration, place / 10000)
FROM (
    SELECT *, rowid AS row, ROW_NUMBER() OVER (PARTITION BY account, registration ORDER BY rowid) - 1 AS place
    FROM devices
)
ORDER BY row;

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
CREATE INDEX device_states_last_seen ON device_states (account, last_seen, name);
CREATE INDEX group_members_device ON group_members (device);

-- What a search looks into, up to 10,000 devices of a registration in one row: see src/texts.rs. Each has a line: name,
-- friendly name, model and tier, with tabs between, the tier as a control character. No id is used twice.
CREATE TABLE text_blocks (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account BLOB NOT NULL REFERENCES accounts (id),
    -- That of all its devices.
    registration BLOB,
    -- One more with each change.
    version INTEGER NOT NULL,
    devices INTEGER NOT NULL,
    texts TEXT NOT NULL
) STRICT;
INSERT INTO text_blocks (id, account, registration, version, devices, texts)
SELECT d.block, d.account, d.registration, 1, COUNT(*),
    group_concat(d.name || char(9) || COALESCE(d.friendly_name, '') || char(9) || m.name || char(9, d.tier + 1, 10), '')
FROM devices d JOIN models m ON m.id = d.model GROUP BY d.block;
CREATE INDEX text_blocks_account ON text_blocks (account, id, registration, version, devices);

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
