// Package parts starts the real programs that tests run against: MinIO and
// versitygw as stores, slapd as a directory, PostgreSQL as a state store. Each listens on a free loopback port, keeps its data in a
// folder that goes with it, and ends with the test that asked for it, or with
// the process where a TestMain runs Main.
//
// A program that is not installed fails the test with a sentence that says how
// to install it; nothing is skipped, because a skipped test tells nobody that
// half of the product went untested.
package parts

import (
	"os"
	"path/filepath"
	"testing"
)

// Tool is the path of an installed program: in $PORTICO_TOOLS, else in
// portico/bin of the user's cache ($XDG_CACHE_HOME, ~/.cache).
func Tool(tb testing.TB, name string) string {
	tb.Helper()
	path, err := tool(name)
	if err != nil {
		tb.Fatalf("%v", err)
	}
	return path
}

func tool(name string) (string, error) {
	dir, err := toolsDir()
	if err != nil {
		return "", &missingError{name, "the user's cache folder, which is unknown: " + err.Error()}
	}
	for _, dir := range []string{dir, "/usr/bin", "/usr/sbin"} { // ours, then what Debian's packages bring
		path := filepath.Join(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() {
			return path, nil
		}
	}
	return "", &missingError{name, dir}
}

// toolsDir is where make tools puts what is ours.
func toolsDir() (string, error) {
	if dir := os.Getenv("PORTICO_TOOLS"); dir != "" {
		return dir, nil
	}
	cache, err := os.UserCacheDir()
	return filepath.Join(cache, "portico", "bin"), err
}

// missingError is a program that no one installed.
type missingError struct{ name, dir string }

func (e *missingError) Error() string {
	return "this test needs the program " + e.name + ", which is neither in " + e.dir + " nor a program of the system" +
		": run `make tools`, or set PORTICO_TOOLS to the folder that holds it"
}
