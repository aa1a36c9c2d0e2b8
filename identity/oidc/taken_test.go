package oidc_test

import (
	"context"
	"strings"
	"testing"

	"portico/identity"
	"portico/identity/oidc"
)

// shut is a directory in which every account is closed.
type shut struct{}

func (shut) ByLogin(context.Context, identity.Login) (identity.Identity, error) {
	return identity.Identity{}, identity.ErrTaken
}

// TestClosedAccount: whom the firm's directory has shut out, the provider does not
// let in as somebody of its own.
func TestClosedAccount(t *testing.T) {
	t.Parallel()
	e := newEvil(t)
	h := newHouse(t, e.url, func(o *oidc.Options) { o.Directory = shut{} })
	in, err := e.finish(h)
	wantRefused(t, "a closed account", err)
	if in.Who.ID != "" || !strings.Contains(h.log.String(), "closed") {
		t.Errorf("signed in as %q; the log has\n%s", in.Who.ID, h.log)
	}
}
