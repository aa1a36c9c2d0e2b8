package sharing_test

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"portico/notify"
	"portico/sharing"
	"portico/store"
)

// Tell writes a notice as package notify does, so that one of what was undone is
// undone.
func (w *world) Tell(tx store.Tx, n notify.Notice) error {
	if w.refuse != nil {
		return w.refuse
	}
	data, err := json.Marshal(n.Data)
	if err != nil {
		return err
	}
	w.told++
	w.said = append(w.said, n)
	row := store.Notice{
		ID: "n" + strconv.Itoa(w.told), To: n.To, Mail: n.Mail, Language: n.Language, Event: string(n.Event), Data: data,
		Batch: n.Batch, Created: w.clock.Now(), Due: w.clock.Now().Add(n.Delay), Quiet: n.Quiet,
	}
	if n.Mail == "" {
		row.Done = w.clock.Now()
	}
	return tx.PutNotice(row)
}

// mails are those to an address since the test last looked.
func (w *world) mails(address string) (all []store.Notice) {
	w.Helper()
	due, err := w.state.DueMails(w.Context(), w.clock.Now().Add(10*365*24*time.Hour), 10_000)
	if err != nil {
		w.Fatal(err)
	}
	for _, n := range due {
		if n.Mail == address {
			all = append(all, n)
		}
	}
	slices.SortStableFunc(all, func(a, b store.Notice) int {
		na, _ := strconv.Atoi(a.ID[1:])
		nb, _ := strconv.Atoi(b.ID[1:])
		return na - nb
	})
	fresh := all[w.seen[address]:]
	w.seen[address] = len(all)
	return fresh
}

// wantMails wants these events in the mails to an address, in order.
func (w *world) wantMails(address string, events ...notify.Event) []store.Notice {
	w.Helper()
	fresh := w.mails(address)
	got := make([]notify.Event, 0, len(fresh))
	for _, n := range fresh {
		got = append(got, notify.Event(n.Event))
	}
	if !slices.Equal(got, events) {
		w.Fatalf("%s got the mails %v, want %v", address, got, events)
	}
	return fresh
}

// datum is one word of what a notice tells.
func datum(tb testing.TB, n store.Notice, key string) string {
	tb.Helper()
	var data map[string]string
	if err := json.Unmarshal(n.Data, &data); err != nil {
		tb.Fatal(err)
	}
	return data[key]
}

// secret is what stands at the end of a mail's link.
func secret(tb testing.TB, n store.Notice) string {
	tb.Helper()
	link := datum(tb, n, "link")
	return link[strings.LastIndexByte(link, '/')+1:]
}

// wantCause wants the last notice of an event to name its recipient, and who is
// told if its mail cannot be delivered.
func (w *world) wantCause(event notify.Event, name, from string) notify.Notice {
	w.Helper()
	for _, n := range slices.Backward(w.said) {
		if n.Event == event {
			if n.Name != name || n.From != from {
				w.Errorf("%s goes to %q and comes from %q, want %q and %q", event, n.Name, n.From, name, from)
			}
			return n
		}
	}
	w.Fatalf("%s was never told", event)
	return notify.Notice{}
}

// TestWhoIsToldOfAMailThatFails: whoever caused a mail to a customer hears of it
// when it cannot be delivered; a mail that the customer asked for has nobody.
func TestWhoIsToldOfAMailThatFails(t *testing.T) {
	w := newWorld(t)
	me := w.joined(carol, "/firm/Clients/Acme")
	ann, name := w.by("ann"), w.contact("firm", carol).Name
	w.wantCause(notify.Invited, "", w.by("root").ID)
	g := w.share("ann", "/firm/Clients/Acme", carol, sharing.Edit)
	w.wantCause(notify.Shared, name, ann.ID)
	w.link(sharing.LinkWish{Mode: sharing.Read, Contact: carol}, "/firm/Clients/Acme")
	w.wantCause(notify.SentLink, name, ann.ID)
	depositIn(w, me, "/Acme/tax.pdf", "numbers")
	w.wantCause(notify.Receipt, name, "")
	readAs(w, "ann", "/firm/Clients/Acme/tax.pdf")
	w.wantCause(notify.Opened, name, "")
	w.ok(w.sh.Stop(t.Context(), ann, []string{g.ID}, true))
	w.wantCause(notify.Stopped, name, ann.ID)
	w.ok(w.sh.AskReset(t.Context(), carol, here))
	reset := w.wantCause(notify.Reset, me.Name, "")
	if got, want := reset.Data["until"], w.clock.Now().Add(30*time.Minute).UTC().Format(time.RFC3339); got != want {
		t.Errorf("the way to a new password is good until %q, want %q", got, want)
	}
	w.ok(w.sh.CloseAccess(t.Context(), ann, "firm", carol, true))
	w.wantCause(notify.Closed, name, ann.ID)
}
