package portal

import (
	"errors"
	"net/http"

	"portico/fault"
	"portico/identity"
	"portico/identity/oidc"
)

// outsideStart sends somebody to the provider. It changes nothing but a cookie
// of their own, and so may be a link; one on another site it may not be, or that
// site signs its visitors in here whenever it likes.
func (p *portal) outsideStart(w http.ResponseWriter, r *http.Request) {
	if from := r.Header.Get("Sec-Fetch-Site"); from != "" && from != "same-origin" && from != "none" {
		p.kit.Foreign(w, r)
		return
	}
	next := localPath(r.URL.Query().Get("next"))
	flow, to, err := p.Outside.Begin(r.Context(), next)
	if err != nil {
		status, sentence := p.refuseOutside(w, r, err)
		p.showLogin(w, r, status, loginForm{Next: next, Trouble: sentence})
		return
	}
	p.flow.Set(w, flow)
	http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // the provider of the config
}

// outsideBack is where the provider sends people back to.
func (p *portal) outsideBack(w http.ResponseWriter, r *http.Request) {
	in, err := p.Outside.Finish(r.Context(), p.flow.Value(r), r.URL.Query())
	if err == nil {
		err = p.begin(w, r, in.Who, in.Groups, p.Outside.Title(), in.Keep)
	}
	p.flow.Clear(w)
	if err != nil {
		status, sentence := p.refuseOutside(w, r, err)
		p.showLogin(w, r, status, loginForm{Trouble: sentence})
		return
	}
	goOn(w, r, localPath(in.Next), in.Who)
}

// refuseOutside is refuse for a sign-in without a password of ours. The gate
// knows nothing of it, so it is recorded here: where the provider has named
// somebody. The address alone anybody can send, as often as they like.
func (p *portal) refuseOutside(w http.ResponseWriter, r *http.Request, err error) (status int, sentence string) {
	if no, ok := errors.AsType[*oidc.RefusedError](err); ok {
		if no.Login != "" {
			p.refusal(r, no.Login, errors.New(no.Reason.String()))
		}
		return http.StatusForbidden, p.kit.Text(r).Say(no.Reason)
	}
	switch {
	case errors.Is(err, identity.ErrRefused):
		return http.StatusForbidden, p.kit.Text(r).T("You cannot sign in here. Ask your administrator.")
	case fault.Told(err) == "" && errors.Is(err, fault.ErrUnavailable):
		err = fault.Tell(err, "The sign-in cannot be checked at the moment. Try again in a little while.")
	}
	return p.refuse(w, r, err)
}
