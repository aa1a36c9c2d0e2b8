package portal

import (
	"portico/portal/web"
)

// Routes are all that New serves, for the tests that go through them.
func Routes(o Options) []web.Route {
	p := newPortal(o)
	all := p.routes()
	for _, room := range o.Rooms {
		all = append(all, room(p.kit)...)
	}
	return all
}
