package mount

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"portico/fault"
	"portico/files"
	"portico/identity"
	"portico/lang"
	"portico/store"
	"portico/store/sqlite"
	"portico/vpath"
)

// clinic is two replicas with a doctor each, over one store.
type clinic struct {
	*testing.T
	state *sqlite.Store
	text  *lang.Text
	now   time.Time
	a, b  *Doctor
}

// together says that there are other replicas, which SQLite never has.
type together struct{ *sqlite.Store }

func (together) Shared() bool { return true }

func newClinic(t *testing.T) *clinic {
	t.Helper()
	c := &clinic{T: t, now: time.Date(2026, 11, 22, 10, 42, 0, 0, time.UTC)}
	var err error
	if c.state, err = sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "state.db"), sqlite.Options{}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.state.Close() })
	catalog, err := lang.New()
	if err != nil {
		t.Fatal(err)
	}
	c.text = catalog.For("en")
	o := Options{Store: together{c.state}, Catalog: catalog, Clock: func() time.Time { return c.now }, Log: slog.New(slog.DiscardHandler)}
	c.a, c.b = New(o), New(o)
	return c
}

var ann = identity.Identity{ID: "yaml:ann", Login: "ann", Name: "Ann Peeters"}

const home = "203.0.113.7"

func (c *clinic) start(d *Doctor) {
	c.Helper()
	if err := d.Start(c.Context(), ann, home, c.text); err != nil {
		c.Fatal(err)
	}
}

// see has a replica see a request, and judge it.
func (c *clinic) see(d *Doctor, s Seen) {
	c.Helper()
	d.Saw(s)
	select {
	case s := <-d.seen:
		d.judge(c.Context(), s)
	default:
	}
}

// report is what ann sees, as "step: state cause detail" lines.
func (c *clinic) report(d *Doctor) map[string]Step {
	c.Helper()
	r, found, err := d.Look(c.Context(), ann.ID)
	if err != nil {
		c.Fatal(err)
	}
	if !found {
		return nil
	}
	all := map[string]Step{}
	for i, l := range lines() {
		all[l.step] = r.Steps[i]
	}
	return all
}

func (c *clinic) want(d *Doctor, step, state, cause string) {
	c.Helper()
	got := c.report(d)[step]
	if got.State != state || !strings.Contains(got.Cause, cause) || cause == "" && got.Cause != "" {
		c.Errorf("%s is %+v, want %q and %q", step, got, state, cause)
	}
}

func deed(method string, status int, err error) Seen {
	return Seen{Person: ann.ID, Address: "198.51.100.1", TLS: true, Method: method, Status: status, Err: err}
}

// TestADriveComesToLife: each step is ticked off, whichever replica it comes to.
func TestADriveComesToLife(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	if c.a.Watching() {
		t.Fatal("somebody is watched before they have asked")
	}
	c.start(c.a)
	if c.b.Watching() {
		t.Fatal("the other replica knows before its tick")
	}
	c.b.refresh(t.Context())
	c.want(c.b, reached, "", "")
	c.see(c.b, Seen{Login: "", Address: home, TLS: true, Method: http.MethodOptions, Status: 200})
	c.want(c.a, reached, "ok", "")
	c.want(c.a, class2, "ok", "")
	c.want(c.a, signedIn, "", "")
	for _, s := range []struct {
		doctor *Doctor
		method string
		status int
		step   string
	}{{c.a, "PROPFIND", 207, listed}, {c.b, "LOCK", 201, locked}, {c.a, "PUT", 204, written}, {c.b, "MOVE", 201, renamed}} {
		c.see(s.doctor, deed(s.method, s.status, nil))
		c.want(c.a, s.step, "ok", "")
	}
	r, _, err := c.b.Look(t.Context(), ann.ID)
	if err != nil || slices.ContainsFunc(r.Steps, func(s Step) bool { return s.State != "ok" }) {
		t.Errorf("report %+v, %v: something is missing", r, err)
	}
}

