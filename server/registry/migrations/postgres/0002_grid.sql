-- What keeps the grid quick with a million devices. src/sql/walk.rs says how it is used.
--
-- Part of PostgreSQL, but packaged apart by some systems. The owner of a database may make it since version 13.
CREATE EXTENSION IF NOT EXISTS pg_trgm;

-- A device's status, tier and whether it was ever seen are one number, its facet: there are 24. Devices that are of
-- one model and alike in these stand side by side in an index, by name and by friendly name. Any filter by them is
-- some of those runs, and any order is a merge of them.
ALTER TABLE device_states
    -- Those of the device, which never change.
    ADD COLUMN account UUID,
    ADD COLUMN name TEXT COLLATE "C",
    ADD COLUMN last_seen BIGINT;
INSERT INTO device_states (device, account, name, state, last_seen)
SELECT id, account, name, '{}', last_seen FROM devices WHERE last_seen IS NOT NULL
ON CONFLICT (device) DO UPDATE
    SET account = excluded.account, name = excluded.name, last_seen = excluded.last_seen;
ALTER TABLE device_states
    ALTER COLUMN account SET NOT NULL,
    ALTER COLUMN name SET NOT NULL,
    ALTER COLUMN last_seen SET NOT NULL;

-- That of the device, which never changes: so a group can be walked by name.
ALTER TABLE group_members ADD COLUMN name TEXT COLLATE "C";
UPDATE group_members gm SET name = d.name FROM devices d WHERE d.id = gm.device;
ALTER TABLE group_members DROP CONSTRAINT group_members_pkey, ADD PRIMARY KEY (device_group, name);

-- Whether it ever sent data. When it last did stands in device_states now.
ALTER TABLE devices ADD COLUMN seen SMALLINT NOT NULL DEFAULT 0;
UPDATE devices SET seen = 1 WHERE last_seen IS NOT NULL;
ALTER TABLE devices
    DROP COLUMN last_seen,
    ADD COLUMN facet SMALLINT NOT NULL GENERATED ALWAYS AS (status * 8 + tier * 2 + seen) STORED,
    -- The order of friendly names: bytes, with A–Z as a–z.
    ADD COLUMN friendly_key TEXT COLLATE "C" NOT NULL
        GENERATED ALWAYS AS (LOWER(COALESCE(friendly_name, '') COLLATE "C")) STORED;

DROP INDEX devices_model;
CREATE INDEX devices_by_name ON devices (model, facet, name);
CREATE INDEX devices_by_friendly_key ON devices (model, facet, friendly_key, name);
-- Not by name: so the devices of a registration are put at the end of it, one after the other.
CREATE INDEX devices_registration ON devices (registration);
CREATE INDEX devices_search ON devices USING gin (search gin_trgm_ops);
CREATE INDEX device_states_last_seen ON device_states (account, last_seen, name);

-- How many devices there are of each kind, so that nobody counts a million. A count is the sum over its shards:
-- transactions that write at the same time write to different ones, and do not wait for each other.
CREATE TABLE device_counts (
    account UUID NOT NULL,
    model UUID NOT NULL,
    facet SMALLINT NOT NULL,
    shard SMALLINT NOT NULL,
    devices BIGINT NOT NULL,
    PRIMARY KEY (account, model, facet, shard)
) WITH (fillfactor = 50);
INSERT INTO device_counts (account, model, facet, shard, devices)
SELECT account, model, facet, 0, COUNT(*) FROM devices GROUP BY account, model, facet;

CREATE TABLE group_counts (
    device_group UUID NOT NULL REFERENCES device_groups (id) ON DELETE CASCADE,
    shard SMALLINT NOT NULL,
    devices BIGINT NOT NULL,
    PRIMARY KEY (device_group, shard)
) WITH (fillfactor = 50);
INSERT INTO group_counts (device_group, shard, devices)
SELECT device_group, 0, COUNT(*) FROM group_members GROUP BY device_group;

-- The first shard that no other transaction writes to: this one's until it ends. So transactions never wait for each
-- other's counters, in whichever order they write them, but where more than 16 write at once.
CREATE FUNCTION muster_shard() RETURNS SMALLINT LANGUAGE plpgsql AS $$
BEGIN
    FOR shard IN 0..15 LOOP
        IF pg_try_advisory_xact_lock(1836413812, shard) THEN
            RETURN shard;
        END IF;
    END LOOP;
    PERFORM pg_advisory_xact_lock(1836413812, 15);
    RETURN 15;
END $$;

-- Once for each statement. The rows it wrote have these names only where there are such rows, so there are three ways.
CREATE FUNCTION muster_count_devices() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO device_counts (account, model, facet, shard, devices)
        SELECT account, model, facet, muster_shard(), COUNT(*) FROM added GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (account, model, facet, shard) DO UPDATE SET devices = device_counts.devices + excluded.devices;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO device_counts (account, model, facet, shard, devices)
        SELECT account, model, facet, muster_shard(), -COUNT(*) FROM gone GROUP BY 1, 2, 3 ORDER BY 1, 2, 3
        ON CONFLICT (account, model, facet, shard) DO UPDATE SET devices = device_counts.devices + excluded.devices;
    ELSE
        -- What a statement changes without moving a device from one kind to another is not written.
        INSERT INTO device_counts (account, model, facet, shard, devices)
        SELECT account, model, facet, muster_shard(), SUM(devices) FROM (
            SELECT account, model, facet, 1 AS devices FROM added
            UNION ALL SELECT account, model, facet, -1 FROM gone
        ) AS changes GROUP BY 1, 2, 3 HAVING SUM(devices) <> 0 ORDER BY 1, 2, 3
        ON CONFLICT (account, model, facet, shard) DO UPDATE SET devices = device_counts.devices + excluded.devices;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER devices_added AFTER INSERT ON devices REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION muster_count_devices();
CREATE TRIGGER devices_changed AFTER UPDATE ON devices REFERENCING OLD TABLE AS gone NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION muster_count_devices();
CREATE TRIGGER devices_gone AFTER DELETE ON devices REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION muster_count_devices();

CREATE FUNCTION muster_count_members() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO group_counts (device_group, shard, devices)
        SELECT device_group, muster_shard(), COUNT(*) FROM added GROUP BY 1 ORDER BY 1
        ON CONFLICT (device_group, shard) DO UPDATE SET devices = group_counts.devices + excluded.devices;
    ELSE
        -- Not of a group that goes itself, with its counts.
        INSERT INTO group_counts (device_group, shard, devices)
        SELECT gone.device_group, muster_shard(), -COUNT(*) FROM gone
        JOIN device_groups g ON g.id = gone.device_group GROUP BY 1 ORDER BY 1
        ON CONFLICT (device_group, shard) DO UPDATE SET devices = group_counts.devices + excluded.devices;
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER group_members_added AFTER INSERT ON group_members REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION muster_count_members();
CREATE TRIGGER group_members_gone AFTER DELETE ON group_members REFERENCING OLD TABLE AS gone
    FOR EACH STATEMENT EXECUTE FUNCTION muster_count_members();
