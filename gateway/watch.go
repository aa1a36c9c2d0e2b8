package gateway

import (
	"errors"
	"net/http"
	"strings"

	"golang.org/x/net/webdav"

	"portico/files"
	"portico/identity"
)

// Watcher hears of requests to the drive, after they were done. Whoever opens their
// drive for the first time and fails sees nothing but "the network path was not
// found": what went wrong only the server knows.
type Watcher interface {
	// Watching is asked for each request: it is false unless somebody looks, and
	// costs nothing then.
	Watching() bool
	// Saw must not wait for anything.
	Saw(Seen)
}

// Seen is one request as a Watcher hears of it.
type Seen struct {
	Person  string         // the ID of who has signed in, "" for nobody
	Login   identity.Login // as it was typed, where nobody has signed in; it may be anybody's
	Bearer  bool           // it came with a token in the place of a password, as Office sends one
	Address string
	Windows bool // it came from Windows' own client
	TLS     bool

	Method string
	Status int
	Sent   int64 // bytes of a listing
	Err    error // why it was refused, nil where it was not
}

// watch tells the Watcher of a request. Links have no person, and are not told of.
func (h *Handler) watch(r *http.Request, q *request, err error) {
	if inside, _ := h.strip(r.URL.EscapedPath()); strings.HasPrefix(inside, "/"+linkName+"/") {
		return
	}
	n := Seen{
		Person: q.who, Address: h.Address(r), Windows: q.windows, TLS: h.Secure(r),
		Method: r.Method, Status: http.StatusOK, Sent: q.sent, Err: err,
	}
	if n.Person == "" {
		n.Login, _, _ = identity.Basic(r.Header.Values("Authorization"))
		n.Bearer = isBearer(r)
	}
	if err != nil {
		n.Status = statusOf(r.Method, err)
	}
	h.Watch.Saw(n)
}

// statusOf is the status that an error has.
func statusOf(method string, err error) int {
	if _, ok := errors.AsType[*files.Partial](err); ok {
		return webdav.StatusMulti
	}
	return judge(method, err).status
}

// isBearer tells a token, which Office sends before it asks for a password, often
// an empty one (WEBDAV.md §2.7).
func isBearer(r *http.Request) bool {
	scheme, _, _ := strings.Cut(r.Header.Get("Authorization"), " ")
	return strings.EqualFold(scheme, "Bearer")
}
