package config

import "strings"

// State is where everything is kept that is not a file. Exactly one of the two
// is set.
type State struct {
	SQLite   string // the path of the database file, or ""
	Postgres Secret // else the address, postgres://…
}

// state has no standard: it is what a backup must hold beside the files, so its
// place should be known to who wrote the config.
func (l *loader) state(root *fields) State {
	const mend = "write sqlite:PATH, as in sqlite:data/portico.db"
	s, v, ok := root.needText("state", mend)
	if !ok {
		return State{}
	}
	l.stateAt = v
	scheme, path, _ := strings.Cut(s, ":")
	switch {
	case scheme == "postgres" || scheme == "postgresql":
		l.postgres(v, s)
		return State{Postgres: NewSecret(s)}
	case scheme != "sqlite":
		v.fault("the state must be kept in sqlite:PATH, or in postgres://… for several replicas; %s", mend)
	case path == "" || strings.HasPrefix(path, ":") || strings.HasPrefix(path, "file:") || strings.ContainsAny(path, "?#\x00"):
		// ":memory:" would forget all locks and moves; "?" begins options of the driver.
		v.fault("this is not the path of a file; %s", mend)
	}
	return State{SQLite: path}
}
