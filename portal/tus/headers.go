package tus

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// sizeOf is the announced length, -1 for one that is to follow. What is negative
// stays so, for the limit to refuse.
func sizeOf(h http.Header) (int64, error) {
	length, deferred := h.Get("Upload-Length"), h.Get("Upload-Defer-Length")
	switch {
	case h.Get("Upload-Concat") != "":
		return 0, refuse(http.StatusBadRequest, "This server does not join uploads.")
	case length == "" && deferred == "1":
		return -1, nil
	case length == "" || deferred != "":
		return 0, refuse(http.StatusBadRequest, "An upload needs either Upload-Length or Upload-Defer-Length: 1.")
	}
	size, err := strconv.ParseInt(length, 10, 64)
	switch {
	case errors.Is(err, strconv.ErrRange), err == nil && size < 0:
		return 0, fault.Tell(fault.ErrTooLarge, "A file cannot have a size of %.30s bytes.", length)
	case err != nil:
		return 0, refuse(http.StatusBadRequest, "Upload-Length is not a number.")
	}
	return size, nil
}

// metadata is Upload-Metadata, decoded.
type metadata map[string]string

func parseMetadata(header string) (metadata, error) {
	m := metadata{}
	for pair := range strings.SplitSeq(header, ",") {
		key, value, _ := strings.Cut(strings.TrimSpace(pair), " ")
		if key == "" {
			continue
		}
		raw, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
		if err != nil {
			return nil, refuse(http.StatusBadRequest, "Upload-Metadata is not in base64.")
		}
		m[key] = string(raw)
	}
	return m, nil
}

// modTime is zero for none, or one that is no time.
func (m metadata) modTime() time.Time {
	ms, err := strconv.ParseInt(m["lastModified"], 10, 64)
	if err != nil || ms <= 0 {
		return time.Time{}
	}
	return time.UnixMilli(ms)
}

func (m metadata) exists() string { return cmp.Or(m["exists"], files.ExistsAsk) }

// relative are the elements of relativePath. Uppy sends "null" for none.
func (m metadata) relative() []string {
	rel := strings.Trim(m["relativePath"], "/")
	if rel == "" || rel == "null" {
		return nil
	}
	return strings.Split(rel, "/")
}

// target is the path that an upload is for. The folders of relativePath are made.
func (h *handler) target(ctx context.Context, t Tree, m metadata) (p vpath.Path, err error) {
	folder, err := vpath.Parse(m["path"])
	if err != nil {
		return p, err
	}
	rel, name := m.relative(), m["filename"]
	if len(rel) > 0 {
		name = cmp.Or(name, rel[len(rel)-1])
		rel = rel[:len(rel)-1]
	}
	// All of it is judged before the first folder is made.
	above := make([]vpath.Path, len(rel))
	at := folder
	for i, element := range rel {
		if at, err = at.Child(element); err != nil {
			return p, err
		}
		above[i] = at
	}
	if p, err = at.Child(name); err != nil {
		return p, err
	}
	for _, dir := range above {
		if err := makeFolder(ctx, t, dir); err != nil {
			return p, err
		}
	}
	return p, nil
}

// makeFolder makes a folder if there is none that the principal sees.
func makeFolder(ctx context.Context, t Tree, p vpath.Path) error {
	n, err := t.Stat(ctx, p)
	switch {
	case err == nil && n.Dir:
		return nil
	case err == nil:
		return fault.Tell(fault.ErrNotDir, "%s is a file: a folder cannot take its name", p)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	if err := t.Mkdir(ctx, p, files.Guard{}); err != nil && !errors.Is(err, fs.ErrExist) {
		return err // a sibling of a dropped folder may be quicker
	}
	return nil
}

// parseSum reads Upload-Checksum, nil for none.
func parseSum(header string) (*files.UploadSum, error) {
	if header == "" {
		return nil, nil //nolint:nilnil // there is none
	}
	algorithm, text, _ := strings.Cut(header, " ")
	sum, err := base64.StdEncoding.DecodeString(strings.TrimSpace(text))
	known := algorithm == "sha1" || algorithm == "sha256"
	if err != nil || !known {
		return nil, refuse(http.StatusBadRequest, "Upload-Checksum must be one of "+algorithms+" and a sum in base64.")
	}
	return &files.UploadSum{Algorithm: algorithm, Sum: sum}, nil
}

// escape is a path for a header.
func escape(p vpath.Path) string { return (&url.URL{Path: p.String()}).EscapedPath() }
