package arch

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"portico/config"
	"portico/internal/parts"
)

// beyondDrain is how long a gateway takes to end at most, after server.drain: 30 s for
// requests under way and 5 s for what was cut (drainTime and tidyTime of package app).
const beyondDrain = 35 * time.Second

func TestDeployIsYAML(t *testing.T) {
	files := 0
	err := filepath.WalkDir("../../deploy", func(path string, d fs.DirEntry, err error) error {
		ext := filepath.Ext(path)
		if err != nil || d.IsDir() || (ext != ".yaml" && ext != ".yml") || strings.Contains(filepath.ToSlash(path), "/templates/") {
			return err // templates are no YAML before they are rendered: build/helm.sh
		}
		files++
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		var into map[string]any
		if err := yaml.Unmarshal(text, &into); err != nil || len(into) == 0 {
			t.Errorf("%s has %d keys, %v", path, len(into), err)
		}
		return nil
	})
	if err != nil || files < 6 {
		t.Errorf("looked at %d files, want 6 or more; %v", files, err)
	}
}

// replicasFile is what the tests below look at in deploy/compose/compose.yaml.
type replicasFile struct {
	Services map[string]replicaService
	Configs  map[string]struct{ File, Content string }
	Secrets  map[string]struct{ File string }
}

type replicaService struct {
	Image, Build string
	Environment  map[string]string
	Ports        []string
	Configs      []struct{ Source, Target string }
	Secrets      []string
	Networks     yaml.Node
	ReadOnly     bool          `yaml:"read_only"`
	CapDrop      []string      `yaml:"cap_drop"`
	SecurityOpt  []string      `yaml:"security_opt"`
	StopGrace    time.Duration `yaml:"stop_grace_period"`
}

// address is that in the network front, where the service has one.
func (s replicaService) address(t *testing.T) string {
	t.Helper()
	var nets map[string]struct {
		Address string `yaml:"ipv4_address"`
	}
	if s.Networks.Kind != yaml.MappingNode {
		return ""
	}
	if err := s.Networks.Decode(&nets); err != nil {
		t.Fatal(err)
	}
	return nets["front"].Address
}

func loadReplicas(t *testing.T) replicasFile {
	t.Helper()
	var c replicasFile
	if err := yaml.Unmarshal([]byte(read(t, "deploy/compose/compose.yaml")), &c); err != nil {
		t.Fatal(err)
	}
	return c
}

// An image without its version is another one tomorrow.
func TestImagesHaveVersions(t *testing.T) {
	version := regexp.MustCompile(`:(RELEASE\.\d{4}-\d\d-\d\dT[\dZ-]+|\d+\.\d+(\.\d+)?(-[a-z]+)?)$`)
	for _, file := range []string{"compose.yaml", "deploy/compose/compose.yaml"} {
		var c replicasFile
		if err := yaml.Unmarshal([]byte(read(t, file)), &c); err != nil {
			t.Fatal(err)
		}
		for name, s := range c.Services {
			if s.Build == "" && !version.MatchString(s.Image) {
				t.Errorf("%s: %s has the image %q, which has no fixed version", file, name, s.Image)
			}
		}
	}
}

func TestReplicasAreHardened(t *testing.T) {
	c := loadReplicas(t)
	if len(c.Services) != 5 {
		t.Fatalf("found the services %v, want 5", slices.Sorted(maps.Keys(c.Services)))
	}
	for name, s := range c.Services {
		if !slices.Contains(s.SecurityOpt, "no-new-privileges:true") {
			t.Errorf("%s may gain privileges", name)
		}
		if ours := strings.HasPrefix(name, "gateway") || name == "haproxy"; ours && (!s.ReadOnly || !slices.Contains(s.CapDrop, "ALL")) {
			t.Errorf("%s is not read_only, or has capabilities", name)
		}
		if len(s.Ports) > 0 && name != "haproxy" {
			t.Errorf("%s publishes %v past the balancer", name, s.Ports)
		}
		for _, from := range s.Configs {
			if at := c.Configs[from.Source]; at.Content != "" || read(t, "deploy/compose/"+at.File) == "" {
				t.Errorf("%s takes the config %s from no file", name, from.Source)
			}
		}
		for _, secret := range s.Secrets {
			if c.Secrets[secret].File == "" {
				t.Errorf("%s takes the secret %s, which does not exist", name, secret)
			}
		}
	}
}

