package link_test

import (
	"os"
	"testing"

	"portico/internal/parts"
)

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }
