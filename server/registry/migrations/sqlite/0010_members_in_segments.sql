-- The members of groups are in the segments now: members::move_to_segments has moved them.
DROP TRIGGER device_groups_gone;
DROP TABLE group_counts;
DROP TABLE group_members;
