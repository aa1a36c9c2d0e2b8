package config

import (
	"log/slog"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// Server is how the program is reached.
type Server struct {
	Listen string // host:port

	// PublicURL is scheme://host[:port] without a path, for links, mails and
	// Destination headers. It is nil where the key is left out, which only a
	// loopback listener may: then it is the address that is listened on.
	PublicURL *url.URL

	MetricsListen string   // "" for no metrics
	Hosts         []string // further Host headers to answer to, without a port
	TLS           *TLS     // nil for plain HTTP
	Log           Log

	// TrustedProxies may name the client in X-Forwarded-For. None by default.
	TrustedProxies []netip.Prefix

	// Replica names this process among those that share a state; "" where it is
	// left out, and the host's name is to be taken.
	Replica string

	// Drain is how long a server that was told to end still serves, with a red
	// /readyz, so that the balancer in front notices. Where it is left out, 5 s
	// with a state that replicas share, else 0.
	Drain time.Duration

	MaxUpload                   int64 // bytes of one file
	DangerouslyAllowPlainHTTP   bool  // passwords cross the network unencrypted
	DangerouslyAllowOpenMetrics bool  // anybody who reaches the listener reads the metrics
}

// Log is how the program tells what it does.
type Log struct {
	Format string // "text" or "json"
	Level  slog.Level
}

const (
	standardListen    = "127.0.0.1:8080"
	standardMaxUpload = 50 << 30 // THREATS.md §4.1

	// replicaDrain is the standard of a replica: two checks of a balancer that
	// asks every two seconds. A server alone has nobody who would notice.
	replicaDrain = 5 * time.Second
)

// server reads the section, which may be left out: its standards serve this
// machine alone.
func (l *loader) server(root *fields) Server {
	s := Server{Listen: standardListen, MaxUpload: standardMaxUpload, Log: Log{Format: "text"}}
	section, ok := root.get("server")
	if !ok {
		return s
	}
	f := section.fields()
	defer f.close()
	if v, ok := f.get("listen"); ok {
		l.listenAt = v
		if a, ok := v.address(); ok {
			s.Listen = a
		}
	}
	s.PublicURL = l.publicURL(f, s.Listen)
	s.DangerouslyAllowOpenMetrics = f.bool("dangerously_allow_open_metrics")
	s.MetricsListen = metricsListen(f, s)
	s.Hosts = hosts(f)
	s.TrustedProxies = trustedProxies(f)
	if v, ok := f.get("max_upload"); ok {
		s.MaxUpload = v.size()
	}
	s.Log = logging(f)
	s.Replica = replica(f)
	if v, ok := f.get("drain"); ok {
		l.drainSaid = true
		s.Drain = v.duration(0, 5*time.Minute, "0s to 5m")
	}
	s.DangerouslyAllowPlainHTTP = f.bool("dangerously_allow_plain_http")
	s.TLS = l.tls(f)
	l.acme(f)
	return s
}

// replica is a name that stands in logs, in the audit's streams and in the name
// of files, so that it is plain. It is "" where the host's is to be taken.
func replica(f *fields) string {
	v, ok := f.get("replica")
	if !ok {
		return ""
	}
	s, ok := v.text()
	if ok && !regexp.MustCompile(`^[A-Za-z0-9_.-]{1,64}$`).MatchString(s) {
		v.fault("%s cannot be a replica's name; use up to 64 letters, digits, - _ and .", v.shown())
	}
	return s
}

// publicURL must be said where others come to the server: the Host header is
// theirs to choose, and a link in a mail must not lead where it says.
func (l *loader) publicURL(f *fields, listen string) *url.URL {
	const example = "https://files.firm.example"
	v, ok := f.get("public_url")
	if !ok {
		if !isLoopback(listen) {
			f.of.fault("the key public_url is missing, and %s is not loopback; write the address that people type, as in %s", listen, example)
		}
		return nil
	}
	u, ok := v.url(example, "https", "http")
	if !ok || !v.bare(u, example) {
		return nil
	}
	return &url.URL{Scheme: u.Scheme, Host: strings.ToLower(u.Host)}
}

// metricsListen: metrics tell the names of nobody, but how busy whom the server
// is; they are for the admin's network.
func metricsListen(f *fields, s Server) string {
	v, ok := f.get("metrics_listen")
	if !ok {
		return ""
	}
	a, ok := v.address()
	switch {
	case !ok:
		return ""
	case a == s.Listen && !strings.HasSuffix(a, ":0"):
		v.fault("%s is the address of server.listen; give the metrics a port of their own", a)
	case !isLoopback(a) && !s.DangerouslyAllowOpenMetrics:
		v.fault("%s lets everybody who reaches it read the metrics; listen on 127.0.0.1, or set dangerously_allow_open_metrics: true", a)
	}
	return a
}

// hosts are lower-case, as a Host header is compared (RFC 9110 §4.2.3).
func hosts(f *fields) []string {
	v, ok := f.get("hosts")
	if !ok {
		return nil
	}
	var list []string
	for _, w := range v.texts("host names") {
		if !isHost(w.text) {
			w.fault("%s is not a host name; write it without scheme and port, as in files.firm.example", w.shown())
		}
		list = append(list, strings.ToLower(w.text))
	}
	return list
}

// trustedProxies may be networks, because a proxy in a container has no fixed
// address; the whole world is refused, since then anybody could say that they
// are somebody else and pass the throttles by.
func trustedProxies(f *fields) []netip.Prefix {
	v, ok := f.get("trusted_proxies")
	if !ok {
		return nil
	}
	var list []netip.Prefix
	for _, w := range v.texts("addresses") {
		p, err := parsePrefix(w.text)
		switch {
		case err != nil:
			w.fault("%s is not an address or network; write 10.0.0.5 or 10.0.0.0/24", w.shown())
		case p.Bits() == 0:
			w.fault("%s trusts everybody to say who they are; name your proxies", w.shown())
		default:
			list = append(list, p)
		}
	}
	return list
}

// parsePrefix takes 10.0.0.0/24, or one address as a network of its own.
func parsePrefix(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		p, err := netip.ParsePrefix(s)
		return p.Masked(), err
	}
	ip, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return ip.Unmap().WithZone("").Prefix(ip.Unmap().BitLen())
}

// logging reads the section log. Text is the standard: the first one to read it
// is a person at a terminal.
func logging(root *fields) Log {
	out := Log{Format: "text"}
	section, ok := root.get("log")
	if !ok {
		return out
	}
	f := section.fields()
	defer f.close()
	if v, ok := f.get("format"); ok {
		out.Format = v.choice("text", "json")
	}
	if v, ok := f.get("level"); ok {
		out.Level = logLevel(v.choice("info", "debug", "warn", "error"))
	}
	return out
}

// logLevel is slog's number for a word.
func logLevel(word string) slog.Level {
	switch word {
	case "debug":
		return slog.LevelDebug
	case "warn":
		return slog.LevelWarn
	case "error":
		return slog.LevelError
	}
	return slog.LevelInfo
}
