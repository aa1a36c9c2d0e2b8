package mount

import (
	"flag"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"portico/identity"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with what stands in a file of testdata, or writes it there.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	file := filepath.Join("testdata", name)
	if *update {
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", name, diff)
	}
}

// odd are names that people have, or that somebody gives themself, for others'
// shells to run.
func odd() []string {
	return []string{
		"ann", "", "carl@client.example", "Jörg Müller", `O'Brien`, `FIRM\ann`, "a b & calc.exe", "x;rm -rf ~", "$(id)", "`id`@x.example", `a"b`, "%PATH%", "wow!", "-rf", "a|b>c", "“x” $y",
		"two\nlines", "tab\there", "#one", "张伟", "a\u202eb", `end\`, "{x,y}*?[z]~",
	}
}

// TestCommandsOfOddNames: whatever a name, an address or a workspace holds, a line
// that is pasted does what it says and no more. The lines stand in testdata.
func TestCommandsOfOddNames(t *testing.T) {
	t.Parallel()
	var b strings.Builder
	tell := func(d Drive) {
		fmt.Fprintf(&b, "%q at %s\n  net use P: %s /user:%s (%v)\n  gio mount %s\n  rclone url=%s user=%s\n  secrets %s\n", d.Login, d.Drive, d.Typed(), d.TypedLogin(), d.Named(), d.TypedGNOME(), d.TypedFolder(), d.TypedLogin(), d.Secrets())
	}
	at := func(public, workspace, login string) Drive {
		u, err := url.Parse(public)
		if err != nil {
			t.Fatal(err)
		}
		return Of(u, identity.Identity{Login: identity.Login(login)}, workspace)
	}
	for _, login := range odd() {
		tell(at("https://files.firm.example", "", login))
	}
	for _, public := range []string{"https://xn--bcher-kva.example:8443", "http://[::1]:8080", "https://x.example/a b/$(id)&'/"} {
		for _, workspace := range []string{"", "Müller & Söhne", `'"$(id)%PATH%` + "`"} {
			tell(at(public, workspace, "ann"))
		}
	}
	golden(t, "commands.txt", []byte(b.String()))
}

// ran is what a shell makes of a line of words.
func ran(t *testing.T, shell, line string) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), shell, "-c", "printf '<%s>' "+line).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %q: %v, %s", shell, line, err, out)
	}
	return string(out)
}

// TestWordsAreOne asks the shells that are here: a word is what it was made of.
func TestWordsAreOne(t *testing.T) {
	t.Parallel()
	for _, shell := range []string{"sh", "bash"} {
		for _, login := range odd() {
			w, ok := word(login)
			if !ok {
				continue
			}
			if got, want := ran(t, shell, "user="+w), "<user="+login+">"; got != want {
				t.Errorf("%s: %q is %q", shell, login, got)
			}
		}
		for _, address := range []string{"https://x.example/a;b&c d'$(id)*", "http://[::1]:80/dav/"} {
			if got := ran(t, shell, typed(address)); strings.Count(got, "<") != 1 || strings.ContainsAny(got, "&;$' *") {
				t.Errorf("%s: %q is %q", shell, address, got)
			}
		}
	}
}

// TestWordProperty: of any text, a word has no character that a shell, cmd.exe or
// PowerShell reads, outside of one pair of quotes, nor one that ends the pair.
func TestWordProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		s := rapid.OneOf(rapid.String(), rapid.StringOf(rapid.RuneFrom([]rune("aé @'\"$`\\!%&|<>^();*?[]{}~#“”„\n\x00-")))).Draw(t, "s")
		w, ok := word(s)
		if !ok {
			return
		}
		inner := strings.TrimSuffix(strings.TrimPrefix(w, `"`), `"`)
		if inner != s {
			t.Fatalf("%q became %q", s, w)
		}
		if strings.ContainsAny(inner, "\"$`\\!%\r\n\x00“”„") || inner == w && strings.ContainsAny(w, " \t&|<>^();*?[]{}~#'=,") {
			t.Fatalf("%q is %q, which a shell reads", s, w)
		}
		a := typed("https://x.example/" + s)
		if strings.ContainsAny(strings.Trim(a, `"`), "\"$`\\! \t&|<>^();*?{}~#'=,\r\n\x00“”„") {
			t.Fatalf("an address with %q is %q", s, a)
		}
	})
}

// unescaped reads a line of davfs2's secrets as davfs2.conf(5) says it does.
func unescaped(line string) (fields []string) {
	var b strings.Builder
	quoted, some := false, false
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case c == '\\' && i+1 < len(line):
			i++
			b.WriteByte(line[i])
		case c == '"':
			quoted, some = !quoted, true
		case (c == ' ' || c == '\t') && !quoted:
			if b.Len() > 0 || some {
				fields = append(fields, b.String())
			}
			b.Reset()
			some = false
		case c == '#' && !quoted:
			return fields
		default:
			b.WriteByte(c)
		}
	}
	return append(fields, b.String())
}

func TestSecretsProperty(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		login := rapid.OneOf(rapid.String(), rapid.SampledFrom(odd())).Draw(t, "login")
		line := Drive{Drive: "https://x.example/dav", Login: login, Secret: "PASSWORD"}.Secrets()
		if strings.ContainsAny(line, "\r\n") {
			t.Fatalf("%q makes two lines: %q", login, line)
		}
		got := unescaped(line)
		want := login
		if strings.Contains(line, `"NAME"`) {
			want = "NAME"
		}
		if diff := cmp.Diff([]string{"https://x.example/dav/", want, "PASSWORD"}, got); diff != "" {
			t.Fatalf("%q (-want +got):\n%s", line, diff)
		}
	})
}
