package identitytest

import (
	"testing"

	"portico/identity"
)

func TestFake(t *testing.T) {
	Run(t, func(_ *testing.T, people []Person) identity.Provider { return NewFake(people...) })
}
