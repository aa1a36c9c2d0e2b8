package config

// DemoPassword is that of the users in example.yaml, known to everybody.
const DemoPassword = "portico-demo"

// Reach names the key and the address by which others than this machine can come,
// be it through a proxy; "" if nobody can.
func (s Server) Reach() string {
	switch {
	case !isLoopback(s.Listen):
		return "server.listen " + s.Listen
	case s.PublicURL != nil && !isLoopback(hostPort(s.PublicURL)):
		return "server.public_url " + s.PublicURL.String()
	}
	return ""
}

// maxDemoChecks bounds the check below: a hash costs up to half a second, and a
// config is loaded again at each change. Who copied example.yaml has its users
// first.
const maxDemoChecks = 64

// refuseDemoPassword reports the users who have the demo password on a server
// that others can reach.
func (l *loader) refuseDemoPassword(s Server) {
	reach := s.Reach()
	if reach == "" {
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
		if h.hash.Verify(DemoPassword) {
			h.at.fault(`this is the demo password %q, known to everybody, and %s is not loopback; put a hash of another password there ("portico hash-password"), or remove the user`, DemoPassword, reach)
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
