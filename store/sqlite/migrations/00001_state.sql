-- +goose Up

-- A path is kept as its text and a slash: '/firm/Clients/'. So a folder and all
-- that lies below it is one range of the index, >= '/firm/Clients/' and
-- < '/firm/Clients0' ('0' is the byte after '/'), which neither /firm/Clients2
-- nor a name with % or _ can get into. Times are microseconds since 1970, UTC.

CREATE TABLE locks (
    token     TEXT    NOT NULL PRIMARY KEY,
    path      TEXT    NOT NULL,
    infinite  INTEGER NOT NULL,
    shared    INTEGER NOT NULL,
    holder    TEXT    NOT NULL,
    holder_as TEXT    NOT NULL,
    owner_xml TEXT    NOT NULL,
    created   INTEGER NOT NULL,
    expires   INTEGER NOT NULL,
    term      INTEGER NOT NULL -- nanoseconds
) STRICT;
CREATE INDEX locks_path ON locks (path);
CREATE INDEX locks_holder ON locks (holder);
CREATE INDEX locks_expires ON locks (expires);

CREATE TABLE props (
    path   TEXT NOT NULL,
    space  TEXT NOT NULL,
    local  TEXT NOT NULL,
    parent TEXT NOT NULL, -- the folder's path; '' for the root
    xml    TEXT NOT NULL,
    PRIMARY KEY (path, space, local)
) STRICT;
CREATE INDEX props_parent ON props (parent);

CREATE TABLE moves (
    number INTEGER NOT NULL PRIMARY KEY, -- the order of beginning, where the clock cannot tell
    id     TEXT    NOT NULL UNIQUE,
    source TEXT    NOT NULL,
    target TEXT    NOT NULL,
    dir    INTEGER NOT NULL,
    phase  TEXT    NOT NULL,
    began  INTEGER NOT NULL,
    audit  BLOB
) STRICT;

-- AUTOINCREMENT keeps its counter in a table, inside the transaction: what is
-- undone leaves no gap, and a number does not come back when old rows go.
CREATE TABLE audit (
    seq  INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    time INTEGER NOT NULL,
    json TEXT    NOT NULL
) STRICT;

-- One row, written by each health check.
CREATE TABLE probe (
    id    INTEGER NOT NULL PRIMARY KEY CHECK (id = 1),
    count INTEGER NOT NULL
) STRICT;
INSERT INTO probe (id, count) VALUES (1, 0);
