package sharing_test

import (
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"portico/acl/acltest"
	"portico/fault"
	"portico/identity"
	"portico/identity/identitytest"
	"portico/notify"
	"portico/vpath"
)

// askRules: root owns all, the group of it owns the clients, and eve is one of it;
// hal owns Beta, where the group of the shut out may not give rights; bob reads, and
// passes through Acme to a folder below it.
const askRules = `
groups:
  it:  {members: ["user:eve", "user:sam", "user:gone"]}
  out: {members: ["user:sam"]}
workspaces:
  firm:
    folders:
      /:                 {grant: {"user:root": owner}}
      /Clients:          {grant: {"group:it": owner, "user:ann": manager, "user:bob": viewer}, deny: {"group:out": [grant]}}
      /Clients/Beta:     {grant: {"user:hal": owner}}
      /Clients/Acme:     {inherit: false, grant: {"group:it": owner}}
      /Clients/Acme/2025: {grant: {"user:bob": viewer}}
      /HR:               {inherit: false, grant: {"user:hal": owner}}
`

func newAskWorld(t *testing.T) *world {
	t.Helper()
	w := newWorld(t)
	w.write("root", "/firm/Clients/Beta/In/plan.txt", "plan")
	w.rules = &acltest.Rules{}
	if err := yaml.Unmarshal([]byte(askRules), w.rules); err != nil {
		t.Fatal(err)
	}
	w.apply()
	return w
}

// asked gives whom the notices since before went to, by login, and the last of them.
func (w *world) asked(before int) (to string, last notify.Notice) {
	var all []string
	for _, n := range w.said[before:] {
		if n.Event == notify.Asked {
			all = append(all, strings.TrimPrefix(n.To, "id-user:"))
			last = n
		}
	}
	return strings.Join(all, " "), last
}

func (w *world) asks(login, p, message string) error {
	return w.sh.AskAccess(w.Context(), w.by(login), vpath.Must(p), message)
}

// TestAskAccess tells the nearest of those who may give rights, with their groups
// and what is denied to them looked at, and not who has left.
func TestAskAccess(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ login, p, to, item, folder, link string }{
		{"bob", "/firm/Clients/Beta/In", "hal eve root", "In", "The firm/Clients/Beta", "/share?in=%2Ffirm%2FClients%2FBeta&item=In&to=user%3Abob"},
		{"bob", "/firm/Clients/Beta/In/plan.txt", "hal eve root", "plan.txt", "The firm/Clients/Beta/In", "/share?in=%2Ffirm%2FClients%2FBeta%2FIn&item=plan.txt&to=user%3Abob"},
		{"ann", "/firm/Clients", "eve root", "Clients", "The firm", "/share?in=%2Ffirm&item=Clients&to=user%3Aann"},
		{"bob", "/firm/Clients/Acme", "eve sam root", "Acme", "The firm/Clients", "/share?in=%2Ffirm%2FClients&item=Acme&to=user%3Abob"}, // passed, not listed
		{"bob", "/firm", "root", "The firm", "", "/files/firm/?details=."},
	} {
		w := newAskWorld(t)
		before := len(w.said)
		w.ok(w.asks(c.login, c.p, " For the audit "))
		to, n := w.asked(before)
		if to != c.to {
			t.Errorf("%s asks for %s: %q are told, want %q", c.login, c.p, to, c.to)
		}
		name := strings.ToUpper(c.login[:1]) + c.login[1:]
		want := map[string]string{
			"by": name + " (" + c.login + "@firm.example)", "item": c.item, "message": "For the audit", "link": "https://portico.firm.example" + c.link,
		}
		if c.folder != "" {
			want["folder"] = c.folder
		}
		if fmt.Sprint(n.Data) != fmt.Sprint(want) || n.From != "" || n.Mail != strings.TrimPrefix(n.To, "id-user:")+"@firm.example" || n.Brand != "firm" {
			t.Errorf("%s asks for %s: %+v, want %v", c.login, c.p, n, want)
		}
		if got := w.deeds[len(w.deeds)-1]; got != name+" access-asked " {
			t.Errorf("the audit has %q", got)
		}
	}
}

