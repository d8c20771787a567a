-- How devices are, beside the texts that a search looks into: see src/sql/marks.rs. A mark is a device's facet.
CREATE TABLE block_marks (
    block INTEGER PRIMARY KEY REFERENCES text_blocks (id) ON DELETE CASCADE,
    -- One more with each change.
    version INTEGER NOT NULL,
    -- A byte for each line of the block's texts. 255, or none at all: the device is as it was registered.
    marks BLOB NOT NULL
) STRICT;

-- The marks of those that changed since.
CREATE TABLE new_marks (
    device BLOB PRIMARY KEY NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    -- Those of the device, which never change.
    account BLOB NOT NULL,
    block INTEGER NOT NULL,
    name TEXT NOT NULL,
    mark INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX new_marks_account ON new_marks (account, block);
INSERT INTO new_marks (device, account, block, name, mark)
SELECT id, account, block, name, facet FROM devices WHERE status <> 0 OR seen <> 0;

CREATE TRIGGER devices_marked AFTER UPDATE OF status, tier, seen ON devices WHEN OLD.facet <> NEW.facet BEGIN
    INSERT INTO new_marks (device, account, block, name, mark)
        VALUES (NEW.id, NEW.account, NEW.block, NEW.name, NEW.facet)
        ON CONFLICT (device) DO UPDATE SET mark = excluded.mark;
END;

-- One more whenever a device joins or leaves: so whoever keeps the members of a group knows that they are others now.
ALTER TABLE group_counts ADD COLUMN version INTEGER NOT NULL DEFAULT 1;
DROP TRIGGER group_members_added;
DROP TRIGGER group_members_gone;
CREATE TRIGGER group_members_added AFTER INSERT ON group_members BEGIN
    INSERT INTO group_counts (device_group, devices) VALUES (NEW.device_group, 1)
        ON CONFLICT (device_group) DO UPDATE SET devices = devices + 1, version = version + 1;
END;
CREATE TRIGGER group_members_gone AFTER DELETE ON group_members BEGIN
    UPDATE group_counts SET devices = devices - 1, version = version + 1 WHERE device_group = OLD.device_group;
END;
