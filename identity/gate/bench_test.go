package gate_test

import (
	"testing"

	"portico/identity"
	"portico/identity/apppass"
)

// BenchmarkWarm is a request of a drive whose password is known. All requests
// together may cost 50 µs with SQLite.
func BenchmarkWarm(b *testing.B) {
	h := newHouse(b, openSQLite(b))
	benchmark(b, h, right)
}

// BenchmarkAppPassword is a request with an app password, which is looked up in
// the store each time.
func BenchmarkAppPassword(b *testing.B) {
	h := newHouse(b, openSQLite(b))
	secret, _ := h.app(apppass.Wish{})
	benchmark(b, h, secret)
}

// BenchmarkRefused is a guess that the throttle refuses.
func BenchmarkRefused(b *testing.B) {
	h := newHouse(b, openSQLite(b))
	h.attack(atA)
	in := identity.SignIn{Login: "ann", Password: "guess", Address: atA}
	for b.Loop() {
		if _, err := h.SignIn(b.Context(), in); err == nil {
			b.Fatal("a guess was let in")
		}
	}
}

func benchmark(b *testing.B, h *house, password string) {
	b.Helper()
	in := identity.SignIn{Login: "ann", Password: password, Address: atB, Drive: true}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := h.SignIn(b.Context(), in); err != nil {
			b.Fatal(err)
		}
	}
}
