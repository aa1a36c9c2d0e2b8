package config

import (
	"time"

	"portico/acl"
)

// Config is a file without a fault.
type Config struct {
	File     string
	Digest   string // of the file's content, to tell whether it has changed since
	Warnings Faults // what is allowed, but probably not meant

	Server  Server
	State   State
	Storage map[string]Storage // by name
	Users   map[Login]User
	LDAP    *LDAP // nil for none
	OIDC    *OIDC // nil for none

	// RequireAppPassword keeps drives from signing in with the person's own
	// password.
	RequireAppPassword bool

	Audit      Audit
	Groups     []acl.Group
	Roles      map[string]acl.Role // those of the file, beside the built-in ones
	Workspaces []Workspace         // in the order of the file
	Assertions []Assertion         // they hold
	Mail       *Mail               // nil for none
	Language   string              // of mails and pages to who has chosen none
	TimeZone   *time.Location      // of the firm: in mails, and on pages to a browser that tells no other
	WebDAV     WebDAV

	Spec   acl.Spec    // all that Policy is made of; rules of the state store may be added to a copy
	Policy *acl.Policy // Spec compiled
}

// Load reads a config. env looks up environment variables, as os.LookupEnv
// does. The error is Faults: all faults of the file, sorted by line.
func Load(file string, env func(string) (string, bool)) (*Config, error) {
	data, _, err := readBounded(file, maxFile)
	if err != nil {
		return nil, Faults{{File: file, Text: "the config cannot be read: " + why(err) + "; check the path"}}
	}
	return parse(file, data, env)
}

// parse is Load for a content that has been read. An empty result beside a fault
// is deliberate: half a policy must not exist, not even for a moment.
func parse(file string, data []byte, env func(string) (string, bool)) (*Config, error) {
	l := newLoader(file, env)
	root, ok := l.document(data)
	if !ok {
		return nil, l.faults.sorted()
	}
	c := l.config(root.fields())
	c.Digest = digest(data)
	if len(l.faults) == 0 {
		l.compile(c)
	}
	if len(l.faults) > 0 {
		return nil, l.faults.sorted()
	}
	c.Warnings = l.warnings.sorted()
	return c, nil
}

// loader is the state of one Load.
type loader struct {
	file     string
	env      func(string) (string, bool)
	faults   Faults
	warnings Faults

	// What rules may refer to, as far as it has been read.
	userNames, groupNames, roleNames, storageNames, workspaceNames *names

	listenAt  value    // where server.listen stands
	stateAt   value    // where state stands
	drainSaid bool     // server.drain is there
	hashes    []hashAt // the passwords
}

// newLoader makes the state of one Load; nothing is kept between two of them,
// so that a reload judges a file as a start would.
func newLoader(file string, env func(string) (string, bool)) *loader {
	return &loader{
		file: file, env: env,
		userNames:      newNames("user", "add it under identity.users or correct the name"),
		groupNames:     newNames("group", "add it under groups or correct the name"),
		roleNames:      newNames("role", "add it under roles or correct the name"),
		storageNames:   newNames("storage", "add it under storage or correct the name"),
		workspaceNames: newNames("workspace", "add it under workspaces or correct the name"),
	}
}

// config reads the sections, those that others refer to first.
func (l *loader) config(root *fields) *Config {
	c := &Config{File: l.file}
	c.Server = l.server(root)
	c.State = l.state(root)
	c.Audit = l.audit(root, c.State)
	if !l.drainSaid && !c.State.Postgres.IsZero() {
		c.Server.Drain = replicaDrain
	}
	c.Storage = l.storages(root)
	l.identity(c, root)
	c.Groups = l.groups(root)
	c.Roles = l.roles(root)
	c.Spec.Groups = c.Groups
	l.workspaces(c, root)
	c.Assertions = l.assertions(root)
	c.Mail = l.mail(root)
	c.Language = language(root)
	c.TimeZone = timeZone(root)
	c.WebDAV = webdav(root)
	root.close()
	l.refusePlainHTTP(c.Server)
	l.refuseDemoPassword(c.Server)
	return c
}

// compile makes the policy and holds the assertions against it. It is worth
// doing only for a file without a fault: a rule that is missing would break
// assertions that are right.
func (l *loader) compile(c *Config) {
	policy, err := acl.Compile(c.Spec)
	if err != nil {
		l.add(1, "the rules cannot be used: %v", err)
		return
	}
	c.Policy = policy
	l.check(c)
}
