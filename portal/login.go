package portal

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/identity/session"
)

// afterLogin is where people go who did not want to go anywhere.
const afterLogin = "/account"

// loginForm is what the sign-in page shows.
type loginForm struct {
	Name    string
	Next    string
	Outside string            // the outside provider's title, "" for none
	Start   string            // and the way to it
	Wrong   map[string]string // a sentence beside each field that is wrong
	Trouble string            // one above the form
}

// errAppPassword is an app password that somebody typed for their own.
var errAppPassword = errors.New("an app password opens the drive alone")

// loginPage shows the form.
func (p *portal) loginPage(w http.ResponseWriter, r *http.Request) {
	next := localPath(r.URL.Query().Get("next"))
	if _, err := p.Sessions.Find(r.Context(), p.sid.Value(r)); err == nil {
		http.Redirect(w, r, next, http.StatusSeeOther) //nolint:gosec // localPath has judged it
		return
	}
	p.showLogin(w, r, http.StatusOK, loginForm{Next: next})
}

func (p *portal) showLogin(w http.ResponseWriter, r *http.Request, status int, f loginForm) {
	if p.Outside != nil {
		f.Outside, f.Start = p.Outside.Title(), "/auth/oidc/start?next="+url.QueryEscape(f.Next)
	}
	p.show(w, r, status, "login", "Sign in", nil, f)
}

// login takes the form.
func (p *portal) login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, maxForm)
	if err := r.ParseForm(); err != nil {
		p.badForm(w, r, err)
		return
	}
	name, password := strings.TrimSpace(r.PostForm.Get("name")), r.PostForm.Get("password")
	f := loginForm{Name: name, Next: localPath(r.PostForm.Get("next")), Wrong: map[string]string{}}
	if name == "" {
		f.Wrong["name"] = "Type your name."
	}
	if password == "" {
		f.Wrong["password"] = "Type your password."
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
		f.Trouble = sentence
		p.showLogin(w, r, status, f)
		return
	}
	http.Redirect(w, r, f.Next, http.StatusSeeOther)
}

// prove is who has this password of their own. A wrong one the gate records, once
// it is counted; a success is recorded where it does something.
func (p *portal) prove(r *http.Request, login identity.Login, password string) (identity.Identity, error) {
	who, err := p.Gate.SignIn(r.Context(), identity.SignIn{Login: login, Password: password, Address: p.Address(r), Via: via(r)})
	if err == nil && who.Key != "" {
		err = errAppPassword
		p.refusal(r, who.Login, err)
	}
	return who, err
}

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
	switch {
	case isThrottled:
		w.Header().Set("Retry-After", strconv.Itoa(seconds(throttled.After)))
		return http.StatusTooManyRequests, "Too many wrong passwords. Try again in " + inWords(throttled.After) + "."
	case errors.Is(err, errAppPassword):
		return http.StatusForbidden, "That is an app password, which opens the drive. Use your own password here."
	case errors.Is(err, identity.ErrRefused):
		return http.StatusUnauthorized, "The name or the password is wrong."
	case !errors.Is(err, fault.ErrUnavailable) && r.Context().Err() == nil:
		p.Log.ErrorContext(r.Context(), "sign-in failed", "err", err)
	}
	w.Header().Set("Retry-After", "10")
	if told := fault.Told(err); told != "" {
		return http.StatusServiceUnavailable, told
	}
	return http.StatusServiceUnavailable, "Passwords cannot be checked at the moment. Try again in a little while."
}

// logout ends the session. Whoever is signed out already is where they want to be.
func (p *portal) logout(w http.ResponseWriter, r *http.Request) {
	if cookie := p.sid.Value(r); cookie != "" {
		var also []session.Also
		if who, err := p.Sessions.Find(r.Context(), cookie); err == nil {
			also = append(also, p.appended(r, "sign-out", who, "", ""))
		}
		if err := p.Sessions.End(r.Context(), cookie, also...); err != nil {
			p.broken(w, r, err)
			return
		}
	}
	p.sid.Clear(w)
	http.Redirect(w, r, "/login", http.StatusSeeOther)
}

// signedIn is a page for people who are. Others sign in first, and come back.
func (p *portal) signedIn(page func(http.ResponseWriter, *http.Request, identity.Identity)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := p.Sessions.Find(r.Context(), p.sid.Value(r))
		switch {
		case err == nil:
			page(w, r, who)
		case !errors.Is(err, session.ErrNone):
			p.broken(w, r, err)
		case r.Method == http.MethodGet || r.Method == http.MethodHead:
			http.Redirect(w, r, "/login?next="+url.QueryEscape(r.URL.RequestURI()), http.StatusSeeOther)
		default: // a form that was open for too long
			p.showLogin(w, r, http.StatusUnauthorized, loginForm{
				Next: afterLogin, Trouble: "You were signed out meanwhile, and nothing was changed. Sign in and do it again.",
			})
		}
	}
}

// maxNext bounds the path of a page to come back to.
const maxNext = 1024

// localPath is a path of ours, or the usual one where it is none: who follows a
// link to our sign-in page must not end at somebody else's.
func localPath(next string) string {
	u, err := url.Parse(next)
	if err != nil || len(next) > maxNext || u.Scheme != "" || u.Host != "" || u.User != nil ||
		!strings.HasPrefix(next, "/") || strings.HasPrefix(next, "//") || strings.ContainsFunc(next, oddInPath) {
		return afterLogin
	}
	if first, _, _ := strings.Cut(strings.TrimPrefix(u.Path, "/"), "/"); first == "login" || first == "logout" || first == "auth" {
		return afterLogin
	}
	return next
}

// oddInPath tells what browsers read otherwise than servers: a backslash as a
// slash, a control character as nothing.
func oddInPath(r rune) bool { return r == '\\' || r < ' ' || r == 0x7f }

// seconds rounds up: who comes back at the second told is let in.
func seconds(d time.Duration) int { return max(int(math.Ceil(d.Seconds())), 1) }

// inWords is a wait for people to read.
func inWords(d time.Duration) string {
	n, unit := seconds(d), "second"
	if n > 90 {
		n, unit = (n+59)/60, "minute"
	}
	if n > 90 && unit == "minute" {
		n, unit = (n+59)/60, "hour"
	}
	if n != 1 {
		unit += "s"
	}
	return fmt.Sprintf("%d %s", n, unit)
}
