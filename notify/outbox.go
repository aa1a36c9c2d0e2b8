package notify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"portico/store"
)

// The rhythm of the outbox.
const (
	roundSize  = 100
	firstPause = time.Minute
	longPause  = 6 * time.Hour
	// A server that cannot be reached is asked more often than one that has
	// answered "later": what waits for it is everybody's.
	awayPause = 15 * time.Minute
	lastTry   = 5 * 24 * time.Hour // RFC 5321 §4.5.4.1: four to five days
	keepFor   = 90 * 24 * time.Hour
	sweepEach = time.Hour
)

// beingSent begins the trouble of a notice whose mail is on its way out; what
// follows is of that one try, so that nobody takes the mark of another for theirs.
//
// SMTP knows no "exactly once": between the server's 250 and our commit there is
// always a moment in which a crash leaves nobody who knows (RFC 1047). Of the two
// ways out, Portico takes "never twice": the mark is committed before the first
// byte of a mail leaves, and who finds it later, under the claim that only one
// process has, does not send again. Nothing is lost silently: such a mail is told
// as unclear in the log and in the list of who caused it, who can send a new
// invitation with one click. The moment is kept short: the connection is up, with
// TLS and password, before the mark is made; so a server that is away or slow to
// greet, the usual reason for a process to be ended impatiently, leaves none.
const beingSent = "being sent: "

// Run sends what is due at each tick, until ctx ends. Any number of replicas may
// run it: one of them sends.
func (n *Notifier) Run(ctx context.Context, tick <-chan time.Time) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick:
		}
		if err := n.Round(ctx); err != nil && ctx.Err() == nil {
			n.o.Log.WarnContext(ctx, "mails wait", "err", err)
		}
	}
}

// Round sends what is due now, if no other replica is at it. The error is one of
// the store or of reaching the mail server; what a single mail met is in its
// notice.
func (n *Notifier) Round(ctx context.Context) error {
	if !n.sending.TryLock() {
		return nil
	}
	defer n.sending.Unlock()
	if err := n.settleOwed(ctx); err != nil {
		return err
	}
	due, err := n.o.State.DueMails(ctx, n.o.Clock(), 1)
	if err != nil {
		return fmt.Errorf("notify: round: %w", err)
	}
	if sweep := n.o.Clock().Sub(n.swept) >= sweepEach; len(due) == 0 && !sweep {
		return nil // the usual case costs one question
	}
	claim, ok, err := n.o.State.ClaimName(ctx, "notify", "outbox")
	if err != nil || !ok {
		return err
	}
	defer claim.Release()
	if err := n.sweep(ctx); err != nil || len(due) == 0 || !n.Mails() {
		return err
	}
	return n.sendDue(ctx, claim.Lost())
}

// sweep drops notices that have been in the lists for long enough.
func (n *Notifier) sweep(ctx context.Context) error {
	now := n.o.Clock()
	if now.Sub(n.swept) < sweepEach {
		return nil
	}
	if err := n.o.State.Update(ctx, func(tx store.Tx) error { return tx.DropNoticesBefore(now.Add(-keepFor)) }); err != nil {
		return fmt.Errorf("notify: sweep: %w", err)
	}
	n.swept = now
	return nil
}

// sendDue sends under the claim.
func (n *Notifier) sendDue(ctx context.Context, lost <-chan struct{}) error {
	now := n.o.Clock()
	due, err := n.o.State.DueMails(ctx, now, roundSize)
	if err != nil {
		return fmt.Errorf("notify: due: %w", err)
	}
	ready, err := n.sortOut(ctx, due)
	if err != nil || len(ready) == 0 {
		return err
	}
	session, err := n.o.Mailer.Open(ctx)
	if err != nil {
		if ctx.Err() == nil {
			err = errors.Join(err, n.settle(ctx, later(ready, n.told(err, ready), awayPause)))
		}
		return err
	}
	defer session.Close()
	done := map[string]bool{}
	for _, first := range ready {
		select {
		case <-lost:
			return nil // another replica goes on
		case <-ctx.Done():
			return nil
		default:
		}
		if done[first.ID] {
			continue // went along with an earlier one
		}
		sent, broken, err := n.sendOne(ctx, session, first)
		for _, x := range sent {
			done[x.ID] = true
		}
		if err != nil || broken {
			return err
		}
	}
	return nil
}

