-- A key that the client chose. A call to begin a registration that has the key of an earlier one begins no other.
ALTER TABLE registrations ADD COLUMN idempotency_key UUID;
CREATE UNIQUE INDEX registrations_idempotency_key ON registrations (account, idempotency_key);