// TestCauses: what is missing is told with its cause.
func TestCauses(t *testing.T) {
	t.Parallel()
	_, bad := vpath.Must("/firm").Child("a\\b")
	for name, k := range map[string]struct {
		seen        Seen
		step, cause string
		detail      string
	}{
		"Windows without TLS":    {Seen{Address: home, Windows: true, Method: "PROPFIND", Status: 401, Err: identity.ErrRefused}, signedIn, "Basic needs TLS", ""},
		"its TLS":                {Seen{Address: home, Windows: true, Method: "PROPFIND", Status: 401}, tls, "BasicAuthLevel", ""},
		"another without TLS":    {Seen{Address: home, Method: "PROPFIND", Status: 401}, tls, "everybody on the way", ""},
		"no password yet":        {Seen{Address: home, TLS: true, Method: "PROPFIND", Status: 401}, signedIn, "no password yet", ""},
		"a token":                {Seen{Address: home, TLS: true, Bearer: true, Method: "GET", Status: 401}, signedIn, "token", ""},
		"a wrong password":       {Seen{Login: "ANN", TLS: true, Method: "PROPFIND", Status: 401, Err: identity.ErrRefused}, signedIn, "wrong password", ""},
		"app passwords alone":    {Seen{Login: "ann", TLS: true, Method: "PROPFIND", Status: 401, Err: identity.ErrAppPassword}, signedIn, "app passwords alone", ""},
		"too many":               {Seen{Login: "ann", TLS: true, Method: "PROPFIND", Status: 429, Err: &identity.ThrottledError{After: time.Minute}}, signedIn, "too many wrong", ""},
		"a colleague's name":     {Seen{Login: "bob", Address: home, TLS: true, Method: "PROPFIND", Status: 401, Err: identity.ErrRefused}, signedIn, "not yours", ""},
		"a folder too large":     {Seen{Person: ann.ID, TLS: true, Windows: true, Method: "PROPFIND", Status: 207, Sent: 1_000_001}, listed, "too large for Windows", ""},
		"locked":                 {deed("PUT", 423, &files.LockedError{Path: vpath.Must("/firm/a.docx"), Holder: "Bob Maes", Since: time.Date(2026, 11, 22, 9, 5, 0, 0, time.UTC)}), written, "Somebody else works on it", "a.docx is locked by Bob Maes since 09:05."},
		"for reading":            {deed("LOCK", 403, fault.Tell(fs.ErrPermission, "you may only %s", "read")), locked, "may not do this", "you may only read"},
		"a name":                 {deed("MOVE", 400, fmt.Errorf("x: %w", bad)), renamed, "name is not allowed", "backslash"},
		"full":                   {deed("PUT", 507, fault.ErrQuota), written, "no room", ""},
		"a storage that is away": {deed("PROPFIND", 503, fault.ErrUnavailable), listed, "does not answer", ""},
		"our own fault":          {deed("PUT", 500, context.Canceled), written, "could not do it", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newClinic(t)
			c.start(c.a)
			c.see(c.a, k.seen)
			c.want(c.a, k.step, "bad", k.cause)
			if got := c.report(c.a)[k.step].Detail; k.detail != "" && !strings.Contains(got, k.detail) {
				t.Errorf("detail %q, want %q", got, k.detail)
			}
			// What comes right is ticked off after all.
			method := map[string]string{tls: "PROPFIND", signedIn: "PROPFIND", listed: "PROPFIND", locked: "LOCK", written: "PUT", renamed: "MOVE"}[k.step]
			c.see(c.a, deed(method, 207, nil))
			c.want(c.a, k.step, "ok", "")
		})
	}
}

// TestOthersAreNotSeen: nothing that a colleague did who has signed in is told, nor
// by which name somebody else tried.
func TestOthersAreNotSeen(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.start(c.a)
	for _, s := range []Seen{
		{Person: "yaml:bob", Address: home, TLS: true, Method: "PUT", Status: 201},
		{Person: "yaml:bob", Login: "ann", Address: home, Method: "PUT", Status: 423},
		{Login: "bob", Address: "198.51.100.9", Method: "PROPFIND", Status: 401, Err: identity.ErrRefused},
		{Address: "198.51.100.9", Method: "OPTIONS", Status: 200},
		{Method: "OPTIONS", Status: 200},
	} {
		c.see(c.a, s)
	}
	for step, s := range c.report(c.a) {
		if s.State != "" {
			t.Errorf("%s is %+v", step, s)
		}
	}
	c.see(c.a, Seen{Login: "bob-the-secret", Address: home, TLS: true, Method: "PROPFIND", Status: 401, Err: identity.ErrRefused})
	row, _, _ := c.state.TicketBySum(t.Context(), sumOf(ann.ID))
	if strings.Contains(string(row.Data), "secret") {
		t.Errorf("the row keeps another's name: %s", row.Data)
	}
	c.want(c.a, reached, "", "")
}

// TestNothingIsKept: a watch ends by itself, and when its person says so.
func TestNothingIsKept(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.start(c.a)
	c.see(c.a, deed("PUT", 201, nil))
	c.now = c.now.Add(Term)
	if c.report(c.a) != nil {
		t.Error("it is shown after its end")
	}
	c.a.tidy(t.Context())
	rows, err := c.state.TicketsOf(t.Context(), kind, subject)
	if err != nil || len(rows) != 0 || c.a.Watching() {
		t.Errorf("%d rows are left, %v; watching %t", len(rows), err, c.a.Watching())
	}
	c.start(c.a)
	c.b.refresh(t.Context())
	if err := c.b.Stop(t.Context(), ann.ID); err != nil {
		t.Fatal(err)
	}
	c.see(c.a, deed("PUT", 201, nil)) // which hears of it by its write
	if c.a.Watching() || c.report(c.a) != nil {
		t.Error("it goes on after it was stopped")
	}
}

