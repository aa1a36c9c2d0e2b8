package sharing

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"portico/fault"
	"portico/files"
	"portico/identity"
	"portico/identity/throttle"
	"portico/store"
)

// What a link asks before it opens. OpenLink gives the Visit along with them, for
// the page that asks.
var (
	ErrPassword = errors.New("the link has a password")
	ErrMail     = errors.New("the link asks for a mail address")
)

// Knock is somebody at a link's door: on its page, its drive or by a program.
type Knock struct {
	Token   string
	Address string // of the client
	Cookie  string // of the name that LinkCookie gives, "" for none

	// Name and Password are those of Basic credentials; any name will do, and where
	// a link asks who deposits, it is the answer.
	Name, Password string

	Via, Agent, RequestID string // for the audit
}

// LinkCookie names the cookie of a link's visit. Each link has its own, so that
// what is unlocked in one says nothing of another. It is made of the token, which
// it does not tell.
func LinkCookie(token string) string {
	sum := sumOf("cookie\n" + token)
	return "link-" + hex.EncodeToString(sum[:8])
}

// Visit is somebody who holds a link.
type Visit struct {
	s       *Service
	link    store.Link
	knock   Knock
	session store.Session // the zero value where there is none
	data    visitData
	who     files.Principal
	room    *Room // nil until all that the link asks is answered
}

// OpenLink is the one door to what a link opens, for pages, drives and programs.
// The errors are fs.ErrNotExist, ErrGone, *identity.ThrottledError,
// identity.ErrRefused for a wrong password, those that wrap fault.ErrUnavailable,
// and ErrPassword and ErrMail.
func (s *Service) OpenLink(ctx context.Context, k Knock) (*Visit, error) {
	l, err := s.linkFor(ctx, k)
	if err != nil {
		return nil, wrap("open link", err)
	}
	v := &Visit{s: s, link: l, knock: k}
	if err := v.recall(ctx); err != nil {
		return nil, wrap("open link", err)
	}
	window, err := v.look(ctx)
	if err != nil {
		return nil, wrap("open link", err)
	}
	return v, wrap("open link", v.admit(ctx, window))
}

// admit asks what the link asks.
func (v *Visit) admit(ctx context.Context, window *files.Window) error {
	if v.link.Password != "" && !v.data.Open {
		if v.knock.Password == "" {
			return fault.Tell(ErrPassword, "This link has a password. A program sends it with any name: curl -u :PASSWORD.")
		}
		if err := v.s.provePassword(ctx, v.link, v.knock); err != nil {
			return err
		}
	}
	if v.link.AskMail && v.data.Mail == "" {
		return fault.Tell(ErrMail, "This link asks for your mail address: open it in a browser first.")
	}
	v.room = &Room{Window: window, v: v}
	return nil
}

// linkFor finds the link of a token. One that never was and one of another make
// are the same to who asks; who tries many is not heard for a while.
func (s *Service) linkFor(ctx context.Context, k Knock) (store.Link, error) {
	if err := s.Throttle.Blocked(ctx, throttle.LinkTokens, k.Address); err != nil {
		return store.Link{}, err
	}
	var l store.Link
	var found bool
	if isToken(k.Token) {
		var err error
		if l, found, err = s.State.LinkBySum(ctx, sumOf(k.Token)); err != nil {
			return l, err
		}
	}
	if !found {
		if err := s.Throttle.Guess(ctx, throttle.LinkTokens, k.Address); err != nil {
			return l, err
		}
		return l, noTicket()
	}
	return l, s.standing(l)
}

// standing refuses a link that opens nothing any more.
func (s *Service) standing(l store.Link) error {
	switch s.linkState(l, 1) {
	case LinkRevoked, LinkEnded:
		return gone()
	case LinkOpen, LinkLost: // whether it opens anything the window tells
	case LinkUsed:
		return fault.Tell(ErrGone, "What this link opens has been downloaded as often as it may be. Ask who sent it for a new one.")
	}
	return nil
}

func gone() error {
	return fault.Tell(ErrGone, "This link opens nothing any more. Ask who sent it for a new one.")
}

// look gives what the link opens now. A link whose giver has lost the right to
// share, or whose things have gone, opens nothing (CVE-2026-35604).
func (v *Visit) look(ctx context.Context) (*files.Window, error) {
	name := v.data.Name
	if name == "" && v.link.AskName {
		name = v.asked()
	}
	v.who = files.Link(files.Visitor{Link: v.link.ID, Visitor: v.data.Visitor, Name: name, Mail: v.data.Mail})
	v.who.Via, v.who.Address, v.who.Agent, v.who.RequestID = v.knock.Via, v.knock.Address, v.knock.Agent, v.knock.RequestID
	w, err := v.s.Files.Window(ctx, v.who)
	switch {
	case err != nil:
		return nil, err
	case len(w.Mounts()) == 0:
		return nil, gone()
	}
	return w, nil
}

