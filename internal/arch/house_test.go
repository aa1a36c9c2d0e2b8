package arch

import (
	"encoding/json"
	"go/ast"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"portico/config"
)

func TestDockerfile(t *testing.T) {
	build, image, ok := strings.Cut(read(t, "Dockerfile"), "\nFROM scratch\n")
	if !ok {
		t.Fatal("the image is not made from scratch")
	}
	if !strings.Contains(build, "\nRUN make build\n") {
		t.Error("the image is not built by `make build`, which docker-steps holds")
	}
	if strings.Contains(build, "\\\n") {
		t.Error("a line of the build goes on in the next: docker-steps runs lines")
	}
	for _, want := range []string{`^USER [1-9]\d*:[1-9]\d*$`, `CMD \["/portico", "healthcheck"\]$`, `^ENTRYPOINT \["/portico"\]$`} {
		if !regexp.MustCompile(`(?m)` + want).MatchString(image) {
			t.Errorf("the image's stage has no line %s", want)
		}
	}
	if regexp.MustCompile(`(?m)^RUN`).MatchString(image) {
		t.Error("the image's stage runs something: it has no shell to run it with")
	}
}

// composeFile is what the test below looks at.
type composeFile struct {
	Services map[string]struct {
		Ports       []string `yaml:"ports"`
		Environment map[string]string
		ReadOnly    bool     `yaml:"read_only"`
		CapDrop     []string `yaml:"cap_drop"`
		SecurityOpt []string `yaml:"security_opt"`
	}
	Configs map[string]struct{ File, Content string }
}

func TestComposeIsHardenedAndItsConfigLoads(t *testing.T) {
	var c composeFile
	if err := yaml.Unmarshal([]byte(read(t, "compose.yaml")), &c); err != nil {
		t.Fatal(err)
	}
	s := c.Services["portico"]
	if !s.ReadOnly || !slices.Contains(s.CapDrop, "ALL") || !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
		t.Errorf("portico in compose.yaml is not read_only, without capabilities, with no-new-privileges: %+v", s)
	}
	for _, p := range s.Ports {
		if !strings.HasPrefix(p, "127.0.0.1:") {
			t.Errorf("port %s is published for others, and there is no TLS", p)
		}
	}
	const hash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0IG9yIG90aGVy$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"
	env := map[string]string{"MINIO_ACCESS_KEY": "portico", "MINIO_SECRET_KEY": "secret", "ANN_HASH": hash}
	for name := range env {
		if _, ok := s.Environment[name]; !ok {
			t.Errorf("compose.yaml does not hand on %s", name)
		}
	}
	if c.Configs["portico"].Content != "" {
		t.Error("compose copies a config's content into the container, which a read-only root refuses (docker/compose issue 12031): use a file")
	}
	file := filepath.Join("../..", c.Configs["portico"].File)
	if _, err := config.Load(file, func(name string) (string, bool) { v, ok := env[name]; return v, ok }); err != nil {
		t.Error(err)
	}
}

func TestDashboardShowsMetricsThatExist(t *testing.T) {
	text := read(t, "docs/grafana.json")
	if !json.Valid([]byte(text)) {
		t.Fatal("docs/grafana.json is not JSON")
	}
	known := literals(t, "app")
	shown := map[string]bool{}
	for _, name := range regexp.MustCompile(`portico_[a-z_]+`).FindAllString(text, -1) {
		name = strings.TrimSuffix(strings.TrimPrefix(name, "portico_"), "_bucket")
		shown[name] = true
		if !known[name] && !known["portico_"+name] {
			t.Errorf("docs/grafana.json shows portico_%s, which package app does not count", name)
		}
	}
	if len(shown) < 12 {
		t.Errorf("docs/grafana.json shows %d metrics, want 12 or more", len(shown))
	}
}

