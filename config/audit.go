package config

import (
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	minAuditKey  = 32 // bytes: those of HMAC-SHA256 (RFC 2104 §3)
	minAuditKeep = 24 * time.Hour
	maxAuditKeep = 100 * 366 * 24 * time.Hour
	auditKeyMend = `put there what "portico audit key --new" prints, as in  audit: {key: "${file:/run/secrets/audit}"}`
)

// audit reads where the record goes. It may be left out: the state store has it
// all.
func (l *loader) audit(root *fields, s State) Audit {
	shared := !s.Postgres.IsZero()
	section, ok := root.get("audit")
	if !ok {
		if shared {
			l.stateAt.fault("replicas that share a state must sign the audit with one key, and there is none; %s", auditKeyMend)
		}
		return Audit{}
	}
	f := section.fields()
	defer f.close()
	a := Audit{Key: auditKey(f, shared), File: auditFile(f, "file"), Syslog: syslog(f), Checkpoints: auditFile(f, "checkpoints")}
	if a.File != "" && a.Checkpoints != "" && realPath(a.File) == realPath(a.Checkpoints) {
		v, _ := f.get("checkpoints")
		v.fault("this is the file of audit.file; give the checkpoints one of their own, best on another machine")
	}
	if v, ok := f.get("keep"); ok {
		a.Keep = v.duration(minAuditKeep, maxAuditKeep, "1d to 100y, as in 2y")
	}
	auditPersonal(f, &a)
	return a
}

// auditPersonal reads what becomes of names and addresses. What stands in rows
// in plain cannot be taken out of a chain again.
func auditPersonal(f *fields, a *Audit) {
	if v, ok := f.get("personal"); ok {
		switch s, isText := v.text(); {
		case isText && s == "plain":
			a.Plain = true
		case isText && s != "sealed":
			v.fault("%s is neither sealed, which can be erased, nor plain", v.shown())
		}
	}
	v, ok := f.get("addresses")
	if !ok {
		return
	}
	a.Addresses = v.duration(minAuditKeep, maxAuditKeep, "1d to 100y, as in 90d")
	if a.Plain {
		v.fault("with personal: plain addresses stay as long as their records; remove one of the two")
	}
}

// auditKey takes the bytes of the text as they are, whatever they spell: hex or
// base64 of 32 random bytes is long enough in either case. Replicas need one
// key, so that each can check and cut what the others wrote.
func auditKey(f *fields, needed bool) Secret {
	v, ok := f.get("key")
	if !ok && needed {
		f.need("key", auditKeyMend)
	}
	if !ok {
		return Secret{}
	}
	key := v.secret()
	if n := len(key.Reveal()); n > 0 && n < minAuditKey {
		v.fault("the key has %d bytes, and must have %d at least to be no guess; %s", n, minAuditKey, auditKeyMend)
	}
	return key
}

// auditFile reads the path of a file that need not exist yet.
func auditFile(f *fields, key string) string {
	v, ok := f.get(key)
	if !ok {
		return ""
	}
	s, ok := v.text()
	switch {
	case !ok:
		return ""
	case strings.ContainsFunc(s, func(r rune) bool { return r < ' ' }):
		v.fault("the path has a control character; remove it")
		return ""
	}
	if info, err := os.Stat(s); err == nil && info.IsDir() {
		v.fault("%s is a folder; write the path of a file", v.shown())
	}
	return s
}

// syslog reads where a syslog server listens.
func syslog(f *fields) *url.URL {
	const example = "tls://log.firm.example:6514"
	v, ok := f.get("syslog")
	if !ok {
		return nil
	}
	if s, _ := v.text(); strings.HasPrefix(s, "unix:") {
		path := strings.TrimPrefix(strings.TrimPrefix(s, "unix:"), "//")
		if !strings.HasPrefix(path, "/") || strings.ContainsRune(path, 0) {
			v.fault("this is not the path of a socket; write it as unix:/dev/log")
		}
		return &url.URL{Scheme: "unix", Path: path}
	}
	u, ok := v.url(example, "tls", "tcp", "udp")
	switch {
	case !ok || !v.bare(u, example):
		return nil
	case u.Port() == "":
		v.fault("there is no port in the address; write it as %s", example)
		return nil
	case u.Scheme != "tls" && !isLoopback(u.Host):
		v.warn("names of people and files cross the network to %s unencrypted; use tls:// unless that network is yours alone", u.Host)
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}
}