// The balancer's file, the services and the gateways' config name each other by
// address: that they are the same ones no program would say.
func TestReplicasFitTogether(t *testing.T) {
	c := loadReplicas(t)
	balancer := c.Services["haproxy"]
	for _, m := range regexp.MustCompile(`"\$\{(PORTICO_\w+)\}"`).FindAllStringSubmatch(read(t, "deploy/compose/haproxy.cfg"), -1) {
		if balancer.Environment[m[1]] == "" {
			t.Errorf("haproxy.cfg takes %s, which compose.yaml does not give", m[1])
		}
	}
	for i, name := range []string{"gateway1", "gateway2"} {
		s := c.Services[name]
		variable := "PORTICO_GATEWAY" + strconv.Itoa(i+1)
		if want := s.address(t) + ":8080"; balancer.Environment[variable] != want {
			t.Errorf("%s = %q, want that of %s, %q", variable, balancer.Environment[variable], name, want)
		}
		if got := s.Environment["PROXY_ADDRESS"]; got != balancer.address(t) || got == "" {
			t.Errorf("%s trusts %q, and haproxy has %q", name, got, balancer.address(t))
		}
		if got := s.Environment["REPLICA"]; got != name {
			t.Errorf("%s calls itself %q", name, got)
		}
	}
}

// secretsOfCompose makes those that portico.yaml takes, with the project's own
// script where it makes them.
func secretsOfCompose(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	said, err := exec.CommandContext(t.Context(), "sh", "../../deploy/compose/secrets.sh", dir).CombinedOutput()
	if err != nil && os.Geteuid() == 0 {
		t.Fatalf("secrets.sh: %v\n%s", err, said)
	}
	writeSecrets(t, dir, map[string]string{"ann": someHash})
	return dir
}

const someHash = "$argon2id$v=19$m=19456,t=2,p=1$c29tZSBzYWx0IG9yIG90aGVy$MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY"

func writeSecrets(t *testing.T, dir string, files map[string]string) {
	t.Helper()
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text+"\n"), 0o400); err != nil {
			t.Fatal(err)
		}
	}
}

// loadConfig loads a gateway's config whose secrets are in another folder here.
func loadConfig(t *testing.T, text, mount, dir string, env map[string]string) *config.Config {
	t.Helper()
	if !strings.Contains(text, "${file:"+mount+"/") {
		t.Fatalf("the config takes no secret from %s:\n%s", mount, text)
	}
	file := filepath.Join(t.TempDir(), "portico.yaml")
	if err := os.WriteFile(file, []byte(strings.ReplaceAll(text, mount+"/", dir+"/")), 0o600); err != nil {
		t.Fatal(err)
	}
	cfg, err := config.Load(file, func(name string) (string, bool) { v, ok := env[name]; return v, ok })
	if err != nil {
		t.Fatal(err)
	}
	return cfg
}

func TestReplicasConfigLoads(t *testing.T) {
	dir := secretsOfCompose(t)
	s := loadReplicas(t).Services["gateway1"]
	env := map[string]string{"PUBLIC_URL": "https://files.firm.example", "PROXY_ADDRESS": "172.30.83.10", "REPLICA": "gateway1"}
	for name := range env {
		if _, ok := s.Environment[name]; !ok {
			t.Errorf("compose.yaml does not hand on %s", name)
		}
	}
	cfg := loadConfig(t, read(t, "deploy/compose/portico.yaml"), "/run/secrets", dir, env)
	if cfg.State.Postgres.IsZero() || cfg.Server.Replica != "gateway1" || len(cfg.Server.TrustedProxies) != 1 {
		t.Errorf("the gateways share no state, have no name or trust nobody: %+v", cfg.Server)
	}
	if needs := cfg.Server.Drain + beyondDrain; s.StopGrace < needs {
		t.Errorf("compose kills a gateway after %v, and it may need %v", s.StopGrace, needs)
	}
}

// manifest is what the tests below look at in what the chart renders.
type manifest struct {
	Kind string
	Data map[string]string
	Spec struct {
		Template struct {
			Spec struct {
				Grace int `yaml:"terminationGracePeriodSeconds"`
			}
		}
	}
}

