package identity

import (
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestPresentable(t *testing.T) {
	long := strings.Repeat("x", MaxPassword)
	for _, c := range []struct {
		login    Login
		password string
		want     bool
	}{
		{"ann", "x", true},
		{"ann", long, true},
		{"Zoë Claes", "päß", true},
		{`FIRM\ann`, "x", true},
		{"ann@firm.example", "x", true},
		{Login(long), "x", true},
		{"ann", "", false},
		{"ann", long + "x", false},
		{"ann", "\x00", false},
		{"ann", "x\x00y", false},
		{"ann", "\xff", false},
		{"", "x", false},
		{Login(long + "x"), "x", false},
		{"ann\x00", "x", false},
		{"ann\n", "x", false},
		{"ann\u0085", "x", false},
		{"\xff", "x", false},
		{" ann", "x", false},
		{"ann\u00a0", "x", false},
	} {
		if got := Presentable(c.login, c.password); got != c.want {
			t.Errorf("Presentable(%.20q, %.20q) = %t, want %t", c.login, c.password, got, c.want)
		}
	}
}

func TestKey(t *testing.T) {
	for _, twins := range [][2]Login{{"ann", "ANN"}, {"zoë", "ZOE\u0308"}, {"straße", "STRAßE"}, {"σίσυφος", "ΣΊΣΥΦΟΣ"}} {
		if twins[0].Key() != twins[1].Key() {
			t.Errorf("%q and %q have the keys %q and %q", twins[0], twins[1], twins[0].Key(), twins[1].Key())
		}
	}
	for _, others := range [][2]Login{{"ann", "anna"}, {"zoë", "zoe"}, {"ann", "аnn"}, {"ann", "ann "}} {
		if others[0].Key() == others[1].Key() {
			t.Errorf("%q and %q have one key", others[0], others[1])
		}
	}
}

func TestCheckNew(t *testing.T) {
	for _, good := range []string{
		"blue tractor seven", "Kx9#mQ2$vL7p", "ünïcödé wörds", "日本語のとても長い合言葉です", strings.Repeat("ab1 ", 3) + strings.Repeat("zq", 100),
	} {
		if err := CheckNew(good); err != nil {
			t.Errorf("CheckNew(%q) = %v", good, err)
		}
	}
	for bad, word := range map[string]string{
		"":                             "0 characters",
		"elevenchars":                  "11 characters",
		"éééééééééé1":                  "11 characters", // characters, not bytes
		strings.Repeat("long ", 52):    "longer than 256",
		"tab\tinside password":         "cannot be typed",
		"nul\x00inside password":       "cannot be typed",
		"\xff\xfe\xfd invalid bytes":   "cannot be typed",
		"password1234":                 "attackers",
		"Passw0rd!2026":                "attackers",
		"P@$$w0rd1234":                 "attackers",
		"aaaaaaaaaaaa":                 "attackers",
		"abcabcabcabc":                 "attackers",
		"123456789012":                 "attackers",
		"QWERTYUIOPAS":                 "attackers",
		"1qaz2wsx3edc":                 "attackers",
		"correct horse battery staple": "attackers",
		"portico-demo":                 "attackers",
		"Welcome!20262026":             "attackers",
	} {
		err := CheckNew(bad)
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("CheckNew(%.30q) = %v, want %q", bad, err, word)
			continue
		}
		if len(bad) > 6 && strings.Contains(err.Error(), bad) {
			t.Errorf("CheckNew(%q) repeats the password: %v", bad, err)
		}
	}
}

// TestCheckNewHolds: what CheckNew takes can be hashed and presented.
func TestCheckNewHolds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := rapid.String().Draw(t, "password")
		if CheckNew(p) == nil && (!Presentable("ann", p) || utf8.RuneCountInString(p) < MinPassword) {
			t.Fatalf("CheckNew took %q", p)
		}
	})
}
