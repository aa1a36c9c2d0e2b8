package web

import (
	"context"
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/identity"
	"portico/store"
)

// counted are sessions that count who asks for them.
type counted struct {
	sessions
	asked *[]string
}

func (c counted) Find(ctx context.Context, cookie string) (identity.Identity, error) {
	*c.asked = append(*c.asked, "session")
	return c.sessions.Find(ctx, cookie)
}

// TestAskedOnce wants nothing to be asked for that a route does not need, and
// nothing twice.
func TestAskedOnce(t *testing.T) {
	t.Parallel()
	var asked []string
	k := kit(t, func(o *Options) {
		o.Sessions = counted{asked: &asked}
		o.Preferences = func(context.Context, string) (store.Preferences, error) {
			asked = append(asked, "preferences")
			return store.Preferences{}, nil
		}
		o.Workspaces = func(context.Context, identity.Identity) ([]Workspace, error) {
			asked = append(asked, "workspaces")
			return []Workspace{{Name: "firm"}}, nil
		}
	})
	h := k.Handler(
		Route{Pattern: "GET /bytes", Needs: SignedIn, Handler: func(http.ResponseWriter, *http.Request) {}},
		Route{Pattern: "GET /page", Needs: StaffOnly, Handler: func(_ http.ResponseWriter, r *http.Request) {
			for range 3 {
				_, _, _ = k.Text(r), k.theme(r), k.Chosen(r)
				if list, err := k.Workspaces(r); err != nil || len(list) != 1 {
					t.Errorf("Workspaces = %v, %v", list, err)
				}
			}
		}},
	)
	for path, want := range map[string][]string{
		"/assets/style.css": nil,
		"/bytes":            {"session"},
		"/page":             {"session", "preferences", "workspaces"},
	} {
		asked = nil
		if status, _, _ := ask(t, h, http.MethodGet, path, "sid=ann"); status != http.StatusOK {
			t.Errorf("%s: %d", path, status)
		}
		if diff := cmp.Diff(want, asked); diff != "" {
			t.Errorf("%s asked (-want +got):\n%s", path, diff)
		}
	}
}
