package arch

import (
	"fmt"
	"maps"
	"os"
	"path"
	"slices"
	"strings"
	"testing"
	"testing/fstest"
)

func TestImportsGoOneWay(t *testing.T) {
	files, err := load(os.DirFS("../.."))
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("no Go files were found")
	}
	for _, fault := range house().check(imports(files)) {
		t.Error(fault)
	}
}

// Each row plants one import; the checker must name it.
func TestPlantedImportsAreCaught(t *testing.T) {
	for _, c := range []struct{ from, imp, want string }{
		{"vpath", "portico/fault", "layer"},
		{"vpath", "os", "stay free of I/O"},
		{"vpath", "golang.org/x/net/idna", "stay free of I/O"},
		{"fault", "portico/vpath", "nothing"},
		{"fault", "os", "stay free of I/O"},
		{"acl", "os", "stay free of I/O"},
		{"acl", "log/slog", "stay free of I/O"},
		{"acl", "portico/store", "sees only vpath"},
		{"acl", "portico/fault", "only"},
		{"backends", "portico/acl", "only files"},
		{"backends/local", "portico/acl", "only files"},
		{"backends/local", "portico/backends/s3", "layer"},
		{"backends/local", "portico/config", "only app"},
		{"config", "portico/backends", "only backends/"},
		{"config", "portico/backends/local", "only backends/"},
		{"audit", "portico/acl", "only files"},
		{"store", "portico/audit", "only files app"},
		{"store/sqlite", "portico/audit", "only files app"},
		{"identity", "portico/files", "only gateway/"},
		{"identity/ldap", "portico/acl", "only files"},
		{"files", "portico/backends/local", "only backends/ app"},
		{"files", "portico/store/sqlite", "only store/ app"},
		{"files", "portico/gateway", "only app"},
		{"files", "portico/config", "only app"},
		{"gateway", "portico/acl", "only files"},
		{"gateway", "portico/backends", "only backends/"},
		{"gateway", "portico/backends/local", "only backends/"},
		{"gateway", "portico/store", "only store/"},
		{"gateway", "portico/audit", "only files"},
		{"gateway", "portico/portal", "only app"},
		{"gateway", "portico/identity/ldap", "only identity/"},
		{"portal", "portico/acl", "only files"},
		{"portal", "portico/store/sqlite", "only store/"},
		{"portal", "portico/identity/ldap", "only identity/"},
		{"gateway", "portico/identity/session", "only identity/"},
		{"gateway", "github.com/coreos/go-oidc/v3/oidc", "only identity/oidc"},
		{"gateway", "portico/app", "only ."},
		{"", "portico/gateway", "only app"},
		{"lang", "portico/vpath", "layer"},
		{"gateway", "portico/lang", "only portal/"},
		{"notify", "portico/sharing", "only portal/"},
		{"files", "portico/sharing", "only portal/"},
		{"files", "portico/notify", "only sharing"},
		{"gateway", "portico/notify", "only sharing"},
		{"sharing", "portico/acl", "only files"},
		{"sharing", "portico/backends", "only backends/"},
		{"sharing", "portico/audit", "only files"},
		{"sharing", "portico/portal/web", "only app portal/"},
		{"gateway", "portico/portal/web", "only app portal/"},
		{"portal/staff", "portico/acl", "only files"},
		{"portal/web", "portico/portal/staff", "layer"},
		{"portal/staff", "portico/portal/client", "layer"},
		{"portal/client", "portico/gateway", "only app"},
		{"portal/link", "portico/identity/ldap", "only identity/"},
		{"portal/link", "github.com/wneessen/go-mail", "only notify"},
		{"portal/client", "github.com/nicksnyder/go-i18n/v2/i18n", "only lang"},
		{"files", "github.com/minio/minio-go/v7", "only backends/s3"},
		{"files", "os/exec", "no package may"},
		{"app", "math/rand/v2", "no package may"},
		{"app", "testing", "no package may"},
		{"app", "portico/backends/backendtest", "test suite"},
		{"app", "portico/internal/arch", "internal"},
		{"util", "strings", "no layer"},
		{"backends/local/util", "strings", "no layer"},
	} {
		got := house().check(map[string][]string{c.from: {c.imp}})
		if len(got) == 0 || !strings.Contains(strings.Join(got, "\n"), c.want) {
			t.Errorf("%q imports %s: the checker says %q, want %q", c.from, c.imp, got, c.want)
		}
	}
}

func TestAllowedImportsPass(t *testing.T) {
	got := house().check(map[string][]string{
		"":                     {"os", "portico/app"},
		"app":                  {"portico/gateway", "portico/files", "portico/backends/all", "portico/store/sqlite", "portico/config", "portico/identity/yaml", "time"},
		"notify":               {"portico/store", "portico/lang", "portico/fault", "github.com/wneessen/go-mail"},
		"sharing":              {"portico/files", "portico/store", "portico/notify", "portico/identity", "portico/identity/throttle", "portico/vpath", "portico/fault"},
		"portal/web":           {"portico/sharing", "portico/lang", "portico/identity", "portico/files"},
		"portal/link":          {"portico/portal/web", "portico/portal/tus", "portico/portal/content", "portico/sharing"},
		"gateway":              {"portico/files", "portico/identity", "portico/vpath", "portico/fault", "net/http"},
		"files":                {"portico/acl", "portico/backends", "portico/store", "portico/audit", "portico/vpath", "portico/fault"},
		"config":               {"portico/acl", "portico/identity", "portico/vpath", "gopkg.in/yaml.v3"},
		"backends/all":         {"portico/backends", "portico/backends/local", "portico/backends/s3"},
		"backends/s3":          {"portico/backends", "portico/vpath", "github.com/minio/minio-go/v7/pkg/credentials"},
		"backends/backendtest": {"testing", "portico/backends", "github.com/google/go-cmp/cmp", "os/exec", "math/rand/v2"},
		"store/sqlite":         {"portico/store", "database/sql", "modernc.org/sqlite"},
		"audit":                {"portico/store"},
		"acl":                  {"portico/vpath", "slices", "iter"},
		"vpath":                {"golang.org/x/text/unicode/norm", "strings"},
		"internal/e2e":         {"os/exec", "portico/app", "testing"},
	})
	if len(got) > 0 {
		t.Errorf("the checker complains of what is allowed:\n%s", strings.Join(got, "\n"))
	}
}

