package ldap

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"portico/identity"
	"portico/identity/identitytest"
	"portico/internal/parts"
)

// TestMain wants no connection, and nothing that waits for one, to be left.
func TestMain(m *testing.M) {
	code := parts.Main(m)
	if code == 0 {
		// The thread that started a slapd lives as long as the program: see parts.startPinned.
		if err := goleak.Find(goleak.IgnoreTopFunction("portico/internal/parts.startPinned.func1")); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

// record is a log that tests read.
type record struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (r *record) Write(b []byte) (int, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.Write(b)
}

func (r *record) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.buf.String()
}

func (r *record) wants(t *testing.T, words ...string) {
	t.Helper()
	for _, w := range words {
		if !strings.Contains(r.String(), w) {
			t.Errorf("the log lacks %q:\n%s", w, r)
		}
	}
}

func address(tb testing.TB, text string) *url.URL {
	tb.Helper()
	u, err := url.Parse(text)
	if err != nil {
		tb.Fatal(err)
	}
	return u
}

// options are those that fit a slapd.
func options(tb testing.TB, l parts.LDAP, others ...parts.LDAP) Options {
	tb.Helper()
	o := Options{
		CA: l.CA, BindDN: l.BindDN, BindPassword: l.BindPassword,
		Users:  Users{Base: l.People},
		Groups: &Groups{Base: l.Groups, Nested: true},
		Clock:  time.Now,
	}
	for _, l := range append([]parts.LDAP{l}, others...) {
		o.Servers = append(o.Servers, address(tb, l.URL))
	}
	return o
}

// open makes a directory that ends with the test, and its log.
func open(tb testing.TB, o Options) (*Directory, *record) {
	tb.Helper()
	log := &record{}
	o.Log = slog.New(slog.NewTextHandler(log, nil))
	d, err := New(o)
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = d.Close() })
	return d, log
}

func TestContract(t *testing.T) {
	t.Parallel()
	l := parts.OwnSlapd(t, parts.SlapdOptions{Empty: true})
	identitytest.RunDirectory(t, func(t *testing.T, people []identitytest.Person) identity.Directory {
		t.Helper()
		for _, p := range people {
			l.AddPerson(t, parts.Person{Login: string(p.Login), Name: p.Name, Email: p.Email, Password: p.Password})
		}
		d, _ := open(t, options(t, l))
		return d
	})
}
