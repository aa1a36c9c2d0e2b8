package ldap

import (
	"context"
	"errors"
	"fmt"

	goldap "github.com/go-ldap/ldap/v3"
)

// page is how many entries one answer of a long list holds.
const page = 500

// Check tells whether the directory can be used: a server answers, takes the
// account that searches, and has the bases.
func (d *Directory) Check(ctx context.Context) error {
	ctx, cancel := d.limit(ctx)
	defer cancel()
	if err := d.pooled(ctx, d.checkBases); err != nil {
		return unavailable("check", err)
	}
	return nil
}

// CheckEach does the same with each server, also those that are passed over at
// the moment. The errors stand in the order of the servers; nil is a good one.
func (d *Directory) CheckEach(ctx context.Context) []error {
	faults := make([]error, len(d.servers))
	for i, s := range d.servers {
		ctx, cancel := d.limit(ctx)
		if err := d.onLink(ctx, s, d.checkBases); err != nil {
			faults[i] = unavailable("check "+s.url.Host+": "+mend(err), err)
		}
		cancel()
	}
	return faults
}

func (d *Directory) checkBases(c *goldap.Conn) error {
	bases := []string{d.o.Users.Base}
	if d.o.Groups != nil {
		bases = append(bases, d.o.Groups.Base)
	}
	for _, base := range bases {
		req := d.request(base, "(objectClass=*)", 1, []string{"1.1"})
		req.Scope = goldap.ScopeBaseObject
		found, err := c.Search(req)
		if err == nil && len(found.Entries) == 0 {
			err = goldap.NewError(goldap.LDAPResultNoSuchObject, errors.New("nothing is there"))
		}
		if goldap.IsErrorWithCode(err, goldap.LDAPResultNoSuchObject) {
			return fmt.Errorf("the base %q does not exist, or bind_dn may not read it: %w", base, err)
		}
		if err != nil {
			return err //nolint:wrapcheck // pooled looks at the code
		}
	}
	return nil
}

// Count is how many people and groups the directory has for us.
func (d *Directory) Count(ctx context.Context) (users, groups int, err error) {
	people, err := d.list(ctx, d.o.Users.Base, d.users.all(), "1.1")
	if err != nil {
		return 0, 0, unavailable("count", err)
	}
	if d.o.Groups == nil {
		return len(people), 0, nil
	}
	all, err := d.list(ctx, d.o.Groups.Base, d.allGroups(), "1.1")
	if err != nil {
		return 0, 0, unavailable("count", err)
	}
	return len(people), len(all), nil
}

// GroupNames are the names of all groups, as the rules know them, each with how
// many groups of the directory have it: more than one is worth a warning.
func (d *Directory) GroupNames(ctx context.Context) (map[string]int, error) {
	names := map[string]int{}
	if d.o.Groups == nil {
		return names, nil
	}
	all, err := d.list(ctx, d.o.Groups.Base, d.allGroups(), d.o.Groups.Name)
	if err != nil {
		return nil, unavailable("group names", err)
	}
	for _, e := range all {
		if name := d.nameOf(ctx, e); name != "" {
			names[name]++
		}
	}
	return names, nil
}

// allGroups finds them all, also those that list nobody: of Active Directory
// any, of Unix accounts' primary groups most.
func (d *Directory) allGroups() string {
	t := template(d.o.Groups.Filter)
	switch {
	case d.o.activeDirectory():
		return "(objectClass=group)"
	case t.named("memberUid"):
		return "(|" + t.all() + "(objectClass=posixGroup))"
	}
	return t.all()
}

// list gives all entries below base, page by page: servers give no more than
// some hundreds at once (RFC 2696).
func (d *Directory) list(ctx context.Context, base, filter, attribute string) (all []*goldap.Entry, err error) {
	err = d.pooled(ctx, func(c *goldap.Conn) error {
		all = nil // of a connection that failed halfway
		paging := goldap.NewControlPaging(page)
		req := d.request(base, filter, 0, []string{attribute})
		req.Controls = []goldap.Control{paging}
		for {
			found, err := c.Search(req)
			if err != nil {
				return err //nolint:wrapcheck // pooled looks at the code
			}
			all = append(all, found.Entries...)
			next, ok := goldap.FindControl(found.Controls, goldap.ControlTypePaging).(*goldap.ControlPaging)
			if !ok || len(next.Cookie) == 0 {
				return nil
			}
			paging.SetCookie(next.Cookie)
		}
	})
	return all, err
}
