-- Every list, count and search of devices is answered by the fleet index (src/index): what the database kept for that goes.
-- A model that devices refer to is found by a scan, when somebody deletes a model, which is seldom.
DROP TRIGGER devices_added;
DROP TRIGGER devices_changed;
DROP TRIGGER devices_gone;
DROP TRIGGER devices_marked;
DROP TRIGGER device_states_follow;
DROP TABLE device_counts;
DROP INDEX devices_by_name;
DROP INDEX device_states_by_time;
DROP INDEX new_marks_account;
ALTER TABLE devices DROP COLUMN friendly_key;
ALTER TABLE device_states DROP COLUMN name;
ALTER TABLE device_states DROP COLUMN model;
ALTER TABLE device_states DROP COLUMN facet;

-- Up to some 10,000 devices of a registration in one row. Its text has a line for each: name, friendly name, model and
-- tier, with tabs between, the tier as a control character. Its version is drawn anew with each change.
ALTER TABLE text_blocks RENAME TO segments;
ALTER TABLE segments RENAME COLUMN texts TO text;
ALTER TABLE devices RENAME COLUMN block TO segment;
-- status * 8 + tier * 2 + seen
ALTER TABLE devices RENAME COLUMN facet TO status_byte;

-- What changes of these devices, in the order of the lines.
ALTER TABLE block_marks RENAME TO segment_states;
ALTER TABLE segment_states RENAME COLUMN block TO segment;
-- A byte for each line. 255, or none at all: the device is as it was registered.
ALTER TABLE segment_states RENAME COLUMN marks TO status_bytes;
-- 8 bytes for each line, little-endian: milliseconds. 0, or none at all: never.
ALTER TABLE segment_states ADD COLUMN last_seen BLOB NOT NULL DEFAULT X'';
-- The groups that have devices of the segment: see src/index/members.rs.
ALTER TABLE segment_states ADD COLUMN members BLOB NOT NULL DEFAULT X'';

-- Changes of status bytes that are not in the segments yet.
ALTER TABLE new_marks RENAME TO status_changes;
ALTER TABLE status_changes RENAME COLUMN block TO segment;
ALTER TABLE status_changes RENAME COLUMN mark TO status_byte;
CREATE INDEX status_changes_account ON status_changes (account, segment);
CREATE TRIGGER devices_status_changed AFTER UPDATE OF status, tier, seen ON devices WHEN OLD.status_byte <> NEW.status_byte BEGIN
    INSERT INTO status_changes (device, account, segment, name, status_byte)
        VALUES (NEW.id, NEW.account, NEW.segment, NEW.name, NEW.status_byte)
        ON CONFLICT (device) DO UPDATE SET status_byte = excluded.status_byte;
END;

-- Times at which devices were last seen that are not in the segments yet. A line for each: segment, name, milliseconds, with
-- tabs between. The identifier is drawn, so that no other batch ever has it, not even after a restore.
CREATE TABLE last_seen_batches (
    id INTEGER PRIMARY KEY NOT NULL,
    account BLOB NOT NULL REFERENCES accounts (id),
    batch TEXT NOT NULL
) STRICT;
CREATE INDEX last_seen_batches_account ON last_seen_batches (account);
INSERT INTO last_seen_batches (id, account, batch)
SELECT random() & 9007199254740991, account, batch FROM (
    SELECT d.account, group_concat(d.segment || char(9) || d.name || char(9) || s.last_seen || char(10), '') AS batch
    FROM device_states s JOIN devices d ON d.id = s.device GROUP BY d.account, d.segment
);
