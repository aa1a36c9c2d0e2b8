package e2e

import (
	"strings"
	"testing"
	"time"

	"portico/internal/parts"
)

// sessionWithin bounds a session of a desktop.
const sessionWithin = 3 * time.Minute

// session runs a script of the shell on a desktop whose system trusts the server, in a
// D-Bus session of its own. Any step that fails ends it, and the test. args are the script's own, from $1 on.
func session(t *testing.T, s *server, script string, args ...string) string {
	t.Helper()
	d := parts.NewDesktop(t, s.ca)
	parts.Tool(t, "gdbus")
	cmd := d.Command(sessionWithin, "dbus-run-session", append([]string{"--", "bash", "-euo", "pipefail", "-c", script, "bash"}, args...)...)
	cmd.Dir = d.Home()
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v:\n%s", err, out)
	}
	return string(out)
}

// address is the address of the workspace under a client's own scheme.
func (s *server) address(scheme, path string) string {
	return strings.Replace(s.dav(path), "https:", scheme+":", 1)
}

// TestGnome works as GNOME Files does: its daemon mounts the workspace, asks for the
// password, and copies, renames and saves.
func TestGnome(t *testing.T) {
	parts.Tool(t, "gio")
	onEach(t, func(t *testing.T, st storage) {
		s := startTLS(t, st)
		out := session(t, s, `
			u=$1 password=$2
			printf 'bob\n%s\n' "$password" | gio mount "$u"
			printf 'Dear client' >letter.txt
			gio copy letter.txt "$u/letter.txt"
			test "$(gio cat "$u/letter.txt")" = 'Dear client'
			gio mkdir "$u/box"
			gio move "$u/letter.txt" "$u/box/letter.txt"
			gio rename "$u/box/letter.txt" 'Überweisung & 漢字.txt'
			gio list "$u/box" | grep -x 'Überweisung & 漢字.txt'
			printf 'second' | gio save "$u/box/%C3%9Cberweisung%20%26%20%E6%BC%A2%E5%AD%97.txt"
			gio copy "$u/box/%C3%9Cberweisung%20%26%20%E6%BC%A2%E5%AD%97.txt" "$u/copy.txt"
			! gio copy --no-target-directory letter.txt "$u/absent/letter.txt"
			gio info -f "$u"
			gio info "$u/copy.txt"
			gio copy letter.txt "$u/gone.txt"
			gio remove "$u/gone.txt"
			gio mount -u "$u"`, s.address("davs", ""), password)
		for _, want := range []string{"filesystem::free: ", "standard::size: 6", "time::modified: "} {
			if st.name == "minio" && want == "filesystem::free: " {
				continue // a bucket without a quota has no end to tell
			}
			if !strings.Contains(out, want) {
				t.Errorf("GNOME does not see %q:\n%s", want, out)
			}
		}
		s.do("ann", "GET", "/dav/firm/box/%C3%9Cberweisung%20&%20%E6%BC%A2%E5%AD%97.txt", "").want(200).has("second")
		s.do("ann", "GET", "/dav/firm/copy.txt", "").want(200).has("second")
		s.do("ann", "GET", "/dav/firm/gone.txt", "").want(404)
		s.do("ann", "GET", "/dav/firm/letter.txt", "").want(404)
	})
}

// kde gives the session of KDE the password, as its dialog would, and names the client k.
const kde = `
	u=$1 login=$2
	mkdir -p .config
	printf '[Wallet]\nEnabled=false\n' >.config/kwalletrc
	# The last argument is the window that the password was typed in: it is kept until that is closed.
	gdbus call --session --dest org.kde.kpasswdserver --object-path /modules/kpasswdserver \
		--method org.kde.KPasswdServer.addAuthInfo "$login" 1
	k() { kioclient5 --noninteractive "$@"; }
`