// Every key that the config reads has its line in the README.
func TestReadmeNamesEveryConfigKey(t *testing.T) {
	readme := read(t, "README.md")
	keys := map[string]bool{}
	for _, f := range product(t, "config") {
		ast.Inspect(f.tree, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || len(call.Args) == 0 {
				return true
			}
			fun, ok := call.Fun.(*ast.SelectorExpr)
			if key, isText := literal(call.Args[0]); ok && isText &&
				slices.Contains([]string{"get", "need", "needText", "text", "bool"}, fun.Sel.Name) {
				keys[key] = true
			}
			return true
		})
	}
	if len(keys) < 40 {
		t.Fatalf("found %d keys in package config, want 40 or more: has its reader changed?", len(keys))
	}
	for key := range keys {
		if !regexp.MustCompile("[`.]" + key + "[`.]").MatchString(readme) {
			t.Errorf("README.md says nothing of the config key %s", key)
		}
	}
}

// Every command has an example in the README, and the README none that does not exist.
func TestReadmeNamesEveryCommand(t *testing.T) {
	readme := read(t, "README.md")
	commands := map[string]bool{}
	for _, f := range product(t, "app") {
		ast.Inspect(f.tree, func(n ast.Node) bool {
			if spec, ok := n.(*ast.TypeSpec); ok && spec.Name.Name != "cli" {
				return false // commands of a command have their examples there
			}
			field, ok := n.(*ast.Field)
			if ok && field.Tag != nil && strings.Contains(field.Tag.Value, `cmd:""`) {
				commands[kebab(field.Names[0].Name)] = true
			}
			return true
		})
	}
	if len(commands) < 6 {
		t.Fatalf("found the commands %v, want 6 or more: has package app changed?", commands)
	}
	for name := range commands {
		if !strings.Contains(readme, "portico "+name) {
			t.Errorf("README.md has no example of portico %s", name)
		}
	}
	for _, m := range regexp.MustCompile(`(?m)^    (?:.*\| |.*/)?portico ([a-z-]+)`).FindAllStringSubmatch(readme, -1) {
		if !commands[m[1]] {
			t.Errorf("README.md shows portico %s, which does not exist", m[1])
		}
	}
}

// The maxima of the linters are what the code is held to: they do not grow.
func TestLintersKeepTheirMaxima(t *testing.T) {
	text := read(t, ".golangci.yml")
	for _, want := range []string{
		"funlen: {lines: 60, statements: 40,", "gocognit: {min-complexity: 20}", "interfacebloat: {max: 8}", "arguments: [{max: 400,",
		"nolintlint: {require-explanation: true, require-specific: true}",
	} {
		if !strings.Contains(text, want) {
			t.Errorf(".golangci.yml has no longer %q", want)
		}
	}
}

func TestToolsArePinned(t *testing.T) {
	for line := range strings.Lines(read(t, "build/tools.txt")) {
		words := strings.Fields(line)
		if len(words) == 0 || words[0] == "#" {
			continue
		}
		if len(words) != 3 || !regexp.MustCompile(`^v\d+\.\d+\.\d+`).MatchString(words[2]) {
			t.Errorf("build/tools.txt: %q is not name, package, version", line)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("../..", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// product is the code of one room, without that below it.
func product(t *testing.T, room string) []source {
	t.Helper()
	files, err := load(os.DirFS(filepath.Join("../..", room)))
	if err != nil {
		t.Fatal(err)
	}
	return slices.DeleteFunc(files, func(f source) bool { return strings.Contains(f.path, "/") })
}

// literals are all strings that stand in the code of a room.
func literals(t *testing.T, room string) map[string]bool {
	t.Helper()
	all := map[string]bool{}
	for _, f := range product(t, room) {
		ast.Inspect(f.tree, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok {
				if s, ok := literal(e); ok {
					all[s] = true
				}
			}
			return true
		})
	}
	return all
}

func literal(e ast.Expr) (string, bool) {
	lit, ok := e.(*ast.BasicLit)
	if !ok || lit.Kind != token.STRING {
		return "", false
	}
	s, err := strconv.Unquote(lit.Value)
	return s, err == nil
}

// kebab turns HashPassword into hash-password.
func kebab(name string) string {
	return strings.ToLower(regexp.MustCompile(`([a-z])([A-Z])`).ReplaceAllString(name, "$1-$2"))
}
