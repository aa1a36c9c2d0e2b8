package notify_test

import (
	"bytes"
	"encoding/json"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"portico/internal/memstate"
	"portico/lang"
	"portico/notify"
	"portico/store"
)

// Whatever people call themselves and their documents: the mail has the heads that
// it should have, goes to whom it should, and shows names as text.
func TestNamesAreText(t *testing.T) {
	t.Parallel()
	fixed := rapid.SampledFrom([]string{
		"Ann\r\nBcc: evil@evil.example", "x\nContent-Type: text/html\n\n<script>", `"Ann" <evil@evil.example>, `, `a" <evil@evil.example>, "b`,
		"<script>alert(1)</script>", "<img src=https://evil.example/x>", "\u202egnp.exe", "{item}{by}", "{{.Link}}", "\x00", "=?utf-8?q?Bcc:_x?=",
		"=?UTF-8?Q?=0D=0ABcc:_evil=40evil.example?=", "\r\n.\r\nMAIL FROM:<evil@evil.example>", "a\u2028b", "--portico-", "\xff\xfe", `é\x`, strings.Repeat("é", 300),
	})
	rapid.Check(t, func(rt *rapid.T) {
		name := rapid.OneOf(fixed, rapid.String())
		x := shared()
		x.Name = name.Draw(rt, "recipient")
		x.Data["by"], x.Data["item"], x.Data["message"] = name.Draw(rt, "by"), name.Draw(rt, "item"), name.Draw(rt, "message")
		firm := name.Draw(rt, "firm")
		w := newWorld(t, nil, func(o *notify.Options) {
			o.Brand = func(string) notify.Brand { return notify.Brand{Name: firm, Colour: firm} }
		})
		w.tell(x)
		w.round()
		if len(w.server.sent) != 1 {
			rt.Fatalf("%d mails; log %s", len(w.server.sent), w.log)
		}
		var b bytes.Buffer
		if _, err := w.server.sent[0].WriteTo(&b); err != nil {
			rt.Fatal(err)
		}
		m := parse(t, b.Bytes())
		if m.to.Address != "carl@client.example" || m.from.Address != "portico@firm.example" {
			rt.Errorf("from %v to %v", m.from, m.to)
		}
		if got := len(m.head); got != 11 {
			rt.Errorf("%d heads, want 11: %v", got, m.head)
		}
		for _, mark := range []string{"<script", "<img", "evil.example/x>"} {
			if strings.Contains(m.html, mark) {
				rt.Errorf("the HTML has %s:\n%s", mark, m.html)
			}
		}
		if strings.ContainsAny(m.subject, "\r\n") || strings.Contains(m.html, "ZgotmplZ") {
			rt.Errorf("subject %q, HTML %s", m.subject, m.html)
		}
	})
}

// A mail holds nothing that its reader's program fetches, and no address but ours.
func TestMailsFetchNothing(t *testing.T) {
	t.Parallel()
	for name, all := range samples() {
		m := parse(t, write(t, "de", all))
		for _, mark := range []string{"<img", "src=", "url(", "<link", "<script", "@import", "http:"} {
			if strings.Contains(m.html, mark) {
				t.Errorf("%s: the HTML has %s", name, mark)
			}
		}
		for _, at := range strings.Split(m.text+m.html, "https://")[1:] {
			if !strings.HasPrefix(at, "drive.firm.example/") {
				t.Errorf("%s: an address that is not ours: %.60s", name, at)
			}
		}
	}
}

func TestLinksAreOurs(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	try := func(link string) error {
		x := shared()
		x.Data["link"] = link
		return w.state.Update(t.Context(), func(tx store.Tx) error { return w.n.Tell(tx, x) })
	}
	for _, link := range []string{
		"https://evil.example/", "//evil.example/", `/\evil.example/`, "javascript:alert(1)", "https://drive.firm.example.evil.example/",
		"https://drive.firm.example", "portal", "/a b", "/a\r\nb", "/é", `/"onclick`, "https://drive.firm.example//evil.example",
	} {
		if err := try(link); err == nil || strings.Contains(err.Error(), "evil") {
			t.Errorf("Tell with link %q = %v, want an error that does not name it", link, err)
		}
	}
	for _, link := range []string{"/portal/Annual%20accounts?x=1#y", "https://drive.firm.example/portal/x", ""} {
		if err := try(link); err != nil {
			t.Errorf("Tell with link %q = %v", link, err)
		}
	}
}

// Portico may stand below a path.
func TestLinksBelowAPath(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil, func(o *notify.Options) {
		o.Public = func() *url.URL { return &url.URL{Scheme: "https", Host: "firm.example", Path: "/drive/"} }
	})
	w.tell(shared())
	w.round()
	if text := w.server.sent[0].Text; !strings.Contains(text, "\nhttps://firm.example/drive/portal/Annual%20accounts\n") {
		t.Errorf("mail:\n%s", text)
	}
}

// An address that cannot be used costs a mail, not what it tells of.
func TestAddressesThatCannotBeUsed(t *testing.T) {
	t.Parallel()
	for _, address := range []string{
		"carl", "carl@", "Carl <carl@client.example>", "carl@client.example, evil@evil.example", "carl@client.example\r\nBcc: x@y.example",
		"<carl@client.example>", " carl@client.example", strings.Repeat("a", 250) + "@x.example", "carl@client.example>", "\"a\"@x.example extra",
	} {
		w := newWorld(t, nil)
		x := shared()
		x.Mail = address
		w.tell(x)
		w.round()
		w.wantSent(0)
		if all := w.list("contact:c1"); len(all) != 1 || all[0].Mail != "" || all[0].Trouble == "" {
			t.Errorf("%q: list %+v", address, all)
		}
		if strings.Contains(w.log.String(), "carl") {
			t.Errorf("the log has the address: %s", w.log)
		}
	}
}

