//go:build !race

package e2e

import (
	"fmt"
	"os"
	"slices"
	"testing"

	"portico/internal/parts"
	"portico/lang"
)

// agents are browsers of each system that the page tells apart, and the choice that
// it makes for them.
func agents() map[string]string {
	return map[string]string{
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                        "Windows",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15":                   "macOS",
		"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0":                                                                  "Linux",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1": "Phone or tablet",
	}
}

// TestMountKnowsTheSystem: each visitor sees the steps of their own system first, and
// finds the others.
func TestMountKnowsTheSystem(t *testing.T) {
	o := newOffice(t, storages()[0])
	ann := browse(t, o.server).signs("ann")
	own := map[string]string{"Windows": "net use P:", "macOS": "In Finder, choose Go", "Linux": "gio mount", "Phone or tablet": "Owlfiles"}
	for agent, system := range agents() {
		ann.calls(agent, "en").open("/mount").has(own[system])
		if marked := ask[string](ann, `document.querySelector(".choose [aria-current]").textContent`); marked != system {
			t.Errorf("%s: %q is marked, want %q", agent, marked, system)
		}
		for other, says := range own {
			if other != system {
				ann.lacks(says)
			}
		}
		for other, says := range own {
			ann.goes(other).has(says)
		}
	}
}

// doctorStates are what the doctor's part of the page can say, each brought about by
// requests to the drive.
func (o *office) doctorStates(who string) []struct {
	name, says string
	do         func()
} {
	const at = "/dav/firm/Clients/"
	deed := func(method, path, body string, status int, header ...string) {
		o.do(who, method, path, body, header...).want(status)
	}
	return []struct {
		name, says string
		do         func()
	}{
		{"nothing yet", "", func() {}},
		{"a cause", "bad", func() {
			o.lock("bob", at+"Acme/Engagement%20letter.txt")
			deed("PUT", at+"Acme/Engagement%20letter.txt", "x", 423)
			deed("MOVE", at+"Borealis/Offer.txt", "", 423, "Destination", o.url+at+"Acme/Engagement%20letter.txt")
			deed("PUT", at+"a%7Cb%5Cc.txt", "x", 400)
		}},
		{"in part", "ok", func() {
			deed("OPTIONS", at, "", 200)
			deed("PROPFIND", at, "", 207, "Depth", "1")
		}},
		{"all", "ok", func() {
			deed("PUT", at+"x.txt", "x", 201)
			deed("LOCK", at+"y.txt", lockBody, 201)
			deed("MOVE", at+"x.txt", "", 201, "Destination", o.url+at+"z.txt")
		}},
	}
}

// TestMountInAllLanguages: no language's text stands beyond the window's side or its
// own box, on a phone or a desk, for any system and whatever the doctor says; and none
// is English where it should not be.
func TestMountInAllLanguages(t *testing.T) {
	axe, err := os.ReadFile(parts.Tool(t, "axe-core/node_modules/axe-core/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	o := newOffice(t, storages()[0])
	o.fill()
	ann := browse(t, o.server).signs("ann")
	look := func(path string) {
		var english []string
		for _, tag := range lang.Tags() {
			ann.speaks(tag)
			for _, width := range []int64{320, 512, 1024} {
				ann.looks(width, 800, "light").open(path)
				ann.fits()
				ann.holds()
			}
			if got := ask[string](ann, `document.documentElement.lang`); got != tag {
				t.Errorf("%s in %s is %q", path, tag, got)
			}
			said := ask[[]string](ann, sentences)
			if tag == "en" {
				english = said
			} else if same := slices.DeleteFunc(slices.Clone(said), func(s string) bool { return !slices.Contains(english, s) || s == "Word, Excel, PowerPoint" }); len(same) > 0 {
				t.Errorf("%s in %s has English: %q", path, tag, same)
			}
			ann.audit(axe)
		}
	}
	for _, system := range []string{"windows", "macos", "linux", "phone"} {
		look("/mount?system=" + system)
	}
	for _, s := range o.doctorStates("ann") {
		if s.name == "nothing yet" {
			ann.speaks("en").open("/mount?system=linux").goes("Watch my drive")
		}
		s.do()
		if s.says != "" {
			ann.seen(s.name, s.says)
		}
		look("/mount?system=linux")
	}
	if left := ask[int](ann, `document.querySelectorAll(".steps li:not(.ok)").length`); left != 1 { // the drive here has no TLS
		t.Errorf("%d steps are not ticked off, want TLS alone\n%s", left, ann.words())
	}
	ann.speaks("en").open("/mount?system=linux").goes("Stop watching").has("Watch my drive")
}

// seen waits until the doctor has judged what a state is made of.
func (b *tab) seen(name, class string) {
	b.t.Helper()
	count := map[string]int{"a cause": 3, "in part": 4, "all": 7}[name]
	eventually(b.t, fmt.Sprintf("%d steps are %s", count, class), func() bool {
		b.open("/mount?system=linux")
		return ask[int](b, fmt.Sprintf(`document.querySelectorAll(".steps .%s").length`, class)) >= count
	})
}

// sentences are the texts of a page of three words or more, but for what is to be typed
// and what people and firms are called.
const sentences = `[...document.querySelectorAll("main *")].filter((e) => e.checkVisibility() && !e.closest("code, bdi"))
  .flatMap((e) => [...e.childNodes].filter((n) => n.nodeType === 3).map((n) => n.data.replace(/\s+/g, " ").trim())).filter((s) => s.split(" ").length > 2)`

// holds wants that no text is cut by its own box.
func (b *tab) holds() {
	b.t.Helper()
	cut := ask[string](b, `[...document.querySelectorAll("main *")].filter((e) => e.checkVisibility() && !e.closest(".unseen, svg") && getComputedStyle(e).display !== "inline" && e.scrollWidth > e.clientWidth + 1).map((e) => e.outerHTML.slice(0, 160)).join("\n")`)
	if cut != "" {
		b.t.Errorf("it is cut at %d px: %s", ask[int](b, `innerWidth`), cut)
	}
}
