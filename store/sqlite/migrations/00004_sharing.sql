-- +goose Up

-- Paths, times and sums are kept as in the files before this one. A moment that
-- has not come, "not yet" or "for good", is Go's zero time.

-- Numbers that each change of something raises: of 'grants'.
CREATE TABLE changes (
    name  TEXT    NOT NULL PRIMARY KEY,
    count INTEGER NOT NULL
) STRICT;

CREATE TABLE grants (
    id         TEXT    NOT NULL PRIMARY KEY,
    subject    TEXT    NOT NULL,
    path       TEXT    NOT NULL,
    dir        INTEGER NOT NULL,
    role       TEXT    NOT NULL,
    giver      TEXT    NOT NULL,
    giver_name TEXT    NOT NULL,
    state      TEXT    NOT NULL,
    created    INTEGER NOT NULL,
    until_at   INTEGER NOT NULL,
    opened     INTEGER NOT NULL,
    message    TEXT    NOT NULL,
    labels     INTEGER NOT NULL,
    batch      TEXT    NOT NULL
) STRICT;
CREATE INDEX grants_subject ON grants (subject);
CREATE INDEX grants_giver ON grants (giver);
CREATE INDEX grants_path ON grants (path);
CREATE INDEX grants_state ON grants (state);

CREATE TABLE links (
    id             TEXT    NOT NULL PRIMARY KEY,
    sum            BLOB    NOT NULL UNIQUE,
    workspace      TEXT    NOT NULL,
    name           TEXT    NOT NULL,
    contact        TEXT    NOT NULL,
    mode           TEXT    NOT NULL,
    giver          TEXT    NOT NULL,
    giver_name     TEXT    NOT NULL,
    created        INTEGER NOT NULL,
    until_at       INTEGER NOT NULL,
    revoked        INTEGER NOT NULL,
    password       TEXT    NOT NULL,
    version        INTEGER NOT NULL,
    ask_mail       INTEGER NOT NULL,
    allowed        TEXT    NOT NULL, -- a JSON list
    view_only      INTEGER NOT NULL,
    max_downloads  INTEGER NOT NULL,
    downloads      INTEGER NOT NULL,
    ask_name       INTEGER NOT NULL,
    subfolders     INTEGER NOT NULL,
    max_files      INTEGER NOT NULL,
    max_bytes      INTEGER NOT NULL,
    max_file_bytes INTEGER NOT NULL,
    types          TEXT    NOT NULL, -- a JSON list
    files          INTEGER NOT NULL,
    bytes          INTEGER NOT NULL
) STRICT;
CREATE INDEX links_giver ON links (giver);
CREATE INDEX links_workspace ON links (workspace);

-- Downloads that are under way.
CREATE TABLE downloads (
    id      TEXT    NOT NULL PRIMARY KEY,
    link    TEXT    NOT NULL,
    visitor TEXT    NOT NULL,
    what    TEXT    NOT NULL,
    size    INTEGER NOT NULL,
    sent    BLOB    NOT NULL,
    began   INTEGER NOT NULL,
    seen    INTEGER NOT NULL
) STRICT;
CREATE INDEX downloads_link ON downloads (link);
CREATE INDEX downloads_seen ON downloads (seen);

CREATE TABLE deposits (
    id        TEXT    NOT NULL PRIMARY KEY,
    path      TEXT    NOT NULL,
    gone      INTEGER NOT NULL,
    owner     TEXT    NOT NULL,
    subject   TEXT    NOT NULL,
    depositor TEXT    NOT NULL,
    mail      TEXT    NOT NULL,
    grant_id  TEXT    NOT NULL,
    name      TEXT    NOT NULL,
    size      INTEGER NOT NULL,
    sha256    TEXT    NOT NULL,
    time      INTEGER NOT NULL,
    receipt   BLOB    NOT NULL,
    opened    INTEGER NOT NULL,
    opened_by TEXT    NOT NULL
) STRICT;
CREATE INDEX deposits_path ON deposits (path);
CREATE INDEX deposits_owner ON deposits (owner);
CREATE INDEX deposits_subject ON deposits (subject);
CREATE INDEX deposits_gone ON deposits (time) WHERE gone;

