-- +goose Up

-- What sync clients were told of folders: see store/sqlite.
CREATE TABLE snapshots (
    id      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    line    TEXT COLLATE "C" NOT NULL,
    owner   TEXT COLLATE "C" NOT NULL,
    place   TEXT COLLATE "C" NOT NULL,
    sum     BYTEA            NOT NULL,
    size    BIGINT           NOT NULL,
    created BIGINT           NOT NULL,
    used    BIGINT           NOT NULL,
    data    BYTEA            NOT NULL
);
CREATE INDEX snapshots_owner ON snapshots (owner, used);
CREATE INDEX snapshots_used ON snapshots (used);
