package identity_test

import (
	"errors"
	"testing"

	"portico/identity"
)

// TestRefusalsReadAlike: whoever prints one tells nobody which it was.
func TestRefusalsReadAlike(t *testing.T) {
	for _, err := range []error{identity.ErrTaken, &identity.WrongError{Whose: "ann"}} {
		if !errors.Is(err, identity.ErrRefused) || err.Error() != identity.ErrRefused.Error() {
			t.Errorf("%T reads %q", err, err)
		}
	}
}
