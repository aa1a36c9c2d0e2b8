// Package acltest holds what tests of the rules share: rules in the config's
// own words, a naive evaluator that is written straight from DESIGN.md §5 and
// has nothing in common with package acl but its input, random rules, and the
// reader of the case files. It serves the tests of acl, and those that drive
// the same rules through a running server.
package acltest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"gopkg.in/yaml.v3"

	"portico/acl"
	"portico/vpath"
)

// Rules are a config's groups, roles and workspaces, and what comes from the
// state store. Subjects, roles and rights are the words that the config has.
type Rules struct {
	Groups     map[string]Group     `yaml:"groups,omitempty"`
	Roles      map[string][]string  `yaml:"roles,omitempty"`
	Workspaces map[string]Workspace `yaml:"workspaces"`

	Shares []Share           `yaml:"-"` // grants of the state store
	People map[string]Person `yaml:"-"` // by subject, "user:ann"
	Lines  map[string]int    `yaml:"-"` // where rules stand, by ruleKey; may be nil
}

// Group is an entry of groups. A member without a prefix is a user.
type Group struct {
	Members []string `yaml:"members,flow"`
}

// Workspace is an entry of workspaces.
type Workspace struct {
	Storage string            `yaml:"storage,omitempty"`
	Folders map[string]Folder `yaml:"folders"`
}

// Folder is an entry of folders; its key is the path inside the workspace.
type Folder struct {
	Inherit *bool               `yaml:"inherit,omitempty"`
	Grant   map[string]string   `yaml:"grant,omitempty,flow"`
	Deny    map[string][]string `yaml:"deny,omitempty,flow"`
}

// Share is a grant that somebody made, or, without a giver, one that the state
// store holds by itself.
type Share struct {
	Path, Subject, Role string
	Giver               string // a key of People
	Until               time.Time
}

// Person is somebody who asks.
type Person struct {
	Groups   []string // names that the directory gives
	Guest    bool     // not one of everyone
	Only     string   // the only workspace that their app password opens, "" for any
	ReadOnly bool     // it only lets read
}

// Everyone in these tests asks at this moment.
func now() time.Time { return time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC) }

// Now is the moment at which the rules are judged.
func (r *Rules) Now() time.Time { return now() }

// folders are the entries of all workspaces by full path: "/firm/HR".
func (r *Rules) folders() map[string]Folder {
	all := map[string]Folder{}
	for name, w := range r.Workspaces {
		for path, f := range w.Folders {
			all[strings.TrimSuffix("/"+name+path, "/")] = f
		}
	}
	return all
}

// ID is the immutable ID of a subject, under which its creations are kept.
func ID(subject string) string {
	if subject == "" {
		return ""
	}
	return "id-" + subject
}

// Principal is a person as package acl takes one.
func (r *Rules) Principal(subject string) acl.Principal {
	person := r.People[subject]
	p := acl.Principal{
		ID: ID(subject), Self: acl.Subject(subject), Staff: !person.Guest,
		Limit: acl.Limit{Workspace: person.Only, ReadOnly: person.ReadOnly},
	}
	for _, g := range person.Groups {
		p.Groups = append(p.Groups, acl.Membership{Group: acl.GroupOf(g)})
	}
	return p
}

// ruleKey names a rule for Lines. subject is "" for the folder itself.
func ruleKey(path, kind, subject string) string { return path + " " + kind + " " + subject }

// Spec is the rules as package acl takes them, in a fixed order.
func (r *Rules) Spec() (acl.Spec, error) {
	var spec acl.Spec
	for _, name := range sorted(r.Groups) {
		g := acl.Group{Name: name}
		for _, m := range r.Groups[name].Members {
			g.Members = append(g.Members, acl.Subject(fullSubject(m)))
		}
		spec.Groups = append(spec.Groups, g)
	}
	folders := r.folders()
	for _, path := range sorted(folders) {
		if err := r.addFolder(&spec, path, folders[path]); err != nil {
			return acl.Spec{}, fmt.Errorf("acltest: spec: %s: %w", path, err)
		}
	}
	for i, s := range r.Shares {
		role, err := r.role(s.Role)
		if err != nil {
			return acl.Spec{}, fmt.Errorf("acltest: spec: share %d: %w", i, err)
		}
		g := acl.Grant{Path: vpath.Must(s.Path), Subject: acl.Subject(s.Subject), Role: role, Until: s.Until}
		if s.Giver != "" {
			giver := r.Principal(s.Giver)
			g.Giver = &giver
		}
		spec.Grants = append(spec.Grants, g)
	}
	return spec, nil
}

func (r *Rules) addFolder(spec *acl.Spec, path string, f Folder) error {
	p, err := vpath.Parse(path)
	if err != nil {
		return err
	}
	spec.Folders = append(spec.Folders, acl.Folder{
		Path: p, Inherit: f.Inherit == nil || *f.Inherit, At: r.source(path, "folder", ""),
	})
	for _, subject := range sorted(f.Grant) {
		role, err := r.role(f.Grant[subject])
		if err != nil {
			return err
		}
		spec.Grants = append(spec.Grants, acl.Grant{
			Path: p, Subject: acl.Subject(subject), Role: role, At: r.source(path, "grant", subject),
		})
	}
	for _, subject := range sorted(f.Deny) {
		rights, err := acl.ParseRights(f.Deny[subject])
		if err != nil {
			return err
		}
		spec.Denies = append(spec.Denies, acl.Deny{
			Path: p, Subject: acl.Subject(subject), Rights: rights, At: r.source(path, "deny", subject),
		})
	}
	return nil
}

// source is where a rule stands; rules that were never in a file get a line too,
// because all rules of a config have one.
func (r *Rules) source(path, kind, subject string) acl.Source {
	return acl.Source{File: "rules.yaml", Line: max(1, r.Lines[ruleKey(path, kind, subject)])}
}

func (r *Rules) role(name string) (acl.Role, error) {
	if words, custom := r.Roles[name]; custom {
		return acl.NewRole(name, words)
	}
	if role, ok := acl.RoleNamed(name); ok {
		return role, nil
	}
	return acl.Role{}, fmt.Errorf("there is no role %q", name)
}

// fullSubject is a group's member with its prefix.
func fullSubject(member string) string {
	if strings.Contains(member, ":") {
		return member
	}
	return "user:" + member
}

func sorted[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }

// Config is the groups, roles and workspaces as YAML, to be put beside the
// other sections of a config. All workspaces lie in the storage of that name.
func (r *Rules) Config(storage string) string {
	out := *r
	out.Workspaces = map[string]Workspace{}
	for name, w := range r.Workspaces {
		out.Workspaces[name] = Workspace{Storage: storage, Folders: w.Folders}
	}
	text, err := yaml.Marshal(&out)
	if err != nil {
		panic(err) // unreachable: strings and maps of them
	}
	return string(text)
}
