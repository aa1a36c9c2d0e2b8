package staff

import (
	"cmp"
	"net/http"
	"net/url"
	"slices"

	"portico/files"
	"portico/lang"
	"portico/portal/web"
	"portico/vpath"
)

// fail answers with an error about a thing that was asked for by its path. Where it
// is a no, access can be asked for: what is hidden is no such answer, but that of a
// path that does not exist.
func (p *pages) fail(w http.ResponseWriter, r *http.Request, at vpath.Path, err error) {
	if p.Ask == nil || at.IsRoot() {
		p.kit.Fail(w, r, err)
		return
	}
	p.kit.FailAt(w, r, err, at.String())
}

// askAt is where access to a thing is asked for, "" where nobody can be asked.
func (p *pages) askAt(at vpath.Path) string {
	if p.Ask == nil || at.IsRoot() {
		return ""
	}
	return "/ask?" + url.Values{"path": {at.String()}}.Encode()
}

// refusal tells, of something that who asks sees and may not use, why that is so
// and where to ask for access; nothing of what they may use. A folder that shows
// them their own alone is one they may use; a file is their own or is not.
func (p *pages) refusal(r *http.Request, t *files.Tree, at vpath.Path, right string) (why, askAt string, err error) {
	rights := t.Rights(at)
	if at.IsRoot() || slices.Contains(rights, right) || right == "list" && slices.Contains(rights, "list:own") {
		return "", "", nil
	}
	allowed, said, err := t.Why(r.Context(), at, right)
	if allowed || err != nil {
		return "", "", err
	}
	return p.kit.Text(r).Say(said), p.askAt(at), nil
}

// askPage is the form that asks.
type askPage struct{ Name, Why, Ask, Home string }

// askForm asks for a line to go along.
func (p *pages) askForm(w http.ResponseWriter, r *http.Request) {
	at, err := vpath.Parse(r.URL.Query().Get("path"))
	if err == nil && at.IsRoot() {
		p.kit.Absent(w, r)
		return
	}
	var t *files.Tree
	if err == nil {
		t, err = p.tree(r)
	}
	var n files.Node
	if err == nil {
		n, err = t.Stat(r.Context(), at)
	}
	right := "read"
	if n.Dir {
		right = "list"
	}
	page := askPage{Name: cmp.Or(n.Title, at.Name()), Ask: at.String(), Home: "/files/"}
	if err == nil {
		page.Why, _, err = p.refusal(r, t, at, right)
	}
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.kit.Render(w, r, http.StatusOK, web.Page{Name: "staff/ask", Title: lang.ID("Ask for access"), Here: "/files/" + at.Top(), Brand: p.brand(at.Top()), Data: page})
}

// ask tells those who can give access to something that somebody would like to have
// it. Who that is the page does not say.
func (p *pages) ask(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	at, err := vpath.Parse(r.PostForm.Get("path"))
	if err == nil {
		err = p.Ask(r.Context(), p.kit.By(r), at, r.PostForm.Get("message"))
	}
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.kit.Show(w, r, http.StatusOK, "staff/asked", lang.ID("You have asked for access"), nil)
}
