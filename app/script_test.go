package app_test

import (
	"os"
	"testing"

	"github.com/rogpeppe/go-internal/testscript"

	"portico/app"
)

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){
		"portico": func() { os.Exit(app.Main(os.Args[1:], os.LookupEnv, os.Stdin, os.Stdout, os.Stderr)) },
	})
}

// TestScripts runs the commands as an admin does; the scripts are in testdata.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{Dir: "testdata/script"})
}
