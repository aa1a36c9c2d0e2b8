package mount

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"unicode/utf16"

	"portico/identity"
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

// TestWindowsFiles: regedit and PowerShell read them as they are meant.
func TestWindowsFiles(t *testing.T) {
	t.Parallel()
	reg := registryFile()
	if !bytes.HasPrefix(reg, []byte{0xff, 0xfe}) || len(reg)%2 != 0 {
		t.Fatalf("no UTF-16 with its mark: % x", reg[:8])
	}
	var units []uint16
	for i := 2; i < len(reg); i += 2 {
		units = append(units, uint16(reg[i])|uint16(reg[i+1])<<8)
	}
	text := string(utf16.Decode(units))
	for _, want := range []string{
		"Windows Registry Editor Version 5.00\r\n\r\n", `[HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\WebClient\Parameters]` + "\r\n",
		`"FileSizeLimitInBytes"=dword:ffffffff` + "\r\n", `"FileAttributesLimitInBytes"=dword:01312d00` + "\r\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the registry file lacks %q:\n%s", want, text)
		}
	}
	for name, file := range map[string]string{"reg": text, "ps1": string(script())} {
		if strings.Contains(strings.ReplaceAll(file, "\r\n", ""), "\n") || strings.Contains(strings.ReplaceAll(file, "\r\n", ""), "\r") {
			t.Errorf("%s: a line does not end as Windows' do", name)
		}
		if strings.ContainsFunc(file, func(r rune) bool { return r > 0x7e }) {
			t.Errorf("%s: it is not ASCII", name)
		}
	}
	if ps := string(script()); !strings.Contains(ps, "#Requires -RunAsAdministrator") || !strings.Contains(ps, "Restart-Service -Name WebClient") {
		t.Errorf("script:\n%s", ps)
	}
	w := httptest.NewRecorder()
	download("a.reg", reg)(w, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/", nil))
	if h := w.Header(); h.Get("Content-Type") != "text/plain" || h.Get("Content-Disposition") != `attachment; filename="a.reg"` || !bytes.Equal(w.Body.Bytes(), reg) {
		t.Errorf("download: %v", h)
	}
}
