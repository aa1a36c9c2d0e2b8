package config

// demoPassword is that of the users in example.yaml, known to everybody.
const demoPassword = "portico-demo"

// maxDemoChecks bounds the check below: a hash costs up to half a second, and a
// config is loaded again at each change. Who copied example.yaml has its users
// first.
const maxDemoChecks = 64

// refuseDemoPassword reports the users who have the demo password on a server
// that others can reach, be it through a proxy.
func (l *loader) refuseDemoPassword(s Server) {
	var reach string
	switch {
	case !isLoopback(s.Listen):
		reach = "server.listen " + s.Listen
	case s.PublicURL != nil && !isLoopback(hostPort(s.PublicURL)):
		reach = "server.public_url " + s.PublicURL.String()
	default:
		return
	}
	checks := 0
	for _, h := range l.hashes {
		if !h.hash.Cheap() {
			continue // nobody hashes a demo password at such expense
		}
		if checks++; checks > maxDemoChecks {
			return
		}
		if h.hash.Verify(demoPassword) {
			h.at.fault(`this is the demo password %q, known to everybody, and %s is not loopback; put a hash of another password there ("portico hash-password"), or remove the user`, demoPassword, reach)
		}
	}
}

// refusePlainHTTP: Basic authentication sends the password with each request.
func (l *loader) refusePlainHTTP(s Server) {
	if isLoopback(s.Listen) || s.TLS != nil || s.DangerouslyAllowPlainHTTP {
		return
	}
	l.listenAt.fault("%s is not loopback and there is no server.tls: passwords would cross the network unencrypted; add tls:, listen on 127.0.0.1 behind a proxy that speaks TLS, or set dangerously_allow_plain_http: true", s.Listen)
}