// TestOthersTicketsStay: an invitation whose time is over is kept for a while by
// those who sent it, since it is to say so. Only what a watch left is dropped.
func TestOthersTicketsStay(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	over := store.Ticket{Sum: store.Sum{1}, Kind: "invite", Subject: "carol@acme.example", Created: c.now.Add(-time.Hour), Expires: c.now.Add(-time.Minute)}
	left := watch{Person: "yaml:bob"} // of a process that has gone
	err := c.state.Update(t.Context(), func(tx store.Tx) error {
		return errors.Join(tx.PutTicket(over), tx.PutTicket(left.ticket(over.Created, over.Expires)))
	})
	if err != nil {
		t.Fatal(err)
	}
	there := func(sum store.Sum) bool {
		_, found, err := c.state.TicketBySum(t.Context(), sum)
		if err != nil {
			t.Fatal(err)
		}
		return found
	}
	c.start(c.a)
	if !there(over.Sum) || there(sumOf(left.Person)) {
		t.Errorf("after Start: the invitation is there %t, want true; bob's watch %t, want false", there(over.Sum), there(sumOf(left.Person)))
	}
	c.now = c.now.Add(Term)
	c.a.tidy(t.Context())
	if !there(over.Sum) || there(sumOf(ann.ID)) {
		t.Errorf("after tidy: the invitation is there %t, want true; ann's watch %t, want false", there(over.Sum), there(sumOf(ann.ID)))
	}
}

// TestStartAgainMeanwhile: somebody presses the button again while their drive's
// requests are judged. The race detector is what says no.
func TestStartAgainMeanwhile(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.start(c.a)
	done := make(chan error)
	go func() {
		var err error
		for range 20 {
			err = errors.Join(err, c.a.Start(t.Context(), ann, home, c.text))
		}
		done <- err
	}()
	for i := range 40 {
		c.see(c.a, deed("PUT", []int{201, 507}[i%2], []error{nil, fault.ErrQuota}[i%2]))
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// TestWhatIsKnownCostsNoWrite: a drive makes the same request a thousand times.
func TestWhatIsKnownCostsNoWrite(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.start(c.a)
	c.see(c.a, deed("PUT", 201, nil))
	for range 100 {
		c.see(c.a, deed("PUT", 201, nil))
	}
	if n := c.a.watches[ann.ID].writes; n != 1 {
		t.Errorf("%d writes, want 1", n)
	}
	for i := range 3 * maxWrites { // one that comes and goes
		c.see(c.a, deed("PUT", []int{201, 507}[i%2], []error{nil, fault.ErrQuota}[i%2]))
	}
	if n := c.a.watches[ann.ID].writes; n > maxWrites {
		t.Errorf("%d writes, want %d at most", n, maxWrites)
	}
}

// TestManyWatches: there is an end to it, but not for who is among them.
func TestManyWatches(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.start(c.a)
	for i := len(c.a.watches); i < maxWatches; i++ {
		c.a.keep(watch{Person: strconv.Itoa(i)}, c.now.Add(Term))
	}
	c.start(c.a)
	err := c.a.Start(t.Context(), identity.Identity{ID: "yaml:late"}, home, c.text)
	if !strings.Contains(fault.Told(err), "Too many drives") {
		t.Errorf("one too many: %v", err)
	}
}

// TestRun: what was seen is judged beside the requests, and ends with its context.
func TestRun(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.start(c.a)
	ctx, stop := context.WithCancel(t.Context())
	done, tick := make(chan struct{}), make(chan time.Time)
	go func() { defer close(done); c.b.Run(ctx, tick) }()
	tick <- c.now // after the first look
	c.b.Saw(deed("PUT", 201, nil))
	for range 2 { // the second is taken when the first, or what was seen, is done
		tick <- c.now
	}
	tick <- c.now
	for len(c.b.seen) > 0 {
		tick <- c.now
	}
	tick <- c.now
	stop()
	<-done
	c.want(c.a, written, "ok", "")
}

// TestStoreAway: a store that does not answer stops no request, and is told.
func TestStoreAway(t *testing.T) {
	t.Parallel()
	c := newClinic(t)
	c.start(c.a)
	c.a.Store = away{}
	c.see(c.a, deed("PUT", 201, nil))
	if _, _, err := c.a.Look(t.Context(), ann.ID); err == nil {
		t.Error("Look answers without a store")
	}
	if err := c.a.Stop(t.Context(), ann.ID); err == nil {
		t.Error("Stop answers without a store")
	}
	c.a.refresh(t.Context())
	if !c.a.Watching() {
		t.Error("a store that is away ended a watch")
	}
}

type away struct{}

func (away) TicketBySum(context.Context, store.Sum) (store.Ticket, bool, error) {
	return store.Ticket{}, false, fault.ErrUnavailable
}

func (away) TicketsOf(context.Context, string, string) ([]store.Ticket, error) {
	return nil, fault.ErrUnavailable
}

func (away) Update(context.Context, func(store.Tx) error) error { return fault.ErrUnavailable }

func (away) Shared() bool { return true }
