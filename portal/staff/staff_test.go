package staff_test

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"io"
	"io/fs"
	"mime/multipart"
	"slices"
	"strings"
	"testing"
	"time"

	"portico/backends/mem"
	"portico/portal/staff"
	"portico/sharing"
	"portico/vpath"
)

func TestFolder(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/Clients/Acme/a10.txt", "ten")
	h.put("/firm/Clients/Acme/a9.txt", "nine")
	h.put("/firm/Clients/Acme/<b>\"x'.txt", "odd")
	h.put("/firm/Secret/s.txt", "s")
	h.get("", "/files/").want(303)
	h.get("eve@client.example", "/files/firm/").want(303)
	h.get("ann", "/files/").want(200, "Peeters & Co", `href="/files/firm/"`, `href="/files/lab/"`)
	h.get("bob", "/files/").want(200, `href="/files/firm/"`).lacks(`href="/files/lab/"`)
	page := h.get("ann", "/files/firm/Clients/Acme/").want(200, "a10.txt", "New folder", `href="/files/firm/Clients/"`)
	if a, b := strings.Index(page.text(), "a9.txt"), strings.Index(page.text(), "a10.txt"); a > b {
		t.Error("a9 comes after a10")
	}
	if strings.Contains(page.Body.String(), "<b>\"x") {
		t.Error("a name is not text")
	}
	h.get("ann", "/files/firm/Clients/Acme").want(303)
	h.get("bob", "/files/firm/").want(200).lacks("New folder")
	h.get("bob", "/files/lab/").want(404, "/lab does not exist")
	h.get("ann", "/files/none/").want(404, "/none does not exist")
	h.get("ann", "/files/firm/a%2Fb/").want(422)
	h.get("ida", "/files/firm/Clients/").want(404)
}

func TestManyRows(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for i := range 450 {
		h.put(fmt.Sprintf("/firm/many/%d.txt", i), "x")
	}
	h.get("ann", "/files/firm/many/").want(200, "199.txt", `href="?page=3"`, `aria-rowcount="450"`).lacks("200.txt")
	h.get("ann", "/files/firm/many/?page=3").want(200, "449.txt").lacks("399.txt")
	h.get("ann", "/files/firm/many/?page=99").want(200, "449.txt")
	h.get("ann", "/files/firm/many/?down=1").want(200, "449.txt").lacks("249.txt")
	rows := h.get("ann", "/rows/firm/many/").want(200, `"Name":"449.txt"`)
	if n := strings.Count(rows.text(), `"Name"`); n != 450 {
		t.Errorf("%d rows, want 450", n)
	}
}

func TestRaw(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/a.txt", "hello world")
	h.put("/firm/a.html", "<script>alert(1)</script>")
	h.put("/firm/a.svg", "<svg/>")
	h.put("/firm/a.png", "png")
	h.put("/firm/é \"x\".txt", "x")
	h.get("ann", "/raw/firm/a.txt").want(200, "hello world")
	part := h.get("ann", "/raw/firm/a.txt", "Range", "bytes=6-8").want(206, "wor")
	if got := part.Header().Get("Content-Range"); got != "bytes 6-8/11" || part.Body.Len() != 3 {
		t.Errorf("Content-Range %q, %d bytes", got, part.Body.Len())
	}
	h.get("ann", "/raw/firm/a.txt", "Range", "bytes=-5").want(206, "world")
	h.get("ann", "/raw/firm/a.txt", "Range", "bytes=6-").want(206, "world")
	h.get("ann", "/raw/firm/a.txt", "Range", "bytes=99-").want(416)
	h.get("ann", "/raw/firm/a.txt", "Range", "bytes=0-1,3-4").want(200, "hello world")
	h.get("ann", "/raw/firm/a.txt", "Range", "bytes=6-8", "If-Range", `"old"`).want(200, "hello world")
	etag := h.get("ann", "/raw/firm/a.txt").Header().Get("ETag")
	h.get("ann", "/raw/firm/a.txt", "Range", "bytes=6-8", "If-Range", etag).want(206, "wor")
	h.get("ann", "/raw/firm/a.txt", "If-None-Match", etag).want(304)
	h.get("ida", "/raw/firm/a.txt").want(404)
	for path, want := range map[string][2]string{
		"/raw/firm/a.html":               {"application/octet-stream", `attachment; filename="a.html"`},
		"/raw/firm/a.svg":                {"application/octet-stream", `attachment; filename="a.svg"`},
		"/raw/firm/a.png":                {"image/png", `inline; filename="a.png"`},
		"/raw/firm/a.png?download":       {"image/png", `attachment; filename="a.png"`},
		"/raw/firm/%C3%A9%20%22x%22.txt": {"text/plain; charset=utf-8", `inline; filename="_ _x_.txt"; filename*=UTF-8''%C3%A9%20%22x%22.txt`},
	} {
		got := h.get("ann", path).want(200)
		head := got.Header()
		if head.Get("Content-Type") != want[0] || head.Get("Content-Disposition") != want[1] {
			t.Errorf("%s: %q, %q, want %q", path, head.Get("Content-Type"), head.Get("Content-Disposition"), want)
		}
		if csp := head.Get("Content-Security-Policy"); !strings.HasPrefix(csp, "sandbox; default-src 'none'") {
			t.Errorf("%s: policy %q", path, csp)
		}
	}
}

