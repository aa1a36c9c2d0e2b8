package mount

import (
	"bytes"
	"context"
	"encoding/binary"
	"html"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"github.com/google/go-cmp/cmp"

	"portico/files"
	"portico/identity"
	"portico/identity/session"
	"portico/portal/web"
)

func TestSystemOf(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ agent, platform, query, want string }{
		{"Mozilla/5.0 (Windows NT 10.0; Win64; x64) Firefox/140.0", "", "", windows},
		{"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari/605", "", "", macOS},
		{"Mozilla/5.0 (X11; Linux x86_64) Chrome/149", `"Linux"`, "", linux},
		{"Mozilla/5.0 (Linux; Android 10; K) Chrome/149 Mobile", "", "", phone},
		{"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X)", "", "", phone},
		{"Mozilla/5.0 (X11; Linux x86_64)", `"Windows"`, "", windows},
		{"curl/8", "", "", windows},
		{"Mozilla/5.0 (Windows NT 10.0)", "", "system=linux", linux},
		{"Mozilla/5.0 (Windows NT 10.0)", "", "system=%3Cscript", windows},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/mount?"+c.query, nil)
		r.Header.Set("User-Agent", c.agent)
		r.Header.Set("Sec-CH-UA-Platform", c.platform)
		if got := systemOf(r); got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}

func TestDrive(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ public, gnome, kde, host, port string }{
		{"https://files.firm.example", "davs://carl%40client.example@files.firm.example/dav/shared/", "webdavs://carl%40client.example@files.firm.example/dav/shared/", "files.firm.example", "443"},
		{"http://127.0.0.1:8080", "dav://carl%40client.example@127.0.0.1:8080/dav/shared/", "webdav://carl%40client.example@127.0.0.1:8080/dav/shared/", "127.0.0.1", "8080"},
		{"http://[::1]", "dav://carl%40client.example@[::1]/dav/shared/", "webdav://carl%40client.example@[::1]/dav/shared/", "::1", "80"},
	} {
		u, err := url.Parse(c.public)
		if err != nil {
			t.Fatal(err)
		}
		d := Of(u, identity.Identity{Login: "carl@client.example", Contact: true}, "")
		if d.GNOME() != c.gnome || d.KDE() != c.kde || d.Name() != c.host || d.Port() != c.port {
			t.Errorf("%s: %s %s %s %s", c.public, d.GNOME(), d.KDE(), d.Name(), d.Port())
		}
	}
}

// house is a server with the page alone, for who signs in by a cookie that is their
// login, at an odd address.
type house struct {
	*testing.T
	http.Handler
	clinic *clinic
}

// sessions takes the cookie at its word.
type sessions struct{}

func (sessions) Find(_ context.Context, cookie string) (identity.Identity, error) {
	if cookie == "" {
		return identity.Identity{}, session.ErrNone
	}
	login, err := url.QueryUnescape(cookie)
	return identity.Identity{ID: "yaml:ann", Login: identity.Login(login), Name: "Ann Peeters", Contact: strings.Contains(login, "@")}, err
}

func newHouse(t *testing.T, public string) *house {
	t.Helper()
	u, err := url.Parse(public)
	if err != nil {
		t.Fatal(err)
	}
	c := newClinic(t)
	k := web.New(web.Options{
		Public: u, Catalog: c.a.Catalog, Sessions: sessions{}, Log: slog.New(slog.DiscardHandler), Clock: func() time.Time { return c.now },
		Principal: func(who identity.Identity) files.Principal {
			return files.Staff(files.Person{ID: who.ID, Login: string(who.Login)})
		},
		RequestID: func(context.Context) string { return "request-1" }, Address: func(*http.Request) string { return home },
	})
	return &house{t, k.Handler(Room(c.a)(k)...), c}
}

func (h *house) get(login, path string, pairs ...string) *httptest.ResponseRecorder {
	h.Helper()
	return h.do(http.MethodGet, login, path, "", pairs...)
}

