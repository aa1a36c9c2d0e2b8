package config

import (
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func parsed(t *testing.T, text string) *Config {
	t.Helper()
	c, err := parse("t.yaml", []byte(text), testEnv)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

const restartBase = `
state: sqlite:data/portico.db
storage:
  disk: {type: local, path: data/files}
  objects: {type: minio, endpoint: "http://127.0.0.1:9000", bucket: documents, access_key: key, secret_key: "${SECRET}"}
identity:
  users:
    ann: {password: "$2a$10$amPN4LsgReyONuNmiCEDVORpbMOP9fFBVyrw0le8f2LGLVpdy0U0W"}
workspaces:
  firm: {storage: disk, quota: 1GiB, folders: {/: {grant: {"user:ann": viewer}}}}
`

const directoryKeys = `  ldap:
    url: ldaps://dc1.firm.example
    bind_dn: cn=portico,dc=firm
    bind_password: "${SECRET}"
    users: {base: "dc=firm"}
`

func TestRestartNeeded(t *testing.T) {
	for _, test := range []struct {
		name, old, now string
		want           []string
	}{
		{"nothing", "", "", nil},
		{"lines move", "state:", "\n\n# moved\nstate:", nil},
		{"rules reload", "viewer", "editor", nil},
		{"users reload", "ann: {", "ann: {name: Ann Peeters, ", nil},
		{"title, quota and audit reload", "quota: 1GiB", "quota: 2GiB, title: x, audit: {reads: all}", nil},
		{"names reload", "quota: 1GiB", "quota: 1GiB, names: {windows_safe: true}", nil},
		{"brand and language reload", "quota: 1GiB", "quota: 1GiB, brand: {name: The Firm, color: '#0b6b3a'}", nil},
		{"state", "portico.db", "other.db", []string{"state"}},
		{"storage's path", "data/files", "data/others", []string{"storage.disk"}},
		{"storage's secret", "${SECRET}", "${LOGIN}", []string{"storage.objects"}},
		{"storage's name", "objects: {", "things: {", []string{"storage.objects", "storage.things"}},
		{"workspace's storage", "storage: disk", "storage: objects", []string{"workspaces.firm"}},
		{"workspace's root", "storage: disk", "storage: disk, root: x", []string{"workspaces.firm"}},
		{"workspace's name", "firm: {storage: disk", "corp: {storage: disk, root: firm", []string{"workspaces.corp", "workspaces.firm"}},
		{"mail", "state:", "mail: {from: a@b.example, dir: out}\nstate:", []string{"mail"}},
		{"directory reloads", "identity:", "identity:\n  require_app_password: true\n" + directoryKeys, nil},
		{"oidc", "identity:", "identity:\n  oidc: {issuer: 'https://a.example', client_id: a, client_secret: b}", []string{"identity.oidc"}},
		{"audit", "state:", "audit: {keep: 2y}\nstate:", []string{"audit"}},
		{"postgres", "state: sqlite:data/portico.db", "audit: {key: '${AUDIT_KEY}'}\nstate: postgres://127.0.0.1/portico", []string{"audit", "server.drain", "state"}},
		{"server", "state:", "server: {listen: '127.0.0.1:1', log: {level: debug}}\nstate:", []string{"server.listen", "server.log"}},
	} {
		text := restartBase
		if test.old != "" {
			text = replaceOnce(t, text, test.old, test.now)
		}
		got := parsed(t, text).RestartNeeded(parsed(t, restartBase))
		if diff := cmp.Diff(test.want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", test.name, diff)
		}
	}
}

// TestRestartNeededKnowsEveryKey sets each field of Server in turn, so that a
// new one cannot be forgotten.
func TestRestartNeededKnowsEveryKey(t *testing.T) {
	full := reflect.ValueOf(Server{
		Listen: "x", PublicURL: &url.URL{Host: "x"}, MetricsListen: "x", Hosts: []string{"x"},
		TLS: &TLS{Key: NewSecret("x")}, Log: Log{Format: "x"}, TrustedProxies: []netip.Prefix{{}},
		Replica: "x", Drain: 1, MaxUpload: 1, DangerouslyAllowPlainHTTP: true, DangerouslyAllowOpenMetrics: true,
	})
	for i := range full.NumField() {
		name := full.Type().Field(i).Name
		if full.Field(i).IsZero() {
			t.Fatalf("give the field %s a value in this test", name)
		}
		var now Config
		reflect.ValueOf(&now.Server).Elem().Field(i).Set(full.Field(i))
		keys := now.RestartNeeded(&Config{})
		if len(keys) != 1 || strings.ReplaceAll(keys[0], "_", "") != "server."+strings.ToLower(name) {
			t.Errorf("a change of %s gives %v, want its key", name, keys)
		}
	}
}

// TestEveryFieldReloadsOrNot: of each field of Config it is known whether a
// reload takes it over, so that a new one cannot be forgotten.
func TestEveryFieldReloadsOrNot(t *testing.T) {
	reloads := []string{
		"File", "Digest", "Warnings", "Users", "LDAP", "RequireAppPassword", "Groups", "Roles", "Assertions", "Spec", "Policy", "Language", "TimeZone",
	}
	waits := Config{
		Server: Server{Listen: "x"}, State: State{Postgres: NewSecret("x")}, Storage: map[string]Storage{"x": {Type: "x"}},
		OIDC: &OIDC{Title: "x"}, Audit: Audit{Keep: 1}, Workspaces: []Workspace{{Name: "x", Storage: "x"}}, Mail: &Mail{From: "x"},
		WebDAV: WebDAV{Partial: true},
	}
	full := reflect.ValueOf(waits)
	for i := range full.NumField() {
		name := full.Type().Field(i).Name
		if slices.Contains(reloads, name) {
			continue
		}
		if full.Field(i).IsZero() {
			t.Fatalf("say of the field %s whether it reloads, or give it a value in this test", name)
		}
		var now Config
		reflect.ValueOf(&now).Elem().Field(i).Set(full.Field(i))
		if keys := now.RestartNeeded(&Config{}); len(keys) == 0 {
			t.Errorf("a change of %s needs no restart", name)
		}
	}
}
