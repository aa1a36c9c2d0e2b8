-- +goose Up

-- Files that clients put beside those of people, for themselves. path is the thing
-- that one accompanies: as with dead properties, what a path has follows its file.
CREATE TABLE noise (
    path    TEXT    NOT NULL,
    name    TEXT    NOT NULL,
    creator TEXT    NOT NULL,
    etag    TEXT    NOT NULL,
    body    BLOB    NOT NULL,
    created INTEGER NOT NULL,
    changed INTEGER NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (path, name)
) STRICT;
CREATE INDEX noise_expires ON noise (expires);
