-- A version is drawn, not counted. Servers cache contents by their versions; where a backup was restored, a counter went
-- on from an earlier number, and a server that had run meanwhile took what it had cached for the new content.
--
-- 53 bits: the sum over 16 shards fits into a BIGINT.
CREATE FUNCTION muster_new_version() RETURNS BIGINT LANGUAGE sql VOLATILE AS $$
    SELECT hashtextextended(gen_random_uuid()::text, 0) & 9007199254740991
$$;
UPDATE text_blocks SET version = muster_new_version();
UPDATE block_marks SET version = muster_new_version();
UPDATE group_counts SET version = muster_new_version();
UPDATE models SET version = CAST(muster_new_version() & 2147483647 AS INTEGER);

CREATE OR REPLACE FUNCTION muster_count_members() RETURNS TRIGGER LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO group_counts (device_group, shard, devices, version)
        SELECT device_group, muster_shard(), COUNT(*), muster_new_version() FROM added GROUP BY 1 ORDER BY 1
        ON CONFLICT (device_group, shard)
            DO UPDATE SET devices = group_counts.devices + excluded.devices, version = excluded.version;
    ELSE
        -- Not of a group that goes itself, with its counts.
        INSERT INTO group_counts (device_group, shard, devices, version)
        SELECT gone.device_group, muster_shard(), -COUNT(*), muster_new_version() FROM gone
        JOIN device_groups g ON g.id = gone.device_group GROUP BY 1 ORDER BY 1
        ON CONFLICT (device_group, shard)
            DO UPDATE SET devices = group_counts.devices + excluded.devices, version = excluded.version;
    END IF;
    RETURN NULL;
END $$;