func TestFilePage(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/a.txt", "hello <script>")
	h.put("/firm/a.pdf", "x")
	h.put("/firm/a.html", "x")
	h.put("/firm/a.mp4", "x")
	h.get("ann", "/files/firm/a.txt").want(200, "<pre", "hello <script>", `href="/raw/firm/a.txt?download"`)
	h.get("ann", "/files/firm/a.pdf").want(200, "<iframe")
	h.get("ann", "/files/firm/a.mp4").want(200, "<video")
	h.get("ann", "/files/firm/a.html").want(200, "not shown here").lacks("<iframe")
	h.get("ann", "/files/firm/none").want(404)
}

func TestChanges(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/Clients/a.txt", "a")
	h.put("/firm/Clients/b.txt", "b")
	h.put("/firm/Old/c.txt", "c")
	h.send("ann", "/do/folder", "in", "/firm/Clients", "name", "New").follow(h, "ann").want(200, "The folder New is there.", `data-name="New"`)
	h.send("ann", "/do/folder", "in", "/firm/Clients", "name", "New").follow(h, "ann").want(200)
	h.send("ann", "/do/folder", "in", "/firm/Clients", "name", "a/b").want(303)
	h.send("ann", "/do/rename", "in", "/firm/Clients", "item", "a.txt", "name", "d.txt").follow(h, "ann").want(200, "a.txt is now called d.txt.", "Undo", `value="a.txt"`)
	h.send("bob", "/do/rename", "in", "/firm/Old", "item", "c.txt", "name", "x").follow(h, "bob").want(200, `data-name="c.txt"`)
	h.send("ann", "/do/place", "in", "/firm/Clients", "item", "b.txt", "item", "New", "do", "move").want(200, "Move 2 things to…", "There is no folder").lacks(`value="/firm/Clients/New"`)
	h.send("ann", "/do/place", "in", "/firm/Clients", "item", "b.txt", "do", "copy", "to", "/firm/Clients").want(200, `value="/firm/Clients/New"`, "Copy here")
	h.send("ann", "/do/copy", "in", "/firm/Clients", "item", "b.txt", "to", "/firm/Clients").follow(h, "ann").want(200, "1 thing copied.", `data-name="b (2).txt"`)
	h.send("ann", "/do/move", "in", "/firm/Clients", "item", "b.txt", "to", "/firm/Old").follow(h, "ann").want(200, "1 thing moved.", "Undo", `data-name="b.txt"`)
	h.send("ann", "/do/move", "in", "/firm/Clients", "item", "d.txt", "to", "/firm/Clients").follow(h, "ann").want(200, "is there already")
	h.send("ann", "/do/sure", "in", "/firm", "item", "Old", "item", "Clients").want(200, "Delete 2 things in firm?", "4 files are deleted.", "3 folders go with them.", "Delete 4 files", "cannot be undone")
	h.send("bob", "/do/delete", "in", "/firm/Old", "item", "c.txt").follow(h, "bob").want(200, `data-name="c.txt"`)
	h.send("ann", "/do/delete", "in", "/firm/Old", "item", "c.txt", "item", "b.txt").follow(h, "ann").want(200, "2 things deleted.", "Nothing is here yet")
	h.send("ann", "/do/delete", "in", "/firm/Old", "item", "../Clients").want(422)
	h.send("ann", "/do/sure", "in", "/firm/Old").follow(h, "ann").want(200, "Nothing is chosen.")
}

