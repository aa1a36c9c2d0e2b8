package config

import (
	"os"
	"path/filepath"
	"testing"
)

// FuzzLoad: whatever the file holds, Load gives a config or faults with their
// lines, and never panics.
func FuzzLoad(f *testing.F) {
	for _, pattern := range []string{"testdata/err/*.yaml", "testdata/ok/*.yaml", "../example.yaml"} {
		files, err := filepath.Glob(pattern)
		if err != nil || len(files) == 0 {
			f.Fatalf("no seeds in %s (%v)", pattern, err)
		}
		for _, file := range files {
			data, err := os.ReadFile(file)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := parse("t.yaml", data, testEnv)
		if err != nil {
			checkFaults(t, err)
			return
		}
		if c.Policy == nil || len(c.Workspaces) == 0 || len(c.Users) == 0 && c.LDAP == nil && c.OIDC == nil || len(c.Storage) == 0 {
			t.Errorf("no fault, but %+v", c)
		}
		for _, w := range c.Workspaces {
			if _, ok := c.Storage[w.Storage]; !ok || w.Path().Name() != w.Name {
				t.Errorf("no fault, but the workspace %+v", w)
			}
		}
	})
}
