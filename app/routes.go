package app

import (
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"path"
	"slices"
	"strings"

	"portico/config"
	"portico/gateway"
	"portico/portal/mount"
)

// handler is everything behind the listener. The outer layers run first: the id,
// so that each line has it; the record, which sees every answer; the limits; the
// Host, before anything believes it; the origin, before anything acts.
func (s *process) handler(cfg *config.Config, public *url.URL) http.Handler {
	address := clientAddress(cfg.Server.TrustedProxies)
	dav := gateway.New(gateway.Options{
		Files: s.files, Gate: s.gate, Log: s.log, Prefix: "/dav", PublicURLs: origins(cfg, public),
		MaxUpload: cfg.Server.MaxUpload, Realm: "Portico", RequestID: requestID, Address: address, Epoch: s.epoch, Links: s.sharing.OpenLink, Partial: cfg.WebDAV.Partial,
		Clock: s.clock, Zone: s.zone, Watch: eyes{s.doctor}, Secure: cameByTLS(cfg.Server.TrustedProxies),
	})
	pages := s.pages(cfg, public, address)
	options := gateway.OptionsHandler()
	// No ServeMux: it would clean and redirect paths that a drive's clients mean
	// as they are. That of the pages gets none that it would clean.
	routes := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case gateway.IsDrive(r.URL.Path):
			dav.ServeHTTP(w, r)
		case r.Method == http.MethodOptions && (r.URL.Path == "/" || r.URL.Path == "*"):
			options.ServeHTTP(w, r)
		case isClean(r.URL.Path):
			pages.ServeHTTP(w, r)
		default:
			refuse(w, http.StatusNotFound, "there is nothing at this address; look for a slip such as // or ..")
		}
	})
	h := http.NewCrossOriginProtection().Handler(routes)
	h = withHost(h, knownHosts(cfg, public))
	h = s.withHealth(h)
	h = withLimits(h)
	if cfg.Server.TLS != nil {
		h = withHSTS(h)
	}
	return s.withCount(withID(withRecord(h, witness{log: s.log, clock: s.clock, tell: s.metrics.request, address: address})))
}

// isClean tells a path without empty and dot segments, as all our pages have.
func isClean(p string) bool {
	return p == "/" || strings.HasPrefix(p, "/") && !strings.HasSuffix(p, "//") && path.Clean(p) == strings.TrimSuffix(p, "/")
}

// withCount knows how many requests are under way, for the end of the server.
func (s *process) withCount(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.running.Add(1)
		defer s.running.Add(-1)
		next.ServeHTTP(w, r)
	})
}

// withHost refuses requests under a name that is not ours: a page that lets its
// own name point here (DNS rebinding) reads nothing.
func withHost(next http.Handler, known map[string]bool) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !known[hostname(r.Host)] {
			refuse(w, http.StatusMisdirectedRequest, "this server does not go by that name; an administrator can add it under server.hosts")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// hostname is a Host header without its port, in lower case.
func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}

func knownHosts(cfg *config.Config, public *url.URL) map[string]bool {
	known := map[string]bool{hostname(public.Host): true, hostname(cfg.Server.Listen): true}
	for _, h := range cfg.Server.Hosts {
		known[strings.ToLower(h)] = true
	}
	if ip, err := netip.ParseAddr(hostname(cfg.Server.Listen)); err == nil && ip.IsLoopback() || known["localhost"] {
		known["localhost"], known["127.0.0.1"], known["::1"] = true, true, true
	}
	return known
}

// origins are the addresses that a Destination may name.
func origins(cfg *config.Config, public *url.URL) []*url.URL {
	list := []*url.URL{public}
	for host := range knownHosts(cfg, public) {
		for _, port := range []string{public.Port(), ""} {
			u := *public
			if u.Host = host; port != "" {
				u.Host = net.JoinHostPort(host, port)
			}
			list = append(list, &u)
		}
	}
	return list
}

func withHSTS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Strict-Transport-Security", "max-age=31536000")
		next.ServeHTTP(w, r)
	})
}

// cameByTLS tells whether a request came by TLS: here, or to a trusted proxy.
func cameByTLS(trusted []netip.Prefix) func(*http.Request) bool {
	return func(r *http.Request) bool {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if r.TLS != nil || err != nil {
			return r.TLS != nil
		}
		at := peer.Addr().Unmap().WithZone("")
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(at) }) &&
			strings.EqualFold(r.Header.Get("X-Forwarded-Proto"), "https")
	}
}

// eyes tell the mount doctor of the drive's requests: the rooms do not know each
// other.
type eyes struct{ *mount.Doctor }

// Saw is of gateway.Watcher.
func (e eyes) Saw(s gateway.Seen) {
	e.Doctor.Saw(mount.Seen(s))
}

// clientAddress is who sent a request, for the audit: the peer, or behind a
// trusted proxy the last address in X-Forwarded-For that is not one.
func clientAddress(trusted []netip.Prefix) func(*http.Request) string {
	isTrusted := func(a netip.Addr) bool {
		return slices.ContainsFunc(trusted, func(p netip.Prefix) bool { return p.Contains(a) })
	}
	return func(r *http.Request) string {
		peer, err := netip.ParseAddrPort(r.RemoteAddr)
		if err != nil {
			return r.RemoteAddr
		}
		// A zone is the machine's own matter on a peer, and a client's free text in a header.
		at := peer.Addr().Unmap().WithZone("")
		hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
		for i := len(hops) - 1; i >= 0 && isTrusted(at); i-- {
			hop, err := netip.ParseAddr(strings.TrimSpace(hops[i]))
			if err != nil {
				break
			}
			at = hop.Unmap().WithZone("")
		}
		return at.String()
	}
}
