-- +goose Up

-- What sync clients were told of folders. The data stand last: what is asked for
-- most is found without them.
CREATE TABLE snapshots (
    id      TEXT    NOT NULL PRIMARY KEY,
    line    TEXT    NOT NULL,
    owner   TEXT    NOT NULL,
    place   TEXT    NOT NULL,
    sum     BLOB    NOT NULL,
    size    INTEGER NOT NULL,
    created INTEGER NOT NULL,
    used    INTEGER NOT NULL,
    data    BLOB    NOT NULL
) STRICT;
CREATE INDEX snapshots_owner ON snapshots (owner, used);
CREATE INDEX snapshots_used ON snapshots (used);
