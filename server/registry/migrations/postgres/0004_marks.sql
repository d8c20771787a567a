-- How devices are, beside the texts that a search looks into: see src/sql/marks.rs. A mark is a device's facet.
CREATE TABLE block_marks (
    block BIGINT PRIMARY KEY REFERENCES text_blocks (id) ON DELETE CASCADE,
    -- One more with each change.
    version BIGINT NOT NULL,
    -- A byte for each line of the block's texts. 255, or none at all: the device is as it was registered.
    marks BYTEA NOT NULL
);

-- The marks of those that changed since.
CREATE TABLE new_marks (
    device UUID PRIMARY KEY REFERENCES devices (id) ON DELETE CASCADE,
    -- Those of the device, which never change.
    account UUID NOT NULL,
    block BIGINT NOT NULL,
    name TEXT COLLATE "C" NOT NULL,
    mark SMALLINT NOT NULL
);
CREATE INDEX new_marks_account ON new_marks (account, block);
INSERT INTO new_marks (device, account, block, name, mark)
SELECT id, account, block, name, facet FROM devices WHERE status <> 0 OR seen <> 0;

CREATE FUNCTION muster_mark_device() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO new_marks (device, account, block, name, mark)
        VALUES (NEW.id, NEW.account, NEW.block, NEW.name, NEW.facet)
        ON CONFLICT (device) DO UPDATE SET mark = excluded.mark;
    RETURN NULL;
END $$;
CREATE TRIGGER devices_marked AFTER UPDATE OF status, tier, seen ON devices
    FOR EACH ROW WHEN (OLD.facet <> NEW.facet) EXECUTE FUNCTION muster_mark_device();

-- One more whenever devices join or leave: so whoever keeps the members of a group knows that they are others now.
ALTER TABLE group_counts ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
CREATE OR REPLACE FUNCTION muster_count_members() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO group_counts (device_group, shard, devices)
        SELECT device_group, muster_shard(), COUNT(*) FROM added GROUP BY 1 ORDER BY 1
        ON CONFLICT (device_group, shard)
            DO UPDATE SET devices = group_counts.devices + excluded.devices, version = group_counts.version + 1;
    ELSE
        -- Not of a group that goes itself, with its counts.
        INSERT INTO group_counts (device_group, shard, devices)
        SELECT gone.device_group, muster_shard(), -COUNT(*) FROM gone
        JOIN device_groups g ON g.id = gone.device_group GROUP BY 1 ORDER BY 1
        ON CONFLICT (device_group, shard)
            DO UPDATE SET devices = group_counts.devices + excluded.devices, version = group_counts.version + 1;
    END IF;
    RETURN NULL;
END $$;
