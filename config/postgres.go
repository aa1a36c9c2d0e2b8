package config

import (
	"net"
	"net/url"
	"slices"
	"strings"
)

const (
	examplePostgres = "postgres://portico:${DB_PASSWORD}@db.firm.example/portico?sslmode=verify-full"
	notAnAddress    = "this is not an address; write it as " + examplePostgres + " (in a password %25 for %, %40 for @, %23 for #, %2F for /, %3F for ?)"
)

// postgresOptions are those that may stand behind the "?". Any other would be a
// setting of the session, and one of them (synchronous_commit) makes durable
// what is answered 201; host and user would say something else than what stands
// before the "?".
func postgresOptions() []string {
	return []string{"sslmode", "sslrootcert", "sslcert", "sslkey", "connect_timeout", "application_name", "search_path", "host"}
}

// postgres checks an address. No fault repeats any of it: it may hold a password.
func (l *loader) postgres(v value, s string) {
	u, err := url.Parse(s)
	if err != nil {
		v.fault("%s", notAnAddress)
		return
	}
	options, ok := v.postgresOptions(u)
	if !ok {
		return
	}
	socket := options.Get("host")
	switch {
	case u.Fragment != "" || u.Opaque != "" || !isPort(u.Port()):
		v.fault("%s", notAnAddress)
	case socket != "" && (!strings.HasPrefix(socket, "/") || u.Host != ""):
		v.fault("the option host is for the folder of a socket on this machine, as in postgres:///portico?host=/run/postgresql; write any other host before the path")
	case socket == "" && !isHost(u.Hostname()):
		v.fault("there is no host, or more than one, in the address; write it as %s", examplePostgres)
	default:
		v.postgresTLS(options, socket != "" || isLoopback(net.JoinHostPort(u.Hostname(), "5432")))
	}
	if name := strings.TrimPrefix(u.Path, "/"); name == "" || strings.Contains(name, "/") {
		v.fault("there is no name of a database in the address; write it as %s", examplePostgres)
	}
}

// postgresOptions takes what stands behind the "?" apart.
func (v value) postgresOptions(u *url.URL) (url.Values, bool) {
	options, err := url.ParseQuery(u.RawQuery)
	if err != nil {
		v.fault("what stands behind the ? is not NAME=VALUE&NAME=VALUE; write it as %s", examplePostgres)
		return nil, false
	}
	for name, values := range options {
		known := postgresOptions()
		if !slices.Contains(known, name) || len(values) > 1 { // it may be what follows a ? in a password
			v.fault("what stands behind the ? has an option that is not known here, or one twice; known are %s (a ? in a password is %%3F)", strings.Join(known, ", "))
			return nil, false
		}
	}
	return options, true
}

// postgresTLS: whoever can answer for the database is asked whether a session is
// a good one, so that across a network its certificate must be proved. There is
// no way round.
func (v value) postgresTLS(options url.Values, local bool) {
	mode := options.Get("sslmode")
	if ca := options.Get("sslrootcert"); ca != "" && ca != "system" {
		if err := authorities(ca); err != nil {
			v.fault("the file of sslrootcert cannot be used: %s; write the path of a PEM file with the certificate of your authority", why(err))
		}
	}
	switch mode {
	case "verify-full":
	case "require", "verify-ca":
		if !local {
			v.warn("sslmode=%s does not check that the certificate is the database's own; write sslmode=verify-full", mode)
		}
	case "", "disable", "allow", "prefer":
		if !local {
			v.fault("the state would cross the network unencrypted, or to whoever answers; add sslmode=verify-full, as in %s", examplePostgres)
		}
	default:
		v.fault("there is no such sslmode; write sslmode=verify-full")
	}
}
