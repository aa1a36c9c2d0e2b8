package sharing

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"io/fs"
	"math/big"
	"slices"
	"strings"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/identity/throttle"
	"portico/notify"
	"portico/store"
)

// visitData is what a visit keeps: all that its visitor has shown of themself.
type visitData struct {
	Version int64  `json:"version"` // of the link's terms
	Open    bool   `json:"open,omitempty"`
	Asked   string `json:"asked,omitempty"` // the address that a code went out to
	Mail    string `json:"mail,omitempty"`  // proved
	Name    string `json:"name,omitempty"`
	Visitor string `json:"visitor"`
	Folder  string `json:"folder,omitempty"` // their own, where each depositor has one: a path of the window
}

// recall finds the visit that a cookie stands for. One of other terms of the link
// is none (CVE-2018-16464).
func (v *Visit) recall(ctx context.Context) error {
	if v.knock.Cookie == "" {
		return nil
	}
	found, ok, err := v.s.State.SessionBySum(ctx, sumOf(v.knock.Cookie))
	if err != nil {
		return err
	}
	now := v.s.Clock()
	var d visitData
	alive := ok && found.Owner == linkSubject(v.link.ID) && now.Before(found.Expires) && now.Sub(found.Seen) < visitIdle && found.Seen.Sub(now) < visitIdle
	if !alive || json.Unmarshal(found.Data, &d) != nil || d.Version != v.link.Version {
		return nil //nolint:nilerr // it is no visit of this link
	}
	v.session, v.data = found, d
	if now.Sub(found.Seen) < touchVisit {
		return nil
	}
	return v.s.State.Update(ctx, func(tx store.Tx) error { return tx.TouchSession(found.Sum, now) })
}

// renew keeps what is known of the visitor under a new cookie; the old one is dead
// (CVE-2018-16463).
func (v *Visit) renew(ctx context.Context, also ...func(store.Tx) error) (cookie string, err error) {
	b := make([]byte, secretBytes)
	if _, err := io.ReadFull(v.s.Rand, b); err != nil {
		return "", fmt.Errorf("sharing: random source: %w", err)
	}
	cookie = base64.RawURLEncoding.EncodeToString(b)
	v.data.Version = v.link.Version
	if v.data.Visitor == "" {
		if v.data.Visitor, err = v.s.newID(); err != nil {
			return "", err
		}
	}
	data, err := json.Marshal(v.data)
	if err != nil {
		return "", fmt.Errorf("sharing: visit: %w", err)
	}
	now := v.s.Clock()
	next := store.Session{Sum: sumOf(cookie), Owner: linkSubject(v.link.ID), Data: data, Created: now, Seen: now, Expires: now.Add(visitLife)}
	old := v.session
	if !old.Created.IsZero() {
		next.Created, next.Expires = old.Created, old.Expires // a new cookie is no longer visit
	}
	err = v.s.State.Update(ctx, func(tx store.Tx) error {
		if !old.Created.IsZero() {
			if err := tx.DropSession(old.Sum); err != nil {
				return err
			}
		}
		for _, f := range also {
			if err := f(tx); err != nil {
				return err
			}
		}
		return tx.PutSession(next)
	})
	if err != nil {
		return "", err
	}
	v.session = next
	return cookie, nil
}

// keep writes what is new of a visit that has a cookie.
func (v *Visit) keep(tx store.Tx) error {
	data, err := json.Marshal(v.data)
	if err != nil {
		return fmt.Errorf("sharing: visit: %w", err)
	}
	v.session.Data = data
	return tx.PutSession(v.session)
}

// Unlock opens a link by its password and gives the cookie of the visit.
func (s *Service) Unlock(ctx context.Context, k Knock) (*Visit, string, error) {
	v, err := s.OpenLink(ctx, Knock{Token: k.Token, Address: k.Address, Cookie: k.Cookie, Via: k.Via, Agent: k.Agent, RequestID: k.RequestID})
	if v == nil {
		return nil, "", wrap("unlock", err)
	}
	if v.link.Password == "" {
		return v, "", wrap("unlock", fault.Tell(fs.ErrInvalid, "This link has no password."))
	}
	if k.Password == "" {
		return v, "", wrap("unlock", fault.Tell(identity.ErrRefused, "The password is wrong."))
	}
	if err := s.provePassword(ctx, v.link, k); err != nil {
		return v, "", wrap("unlock", err)
	}
	v.data.Open = true
	cookie, err := v.renew(ctx)
	return v, cookie, wrap("unlock", err)
}

// Begin makes somebody a visitor who can be told from others, with the name that
// they give; "" for none. The cookie is "" where they have one already.
func (v *Visit) Begin(ctx context.Context, name string) (cookie string, err error) {
	if v.room == nil {
		return "", wrap("begin visit", noLink())
	}
	if name, err = line(fault.Say("name"), name, maxName); err != nil {
		return "", wrap("begin visit", err)
	}
	if name != "" && name != v.data.Name {
		v.data.Name, v.data.Folder = name, ""
	}
	if v.session.Created.IsZero() {
		cookie, err = v.renew(ctx)
		return cookie, wrap("begin visit", err)
	}
	return "", wrap("begin visit", v.s.State.Update(ctx, v.keep))
}

// What a code by mail is good for.
const (
	codeKind  = "code"
	codeTerm  = 10 * time.Minute
	codeTries = 5
	codesLive = 3 // to one address at a time, so that nobody's letter box is filled
)

// codeData is what a code's ticket keeps.
type codeData struct {
	Tries int `json:"tries"`
}

func (v *Visit) codeSubject(mail string) string { return linkSubject(v.link.ID) + " " + mail }

