package staff

import (
	"net/http"

	"portico/portal/content"
)

// raw sends a file, or a range of it.
func (p *pages) raw(w http.ResponseWriter, r *http.Request) {
	t, here, ok := p.open(w, r)
	if !ok {
		return
	}
	if err := content.Send(w, r, t, here); err != nil {
		p.fail(w, r, here, err)
	}
}
