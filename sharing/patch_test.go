package sharing_test

import (
	"io/fs"
	"strings"
	"testing"

	"portico/fault"
	"portico/files"
	"portico/sharing"
	"portico/vpath"
)

// A part of a file that comes by a link is held to the terms of the link, as a whole
// one is.
func TestPatchByALink(t *testing.T) {
	for name, c := range map[string]struct {
		wish  sharing.LinkWish
		path  string
		body  string
		kind  error
		words string
	}{
		"too large a file":          {sharing.LinkWish{MaxFileBytes: 20}, "/In/a.pdf", strings.Repeat("x", 21), fault.ErrTooLarge, "20 bytes"},
		"a whole that is too large": {sharing.LinkWish{MaxFileBytes: 20}, "/In/a.pdf", strings.Repeat("x", 15), fault.ErrTooLarge, "20 bytes"},
		"another kind of file":      {sharing.LinkWish{Types: []string{".pdf"}}, "/In/a.txt", "x", fs.ErrInvalid, ".pdf"},
		"nobody's name":             {sharing.LinkWish{AskName: true}, "/In/a.pdf", "x", fs.ErrPermission, "name"},
		"beside the own folder":     {sharing.LinkWish{Subfolders: true}, "/In/a.pdf", "x", fs.ErrPermission, "folder of their own"},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorldOver(t, openSQLite(t))
			for _, f := range []string{"a.pdf", "a.txt"} {
				w.write("ann", "/firm/Clients/Beta/In/"+f, "ten bytes.")
			}
			c.wish.Mode = sharing.LinkDeposit
			_, token := w.link(c.wish, "/firm/Clients/Beta/In")
			cookie := ""
			if !c.wish.AskName {
				var err error
				cookie, err = w.visit(token, "").Begin(t.Context(), "Zoë")
				w.ok(err)
			}
			room := w.visit(token, cookie).Room()
			_, err := room.Patch(t.Context(), vpath.Must(c.path), strings.NewReader(c.body), files.PatchOptions{Append: true, Size: int64(len(c.body))})
			w.refused(err, c.kind, c.words)
		})
	}
}
