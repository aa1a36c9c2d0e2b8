package content

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"net/http"
	"path"
	"strconv"
	"strings"

	"portico/fault"
	"portico/files"
	"portico/vpath"
)

// maxTries is how many names like a taken one are tried.
const maxTries = 1000

// Take stores the files of a plain form in a folder, for browsers without scripts:
// the parts named "file", each under a name of its own. They are read as they
// come, and none is kept in memory or beside the store. taken are those that were
// stored before the error.
func Take(ctx context.Context, r *http.Request, d Door, in vpath.Path) (taken []files.Node, err error) {
	err = each(r, func(part *multipart.Part) error {
		n, err := putBeside(ctx, d, in, part.FileName(), part)
		if err == nil {
			taken = append(taken, n)
		}
		return err
	})
	return taken, err
}

// Replace stores the one file of a form over the file at p: a new version of it,
// whatever name it was chosen under. etag, from the form's page, keeps it from
// going over a version that its sender has not seen.
func Replace(ctx context.Context, r *http.Request, d Door, at vpath.Path, etag string) (n files.Node, err error) {
	some := false
	err = each(r, func(part *multipart.Part) error {
		if some {
			return fault.Tell(fs.ErrInvalid, "Choose one file: it takes the place of this one.")
		}
		some = true
		o := files.PutOptions{Size: -1}
		if etag != "" {
			o.Guard.Match = []string{etag}
		}
		n, _, err = d.Put(ctx, at, part, o)
		return err
	})
	if err == nil && !some {
		err = ErrNoFile
	}
	return n, err
}

// ErrNoFile is a form in which no file was chosen.
var ErrNoFile = errors.New("content: no file was chosen")

// each hands f the files of a form.
func each(r *http.Request, f func(*multipart.Part) error) error {
	parts, err := r.MultipartReader()
	if err != nil {
		return fmt.Errorf("content: %w", errors.Join(fs.ErrInvalid, err))
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("content: %w", errors.Join(fault.ErrTruncated, err))
		}
		if part.FormName() != "file" || part.FileName() == "" {
			continue
		}
		if err := f(part); err != nil {
			return err
		}
	}
}

// putBeside stores a file, under another name where its own is taken.
func putBeside(ctx context.Context, d Door, in vpath.Path, name string, body io.Reader) (files.Node, error) {
	for try := 1; try <= maxTries; try++ {
		at, err := in.Child(Numbered(name, try))
		if err == nil {
			err = at.CheckNew()
		}
		if err != nil {
			return files.Node{}, err
		}
		if _, err = d.Stat(ctx, at); err == nil {
			continue
		}
		if !errors.Is(err, fs.ErrNotExist) && !errors.Is(err, fs.ErrPermission) {
			return files.Node{}, err
		}
		n, _, err := d.Put(ctx, at, body, files.PutOptions{Size: -1, Guard: files.Guard{NoneMatch: []string{"*"}}})
		return n, err
	}
	return files.Node{}, fault.Tell(fs.ErrExist, "%s: all names like it are taken", name)
}

// Numbered is a name with a number before its ending: "a (2).txt".
func Numbered(name string, n int) string {
	if n < 2 {
		return name
	}
	ext := path.Ext(name)
	stem := strings.TrimSuffix(name, ext)
	if stem == "" { // a name like ".profile" is all ending
		stem, ext = name, ""
	}
	return stem + " (" + strconv.Itoa(n) + ")" + ext
}
