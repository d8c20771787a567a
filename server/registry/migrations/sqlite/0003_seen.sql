-- When a device was last seen stands beside those of its kind, so that a filter by kinds sorted by that walks their runs
-- only. src/sql/runs.rs says how.
CREATE TABLE device_states_new (
    device BLOB PRIMARY KEY NOT NULL REFERENCES devices (id) ON DELETE CASCADE,
    -- Those of the device, which never change.
    name TEXT NOT NULL,
    model BLOB NOT NULL,
    -- That of the device, which a trigger keeps.
    facet INTEGER NOT NULL,
    state TEXT NOT NULL,
    last_seen INTEGER NOT NULL
) STRICT;
INSERT INTO device_states_new (device, name, model, facet, state, last_seen)
SELECT s.device, s.name, d.model, d.facet, s.state, s.last_seen
FROM device_states s CROSS JOIN devices d ON d.id = s.device ORDER BY s.rowid;
DROP TABLE device_states;
ALTER TABLE device_states_new RENAME TO device_states;

CREATE INDEX device_states_by_time ON device_states (model, facet, last_seen, name);

-- Not of a device that is seen for the first time: its state is written after it, with its facet.
CREATE TRIGGER device_states_follow AFTER UPDATE OF status, tier, seen ON devices
WHEN OLD.facet <> NEW.facet AND OLD.seen = 1 BEGIN
    UPDATE device_states SET facet = NEW.facet WHERE device = NEW.id;
END;
