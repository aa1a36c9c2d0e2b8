package config

import (
	"net"
	"net/url"
	"time"
	_ "time/tzdata" // the image has no files of its own
)

// Mail is how notices leave the house. Exactly one of Relay and Dir is set.
type Mail struct {
	From    string
	ReplyTo string // where answers go; "" for nowhere
	Relay   *Relay
	Dir     string // mails are written here as files, for a trial
}

// Relay is an SMTP server that takes our mail.
type Relay struct {
	Address  string // host:port
	TLS      bool   // smtps: TLS from the first byte; else STARTTLS
	Username string // "" for none
	Password Secret
	CA       string // a PEM file of who vouches for it; "" for those that the system knows
}

// mail may be left out: then there are notices in the pages alone, and who invites
// somebody hands the link on.
func (l *loader) mail(root *fields) *Mail {
	section, ok := root.get("mail")
	if !ok {
		return nil
	}
	f := section.fields()
	defer f.close()
	m := &Mail{}
	if v, ok := f.need("from", "write the sender's address"); ok {
		m.From = v.email()
	}
	if v, ok := f.get("reply_to"); ok {
		m.ReplyTo = v.email()
	}
	smtp, hasRelay := f.get("smtp")
	ca, hasCA := f.get("ca")
	dir, hasDir := f.get("dir")
	if hasRelay == hasDir {
		section.fault("exactly one of smtp and dir must be there; write smtp: smtp://mail.firm.example:587, or dir: data/outbox")
	}
	if hasRelay {
		m.Relay = relay(smtp)
	}
	switch {
	case hasCA && !hasRelay:
		ca.fault("there is no server whose certificate it could prove; remove it, or write smtp")
	case hasCA:
		if path := ca.authorities(); m.Relay != nil {
			m.Relay.CA = path
		}
	}
	if hasDir {
		m.Dir, _ = dir.text()
	}
	return m
}

// relay reads smtp://user:password@host:port. The address is taken apart at
// once, so that no URL with a password in it can end up in a log.
func relay(v value) *Relay {
	const example = "smtp://mail.firm.example:587"
	u, ok := v.url(example, "smtp", "smtps")
	if !ok {
		return nil
	}
	out := &Relay{TLS: u.Scheme == "smtps", Username: u.User.Username()}
	password, _ := u.User.Password()
	out.Password = NewSecret(password)
	port := u.Port()
	switch {
	case port != "":
	case out.TLS:
		port = "465" // RFC 8314 §7.3
	default:
		port = "587" // RFC 6409 §3.1
	}
	out.Address = net.JoinHostPort(u.Hostname(), port)
	v.bare(&url.URL{Host: u.Host, Path: u.Path, RawQuery: u.RawQuery, ForceQuery: u.ForceQuery, Fragment: u.Fragment}, example)
	return out
}

// language reads the language of mails and pages to who has chosen none.
func language(root *fields) string {
	const standard = "en"
	v, ok := root.get("language")
	if !ok {
		return standard
	}
	return v.choice(standard, "nl", "fr", "sv", "de")
}

// timeZone reads the time zone of the firm. "Local" is refused: a container has
// none of its own, and two replicas may have two.
func timeZone(root *fields) *time.Location {
	v, ok := root.get("time_zone")
	if !ok {
		return time.UTC
	}
	name, ok := v.text()
	if !ok {
		return time.UTC
	}
	zone, err := time.LoadLocation(name) // "" would be UTC
	if err != nil || name == "" || name == "Local" {
		v.fault("%s is no time zone that is known; write a name of the IANA database, such as Europe/Brussels, or UTC", v.shown())
		return time.UTC
	}
	return zone
}
