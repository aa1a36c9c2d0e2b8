package client

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"

	"portico/fault"
	"portico/portal/content"
	"portico/portal/web"
	"portico/vpath"
)

// dropArea is where documents are dropped, or chosen: a plain form, which the
// uploader takes over where there are scripts.
type dropArea struct {
	Href    string // of the folder, and of its form
	Path    string // as uploads name it
	Into    string // the folder's name, where the page is another's
	Uploads string
}

func (p *pages) dropInto(href string, path vpath.Path) dropArea {
	return dropArea{Href: href, Path: path.String(), Uploads: p.Uploads}
}

// take stores what a plain form brings.
func (p *pages) take(w http.ResponseWriter, r *http.Request) {
	s, ok := p.at(w, r)
	if !ok {
		return
	}
	if !s.slash {
		p.replaceAt(w, r, s)
		return
	}
	text := p.kit.Text(r)
	taken, err := content.Take(r.Context(), r, s.win, s.path)
	said := text.N("{n} documents sent. Each has a receipt.", len(taken))
	switch {
	case err != nil && web.Status(err) >= http.StatusInternalServerError:
		p.kit.Fail(w, r, err)
		return
	case err != nil && len(taken) == 0:
		said = p.explain(r, err)
	case err != nil:
		said += " " + p.explain(r, err)
	case len(taken) == 0:
		said = text.T("No document was chosen.")
	}
	p.done(w, r, s.page(true), said)
}

// replace is a new version of a file that was shared by itself.
func (p *pages) replace(w http.ResponseWriter, r *http.Request) {
	if s, ok := p.at(w, r); ok {
		p.replaceAt(w, r, s)
	}
}

func (p *pages) replaceAt(w http.ResponseWriter, r *http.Request, s spot) {
	_, err := content.Replace(r.Context(), r, s.win, s.path, r.URL.Query().Get("version"))
	said := p.text(r, "The new version is there. It has a receipt.")
	switch {
	case errors.Is(err, content.ErrNoFile):
		said = p.text(r, "No document was chosen.")
	case err != nil && web.Status(err) >= http.StatusInternalServerError:
		p.kit.Fail(w, r, err)
		return
	case err != nil:
		said = p.explain(r, err)
	}
	p.done(w, r, s.page(false), said)
}

// errNoDeposit is one that there is not, or that is another's.
var errNoDeposit = errors.New("client: no such deposit")

// depositOf finds one of their own.
func (p *pages) depositOf(r *http.Request, id string) (Deposit, error) {
	all, err := p.sent(r)
	if err != nil {
		return Deposit{}, err
	}
	for _, d := range all {
		if d.ID == id {
			return d, nil
		}
	}
	return Deposit{}, fmt.Errorf("%w: %s", errNoDeposit, id)
}

// explain is why something was not taken: the kind alone, since the sentence of an
// error names a path, and the customer has sent a document.
func (p *pages) explain(r *http.Request, err error) string {
	for _, kind := range []error{
		fault.ErrPrecondition, fault.ErrQuota, fault.ErrTooLarge, fault.ErrTruncated, fault.ErrLocked, fault.ErrBusy, fs.ErrExist, fs.ErrPermission, fs.ErrInvalid,
	} {
		if errors.Is(err, kind) {
			return p.kit.Explain(r, kind)
		}
	}
	return p.kit.Explain(r, err)
}
