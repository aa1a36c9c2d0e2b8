package app

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"strings"
	"testing"
)

// told is what a command said.
type told struct {
	code     int
	out, err string
}

// appPasswordCommand runs the client against a server.
func appPasswordCommand(t *testing.T, server, password string, args ...string) told {
	t.Helper()
	var out, errs bytes.Buffer
	args = append(append([]string{"app-password"}, args...), "--server", server, "--user", "ann")
	code := Run(t.Context(), args, os.LookupEnv, strings.NewReader(password+"\n"), &out, &errs)
	return told{code, out.String(), errs.String()}
}

func (a told) want(t *testing.T, what string, code int, texts ...string) {
	t.Helper()
	if a.code != code {
		t.Errorf("%s: exit code %d, want %d: %s%s", what, a.code, code, a.out, a.err)
	}
	for _, text := range texts {
		if !strings.Contains(a.out+a.err, text) {
			t.Errorf("%s: %q is not in\n%s%s", what, text, a.out, a.err)
		}
	}
}

// TestAppPasswordCommand plays the life of one against a real server: made,
// used by a drive, listed, revoked.
func TestAppPasswordCommand(t *testing.T) {
	h := start(t)
	appPasswordCommand(t, h.url, password, "list").want(t, "at first", exitOK, "There are no app passwords.")
	made := appPasswordCommand(t, h.url, password, "create", "--name", "laptop", "--workspace", "firm", "--read-only", "--expires", "90d")
	made.want(t, "create", exitOK, "for laptop", "shown this once")
	secret := strings.TrimSuffix(made.out, "\n")
	if !regexp.MustCompile(`^gwp_[0-9a-z]+$`).MatchString(secret) {
		t.Fatalf("standard output is %q, want the app password alone", made.out)
	}
	if status, _ := h.do("PROPFIND", "/dav/firm/", "", secret, "Depth", "0"); status != http.StatusMultiStatus {
		t.Errorf("the drive answers %d to it", status)
	}
	if status, _ := h.do("PUT", "/dav/firm/a.txt", "x", secret); status != http.StatusForbidden {
		t.Errorf("a write with one for reading: %d", status)
	}
	appPasswordCommand(t, h.url, secret, "list").want(t, "with an app password", exitError, "Use your own password")
	appPasswordCommand(t, h.url, "wrong horse battery", "list").want(t, "with a wrong one", exitError, "The name or the password is wrong.")
	appPasswordCommand(t, h.url, password, "create", "--name", "x", "--workspace", "none").want(t, "no such workspace", exitError, "There is no such workspace")

	list := appPasswordCommand(t, h.url, password, "list")
	list.want(t, "list", exitOK, `"laptop"`, "firm, read only")
	var all struct {
		All []appPassword `json:"app_passwords"`
	}
	asJSON := appPasswordCommand(t, h.url, password, "list", "--json")
	if err := json.Unmarshal([]byte(asJSON.out), &all); err != nil || len(all.All) != 1 || all.All[0].Expires == nil {
		t.Fatalf("list --json = %v\n%s", err, asJSON.out)
	}
	if strings.Contains(list.out+asJSON.out, secret) {
		t.Error("the list has the secret")
	}
	id := all.All[0].ID
	appPasswordCommand(t, h.url, password, "revoke", id).want(t, "revoke", exitOK, "revoked "+id)
	appPasswordCommand(t, h.url, password, "revoke", id, "--json").want(t, "again", exitError, "There is no such app password.")
	if status, _ := h.do("PROPFIND", "/dav/firm/", "", secret, "Depth", "0"); status != http.StatusUnauthorized {
		t.Errorf("the drive answers %d to one that was revoked", status)
	}
	for _, canary := range []string{secret, password} {
		if strings.Contains(h.log.String(), canary) {
			t.Error("the log holds a password")
		}
	}
}

// TestAppPasswordStrangers wants a sentence, and no password told, where the
// server is no Portico.
func TestAppPasswordStrangers(t *testing.T) {
	elsewhere := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		t.Errorf("a request went on to another server with %q", r.Header.Get("Authorization"))
	}))
	t.Cleanup(elsewhere.Close)
	for what, c := range map[string]struct {
		answer http.HandlerFunc
		want   string
	}{
		"redirects": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		}, "give that address as --server"},
		"a web page": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>")) }, "answers as no Portico does"},
		"not found":  {func(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }, "404 Not Found; check the address"},
		"cut": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "9")
			_, _ = w.Write([]byte("{"))
		}, "in the middle of its answer"},
	} {
		s := httptest.NewServer(c.answer)
		appPasswordCommand(t, s.URL, password, "list").want(t, what, exitError, c.want)
		s.Close()
	}
}
