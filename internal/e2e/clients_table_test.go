package e2e

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"portico/gateway/replay"
	"portico/internal/parts"
)

var rewrite = flag.Bool("update", false, "write docs/clients.md anew")

// client is a row of docs/clients.md.
type client struct {
	name    string
	agent   string   // how the names begin by which it calls itself in what is played
	version []string // the command that tells the version of the one that is run
	run     []string // the tests in which it is run
	limits  string
}

// clients are all that were played or run. What a client cannot do here, or anywhere, is
// said in the words of who meets it.
func clients() []client {
	return []client{
		{
			"Windows Explorer", "Microsoft-WebDAV-MiniRedir", nil, nil,
			"Played, not run. It wants TLS for a password, takes files up to 50 MB and folders up to 1 MB of properties until both are raised in the registry (`/mount` has the file for it), and shows the free space of C:.",
		},
		{
			"macOS Finder", "WebDAVFS", nil, nil,
			"Played, not run. A server error shows as a file that is gone, so a server that is away looks like an empty folder.",
		},
		{"Microsoft Office, by address", "Microsoft Office", nil, nil, "Played, not run. It asks for the password again in each program."},
		{"Cyberduck", "Cyberduck", nil, nil, "Played, not run. It resumes uploads by PUT with Content-Range, which only `webdav.partial` lets in."},
		{"WinSCP", "WinSCP", nil, nil, "Played, not run."},
		{"NetDrive, BitKinex, CERN davix", "NetDrive|BitKinex|libdavix|davix", nil, nil, "The forms of PROPFIND that they send are played."},
		{
			"GNOME Files (gvfs)", "gvfs",
			[]string{"/usr/lib/gvfs/gvfsd", "--version"},
			[]string{"TestGnome"},
			"It locks nothing: of two who save, the later is told (If-Match) and nothing is lost.",
		},
		{
			"KDE Dolphin (KIO)", "Mozilla/5.0 (X11; Linux x86_64) KIO",
			[]string{"kioclient5", "--version"},
			[]string{"TestKDE"},
			"It locks nothing, and copies and moves trees file by file.",
		},
		{
			"davfs2", "davfs2",
			[]string{"mount.davfs", "-V"},
			[]string{"TestDavfs2"},
			"It uploads some seconds after a file is closed (`delay_upload`). On some new kernels `ls` of a mount fails: use `rclone mount` there.",
		},
		{
			"LibreOffice", "LibreOffice",
			[]string{"soffice", "--version"},
			[]string{"TestLibreOffice", "TestTwoEditors"},
			"It asks for the password once for each program start, unless it may keep it.",
		},
		{
			"rclone", "rclone",
			[]string{"rclone", "version"},
			[]string{"TestRclone", "TestRcloneChunks", "TestRcloneMount", "TestRcloneMountWhole"},
			"It locks nothing. Times are kept with the vendors `owncloud`, `nextcloud` and `rclone`; chunks need `nextcloud` and an address that ends in `/dav/files/LOGIN`.",
		},
		{"cadaver", "cadaver", []string{"cadaver", "-V"}, []string{"TestCadaver"}, "None known."},
		{"curl", "curl", []string{"curl", "--version"}, []string{"TestCurl"}, "None known."},
		{
			"litmus", "litmus",
			[]string{"litmus", "--version"},
			[]string{"TestLitmus", "TestLitmusRoles"},
			"All five suites pass, over TLS too. As a viewer and in a blind drop, what fails is what the role means: the tests list it.",
		},
	}
}

const clientsFile = "../../docs/clients.md"

