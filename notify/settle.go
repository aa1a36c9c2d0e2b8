package notify

import (
	"context"
	"fmt"
	"strings"
	"time"
	"unicode"

	"portico/store"
)

// outcome is what became of a notice's mail.
type outcome struct {
	notice  store.Notice // as it was taken, to find it again
	done    bool         // it has gone, or was given up
	trouble string       // why not, or why nobody knows
	unclear bool
	longest time.Duration // the longest pause before the next try; 0: at once, and not counted as a try
}

type outcomes []outcome

func each(all []store.Notice, o outcome) (out outcomes) {
	for _, x := range all {
		o.notice = x
		out = append(out, o)
	}
	return out
}

func gone(all []store.Notice) outcomes { return each(all, outcome{done: true}) }

func failed(all []store.Notice, why string) outcomes {
	return each(all, outcome{done: true, trouble: why})
}

func unclear(all []store.Notice, why string) outcomes {
	return each(all, outcome{done: true, trouble: why, unclear: true})
}

func later(all []store.Notice, why string, longest time.Duration) outcomes {
	return each(all, outcome{trouble: why, longest: longest})
}

// settle writes what became of mails. What the store does not take is owed to it:
// only this process knows.
func (n *Notifier) settle(ctx context.Context, all outcomes) error {
	// A mail that has gone must be written down as gone, even while the server stops.
	ctx = context.WithoutCancel(ctx)
	var told []store.Notice
	err := n.o.State.Update(ctx, func(tx store.Tx) error {
		told = nil
		for _, o := range all {
			x, ok, err := n.settleOne(ctx, tx, o)
			if err != nil {
				return err
			}
			if ok {
				told = append(told, x)
			}
		}
		return nil
	})
	if err != nil {
		n.owe(all)
		return fmt.Errorf("notify: settle: %w", err)
	}
	for _, o := range all {
		delete(n.owed, o.notice.ID)
	}
	for _, x := range told {
		n.log(ctx, x)
	}
	return nil
}

func (n *Notifier) owe(all outcomes) {
	for _, o := range all {
		n.owed[o.notice.ID] = o
	}
}

// settleOwed tells the store what it could not be told before.
func (n *Notifier) settleOwed(ctx context.Context) error {
	if len(n.owed) == 0 {
		return nil
	}
	var all outcomes
	for _, o := range n.owed {
		all = append(all, o)
	}
	return n.settle(ctx, all)
}

// settleOne writes one outcome, onto the notice as it is now: it may have been read
// meanwhile. One that no longer waits, or has another's mark, is not ours to settle.
func (n *Notifier) settleOne(ctx context.Context, tx store.Tx, o outcome) (x store.Notice, ok bool, err error) {
	waiting, err := tx.WaitingMails(ctx, o.notice.Batch, o.notice.Mail)
	if err != nil {
		return x, false, err
	}
	for _, w := range waiting {
		if w.ID == o.notice.ID && w.Trouble == o.notice.Trouble {
			x, ok = w, true
		}
	}
	if !ok {
		return x, false, nil
	}
	now := n.o.Clock()
	x.Trouble = o.trouble
	switch {
	case o.done:
		x.Done = now
	case o.longest > 0:
		x.Tries++
		x.Due = now.Add(pause(x.Tries, o.longest))
		if now.Sub(x.Created) >= Event(x.Event).lasts() {
			x.Done, o.done = now, true
		}
	}
	if o.done {
		x.Data = withoutSecrets(x)
	}
	if err := tx.PutNotice(x); err != nil {
		return x, false, err
	}
	return x, true, n.tellSender(tx, x, o)
}

// pause is the wait before the next try: a minute, and twice as long each time.
func pause(tries int, longest time.Duration) time.Duration {
	d := firstPause
	for ; tries > 1 && d < longest; tries-- {
		d *= 2
	}
	return min(d, longest)
}

// tellSender puts a mail that did not go out into the list of who caused it.
func (n *Notifier) tellSender(tx store.Tx, x store.Notice, o outcome) error {
	p, err := payloadOf(x)
	if err != nil || !o.done || o.trouble == "" || p.From == "" {
		return nil //nolint:nilerr // it has no sender that could be read
	}
	data := map[string]string{"mail": x.Mail, "event": x.Event, "item": p.Data["item"], "reason": o.trouble}
	if o.unclear {
		data["unclear"] = "yes"
	}
	return n.Tell(tx, Notice{To: p.From, Event: Undelivered, Data: data, Brand: p.Brand})
}

// log tells the administrator of mails that do not go out. The address is personal
// and stays in the store; the notice's ID leads there.
func (n *Notifier) log(ctx context.Context, x store.Notice) {
	switch {
	case x.Trouble == "":
	case x.Done.IsZero():
		n.o.Log.InfoContext(ctx, "mail not taken yet", "notice", x.ID, "event", x.Event, "tries", x.Tries, "next", x.Due, "reason", x.Trouble)
	default:
		n.o.Log.WarnContext(ctx, "mail given up", "notice", x.ID, "event", x.Event, "tries", x.Tries, "reason", x.Trouble)
	}
}

// withoutSecrets is what a notice keeps when its mail is over.
func withoutSecrets(x store.Notice) []byte {
	p, err := payloadOf(x)
	if err != nil {
		return nil
	}
	if !Event(x.Event).secret() {
		return x.Data
	}
	delete(p.Data, "link")
	delete(p.Data, "code")
	b, err := p.encode()
	if err != nil { // cannot be: it was read from there
		return nil
	}
	return b
}

// told is an error as it may be kept and logged. Servers that filter spam quote
// what they dislike, which may be a link of ours with its secret (THREATS.md row
// 77): addresses of pages are left out whole, and what the mail holds as well.
func (n *Notifier) told(err error, sent []store.Notice) string {
	text := err.Error()
	for _, x := range sent {
		if p, err := payloadOf(x); err == nil && Event(x.Event).secret() {
			link := p.Data["link"]
			for _, secret := range []string{link, link[strings.LastIndex(link, "/")+1:], p.Data["code"]} {
				if secret != "" {
					text = strings.ReplaceAll(text, secret, "…")
				}
			}
		}
	}
	words := strings.FieldsFunc(text, func(r rune) bool { return unicode.IsSpace(r) || unicode.IsControl(r) })
	for i, w := range words {
		if strings.Contains(w, "://") || strings.Count(w, "/") > 1 || len(w) > maxWord {
			words[i] = "…"
		}
	}
	text = strings.Join(words, " ")
	return strings.ToValidUTF8(text[:min(len(text), maxTold)], "")
}

// Bounds of what is kept of a server's answer. A secret of 128 bits has 22
// characters at least; "mail.firm.example:587" has to stay whole.
const (
	maxWord = 60
	maxTold = 300
)
