package staff

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"

	"portico/fault"
	"portico/files"
	"portico/portal/web"
	"portico/vpath"
)

// put takes a plain form with files, for browsers without scripts. The parts are
// read as they come, and none is kept in memory or beside the store.
func (p *pages) put(w http.ResponseWriter, r *http.Request) {
	t, here, ok := p.open(w, r)
	if !ok {
		return
	}
	parts, err := r.MultipartReader()
	if err != nil {
		p.kit.BadForm(w, r, err)
		return
	}
	exists, n := "keep", 0
	for err == nil {
		var part *multipart.Part
		if part, err = parts.NextPart(); err != nil {
			if !errors.Is(err, io.EOF) { // a header that is none, or an end that is missing: the sender's
				err = errors.Join(fault.ErrTruncated, err)
			}
			break
		}
		switch {
		case part.FormName() == "exists":
			var b []byte
			b, err = io.ReadAll(io.LimitReader(part, 16))
			exists = string(b)
		case part.FormName() == "file" && part.FileName() != "":
			if err = putOne(r.Context(), t, here, part.FileName(), exists, part); err == nil {
				n++
			}
		}
	}
	text := p.kit.Text(r)
	said := text.N("{n} files uploaded.", n)
	switch {
	case errors.Is(err, io.EOF) && n == 0:
		said = text.T("No file was chosen.")
	case !errors.Is(err, io.EOF) && n == 0:
		p.back(w, r, here, err)
		return
	case !errors.Is(err, io.EOF):
		said += " " + p.kit.Explain(r, err)
	}
	p.done(w, r, here, web.Said{Message: said})
}

// putOne stores one file. exists is what to do where the name is taken: "keep"
// both, "replace", or "skip".
func putOne(ctx context.Context, t *files.Tree, in vpath.Path, name, exists string, body io.Reader) error {
	for try := 1; try <= maxTries; try++ {
		as := name
		if try > 1 {
			as = numbered(name, try)
		}
		at, err := childOf(in, as)
		if err != nil {
			return err
		}
		o := files.PutOptions{Size: -1}
		if exists != "replace" {
			if _, err := t.Stat(ctx, at); err == nil {
				if exists == "skip" {
					_, err := io.Copy(io.Discard, body)
					return err
				}
				continue
			} else if !errors.Is(err, fs.ErrNotExist) {
				return err
			}
			o.Guard.NoneMatch = []string{"*"} // somebody may have been quicker
		}
		_, _, err = t.Put(ctx, at, body, o)
		return err
	}
	return fault.Tell(fs.ErrExist, "%s: all names like it are taken", name)
}
