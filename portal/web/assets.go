package web

import (
	"bytes"
	"io/fs"
	"net/http"
	"path"
	"regexp"
	"time"

	"portico/lang"
)

// asset is one of our own files.
type asset struct {
	body  []byte
	texts []string // ids that a script shows
}

// Assets adds a room's scripts and pictures: each file of the folder at
// /assets/NAME. A name that is taken is a fault of the program.
func (k *Kit) Assets(files fs.FS) {
	names, err := fs.Glob(files, "*")
	if err != nil {
		panic(err) // the pattern is ours
	}
	said := regexp.MustCompile(`\b[tn]\('([^']+)'`)
	for _, name := range names {
		if _, taken := k.assets[name]; taken {
			panic("portal: two assets are named " + name)
		}
		b, err := fs.ReadFile(files, name)
		if err != nil {
			panic(err) // it is embedded
		}
		a := asset{body: b}
		switch path.Ext(name) {
		case ".css":
			a.body = squeeze(b)
		case ".js":
			a.body = bare(b)
			for _, m := range said.FindAllSubmatch(b, -1) {
				a.texts = append(a.texts, string(m[1]))
			}
		}
		k.assets[name] = a
	}
}

// scriptTexts are what a page's scripts show, in its language: a text, or its two
// forms. English texts are their ids, which scripts have.
func (k *Kit) scriptTexts(t *lang.Text, scripts []string) map[string]any {
	all := map[string]any{}
	for _, name := range scripts {
		for _, id := range k.assets[name].texts {
			if k.Catalog.IsPlural(id) {
				one, other := t.Forms(id)
				all[id] = []string{one, other}
			} else if t.Tag() != "en" {
				all[id] = t.T(id)
			}
		}
	}
	return all
}

// own are the kit's own routes.
func (k *Kit) own() []Route {
	return []Route{
		{Pattern: "GET /assets/{name}", Needs: Anyone, Handler: k.serveAsset, still: true},
		{Pattern: "GET /brand/{name}", Needs: Anyone, Handler: k.serveBrand, still: true},
	}
}

// serveAsset gives one by its name: a file server would list the folder, and
// redirect what is not in it (CVE-2023-37474).
func (k *Kit) serveAsset(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	a, ok := k.assets[name]
	if !ok {
		k.Absent(w, r)
		return
	}
	// They have no secret, and change with the program alone.
	w.Header().Set("Cache-Control", "max-age=600")
	http.ServeContent(w, r, name, time.Time{}, bytes.NewReader(a.body))
}

// squeeze takes out of a style sheet what browsers do not need. Ours has no text
// that it would change.
func squeeze(sheet []byte) []byte {
	sheet = regexp.MustCompile(`(?s)/\*.*?\*/`).ReplaceAll(sheet, nil)
	sheet = regexp.MustCompile(`\s*\n\s*`).ReplaceAll(sheet, []byte(" "))
	sheet = regexp.MustCompile(`([{};,:]) `).ReplaceAll(sheet, []byte("$1"))
	return bytes.ReplaceAll(bytes.ReplaceAll(sheet, []byte(" {"), []byte("{")), []byte(";}"), []byte("}"))
}

// bare takes out of a script the lines that are comments, and how far lines are
// moved in. No text of ours goes over several lines.
func bare(script []byte) []byte {
	script = regexp.MustCompile(`(?m)^\s*//.*\n`).ReplaceAll(script, nil)
	return regexp.MustCompile(`(?m)^[ \t]+`).ReplaceAll(script, nil)
}