// sortOut takes from the mails that are due those whose sender has died while it
// sent them, and those that nobody wants.
func (n *Notifier) sortOut(ctx context.Context, due []store.Notice) (ready []store.Notice, err error) {
	now := n.o.Clock()
	var over outcomes
	for _, x := range due {
		wanted, err := n.wanted(ctx, x)
		alone := []store.Notice{x}
		switch {
		case err != nil:
			return nil, err
		case strings.HasPrefix(x.Trouble, beingSent):
			over = append(over, unclear(alone, "Portico stopped while it sent the mail")...)
		case !wanted:
			over = append(over, gone(alone)...)
		case now.Sub(x.Created) >= Event(x.Event).lasts()+lastTry: // nobody has sent for days
			over = append(over, failed(alone, "the mail has waited for too long")...)
		default:
			ready = append(ready, x)
		}
	}
	if len(over) == 0 {
		return ready, nil
	}
	return ready, n.settle(ctx, over)
}

// wanted tells whether somebody has not muted the mails of an event.
func (n *Notifier) wanted(ctx context.Context, x store.Notice) (bool, error) {
	if x.To == "" {
		return true, nil
	}
	if p, err := payloadOf(x); err != nil || p.Always {
		return true, nil //nolint:nilerr // what cannot be read is told when it is written
	}
	prefs, err := n.o.State.PreferencesOf(ctx, x.To)
	if err != nil {
		return false, fmt.Errorf("notify: preferences: %w", err)
	}
	return !slices.Contains(prefs.Muted, x.Event), nil
}

// sendOne sends one mail: that of a notice, with those of its batch that wait.
func (n *Notifier) sendOne(ctx context.Context, session Session, first store.Notice) (sent []store.Notice, broken bool, err error) {
	sent, err = n.take(ctx, first)
	if err != nil || len(sent) == 0 {
		return sent, false, err
	}
	m, err := n.compose(ctx, sent)
	if err != nil {
		return sent, false, n.settle(ctx, failed(sent, n.told(err, sent)))
	}
	err = session.Send(ctx, m)
	return sent, errors.Is(err, ErrBroken) || errors.Is(err, ErrUnclear), n.settle(ctx, n.judge(sent, err))
}

// judge is what an answer means for the notices of a mail.
func (n *Notifier) judge(sent []store.Notice, err error) outcomes {
	switch {
	case err == nil:
		return gone(sent)
	case errors.Is(err, ErrUnclear):
		return unclear(sent, n.told(err, sent))
	case errors.Is(err, ErrRefused):
		return failed(sent, n.told(err, sent))
	default:
		return later(sent, n.told(err, sent), longPause)
	}
}

// take marks the notices of one mail, those that still wait. What the transaction
// finds is what counts: another replica may have been here.
func (n *Notifier) take(ctx context.Context, first store.Notice) (taken []store.Notice, err error) {
	now, mark := n.o.Clock(), beingSent+n.id()
	err = n.o.State.Update(ctx, func(tx store.Tx) error {
		taken = nil
		waiting, err := tx.WaitingMails(ctx, first.Batch, first.Mail)
		if err != nil {
			return err
		}
		for _, x := range waiting {
			if x.ID != first.ID && !goesAlong(x, first, now) || strings.HasPrefix(x.Trouble, beingSent) {
				continue
			}
			x.Trouble = mark
			if err := tx.PutNotice(x); err != nil {
				return err
			}
			taken = append(taken, x)
		}
		return nil
	})
	if err != nil {
		// The commit may have been made all the same: then the mark is ours, and
		// nothing was sent.
		n.owe(later(taken, "", 0))
		return nil, fmt.Errorf("notify: take: %w", err)
	}
	return taken, nil
}

// goesAlong tells whether a notice joins the mail of another of its batch. One that
// has failed before keeps its pause.
func goesAlong(x, first store.Notice, now time.Time) bool {
	return first.Batch != "" && x.To == first.To && (x.Tries == 0 || !x.Due.After(now))
}