func renderChart(t *testing.T, values ...string) map[string]manifest {
	t.Helper()
	const chart = "../../deploy/helm/portico"
	args := []string{"template", "drive", chart, "--kube-version", "1.30"}
	for _, v := range values {
		args = append(args, "-f", filepath.Join(chart, "ci", v+".yaml"))
	}
	var said bytes.Buffer
	cmd := exec.CommandContext(t.Context(), parts.Tool(t, "helm"), args...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("helm template: %v\n%s", err, said.String())
	}
	all := map[string]manifest{}
	for text := range strings.SplitSeq(string(out), "\n---\n") {
		var m manifest
		if err := yaml.Unmarshal([]byte(text), &m); err != nil {
			t.Fatal(err)
		}
		all[m.Kind] = m
	}
	return all
}

// What the chart writes is a config that Portico takes, and Kubernetes waits as
// long as a gateway may need.
func TestChartsConfigLoads(t *testing.T) {
	for _, values := range [][]string{{"ingress"}, {"ingress", "everything"}, {"ingress", "try-out"}} {
		rendered := renderChart(t, values...)
		dir := t.TempDir()
		writeSecrets(t, dir, map[string]string{
			"postgres": "a-password", "audit": strings.Repeat("k", 32), "s3-access-key": "portico", "s3-secret-key": "secret", "ann": someHash,
		})
		cfg := loadConfig(t, rendered["ConfigMap"].Data["portico.yaml"], "/run/secrets/portico", dir, map[string]string{"REPLICA": "drive-0"})
		if cfg.Server.Replica != "drive-0" || cfg.Server.Listen != "0.0.0.0:8080" || cfg.State.Postgres.IsZero() {
			t.Errorf("%v: the gateways listen at %s, are called %q, or share no state", values, cfg.Server.Listen, cfg.Server.Replica)
		}
		grace := time.Duration(rendered["Deployment"].Spec.Template.Spec.Grace) * time.Second
		if needs := cfg.Server.Drain + beyondDrain; grace < needs {
			t.Errorf("%v: Kubernetes kills a gateway after %v, and it may need %v", values, grace, needs)
		}
		if on := slices.Contains(values, "everything"); on != (cfg.Server.MetricsListen != "") {
			t.Errorf("%v: metrics listen at %q", values, cfg.Server.MetricsListen)
		}
	}
}

// A template that is never rendered is never checked.
func TestChartRendersAllKinds(t *testing.T) {
	got := slices.Sorted(maps.Keys(renderChart(t, "ingress", "everything")))
	want := []string{"ConfigMap", "Deployment", "Ingress", "NetworkPolicy", "PodDisruptionBudget", "Service", "ServiceAccount"}
	if !slices.Equal(got, want) {
		t.Errorf("everything renders %v, want %v", got, want)
	}
	if _, ok := renderChart(t, "ingress", "try-out")["Secret"]; !ok {
		t.Error("try-out renders no Secret")
	}
}

// build/systemd.sh holds the rest of the unit.
func TestUnitWaitsForTheEnd(t *testing.T) {
	unit := read(t, "deploy/systemd/portico.service")
	m := regexp.MustCompile(`(?m)^TimeoutStopSec=(.+)$`).FindStringSubmatch(unit)
	if m == nil {
		t.Fatal("the unit has no TimeoutStopSec")
	}
	const drain = 5 * time.Second // the standard with PostgreSQL
	if got, err := time.ParseDuration(m[1]); err != nil || got < drain+beyondDrain {
		t.Errorf("systemd kills Portico after %v, and it may need %v; %v", got, drain+beyondDrain, err)
	}
}

// The READMEs lead to files that exist.
func TestDeployReadmesLinks(t *testing.T) {
	for _, dir := range []string{"deploy/compose", "deploy/systemd", "deploy/helm/portico"} {
		links := regexp.MustCompile(`\]\(([^):]+)\)`).FindAllStringSubmatch(read(t, dir+"/README.md"), -1)
		if len(links) == 0 {
			t.Errorf("%s/README.md leads nowhere", dir)
		}
		for _, m := range links {
			if _, err := os.Stat(filepath.Join("../..", dir, m[1])); errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s/README.md leads to %s, which does not exist", dir, m[1])
			}
		}
	}
}
