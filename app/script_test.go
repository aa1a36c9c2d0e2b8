package app_test

import (
	"fmt"
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"
	"go.uber.org/goleak"

	"portico/app"
)

func TestMain(m *testing.M) {
	testscript.Main(leakless{m}, map[string]func(){
		"portico": func() { os.Exit(app.Main(os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// leakless is a run of all tests that leaves no goroutine behind.
type leakless struct{ m *testing.M }

func (l leakless) Run() int {
	code := l.m.Run()
	if err := goleak.Find(); code == 0 && err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return code
}

// TestScripts runs the commands as an admin does; the scripts are in testdata.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script"})
}
