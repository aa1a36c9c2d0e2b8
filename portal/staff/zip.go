package staff

import (
	"io/fs"
	"net/http"

	"portico/fault"
	"portico/files"
	"portico/portal/content"
	"portico/vpath"
)

// maxAtOnce are the archives that one person may fetch at once.
const maxAtOnce = 2

// zipFolder sends a whole folder.
func (p *pages) zipFolder(w http.ResponseWriter, r *http.Request) {
	t, here, ok := p.open(w, r)
	if !ok {
		return
	}
	if here.IsRoot() {
		p.kit.Absent(w, r)
		return
	}
	p.zip(w, r, t, here.Name(), here.Parent(), []vpath.Path{here})
}

// zipItems sends what was chosen in a folder.
func (p *pages) zipItems(w http.ResponseWriter, r *http.Request) {
	f, ok := p.form(w, r)
	if !ok {
		return
	}
	t, err := p.tree(r)
	switch {
	case err != nil:
		p.kit.Fail(w, r, err)
	case len(f.items) == 0:
		p.back(w, r, f.in, fault.Tell(fs.ErrInvalid, "Nothing is chosen."))
	case len(f.items) == 1:
		p.zip(w, r, t, f.names[0], f.in, f.items)
	default:
		name := f.in.Name()
		if name == "" {
			name = "files"
		}
		p.zip(w, r, t, name, f.in, f.items)
	}
}

// zip sends an archive.
func (p *pages) zip(w http.ResponseWriter, r *http.Request, t *files.Tree, name string, base vpath.Path, items []vpath.Path) {
	done, ok := p.busy.Begin(p.who(r).ID)
	if !ok {
		p.kit.Fail(w, r, fault.Tell(fault.ErrBusy, "Two downloads of several files are under way already. Wait until one has ended."))
		return
	}
	defer done()
	err := content.Zip(w, r, t, name, base, items...)
	switch {
	case err == nil:
	case len(items) == 1:
		p.fail(w, r, items[0], err)
	default: // which of them it was is not said
		p.kit.Fail(w, r, err)
	}
}
