package staff

import (
	"encoding/xml"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"portico/files"
	"portico/lang"
	"portico/portal/web"
	"portico/vpath"
)

// locksPage is all that locks a folder and what lies below it, for who looks after it.
type locksPage struct {
	Path   string // as the forms name it
	Name   string
	Href   string // of the folder
	Crumbs []crumb
	Rows   []lockRow
	Total  int
	Number int // of this part of the list, from 1
	Pages  []pageLink
}

// lockRow is one lock.
type lockRow struct {
	lockOn
	Path  string // as the form names it
	Name  string
	Where string // the folder that it is in
	Href  string // of that folder, with the details of the thing
	Wrote string // what one's own program has called its owner; others' is not told (package files)
	Until time.Time
}

// locks is the list. Who may see it is for package files to say: who holds grant.
func (p *pages) locks(w http.ResponseWriter, r *http.Request) {
	t, here, ok := p.open(w, r)
	if !ok {
		return
	}
	if here.IsRoot() { // rights are given in workspaces
		p.kit.Absent(w, r)
		return
	}
	list, err := t.LocksBelow(r.Context(), here)
	if err != nil {
		p.fail(w, r, here, err)
		return
	}
	p.kit.Render(w, r, http.StatusOK, web.Page{
		Name: "staff/locks", Title: lang.ID("Locks"), Here: "/files/" + here.Top(), Brand: p.brand(here.Top()), Data: p.locksPage(r, t, here, list),
	})
}

func (p *pages) locksPage(r *http.Request, t *files.Tree, here vpath.Path, list []files.Lock) locksPage {
	titles := p.titles(r)
	page := locksPage{
		Path: here.String(), Name: nameIn(here, titles), Href: web.Href("/files", here) + "/", Total: len(list),
		Crumbs: crumbs("/files", here, titles, ""), Number: min(pageOf(r.URL.Query()), max((len(list)+perPage-1)/perPage, 1)),
	}
	page.Pages = pageLinks(r.URL, len(list), page.Number)
	from := (page.Number - 1) * perPage
	now := p.kit.Clock()
	for _, l := range list[from:min(from+perPage, len(list))] {
		page.Rows = append(page.Rows, lockRow{
			lockOn: lockOn{l, t.Breaks(l)}, Path: l.Root.String(), Name: nameIn(l.Root, titles), Where: whereIn(l.Root, titles), Href: detailsHref(l.Root), Wrote: wrote(l.OwnerXML),
			Until: now.Add(l.Timeout),
		})
	}
	return page
}

// nameIn is what a thing is called in a list: a workspace by its title.
func nameIn(p vpath.Path, titles map[string]string) string {
	if title := titles[p.Name()]; p.Depth() == 1 && title != "" {
		return title
	}
	return p.Name()
}

// whereIn is the folder of a thing for people to read, "" for a workspace.
func whereIn(p vpath.Path, titles map[string]string) string {
	var names []string
	for a := range p.Parent().Ancestors() {
		if !a.IsRoot() {
			names = append(names, nameIn(a, titles))
		}
	}
	slices.Reverse(names)
	return strings.Join(names, " / ")
}

// detailsHref is the folder that a thing lies in, with its details open: of a
// workspace, itself.
func detailsHref(p vpath.Path) string {
	if p.Depth() == 1 {
		return web.Href("/files", p) + "/?details=."
	}
	return web.Href("/files", p.Parent()) + "/?" + url.Values{"details": {p.Name()}}.Encode()
}

// wrote is the text of a lock's owner element (RFC 4918 §14.17), which programs fill
// as they like: a name, a machine, their maker's address.
func wrote(ownerXML string) string {
	const most = 80
	var b strings.Builder
	d := xml.NewDecoder(strings.NewReader(ownerXML))
	for {
		token, err := d.Token()
		if err != nil { // the end, or what the gateway would not have taken
			break
		}
		if text, ok := token.(xml.CharData); ok {
			b.Write(text)
			b.WriteByte(' ')
		}
	}
	text := []rune(strings.Join(strings.Fields(b.String()), " "))
	if len(text) > most {
		return string(text[:most]) + "…"
	}
	return string(text)
}

// unlock ends a lock that somebody's program left behind. Who may is for package
// files to say.
func (p *pages) unlock(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	t, err := p.tree(r)
	here, bad := vpath.Parse(r.PostForm.Get("path"))
	to, badTo := backFrom(here, r.PostForm)
	var ended files.Lock
	if err = errors.Join(err, bad, badTo); err == nil {
		ended, err = t.BreakLock(r.Context(), here, r.PostForm.Get("lock"))
	}
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.kit.Say(w, web.Said{Message: endedLine(p.kit.Text(r), here, ended)})
	http.Redirect(w, r, to, http.StatusSeeOther) //nolint:gosec // a path of ours
}

// endedLine says whose lock was ended: one calls them. The zero Lock was gone before.
func endedLine(text *lang.Text, here vpath.Path, l files.Lock) string {
	switch {
	case l.ID == "":
		return text.T("The lock on {name} had ended already.", "name", here.Name())
	case l.Since.IsZero():
		return text.T("The lock on {name} has ended.", "name", l.Root.Name())
	}
	return text.T("{who}’s lock on {name} has ended.", "who", l.Holder, "name", l.Root.Name())
}

// backFrom is where the form of a lock leads: to the list that it stands in, or else
// to the details of the thing.
func backFrom(here vpath.Path, form url.Values) (string, error) {
	if form.Get("list") == "" {
		return detailsHref(here), nil
	}
	list, err := vpath.Parse(form.Get("list"))
	to := web.Href("/locks", list) + "/"
	if n := pageOf(form); n > 1 {
		to += "?page=" + strconv.Itoa(n)
	}
	return to, err
}