// codeSum stands for a code with all that it is for: nobody else's visit can use it.
func (v *Visit) codeSum(code string) store.Sum {
	return sumOf(strings.Join([]string{codeKind, v.link.ID, v.data.Asked, v.data.Visitor, code}, "\n"))
}

// AskCode sends a code to an address, if the link lets it in. The answer is the
// same for any address, and so is what is written.
func (v *Visit) AskCode(ctx context.Context, mail string) (cookie string, err error) {
	if v.link.Password != "" && !v.data.Open || !v.link.AskMail {
		return "", wrap("ask code", noLink())
	}
	if mail, err = Address(mail); err != nil {
		return "", wrap("ask code", err)
	}
	if err := v.s.Throttle.Blocked(ctx, throttle.ResetAsks, v.knock.Address); err != nil {
		return "", wrap("ask code", err)
	}
	if err := v.s.Throttle.Guess(ctx, throttle.ResetAsks, v.knock.Address); err != nil {
		return "", wrap("ask code", err)
	}
	code, err := v.s.newCode()
	if err != nil {
		return "", wrap("ask code", err)
	}
	v.data.Asked, v.data.Mail = mail, ""
	if v.data.Visitor, err = v.s.newID(); err != nil {
		return "", wrap("ask code", err)
	}
	cookie, err = v.renew(ctx, func(tx store.Tx) error { return v.sendCode(ctx, tx, mail, code) })
	return cookie, wrap("ask code", err)
}

// newCode is six digits, each as likely as the others.
func (s *Service) newCode() (string, error) {
	n, err := rand.Int(s.Rand, big.NewInt(1_000_000))
	if err != nil {
		return "", fmt.Errorf("sharing: random source: %w", err)
	}
	return fmt.Sprintf("%06d", n), nil
}

// sendCode writes a ticket, and the mail where the link lets the address in. The
// ticket of another is for a code that nobody is sent.
func (v *Visit) sendCode(ctx context.Context, tx store.Tx, mail, code string) error {
	subject, now := v.codeSubject(mail), v.s.Clock()
	had, err := tx.TicketsOf(ctx, codeKind, subject)
	if err != nil {
		return err
	}
	live := slices.DeleteFunc(had, func(t store.Ticket) bool { return !now.Before(t.Expires) })
	if len(live) >= codesLive {
		return nil
	}
	data, err := json.Marshal(codeData{})
	if err != nil {
		return fmt.Errorf("sharing: code: %w", err)
	}
	if err := tx.PutTicket(store.Ticket{Sum: v.codeSum(code), Kind: codeKind, Subject: subject, Data: data, Created: now, Expires: now.Add(codeTerm)}); err != nil {
		return err
	}
	if !v.lets(mail) {
		return nil
	}
	return v.s.Tell.Tell(tx, notify.Notice{
		Mail: mail, Event: notify.Code, Brand: v.link.Workspace, Always: true, Quiet: true,
		Data: map[string]string{"code": code, "item": v.s.title(v.link.Workspace)},
	})
}

// lets tells whether an address is one of those that the link is for.
func (v *Visit) lets(mail string) bool {
	if len(v.link.Allowed) == 0 {
		return true
	}
	at := strings.LastIndexByte(mail, '@')
	return slices.Contains(v.link.Allowed, mail) || slices.Contains(v.link.Allowed, mail[at:])
}

// Asked is the address that a code went out to, "" for none yet.
func (v *Visit) Asked() string { return v.data.Asked }

// ProveCode takes the code that was sent to the visitor's address. A wrong one is
// identity.ErrRefused; after five a new code is needed.
func (v *Visit) ProveCode(ctx context.Context, code string) (cookie string, err error) {
	if v.data.Asked == "" || v.link.Password != "" && !v.data.Open {
		return "", wrap("prove code", noLink())
	}
	whole := v.link.ID + "/code"
	if err := v.s.Throttle.Blocked(ctx, throttle.LinkPassword, whole); err != nil {
		return "", wrap("prove code", err)
	}
	code = strings.ReplaceAll(strings.TrimSpace(code), " ", "")
	right := false
	err = v.s.State.Update(ctx, func(tx store.Tx) (err error) {
		right, err = v.useCode(ctx, tx, code)
		return err
	})
	if err == nil && !right {
		err = v.s.Throttle.Guess(ctx, throttle.LinkPassword, whole)
		if err == nil {
			err = fault.Tell(identity.ErrRefused, "The code is wrong, or its time is over.")
		}
	}
	if err != nil {
		return "", wrap("prove code", err)
	}
	v.data.Mail, v.data.Asked = v.data.Asked, ""
	cookie, err = v.renew(ctx)
	return cookie, wrap("prove code", err)
}

// useCode ends the ticket of a right code, and counts a wrong one against the
// tickets of the address.
func (v *Visit) useCode(ctx context.Context, tx store.Tx, code string) (right bool, err error) {
	all, err := tx.TicketsOf(ctx, codeKind, v.codeSubject(v.data.Asked))
	if err != nil {
		return false, err
	}
	sum, now := v.codeSum(code), v.s.Clock()
	for _, t := range all {
		var d codeData
		_ = json.Unmarshal(t.Data, &d) // ours
		d.Tries++
		switch {
		case !now.Before(t.Expires) || d.Tries > codeTries:
			err = tx.DropTicket(t.Sum)
		case t.Sum == sum:
			// One of a stranger's address is there to be counted alone.
			right = v.lets(v.data.Asked)
			err = tx.DropTicket(t.Sum)
		default:
			if t.Data, err = json.Marshal(d); err == nil {
				err = tx.PutTicket(t)
			}
		}
		if err != nil {
			return false, err
		}
	}
	return right, nil
}
