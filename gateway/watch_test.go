package gateway_test

import (
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"portico/fault"
	"portico/gateway"
	"portico/identity"
)

// eyes are a Watcher that keeps all it hears.
type eyes struct {
	mu   sync.Mutex
	shut bool
	all  []gateway.Seen
}

func (e *eyes) Watching() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return !e.shut
}

func (e *eyes) Saw(s gateway.Seen) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.all = append(e.all, s)
}

func (e *eyes) last(t *testing.T) gateway.Seen {
	t.Helper()
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.all) == 0 {
		t.Fatal("nothing was seen")
	}
	return e.all[len(e.all)-1]
}

// TestWatch: what is done is told with who did it, and why it was refused; links
// are nobody's.
func TestWatch(t *testing.T) {
	t.Parallel()
	e := &eyes{}
	h := newHouse(t, func(s *settings) {
		s.gateway.Watch = e
		s.gateway.Secure = func(r *http.Request) bool { return r.Header.Get("X-Forwarded-Proto") == "https" }
	})
	ann, bob := h.as("ann"), h.as("bob")
	ann.Do("OPTIONS", "/firm/", "", "X-Forwarded-Proto: https").Want(200)
	if s := e.last(t); s.Person != "" || s.Login != "ann" || s.Method != "OPTIONS" || s.Status != 200 || !s.TLS {
		t.Errorf("OPTIONS: %+v", s)
	}
	ann.Put("/firm/a", "old").Want(201)
	if s := e.last(t); !strings.HasSuffix(s.Person, "ann") || s.Login != "" || s.Method != "PUT" || s.Err != nil || s.TLS || s.Address == "" {
		t.Errorf("PUT: %+v", s)
	}
	res := ann.Do("PROPFIND", "/firm/", "", "Depth: 1").Want(207)
	if s := e.last(t); s.Sent != int64(len(res.Text)) || s.Sent < 100 {
		t.Errorf("a listing of %d bytes: %+v", len(res.Text), s)
	}
	ann.Do("PROPFIND", "/firm/", "", "Depth: 0", "User-Agent: Microsoft-WebDAV-MiniRedir/10.0.19045").Want(207)
	if s := e.last(t); !s.Windows {
		t.Errorf("Windows' own client: %+v", s)
	}
	bob.Put("/firm/a", "new").Want(403)
	if s := e.last(t); s.Status != 403 || s.Err == nil || fault.Told(s.Err) == "" {
		t.Errorf("refused: %+v", s)
	}
	ann.Lock("/firm/a").Want(200)
	ann.Put("/firm/a", "new").Want(423)
	if s := e.last(t); s.Status != 423 || !errors.Is(s.Err, fault.ErrLocked) {
		t.Errorf("locked: %+v", s)
	}
	h.with("ann", "wrong-password").Put("/firm/a", "x").Want(401)
	if s := e.last(t); s.Person != "" || s.Login != "ann" || s.Status != 401 || !errors.Is(s.Err, identity.ErrRefused) {
		t.Errorf("a wrong password: %+v", s)
	}
	h.with("", "").Do("GET", "/firm/a", "", "Authorization: Bearer").Want(401)
	if s := e.last(t); !s.Bearer || s.Login != "" {
		t.Errorf("an empty token: %+v", s)
	}
	n := len(e.all)
	h.with("", "").Do("GET", "/link/secret/x", "").Want(401, 404)
	e.shut = true
	ann.Put("/firm/b", "x").Want(201)
	if len(e.all) != n {
		t.Errorf("a link, or what nobody watches, was seen: %+v", e.all[n:])
	}
}

// TestLockedSince: 423 says who has it, and since when by the firm's clock.
func TestLockedSince(t *testing.T) {
	t.Parallel()
	zone := time.FixedZone("firm", 5*60*60)
	now := time.Now().In(zone)
	h := newHouse(t, func(s *settings) {
		s.gateway.Zone = func() *time.Location { return zone }
		s.gateway.Clock = func() time.Time { return now }
	})
	ann, bob := h.as("ann"), h.as("bob")
	ann.Do("MKCOL", "/firm/Clients", "").Want(201)
	ann.Put("/firm/Clients/a.docx", "old").Want(201)
	ann.Lock("/firm/Clients/a.docx").Want(200)
	hours := []string{now.Format("15:04"), time.Now().In(zone).Format("15:04")} // a minute may have passed
	body := bob.Put("/firm/Clients/a.docx", "new").Want(423).Text
	if !strings.Contains(body, "a.docx is locked by Ann Peeters since "+hours[0]+".") && !strings.Contains(body, "a.docx is locked by Ann Peeters since "+hours[1]+".") {
		t.Errorf("today: %s", body)
	}
	now = now.AddDate(0, 0, 3)
	day := now.AddDate(0, 0, -3).Format(" since 2 January, 15:")
	bob.Lock("/firm/Clients/a.docx").Want(423).WantIn("a.docx is locked by Ann Peeters" + day)
}
