-- +goose Up

-- What seals the personal data in audit rows. To destroy a key is to erase what
-- it has sealed; so a row goes at any time, other than one of audit.
CREATE TABLE audit_keys (
    kind    TEXT NOT NULL, -- 'person' or 'day'
    name    TEXT NOT NULL, -- the pseudonym, or the day
    lookup  TEXT NOT NULL, -- of a person: an HMAC of who it is
    wrapped BLOB NOT NULL, -- the key, encrypted under one that is not in the database
    PRIMARY KEY (kind, name),
    UNIQUE (kind, lookup)
) STRICT, WITHOUT ROWID;
