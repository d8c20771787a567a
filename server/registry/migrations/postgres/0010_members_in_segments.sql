-- The members of groups are in the segments now: members::move_to_segments has moved them.
DROP TABLE group_counts;
DROP TABLE group_members;
DROP FUNCTION muster_count_members();
DROP FUNCTION muster_shard();