// TestKDE works as Dolphin does, through KIO: trees go up, are copied and moved file by
// file, and a name that is taken is replaced when the person says so.
func TestKDE(t *testing.T) {
	parts.Tool(t, "kioclient5")
	onEach(t, func(t *testing.T, st storage) {
		s := startTLS(t, st)
		u := strings.Replace(s.address("webdavs", ""), "//", "//bob@", 1)
		session(t, s, kde+`
			printf 'Dear client' >letter.txt
			k copy letter.txt "$u/letter.txt"
			test "$(k cat "$u/letter.txt")" = 'Dear client'
			k move "$u/letter.txt" "$u/Überweisung.txt"
			k stat "$u/Überweisung.txt" | grep -E 'SIZE +11'
			printf 'second, and longer' >letter.txt
			k --overwrite copy letter.txt "$u/Überweisung.txt"
			mkdir -p tree/deep
			printf one >tree/one.txt
			printf two >'tree/deep/two & 漢字.txt'
			k copy tree "$u/tree"
			k copy "$u/tree" "$u/again"
			k move "$u/again" "$u/moved"
			k ls "$u/moved" | grep -x deep
			k remove "$u/tree"
			k copy "$u/moved/deep" "$PWD/back"
			test "$(cat 'back/two & 漢字.txt')" = two`,
			u, parts.KDEPassword(u+"/", "Portico", "bob", password))
		s.do("ann", "GET", "/dav/firm/%C3%9Cberweisung.txt", "").want(200).has("second, and longer")
		s.do("ann", "GET", "/dav/firm/moved/deep/two%20&%20%E6%BC%A2%E5%AD%97.txt", "").want(200).has("two")
		for _, gone := range []string{"letter.txt", "tree", "again"} {
			s.do("ann", "PROPFIND", "/dav/firm/"+gone, "", "Depth", "0").want(404)
		}
	})
}

// TestLibreOffice edits as a person does at LibreOffice: save as, save, close, open
// again; and a second person is told who has the document, and can read it meanwhile.
func TestLibreOffice(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		s := startTLS(t, st)
		d := parts.NewDesktop(t, s.ca)
		ann := parts.NewOffice(t, d, s.url, "ann", password)
		bob := parts.NewOffice(t, d, s.url, "bob", password)
		letter := s.dav("/letter.odt")
		at := desk(t, ann)
		at(parts.OfficeOrder{Do: "new"}, "")
		at(parts.OfficeOrder{Do: "write", Text: "first"}, "first")
		at(parts.OfficeOrder{Do: "saveas", URL: letter}, "first")
		at(parts.OfficeOrder{Do: "write", Text: "second"}, "second")
		at(parts.OfficeOrder{Do: "save"}, "second")
		at(parts.OfficeOrder{Do: "close"}, "")
		if got := at(parts.OfficeOrder{Do: "open", URL: letter}, "second"); got.ReadOnly || len(got.Asked) != 0 {
			t.Errorf("opened again: %+v", got)
		}
		at(parts.OfficeOrder{Do: "write", Text: "third"}, "third")
		// Of what ann has not saved, bob sees nothing; of her, the name.
		got := desk(t, bob)(parts.OfficeOrder{Do: "open", URL: letter}, "second")
		if !got.ReadOnly || len(got.Asked) != 1 || !strings.Contains(got.Asked[0], "Ann Peeters") {
			t.Errorf("the second to open: %+v, want a read-only document that Ann Peeters holds", got)
		}
		at(parts.OfficeOrder{Do: "save"}, "third")
		at(parts.OfficeOrder{Do: "close"}, "")
		at = desk(t, bob)
		at(parts.OfficeOrder{Do: "close"}, "")
		if got := at(parts.OfficeOrder{Do: "open", URL: letter}, "third"); got.ReadOnly {
			t.Errorf("opened by bob when it was free: %+v", got)
		}
		at(parts.OfficeOrder{Do: "write", Text: "fourth"}, "fourth")
		at(parts.OfficeOrder{Do: "saveas", URL: s.dav("/%C3%9Cber%20uns.odt")}, "fourth")
		at(parts.OfficeOrder{Do: "close"}, "")
		s.do("ann", "PUT", "/dav/firm/letter.odt", "no lock is left").want(204)
		s.do("ann", "PUT", "/dav/firm/%C3%9Cber%20uns.odt", "no lock is left").want(204)
	})
}

