package oidc_test

import (
	"errors"
	"testing"

	"portico/fault"
	"portico/identity/oidc"
)

// TestCheckWithoutLog: "portico check --live" asks without a log.
func TestCheckWithoutLog(t *testing.T) {
	h := newHouse(t, "http://127.0.0.1:1/", func(o *oidc.Options) { o.Log = nil })
	if err := h.Check(t.Context()); !errors.Is(err, fault.ErrUnavailable) {
		t.Errorf("Check = %v, want fault.ErrUnavailable", err)
	}
}
