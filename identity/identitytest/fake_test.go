package identitytest

import (
	"testing"

	"portico/identity"
)

func TestFake(t *testing.T) {
	RunDirectory(t, func(_ *testing.T, people []Person) identity.Directory { return NewFake(people...) })
}
