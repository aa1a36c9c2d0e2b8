package sqlite

import (
	"path/filepath"
	"testing"

	"portico/vpath"
)

// TestClaimEndsWithTheStore: the guard that keeps other processes out ends then.
func TestClaimEndsWithTheStore(t *testing.T) {
	t.Parallel()
	s := opened(t, filepath.Join(t.TempDir(), "portico.db"))
	c, err := s.Claim(t.Context(), vpath.Must("/w"))
	if err != nil {
		t.Fatal(err)
	}
	name, ok, err := s.ClaimName(t.Context(), "job", "reap")
	if err != nil || !ok {
		t.Fatalf("ClaimName = %t, %v", ok, err)
	}
	if !c.Held() || !name.Held() {
		t.Error("a claim of an open store is not held")
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if c.Held() || name.Held() {
		t.Error("a claim of a closed store is held")
	}
}
