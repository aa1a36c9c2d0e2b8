-- +goose Up

-- The tables are those of store/sqlite, where the columns are explained.

CREATE TABLE changes (
    name  TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    count BIGINT           NOT NULL
);

CREATE TABLE grants (
    id         TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    subject    TEXT COLLATE "C" NOT NULL,
    path       TEXT COLLATE "C" NOT NULL,
    dir        BOOLEAN          NOT NULL,
    role       TEXT             NOT NULL,
    giver      TEXT COLLATE "C" NOT NULL,
    giver_name TEXT             NOT NULL,
    state      TEXT COLLATE "C" NOT NULL,
    created    BIGINT           NOT NULL,
    until_at   BIGINT           NOT NULL,
    opened     BIGINT           NOT NULL,
    message    TEXT             NOT NULL,
    labels     BOOLEAN          NOT NULL,
    batch      TEXT             NOT NULL
);
CREATE INDEX grants_subject ON grants (subject);
CREATE INDEX grants_giver ON grants (giver);
CREATE INDEX grants_path ON grants (path);
CREATE INDEX grants_state ON grants (state);

CREATE TABLE links (
    id             TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    sum            BYTEA            NOT NULL UNIQUE,
    workspace      TEXT COLLATE "C" NOT NULL,
    name           TEXT             NOT NULL,
    contact        TEXT             NOT NULL,
    mode           TEXT             NOT NULL,
    giver          TEXT COLLATE "C" NOT NULL,
    giver_name     TEXT             NOT NULL,
    created        BIGINT           NOT NULL,
    until_at       BIGINT           NOT NULL,
    revoked        BIGINT           NOT NULL,
    password       TEXT             NOT NULL,
    version        BIGINT           NOT NULL,
    ask_mail       BOOLEAN          NOT NULL,
    allowed        TEXT             NOT NULL,
    view_only      BOOLEAN          NOT NULL,
    max_downloads  BIGINT           NOT NULL,
    downloads      BIGINT           NOT NULL,
    ask_name       BOOLEAN          NOT NULL,
    subfolders     BOOLEAN          NOT NULL,
    max_files      BIGINT           NOT NULL,
    max_bytes      BIGINT           NOT NULL,
    max_file_bytes BIGINT           NOT NULL,
    types          TEXT             NOT NULL,
    files          BIGINT           NOT NULL,
    bytes          BIGINT           NOT NULL
);
CREATE INDEX links_giver ON links (giver);
CREATE INDEX links_workspace ON links (workspace);

CREATE TABLE downloads (
    id      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    link    TEXT COLLATE "C" NOT NULL,
    visitor TEXT             NOT NULL,
    what    TEXT             NOT NULL,
    size    BIGINT           NOT NULL,
    sent    BYTEA            NOT NULL,
    began   BIGINT           NOT NULL,
    seen    BIGINT           NOT NULL
);
CREATE INDEX downloads_link ON downloads (link);
CREATE INDEX downloads_seen ON downloads (seen);

CREATE TABLE deposits (
    id        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    path      TEXT COLLATE "C" NOT NULL,
    gone      BOOLEAN          NOT NULL,
    owner     TEXT COLLATE "C" NOT NULL,
    subject   TEXT COLLATE "C" NOT NULL,
    depositor TEXT             NOT NULL,
    mail      TEXT             NOT NULL,
    grant_id  TEXT             NOT NULL,
    name      TEXT             NOT NULL,
    size      BIGINT           NOT NULL,
    sha256    TEXT             NOT NULL,
    time      BIGINT           NOT NULL,
    receipt   BYTEA            NOT NULL,
    opened    BIGINT           NOT NULL,
    opened_by TEXT             NOT NULL
);
CREATE INDEX deposits_path ON deposits (path);
CREATE INDEX deposits_owner ON deposits (owner);
CREATE INDEX deposits_subject ON deposits (subject);
CREATE INDEX deposits_gone ON deposits (time) WHERE gone;

