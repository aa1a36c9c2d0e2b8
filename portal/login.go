package portal

import (
	"errors"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/identity/apppass"
	"portico/identity/session"
	"portico/lang"
	"portico/portal/web"
)

// loginForm is what the sign-in page shows.
type loginForm struct {
	Name    string
	Next    string
	Outside string            // the outside provider's title, "" for none
	Start   string            // and the way to it
	Only    bool              // it is the only way for the firm's people
	Wrong   map[string]string // a sentence beside each field that is wrong
	Trouble string            // one above the form

	Forgotten string // the way to a new password, "" for none
}

// errAppPassword is an app password that somebody typed for their own.
var errAppPassword = errors.New("an app password opens the drive alone")

// loginPage shows the form.
func (p *portal) loginPage(w http.ResponseWriter, r *http.Request) {
	next := localPath(r.URL.Query().Get("next"))
	if who, ok := p.kit.Who(r); ok {
		goOn(w, r, next, who)
		return
	}
	p.showLogin(w, r, http.StatusOK, loginForm{Next: next})
}

func (p *portal) showLogin(w http.ResponseWriter, r *http.Request, status int, f loginForm) {
	f.Forgotten = p.Forgotten
	f.Only = p.OutsideOnly
	if p.Outside != nil {
		f.Outside, f.Start = p.Outside.Title(), "/auth/oidc/start?next="+url.QueryEscape(f.Next)
	}
	p.kit.Show(w, r, status, "login", lang.ID("Sign in"), f)
}

// login takes the form.
func (p *portal) login(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	if p.OutsideOnly && !mayBeCustomer(identity.Login(r.PostForm.Get("name"))) {
		p.showLogin(w, r, http.StatusForbidden, loginForm{Next: localPath(r.PostForm.Get("next")), Trouble: p.noPasswords(p.kit.Text(r))})
		return
	}
	name, password := strings.TrimSpace(r.PostForm.Get("name")), r.PostForm.Get("password")
	f := loginForm{Name: name, Next: localPath(r.PostForm.Get("next")), Wrong: map[string]string{}}
	if name == "" {
		f.Wrong["name"] = p.kit.Text(r).T("Type your name.")
	}
	if password == "" {
		f.Wrong["password"] = p.kit.Text(r).T("Type your password.")
	}
	if len(f.Wrong) > 0 {
		p.showLogin(w, r, http.StatusUnprocessableEntity, f)
		return
	}
	who, err := p.prove(r, identity.Login(name), password)
	if err == nil {
		err = p.begin(w, r, who, nil, "password", nil)
	}
	if err != nil {
		status, sentence := p.refuse(w, r, err)
		if p.OutsideOnly && errors.Is(err, identity.ErrAppPassword) {
			sentence = p.noCustomer(p.kit.Text(r))
		}
		f.Trouble = sentence
		p.showLogin(w, r, status, f)
		return
	}
	if p.Arrived != nil {
		if err := p.Arrived(r.Context(), who); err != nil { // they are in; what this does is done at the next sign-in as well
			p.Log.WarnContext(r.Context(), "sign-in: what follows it failed", "err", err)
		}
	}
	goOn(w, r, f.Next, who)
}

// goOn sends somebody who has signed in where they wanted to go, else to where
// people of their kind begin. next is of localPath.
func goOn(w http.ResponseWriter, r *http.Request, next string, who identity.Identity) {
	if next == "" {
		next = web.Home(who)
	}
	http.Redirect(w, r, next, http.StatusSeeOther) //nolint:gosec // localPath has judged it
}

// prove is who has this password of their own. A wrong one the gate records, once
// it is counted; a success is recorded where it does something.
func (p *portal) prove(r *http.Request, login identity.Login, password string) (identity.Identity, error) {
	who, err := p.proveAny(r, login, password)
	if err == nil && who.Key != "" {
		err = errAppPassword
		p.refusal(r, who.Login, err)
		return identity.Identity{}, err
	}
	return who, err
}

// proveAny is who has this password, of their own or for an app.
func (p *portal) proveAny(r *http.Request, login identity.Login, password string) (identity.Identity, error) {
	in := identity.SignIn{Login: login, Password: password, Address: p.Address(r), Via: web.Via(r)}
	if !p.OutsideOnly || apppass.Looks(password) {
		return p.Gate.SignIn(r.Context(), in)
	}
	// The gate says so as well, by the config in force: a reload that would take
	// passwords again must wait for the start that makes the page for them.
	if !mayBeCustomer(login) {
		return identity.Identity{}, identity.ErrAppPassword
	}
	who, err := p.Gate.SignIn(r.Context(), in)
	if errors.Is(err, identity.ErrRefused) || err == nil && !who.Contact {
		return identity.Identity{}, identity.ErrAppPassword
	}
	return who, err
}

