package app

import (
	"strings"
	"testing"

	"portico/config"
	"portico/sharing"
)

// demoHash is a quick hash of the demo's password.
func demoHash() string { return hashOf(config.DemoPassword) }

// demoHouse is a config on which the demo can be made.
func demoHouse(t *testing.T) *house {
	t.Helper()
	return build(t, "    ann: {password: \"HASH\"}",
		`    ann: {name: Ann Peeters, email: ann@firm.example, password: "`+demoHash()+"\"}\n    bob: {name: Bob Maes, password: \""+demoHash()+`"}`,
		`"user:ann": editor`, `"user:ann": owner`)
}

func TestDemoIsMadeOnce(t *testing.T) {
	t.Parallel()
	h := demoHouse(t)
	if err := isDemo(h.opened); err != nil {
		t.Fatal(err)
	}
	var said strings.Builder
	if err := h.demonstrate(t.Context(), &said); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{demoCustomer, demoCustomerPassword, "/s/gwl_", "/invite/gwi_", "/login"} {
		if !strings.Contains(said.String(), want) {
			t.Errorf("the demo says nothing of %s:\n%s", want, &said)
		}
	}
	err := h.demonstrate(t.Context(), &said)
	if err == nil || !strings.Contains(err.Error(), "make clean") {
		t.Errorf("a second demo in one state: %v, want a refusal with the mend", err)
	}
}

// The demo's passwords are known to everybody, its customer's is in the README.
func TestDemoStaysOnThisMachine(t *testing.T) {
	t.Parallel()
	h := demoHouse(t)
	if err := h.demonstrate(t.Context(), new(strings.Builder)); err != nil {
		t.Fatal(err)
	}
	open := *h.opened
	open.Server.Listen = "0.0.0.0:443"
	if err := isDemo(&open); err == nil || !strings.Contains(err.Error(), "server.listen 0.0.0.0:443 is not loopback") {
		t.Errorf("a demo that others reach: %v", err)
	}
	err := h.refuseDemoCustomer(t.Context(), &open)
	if err == nil || !strings.Contains(err.Error(), demoCustomer) || strings.Contains(err.Error(), demoCustomerPassword) {
		t.Errorf("a server that others reach, with the demo's customer: %v", err)
	}
	if err := h.refuseDemoCustomer(t.Context(), h.opened); err != nil {
		t.Errorf("the demo itself: %v", err)
	}
	// One who has chosen another password is a customer like all.
	if err := h.sharing.SetPassword(t.Context(), h.demoCustomer(t), demoCustomerPassword, "another long password"); err != nil {
		t.Fatal(err)
	}
	if err := h.refuseDemoCustomer(t.Context(), &open); err != nil {
		t.Errorf("a customer with a password of their own: %v", err)
	}
}

// An own config, on which somebody works, is no place for the demo.
func TestDemoIsForItsConfigAlone(t *testing.T) {
	t.Parallel()
	h := build(t)
	if err := isDemo(h.opened); err == nil || !strings.Contains(err.Error(), "the demo is for example.yaml alone") {
		t.Errorf("isDemo of another config = %v", err)
	}
}

func TestOthersStartWithoutADemo(t *testing.T) {
	t.Parallel()
	h := build(t)
	open := *h.opened
	open.Server.Listen = "0.0.0.0:443"
	if err := h.refuseDemoCustomer(t.Context(), &open); err != nil {
		t.Error(err)
	}
}

func (h *house) demoCustomer(t *testing.T) sharing.By {
	t.Helper()
	by, err := h.demoBy(t.Context(), demoCustomer)
	if err != nil {
		t.Fatal(err)
	}
	return by
}
