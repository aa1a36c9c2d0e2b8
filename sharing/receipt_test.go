package sharing_test

import (
	"strings"
	"testing"

	"pgregory.net/rapid"

	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

// receiptOf deposits something, and gives its receipt.
func receiptOf(w *world, d store.Deposit) string {
	w.Helper()
	d.Path, d.Owner, d.Subject, d.Time = vpath.Must("/firm/Clients/Acme/x"), "contact:me", "contact:"+carol, w.clock.Now()
	w.ok(w.state.Update(w.Context(), func(tx store.Tx) error { return w.sh.Deposited(w.Context(), tx, d) }))
	all, err := w.state.DepositsOf(w.Context(), d.Owner)
	w.ok(err)
	for _, one := range all {
		if one.Name == d.Name {
			return string(one.Receipt)
		}
	}
	w.Fatal("the deposit was not kept")
	return ""
}

func (w *world) verify(text string) sharing.Verified {
	w.Helper()
	v, err := w.sh.Verify(w.Context(), text)
	w.ok(err)
	return v
}

func TestAReceiptStandsMail(t *testing.T) {
	w := newWorld(t)
	text := receiptOf(w, store.Deposit{Name: "tax 2025.pdf", Size: 7, SHA256: strings.Repeat("a", 64), By: "Carol", Mail: carol})
	for _, same := range []string{
		text, strings.ReplaceAll(text, "\n", "\r\n"), "\n\n" + text + "\n\n", strings.TrimRight(text, "\n"), strings.ReplaceAll(text, "\n", "  \n"),
	} {
		if v := w.verify(same); v.Verdict != sharing.Good || !v.Known || v.Name != "tax 2025.pdf" {
			t.Errorf("Verify(%q) = %+v", same, v)
		}
	}
	for _, other := range []string{"", "hello", "Portico receipt 2\n", strings.Repeat(text, 100), text + "Name: other\n"} {
		if v := w.verify(other); v.Verdict != sharing.NoReceipt {
			t.Errorf("Verify(%.40q) = %+v", other, v)
		}
	}
	if v := w.verify(strings.Replace(text, "Key: ", "Key: 0", 1)); v.Verdict != sharing.UnknownKey {
		t.Errorf("of another key: %+v", v)
	}
}

// Whatever is changed in a receipt, it is not good any more.
func TestNoChangeOfAReceiptIsGood(t *testing.T) {
	w := newWorld(t)
	text := receiptOf(w, store.Deposit{Name: "tax.pdf", Size: 7, SHA256: strings.Repeat("a", 64), By: "Carol", Mail: carol})
	rapid.Check(t, func(r *rapid.T) {
		b := []byte(text)
		i := rapid.IntRange(0, len(b)-1).Draw(r, "at")
		b[i] = rapid.Byte().Draw(r, "byte")
		changed := string(b)
		v, err := w.sh.Verify(t.Context(), changed)
		if err != nil {
			r.Fatal(err)
		}
		same := func(s string) string {
			return strings.ReplaceAll(strings.ReplaceAll(strings.TrimRight(s, " \t\r\n"), "\r\n", "\n"), " \n", "\n")
		}
		if v.Verdict == sharing.Good && same(changed) != same(text) {
			r.Fatalf("good: %q", changed)
		}
	})
}

// No name writes a line of its own.
func TestNamesInReceipts(t *testing.T) {
	w := newWorld(t)
	for _, name := range []string{
		"a\nName: b", "a\r\nKey: 0", "\u202efdp.exe", "Signature: AAAA", "päß 😀.pdf", "a\u2028b", `back\slash`, "tab\there", "\x00",
	} {
		text := receiptOf(w, store.Deposit{Name: name, Size: 1, SHA256: strings.Repeat("b", 64), By: name})
		if n := strings.Count(text, "\n"); n != 10 {
			t.Errorf("%q: the receipt has %d lines:\n%s", name, n, text)
		}
		if strings.ContainsAny(text, "\u202e\u2028\r\x00\t") {
			t.Errorf("%q: the receipt shows other than it is", name)
		}
		if v := w.verify(text); v.Verdict != sharing.Good {
			t.Errorf("%q: %+v", name, v)
		}
	}
}

func TestOldKeysAreKnown(t *testing.T) {
	w := newWorld(t)
	text := receiptOf(w, store.Deposit{Name: "x", Size: 1, SHA256: strings.Repeat("b", 64)})
	o := w.sh.Options
	if o.Secret != nil {
		t.Error("a Service keeps its secret where it may be printed")
	}
	o.OldSecrets, o.Secret = [][]byte{secretOfTests()}, []byte(strings.Repeat("n", 32))
	later, err := sharing.New(o)
	w.ok(err)
	if v, _ := later.Verify(t.Context(), text); v.Verdict != sharing.Good || !v.Known {
		t.Errorf("after the key was changed: %+v", v)
	}
	o.OldSecrets = nil
	stranger, err := sharing.New(o)
	w.ok(err)
	if v, _ := stranger.Verify(t.Context(), text); v.Verdict != sharing.UnknownKey {
		t.Errorf("another server: %+v", v)
	}
	o.Secret = []byte("short")
	if _, err := sharing.New(o); err == nil {
		t.Error("a short secret is taken")
	}
}