func TestPlainUpload(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/a.txt", "old")
	upload := func(exists string, names ...string) answer {
		var b bytes.Buffer
		m := multipart.NewWriter(&b)
		_ = m.WriteField("exists", exists)
		for _, n := range names {
			part, err := m.CreateFormFile("file", n)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = io.WriteString(part, "new")
		}
		_ = m.Close()
		return h.do("ann", "POST", "/files/firm/", &b, "Content-Type", m.FormDataContentType())
	}
	upload("skip", "a.txt").follow(h, "ann").want(200)
	h.get("ann", "/raw/firm/a.txt").want(200, "old")
	upload("keep", "a.txt", "b.txt").follow(h, "ann").want(200, "2 files uploaded.", `data-name="a (2).txt"`, `data-name="b.txt"`)
	upload("replace", "a.txt").follow(h, "ann").want(200, "1 file uploaded.")
	h.get("ann", "/raw/firm/a.txt").want(200, "new")
	upload("keep").follow(h, "ann").want(200, "No file was chosen.")
	h.do("bob", "POST", "/files/firm/", strings.NewReader("x"), "Content-Type", "text/plain").want(400)
	// A header of a part that is none is the sender's fault, not ours.
	odd := "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a\x00b.txt\"\r\n\r\nhello\r\n--x--\r\n"
	h.do("ann", "POST", "/files/firm/", strings.NewReader(odd), "Content-Type", "multipart/form-data; boundary=x").follow(h, "ann").want(200, "The upload was cut off.")
}

// TestZipRefused offers to ask for what was refused, and not for what lies beside it.
func TestZipRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *staff.Options) {
		o.Ask = func(context.Context, sharing.By, vpath.Path, string) error { return nil }
	})
	h.files.Apply(policy(t), workspacesOf(t, mem.NewWith(mem.Options{Hook: func(call string, p vpath.Path) error {
		if call == "List" && p.Name() == "shut" {
			return fs.ErrPermission // as a folder of another account on a disk
		}
		return nil
	}})))
	h.put("/firm/Clients/a.txt", "a")
	h.put("/firm/Clients/shut/b.txt", "b")
	const offer = `action="/ask"`
	h.send("ann", "/zip", "in", "/firm/Clients", "item", "shut").want(403, offer, `value="/firm/Clients/shut"`)
	h.send("ann", "/zip", "in", "/firm/Clients", "item", "a.txt", "item", "shut").want(403).lacks(offer, `value="/firm/Clients/a.txt"`)
}

func TestZip(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/Clients/a.txt", strings.Repeat("a", 1000))
	h.put("/firm/Clients/deep/b.png", "png")
	h.put("/firm/Clients/deep/x:y.txt", "odd")
	read := func(a answer) map[string]uint16 {
		t.Helper()
		a.want(200)
		z, err := zip.NewReader(bytes.NewReader(a.Body.Bytes()), int64(a.Body.Len()))
		if err != nil {
			t.Fatal(err)
		}
		all := map[string]uint16{}
		for _, f := range z.File {
			all[f.Name] = f.Method
		}
		return all
	}
	got := read(h.get("ann", "/zip/firm/Clients/"))
	for name, method := range map[string]uint16{"Clients/": 0, "Clients/a.txt": zip.Deflate, "Clients/deep/b.png": zip.Store, "Clients/deep/x_y.txt": zip.Deflate} {
		if m, ok := got[name]; !ok || m != method {
			t.Errorf("%s: %v %d, want %d; all: %v", name, ok, m, method, got)
		}
	}
	some := read(h.send("ann", "/zip", "in", "/firm/Clients", "item", "a.txt", "item", "deep"))
	if len(some) != 4 {
		t.Errorf("the selection has %v", some)
	}
	h.get("ida", "/zip/firm/Clients/").want(404)
	h.get("ann", "/zip/").want(404)
}

func TestSearch(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/Clients/Contract Ärger.txt", "a")
	h.put("/firm/Secret/contract.txt", "a")
	h.get("ann", "/search/firm/?q=CONTRACT").want(200, "Contract Ärger.txt", "contract.txt", "2 found")
	h.get("ann", "/search/firm/Clients/?q=%C3%A4rger").want(200, "1 found")
	h.get("ann", "/search/firm/Clients/?q=none").want(200, "Nothing has that name")
	h.get("ida", "/search/firm/?q=contract").want(200).lacks("contract.txt")
	h.get("ann", "/search/firm/?q=").want(303)
}

func TestDetails(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/Clients/a.txt", "a")
	h.get("ann", "/details/firm/Clients/a.txt").want(200, "Who may do what", "Looks after it", "May change and delete", `href="/as/firm/Clients/?who=bob"`)
	h.get("ann", "/files/firm/Clients/?details=a.txt").want(200, "Who may do what")
	h.get("ann", "/files/firm/Clients/?details=none").want(200)
	h.get("bob", "/details/firm/Clients/").want(200).lacks("View as")
	h.get("ida", "/details/firm/Clients/").want(404)
}