// desk gives orders to a LibreOffice, none of which may fail, and holds its document's
// text against what it should be.
func desk(t *testing.T, o *parts.Office) func(order parts.OfficeOrder, text string) parts.OfficeState {
	t.Helper()
	return func(order parts.OfficeOrder, text string) parts.OfficeState {
		t.Helper()
		got := o.Do(order)
		if got.Error != "" || got.Text != text {
			t.Fatalf("%s %s: %+v, want the text %q", order.Do, order.URL, got, text)
		}
		return got
	}
}

// TestTwoEditors has one document edited from LibreOffice and from Word, whose part is
// played (WEBDAV.md §2.7): what either saved is there until the other has seen it, and
// each is told of the other by name.
func TestTwoEditors(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		s := startTLS(t, st)
		bob := parts.NewOffice(t, parts.NewDesktop(t, s.ca), s.url, "bob", password)
		letter := s.dav("/contract.odt")
		libre := desk(t, bob)
		libre(parts.OfficeOrder{Do: "new"}, "")
		libre(parts.OfficeOrder{Do: "write", Text: "draft of bob"}, "draft of bob")
		libre(parts.OfficeOrder{Do: "saveas", URL: letter}, "draft of bob")
		libre(parts.OfficeOrder{Do: "write", Text: "bob's second"}, "bob's second")

		// Word is told who has it, and opens a copy to read.
		word := wordOf(s, "/dav/firm/contract.odt")
		word.lock().want(423).has("Bob Maes")
		word.put("", "lost work").want(423).has("Bob Maes")
		libre(parts.OfficeOrder{Do: "save"}, "bob's second")
		libre(parts.OfficeOrder{Do: "close"}, "")

		// Now Word has it: it reads what bob saved, and saves in two steps.
		token := strings.Trim(word.lock().want(200).header.Get("Lock-Token"), "<>")
		saved := word.get().want(200).body
		if libre(parts.OfficeOrder{Do: "open", URL: letter}, "bob's second"); saved == "" {
			t.Fatal("Word read nothing")
		}
		got := bob.Do(parts.OfficeOrder{Do: "save"})
		if got.Error == "" {
			t.Errorf("LibreOffice saved over a document that Word holds: %+v", got)
		}
		libre(parts.OfficeOrder{Do: "close"}, "")
		if got := libre(parts.OfficeOrder{Do: "open", URL: letter}, "bob's second"); !got.ReadOnly || len(got.Asked) != 1 ||
			!strings.Contains(got.Asked[0], "Ann Peeters") {
			t.Errorf("LibreOffice on Word's document: %+v, want it read-only and the name Ann Peeters", got)
		}
		libre(parts.OfficeOrder{Do: "close"}, "")
		word.put(token, saved).want(204)
		word.unlock(token).want(204)
		if got := libre(parts.OfficeOrder{Do: "open", URL: letter}, "bob's second"); got.ReadOnly {
			t.Errorf("LibreOffice after Word has gone: %+v", got)
		}
		libre(parts.OfficeOrder{Do: "close"}, "")
	})
}

// word plays Word at one document, as ann.
type word struct {
	s    *server
	path string
}

func wordOf(s *server, path string) word { return word{s, path} }

func (w word) do(method, body string, header ...string) answer {
	w.s.t.Helper()
	return w.s.do("ann", method, w.path, body, append(header, "User-Agent", "Microsoft Office Word 2014", "translate", "f")...)
}

func (w word) lock() answer {
	return w.do("LOCK", `<?xml version="1.0" encoding="utf-8" ?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>`+
		`<D:locktype><D:write/></D:locktype><D:owner><D:href>DESKTOP-X\ann</D:href></D:owner></D:lockinfo>`,
		"Timeout", "Second-3600", "Content-Type", "text/xml")
}

func (w word) get() answer { return w.do("GET", "") }

func (w word) put(token, body string) answer {
	if token == "" {
		return w.do("PUT", body)
	}
	return w.do("PUT", body, "If", "(<"+token+">)")
}

func (w word) unlock(token string) answer { return w.do("UNLOCK", "", "Lock-Token", "<"+token+">") }
