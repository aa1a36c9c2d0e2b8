package app

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"portico/audit"
	"portico/identity"
	"portico/internal/parts"
	"portico/notify"
	"portico/store"
)

// mails are those of an outbox folder.
func mails(t *testing.T, dir string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		// Soft line ends of quoted-printable would part an address.
		all = append(all, strings.NewReplacer("=\r\n", "", "=3D", "=").Replace(string(b)))
	}
	return all
}

// TestUnlockByMail: an account that strangers have closed; its owner gets a mail,
// whose link opens it again, once, and is in no log.
func TestUnlockByMail(t *testing.T) {
	out := filepath.Join(t.TempDir(), "outbox")
	h := start(t, "    ann: {", "    ann: {email: ann@firm.example, name: Ann Peeters, ", "workspaces:", "mail: {from: portico@firm.example, dir: "+out+"}\nlanguage: nl\nworkspaces:")
	closed := func() bool {
		_, err := h.gate.SignIn(t.Context(), identity.SignIn{Login: "ann", Password: password, Address: "203.0.113.9"})
		return err != nil
	}
	h.guess(99)
	if _, err := h.gate.SignIn(t.Context(), identity.SignIn{Login: "ann", Password: "wrong", Address: "198.51.100.1"}); !errors.Is(err, identity.ErrRefused) {
		t.Fatalf("the hundredth wrong password: %v", err)
	}
	if !closed() {
		t.Fatal("the account is open")
	}
	eventually(t, "the mail is there", func() bool { return len(mails(t, out)) == 1 })
	mail := mails(t, out)[0]
	found := regexp.MustCompile(`/unlock/(gwu_[A-Za-z0-9_-]{43})`).FindStringSubmatch(mail)
	if found == nil || !strings.Contains(mail, "To: \"Ann Peeters\" <ann@firm.example>") || !strings.Contains(mail, "Iemand probeert uw wachtwoord te raden") {
		t.Fatalf("mail:\n%s", mail)
	}
	if !strings.Contains(mail, h.url+found[0]) {
		t.Errorf("the mail does not lead to %s:\n%s", h.url, mail)
	}
	b := h.browser()
	for range 2 {
		if got := b.get(found[0]); got.status != 200 || strings.Contains(got.text, "ann") {
			t.Errorf("the page: %d, %s", got.status, got.text)
		}
	}
	if !closed() {
		t.Error("to look at the page opened the account")
	}
	if got := b.send(found[0]); got.status != http.StatusSeeOther {
		t.Errorf("the button: %d, %s", got.status, got.text)
	}
	if closed() {
		t.Error("the account is still closed")
	}
	for _, got := range []reply{b.send(found[0]), b.get(found[0]), b.get("/unlock/gwu_guess")} {
		if got.status != 404 {
			t.Errorf("a link that is not good: %d, want 404", got.status)
		}
	}
	var pardoned []audit.Event
	for _, e := range h.recorded(h.state.Replica()) {
		if e.Action == audit.Pardon {
			pardoned = append(pardoned, e)
		}
	}
	if len(pardoned) != 1 || pardoned[0].Actor.Via != "page" || pardoned[0].Dest != "ann" {
		t.Errorf("pardons in the audit: %+v", pardoned)
	}
	if strings.Contains(h.log.String(), found[1]) {
		t.Errorf("the secret is in the log: %s", h.log)
	}
}

// TestMailsGoThroughTheServer: the config's server, password and authority.
func TestMailsGoThroughTheServer(t *testing.T) {
	s := parts.Mail(t, parts.MailOptions{User: "portico", Password: "canary-mail-password"})
	h := start(t, "workspaces:", `mail: {from: portico@firm.example, reply_to: office@firm.example, smtp: "smtp://portico:canary-mail-password@`+s.Address+`", ca: "`+s.CA+`"}`+"\nworkspaces:",
		"{storage: disk,", `{storage: disk, brand: {name: Peeters and Co, color: "#0b6b3a"},`)
	err := h.state.Update(t.Context(), func(tx store.Tx) error {
		return h.notices.Tell(tx, notify.Notice{
			To: "user:ann", Mail: "carl@client.example", Event: notify.Shared, Brand: "firm", Data: map[string]string{"by": "Ann", "item": "Accounts", "link": "/portal/"},
		})
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the mail has arrived", func() bool { return len(s.Mails()) == 1 })
	m := s.Mails()[0]
	if !m.TLS || m.User != "portico" || !strings.Contains(string(m.Data), "From: \"Peeters and Co\" <portico@firm.example>") ||
		!strings.Contains(string(m.Data), "office@firm.example") || !strings.Contains(string(m.Data), "#0b6b3a") {
		t.Errorf("mail by %q, TLS %v:\n%s", m.User, m.TLS, m.Data)
	}
	b := h.browser()
	b.signIn("ann", password)
	if got := b.get("/account"); !strings.Contains(got.text, "1 unread") {
		t.Errorf("/account does not tell of the notice: %s", got.text)
	}
	if strings.Contains(h.log.String(), "canary") {
		t.Errorf("the password is in the log: %s", h.log)
	}
}

// TestMailServerThatIsAway: the server starts without it, and the log tells.
func TestMailServerThatIsAway(t *testing.T) {
	h := start(t, "workspaces:", `mail: {from: portico@firm.example, smtp: "smtp://127.0.0.1:9"}`+"\nworkspaces:")
	err := h.state.Update(t.Context(), func(tx store.Tx) error {
		return h.notices.Tell(tx, notify.Notice{Mail: "carl@client.example", Event: notify.Reset, Quiet: true, Data: map[string]string{"link": "/reset/canary-secret"}})
	})
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "the log tells", func() bool { return strings.Contains(h.log.String(), "mails wait") })
	if strings.Contains(h.log.String(), "canary") {
		t.Errorf("the secret is in the log: %s", h.log)
	}
}

// TestBrandOfTheServer: one firm is the server's own, of several none is.
func TestBrandOfTheServer(t *testing.T) {
	h := build(t, "{storage: disk,", "{title: The Firm, storage: disk,")
	if got := h.brand(""); got.Name != "The Firm" {
		t.Errorf("brand %+v", got)
	}
	if got := h.brand("elsewhere"); got.Name != "Portico" {
		t.Errorf("brand %+v", got)
	}
	if n, err := h.unread(t.Context(), identity.Identity{ID: "user:ann"}); n != 0 || err != nil {
		t.Errorf("unread = %d, %v", n, err)
	}
}
