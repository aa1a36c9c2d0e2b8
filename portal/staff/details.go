package staff

import (
	"errors"
	"io/fs"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"portico/files"
	"portico/portal/web"
	"portico/sharing"
	"portico/vpath"
)

// details is the panel beside a list: what a thing is, who may do what with it and
// why, who has it locked, and what was done to it.
type details struct {
	Path     string
	Row      row
	Rights   []string // one's own
	People   []access // nil where one may not know
	Locks    []lockOn
	LocksAt  string // the list of all below, "" where they may not see it
	Activity Activity
	From     string // where the activity begins, "" for the newest
	Made     time.Time
	Grant    bool // "View as…" is offered
	Href     string
	Close    string
	Links    []sharing.LinkView
	NewLink  string // the form of one, "" where they may make none
	AskAt    string // where access is asked for, "" for who gives it themself
}

// lockOn is a lock that one sees, and whether one may end it.
type lockOn struct {
	files.Lock
	Breaks bool
}

// access is a line of who may do what.
type access struct {
	Name    string
	Kind    string // "user", "group", "contact", "link"
	Subject string
	Level   string // a text's id: what their rights amount to
	Why     string
	Login   string // of a person whose view may be opened
}

// maxActivity is how many deeds are shown.
const maxActivity = 20

// details is the panel alone, for scripts.
func (p *pages) details(w http.ResponseWriter, r *http.Request) {
	t, here, ok := p.open(w, r)
	if !ok {
		return
	}
	d, err := p.detailsOf(r, t, here)
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.kit.Part(w, r, "staff/folder", "details", d)
}

// addDetails fills in the panel of a page whose address asks for it: of a member,
// or with "." of the folder itself.
func (p *pages) addDetails(r *http.Request, t *files.Tree, here vpath.Path, page *folderPage) error {
	name := r.URL.Query().Get("details")
	if name == "" {
		return nil
	}
	of := here
	if name != "." {
		var err error
		if of, err = here.Child(name); err != nil {
			return nil //nolint:nilerr // no such thing: no panel
		}
	}
	d, err := p.detailsOf(r, t, of)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	q := r.URL.Query()
	q.Del("details")
	q.Del("older")
	d.Close = "?" + q.Encode()
	page.Details = &d
	return err
}

func (p *pages) detailsOf(r *http.Request, t *files.Tree, at vpath.Path) (details, error) {
	if at.IsRoot() {
		return details{}, fs.ErrNotExist
	}
	n, _, err := t.Find(r.Context(), at, false, files.Want{Locks: true})
	if err != nil {
		return details{}, err
	}
	l := p.lister(r)
	if l.extra, err = p.extras(r, at); err != nil {
		return details{}, err
	}
	d := details{Path: at.String(), Row: l.row(n), Rights: t.Rights(at), Made: n.Created, Href: web.Href("/details", at)}
	if d.Grant = slices.Contains(d.Rights, "grant"); !d.Grant {
		d.AskAt = p.askAt(at)
	}
	if d.Grant && n.Dir {
		d.LocksAt = web.Href("/locks", at) + "/"
	}
	for _, lock := range n.Locks {
		d.Locks = append(d.Locks, lockOn{lock, t.Breaks(lock)})
	}
	if err := p.addPeople(r, t, at, &d); err != nil {
		return details{}, err
	}
	if err := p.addLinks(r, at, &d); err != nil {
		return details{}, err
	}
	if p.Activity != nil && (d.Grant || slices.Contains(d.Rights, "audit")) {
		d.From = r.URL.Query().Get("older")
		if d.Activity, err = p.Activity(r.Context(), at, d.From, maxActivity); err != nil {
			return details{}, err
		}
	}
	return d, nil
}

// addPeople tells who may do what. Who may not know it all sees themself.
func (p *pages) addPeople(r *http.Request, t *files.Tree, at vpath.Path, d *details) error {
	list, err := t.Who(r.Context(), at)
	if errors.Is(err, fs.ErrPermission) {
		return nil
	}
	for _, a := range list {
		kind, name, _ := strings.Cut(a.Subject, ":")
		line := access{Name: a.Name, Kind: kind, Subject: a.Subject, Level: levelOf(a.Rights)}
		if a.Why != nil {
			line.Why = p.kit.Text(r).Say(a.Why)
		}
		if line.Name == "" {
			line.Name = name
		}
		switch kind {
		case "link": // its id says nothing to anybody
			line.Name, line.Subject = p.kit.Text(r).T("Link"), kind
		case "contact":
			line.Name = nameOf(d.Row.Shared, name)
		}
		if kind == "user" && p.Person != nil {
			if who, err := p.Person(r.Context(), name); err == nil && who.Name != "" { // one who has left keeps their login
				line.Name = who.Name
			}
			if d.Grant {
				line.Login = name
			}
		}
		d.People = append(d.People, line)
	}
	return err
}

// nameOf is the name of a customer with whom a thing is shared, else their address.
func nameOf(shared []face, mail string) string {
	for _, f := range shared {
		if f.Mail == mail && f.Name != "" {
			return f.Name
		}
	}
	return mail
}

// levelOf puts rights into words: the id of a text.
func levelOf(rights []string) string {
	has := func(s string) bool { return slices.Contains(rights, s) }
	switch {
	case has("grant"):
		return levels()[0]
	case has("delete") && has("write"):
		return levels()[1]
	case has("write"), has("create") && has("read"):
		return levels()[2]
	case has("read"):
		return levels()[3]
	case has("create"):
		return levels()[4]
	}
	return levels()[5]
}

// AsHref is the way to somebody's view of a folder, or of the one that a file is in.
func (d details) AsHref(login string) string {
	at, err := vpath.Parse(d.Path)
	if err != nil {
		return ""
	}
	if !d.Row.Dir {
		at = at.Parent()
	}
	return web.Href("/as", at) + "/?" + url.Values{"who": {login}}.Encode()
}

// OlderHref is the page of the thing with what was done to it before.
func (d details) OlderHref() string { return d.activityHref("older", d.Activity.Older) }

// NewestHref leads back.
func (d details) NewestHref() string { return d.activityHref() }

func (d details) activityHref(query ...string) string {
	at, err := vpath.Parse(d.Path)
	if err != nil {
		return ""
	}
	q := url.Values{}
	if len(query) == 2 {
		q.Set(query[0], query[1])
	}
	href := web.Href("/files", at)
	if d.Row.Dir {
		href += "/"
		q.Set("details", ".")
	}
	return href + "?" + q.Encode() + "#activity"
}
