package api

import (
	"io/fs"
	"net/http"
	"time"

	"portico/fault"
	"portico/files"
	"portico/portal/content"
	"portico/portal/web"
	"portico/vpath"
)

// start reads the path of an address and opens the files of who asks.
func (a *api) start(r *http.Request) (d door, here vpath.Path, err error) {
	if here, err = at(r); err != nil {
		return nil, here, err
	}
	d, err = a.door(r)
	return d, here, err
}

// conditions are If-Match and If-None-Match.
func conditions(r *http.Request) files.Guard {
	return files.Guard{Match: tags(r.Header.Values("If-Match")), NoneMatch: tags(r.Header.Values("If-None-Match"))}
}

// remove deletes a file, or a folder with all below it.
func (a *api) remove(w http.ResponseWriter, r *http.Request) error {
	d, here, err := a.start(r)
	if err == nil {
		err = d.Delete(r.Context(), here, conditions(r))
	}
	if err != nil {
		return partly(err)
	}
	return done(w)
}

// download gives the bytes of a file.
func (a *api) download(w http.ResponseWriter, r *http.Request) error {
	d, here, err := a.start(r)
	if err != nil {
		return err
	}
	return content.Send(w, r, d, here) //nolint:wrapcheck // names itself
}

// upload takes a file in one piece. A large one goes by /uploads, which can be
// taken up again.
func (a *api) upload(w http.ResponseWriter, r *http.Request) error {
	d, here, err := a.start(r)
	if err != nil {
		return err
	}
	n, created, err := d.Put(r.Context(), here, r.Body, files.PutOptions{Size: r.ContentLength, ModTime: changed(r), Guard: conditions(r)})
	if err != nil {
		return err //nolint:wrapcheck // names itself
	}
	out := a.describe(r, d).node(n)
	if created {
		return made(w, r, web.Href("/api/v1/files", n.Path), out)
	}
	return reply(w, r, http.StatusOK, out)
}

// changed is the client's time of change, zero for none that can be read.
func changed(r *http.Request) time.Time {
	t, err := http.ParseTime(r.Header.Get("Last-Modified"))
	if err != nil {
		return time.Time{}
	}
	return t
}

// zip sends a folder, or the items of it that are named, as one archive.
func (a *api) zip(w http.ResponseWriter, r *http.Request) error {
	d, here, err := a.start(r)
	if err != nil {
		return err
	}
	base, items, name := here.Parent(), []vpath.Path{here}, here.Name()
	if names := r.URL.Query()["item"]; len(names) > 0 {
		base, items = here, nil
		for _, name := range names {
			item, err := here.Child(name)
			if err != nil {
				return err //nolint:wrapcheck // names itself
			}
			items = append(items, item)
		}
	}
	if name == "" {
		name = "files"
	}
	if here.IsRoot() && len(items) == 1 && items[0].IsRoot() {
		return fault.Tell(fs.ErrInvalid, "Name a folder, or some items.")
	}
	done, ok := a.busy.Begin(a.asks(r).ID)
	if !ok {
		return fault.Tell(fault.ErrBusy, "Two archives are under way already. Wait until one has ended.")
	}
	defer done()
	return content.Zip(w, r, d, name, base, items...) //nolint:wrapcheck // names itself
}

// mkdir makes a folder.
func (a *api) mkdir(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Path path `json:"path"`
	}
	if err := body(w, r, &in); err != nil {
		return err
	}
	d, err := a.door(r)
	if err == nil {
		err = in.Path.CheckNew()
	}
	if err == nil {
		err = d.Mkdir(r.Context(), in.Path.Path, files.Guard{})
	}
	var n files.Node
	if err == nil {
		n, err = d.Stat(r.Context(), in.Path.Path)
	}
	if err != nil {
		return err //nolint:wrapcheck // names itself
	}
	return made(w, r, web.Href("/api/v1/files", n.Path), a.describe(r, d).node(n))
}

// transferJSON is what goes where.
type transferJSON struct {
	From    path `json:"from"`
	To      path `json:"to"`
	Replace bool `json:"replace"`
}

func (a *api) move(w http.ResponseWriter, r *http.Request) error {
	return a.transfer(w, r, func(d door, in transferJSON) (files.Landed, error) {
		return d.Move(r.Context(), in.From.Path, in.To.Path, files.TransferOptions{Overwrite: in.Replace})
	})
}

func (a *api) copy(w http.ResponseWriter, r *http.Request) error {
	return a.transfer(w, r, func(d door, in transferJSON) (files.Landed, error) {
		return d.Copy(r.Context(), in.From.Path, in.To.Path, files.TransferOptions{Overwrite: in.Replace})
	})
}

// transfer copies or moves one thing to a path.
func (a *api) transfer(w http.ResponseWriter, r *http.Request, do func(door, transferJSON) (files.Landed, error)) error {
	var in transferJSON
	if err := body(w, r, &in); err != nil {
		return err
	}
	d, err := a.door(r)
	if err == nil {
		err = in.To.CheckNew()
	}
	var landed files.Landed
	if err == nil {
		landed, err = do(d, in)
	}
	if err != nil {
		return partly(err)
	}
	n, err := d.Stat(r.Context(), in.To.Path)
	if absent(err) { // put where one may put things and see none
		return done(w)
	}
	if err != nil {
		return err //nolint:wrapcheck // names itself
	}
	out := a.describe(r, d).node(n)
	if landed.Created {
		return made(w, r, web.Href("/api/v1/files", n.Path), out)
	}
	return reply(w, r, http.StatusOK, out)
}