// A notice that cannot be written, as of a newer program, does not stop the others.
func TestOneBadNoticeDoesNotStopTheOthers(t *testing.T) {
	t.Parallel()
	state := memstate.New()
	w := newWorld(t, state)
	bad := store.Notice{ID: "1", Mail: "a@client.example", Event: "shared", Data: []byte("{"), Created: w.clock.Now(), Due: w.clock.Now(), Quiet: true}
	strange := bad
	strange.ID, strange.Data, strange.Event, strange.To, strange.Quiet = "2", []byte("{}"), "of-next-year", "yaml:ann", false
	if err := state.Update(t.Context(), func(tx store.Tx) error {
		if err := tx.PutNotice(bad); err != nil {
			return err
		}
		return tx.PutNotice(strange)
	}); err != nil {
		t.Fatal(err)
	}
	w.tell(shared())
	w.round()
	w.wantSent(1)
	for _, x := range state.Notices() {
		if x.Done.IsZero() || (x.Trouble == "") != (x.Event == "shared" && x.ID != "1") {
			t.Errorf("notice %+v", x)
		}
	}
	if title, body, link := w.n.Words(w.words("nl"), strange); title+body+link != "" {
		t.Errorf("Words of an unknown event = %q, %q, %q", title, body, link)
	}
	if title, _, _ := w.n.Words(w.words("nl"), bad); title != "" {
		t.Errorf("Words of broken data = %q", title)
	}
}

func TestWordsForPages(t *testing.T) {
	t.Parallel()
	w := newWorld(t, nil)
	w.tell(shared())
	title, body, link := w.n.Words(w.words("sv"), w.list("contact:c1")[0])
	if title != "Ann har delat ”Annual accounts 2026” med dig" || body != "" || link != "/portal/Annual%20accounts" {
		t.Errorf("Words = %q, %q, %q", title, body, link)
	}
	x := invited()
	x.To, x.Quiet = "contact:c1", false
	w.clock.add(1)
	w.tell(x)
	if _, _, link := w.n.Words(w.words("sv"), w.list("contact:c1")[0]); link != "" {
		t.Errorf("a page shows a link that lets its reader in: %s", link)
	}
}

// Without a mail server there is the list, and no mail is written down to wait.
func TestWithoutAMailer(t *testing.T) {
	t.Parallel()
	state := memstate.New()
	w := newWorld(t, state, func(o *notify.Options) { o.Mailer = nil })
	if w.n.Mails() {
		t.Error("Mails = true")
	}
	w.tell(shared(), invited())
	w.round()
	if all := state.Notices(); len(all) != 1 || all[0].Mail != "" {
		t.Errorf("notices %+v", all)
	}
}

func TestFolder(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "data", "outbox")
	m, err := notify.NewFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorld(t, nil, over(m))
	w.tell(shared(), invited())
	w.round()
	names, err := fs.Glob(os.DirFS(dir), "*")
	if err != nil || len(names) != 2 {
		t.Fatalf("%v, %v; want two files", names, err)
	}
	for _, name := range names {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		parse(t, raw)
		info, err := os.Stat(filepath.Join(dir, name))
		if err != nil || info.Mode().Perm() != 0o600 || !strings.HasSuffix(name, ".eml") {
			t.Errorf("%s: %v, %v", name, info.Mode(), err)
		}
	}
	if err := os.RemoveAll(dir); err != nil {
		t.Fatal(err)
	}
	w.tell(shared())
	if err := w.n.Round(t.Context()); err == nil {
		t.Error("Round = nil without the folder")
	}
	if err := os.Mkdir(dir, 0o700); err != nil {
		t.Fatal(err)
	}
	w.clock.add(1e12)
	w.round()
	if names, _ := fs.Glob(os.DirFS(dir), "*.eml"); len(names) != 1 {
		t.Errorf("%v, want the mail that waited", names)
	}
}

// Every sentence has its words in each language, and no language has one that no
// mail says.
func TestMailsAreInAllLanguages(t *testing.T) {
	t.Parallel()
	ids := map[string]map[string]any{}
	for _, tag := range lang.Tags() {
		b, err := os.ReadFile(filepath.Join("..", "lang", "catalog", "mail."+tag+".json"))
		if err != nil {
			t.Fatal(err)
		}
		ids[tag] = map[string]any{}
		entries := map[string]any{}
		if err := json.Unmarshal(b, &entries); err != nil {
			t.Fatal(err)
		}
		ids[tag] = entries
	}
	var all strings.Builder
	for _, name := range []string{"words.go", "compose.go"} {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(b)
	}
	code := all.String()
	for id := range ids["nl"] {
		if !strings.Contains(code, `"`+id+`"`) {
			t.Errorf("no mail says %q", id)
		}
		for _, tag := range lang.Tags()[1:] {
			if ids[tag][id] == nil {
				t.Errorf("%s lacks %q", tag, id)
			}
		}
	}
	for _, part := range strings.Split(code, `ID("`)[1:] {
		if id, _, _ := strings.Cut(part, `")`); ids["nl"][id] == nil {
			t.Errorf("nl lacks %q", id)
		}
	}
}
