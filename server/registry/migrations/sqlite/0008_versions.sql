-- A version is drawn, not counted. Servers cache contents by their versions; where a backup was restored, a counter went
-- on from an earlier number, and a server that had run meanwhile took what it had cached for the new content.
UPDATE text_blocks SET version = random() & 9007199254740991;
UPDATE block_marks SET version = random() & 9007199254740991;
UPDATE group_counts SET version = random() & 9007199254740991;
UPDATE models SET version = random() & 2147483647;

DROP TRIGGER group_members_added;
DROP TRIGGER group_members_gone;
CREATE TRIGGER group_members_added AFTER INSERT ON group_members BEGIN
    INSERT INTO group_counts (device_group, devices, version) VALUES (NEW.device_group, 1, random() & 9007199254740991)
        ON CONFLICT (device_group) DO UPDATE SET devices = devices + 1, version = excluded.version;
END;
CREATE TRIGGER group_members_gone AFTER DELETE ON group_members BEGIN
    UPDATE group_counts SET devices = devices - 1, version = random() & 9007199254740991
        WHERE device_group = OLD.device_group;
END;

-- A check of readiness writes here: only a write shows that the disk has room and the file may be changed.
CREATE TABLE write_probe (
    writes INTEGER NOT NULL
) STRICT;
INSERT INTO write_probe (writes) VALUES (0);
