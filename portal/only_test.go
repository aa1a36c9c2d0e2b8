package portal_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"portico/identity"
	"portico/identity/gate"
	"portico/identity/identitytest"
	"portico/identity/people"
	"portico/portal"
)

// TestOutsideOnly (THREATS.md row 63): where the provider is the only way in, a
// password alone opens neither the pages nor the API, right or wrong; the session
// that the provider began makes an app password.
func TestOutsideOnly(t *testing.T) {
	t.Parallel()
	h, s := outside(t, func(o *portal.Options) { o.OutsideOnly = true })
	ann := h.browser(h.a)
	form := ann.get("/login?next=/account")
	form.want(t, "the form", 200, `href="/auth/oidc/start?next=%2Faccount"`, "Firm & Co")
	if button, field := strings.Index(form.text, "/auth/oidc/start"), strings.Index(form.text, `name="password"`); field < button {
		t.Error("the customers' form comes before the provider's button")
	}
	if strings.Contains(form.text, "<span>or</span>") {
		t.Error("the sign-in page offers the form as another way in")
	}
	ann.get("/").want(t, "home", 200, "your name and an app password from")
	for _, password := range []string{annsPassword, "wrong horse battery", ""} {
		got := ann.do("POST", "/login", "name=ann&password="+password, "Content-Type", "application/x-www-form-urlencoded")
		got.want(t, "a password on the page", http.StatusForbidden, "takes no passwords here", "/auth/oidc/start")
		if ann.cookie() != "" {
			t.Error("the answer to a password has a session")
		}
	}
	for _, password := range []string{annsPassword, "wrong horse battery"} {
		for _, method := range []string{"GET", "POST"} {
			got := h.browser(h.a).do(method, "/api/v1/app-passwords", `{"name":"x"}`, "Content-Type", "application/json", "Authorization", basic("ann", password))
			got.want(t, "a password at the API", http.StatusUnauthorized, "takes no passwords here", "/account")
		}
	}
	if rows := h.state.AllAttempts(); len(rows) != 0 {
		t.Errorf("passwords that nobody looks at are counted: %v", rows)
	}
	start := ann.get("/auth/oidc/start?next=%2Faccount")
	ann.get(s.SignIn(t, start.header.Get("Location"), "ann").RequestURI()).want(t, "back", 303)
	ann.get("/account").want(t, "account", 200, "Ann Peeters")
	made := ann.do("POST", "/api/v1/app-passwords", `{"name":"phone","expires":"90d"}`, "Content-Type", "application/json")
	made.want(t, "an app password by the session", 201)
	var secret struct{ Secret string }
	if err := json.Unmarshal([]byte(made.text), &secret); err != nil || secret.Secret == "" {
		t.Fatalf("made = %v, %s", err, made.text)
	}
	// Half a sign-in is none: neither the cookie nor the app password as a token.
	for _, bearer := range []string{ann.cookie(), secret.Secret} {
		h.browser(h.a).do("GET", "/api/v1/app-passwords", "", "Authorization", "Bearer "+bearer).want(t, "a token", 401)
	}
	h.browser(h.a).do("GET", "/api/v1/app-passwords", "", "Authorization", basic("ann", secret.Secret)).want(t, "an app password", 403, "cannot manage app passwords")
}

// TestNoPasswords: a reload closes the gate before the pages know of it. What they
// say then is no fault of the server.
func TestNoPasswords(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	closed := h.settings(everybody(t)...)
	closed.NoPasswords = true
	h.a.gate.Apply(closed)
	ann := h.browser(h.a)
	ann.do("POST", "/login", "name=ann&password="+annsPassword, "Content-Type", "application/x-www-form-urlencoded").
		want(t, "the page", http.StatusUnauthorized, "takes no passwords")
	ann.do("GET", "/api/v1/app-passwords", "", "Authorization", basic("ann", annsPassword)).want(t, "the API", http.StatusUnauthorized, "takes no passwords")
}

// clients is a directory of customers.
type clients struct{ *identitytest.Fake }

func (c clients) Authenticate(ctx context.Context, login identity.Login, password string) (identity.Identity, error) {
	who, err := c.Fake.Authenticate(ctx, login, password)
	who.Contact = err == nil
	return who, err
}

// ByID is whom a session is of.
func (c clients) ByID(ctx context.Context, id string) (identity.Identity, error) {
	who, err := c.Fake.ByID(ctx, id)
	who.Contact = err == nil
	return who, err
}

// TestCustomersBesideAProvider: where the firm's people have no passwords,
// customers keep theirs, and no answer tells who is one.
func TestCustomersBesideAProvider(t *testing.T) {
	t.Parallel()
	const customersPassword = "green boats sail"
	h, _ := outside(t, func(o *portal.Options) { o.OutsideOnly = true })
	firm := identitytest.NewFakeOf("firm:", identitytest.Person{Login: "dan@firm.example", Password: customersPassword})
	chain, err := people.New(people.Options{
		Firm: people.Source{Directory: firm, Prefix: "firm:", Term: time.Minute},
		Contacts: people.Source{Term: time.Minute, Prefix: identity.ContactPrefix, Directory: clients{
			identitytest.NewFakeOf(identity.ContactPrefix, identitytest.Person{Login: carol, Password: customersPassword}),
		}},
	})
	if err != nil {
		t.Fatal(err)
	}
	settings := gate.Settings{People: chain, Term: chain.Term, Customers: chain.Customers()}
	form := func(name, password string) (answer, string) {
		b := h.browser(h.a)
		values := url.Values{"name": {name}, "password": {password}}.Encode()
		return b.do("POST", "/login", values, "Content-Type", "application/x-www-form-urlencoded"), b.cookie()
	}
	for _, closed := range []bool{true, false} { // a reload opens the gate before the pages know of it
		settings.NoPasswords = closed
		h.a.gate.Apply(settings)
		if got, cookie := form(carol, customersPassword); got.status != http.StatusSeeOther || cookie == "" || got.header.Get("Location") != "/portal/" {
			t.Errorf("a customer, gate closed %t: %d to %q, cookie %q", closed, got.status, got.header.Get("Location"), cookie)
		}
		for name, password := range map[string]string{carol: "wrong", "dan@firm.example": customersPassword, "nobody@else.example": "wrong"} {
			got, cookie := form(name, password)
			got.want(t, name, http.StatusUnauthorized, "The mail address or the password is wrong. If you work here, sign in with Firm & Co.")
			if cookie != "" {
				t.Errorf("%s has a session", name)
			}
		}
	}
}