CREATE TABLE labels (
    owner  TEXT COLLATE "C" NOT NULL,
    path   TEXT COLLATE "C" NOT NULL,
    name   TEXT COLLATE "C" NOT NULL,
    parent TEXT COLLATE "C" NOT NULL,
    color  TEXT             NOT NULL,
    PRIMARY KEY (owner, path, name)
);
CREATE INDEX labels_path ON labels (path);
CREATE INDEX labels_parent ON labels (owner, parent);

CREATE TABLE uploads (
    id      TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    owner   TEXT COLLATE "C" NOT NULL,
    path    TEXT COLLATE "C" NOT NULL,
    size    BIGINT           NOT NULL,
    taken   BIGINT           NOT NULL,
    handle  TEXT             NOT NULL,
    state   BYTEA            NOT NULL,
    created BIGINT           NOT NULL,
    expires BIGINT           NOT NULL
);
CREATE INDEX uploads_owner ON uploads (owner);
CREATE INDEX uploads_expires ON uploads (expires);

CREATE TABLE contacts (
    workspace    TEXT COLLATE "C" NOT NULL,
    mail         TEXT COLLATE "C" NOT NULL,
    name         TEXT COLLATE "C" NOT NULL,
    organisation TEXT             NOT NULL,
    language     TEXT             NOT NULL,
    notes        TEXT             NOT NULL,
    state        TEXT             NOT NULL,
    created      BIGINT           NOT NULL,
    opener       TEXT             NOT NULL,
    opener_name  TEXT             NOT NULL,
    invited      BIGINT           NOT NULL,
    PRIMARY KEY (workspace, mail)
);
CREATE INDEX contacts_mail ON contacts (mail);

CREATE TABLE contact_folders (
    workspace TEXT COLLATE "C" NOT NULL,
    mail      TEXT COLLATE "C" NOT NULL,
    path      TEXT COLLATE "C" NOT NULL,
    PRIMARY KEY (workspace, mail, path)
);
CREATE INDEX contact_folders_path ON contact_folders (path);

CREATE TABLE accounts (
    id       TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    mail     TEXT COLLATE "C" NOT NULL UNIQUE,
    name     TEXT             NOT NULL,
    password TEXT             NOT NULL,
    changed  BIGINT           NOT NULL,
    created  BIGINT           NOT NULL,
    closed   BOOLEAN          NOT NULL
);

CREATE TABLE tickets (
    sum     BYTEA            NOT NULL PRIMARY KEY,
    kind    TEXT COLLATE "C" NOT NULL,
    subject TEXT COLLATE "C" NOT NULL,
    data    BYTEA            NOT NULL,
    created BIGINT           NOT NULL,
    expires BIGINT           NOT NULL
);
CREATE INDEX tickets_subject ON tickets (kind, subject);
CREATE INDEX tickets_expires ON tickets (expires);

CREATE TABLE notices (
    id        TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    recipient TEXT COLLATE "C" NOT NULL,
    mail      TEXT COLLATE "C" NOT NULL,
    language  TEXT             NOT NULL,
    event     TEXT             NOT NULL,
    data      BYTEA            NOT NULL,
    batch     TEXT COLLATE "C" NOT NULL,
    created   BIGINT           NOT NULL,
    due       BIGINT           NOT NULL,
    tries     BIGINT           NOT NULL,
    done      BIGINT           NOT NULL,
    trouble   TEXT             NOT NULL,
    quiet     BOOLEAN          NOT NULL,
    read_at   BIGINT           NOT NULL,
    waits     BOOLEAN          NOT NULL
);
CREATE INDEX notices_recipient ON notices (recipient);
CREATE INDEX notices_created ON notices (created);
CREATE INDEX notices_due ON notices (due) WHERE waits;
CREATE INDEX notices_batch ON notices (batch, mail) WHERE waits;

CREATE TABLE preferences (
    owner    TEXT COLLATE "C" NOT NULL PRIMARY KEY,
    language TEXT             NOT NULL,
    theme    TEXT             NOT NULL,
    muted    TEXT             NOT NULL
);

-- The other replicas hear of each change of grants as they hear of the moves.
CREATE TRIGGER changes_changed AFTER INSERT OR UPDATE ON changes
    FOR EACH STATEMENT EXECUTE FUNCTION portico_moves_changed();
