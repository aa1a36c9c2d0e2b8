package gateway_test

import (
	"context"
	"log/slog"
	"net/http/httptest"
	"sync/atomic"
	"testing"

	"portico/fault"
	"portico/gateway"
	"portico/gateway/gatewaytest"
	"portico/identity"
)

// reloading is a directory in which the config changes while the first password
// is being checked: after that nobody is in it.
type reloading struct {
	people
	epoch atomic.Uint64
}

func (p *reloading) SignIn(ctx context.Context, in identity.SignIn) (identity.Identity, error) {
	who, err := p.people.SignIn(ctx, in)
	if p.epoch.CompareAndSwap(0, 1) {
		return who, err
	}
	return identity.Identity{}, identity.ErrRefused
}

// TestReloadDuringSignIn wants the person of an old config never judged by the
// rules of a new one, in which ann may be another Ann.
func TestReloadDuringSignIn(t *testing.T) {
	h := newHouse(t)
	p := &reloading{}
	server := httptest.NewServer(gateway.New(gateway.Options{
		Files: h.service, Gate: p, Log: slog.New(slog.DiscardHandler), Epoch: p.epoch.Load,
	}))
	t.Cleanup(server.Close)
	gatewaytest.As(t, server.URL+"/dav", "ann", password).Put("/firm/x.txt", "x").Want(401)
	if n := p.asked.Load(); n != 2 {
		t.Errorf("the password was checked %d times, want 2", n)
	}
	h.as("ann").Get("/firm/x.txt").Want(404)
}

// TestSignInAway wants the answer of a directory that is away to speak of
// passwords, not of files, and to be no 401, for which a drive forgets its own.
func TestSignInAway(t *testing.T) {
	h := newHouse(t)
	h.people.err = fault.ErrUnavailable
	h.as("ann").Get("/firm/x.txt").Want(503).WantHeader("Retry-After", "10").WantIn("Passwords cannot be checked")
}
