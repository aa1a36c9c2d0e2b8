package postgres

import (
	"testing"

	"go.uber.org/goleak"

	"portico/internal/parts"
)

// under runs the tests with the servers that parts shares among them.
type under struct{ m *testing.M }

func (u under) Run() int { return parts.Main(u.m) }

func TestMain(m *testing.M) {
	goleak.VerifyTestMain(under{m}, goleak.IgnoreAnyFunction("portico/internal/parts.startPinned.func1"))
}
