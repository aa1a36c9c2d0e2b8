package staff

import (
	"net/http"
	"net/url"

	"portico/portal/web"
	"portico/vpath"
)

// unlock ends a lock that somebody's program left behind. Who may is for package
// files to say.
func (p *pages) unlock(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	t, err := p.tree(r)
	var here vpath.Path
	if err == nil {
		here, err = vpath.Parse(r.PostForm.Get("path"))
	}
	if err == nil {
		err = t.BreakLock(r.Context(), here, r.PostForm.Get("lock"))
	}
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.kit.Say(w, web.Said{Message: p.kit.Text(r).T("The lock on {name} has ended.", "name", here.Name())})
	to := web.Href("/files", here.Parent()) + "/?" + url.Values{"details": {here.Name()}}.Encode()
	http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // a path of ours
}
