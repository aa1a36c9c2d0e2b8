-- +goose Up

-- The keys of what is sealed in audit rows: see store/sqlite.
CREATE TABLE audit_keys (
    kind    TEXT COLLATE "C" NOT NULL,
    name    TEXT COLLATE "C" NOT NULL,
    lookup  TEXT COLLATE "C" NOT NULL,
    wrapped BYTEA NOT NULL,
    PRIMARY KEY (kind, name),
    UNIQUE (kind, lookup)
);