// mayBeCustomer tells a login that need not be of the firm's people: customers are
// known by their mail address.
func mayBeCustomer(login identity.Login) bool { return strings.Contains(string(login), "@") }

// begin makes a session and gives the browser its cookie.
func (p *portal) begin(w http.ResponseWriter, r *http.Request, who identity.Identity, groups []string, by string, keep session.Also) error {
	also := []session.Also{p.appended(r, "sign-in", who, "", "by "+by)}
	if keep != nil {
		also = append([]session.Also{keep}, also...)
	}
	cookie, err := p.Sessions.Start(r.Context(), who, groups, p.sid.Value(r), also...)
	if err != nil {
		return err
	}
	p.sid.Set(w, cookie)
	return nil
}

// refuse turns the error of a sign-in into a status and a sentence, and sets the
// header that goes with the status.
func (p *portal) refuse(w http.ResponseWriter, r *http.Request, err error) (status int, sentence string) {
	throttled, isThrottled := errors.AsType[*identity.ThrottledError](err)
	text := p.kit.Text(r)
	switch {
	case isThrottled:
		w.Header().Set("Retry-After", strconv.Itoa(seconds(throttled.After)))
		return http.StatusTooManyRequests, text.T("Too many wrong passwords. Try again in {time}.", "time", text.Wait(throttled.After))
	case errors.Is(err, errAppPassword):
		return http.StatusForbidden, text.T("That is an app password, which opens the drive. Use your own password here.")
	case errors.Is(err, identity.ErrAppPassword):
		return http.StatusUnauthorized, p.noPasswords(text)
	case errors.Is(err, identity.ErrRefused):
		return http.StatusUnauthorized, text.T("The name or the password is wrong.")
	case !errors.Is(err, fault.ErrUnavailable) && r.Context().Err() == nil:
		p.Log.ErrorContext(r.Context(), "sign-in failed", "err", err)
	}
	w.Header().Set("Retry-After", "10")
	if said, ok := fault.Said(err); ok {
		return http.StatusServiceUnavailable, text.Say(said)
	}
	return http.StatusServiceUnavailable, text.T("Passwords cannot be checked at the moment. Try again in a little while.")
}

// noPasswords tells the way in to who came with a password.
func (p *portal) noPasswords(text *lang.Text) string {
	if p.Outside == nil {
		return text.T("This server takes no passwords. Ask your administrator.")
	}
	return text.T("This server takes no passwords here. Sign in on the page /login with {provider}, and make app passwords for your devices on /account.", "provider", p.Outside.Title())
}

// noCustomer is for whoever gave an address and a password that are no customer's.
// It says the same to a customer who mistyped, to a colleague and to a stranger.
func (p *portal) noCustomer(text *lang.Text) string {
	if p.Outside == nil {
		return p.noPasswords(text)
	}
	return text.T("The mail address or the password is wrong. If you work here, sign in with {provider}.", "provider", p.Outside.Title())
}

// logout ends the session. Whoever is signed out already is where they want to be.
func (p *portal) logout(w http.ResponseWriter, r *http.Request) {
	if cookie := p.sid.Value(r); cookie != "" {
		var also []session.Also
		if who, err := p.Sessions.Find(r.Context(), cookie); err == nil {
			also = append(also, p.appended(r, "sign-out", who, "", ""))
		}
		if err := p.Sessions.End(r.Context(), cookie, also...); err != nil {
			p.kit.Fail(w, r, err)
			return
		}
	}
	p.sid.Clear(w)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// maxNext bounds the path of a page to come back to.
const maxNext = 1024

// localPath is a path of ours, or "" where it is none: who follows a
// link to our sign-in page must not end at somebody else's.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || len(next) > maxNext || u.Scheme != "" || u.Host != "" || u.User != nil ||
		!strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsFunc(next, oddInPath) {
		return ""
	}
	if first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/"); first == "login" || first == "logout" || first == "auth" {
		return ""
	}
	return next
}

// oddInPath tells what browsers read otherwise than servers: a backslash as a
// slash, a control character as nothing.
func oddInPath(r rune) bool { return r == '\\' || r < ' ' || r == 0x7f }

// seconds rounds up: who comes back at the second told is let in.
func seconds(d time.Duration) int { return max(int(math.Ceil(d.Seconds())), 1) }
