package mount

import (
	"embed"
	"io/fs"
	"net/http"
	"net/url"

	"portico/lang"
	"portico/portal/web"
)

//go:embed pages assets
var embedded embed.FS

// Room gives the routes of the page: of staff, and of customers for what is shared
// with them.
func Room(d *Doctor) web.Room {
	return func(k *web.Kit) []web.Route {
		p := &room{kit: k, doctor: d}
		k.Templates("mount", folder("pages"))
		k.Assets(folder("assets"))
		return []web.Route{
			{Pattern: "GET /mount", Needs: web.SignedIn, Handler: p.show},
			{Pattern: "GET /mount/seen", Needs: web.SignedIn, Handler: p.seen},
			{Pattern: "POST /mount/watch", Needs: web.SignedIn, Handler: p.watch},
			{Pattern: "POST /mount/stop", Needs: web.SignedIn, Handler: p.stop},
			{Pattern: "GET /mount/portico-windows.reg", Needs: web.SignedIn, Handler: download("portico-windows.reg", registryFile())},
			{Pattern: "GET /mount/portico-windows.ps1", Needs: web.SignedIn, Handler: download("portico-windows.ps1", script())},
		}
	}
}

func folder(name string) fs.FS {
	found, err := fs.Sub(embedded, name)
	if err != nil {
		panic(err) // the name is ours
	}
	return found
}

type room struct {
	kit    *web.Kit
	doctor *Doctor
}

// page is what /mount shows.
type page struct {
	Drive
	System    string
	Systems   []system
	Passwords string // where app passwords are made
	Doctor    doctorPart
}

// doctorPart is the part of the page that a script asks for anew.
type doctorPart struct {
	On     bool
	Report Report
	System string
}

func (p *room) show(w http.ResponseWriter, r *http.Request) {
	who, _ := p.kit.Who(r)
	part, err := p.part(r)
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	out := page{Drive: Of(p.kit.Public, who, ""), System: part.System, Systems: systems(), Passwords: "/account#new", Doctor: part}
	if who.Contact {
		out.Passwords = "/portal/mount#new"
	}
	w.Header().Set("Vary", "User-Agent, Sec-CH-UA-Platform")
	p.kit.Show(w, r, http.StatusOK, "mount/mount", lang.ID("Open it as a drive"), out)
}

func (p *room) part(r *http.Request) (doctorPart, error) {
	who, _ := p.kit.Who(r)
	report, on, err := p.doctor.Look(r.Context(), who.ID)
	return doctorPart{On: on, Report: report, System: systemOf(r)}, err
}

// seen is the doctor's part alone, for the script that asks again and again.
func (p *room) seen(w http.ResponseWriter, r *http.Request) {
	part, err := p.part(r)
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.kit.Part(w, r, "mount/mount", "doctor", part)
}

func (p *room) watch(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	who, _ := p.kit.Who(r)
	if err := p.doctor.Start(r.Context(), who, p.kit.Address(r), p.kit.Text(r)); err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.back(w, r)
}

func (p *room) stop(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	who, _ := p.kit.Who(r)
	if err := p.doctor.Stop(r.Context(), who.ID); err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.back(w, r)
}

// back shows the page as it was, at the doctor.
func (p *room) back(w http.ResponseWriter, r *http.Request) {
	to := "/mount?" + url.Values{"system": {r.PostForm.Get("system")}}.Encode() + "#doctor"
	http.Redirect(w, r, to, http.StatusSeeOther)
}

// Ends is when a watch does, for the page.
func (r Report) Ends(f web.Frame) string { return f.Since(r.Until) }
