package config

import (
	"log/slog"
	"net/netip"
	"net/url"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/acl"
	"portico/vpath"
)

func replaceOnce(t *testing.T, s, old, now string) string {
	t.Helper()
	if strings.Count(s, old) != 1 {
		t.Fatalf("%q stands %d times in the text, want once", old, strings.Count(s, old))
	}
	return strings.Replace(s, old, now, 1)
}

// mustLoad loads a file of testdata/ok.
func mustLoad(t *testing.T, name string) *Config {
	t.Helper()
	c, err := Load(filepath.Join(scene(t), "ok", name), testEnv)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func same[T any](t *testing.T, what string, got, want T) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }),
		cmp.Comparer(func(a, b vpath.Path) bool { return a == b }),
		cmp.Comparer(func(a, b acl.Rights) bool { return a == b })); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestStandards(t *testing.T) {
	c := mustLoad(t, "minimal.yaml")
	same(t, "server", c.Server, Server{Listen: "127.0.0.1:8080", MaxUpload: 50 << 30, Log: Log{Format: "text"}})
	w := c.Workspaces[0]
	same(t, "workspace", w, Workspace{Name: "firm", Title: "firm", Storage: "disk", Root: "firm", Brand: Brand{Name: "firm"}, At: w.At})
	if got := w.Path().String(); got != "/firm" {
		t.Errorf("Path() = %s, want /firm", got)
	}
	if c.Mail != nil || c.Server.TLS != nil || len(c.Digest) != 64 || c.Policy == nil {
		t.Errorf("minimal.yaml gives %+v", c)
	}
}

func TestServerValues(t *testing.T) {
	c := mustLoad(t, "tls.yaml")
	key := c.Server.TLS.Key
	same(t, "server", c.Server, Server{
		Listen: "0.0.0.0:8443", PublicURL: &url.URL{Scheme: "https", Host: "files.firm.example"},
		MetricsListen: "0.0.0.0:9090", DangerouslyAllowOpenMetrics: true,
		Hosts:          []string{"intern.firm.example", "10.0.0.5"},
		TrustedProxies: []netip.Prefix{netip.MustParsePrefix("10.0.0.0/8"), netip.MustParsePrefix("::1/128")},
		MaxUpload:      2e12,
		Log:            Log{Format: "json", Level: slog.LevelWarn},
		TLS:            &TLS{Cert: "tls/cert.pem", Key: key},
	})
	if !isPEM(key.Reveal()) {
		t.Error("the key of ${file:tls/key.pem} is not its content")
	}
	if _, err := c.Server.TLS.Certificate(); err != nil {
		t.Errorf("Certificate() = %v", err)
	}
	for _, broken := range []TLS{{Cert: "none", Key: key}, {Cert: "tls/cert.pem", Key: NewSecret("none")}} {
		if _, err := broken.Certificate(); err == nil {
			t.Errorf("Certificate() of %+v succeeded", broken)
		}
	}
}

func TestStorageValues(t *testing.T) {
	c := mustLoad(t, "secrets.yaml")
	s := c.Storage["disk"]
	same(t, "storage", s, Storage{Name: "disk", Type: "minio", At: s.At, S3: &S3{
		Endpoint: &url.URL{Scheme: "http", Host: "minio:9000"}, Bucket: "documents", Prefix: "a/b/",
		AccessKey: "ann", SecretKey: NewSecret("s3cret-value"), PathStyle: true,
	}})
	if got := c.Workspaces[0].Quota; got != 10<<30 {
		t.Errorf("quota = %d, want 10 GiB", got)
	}
	if got, want := c.Users["ann"].Name, "ann of ${LOGIN} and $2b$"; got != want {
		t.Errorf("name = %q, want %q", got, want)
	}
}

func TestRuleValues(t *testing.T) {
	c := mustLoad(t, "rules.yaml")
	at := func(line int) acl.Source { return acl.Source{File: c.File, Line: line} }
	same(t, "groups", c.Groups, []acl.Group{
		{Name: "staff", Members: []acl.Subject{"user:ann", "group:interns"}, At: at(8)},
		{Name: "interns", Members: []acl.Subject{"user:bob"}, At: at(9)},
	})
	var until acl.Grant
	for _, g := range c.Spec.Grants {
		if g.Role.Name == "reviewer" {
			until = g
		}
	}
	same(t, "grant with an end", until, acl.Grant{
		Path: vpath.Must("/firm/HR"), Subject: "user:bob", Role: c.Roles["reviewer"], At: at(21),
		Until: time.Date(2027, 2, 1, 0, 0, 0, 0, time.UTC),
	})
	same(t, "deny", c.Spec.Denies[0].At, at(19))
	same(t, "role", c.Roles["reviewer"].Rights.String(), "list read comment")
	hr := c.Spec.Folders[4]
	same(t, "folder", hr, acl.Folder{Path: vpath.Must("/firm/HR"), At: at(21)})
	same(t, "names", []bool{c.Workspaces[0].Names.WindowsSafe, c.Workspaces[1].Names.WindowsSafe}, []bool{false, true})
	same(t, "audit", []Reads{c.Workspaces[0].AuditReads, c.Workspaces[1].AuditReads}, []Reads{ReadsAll, ReadsNone})
	same(t, "roots", c.Workspaces[0].Root+" "+c.Workspaces[1].Root, "a/b a/bc")
	same(t, "assertion", c.Assertions[3].String(), "user:ann may read:own /firm/with spaces/in it")
	same(t, "assertion", c.Assertions[0].String(), "group:interns never delete /firm/HR")
}

func TestMailValues(t *testing.T) {
	c := mustLoad(t, "mail.yaml")
	same(t, "mail", *c.Mail, Mail{From: "portico@firm.example", Relay: &Relay{
		Address: "mail.firm.example:465", TLS: true, Username: "portico", Password: NewSecret("pw"),
	}})
}
