package identity

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/iotest"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/bcrypt"
)

// Hashes that this code did not make: of test.c of the reference implementation
// of Argon2, for "password", and of crypt_blowfish's tests, for "allmine".
const (
	bcryptElsewhere = "$2a$10$XajjQvNhvvRt5GSeFk1xFeyqRrsxkhBkUiQeg0dt.wU1qD4aFDcga"
	argonElsewhere  = "$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
)

func bcryptHash(t *testing.T, password string) string {
	t.Helper()
	b, err := bcrypt.GenerateFromPassword([]byte(password), minCost)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// quickHash is the cheapest that ParseHash takes.
func quickHash(password string) string {
	salt := []byte("saltsalt")
	sum := argon2.IDKey([]byte(password), salt, 1, minMemory, 1, minSum)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=1,p=1$%s$%s", minMemory, b64.EncodeToString(salt), b64.EncodeToString(sum))
}

func parsed(t *testing.T, text string) Hash {
	t.Helper()
	h, err := ParseHash(text)
	if err != nil {
		t.Fatalf("ParseHash(%q) = %v", text, err)
	}
	return h
}

func TestHashPassword(t *testing.T) {
	text, err := HashPassword(rand.Reader, "blue tractor seven")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(text, "$argon2id$v=19$m=19456,t=2,p=1$") {
		t.Errorf("HashPassword = %q", text)
	}
	again, err := HashPassword(rand.Reader, "blue tractor seven")
	if err != nil || again == text {
		t.Errorf("a second hash is %q, %v: the salt does not change", again, err)
	}
	h := parsed(t, text)
	if !h.Verify("blue tractor seven") || h.Verify("blue tractor sever") {
		t.Error("Verify does not tell the password")
	}
	for _, bad := range []string{"", "\x00", "\xff", strings.Repeat("x", 257)} {
		if text, err := HashPassword(rand.Reader, bad); err == nil {
			t.Errorf("HashPassword(%.10q) = %q", bad, text)
		}
	}
	if _, err := HashPassword(iotest.ErrReader(errors.New("no")), "blue tractor seven"); err == nil {
		t.Error("HashPassword without a random source = nil")
	}
}

func TestVerify(t *testing.T) {
	b := bcryptHash(t, "blue tractor seven")
	for _, c := range []struct{ name, hash, password string }{
		{"argon2id of another program", argonElsewhere, "password"},
		{"2a", b, "blue tractor seven"},
		{"2b", "$2b$" + b[4:], "blue tractor seven"},
		{"2y", "$2y$" + b[4:], "blue tractor seven"},
		{"bcrypt of another program", bcryptElsewhere, "allmine"},
	} {
		h := parsed(t, c.hash)
		if !h.Verify(c.password) {
			t.Errorf("%s: Verify(%q) = false", c.name, c.password)
		}
		if h.Verify(c.password + "x") {
			t.Errorf("%s: Verify takes one more letter", c.name)
		}
	}
	quick := parsed(t, quickHash("blue tractor seven"))
	for _, wrong := range []string{
		"", "blue tractor seve", "Blue tractor seven", "blue tractor seven\x00", "blue tractor seven\xff",
		"blue tractor seven" + strings.Repeat("x", 300),
	} {
		if quick.Verify(wrong) {
			t.Errorf("Verify(%.30q) = true", wrong)
		}
	}
	if (Hash{}).Verify("") || (Hash{}).Verify("x") {
		t.Error("the zero Hash fits a password")
	}
}

// TestBcryptLong: bcrypt reads 72 bytes and would take whatever follows.
func TestBcryptLong(t *testing.T) {
	exact := strings.Repeat("x", 72)
	h := parsed(t, bcryptHash(t, exact))
	if !h.Verify(exact) {
		t.Error("a password of 72 bytes is refused")
	}
	if h.Verify(exact + "y") {
		t.Error("a password of 73 bytes passes for one of 72")
	}
}

func TestParseHashRefuses(t *testing.T) {
	salt, sum := "c29tZXNhbHQ", "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	argon := func(head, salt, sum string) string { return fmt.Sprintf("$argon2id$%s$%s$%s", head, salt, sum) }
	good := bcryptHash(t, "blue tractor seven")
	for text, word := range map[string]string{
		"":                                       "plain password",
		"portico-demo":                           "plain password",
		"$argon2i$v=19$m=65536,t=2$x":            "kind",
		"$1$salt$hash":                           "kind",
		"$6$salt$hash":                           "kind",
		"$2x$" + good[4:]:                        "kind",
		"$2$" + good[4:]:                         "kind",
		"$2b$09$" + good[7:]:                     "cost is 9",
		"$2b$15$" + good[7:]:                     "cost is 15",
		"$2b$99$" + good[7:]:                     "damaged",
		good[:59]:                                "damaged",
		good + "x":                               "damaged",
		good[:59] + "$":                          "damaged",
		argon("v=16", salt, sum):                 "damaged",
		argon("v=16$m=65536,t=2,p=1", salt, sum): "version",
		argon("v=19$m=65536,t=2,p=1", salt, sum) + "$x":    "damaged",
		argon("v=19$m=8191,t=2,p=1", salt, sum):            "out of bounds",
		argon("v=19$m=131073,t=2,p=1", salt, sum):          "out of bounds",
		argon("v=19$m=65536,t=0,p=1", salt, sum):           "out of bounds",
		argon("v=19$m=65536,t=11,p=1", salt, sum):          "out of bounds",
		argon("v=19$m=65536,t=2,p=0", salt, sum):           "out of bounds",
		argon("v=19$m=65536,t=2,p=9", salt, sum):           "out of bounds",
		argon("v=19$m=65536,t=2,p=257", salt, sum):         "out of bounds",
		argon("v=19$m=99999999999,t=2,p=1", salt, sum):     "damaged",
		argon("v=19$m=-1,t=2,p=1", salt, sum):              "damaged",
		argon("v=19$t=2,m=65536,p=1", salt, sum):           "damaged",
		argon("v=19$m=65536,t=2", salt, sum):               "damaged",
		argon("v=19$m=65536,t=2,p=1", "", sum):             "damaged",
		argon("v=19$m=65536,t=2,p=1", salt, ""):            "damaged",
		argon("v=19$m=65536,t=2,p=1", "c29tZXNhbHQ=", sum): "damaged",
		argon("v=19$m=65536,t=2,p=1", salt, sum[:20]):      "damaged",
		argon("v=19$m=65536,t=2,p=1", salt, sum+sum+sum):   "damaged",
		argon("v=19$m=65536,t=2,p=1", salt, "!"+sum[1:]):   "damaged",
	} {
		h, err := ParseHash(text)
		if !errors.Is(err, ErrHash) || !strings.Contains(err.Error(), word) || !strings.Contains(err.Error(), "portico hash-password") {
			t.Errorf("ParseHash(%q) = %v, %v, want an ErrHash that says %q and the mend", text, h, err, word)
		}
		if len(text) > 11 && err != nil && strings.Contains(err.Error(), text) {
			t.Errorf("the error repeats the hash: %v", err)
		}
	}
}

func TestHashShowsNothing(t *testing.T) {
	for text, want := range map[string]string{
		argonElsewhere:  "argon2id m=65536,t=2,p=1",
		bcryptElsewhere: "bcrypt cost=10",
	} {
		h := parsed(t, text)
		for _, format := range []string{"%v", "%+v", "%#v", "%s"} {
			if got := fmt.Sprintf(format, h); got != want {
				t.Errorf("%s of a hash = %q, want %q", format, got, want)
			}
		}
	}
	if got := (Hash{}).String(); got != "no hash" {
		t.Errorf("the zero Hash is %q", got)
	}
}

// TestDecoy holds the cost of a decoy by its parameters, and that it fits nothing.
func TestDecoy(t *testing.T) {
	for _, text := range []string{quickHash("x"), bcryptHash(t, "x")} {
		h := parsed(t, text)
		d := h.Decoy()
		if d.String() != h.String() || len(d.salt) != len(h.salt) || len(d.sum) != len(h.sum) {
			t.Errorf("Decoy = %v, want %v", d, h)
		}
		if d.bcrypt != nil {
			parsed(t, string(d.bcrypt)) // else it would be refused without any work
		}
		if d.Verify("x") {
			t.Errorf("the decoy of %v fits the password of it", h)
		}
	}
	if got := (Hash{}).Decoy().String(); got != "argon2id m=19456,t=2,p=1" {
		t.Errorf("the decoy of no hash is %q", got)
	}
}

func FuzzParseHash(f *testing.F) {
	f.Add(argonElsewhere)
	f.Add(bcryptElsewhere)
	f.Fuzz(func(t *testing.T, text string) {
		h, err := ParseHash(text)
		if err == nil && (h.IsZero() || h.memory > maxMemory || h.cost > maxCost || h.passes > maxPasses) {
			t.Errorf("ParseHash(%q) = %v", text, h)
		}
	})
}

func TestCheap(t *testing.T) {
	const salt, sum = "c29tZXNhbHQ", "CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc"
	for text, want := range map[string]bool{
		"$argon2id$v=19$m=19456,t=2,p=1$" + salt + "$" + sum:   true,
		"$argon2id$v=19$m=131072,t=2,p=1$" + salt + "$" + sum:  true,
		"$argon2id$v=19$m=131072,t=3,p=1$" + salt + "$" + sum:  false,
		"$argon2id$v=19$m=131072,t=10,p=8$" + salt + "$" + sum: false,
		"$2b$12$" + strings.Repeat("a", 53):                    true,
		"$2b$13$" + strings.Repeat("a", 53):                    false,
	} {
		if got := parsed(t, text).Cheap(); got != want {
			t.Errorf("Cheap() of %s = %v, want %v", text, got, want)
		}
	}
}
