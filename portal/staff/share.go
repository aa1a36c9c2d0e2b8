package staff

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"portico/fault"
	"portico/lang"
	"portico/portal/web"
	"portico/sharing"
	"portico/store"
	"portico/vpath"
)

// Sharing is what staff share with: *sharing.Service.
type Sharing interface {
	Sharer
	Labeller
}

// Sharer gives things to people, and takes them back.
type Sharer interface {
	Share(ctx context.Context, by sharing.By, w sharing.ShareWish) ([]store.Grant, error)
	Suggest(ctx context.Context, by sharing.By, workspace, text string) ([]sharing.Recipient, error)
	SharedWith(ctx context.Context, by sharing.By, p vpath.Path) (map[vpath.Path][]sharing.Person, error)
	Stop(ctx context.Context, by sharing.By, ids []string, tell bool) error
	ForMe(ctx context.Context, by sharing.By) ([]sharing.ShareView, error)
	Answer(ctx context.Context, by sharing.By, id string, accept bool) error
}

// Labeller keeps people's own labels.
type Labeller interface {
	Labels(ctx context.Context, by sharing.By, folder vpath.Path) (map[vpath.Path][]sharing.LabelView, error)
	SetLabel(ctx context.Context, by sharing.By, p vpath.Path, name, color string) error
	DropLabel(ctx context.Context, by sharing.By, p vpath.Path, name string) error
}

// extras are who was given the things of a folder, and one's labels on them.
func (p *pages) extras(r *http.Request, here vpath.Path) (e extras, err error) {
	if p.Sharing == nil || here.IsRoot() {
		return e, nil
	}
	by := p.kit.By(r)
	given, err := p.Sharing.SharedWith(r.Context(), by, here)
	if err != nil && !errors.Is(err, fs.ErrPermission) { // who may list and not read sees no column
		return e, err
	}
	e.shared, e.labels = map[vpath.Path][]face{}, map[vpath.Path][]marker{}
	for at, people := range given {
		for _, who := range people {
			e.shared[at] = append(e.shared[at], faceOf(who))
		}
	}
	labels, err := p.Sharing.Labels(r.Context(), by, here)
	if err != nil && !errors.Is(err, fs.ErrPermission) && !errors.Is(err, fs.ErrNotExist) {
		return e, err
	}
	for at, list := range labels {
		for _, l := range list {
			e.labels[at] = append(e.labels[at], marker{l.Name, l.Color})
		}
	}
	return e, nil
}

func faceOf(who sharing.Person) face {
	name := who.Name
	if name == "" {
		name = who.Mail
	}
	f := face{Name: name, Initials: web.Initials(name), Color: web.Color(name), Waiting: who.State == store.Offered}
	if who.Mail != name {
		f.Mail = who.Mail
	}
	return f
}

// sharePage is the form of a share.
type sharePage struct {
	In      string
	Names   []string
	Folders bool // all of them are folders, so that "deposit only" is offered
	To      []sharing.Recipient
	More    string // an address typed without scripts
	May     bool   // the checkbox "may edit and deposit"
	Only    bool   // deposit only
	Ask     bool
	Labels  bool
	Message string
	Until   string
	Today   string
	Wrong   string
	Back    string
}

// shareForm asks with whom. What is to be shared comes from a menu or a selection.
func (p *pages) shareForm(w http.ResponseWriter, r *http.Request) {
	f, ok := p.form(w, r)
	if !ok {
		return
	}
	if len(f.items) == 0 {
		p.back(w, r, f.in, fault.Tell(fs.ErrInvalid, "Nothing is chosen."))
		return
	}
	p.showShare(w, r, http.StatusOK, f, sharePage{May: true, To: p.asker(r)})
}

// asker is the colleague whom the address of the form names, as notices do of who
// asked for access: by the name that the directory has, and nobody whom it has not.
func (p *pages) asker(r *http.Request) []sharing.Recipient {
	login, ok := strings.CutPrefix(r.URL.Query().Get("to"), "user:")
	if !ok || p.Person == nil {
		return nil
	}
	who, err := p.Person(r.Context(), login)
	if err != nil {
		return nil // the form asks with whom
	}
	return []sharing.Recipient{{Subject: "user:" + login, Name: cmp.Or(who.Name, login)}}
}

func (p *pages) showShare(w http.ResponseWriter, r *http.Request, status int, f form, page sharePage) {
	t, err := p.tree(r)
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	page.In, page.Names, page.Back, page.Folders = f.in.String(), f.names, web.Href("/files", f.in)+"/", true
	page.Today = p.kit.Clock().In(p.kit.Zone()).Format(time.DateOnly)
	for _, item := range f.items {
		n, err := t.Stat(r.Context(), item)
		if err != nil {
			p.kit.Fail(w, r, err)
			return
		}
		page.Folders = page.Folders && n.Dir
	}
	p.kit.Render(w, r, status, web.Page{Name: "staff/share", Title: lang.ID("Share"), Here: "/files/" + f.in.Top(), Brand: p.brand(f.in.Top()), Data: page})
}

