package e2e

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"net/http"
	"net/http/cookiejar"
	"net/mail"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestExample serves example.yaml over the demo's tree and state as `make run`
// does, on free ports, and looks at all that the README promises of it.
func TestExample(t *testing.T) {
	dir, said := demonstrate(t)
	text, err := os.ReadFile(filepath.Join(dir, "example.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, string(text))
	t.Run("staff mount their drive", func(*testing.T) {
		for _, c := range []struct {
			user, path string
			want       int
		}{
			{"ann", "/dav/firm/HR/", 200},
			{"bob", "/dav/firm/HR/", 200},
			{"ida", "/dav/firm/HR/", 404},
			{"ida", "/dav/firm/Clients/Acme/", 200},
			{"eve", "/dav/firm/", 401},
		} {
			s.doAs(c.user, "portico-demo", "GET", c.path, "").want(c.want)
		}
	})
	t.Run("staff see customers and shares", func(t *testing.T) { demoStaff(s.visitor(t, "ann", "portico-demo")) })
	t.Run("the customer sees what is shared", func(t *testing.T) { demoCustomer(s, s.visitor(t, customer, customersPassword)) })
	t.Run("links", func(t *testing.T) { demoLinks(t, s, said) })
	t.Run("an invitation", func(t *testing.T) { demoInvitation(t, s, said) })
	t.Run("mails", func(t *testing.T) { demoMails(t, filepath.Join(dir, "data", "outbox")) })
}

// What the demo's customer signs in with, as the demo says.
const (
	customer          = "claire@acme.example"
	customersPassword = "acme-reads-along"
)

// demonstrate makes the demo in a folder as `make run` does, and tells the folder
// and what was said. The folder has the config, with its paths and free ports.
func demonstrate(t *testing.T) (dir, said string) {
	t.Helper()
	text, err := os.ReadFile("../../example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	dir = t.TempDir()
	for was, now := range map[string]string{
		"listen: 127.0.0.1:8080": "listen: 127.0.0.1:0", "public_url: http://127.0.0.1:8080": "",
		"metrics_listen: 127.0.0.1:9090": "metrics_listen: 127.0.0.1:0",
		"sqlite:data/":                   "sqlite:" + dir + "/data/", "path: data/files": "path: " + dir + "/data/files",
		"dir: data/outbox": "dir: " + dir + "/data/outbox",
	} {
		if !bytes.Contains(text, []byte(was)) {
			t.Fatalf("example.yaml lacks %q", was)
		}
		text = bytes.ReplaceAll(text, []byte(was), []byte(now))
	}
	if err := os.WriteFile(filepath.Join(dir, "example.yaml"), text, 0o600); err != nil {
		t.Fatal(err)
	}
	said = demoScript(t, dir)
	if again := demoScript(t, dir); again != said {
		t.Errorf("a second start says something else:\n%s\nthe first said:\n%s", again, said)
	}
	return dir, said
}

// demoScript is what `make run` does before it serves.
func demoScript(t *testing.T, dir string) string {
	t.Helper()
	program, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	script, err := filepath.Abs("../../build/demo.sh")
	if err != nil {
		t.Fatal(err)
	}
	demo := exec.Command(script)
	demo.Dir, demo.Env = dir, append(os.Environ(), "PORTICO="+program)
	out, err := demo.CombinedOutput()
	if err != nil || !bytes.Contains(out, []byte("portico-demo")) {
		t.Fatalf("the demo: %v\n%s", err, out)
	}
	return string(out)
}

// visitor is somebody in front of the pages, without scripts.
type visitor struct {
	t *testing.T
	*http.Client
	url string
}

// visitor is one who has signed in.
func (s *server) visitor(t *testing.T, name, password string) *visitor {
	t.Helper()
	v := s.stranger(t)
	v.send("/login", "name", name, "password", password).want(303)
	return v
}

// stranger is one who has not.
func (s *server) stranger(t *testing.T) *visitor {
	t.Helper()
	jar, err := cookiejar.New(nil)
	if err != nil {
		t.Fatal(err)
	}
	return &visitor{t, &http.Client{
		Jar: jar, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}, s.url}
}

func (v *visitor) do(method, path string, body io.Reader, header ...string) answer {
	v.t.Helper()
	r, err := http.NewRequestWithContext(v.t.Context(), method, v.url+path, body)
	if err != nil {
		v.t.Fatal(err)
	}
	r.Header.Set("Accept", "text/html")
	r.Header.Set("Sec-Fetch-Site", "same-origin")
	for i := 0; i+1 < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	resp, err := v.Do(r)
	if err != nil {
		v.t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		v.t.Fatal(err)
	}
	text = regexp.MustCompile(`(?s)<svg.*?</svg>`).ReplaceAll(text, nil) // they fill the log of a failure
	return answer{v.t, method + " " + path, resp.StatusCode, resp.Header, string(text)}
}

func (v *visitor) get(path string) answer { v.t.Helper(); return v.do("GET", path, nil) }

// send sends a form as a page of ours does.
func (v *visitor) send(path string, fields ...string) answer {
	v.t.Helper()
	form := url.Values{}
	for i := 0; i+1 < len(fields); i += 2 {
		form.Add(fields[i], fields[i+1])
	}
	return v.do("POST", path, strings.NewReader(form.Encode()), "Content-Type", "application/x-www-form-urlencoded", "Origin", v.url)
}

// demoStaff: contacts in each state, shares, links, notices.
func demoStaff(ann *visitor) {
	ann.t.Helper()
	ann.get("/contacts/").want(200).has("Claire Dubois").has("Active").has("Invited").has("No access").has("Closed")
	ann.get("/contacts/firm/" + customer).want(200).
		has("may read").has("may edit and deposit").has("may deposit").has("Not answered yet").has("until ")
	ann.get("/files/firm/Clients/Acme/").want(200).has("Shared with").has("Claire Dubois").has("Warehouse plan.png")
	ann.get("/links").want(200).has("The architect").has("Acme&#39;s drivers")
	ann.get("/files/firm/Clients/Acme/").has(`formaction="/links/new"`)
	ann.send("/links/new", "in", "/firm/Clients/Acme", "item", "Quote.txt").want(200).has("Quote.txt")
	ann.get("/notices").want(200).has("accepted").has("declined").has("March.txt").has("Answers.txt")
}

// demoCustomer: what is shared with claire, what she sent, with a receipt that the
// page of receipts knows; and the same as a drive.
func demoCustomer(s *server, claire *visitor) {
	claire.t.Helper()
	at := claire.get("/").want(303).header.Get("Location")
	claire.get(at).want(200).has("Accounts 2025").has("Receipts").has("Warehouse plan.png").has("Engagement letter.pdf").has("Accept")
	if page := claire.get(at); strings.Contains(page.body, "Quote.txt") {
		claire.t.Error("the customer still sees what she declined")
	}
	sent := claire.get("/portal/deposits").want(200).has("March.txt").has("Not opened yet").has("Answers.txt").has("Opened")
	receipt := regexp.MustCompile(`/portal/receipts/[a-z0-9]+`).FindString(sent.body)
	text := claire.get(receipt).want(200).has("Signature:").body
	var form bytes.Buffer
	w := multipart.NewWriter(&form)
	if err := errors.Join(w.WriteField("receipt", text), w.Close()); err != nil {
		claire.t.Fatal(err)
	}
	claire.do("POST", "/verify", &form, "Content-Type", w.FormDataContentType(), "Origin", claire.url).want(200).has("Claire Dubois")
	drive := s.doAs(customer, customersPassword, "PROPFIND", "/dav/shared/", "", "Depth", "1").want(207).has("Accounts%202025")
	if strings.Contains(drive.body, "Clients") {
		claire.t.Errorf("the customer's drive tells of folders above: %s", drive.body)
	}
	claire.get("/contacts/").want(404)
}

// demoLinks: one to read, for a browser, curl and a drive; one for drops, behind a
// password.
func demoLinks(t *testing.T, s *server, said string) {
	t.Helper()
	links := regexp.MustCompile(`/s/(gwl_[a-z0-9]+)`).FindAllStringSubmatch(said, -1)
	if len(links) != 2 {
		t.Fatalf("the demo names %d links, want 2:\n%s", len(links), said)
	}
	read, drop := links[0][1], links[1][1]
	somebody := s.stranger(t)
	somebody.get("/s/" + read).want(200).has("Warehouse plan.png")
	somebody.get("/s/" + read + "/d/Warehouse%20plan.png").want(200).has("PNG")
	s.do("", "PROPFIND", "/dav/link/"+read+"/", "", "Depth", "1").want(207).has("Warehouse%20plan.png")
	if page := somebody.get("/s/" + drop); strings.Contains(page.body, "Receipts") {
		t.Errorf("a link tells what it opens before its password: %d %s", page.status, page.body)
	}
}

// demoInvitation: otto takes his up, and sees what was shared with him.
func demoInvitation(t *testing.T, s *server, said string) {
	t.Helper()
	path := regexp.MustCompile(`/invite/\S+`).FindString(said)
	otto := s.stranger(t)
	otto.get(path).want(200).has("otto@borealis.example")
	otto.send(path, "name", "Otto Berg", "password", "a long northern winter").want(303)
	otto.get("/portal/").want(200).has("Planning.txt")
	otto.get(path).want(410)
}

// demoMails: each kind of notice is a file, from the firm, for the one it concerns.
func demoMails(t *testing.T, outbox string) {
	t.Helper()
	want := []string{
		"ann@firm.example: Claire Dubois accepted", "ann@firm.example: Claire Dubois declined", "ann@firm.example: Claire Dubois sent",
		customer + ": Receipt for", customer + ": Ann Peeters opened", "otto@borealis.example: Peeters & Co delar",
	}
	eventually(t, "the mails are in the outbox", func() bool {
		got := subjects(t, outbox)
		return !slices.ContainsFunc(want, func(w string) bool {
			return !slices.ContainsFunc(got, func(g string) bool { return strings.HasPrefix(g, w) })
		})
	})
}

// subjects are the mails of a folder, as "TO: SUBJECT".
func subjects(t *testing.T, outbox string) (list []string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(outbox, "*.eml"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range files {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		m, err := mail.ReadMessage(bytes.NewReader(b))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		to, err := m.Header.AddressList("To")
		if err != nil || len(to) != 1 {
			t.Fatalf("%s: %v, %v", name, to, err)
		}
		subject, err := new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject"))
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		list = append(list, to[0].Address+": "+subject)
	}
	return list
}
