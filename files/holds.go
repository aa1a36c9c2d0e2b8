package files

import (
	"context"

	"portico/acl"
)

// fillRights adds what the principal may do with each thing, and whose it is.
func (t *Tree) fillRights(ctx context.Context, self *Node, below []Node) {
	known := map[string]Owner{}
	t.addRights(ctx, self, known)
	for i := range below {
		t.addRights(ctx, &below[i], known)
	}
}

// addRights judges n as a request for it would be: a right of the :own form holds
// if the principal has made the thing.
func (t *Tree) addRights(ctx context.Context, n *Node, known map[string]Owner) {
	if n.Path.IsRoot() || t.as != nil && !t.mayLook(n.Path.Top()) {
		return
	}
	rights := t.view.Rights(n.Path)
	for _, r := range acl.AllRights() {
		own := n.By != "" && n.By == t.who.acl.ID
		fixed := r == acl.Delete && n.Path.Depth() == 1 // a workspace stands and falls with the configuration
		if !fixed && (rights.Has(r) || own && rights.HasOwn(r)) {
			n.Rights = append(n.Rights, r.String())
		}
	}
	owner, ok := known[n.By]
	if !ok {
		owner = t.ownerOf(ctx, n.By)
		known[n.By] = owner
	}
	n.Owner = owner
}

// ownerOf is the member of the firm with an ID, from memory.
func (t *Tree) ownerOf(ctx context.Context, id string) Owner {
	if id == "" || t.s.Giver == nil || isOutside(id) {
		return Owner{}
	}
	who, err := t.s.Giver(ctx, id)
	if err != nil { // they have left, or nobody can tell at this moment
		return Owner{}
	}
	return Owner{Login: who.Login, Name: who.Name}
}
