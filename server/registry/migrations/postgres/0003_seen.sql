-- When a device was last seen stands beside those of its kind, so that a filter by kinds sorted by that walks their runs
-- only. src/sql/runs.rs says how.
DROP INDEX device_states_last_seen;
ALTER TABLE device_states
    DROP COLUMN account,
    -- Those of the device: the model never changes, and a trigger keeps the facet.
    ADD COLUMN model UUID,
    ADD COLUMN facet SMALLINT;
UPDATE device_states SET model = d.model, facet = d.facet FROM devices d WHERE d.id = device_states.device;
ALTER TABLE device_states
    ALTER COLUMN model SET NOT NULL,
    ALTER COLUMN facet SET NOT NULL;

CREATE INDEX device_states_by_time ON device_states (model, facet, last_seen, name);

CREATE FUNCTION muster_state_follows() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    UPDATE device_states SET facet = NEW.facet WHERE device = NEW.id;
    RETURN NULL;
END $$;
-- Not of a device that is seen for the first time: its state is written after it, with its facet.
CREATE TRIGGER device_states_follow AFTER UPDATE ON devices FOR EACH ROW
    WHEN (OLD.facet <> NEW.facet AND OLD.seen = 1) EXECUTE FUNCTION muster_state_follows();
