package web

import (
	"bytes"
	"embed"
	"html/template"
	"io/fs"
	"maps"
	"net/http"
	"path"
	"slices"
	"strings"
	"time"

	"portico/identity"
	"portico/lang"
)

//go:embed all:pages assets
var embedded embed.FS

// peopleSheet is the style sheet of customers' pages.
const peopleSheet = "people.css"

// source is a page before it is made in a language.
type source struct {
	files   fs.FS
	name    string   // of its file
	parts   []string // files beside it that all pages of its room may use
	scripts []string // ES modules that it names
	sheets  []string // and style sheets beside the common one
}

// Templates adds a room's pages, the *.html of a folder: NAME.html is the page
// "ROOM/NAME", or NAME for the kit's own. It defines "content", what stands in the
// frame. A file whose name begins with "_" is no page: its parts are there for all
// pages of the room. A page with {{define "scripts"}} names its ES modules there,
// and style sheets beside the common one, apart by spaces.
func (k *Kit) Templates(room string, files fs.FS) {
	names, err := fs.Glob(files, "*.html")
	if err != nil {
		panic(err) // the pattern is ours
	}
	parts := slices.DeleteFunc(slices.Clone(names), func(n string) bool { return !strings.HasPrefix(n, "_") })
	for _, name := range names {
		if strings.HasPrefix(name, "_") {
			continue
		}
		s := &source{files: files, name: name, parts: parts}
		t := k.parse(s, "en")
		if named := t.Lookup("scripts"); named != nil {
			for name := range strings.FieldsSeq(named.Tree.Root.String()) {
				if strings.HasSuffix(name, ".css") {
					s.sheets = append(s.sheets, name)
				} else {
					s.scripts = append(s.scripts, name)
				}
			}
		}
		k.pages[path.Join(room, strings.TrimSuffix(name, ".html"))] = s
	}
}

// parse makes a page in a language.
func (k *Kit) parse(s *source, tag string) *template.Template {
	t := template.New("frame").Funcs(k.functions(k.Catalog.For(tag)))
	own := sub(embedded, "pages")
	template.Must(t.ParseFS(own, "_*.html"))
	if len(s.parts) > 0 {
		template.Must(t.ParseFS(s.files, s.parts...))
	}
	return template.Must(t.ParseFS(s.files, s.name))
}

// page is a page in a language, made when it is first asked for.
func (k *Kit) page(name, tag string) *template.Template {
	at := name + " " + tag
	if t, ok := k.made.Load(at); ok {
		return t.(*template.Template)
	}
	t, _ := k.made.LoadOrStore(at, k.parse(k.pages[name], tag))
	return t.(*template.Template)
}

// Page is an answer to render. Only Name must be there.
type Page struct {
	Name  string // of a template
	Title string // of the window
	Plain bool   // without the bar of who is signed in: pages of links
	Wide  bool   // over the whole width, for lists
	Brand Brand  // zero for the server's own
	Here  string // the path that the left bar marks; "" for the request's
	Data  any    // .Page in the template
}

// Frame is what every template has. Its methods tell times: t, n, size and the
// other functions need nothing of the request.
type Frame struct {
	Page    any
	Title   string
	Host    string
	Brand   Brand
	Who     *identity.Identity // nil where nobody is signed in
	Staff   bool               // a member of the firm is
	Plain   bool
	Wide    bool
	Here    string
	Now     time.Time
	Theme   string
	Text    *lang.Text
	Said    *Said // what a form before this page has done
	Spaces  []Workspace
	Clients bool // somebody may keep contacts in one of them
	Unread  int
	Scripts []string
	Sheets  []string       // beside the common one
	Texts   map[string]any // of the scripts
}

// Day is "12 March 2027".
func (f Frame) Day(at time.Time) string { return f.Text.Day(at) }

// Moment is "today 14:05" or a day.
func (f Frame) Moment(at time.Time) string { return f.Text.Moment(at, f.Now) }

// Since is "14:05", or "12 March, 14:05" of another day, after a word for since.
func (f Frame) Since(at time.Time) string { return f.Text.Since(at, f.Now) }

// Stamp is the full time, for hover.
func (f Frame) Stamp(at time.Time) string { return f.Text.Stamp(at) }

// Show answers with a page; title is a text's id, or a name.
func (k *Kit) Show(w http.ResponseWriter, r *http.Request, status int, name, title string, data any) {
	k.Render(w, r, status, Page{Name: name, Title: title, Data: data})
}

