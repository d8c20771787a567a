-- Wrong passwords, by pairs of an e-mail address and a source. Both are known by a hash: people type their password into
-- the wrong box. `sign_in_failures` is not used any more; a later release drops it, so that the release before this one can
-- go on beside it.
CREATE TABLE wrong_passwords (
    id UUID PRIMARY KEY,
    email_hash UUID NOT NULL,
    source_hash UUID NOT NULL,
    tried_at BIGINT NOT NULL
);
CREATE INDEX wrong_passwords_source ON wrong_passwords (source_hash, tried_at);
CREATE INDEX wrong_passwords_email ON wrong_passwords (email_hash);
CREATE INDEX wrong_passwords_tried_at ON wrong_passwords (tried_at);
