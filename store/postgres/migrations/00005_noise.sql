-- +goose Up

-- Files that clients put beside those of people: see store/sqlite.
CREATE TABLE noise (
    path    TEXT COLLATE "C" NOT NULL,
    name    TEXT COLLATE "C" NOT NULL,
    creator TEXT COLLATE "C" NOT NULL,
    etag    TEXT COLLATE "C" NOT NULL,
    body    BYTEA            NOT NULL,
    created BIGINT           NOT NULL,
    changed BIGINT           NOT NULL,
    expires BIGINT           NOT NULL,
    PRIMARY KEY (path, name)
);
CREATE INDEX noise_expires ON noise (expires);