CREATE TABLE labels (
    owner  TEXT NOT NULL,
    path   TEXT NOT NULL,
    name   TEXT NOT NULL,
    parent TEXT NOT NULL, -- the folder's path; '' for the root
    color  TEXT NOT NULL,
    PRIMARY KEY (owner, path, name)
) STRICT;
CREATE INDEX labels_path ON labels (path);
CREATE INDEX labels_parent ON labels (owner, parent);

CREATE TABLE uploads (
    id      TEXT    NOT NULL PRIMARY KEY,
    owner   TEXT    NOT NULL,
    path    TEXT    NOT NULL,
    size    INTEGER NOT NULL,
    taken   INTEGER NOT NULL,
    handle  TEXT    NOT NULL,
    state   BLOB    NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX uploads_owner ON uploads (owner);
CREATE INDEX uploads_expires ON uploads (expires);

CREATE TABLE contacts (
    workspace    TEXT    NOT NULL,
    mail         TEXT    NOT NULL,
    name         TEXT    NOT NULL,
    organisation TEXT    NOT NULL,
    language     TEXT    NOT NULL,
    notes        TEXT    NOT NULL,
    state        TEXT    NOT NULL,
    created      INTEGER NOT NULL,
    opener       TEXT    NOT NULL,
    opener_name  TEXT    NOT NULL,
    invited      INTEGER NOT NULL,
    PRIMARY KEY (workspace, mail)
) STRICT;
CREATE INDEX contacts_mail ON contacts (mail);

CREATE TABLE contact_folders (
    workspace TEXT NOT NULL,
    mail      TEXT NOT NULL,
    path      TEXT NOT NULL,
    PRIMARY KEY (workspace, mail, path)
) STRICT;
CREATE INDEX contact_folders_path ON contact_folders (path);

CREATE TABLE accounts (
    id       TEXT    NOT NULL PRIMARY KEY,
    mail     TEXT    NOT NULL UNIQUE,
    name     TEXT    NOT NULL,
    password TEXT    NOT NULL,
    changed  INTEGER NOT NULL,
    created  INTEGER NOT NULL,
    closed   INTEGER NOT NULL
) STRICT;

CREATE TABLE tickets (
    sum     BLOB    NOT NULL PRIMARY KEY,
    kind    TEXT    NOT NULL,
    subject TEXT    NOT NULL,
    data    BLOB    NOT NULL,
    created INTEGER NOT NULL,
    expires INTEGER NOT NULL
) STRICT;
CREATE INDEX tickets_subject ON tickets (kind, subject);
CREATE INDEX tickets_expires ON tickets (expires);

-- Of the notices, those with waits have a mail that has not gone out.
CREATE TABLE notices (
    id        TEXT    NOT NULL PRIMARY KEY,
    recipient TEXT    NOT NULL,
    mail      TEXT    NOT NULL,
    language  TEXT    NOT NULL,
    event     TEXT    NOT NULL,
    data      BLOB    NOT NULL,
    batch     TEXT    NOT NULL,
    created   INTEGER NOT NULL,
    due       INTEGER NOT NULL,
    tries     INTEGER NOT NULL,
    done      INTEGER NOT NULL,
    trouble   TEXT    NOT NULL,
    quiet     INTEGER NOT NULL,
    read_at   INTEGER NOT NULL,
    waits     INTEGER NOT NULL
) STRICT;
CREATE INDEX notices_recipient ON notices (recipient);
CREATE INDEX notices_created ON notices (created);
CREATE INDEX notices_due ON notices (due) WHERE waits;
CREATE INDEX notices_batch ON notices (batch, mail) WHERE waits;

CREATE TABLE preferences (
    owner    TEXT NOT NULL PRIMARY KEY,
    language TEXT NOT NULL,
    theme    TEXT NOT NULL,
    muted    TEXT NOT NULL -- a JSON list
) STRICT;
