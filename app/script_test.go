package app_test

import (
	"encoding/pem"
	"errors"
	"fmt"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"portico/app"
	"portico/internal/parts"
)

func TestMain(m *testing.M) {
	testscript.Main(leakless{m}, map[string]func(){
		"portico": func() { os.Exit(app.Main(os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// leakless is a run of all tests that leaves no goroutine behind.
type leakless struct{ m *testing.M }

func (l leakless) Run() int {
	code := parts.Main(l.m)
	pinned := goleak.IgnoreTopFunction("portico/internal/parts.startPinned.func1") // ends with the process
	if err := goleak.Find(pinned); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// TestScripts runs the commands as an admin does; the scripts are in testdata.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{Dir: "testdata/script", Cmds: commands()})
}

// TestDirectoryScripts does the same for what asks the firm's directory.
func TestDirectoryScripts(t *testing.T) {
	t.Parallel()
	d := smallFirm(t)
	stranger := strangersCA(t)
	testscript.Run(t, testscript.Params{Dir: "testdata/directory", Cmds: commands(), Setup: func(e *testscript.Env) error {
		e.Setenv("LDAP_URL", d.URL)
		e.Setenv("LDAP_CA", d.CA)
		e.Setenv("LDAP_PASSWORD", d.BindPassword)
		e.Setenv("STRANGERS_CA", stranger)
		e.Setenv("LDAP_AWAY", "ldaps://127.0.0.1:1") // a port that nobody may listen on
		return nil
	}})
}

// smallFirm is a directory in which ann is in team, team in dept, and dept in
// firm; tom is in firm alone, bob nowhere; and two groups have one name.
func smallFirm(t *testing.T) parts.LDAP {
	t.Helper()
	d := parts.OwnSlapd(t, parts.SlapdOptions{Empty: true})
	ann := d.AddPerson(t, parts.Person{Login: "ann", Name: "Ann Peeters", Email: "ann@firm.example", Password: "correct-horse-battery"})
	tom := d.AddPerson(t, parts.Person{Login: "tom", Name: "Tom Maes", Email: "tom@firm.example", Password: "correct-horse-battery"})
	d.AddPerson(t, parts.Person{Login: "bob", Name: "Bob Claes", Email: "bob@firm.example", Password: "correct-horse-battery"})
	team := d.AddGroup(t, "team", ann)
	dept := d.AddGroup(t, "dept", team)
	d.AddGroup(t, "firm", dept, tom)
	d.AddGroup(t, "twins", tom)
	d.Add(t, "ou=old,"+d.Groups, "objectClass", "organizationalUnit", "ou", "old")
	d.Add(t, "cn=twins,ou=old,"+d.Groups, "objectClass", "groupOfNames", "cn", "twins", "member", ann)
	return d
}

// strangersCA is the file of an authority that has signed nothing of ours.
func strangersCA(t *testing.T) string {
	t.Helper()
	s := httptest.NewTLSServer(nil)
	defer s.Close()
	file := filepath.Join(t.TempDir(), "stranger.pem")
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: s.Certificate().Raw}), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// commands are ours beside those of testscript: "exits CODE PROGRAM ARGS" wants
// one exit code, where "!" takes any but 0.
func commands() map[string]func(*testscript.TestScript, bool, []string) {
	return map[string]func(*testscript.TestScript, bool, []string){
		"exits": func(ts *testscript.TestScript, neg bool, args []string) {
			if neg || len(args) < 2 {
				ts.Fatalf("usage: exits CODE PROGRAM ARGS")
			}
			got := 0
			err := ts.Exec(args[1], args[2:]...)
			if ended, ok := errors.AsType[*exec.ExitError](err); ok {
				got = ended.ExitCode()
			} else {
				ts.Check(err)
			}
			if strconv.Itoa(got) != args[0] {
				ts.Fatalf("exit code %d, want %s", got, args[0])
			}
		},
	}
}