// share shares.
func (p *pages) share(w http.ResponseWriter, r *http.Request) {
	f, ok := p.form(w, r)
	if !ok {
		return
	}
	page := sharePage{
		May: r.PostForm.Get("may") != "", Only: r.PostForm.Get("only") != "", Ask: r.PostForm.Get("ask") != "", Labels: r.PostForm.Get("labels") != "",
		Message: strings.TrimSpace(r.PostForm.Get("message")), Until: r.PostForm.Get("until"), More: strings.TrimSpace(r.PostForm.Get("more")),
	}
	wish := sharing.ShareWish{Items: f.items, Mode: modeOf(page), Message: page.Message, Ask: page.Ask, Labels: page.Labels, To: r.PostForm["to"]}
	for _, subject := range wish.To { // kept for a form that comes back
		_, name, _ := strings.Cut(subject, ":")
		page.To = append(page.To, sharing.Recipient{Subject: subject, Name: name})
	}
	wish.To = append(wish.To, addresses(page.More)...)
	text := p.kit.Text(r)
	var err error
	if page.Until != "" {
		if wish.Until, err = time.ParseInLocation(time.DateOnly, page.Until, p.kit.Zone()); err != nil {
			page.Wrong = text.T("Give the last day as year-month-day, such as 2027-03-31.")
		}
	}
	if len(wish.To) == 0 && page.Wrong == "" {
		page.Wrong = text.T("Say with whom.")
	}
	if page.Wrong == "" {
		var given []store.Grant
		if given, err = p.Sharing.Share(r.Context(), p.kit.By(r), wish); err == nil {
			p.done(w, r, f.in, web.Said{Message: sharedLine(text, given, page.Ask)})
			return
		}
		if web.Status(err) >= http.StatusInternalServerError {
			p.kit.Fail(w, r, err)
			return
		}
		page.Wrong = p.kit.Explain(r, err)
	}
	p.showShare(w, r, http.StatusUnprocessableEntity, f, page)
}

func sharedLine(text *lang.Text, given []store.Grant, ask bool) string {
	people := map[string]bool{}
	for _, g := range given {
		people[g.Subject] = true
	}
	if ask {
		return text.N("Offered to {n} people. You hear when they answer.", len(people))
	}
	return text.N("Shared with {n} people. They are told by mail.", len(people))
}

func modeOf(page sharePage) string {
	switch {
	case page.Only:
		return sharing.Deposit
	case page.May:
		return sharing.Edit
	}
	return sharing.Read
}

// addresses are those in a line of text.
func addresses(line string) []string {
	return strings.FieldsFunc(line, func(r rune) bool { return r == ',' || r == ';' || r == ' ' || r == '\n' || r == '\r' })
}

// suggest finds people by the first letters of a name or an address, for scripts.
func (p *pages) suggest(w http.ResponseWriter, r *http.Request) {
	in, err := vpath.Parse(orRoot(r.URL.Query().Get("in")))
	var found []sharing.Recipient
	if err == nil {
		found, err = p.Sharing.Suggest(r.Context(), p.kit.By(r), in.Top(), r.URL.Query().Get("q"))
	}
	if err != nil {
		web.Problem(w, web.Status(err), p.kit.Explain(r, err))
		return
	}
	type person struct {
		Subject, Name, About, Initials string
		Color                          int
	}
	people := make([]person, 0, len(found))
	for _, x := range found {
		about := x.Mail
		if x.Organisation != "" {
			about = x.Organisation + " · " + x.Mail
		}
		people = append(people, person{x.Subject, x.Name, about, web.Initials(x.Name), web.Color(x.Name)})
	}
	web.Reply(w, http.StatusOK, map[string]any{"people": people})
}

// stopPage lists who was given one thing.
type stopPage struct {
	Path, Name, In string
	People         []sharing.Person
	Back           string
}

func (p *pages) stopForm(w http.ResponseWriter, r *http.Request) {
	at, err := vpath.Parse(orRoot(r.URL.Query().Get("path")))
	var given map[vpath.Path][]sharing.Person
	if err == nil {
		given, err = p.Sharing.SharedWith(r.Context(), p.kit.By(r), at)
	}
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	page := stopPage{Path: at.String(), Name: at.Name(), In: at.Parent().String(), People: given[at], Back: web.Href("/files", at.Parent()) + "/"}
	p.kit.Render(w, r, http.StatusOK, web.Page{Name: "staff/stop", Title: lang.ID("Shared with"), Here: "/files/" + at.Top(), Data: page})
}

// stop takes the thing back from those who are not ticked any more.
func (p *pages) stop(w http.ResponseWriter, r *http.Request) {
	f, ok := p.form(w, r)
	if !ok {
		return
	}
	at, err := vpath.Parse(orRoot(r.PostForm.Get("path")))
	var given map[vpath.Path][]sharing.Person
	if err == nil {
		given, err = p.Sharing.SharedWith(r.Context(), p.kit.By(r), at)
	}
	keep := map[string]bool{}
	for _, subject := range r.PostForm["keep"] {
		keep[subject] = true
	}
	var ids []string
	n := 0
	for _, who := range given[at] {
		if !keep[who.Subject] {
			ids, n = append(ids, who.Grants...), n+1
		}
	}
	if err == nil && n > 0 {
		err = p.Sharing.Stop(r.Context(), p.kit.By(r), ids, r.PostForm.Get("tell") != "")
	}
	if err != nil {
		p.back(w, r, f.in, err)
		return
	}
	p.done(w, r, at.Parent(), web.Said{Message: p.kit.Text(r).N("Not shared any more with {n} people.", n)})
}
