package config

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden texts anew")

// testEnv are the environment variables of the tests.
func testEnv(name string) (string, bool) {
	v, ok := map[string]string{
		"SECRET": "s3cret-value", "EMPTY": "", "QUOTA": "10GiB", "YES": "true", "LOGIN": "ann",
		"DB_PASSWORD": "s3cret%2Fdb", "AUDIT_KEY": "s3cret-of-more-than-32-bytes-as-it-is",
		"CERT": pair().cert, "KEY": pair().key,
	}[name]
	return v, ok
}

// scene makes a working directory with the files that testdata speaks of, and
// gives the absolute path of testdata.
func scene(tb testing.TB) string {
	tb.Helper()
	testdata, err := filepath.Abs("testdata")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Chdir(tb.TempDir())
	write := func(name, content string, mode os.FileMode) {
		tb.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			tb.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(content), mode); err != nil {
			tb.Fatal(err)
		}
		if err := os.Chmod(name, mode); err != nil { // whatever the umask
			tb.Fatal(err)
		}
	}
	write("secrets/good", "s3cret-value\n", 0o640)
	write("secrets/open", "s3cret-value\n", 0o644)
	write("secrets/empty", "\n", 0o600)
	write("secrets/huge", strings.Repeat("x", maxSecret+1), 0o600)
	write("tls/cert.pem", pair().cert, 0o644)
	write("tls/logo.png", "\x89PNG\r\n\x1a\n", 0o644) // as much as a browser looks at
	write("tls/logo.svg", `<svg xmlns="http://www.w3.org/2000/svg"/>`, 0o644)
	write("tls/other.pem", newPair().cert, 0o644)
	write("tls/key.pem", pair().key, 0o600)
	write("tls/open.pem", pair().key, 0o644)
	if err := os.Mkdir("secrets/folder", 0o700); err != nil {
		tb.Fatal(err)
	}
	return testdata
}

// TestFaults loads one bad file per fault and compares what is said of it.
// After a change on purpose: go test ./config -update, and read the difference.
func TestFaults(t *testing.T) {
	dir := filepath.Join(scene(t), "err")
	files, err := filepath.Glob(filepath.Join(dir, "*.yaml"))
	if err != nil || len(files) < 45 {
		t.Fatalf("found %d bad files (%v), want 45 at least", len(files), err)
	}
	for _, file := range files {
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		t.Run(name, func(t *testing.T) {
			c, err := Load(file, testEnv)
			if err == nil {
				t.Fatalf("Load(%s) = %v, want faults", name, c)
			}
			got := strings.ReplaceAll(err.Error(), dir+string(filepath.Separator), "") + "\n"
			checkFaults(t, err)
			if strings.Contains(got, "s3cret") || strings.Contains(got, "$argon2id$") {
				t.Errorf("a fault shows a secret:\n%s", got)
			}
			golden(t, strings.TrimSuffix(file, ".yaml")+".txt", got)
		})
	}
}

// golden compares got with what stands in a file, or writes it there.
func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s says otherwise (-want +got):\n%s", filepath.Base(file), diff)
	}
}

// checkFaults holds what is true of all faults: they are sorted, each has its
// line and is one line.
func checkFaults(tb testing.TB, err error) {
	tb.Helper()
	faults, ok := err.(Faults) //nolint:errorlint // it must be this type itself
	if !ok || len(faults) == 0 {
		tb.Fatalf("Load returned %T %v, want Faults", err, err)
	}
	for i, f := range faults {
		if f.Line < 1 {
			tb.Errorf("fault without a line: %v", f)
		}
		if i > 0 && f.Line < faults[i-1].Line {
			tb.Errorf("line %d stands after line %d", f.Line, faults[i-1].Line)
		}
		if strings.ContainsAny(f.String(), "\n\r") {
			tb.Errorf("fault of several lines: %q", f)
		}
	}
}

// TestGood loads every file of testdata/ok.
func TestGood(t *testing.T) {
	files, err := filepath.Glob(filepath.Join(scene(t), "ok", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("found %d good files (%v)", len(files), err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			c, err := Load(file, testEnv)
			if err != nil {
				t.Fatal(err)
			}
			warnings := strings.ReplaceAll(c.Warnings.Error(), filepath.Dir(file)+string(filepath.Separator), "")
			golden(t, strings.TrimSuffix(file, ".yaml")+".warnings", warnings+"\n")
		})
	}
}

func TestLoadUnreadable(t *testing.T) {
	dir := t.TempDir()
	for _, test := range []struct{ file, want string }{
		{filepath.Join(dir, "none.yaml"), "it does not exist"},
		{dir, "it is not a regular file"},
		{"/dev/zero", "it is not a regular file"},
	} {
		_, err := Load(test.file, testEnv)
		if err == nil || !strings.HasPrefix(err.Error(), test.file+": the config cannot be read: "+test.want) {
			t.Errorf("Load(%s) = %v, want %q", test.file, err, test.want)
		}
	}
}
