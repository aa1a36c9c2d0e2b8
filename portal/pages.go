package portal

import (
	"bytes"
	"embed"
	"errors"
	"html/template"
	"net/http"
	"strings"
	"time"

	"portico/fault"
	"portico/identity"
)

//go:embed pages
var embedded embed.FS

// pages are the templates, each with the frame that all share.
type pages struct{ byName map[string]*template.Template }

func newPages() *pages {
	all := &pages{byName: make(map[string]*template.Template)}
	functions := template.FuncMap{"day": day, "moment": moment, "stamp": stamp}
	for _, name := range []string{"home", "login", "account", "made", "trouble"} {
		all.byName[name] = template.Must(template.New("frame.html").Funcs(functions).
			ParseFS(embedded, "pages/frame.html", "pages/mount.html", "pages/"+name+".html"))
	}
	return all
}

// frame is what every page has around its own content.
type frame struct {
	Title string
	Host  string
	Who   *identity.Identity // nil where nobody is signed in
	Here  string             // the path of this page
	Now   time.Time
	Page  any
}

// show answers with a page. It is made whole before the first byte is sent, so
// that a fault in it is a 500 and no half page.
func (p *portal) show(w http.ResponseWriter, r *http.Request, status int, name, title string, who *identity.Identity, page any) {
	var b bytes.Buffer
	data := frame{Title: title, Host: p.Public.Host, Who: who, Here: r.URL.Path, Now: p.Clock(), Page: page}
	if err := p.pages.byName[name].Execute(&b, data); err != nil {
		p.Log.ErrorContext(r.Context(), "page failed", "page", name, "err", err)
		http.Error(w, "The page could not be made. Tell your administrator, whose log says why.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.WriteHeader(status)
	_, _ = w.Write(b.Bytes()) // the client may have gone
}

// trouble is a page that says what happened, and what to do.
type trouble struct{ What, Mend, ID string }

func (p *portal) trouble(w http.ResponseWriter, r *http.Request, status int, what, mend string) {
	p.show(w, r, status, "trouble", what, nil, trouble{what, mend, p.RequestID(r.Context())})
}

// broken is a store or a directory that is away, or a fault of ours.
func (p *portal) broken(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case r.Context().Err() != nil: // nobody waits any more
		w.WriteHeader(http.StatusServiceUnavailable)
	case errors.Is(err, fault.ErrUnavailable):
		p.Log.WarnContext(r.Context(), "page unavailable", "path", r.URL.Path, "err", err)
		w.Header().Set("Retry-After", "10")
		p.trouble(w, r, http.StatusServiceUnavailable, "This does not work at the moment", "Something that Portico needs does not answer. Try again in a little while.")
	default:
		p.Log.ErrorContext(r.Context(), "page failed", "path", r.URL.Path, "err", err)
		p.trouble(w, r, http.StatusInternalServerError, "Something went wrong", "Tell your administrator, with the number below.")
	}
}

// badForm is a form that no page of ours sends.
func (p *portal) badForm(w http.ResponseWriter, r *http.Request, err error) {
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		p.trouble(w, r, http.StatusRequestEntityTooLarge, "This is too much", "The form holds more than it can need. Shorten what you typed.")
		return
	}
	p.trouble(w, r, http.StatusBadRequest, "This form cannot be read", "Open the page anew and fill it in again.")
}

// asset is one of our own files. By name: a file server would list the folder,
// and redirect what is not in it (CVE-2023-37474).
func asset(name string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		// They have no secret, and change with the program alone.
		w.Header().Set("Cache-Control", "max-age=600")
		http.ServeFileFS(w, r, embedded, "pages/assets/"+name)
	}
}

// Times are in UTC until a person can choose.

// day is "12 March 2027".
func day(t time.Time) string { return t.UTC().Format("2 January 2006") }

// stamp is for machines, and for the full time on hover.
func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// moment is "today 14:05 UTC" or a day.
func moment(t, now time.Time) string {
	t, now = t.UTC(), now.UTC()
	switch {
	case day(t) == day(now):
		return "today " + t.Format("15:04") + " UTC"
	case day(t) == day(now.AddDate(0, 0, -1)):
		return "yesterday " + t.Format("15:04") + " UTC"
	case t.Year() == now.Year():
		return t.Format("2 January")
	}
	return day(t)
}

func isAPI(r *http.Request) bool { return strings.HasPrefix(r.URL.Path, "/api/") }
