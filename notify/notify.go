package notify

import (
	"context"
	"encoding/base32"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/mail"
	"net/url"
	"strings"
	"sync"
	"time"

	"portico/lang"
	"portico/store"
)

// State is what a Notifier needs of the state store.
type State interface {
	store.NoticeReader
	store.PreferencesReader
	Update(ctx context.Context, f func(store.Tx) error) error
	ClaimName(ctx context.Context, kind, name string) (store.Claim, bool, error)
}

// Brand is how a firm looks in its mails. There is no logo: a picture that is
// fetched tells its server who reads, and one that is sent along makes the mail
// look like spam.
type Brand struct {
	Name   string
	Colour string // "#1f5fbf", "" for Portico's own
}

// Options are what a Notifier stands on. The functions are asked at each use, so
// that a reload of the config needs nothing here.
type Options struct {
	State   State
	Clock   func() time.Time
	Rand    io.Reader
	Log     *slog.Logger
	Catalog *lang.Catalog

	Mailer   Mailer // nil: there are no mails, only the list
	From     string // the sender's mail address
	ReplyTo  string // where answers go; "" for nowhere
	Public   func() *url.URL
	Brand    func(workspace string) Brand // "" is the server's own; nil for Portico's
	Language func() string                // of who has chosen none; nil for English
	Zone     func() *time.Location        // of the times in mails; nil for UTC
}

// Notifier tells people what concerns them. Many may use it at once.
type Notifier struct {
	o       Options
	sending sync.Mutex         // one round at a time
	owed    map[string]outcome // by notice: what the store could not be told yet
	swept   time.Time
}

// New makes a Notifier. It starts nothing: Run sends.
func New(o Options) *Notifier {
	if o.Brand == nil {
		o.Brand = func(string) Brand { return Brand{} }
	}
	if o.Language == nil {
		o.Language = func() string { return "" }
	}
	if o.Zone == nil {
		o.Zone = func() *time.Location { return time.UTC }
	}
	return &Notifier{o: o, owed: map[string]outcome{}}
}

// Mails tells whether mails go out at all. Where none do, whoever invites is shown
// the link, to hand it on.
func (n *Notifier) Mails() bool { return n.o.Mailer != nil }

// Tell writes a notice, in the transaction of what it tells. What its recipient
// has muted is judged when the mail is due, as is the language: they may change
// their mind until then. The error is one of the store, or of a link that is not
// ours, which is a fault of the caller.
func (n *Notifier) Tell(tx store.Tx, x Notice) error {
	data, err := n.data(x)
	if err != nil {
		return err
	}
	now := n.o.Clock()
	row := store.Notice{
		ID: n.id(), To: x.To, Mail: x.Mail, Language: x.Language, Event: string(x.Event), Data: data,
		Batch: x.Batch, Created: now, Due: now.Add(x.Delay), Quiet: x.Quiet || x.To == "",
	}
	switch {
	case !n.Mails():
		row.Mail = ""
	case x.Mail != "" && !addressable(x.Mail):
		// Nobody's share shall fail because a directory has a slip in an address.
		n.o.Log.Warn("notice without mail: the address cannot be used", "notice", row.ID, "event", x.Event)
		row.Mail, row.Trouble = "", "the mail address cannot be used"
	}
	if row.Mail == "" && row.Quiet {
		return nil // nobody would ever read it
	}
	if err := tx.PutNotice(row); err != nil {
		return fmt.Errorf("notify: tell: %w", err)
	}
	return nil
}

// data is what the store keeps of a notice.
func (n *Notifier) data(x Notice) ([]byte, error) {
	p := payload{Data: map[string]string{}, Brand: x.Brand, Name: x.Name, From: x.From, Always: x.Always}
	for k, v := range x.Data {
		if k == "link" && v != "" {
			var err error
			if v, err = n.path(v); err != nil {
				return nil, err
			}
		}
		p.Data[k] = v
	}
	return p.encode()
}

var errForeign = errors.New("notify: the link of a notice is no path of ours")

// path is a link without our own address. It is put together with it when the mail
// is written: a mail never leads elsewhere, whatever a caller was made to believe
// by a request's Host header. The link is not in the error: it may be a secret.
func (n *Notifier) path(link string) (string, error) {
	if public := strings.TrimSuffix(n.o.Public().String(), "/"); strings.HasPrefix(link, public+"/") {
		link = strings.TrimPrefix(link, public)
	}
	if !strings.HasPrefix(link, "/") || strings.HasPrefix(link, "//") || strings.ContainsFunc(link, unfitForLink) {
		return "", errForeign
	}
	return link, nil
}

// unfitForLink tells what is in no address that has been escaped. Browsers take a
// backslash for a slash.
func unfitForLink(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\\\"<>`", r) }

// addressable tells a bare mail address that a server can be asked to deliver to.
func addressable(s string) bool {
	a, err := mail.ParseAddress(s)
	return err == nil && a.Name == "" && a.Address == s && len(s) <= maxAddress
}

const maxAddress = 254 // RFC 5321 §4.5.3.1.3, without the angles

// id is public: it stands in the Message-ID.
func (n *Notifier) id() string {
	b := make([]byte, 16)
	if _, err := io.ReadFull(n.o.Rand, b); err != nil {
		panic("notify: no randomness: " + err.Error()) // crypto/rand never fails
	}
	return strings.ToLower(base32.StdEncoding.WithPadding(base32.NoPadding).EncodeToString(b))
}

// List gives somebody's notices, the newest first.
func (n *Notifier) List(ctx context.Context, to string, limit int) ([]store.Notice, error) {
	all, err := n.o.State.NoticesTo(ctx, to, limit)
	if err != nil {
		return nil, fmt.Errorf("notify: list: %w", err)
	}
	return all, nil
}

// Unread counts those that somebody has not seen.
func (n *Notifier) Unread(ctx context.Context, to string) (int, error) {
	count, err := n.o.State.UnreadTo(ctx, to)
	if err != nil {
		return 0, fmt.Errorf("notify: unread: %w", err)
	}
	return count, nil
}

// MarkRead is for the moment when somebody opens their list.
func (n *Notifier) MarkRead(ctx context.Context, to string) error {
	err := n.o.State.Update(ctx, func(tx store.Tx) error { return tx.ReadNotices(to, n.o.Clock()) })
	if err != nil {
		return fmt.Errorf("notify: mark read: %w", err)
	}
	return nil
}
