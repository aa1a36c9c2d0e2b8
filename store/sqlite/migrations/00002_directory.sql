-- +goose Up

-- What no released version has written is made anew: each replica has a stream
-- of rows of its own. package store numbers the rows.
DROP TABLE audit;
CREATE TABLE audit (
    stream TEXT    NOT NULL,
    seq    INTEGER NOT NULL CHECK (seq > 0),
    time   INTEGER NOT NULL,
    json   TEXT    NOT NULL,
    hash   BLOB    NOT NULL,
    PRIMARY KEY (stream, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_cuts (
    stream    TEXT    NOT NULL,
    seq       INTEGER NOT NULL,
    hash      BLOB    NOT NULL,
    time      INTEGER NOT NULL,
    signature BLOB    NOT NULL,
    PRIMARY KEY (stream, seq)
) STRICT, WITHOUT ROWID;

CREATE TABLE audit_sinks (
    sink   TEXT    NOT NULL,
    stream TEXT    NOT NULL,
    seq    INTEGER NOT NULL,
    PRIMARY KEY (sink, stream)
) STRICT, WITHOUT ROWID;

-- The database itself refuses to change the past: a row goes only when a cut
-- was written that speaks of it, and a cut never goes.

-- +goose StatementBegin
CREATE TRIGGER audit_kept BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'an audit row is never changed');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_cut BEFORE DELETE ON audit
WHEN OLD.seq > coalesce((SELECT max(seq) FROM audit_cuts WHERE stream = OLD.stream), 0) BEGIN
    SELECT RAISE(ABORT, 'an audit row goes with a cut alone');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_cuts_kept BEFORE UPDATE ON audit_cuts BEGIN
    SELECT RAISE(ABORT, 'an audit cut is never changed');
END;
-- +goose StatementEnd

-- +goose StatementBegin
CREATE TRIGGER audit_cuts_stay BEFORE DELETE ON audit_cuts BEGIN
    SELECT RAISE(ABORT, 'an audit cut is never removed');
END;
-- +goose StatementEnd

CREATE TABLE intents (
    number  INTEGER NOT NULL PRIMARY KEY, -- as in moves
    id      TEXT    NOT NULL UNIQUE,
    replica TEXT    NOT NULL,
    began   INTEGER NOT NULL,
    audit   BLOB
) STRICT;

CREATE TABLE usage (
    workspace TEXT    NOT NULL PRIMARY KEY,
    bytes     INTEGER NOT NULL,
    counted   INTEGER NOT NULL
) STRICT;

-- Of secrets only the SHA-256 is kept, in the columns named sum.

CREATE TABLE app_passwords (
    id        TEXT    NOT NULL PRIMARY KEY,
    sum       BLOB    NOT NULL UNIQUE,
    owner     TEXT    NOT NULL,
    login     TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    workspace TEXT    NOT NULL,
    read_only INTEGER NOT NULL,
    created   INTEGER NOT NULL,
    expires   INTEGER NOT NULL,
    used      INTEGER NOT NULL,
    used_from TEXT    NOT NULL
) STRICT;
CREATE INDEX app_passwords_owner ON app_passwords (owner);

CREATE TABLE sessions (
    sum     BLOB    NOT NULL PRIMARY KEY,
    owner   TEXT    NOT NULL,
    data    BLOB    NOT NULL,
    created INTEGER NOT NULL,
    seen    INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_owner ON sessions (owner);
CREATE INDEX sessions_expires ON sessions (expires);

CREATE TABLE people (
    id        TEXT    NOT NULL PRIMARY KEY,
    login     TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    email     TEXT    NOT NULL,
    member_of TEXT    NOT NULL, -- the groups, as a JSON list
    seen      INTEGER NOT NULL
) STRICT;

CREATE TABLE attempts (
    name     TEXT    NOT NULL PRIMARY KEY,
    count    INTEGER NOT NULL,
    first_at INTEGER NOT NULL,
    last_at  INTEGER NOT NULL,
    until_at INTEGER NOT NULL,
    strikes  INTEGER NOT NULL
) STRICT;
CREATE INDEX attempts_last ON attempts (last_at);