// asked is the name that a program gave.
func (v *Visit) asked() string {
	name, err := line(fault.Say("name"), v.knock.Name, maxName)
	if err != nil {
		return ""
	}
	return name
}

// provePassword holds a password against a link's, under the counters that all
// doors share: of the link, of the address, and of both together (THREATS.md rows
// 31 and 57). A password that was proved from the same address passes them.
func (s *Service) provePassword(ctx context.Context, l store.Link, k Knock) error {
	login := identity.Login(fmt.Sprintf("%s:%d", linkSubject(l.ID), l.Version))
	place := throttle.Place(k.Address)
	if _, known := s.proofs.Known(place, login, k.Password); known {
		return nil
	}
	_, err := s.proofs.Prove(ctx, place, login, k.Password, func(ctx context.Context) (identity.Identity, error) {
		return identity.Identity{ID: linkSubject(l.ID), Login: login}, s.tryPassword(ctx, l, k)
	})
	if errors.Is(err, identity.ErrRefused) {
		err = fault.Tell(err, "The password is wrong.")
	}
	return err
}

func (s *Service) tryPassword(ctx context.Context, l store.Link, k Knock) error {
	if err := s.Throttle.Blocked(ctx, throttle.LinkPassword, l.ID); err != nil {
		return err
	}
	try, err := s.Throttle.Begin(ctx, identity.Login(linkSubject(l.ID)), k.Address)
	if err != nil {
		return err
	}
	hash, err := identity.ParseHash(l.Password)
	var right bool
	if err == nil {
		err = s.Queue.Do(ctx, func() { right = hash.Verify(k.Password) })
	}
	after := context.WithoutCancel(ctx)
	switch {
	case err != nil:
		return errors.Join(err, try.Unseen(after))
	case right:
		return try.Proved(after)
	}
	if _, err := try.Failed(after); err != nil {
		return err
	}
	if err := s.Throttle.Guess(after, throttle.LinkPassword, l.ID); err != nil {
		return err
	}
	return identity.ErrRefused
}

// How long a visit lasts (THREATS.md §4.3).
const (
	visitIdle  = 30 * time.Minute
	visitLife  = 12 * time.Hour
	touchVisit = time.Minute
)

// Workspace is the one that the link is of: whose firm the page shows.
func (v *Visit) Workspace() string { return v.link.Workspace }

// Room is what the link opens; nil where OpenLink gave an error.
func (v *Visit) Room() *Room { return v.room }

// By is the visitor, for the rest of this package.
func (v *Visit) By() By {
	return By{Principal: v.who, ID: v.who.ID(), Name: v.data.Name, Mail: v.data.Mail}
}

// Principal is the visitor, for package files.
func (v *Visit) Principal() files.Principal { return v.who }

// Known tells whether the visitor has a session, by which they are told from
// others who hold the link.
func (v *Visit) Known() bool { return v.data.Visitor != "" }

// LinkTerms are what a visitor is told of a link.
type LinkTerms struct {
	ID           string
	Mode         string
	GiverName    string
	Until        time.Time
	ViewOnly     bool
	Downloads    int // left; -1 for as many as they like
	AskName      bool
	Name         string // as the visitor gave it
	Mail         string // as they proved it
	MaxFiles     int    // left; -1 for as many as they like
	MaxBytes     int64  // left
	MaxFileBytes int64
	Types        []string
}

// Terms are what the visitor is told; the zero value where OpenLink gave an error.
func (v *Visit) Terms() LinkTerms {
	if v.room == nil {
		return LinkTerms{}
	}
	t := LinkTerms{
		ID: v.link.ID, Mode: v.link.Mode, GiverName: v.link.GiverName, Until: v.link.Until, ViewOnly: v.link.ViewOnly, Downloads: -1,
		AskName: v.link.AskName, Name: v.data.Name, Mail: v.data.Mail, MaxFiles: -1,
		MaxBytes: v.room.left(), MaxFileBytes: fileLimit(v.link), Types: v.link.Types,
	}
	if v.link.MaxDownloads > 0 {
		t.Downloads = max(v.link.MaxDownloads-v.link.Downloads, 0)
	}
	if v.link.MaxFiles > 0 {
		t.MaxFiles = max(v.link.MaxFiles-v.link.Files, 0)
	}
	return t
}

// Deposits are what this visitor has left by the link, newest first. Strangers,
// who cannot be told apart, are shown nobody's.
func (v *Visit) Deposits(ctx context.Context) ([]DepositView, error) {
	if v.room == nil || !v.Known() {
		return nil, nil
	}
	return v.s.MyDeposits(ctx, v.By())
}

// noLink is the error of a visit that is not open.
func noLink() error { return fault.Tell(fs.ErrPermission, "This link is not open.") }