func TestTestFilesAreNotJudged(t *testing.T) {
	files, err := load(fstest.MapFS{
		"files/a.go":                  {Data: []byte("package files\nimport \"portico/acl\"")},
		"files/a_test.go":             {Data: []byte("package files\nimport \"portico/gateway\"")},
		"files/testdata/b.go":         {Data: []byte("package b\nimport \"portico/gateway\"")},
		".cache/c.go":                 {Data: []byte("package c\nimport \"portico/gateway\"")},
		"gateway/d.go":                {Data: []byte("package gateway\nimport \"portico/files\"")},
		"gateway/gatewaytest/user.go": {Data: []byte("package gatewaytest\nimport \"os/exec\"")},
	})
	if err != nil {
		t.Fatal(err)
	}
	want := map[string][]string{"files": {"portico/acl"}, "gateway": {"portico/files"}, "gateway/gatewaytest": {"os/exec"}}
	if got := imports(files); !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("imports = %v, want %v", got, want)
	}
	if got := house().check(imports(files)); len(got) > 0 {
		t.Errorf("check = %q", got)
	}
}

// imports gathers, per folder, what its files import.
func imports(files []source) map[string][]string {
	all := map[string][]string{}
	for _, f := range files {
		dir := path.Dir(f.path)
		if dir == "." {
			dir = ""
		}
		all[dir] = append(all[dir], f.imports()...)
	}
	for dir, list := range all {
		slices.Sort(list)
		all[dir] = slices.Compact(list)
	}
	return all
}

// check answers with a sentence for each import that the rules forbid.
func (r rules) check(pkgs map[string][]string) []string {
	var faults []string
	for _, name := range slices.Sorted(maps.Keys(pkgs)) {
		if isTestCode(name) {
			continue
		}
		if r.layer(name) < 0 {
			faults = append(faults, fmt.Sprintf("package %q is in no layer: add it to house() in internal/arch, with the reason in docs/decisions.md", name))
			continue
		}
		for _, imp := range pkgs[name] {
			if why := r.forbids(name, imp); why != "" {
				faults = append(faults, fmt.Sprintf("%q imports %s: %s", name, imp, why))
			}
		}
	}
	return faults
}

// forbids says why name may not import imp, or "".
func (r rules) forbids(name, imp string) string {
	ours, ok := strings.CutPrefix(imp, module+"/")
	if !ok {
		return r.forbidsOutside(name, imp)
	}
	switch who, limited := r.importers(ours); {
	case strings.HasPrefix(ours, "internal/"):
		return "internal/ holds tests"
	case isTestCode(ours):
		return "it is a test suite"
	case name == "fault":
		return "fault imports nothing of ours"
	case name == "acl" && ours != "vpath":
		return "of ours, acl sees only vpath"
	case limited && !holds(who, name):
		return "only " + who + " may"
	}
	if from, to := r.layer(name), r.layer(ours); to >= from {
		return fmt.Sprintf("from layer %d up to layer %d", from, to)
	}
	return ""
}

func (r rules) forbidsOutside(name, imp string) string {
	if allowed, ok := r.pure[name]; ok && !slices.Contains(strings.Fields(allowed), imp) {
		return "it must stay free of I/O (allowed: " + allowed + ")"
	}
	for prefix, who := range r.outside {
		if imp != prefix && !strings.HasPrefix(imp, prefix+"/") {
			continue
		}
		if who == "" {
			return "no package may, outside tests"
		}
		if !holds(who, name) {
			return "only " + who + " may"
		}
	}
	return ""
}

// layer is the layer of a package, -1 if it has none.
func (r rules) layer(name string) int {
	wild := -1
	for i, names := range r.layers {
		for _, n := range names {
			if n == name {
				return i
			}
			if name != "" && n == path.Dir(name)+"/*" {
				wild = i
			}
		}
	}
	return wild
}

// importers tells who may import a package of ours, from the nearest rule.
func (r rules) importers(imp string) (who string, limited bool) {
	if who, ok := r.only[imp]; ok {
		return who, true
	}
	for p := path.Dir(imp); p != "."; p = path.Dir(p) {
		for _, key := range []string{p + "/*", p} {
			if who, ok := r.only[key]; ok {
				return who, true
			}
		}
	}
	return "", false
}

func holds(who, name string) bool {
	for w := range strings.FieldsSeq(who) {
		dir, tree := strings.CutSuffix(w, "/")
		if name == dir || (w == "." && name == "") || (tree && strings.HasPrefix(name, w)) {
			return true
		}
	}
	return false
}

// isTestCode tells the packages that only tests use.
func isTestCode(name string) bool {
	return strings.HasPrefix(name, "internal/") || strings.HasSuffix(name, "test")
}