// TestAskTellsNothing answers what is hidden as what is not there, tells nobody,
// and is not for customers.
func TestAskTellsNothing(t *testing.T) {
	t.Parallel()
	w := newAskWorld(t)
	before := len(w.said)
	said := map[string]string{}
	for _, p := range []string{"/firm/HR", "/firm/HX", "/firm/HR/pay.txt", "/firm/HX/pay.txt", "/nil", "/lab", "/"} {
		err := w.asks("bob", p, "")
		w.refused(err, fs.ErrNotExist, "")
		said[p] = strings.ReplaceAll(strings.ReplaceAll(fmt.Sprint(err, fault.Told(err)), "HX", "HR"), "nil", "lab")
	}
	if said["/firm/HR"] != said["/firm/HX"] || said["/firm/HR/pay.txt"] != said["/firm/HX/pay.txt"] || said["/nil"] != said["/lab"] {
		t.Errorf("what is hidden is told from what is not there: %q", said)
	}
	w.refused(w.sh.AskAccess(t.Context(), w.unproved(carol), vpath.Must("/firm/Clients"), ""), fs.ErrNotExist, "")
	w.refused(w.asks("root", "/firm/Clients", ""), fs.ErrInvalid, "yourself")
	w.refused(w.asks("bob", "/firm/Clients", strings.Repeat("x", 301)), fs.ErrInvalid, "longer")
	w.refused(w.asks("bob", "/firm/Clients", "a\x00b"), fs.ErrInvalid, "character")
	if to, _ := w.asked(before); to != "" {
		t.Errorf("%q were told", to)
	}
	if left, err := w.state.TicketsOf(t.Context(), "ask", w.by("bob").ID); err != nil || len(left) != 0 {
		t.Errorf("%d questions are kept, %v", len(left), err)
	}
}

// TestAskOnceADay is for each person and folder, and the things in it.
func TestAskOnceADay(t *testing.T) {
	t.Parallel()
	w := newAskWorld(t)
	w.ok(w.asks("bob", "/firm/Clients/Beta/In", ""))
	before := len(w.said)
	for _, p := range []string{"/firm/Clients/Beta/In", "/firm/Clients/Beta/In/plan.txt"} {
		w.refused(w.asks("bob", p, "again"), fault.ErrConflict, "already")
	}
	if to, _ := w.asked(before); to != "" {
		t.Errorf("%q were told again", to)
	}
	w.ok(w.asks("bob", "/firm/Clients/Beta", ""))
	w.ok(w.asks("ann", "/firm/Clients/Beta/In", ""))
	w.clock.add(24*time.Hour - time.Second)
	w.refused(w.asks("bob", "/firm/Clients/Beta/In", ""), fault.ErrConflict, "already")
	w.clock.add(time.Second)
	w.ok(w.asks("bob", "/firm/Clients/Beta/In", ""))
}

// TestAskMuch bounds what one person may make others read, and how many are told.
func TestAskMuch(t *testing.T) {
	t.Parallel()
	w := newAskWorld(t)
	for i := range 21 {
		w.mkdir(fmt.Sprintf("/firm/Clients/Beta/f%d", i))
	}
	for i := range 20 {
		w.ok(w.asks("bob", fmt.Sprintf("/firm/Clients/Beta/f%d", i), ""))
	}
	w.refused(w.asks("bob", "/firm/Clients/Beta/f20", ""), fault.ErrBusy, "20 times")
	var many []string
	for i := range 9 {
		login := fmt.Sprintf("owner%d", i)
		w.people.Set(identitytest.Person{Login: identity.Login(login), Name: login, Email: login + "@firm.example"})
		many = append(many, `"user:`+login+`": owner`)
	}
	w.rules = &acltest.Rules{}
	w.ok(yaml.Unmarshal([]byte(strings.Replace(askRules, `"user:hal": owner`, strings.Join(many, ", "), 1)), w.rules))
	w.apply()
	before := len(w.said)
	w.ok(w.asks("ann", "/firm/Clients/Beta/In", ""))
	to, _ := w.asked(before)
	if got := strings.Fields(to); len(got) != 5 || slices.ContainsFunc(got, func(s string) bool { return !strings.HasPrefix(s, "owner") }) {
		t.Errorf("%q were told, want five of the nearest", to)
	}
}

// TestAskNobody says so where nobody is known who could be told.
func TestAskNobody(t *testing.T) {
	t.Parallel()
	w := newAskWorld(t)
	for _, login := range []string{"root", "eve", "sam"} {
		w.people.Drop(identity.Login(login))
	}
	w.refused(w.asks("bob", "/firm/Clients/Acme", ""), fault.ErrConflict, "administrator")
	if left, err := w.state.TicketsOf(t.Context(), "ask", w.by("bob").ID); err != nil || len(left) != 0 {
		t.Errorf("%d questions are kept, %v", len(left), err)
	}
}
