-- A key that the client chose. A repeated call to begin a registration has the same key, and begins no second one.
ALTER TABLE registrations ADD COLUMN idempotency_key UUID;
CREATE UNIQUE INDEX registrations_idempotency_key ON registrations (account, idempotency_key);