// Older deeds are asked for by a link, of a file and of a folder, and by those alone
// who may know of them.
func TestOlderDeeds(t *testing.T) {
	t.Parallel()
	h := newHouse(t, func(o *staff.Options) {
		o.Activity = func(_ context.Context, _ vpath.Path, from string, _ int) (staff.Activity, error) {
			switch from {
			case "":
				return staff.Activity{Deeds: []staff.Deed{{Time: time.Now(), Who: "Zoë New", What: "opened"}}, Older: "main=7&x=1"}, nil
			case "main=7&x=1":
				return staff.Activity{Older: "main=3"}, nil
			}
			return staff.Activity{Deeds: []staff.Deed{{Time: time.Now(), Who: "Ann Old", What: "made"}}}, nil
		}
	})
	h.put("/firm/Clients/a ü.txt", "a")
	file := "/files/firm/Clients/a%20%C3%BC.txt"
	for _, page := range []string{file, "/details/firm/Clients/a%20%C3%BC.txt", "/files/firm/Clients/?details=a+%C3%BC.txt"} {
		h.get("ann", page).want(200, "Zoë New", `href="`+file+`?older=main%3D7%26x%3D1#activity"`, "Show older").lacks("Show the newest")
	}
	h.get("ann", file+"?older=main%3D7%26x%3D1").want(200, "Nothing in this part of the record.", "older=main%3D3", "Show the newest").lacks("Zoë New")
	h.get("ann", file+"?older=main%3D3").want(200, "Ann Old", "Show the newest").lacks("Show older")
	h.get("ann", "/files/firm/Clients/?details=.").want(200, `href="/files/firm/Clients/?details=.&older=main%3D7%26x%3D1#activity"`)
	h.get("ann", "/files/firm/Clients/?details=.&older=main%3D3").want(200, "Ann Old")
	h.get("bob", file+"?older=main%3D3").lacks("Ann Old")
}

// The heads of the columns and the two views are links, with an "=" in them that
// a browser sends as such.
func TestOrderLinks(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/Clients/a.txt", "x")
	h.get("ann", "/files/firm/Clients/").want(200, `href="?view=grid"`, `href="?sort=size"`, `href="?down=1"`).lacks("%3d")
	h.get("ann", "/files/firm/Clients/?sort=size&view=grid").want(200, `href="?down=1&sort=size&view=grid"`, `class="files grid"`)
	h.get("ann", "/as/firm/Clients/?who=bob").want(200, `href="?who=bob&view=grid"`, `href="?who=bob&sort=size"`)
	h.get("ann", "/as/firm/Clients/?who=bob&view=grid").want(200, "You see this as Bob Maes does.")
}

func TestViewAs(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/Clients/a.txt", "a")
	h.put("/firm/Inbox/b.txt", "b")
	h.get("ann", "/as/firm/Clients/?who=bob").want(200, "You see this as Bob Maes does.", "a.txt").lacks("New folder", `type="checkbox"`, `href="/files/firm/Clients/a.txt"`)
	h.get("ann", "/as/firm/Inbox/?who=ida").want(200).lacks("b.txt")
	h.get("bob", "/as/firm/Clients/?who=ann").want(403)
	h.get("ann", "/as/firm/?who=nobody").want(404)
	h.get("ann", "/as/firm/").want(404)
}

// TestWeight counts what one page loads.
func TestWeight(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	page := h.get("ann", "/files/firm/").text()
	n := 0
	for _, name := range []string{"style.css", "portico.js", "files.js", "upload.js"} {
		if !slices.Contains(strings.FieldsFunc(page, func(r rune) bool { return r == '"' || r == '/' }), name) {
			t.Errorf("the page does not load %s", name)
		}
		n += h.get("", "/assets/"+name).want(200).Body.Len()
	}
	if n > 60<<10 {
		t.Errorf("styles and scripts have %d bytes, 60 KB are the most", n)
	}
}

// TestWordsOfOthers wants what is refused, and why somebody may do something, in the
// reader's language.
func TestWordsOfOthers(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.put("/firm/Old/a.txt", "x")
	for tag, want := range map[string][]string{
		"de": {
			"/lab gibt es nicht.", "ja: bob darf den Inhalt von /firm/Old/a.txt sehen: user:bob hat die Rolle viewer für /firm",
			"nein: bob darf /firm/Old/a.txt nicht löschen: keine Regel gewährt dort „löschen“",
		},
		"fr": {
			"/lab n’existe pas.", "oui\u00a0: bob peut voir le contenu de /firm/Old/a.txt\u00a0: user:bob a le rôle viewer sur /firm",
			"non\u00a0: bob ne peut pas supprimer /firm/Old/a.txt\u00a0: aucune règle n’y accorde «\u00a0supprimer\u00a0»",
		},
	} {
		h.get("bob", "/files/lab/", "Accept-Language", tag).want(404, want[0])
		h.get("bob", "/details/firm/Old/a.txt", "Accept-Language", tag).want(200, want[1])
		form := strings.NewReader("in=/firm/Old&item=a.txt")
		a := h.do("bob", "POST", "/do/delete", form, "Content-Type", "application/x-www-form-urlencoded", "Accept-Language", tag)
		a.follow(h, "bob").want(200, want[2])
	}
}
