package staff

import (
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"slices"

	"portico/vpath"
)

// addLinks tells the links that open a thing: those that the one who asks made, and
// all where they may share or change rights. What a link opens beside it is on the
// link's own page, where it is changed and revoked.
func (p *pages) addLinks(r *http.Request, at vpath.Path, d *details) error {
	if p.Links == nil {
		return nil
	}
	if slices.Contains(d.Rights, "share") {
		d.NewLink = "/links/new?" + url.Values{"path": {at.String()}}.Encode()
	}
	var err error
	if d.Links, err = p.Links(r.Context(), p.kit.By(r), at); errors.Is(err, fs.ErrPermission) {
		return nil // who may not read it made none of it
	}
	return err
}