func (h *house) do(method, login, path, form string, pairs ...string) *httptest.ResponseRecorder {
	h.Helper()
	r := httptest.NewRequestWithContext(h.Context(), method, path, strings.NewReader(form))
	if form != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	if login != "" {
		for _, name := range []string{"sid", "__Host-sid"} { // over TLS
			r.AddCookie(&http.Cookie{Name: name, Value: url.QueryEscape(login)})
		}
	}
	for i := 0; i < len(pairs); i += 2 {
		r.Header.Set(pairs[i], pairs[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// TestDownloads: the two files are the same to the byte for everybody, whatever
// their name, the address of the server and what they send hold, since nothing of it
// is in them. They are saved, and not opened.
func TestDownloads(t *testing.T) {
	t.Parallel()
	for _, public := range []string{"https://files.firm.example", "http://[::1]:8080", "https://xn--bcher-kva.example:8443"} {
		h := newHouse(t, public)
		for _, login := range odd() {
			for _, name := range []string{"portico-windows.reg", "portico-windows.ps1"} {
				path := "/mount/" + name
				if login == "" {
					if w := h.get("", path); w.Code != http.StatusSeeOther || w.Body.Len() > 200 {
						t.Errorf("%s to nobody: %d", path, w.Code)
					}
					continue
				}
				w := h.get(login, path+`?host="]%0d%0a&login=x`, "Host", `"x`, "Accept-Language", "de", "Range", "bytes=0-3")
				if w.Code != http.StatusOK {
					t.Fatalf("%s as %q: %d", path, login, w.Code)
				}
				golden(t, name, w.Body.Bytes())
				head := w.Header()
				for key, want := range map[string]string{
					"Content-Type": "text/plain", "Content-Disposition": `attachment; filename="` + name + `"`, "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store",
				} {
					if got := head.Get(key); got != want {
						t.Errorf("%s as %q: %s %q, want %q", path, login, key, got, want)
					}
				}
			}
		}
	}
}

// TestRegistryFile: regedit takes version 5.00 in UTF-16, the low byte first, with its
// mark, and lines as Windows ends them; the head, an empty line, keys and values.
func TestRegistryFile(t *testing.T) {
	t.Parallel()
	reg := registryFile()
	if !bytes.HasPrefix(reg, []byte{0xff, 0xfe, 'W', 0}) || len(reg)%2 != 0 {
		t.Fatalf("no UTF-16 with its mark: % x", reg[:8])
	}
	var units []uint16
	for i := 2; i < len(reg); i += 2 {
		units = append(units, binary.LittleEndian.Uint16(reg[i:]))
	}
	text := string(utf16.Decode(units))
	lines := windowsLines(t, text)
	if lines[0] != "Windows Registry Editor Version 5.00" || lines[1] != "" || lines[len(lines)-1] != "" {
		t.Errorf("the head or the end is not regedit's: %q", lines)
	}
	var said []string
	for _, line := range lines[1:] {
		if line != "" && !strings.HasPrefix(line, ";") {
			said = append(said, line)
		}
	}
	want := []string{
		`[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\WebClient\Parameters]`,
		`"FileSizeLimitInBytes"=dword:ffffffff`, `"FileAttributesLimitInBytes"=dword:01312d00`,
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("what it sets (-want +got):\n%s", diff)
	}
}

// windowsLines are the lines of a text for Windows, which is ASCII: nothing in it
// depends on the code page of who reads it.
func windowsLines(t *testing.T, text string) []string {
	t.Helper()
	lines := strings.Split(text, "\r\n")
	for _, line := range lines {
		if strings.ContainsFunc(line, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("%q: it is not ASCII, or ends otherwise than Windows' lines do", line)
		}
	}
	return lines
}

// TestScript holds the script against what it may do: PowerShell itself is not here.
// It needs an administrator and says so first, stops at the first fault, sets the two
// values of the registry file, and restarts the one service that reads them.
func TestScript(t *testing.T) {
	t.Parallel()
	var said []string
	for _, line := range windowsLines(t, string(script())) {
		if line != "" && !strings.HasPrefix(line, "# ") && !strings.HasPrefix(line, "#   ") {
			said = append(said, line)
		}
	}
	set := func(name, hex string) string {
		return `New-ItemProperty -Path $key -Name ` + name + ` -PropertyType DWord -Value ([Convert]::ToInt32('` + hex + `', 16)) -Force | Out-Null`
	}
	want := []string{
		"#Requires -RunAsAdministrator", "$ErrorActionPreference = 'Stop'",
		`$key = 'HKLM:\SYSTEM\CurrentControlSet\Services\WebClient\Parameters'`,
		set("FileSizeLimitInBytes", "ffffffff"), set("FileAttributesLimitInBytes", "01312d00"),
		"Set-Service -Name WebClient -StartupType Automatic", "Restart-Service -Name WebClient -Force",
		"Get-ItemProperty -Path $key | Select-Object FileSizeLimitInBytes, FileAttributesLimitInBytes",
	}
	if diff := cmp.Diff(want, said); diff != "" {
		t.Errorf("what it does (-want +got):\n%s", diff)
	}
}

// TestPageOfOddNames: the page has the lines of testdata for a name, and its own
// words stay text.
func TestPageOfOddNames(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "https://files.firm.example")
	for _, login := range append(odd()[2:], `<script>alert(1)</script>`) {
		for _, s := range systems() {
			w := h.get(login, "/mount?system="+s.ID)
			page := html.UnescapeString(w.Body.String())
			if w.Code != http.StatusOK || strings.Contains(w.Body.String(), "<script>alert") || strings.Contains(page, "ZgotmplZ") {
				t.Fatalf("%q on %s: %d\n%s", login, s.ID, w.Code, page)
			}
			d := Of(&url.URL{Scheme: "https", Host: "files.firm.example"}, identity.Identity{Login: identity.Login(login), Contact: strings.Contains(login, "@")}, "")
			for _, want := range map[string][]string{
				windows: {"net use P: " + d.Typed(), "user=" + d.TypedLogin() + " pass"}, macOS: {"user=" + d.TypedLogin() + " pass"},
				linux: {"gio mount " + d.TypedGNOME() + "<", d.Secrets() + "<", d.KDE() + "<"}, phone: nil,
			}[s.ID] {
				if !strings.Contains(page, want) {
					t.Errorf("%q on %s: the page lacks %q", login, s.ID, want)
				}
			}
			if !d.Named() && strings.Contains(page, "/user:") {
				t.Errorf("%q: net use has a name that a shell reads", login)
			}
		}
	}
}

// TestWatchByPage: the forms begin and end a watch, and lead back to the system that
// was chosen; the part that a script asks for says what the page says.
// TestStepsOfEachSystem: what is typed or entered stands on the page of the system.
func TestStepsOfEachSystem(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "https://files.firm.example")
	const drive, rclone = "https://files.firm.example/dav", "rclone config create portico webdav url=https://files.firm.example/dav/"
	for system, want := range map[string][]string{
		"windows": {"net use P: " + drive + " * /user:ann", "portico-windows.reg", "portico-windows.ps1", "FileAttributesLimitInBytes", rclone},
		"macos":   {"Connect to Server", "<code>" + drive + "/</code>", rclone},
		"linux":   {"gio mount davs://ann@", "webdavs://ann@", "<code>" + drive + "/ /mnt/portico davfs rw,user,noauto,_netdev 0 0</code>", "<code>mount /mnt/portico</code>", rclone},
		"phone":   {"Material Files", "Documents by Readdle"},
	} {
		w := h.get("ann", "/mount?system="+system)
		for _, text := range want {
			if w.Code != http.StatusOK || !strings.Contains(w.Body.String(), text) {
				t.Errorf("%s: %d, and lacks %q", system, w.Code, text)
			}
		}
	}
}

func TestWatchByPage(t *testing.T) {
	t.Parallel()
	h := newHouse(t, "https://files.firm.example")
	texts := func(w *httptest.ResponseRecorder, status int, has ...string) {
		t.Helper()
		page := html.UnescapeString(w.Body.String())
		for _, s := range has {
			if w.Code != status || !strings.Contains(page, s) {
				t.Errorf("%d, want %d and %q:\n%s", w.Code, status, s, page)
			}
		}
	}
	texts(h.get("ann", "/mount?system=linux"), 200, "Watch my drive")
	began := h.do(http.MethodPost, "ann", "/mount/watch", "system=linux")
	if to := began.Header().Get("Location"); began.Code != http.StatusSeeOther || to != "/mount?system=linux#doctor" {
		t.Errorf("%d to %q", began.Code, to)
	}
	h.clinic.see(h.clinic.a, Seen{Person: ann.ID, Address: home, Method: "PROPFIND", Status: 207})
	for _, path := range []string{"/mount?system=linux", "/mount/seen?system=linux"} {
		texts(h.get("ann", path), 200, "is watched until 10:57", "Done:", "Listed a folder", "Trouble:", "Not yet:", "KDE and rclone never ask.")
		texts(h.get("ann", path, "Accept-Language", "de"), 200, "wird bis 10:57 beobachtet", "Ordner aufgelistet", "Die Verbindung wurde ohne TLS aufgebaut")
	}
	if w := h.do(http.MethodPost, "ann", "/mount/stop", "system=%22%3E%0d%0aX:y"); w.Code != http.StatusSeeOther || strings.ContainsAny(w.Header().Get("Location"), "\"\r\n<>") {
		t.Errorf("%d to %q", w.Code, w.Header().Get("Location"))
	}
	texts(h.get("ann", "/mount/seen"), 200, "Watch my drive")
}
