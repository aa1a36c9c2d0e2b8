package gateway

import "net/http"

// allowed are the methods of the drive. The list is the same for files, folders
// and what does not exist, so that it tells nothing.
const allowed = "OPTIONS, GET, HEAD, PUT, DELETE, MKCOL, COPY, MOVE, PROPFIND, PROPPATCH, LOCK, UNLOCK, REPORT, SEARCH"

// OptionsHandler answers OPTIONS as the drive does. It is for "/" and "*": before
// it mounts /dav, Windows asks the top of the server whether it speaks WebDAV
// (WEBDAV.md §2.1, W1). Other methods get 405.
//
// net/http answers "OPTIONS *" by itself unless the server's
// DisableGeneralOptionsHandler is set.
func OptionsHandler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodOptions {
			writeOptions(w, classes, allowed)
			return
		}
		w.Header().Set("Allow", http.MethodOptions)
		w.WriteHeader(http.StatusMethodNotAllowed)
	})
}

// classes are those of RFC 4918 §18.
const classes = "1, 2, 3"

// writeOptions is what the drive answers, with what it can beside the standard.
func (h *Handler) writeOptions(w http.ResponseWriter) {
	can := classes
	if h.Partial {
		can += ", " + partialFeature
	}
	writeOptions(w, can, h.allowed())
}

// allowed are the methods that this drive serves.
func (h *Handler) allowed() string {
	if h.Partial {
		return allowed + ", " + http.MethodPatch
	}
	return allowed
}

// writeOptions gives a constant answer, without a login: it reveals nothing, and
// LibreOffice and Windows ask before they send a password. Without MS-Author-Via
// Office opens a document for reading only (MS-OCPROTO §2.1.2.1.2); without class
// 2 macOS and davfs2 mount read-only.
func writeOptions(w http.ResponseWriter, can, allow string) {
	head := w.Header()
	head.Set("DAV", can)
	head.Set("MS-Author-Via", "DAV")
	head.Set("DASL", "<DAV:basicsearch>") // RFC 5323 §3.2
	head.Set("Allow", allow)
	head.Set("Content-Length", "0")
	w.WriteHeader(http.StatusOK)
}
