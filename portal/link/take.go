package link

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"time"

	"portico/fault"
	"portico/portal/web"
	"portico/sharing"
	"portico/vpath"
)

// only is the one folder that a link takes deposits in, where the address names
// none.
func only(v *sharing.Visit) (vpath.Path, error) {
	mounts := v.Room().Mounts()
	if len(mounts) != 1 {
		return vpath.Path{}, fault.Tell(fs.ErrInvalid, "This link opens several folders: name one in the address, as /FOLDER/FILE.")
	}
	at, _ := v.Room().Share(mounts[0].Grant.ID)
	return at, nil
}

// take stores one file: curl -T FILE https://…/s/TOKEN/. A name that is taken gets
// a number; what others have left is never replaced.
func (p *pages) take(w http.ResponseWriter, r *http.Request, v *sharing.Visit) {
	folder, name, err := p.target(r, v)
	if err == nil && r.Header.Get("Content-Range") != "" { // RFC 9110 §14.5
		err = fault.Tell(fs.ErrInvalid, "A part of a file cannot be stored: send all of it.")
	}
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	left, err := v.Room().Deposit(r.Context(), folder, name, r.Body, r.ContentLength, time.Time{})
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	d := left.Deposit
	if d.ID == "" { // what programs keep for themselves: there is no receipt for it
		plain(w, http.StatusCreated, fmt.Sprintf("%s  %d bytes", left.Node.Path.Name(), left.Node.Size))
		return
	}
	plain(w, http.StatusCreated, fmt.Sprintf("%s  %d bytes  sha256 %s  receipt %s", left.Node.Path.Name(), d.Size, d.SHA256, d.ID))
}

// target is where a PUT goes. With one folder in the link its name is left out.
func (p *pages) target(r *http.Request, v *sharing.Visit) (folder vpath.Path, name string, err error) {
	escaped := r.URL.EscapedPath()[len("/s/"+r.PathValue("token")):]
	asked, slash, err := vpath.ParseEscaped(escaped)
	switch {
	case err != nil:
		return folder, "", err
	case slash || asked.IsRoot():
		return folder, "", fault.Tell(fs.ErrInvalid, "Write the name of the file into the address: …/FILE.")
	}
	if top, err := only(v); err == nil {
		folder, err = top.Join(asked.Parent())
		return folder, asked.Name(), err
	}
	if asked.Depth() < 2 {
		_, err = only(v)
		return folder, "", err
	}
	return asked.Parent(), asked.Name(), nil
}

// takeForm stores the files of a plain form, for browsers without scripts. They are
// read as they come.
func (p *pages) takeForm(w http.ResponseWriter, r *http.Request, v *sharing.Visit) {
	folder, err := path(r)
	if err == nil && folder.IsRoot() {
		folder, err = only(v)
	}
	if err != nil {
		p.fail(w, r, v, err)
		return
	}
	if !v.Known() && !p.begin(w, r, v, "") {
		return
	}
	parts, err := r.MultipartReader()
	if err != nil {
		p.kit.BadForm(w, r, err)
		return
	}
	n, err := p.takeParts(r, v, folder, parts)
	text := p.kit.Text(r)
	said := text.N("{n} files sent.", n)
	switch {
	case err != nil && n == 0:
		p.fail(w, r, v, err)
		return
	case err != nil:
		said += " " + p.kit.Explain(r, err)
	case n == 0:
		said = text.T("No file was chosen.")
	}
	p.kit.Say(w, web.Said{Message: said})
	http.Redirect(w, r, web.Href(at(r, "/f"), folder), http.StatusSeeOther)
}

func (p *pages) takeParts(r *http.Request, v *sharing.Visit, folder vpath.Path, parts *multipart.Reader) (n int, err error) {
	for {
		part, err := parts.NextPart()
		switch {
		case errors.Is(err, io.EOF):
			return n, nil
		case err != nil:
			return n, fmt.Errorf("link: form: %w", errors.Join(fault.ErrTruncated, err))
		case part.FormName() != "file" || part.FileName() == "":
			continue
		}
		if _, err := v.Room().Deposit(r.Context(), folder, part.FileName(), part, -1, time.Time{}); err != nil {
			return n, err
		}
		n++
	}
}
