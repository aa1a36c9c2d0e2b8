package portal

import (
	"net/http"
	"strings"
	"time"

	"portico/identity"
	"portico/identity/session"
	"portico/portal/web"
)

// Event is something that concerns people, for the audit.
type Event struct {
	Time      time.Time
	Action    string // "sign-in", "sign-out", "app-password": the words of package audit
	Who       identity.Identity
	Login     identity.Login // what was claimed, where Who is not known
	Via       string         // "page", "api"
	Object    string         // what was made or revoked
	Allowed   bool
	Why       string
	RequestID string
	Address   string
	Agent     string
}

// event is what is the same for all events of a request.
func (p *portal) event(r *http.Request, action string, who identity.Identity) Event {
	e := Event{
		Time: p.Clock(), Action: action, Who: who, Login: who.Login, Via: web.Via(r), Allowed: true,
		RequestID: p.RequestID(r.Context()), Address: p.Address(r), Agent: clip(r.UserAgent()),
	}
	return e
}

// clip bounds what a client may write into the audit, at a whole character.
func clip(s string) string { return strings.ToValidUTF8(s[:min(len(s), maxAgent)], "") }

const maxAgent = 256 // bytes

// appended is an event that belongs to a change.
func (p *portal) appended(r *http.Request, action string, who identity.Identity, object, why string) session.Also {
	e := p.event(r, action, who)
	e.Object, e.Why = object, why
	return p.Append(e)
}

// refusal records a sign-in that was refused to somebody who has proved who they
// are: of others there may be thousands in a second, and a row is kept for years.
// One that cannot be recorded is refused all the same.
func (p *portal) refusal(r *http.Request, login identity.Login, err error) {
	e := p.event(r, "sign-in", identity.Identity{})
	e.Login, e.Allowed, e.Why = login, false, err.Error()
	if err := p.Record(r.Context(), e); err != nil {
		p.Log.ErrorContext(r.Context(), "audit record failed", "action", e.Action, "err", err)
	}
}
