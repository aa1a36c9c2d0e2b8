package gateway

import (
	"context"
	"net/http"
	"net/url"
	"slices"

	"portico/files"
	"portico/vpath"
)

// The properties of RFC 3744 §5, for reading. There is no ACL method and no principal
// has an address, so that OPTIONS does not claim access-control: rules are made in the
// configuration and in the portal.

// access is who may do what with one thing.
type access struct {
	path vpath.Path
	list []files.Access
}

// accessTeller is a Tree that knows who else may do what. What customers see and
// what a link shows does not.
type accessTeller interface {
	Who(ctx context.Context, p vpath.Path) ([]files.Access, error)
}

// access asks who may do what with the thing itself, if the request does and the
// principal may know: the rule is that of the page of details. The members of a
// folder are not asked about: each would cost as much as the folder.
func (q *request) access(r *http.Request, query query, self *files.Node) (*access, error) {
	tree, ok := q.tree.(accessTeller)
	if !ok || !query.asks("acl") || !files.KnowsOthers(self.Rights) {
		return nil, nil //nolint:nilnil // nothing to tell is no fault
	}
	list, err := tree.Who(r.Context(), self.Path)
	if err != nil {
		return nil, err
	}
	return &access{path: self.Path, list: list}, nil
}

// principalURN names somebody. RFC 3744 §5.1 wants the address of a principal, and
// none has one here: a name that opens nothing is honest, an address would be 404.
func principalURN(subject string) string { return "urn:portico:" + url.PathEscape(subject) }

// appendOwner is who made the thing (RFC 3744 §5.1).
func appendOwner(b []byte, _ *page, n *files.Node) ([]byte, bool) {
	b = appendText(append(b, "<D:href>"...), principalURN("user:"+n.Owner.Login))
	return append(b, "</D:href>"...), n.Owner.Login != ""
}

// appendPrivileges is what the principal may do (RFC 3744 §5.4).
func appendPrivileges(b []byte, _ *page, n *files.Node) ([]byte, bool) {
	return appendPrivilegesOf(b, n.Rights), !n.Path.IsRoot()
}

// appendPrivilegesOf maps the words of rights to the privileges of RFC 3744 §3. What
// one may do with one's own things alone has no privilege, and is left out.
func appendPrivilegesOf(b []byte, words []string) []byte {
	has := func(word string) bool { return slices.Contains(words, word) }
	for _, p := range []struct {
		name string
		held bool
	}{
		{"read", has("read")},
		// §3.2: it holds the next four, so that it needs what each of them needs.
		{"write", has("write") && has("create") && has("delete")},
		{"write-properties", has("write")},
		{"write-content", has("write")},
		{"bind", has("create")},
		{"unbind", has("delete")},
		{"read-acl", files.KnowsOthers(words)},
		{"read-current-user-privilege-set", len(words) > 0},
	} {
		if p.held {
			b = append(append(append(b, "<D:privilege><D:"...), p.name...), "/></D:privilege>"...)
		}
	}
	return b
}

// appendSupportedPrivileges is the tree of all privileges (RFC 3744 §5.3), the same
// for all things.
func appendSupportedPrivileges(b []byte, _ *page, _ *files.Node) ([]byte, bool) {
	const open, shut = "<D:supported-privilege><D:privilege><D:", "</D:supported-privilege>"
	leaf := func(name, says string) {
		b = append(b, open+name+`/></D:privilege><D:description xml:lang="en">`+says+"</D:description>"+shut...)
	}
	b = append(b, open+`all/></D:privilege><D:abstract/><D:description xml:lang="en">All</D:description>`...)
	leaf("read", "Read")
	leaf("read-acl", "Know who has access")
	leaf("read-current-user-privilege-set", "Know one's own rights")
	b = append(b, open+`write/></D:privilege><D:abstract/><D:description xml:lang="en">Change</D:description>`...)
	leaf("write-properties", "Change properties")
	leaf("write-content", "Change the content")
	leaf("bind", "Put something into the folder")
	leaf("unbind", "Delete")
	return append(b, shut+shut...), true
}

// appendACL is who may do what with the thing (RFC 3744 §5.5), each entry the sum of
// what all rules give and take. None can be changed from here, so all are protected.
func appendACL(b []byte, p *page, n *files.Node) ([]byte, bool) {
	if p.access == nil || p.access.path != n.Path {
		return b, false
	}
	for _, a := range p.access.list {
		mark := len(b)
		b = append(b, "<D:ace><D:principal>"...)
		if a.Subject == "everyone" { // all who have signed in
			b = append(b, "<D:authenticated/>"...)
		} else {
			b = appendText(append(b, "<D:href>"...), principalURN(a.Subject))
			b = append(b, "</D:href>"...)
		}
		b = append(b, "</D:principal><D:grant>"...)
		start := len(b)
		if b = appendPrivilegesOf(b, a.Rights); len(b) == start {
			b = b[:mark]
			continue
		}
		b = append(b, "</D:grant><D:protected/></D:ace>"...)
	}
	return b, true
}

// appendACLRestrictions says that entries only give (RFC 3744 §5.6.1).
func appendACLRestrictions(b []byte, _ *page, _ *files.Node) ([]byte, bool) {
	return append(b, "<D:grant-only/>"...), true
}

// appendNothing is a property that is there and empty.
func appendNothing(b []byte, _ *page, _ *files.Node) ([]byte, bool) { return b, true }