// TestClientsTable holds docs/clients.md against the tests: each sequence that is played
// has a client, each test that a row names is there. Only the versions of what is run may
// differ, since they are those of the machine. -update writes the file.
func TestClientsTable(t *testing.T) {
	played, tests := sequencesOf(t), testsHere(t)
	var text strings.Builder
	text.WriteString("# Clients\n\n" +
		"Made by `go test ./internal/e2e -run TestClientsTable -update` from the tests: what is played lies in `gateway/replay/testdata/replay`\n" +
		"(each sequence over a folder and over MinIO, once for every form of the `If` header), what is run is the program itself, over both, with TLS.\n\n" +
		"| client | version | played | run | known limits |\n|---|---|---|---|---|\n")
	for _, c := range clients() {
		names, versions := []string{}, map[string]bool{}
		for name, agents := range played {
			for _, agent := range agents {
				if regexp.MustCompile("^(" + c.agentPattern() + ")").MatchString(agent) {
					names = append(names, "`"+name+"`")
					if v := versionIn(agent); v != "" {
						versions[v] = true
					}
				}
			}
		}
		slices.Sort(names)
		for _, test := range c.run {
			if !tests[test] {
				t.Errorf("%s: there is no test %s", c.name, test)
			}
		}
		if c.version != nil {
			versions = map[string]bool{versionOf(t, c.version): true}
		}
		if len(names) == 0 && len(c.run) == 0 {
			t.Errorf("%s is neither played nor run", c.name)
		}
		fmt.Fprintf(&text, "| %s | %s | %s | %s | %s |\n", c.name, strings.Join(slices.Sorted(maps.Keys(versions)), ", "),
			strings.Join(slices.Compact(names), " "), strings.Join(c.run, " "), c.limits)
	}
	for name, agents := range played {
		if len(agents) == 0 {
			t.Errorf("the sequence %s says of no client that it is its", name)
		}
	}
	if *rewrite {
		if err := os.WriteFile(clientsFile, []byte(text.String()), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	there, err := os.ReadFile(clientsFile)
	if err != nil {
		t.Fatal(err)
	}
	if withoutVersions(string(there)) != withoutVersions(text.String()) {
		t.Errorf("docs/clients.md is not what the tests make of it: run them with -update. It should be\n%s", text.String())
	}
}

// agentPattern matches how the client calls itself; the parts of a list are patterns.
func (c client) agentPattern() string {
	if strings.Contains(c.agent, "|") {
		return c.agent
	}
	return regexp.QuoteMeta(c.agent)
}

func sequencesOf(t *testing.T) map[string][]string {
	t.Helper()
	library, err := replay.Library()
	if err != nil {
		t.Fatal(err)
	}
	all := map[string][]string{}
	for _, s := range library {
		all[s.Name] = s.Agents()
	}
	return all
}

// testsHere are the names of the tests of this package, those without the race detector
// included.
func testsHere(t *testing.T) map[string]bool {
	t.Helper()
	files, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]bool{}
	for _, f := range files {
		if !strings.HasSuffix(f.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				all[f.Name.Name] = true
			}
		}
	}
	return all
}

// number is a version as programs write it.
func number() *regexp.Regexp { return regexp.MustCompile(`\d+(\.\d+)+`) }

// versionIn is the version within the name that a client gives itself.
func versionIn(agent string) string {
	if v := regexp.MustCompile(`KIO/(\S+)`).FindStringSubmatch(agent); v != nil {
		return v[1]
	}
	if v := number().FindString(agent); v != "" {
		return v
	}
	return regexp.MustCompile(`\d+`).FindString(agent)
}

// versionOf asks a program for its version.
func versionOf(t *testing.T, command []string) string {
	t.Helper()
	name := command[0]
	if !strings.HasPrefix(name, "/") {
		name = parts.Tool(t, name)
	}
	cmd := exec.CommandContext(t.Context(), name, command[1:]...)
	cmd.Env = append(os.Environ(), "HOME="+t.TempDir(), "QT_QPA_PLATFORM=offscreen")
	out, err := cmd.CombinedOutput()
	v := number().FindString(string(out))
	if v == "" {
		t.Fatalf("%s tells no version: %v: %s", name, err, out)
	}
	return v
}

// withoutVersions is the table without its second column.
func withoutVersions(table string) string {
	var b strings.Builder
	for line := range strings.Lines(table) {
		if cells := strings.Split(line, " | "); len(cells) > 2 {
			line = strings.Join(append(cells[:1:1], cells[2:]...), " | ")
		}
		b.WriteString(line)
	}
	return b.String()
}
