// Package content carries files between the store and a browser: it shows and
// sends them, packs several into an archive, and takes those that a plain form
// brings. The pages of staff, customers and links do so alike.
package content

import (
	"context"
	"io"
	"net/http"
	"path"
	"strings"

	"portico/files"
	"portico/vpath"
)

// Door is what somebody may see and use: a *files.Tree, or a *files.Window.
type Door interface {
	Stat(ctx context.Context, p vpath.Path) (files.Node, error)
	Find(ctx context.Context, p vpath.Path, members bool, want files.Want) (self files.Node, below []files.Node, err error)
	Open(ctx context.Context, p vpath.Path, r files.Range) (io.ReadCloser, files.Node, error)
	Put(ctx context.Context, p vpath.Path, body io.Reader, o files.PutOptions) (n files.Node, created bool, err error)
}

// Showable tells the kinds that a browser may show in a page of ours, and how:
// the allow-list of THREATS.md §4.3. SVG and HTML are not among them, since they
// are programs. "" is for saving alone.
func Showable(n files.Node) (how string) {
	kind, _, _ := strings.Cut(n.ContentType, ";")
	switch kind {
	case "image/png", "image/jpeg", "image/gif", "image/webp":
		return "image"
	case "application/pdf":
		return "pdf"
	case "text/plain":
		return "text"
	case "audio/mpeg", "audio/ogg", "audio/wav", "audio/mp4", "audio/aac", "audio/flac", "audio/x-wav":
		return "audio"
	case "video/mp4", "video/webm", "video/ogg", "video/quicktime":
		return "video"
	}
	return ""
}

// Kind names the icon of a thing, by its name alone: nothing is ever opened to
// find out what it is.
func Kind(n files.Node) string {
	if n.Dir {
		return "folder"
	}
	kind, _, _ := strings.Cut(n.ContentType, ";")
	switch {
	case kind == "application/pdf":
		return "pdf"
	case strings.HasPrefix(kind, "image/"), strings.HasPrefix(kind, "audio/"), strings.HasPrefix(kind, "video/"):
		return kind[:5]
	case kind == "application/zip", kind == "application/gzip", kind == "application/x-7z-compressed":
		return "archive"
	case strings.HasPrefix(kind, "text/"), kind == "application/rtf", strings.Contains(kind, "word"), strings.Contains(kind, "document.text"):
		return "text"
	}
	switch strings.ToLower(path.Ext(n.Path.Name())) {
	case ".xls", ".xlsx", ".ods", ".csv":
		return "sheet"
	}
	return "file"
}

// Policy is the Content-Security-Policy of a file of a media type. Our own pages may
// frame what can be shown; all else stands alone, in a sandbox.
func Policy(kind string) string {
	switch Showable(files.Node{ContentType: kind}) {
	case "":
		return "sandbox; default-src 'none'"
	case "pdf": // Chromium's reader does not open in a sandbox. It takes no page for a PDF, and runs nothing of ours.
		return "default-src 'none'; object-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
	}
	return "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'; frame-ancestors 'self'"
}

// setHeaders are those of what users have put here. It may be a page with a
// script in it: it is saved and not opened unless its kind is on the list, never
// sniffed, and in a sandbox if opened all the same.
func setHeaders(h http.Header, n files.Node, download bool) {
	kind := "application/octet-stream"
	how := Showable(n)
	if how != "" {
		kind = n.ContentType
	}
	h.Set("Content-Security-Policy", Policy(kind))
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", files.Disposition(n.Path.Name(), how != "" && !download))
	h.Set("Cache-Control", "private, no-cache")
	h.Set("ETag", `"`+n.ETag+`"`)
	h.Set("Accept-Ranges", "bytes")
	if !n.ModTime.IsZero() {
		h.Set("Last-Modified", n.ModTime.UTC().Format(http.TimeFormat))
	}
}