// Render answers with a page. It is made whole before the first byte is sent, so
// that a fault in it is a 500 and no half page.
func (k *Kit) Render(w http.ResponseWriter, r *http.Request, status int, p Page) {
	var b bytes.Buffer
	if err := k.page(p.Name, k.Text(r).Tag()).ExecuteTemplate(&b, "frame", k.frame(w, r, p)); err != nil {
		k.Log.ErrorContext(r.Context(), "page failed", "page", p.Name, "err", err)
		http.Error(w, "The page could not be made. Tell your administrator, whose log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client may have gone
}

// frame gathers what stands around a page.
func (k *Kit) frame(w http.ResponseWriter, r *http.Request, p Page) Frame {
	f := Frame{
		Page: p.Data, Host: k.Public.Host, Brand: p.Brand, Plain: p.Plain, Wide: p.Wide, Here: p.Here,
		Now: k.Clock(), Theme: k.theme(r), Text: k.Text(r), Said: k.takeSaid(w, r), Scripts: append([]string{"portico.js"}, k.pages[p.Name].scripts...),
		Sheets: k.pages[p.Name].sheets,
	}
	f.Title = f.Text.T(p.Title)
	if f.Here == "" {
		f.Here = r.URL.Path
	}
	if f.Brand == (Brand{}) && k.Brand != nil {
		f.Brand = k.Brand(k.firmOf(r))
	}
	if f.Brand.Name == "" {
		f.Brand.Name = k.Public.Host
	}
	f.Texts = k.scriptTexts(f.Text, f.Scripts)
	if who, ok := k.Who(r); ok && !p.Plain {
		f.Who, f.Staff = &who, !who.Contact
		if who.Contact && !slices.Contains(f.Sheets, peopleSheet) { // their bar is in it
			f.Sheets = append(slices.Clone(f.Sheets), peopleSheet)
		}
		k.surround(r, who, &f)
	}
	return f
}

// firmOf is the workspace whose brand is on a customer's page, "" for the server's.
func (k *Kit) firmOf(r *http.Request) string {
	who, ok := k.Who(r)
	if !ok || !who.Contact || k.Firm == nil {
		return ""
	}
	name, err := k.Firm(r.Context(), who)
	if err != nil { // the server's own does as well
		k.Log.WarnContext(r.Context(), "firm unknown", "err", err)
	}
	return name
}

// surround fills in what the bars show. A page without them is better than none.
func (k *Kit) surround(r *http.Request, who identity.Identity, f *Frame) {
	var err error
	if f.Staff {
		if f.Spaces, err = k.Workspaces(r); err != nil {
			k.Log.WarnContext(r.Context(), "workspaces unknown", "err", err)
		}
		f.Clients = slices.ContainsFunc(f.Spaces, func(s Workspace) bool { return s.Contacts })
	}
	if k.Unread != nil {
		if f.Unread, err = k.Unread(r.Context(), who); err != nil {
			k.Log.WarnContext(r.Context(), "notices unknown", "err", err)
		}
	}
}

// Pages are the names of all, for tests.
func (k *Kit) Pages() []string { return slices.Sorted(maps.Keys(k.pages)) }

// sub is a folder of what is embedded.
func sub(of fs.FS, dir string) fs.FS {
	found, err := fs.Sub(of, dir)
	if err != nil {
		panic(err) // the name is ours
	}
	return found
}

// Home is where people begin.
func Home(who identity.Identity) string {
	if who.Contact {
		return "/portal/"
	}
	return "/files/"
}

// Part answers with one part of a page's template, for scripts that put it into a
// page: with its data alone as the dot.
func (k *Kit) Part(w http.ResponseWriter, r *http.Request, page, part string, data any) {
	var b bytes.Buffer
	f := Frame{Now: k.Clock(), Text: k.Text(r), Page: data}
	if err := k.page(page, f.Text.Tag()).ExecuteTemplate(&b, part, f); err != nil {
		k.Log.ErrorContext(r.Context(), "part failed", "page", page, "part", part, "err", err)
		http.Error(w, "The page could not be made. Tell your administrator, whose log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	_, _ = w.Write(b.Bytes()) // the client may have gone
}

// With is the frame around other data, for parts that pages share.
func (f Frame) With(page any) Frame {
	f.Page = page
	return f
}
