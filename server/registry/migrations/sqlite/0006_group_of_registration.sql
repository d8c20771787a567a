-- The name of the device group that a registration makes with the first device that joins it. Then, and where there is
-- such a group already, the group is in device_group, and this is empty.
ALTER TABLE registrations ADD COLUMN new_group TEXT;
