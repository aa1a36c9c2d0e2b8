package tus

import (
	"net/http"

	"portico/files"
	"portico/portal/web"
)

// prefix is where uploads are.
const prefix = "/api/v1/uploads"

// Room gives the routes of uploads to the portal: who asks is found out as for the
// rest of the API, and errors are those of its one table. tree is where the uploads
// of a request go.
func Room(tree func(k *web.Kit, r *http.Request) (Tree, error), o Options) web.Room {
	return func(k *web.Kit) []web.Route {
		o.Prefix, o.Fail, o.Text, o.Log = prefix, k.Fail, k.Text, k.Log
		o.Locked = func(r *http.Request, l *files.LockedError) string { return web.Locked(k.Text(r), l, k.Clock()) }
		o.Tree = func(r *http.Request) (Tree, error) { return tree(k, r) }
		h := New(o).ServeHTTP
		var all []web.Route
		add := func(needs web.Needs, pattern string) {
			all = append(all, web.Route{Pattern: pattern, Needs: needs, API: true, Handler: h})
		}
		add(web.Anyone, "OPTIONS "+prefix) // a client asks before it knows who it is
		add(web.Anyone, "OPTIONS "+prefix+"/{id}")
		add(web.SignedIn, "POST "+prefix)
		add(web.SignedIn, "HEAD "+prefix+"/{id}")
		add(web.SignedIn, "PATCH "+prefix+"/{id}")
		add(web.SignedIn, "POST "+prefix+"/{id}") // with X-HTTP-Method-Override
		add(web.SignedIn, "DELETE "+prefix+"/{id}")
		return all
	}
}
