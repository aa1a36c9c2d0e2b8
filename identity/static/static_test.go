package static

import (
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/crypto/bcrypt"

	"portico/fault"
	"portico/identity"
	"portico/identity/identitytest"
)

func users(t *testing.T, people []identitytest.Person) []User {
	t.Helper()
	var all []User
	for _, p := range people {
		all = append(all, User{
			ID: "id-" + string(p.Login), Login: p.Login, Name: p.Name, Email: p.Email,
			Hash: identitytest.Hash(t, p.Password),
		})
	}
	return all
}

func provider(t *testing.T, users []User, q *identity.Queue) *Provider {
	t.Helper()
	p, err := New(users, q)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestContract(t *testing.T) {
	identitytest.RunDirectory(t, func(t *testing.T, people []identitytest.Person) identity.Directory {
		t.Helper()
		return provider(t, users(t, people), identity.NewQueue(2, identity.Room))
	})
}

// TestSameWork counts the hashing instead of measuring it: whoever is refused
// after a look at the users has cost one hash, of a kind that the users have.
func TestSameWork(t *testing.T) {
	b, err := bcrypt.GenerateFromPassword([]byte("x"), 10)
	if err != nil {
		t.Fatal(err)
	}
	slow, err := identity.ParseHash(string(b))
	if err != nil {
		t.Fatal(err)
	}
	all := users(t, identitytest.People())
	all[1].Hash = slow
	p := provider(t, all, identity.NewQueue(1, 0))
	var work []string
	p.verify = func(h identity.Hash, _ string) bool {
		work = append(work, h.String())
		return true // even so a stranger must be refused
	}
	kinds := make(map[string]int)
	for i := range 200 {
		login := identity.Login(fmt.Sprintf("stranger%d", i))
		var first string
		for range 2 {
			work = nil
			if who, err := p.Authenticate(t.Context(), login, "x"); !errors.Is(err, identity.ErrRefused) || who.ID != "" {
				t.Fatalf("Authenticate(%q) = %v, %v, want ErrRefused", login, who, err)
			}
			if len(work) != 1 || first != "" && work[0] != first {
				t.Fatalf("Authenticate(%q) hashed %v, want one, and always the same kind", login, work)
			}
			first = work[0]
		}
		kinds[first]++
	}
	if len(kinds) != 2 || kinds[slow.String()] == 0 || kinds[slow.String()] > kinds[all[0].Hash.String()] {
		t.Errorf("strangers cost %v, want two kinds as the users have, of which bcrypt is the rarer", kinds)
	}
	for _, u := range all {
		work = nil
		if _, err := p.Authenticate(t.Context(), u.Login, "wrong"); err != nil || len(work) != 1 || work[0] != u.Hash.String() {
			t.Errorf("Authenticate(%q) hashed %v, %v, want %v", u.Login, work, err, u.Hash)
		}
	}
	work = nil
	for _, password := range []string{"", "\x00", "\xff"} {
		for _, login := range []identity.Login{"ann", "nobody"} {
			if _, err := p.Authenticate(t.Context(), login, password); !errors.Is(err, identity.ErrRefused) || work != nil {
				t.Errorf("Authenticate(%q, %q) = %v after the work %v, want ErrRefused after none", login, password, err, work)
			}
		}
	}
}

// TestNobody: an empty list still costs a hash.
func TestNobody(t *testing.T) {
	p := provider(t, nil, identity.NewQueue(1, 0))
	var work []string
	p.verify = func(h identity.Hash, _ string) bool { work = append(work, h.String()); return true }
	if _, err := p.Authenticate(t.Context(), "ann", "x"); !errors.Is(err, identity.ErrRefused) || len(work) != 1 {
		t.Errorf("Authenticate = %v after the work %v", err, work)
	}
}

// TestFinds wants people found without their password, and at no cost.
func TestFinds(t *testing.T) {
	p := provider(t, users(t, identitytest.People()), identity.NewQueue(1, 0))
	p.verify = func(identity.Hash, string) bool { t.Error("a look-up has hashed"); return false }
	want := identity.Identity{ID: "id-zoë", Login: "zoë", Name: "Zoë Claes", Email: "zoe@firm.example"}
	for _, login := range []identity.Login{"zoë", "ZOË", "zoe\u0308"} {
		got, err := p.ByLogin(t.Context(), login)
		if d := cmp.Diff(want, got); err != nil || d != "" {
			t.Errorf("ByLogin(%q) = %v (-want +got):\n%s", login, err, d)
		}
	}
	got, err := p.ByID(t.Context(), "id-zoë")
	if d := cmp.Diff(want, got); err != nil || d != "" {
		t.Errorf("ByID = %v (-want +got):\n%s", err, d)
	}
	for _, other := range []string{"", "zoe", "zoë", "id-ZOË", "id-nobody"} {
		if who, err := p.ByID(t.Context(), other); !errors.Is(err, identity.ErrRefused) || who.ID != "" {
			t.Errorf("ByID(%q) = %q, %v, want ErrRefused", other, who.ID, err)
		}
	}
	for _, other := range []identity.Login{"", "zoe", "id-zoë", " zoë", "nobody"} {
		if who, err := p.ByLogin(t.Context(), other); !errors.Is(err, identity.ErrRefused) || who.ID != "" {
			t.Errorf("ByLogin(%q) = %q, %v, want ErrRefused", other, who.ID, err)
		}
	}
}

func TestQueueFull(t *testing.T) {
	p := provider(t, users(t, identitytest.People()), identity.NewQueue(1, 0))
	entered, leave := make(chan struct{}), make(chan struct{})
	p.verify = func(identity.Hash, string) bool { close(entered); <-leave; return false }
	var wg sync.WaitGroup
	wg.Go(func() { _, _ = p.Authenticate(t.Context(), "ann", "x") })
	<-entered
	for _, login := range []identity.Login{"ann", "nobody"} {
		if _, err := p.Authenticate(t.Context(), login, "x"); !errors.Is(err, fault.ErrUnavailable) || errors.Is(err, identity.ErrRefused) {
			t.Errorf("Authenticate(%q) = %v, want fault.ErrUnavailable", login, err)
		}
	}
	close(leave)
	wg.Wait()
}

func TestNewRefuses(t *testing.T) {
	h := identitytest.Hash(t, "x")
	for name, users := range map[string][]User{
		"twins":        {{ID: "1", Login: "ann", Hash: h}, {ID: "2", Login: "ANN", Hash: h}},
		"accent twins": {{ID: "1", Login: "zoë", Hash: h}, {ID: "2", Login: "zoe\u0308", Hash: h}},
		"no login":     {{ID: "1", Hash: h}},
		"odd login":    {{ID: "1", Login: " ann", Hash: h}},
		"no ID":        {{Login: "ann", Hash: h}},
		"one ID":       {{ID: "1", Login: "ann", Hash: h}, {ID: "1", Login: "bob", Hash: h}},
		"no hash":      {{ID: "1", Login: "ann"}},
	} {
		if _, err := New(users, identity.NewQueue(1, 0)); err == nil {
			t.Errorf("New with %s = nil", name)
		}
	}
}

// TestFinder finds the users of the config by address and by letters.
func TestFinder(t *testing.T) {
	var all []User
	for _, u := range []User{
		{Login: "ann", Name: "Ann Peeters", Email: "Ann@firm.example"},
		{Login: "bob", Name: "Bob Ann", Email: "office@firm.example"},
		{Login: "carl", Name: "Zoë Carlier", Email: "OFFICE@firm.example"},
		{Login: "dora@firm.example", Name: "Dora"},
		{Login: "*", Name: "a)(uid=*"},
	} {
		u.ID, u.Hash = "id-"+string(u.Login), identitytest.Hash(t, "x")
		all = append(all, u)
	}
	p := provider(t, all, identity.NewQueue(1, 0))
	for mail, want := range map[string]error{
		"ann@firm.example": nil, "ANN@FIRM.EXAMPLE": nil, "dora@firm.example": nil, "office@firm.example": identity.ErrTaken,
		"eve@firm.example": identity.ErrRefused, "": identity.ErrRefused, "ann@firm.exampl": identity.ErrRefused,
	} {
		who, err := p.ByMail(t.Context(), mail)
		if !errors.Is(err, want) || errors.Is(err, identity.ErrTaken) != (want == identity.ErrTaken) || (err == nil) != (who.ID != "") { //nolint:errorlint // the very value
			t.Errorf("ByMail(%q) = %q, %v, want %v", mail, who.ID, err, want)
		}
	}
	for text, want := range map[string][]string{
		"an": {"ann", "bob"}, "PEET": {"ann"}, "office": {"bob", "carl"}, "zo": {"carl"}, "ca": {"carl"}, "dora@": {"dora@firm.example"},
		"*": {"*"}, "a)(": {"*"}, "x": nil, "": nil, "firm": nil,
	} {
		found, err := p.Search(t.Context(), text, 10)
		var got []string
		for _, who := range found {
			got = append(got, string(who.Login))
		}
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("Search(%q) = %v (-want +got):\n%s", text, err, d)
		}
	}
	if found, _ := p.Search(t.Context(), "an", 1); len(found) != 1 {
		t.Errorf("Search for one gives %d", len(found))
	}
}
