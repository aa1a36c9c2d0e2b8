package e2e

import (
	"os"
	"testing"

	"portico/internal/parts"
)

func TestMain(m *testing.M) {
	code := parts.Main(m)
	endWorlds()
	os.Exit(code)
}
