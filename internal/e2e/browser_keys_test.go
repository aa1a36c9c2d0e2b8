//go:build !race

package e2e

import (
	"fmt"
	"testing"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// keys types keys, one after the other: letters, or those of kb.
func (b *tab) keys(keys string, with ...chromedp.Modifier) *tab {
	b.t.Helper()
	b.run(fmt.Sprintf("type %q", keys), chromedp.KeyEvent(keys, chromedp.KeyModifiers(with...)))
	return b
}

// at waits for the focus to be on what a selector finds.
func (b *tab) at(selector string) *tab {
	b.t.Helper()
	is := fmt.Sprintf(`document.activeElement?.matches(%s) ?? false`, quote(selector))
	for range 40 { // a key is told to the page at once, what it does may take a frame
		if ask[bool](b, is) {
			return b
		}
		ask[bool](b, `new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(true), 10)))`)
	}
	b.t.Fatalf("the focus is on %s, want %s", ask[string](b, `document.activeElement?.outerHTML.slice(0, 300) ?? "nothing"`), selector)
	return b
}

// leads waits for the page after a key, and for its path.
func (b *tab) leads(keys, path string) *tab {
	b.t.Helper()
	b.do(`window.before = true`)
	b.keys(keys)
	b.until("the page "+path, fmt.Sprintf(`!window.before && document.readyState === "complete" && location.pathname.startsWith(%s)`, quote(path)))
	return b
}

// row is the link of a row, by its name.
func row(name string) string { return `.item[data-name="` + name + `"] .name a` }

// TestKeysFolder goes through a folder of the staff without a mouse.
func TestKeysFolder(t *testing.T) {
	o := newOffice(t, storages()[0])
	o.fill()
	for _, name := range []string{"a.txt", "b.txt", "c.txt", "d.txt"} {
		o.do("ann", "PUT", "/dav/firm/Clients/Acme/"+name, "text").want(201)
	}
	ann := browse(t, o.server).signs("ann").open("/files/firm/Clients/Acme/")

	t.Run("rows", func(t *testing.T) {
		ann.t = t
		ann.keys(kb.ArrowDown).at(row("a.txt")).keys(kb.ArrowDown).at(row("b.txt")).keys(kb.ArrowUp).at(row("a.txt"))
		ann.keys(kb.ArrowUp).at(row("a.txt")).keys(kb.End).at(row("Engagement letter.txt")).keys(kb.ArrowDown).at(row("Engagement letter.txt")).keys(kb.Home).at(row("a.txt"))
		ann.keys(" ").has("1 chosen").keys(kb.ArrowDown, chromedp.ModifierShift).at(row("b.txt")).has("2 chosen")
		ann.keys(kb.Escape).at(row("b.txt"))
		ann.until("nothing is chosen", `document.querySelector("[name=item]:checked") === null`)
	})
	t.Run("search", func(t *testing.T) {
		ann.t = t
		ann.keys("/").at("#q").keys("x").at("#q").keys(kb.Escape).at("#q").keys(kb.Escape).at(row("b.txt"))
	})
	t.Run("help", func(t *testing.T) {
		ann.t = t
		ann.keys("?").at("#help button").keys(kb.Escape).at(row("b.txt"))
		ann.until("it is closed", `!document.getElementById("help").open`)
	})
	t.Run("menu of a row", func(t *testing.T) {
		ann.t = t
		more := `.item[data-name="b.txt"] .row-actions summary`
		ann.keys(kb.Tab).at(more).keys(kb.ArrowDown).at("[data-act=open]").keys(kb.ArrowDown).at("[data-act=download]")
		ann.keys(kb.End).at("[data-act=delete]").keys(kb.ArrowDown).at("[data-act=open]").keys(kb.ArrowUp).at("[data-act=delete]").keys(kb.Home).at("[data-act=open]")
		ann.keys(kb.Escape).at(more)
		ann.keys(kb.Enter).keys(kb.ArrowUp).at("[data-act=delete]").keys(kb.Tab)
		ann.until("the menu is closed when the focus leaves it", `document.querySelector("details.menu[open]") === null`)
	})
	t.Run("rename", func(t *testing.T) {
		ann.t = t
		ann.do(`document.querySelector(` + quote(row("b.txt")) + `).focus()`)
		ann.keys(kb.Tab + kb.ArrowDown)
		ann.do(`document.querySelector("[data-act=rename]").focus()`)
		ann.keys(kb.Enter).at("#rename-name").keys(kb.Escape).at(`.item[data-name="b.txt"] summary`)
		ann.keys(kb.ArrowDown)
		ann.do(`document.querySelector("[data-act=rename]").focus()`)
		ann.keys(kb.Enter).at("#rename-name").keys("z").leads(kb.Enter, "/files/firm/Clients/Acme/").has("z.txt")
	})
	t.Run("details", func(t *testing.T) {
		ann.t = t
		ann.do(`document.querySelector(` + quote(row("a.txt")) + `).focus()`)
		ann.keys(kb.Tab + kb.ArrowDown)
		ann.do(`document.querySelector("[data-act=details]").focus()`)
		ann.keys(kb.Enter).at("[data-close-details]").keys(kb.Escape).at(row("a.txt"))
		ann.until("the details are closed", `document.getElementById("details").hidden`)
	})
	t.Run("new folder", func(t *testing.T) {
		ann.t = t
		opener := `.actions .menu:not(.uploader) summary`
		ann.do(`document.querySelector(` + quote(opener) + `).focus()`)
		ann.keys(kb.Enter).at("#new-name").keys(kb.Escape).at(opener)
		ann.keys(kb.Enter).at("#new-name").keys("Letters").leads(kb.Enter, "/files/firm/Clients/Acme/").has("Letters")
	})
	t.Run("grid", func(t *testing.T) {
		ann.t = t
		ann.open("/files/firm/Clients/Acme/?view=grid")
		ann.keys(kb.ArrowDown).at(row("Letters")).keys(kb.ArrowRight).at(row("a.txt")).keys(kb.ArrowLeft).at(row("Letters"))
		line := ask[int](ann, `(() => { const all = [...document.querySelectorAll(".body .item")]; return all.filter((i) => i.offsetTop === all[0].offsetTop).length; })()`)
		want := ask[string](ann, fmt.Sprintf(`(() => { const all = [...document.querySelectorAll(".body .item")]; return all[Math.min(%d, all.length - 1)].dataset.name; })()`, line))
		ann.keys(kb.ArrowDown).at(row(want))
		ann.open("/files/firm/Clients/Acme/?view=list")
	})
	t.Run("open", func(t *testing.T) {
		ann.t = t
		ann.keys(kb.ArrowDown).at(row("Letters")).leads(kb.Enter, "/files/firm/Clients/Acme/Letters/")
	})
	ann.t = t
}

// TestKeysForms: a menu that is a form leaves the arrows to its fields.
func TestKeysForms(t *testing.T) {
	o := newOffice(t, storages()[0])
	ann := browse(t, o.server).signs("ann").open("/contacts")
	ann.do(`document.querySelector(".actions summary").focus()`)
	ann.keys(kb.Enter).at("#mail").keys("lena@roth.example" + kb.Tab).at("#name").keys(kb.Tab + kb.Tab).at("#language")
	ann.keys(kb.ArrowDown + kb.ArrowDown).at("#language")
	if got := ask[string](ann, `document.getElementById("language").value`); got == "" {
		t.Error("the arrows do not choose a language")
	}
	ann.leads(kb.Tab+kb.Tab+kb.Enter, "/contacts/firm/lena@roth.example").has("lena@roth.example")
}

// TestKeysShare shares a folder, and the customer takes part, by keys alone.
func TestKeysShare(t *testing.T) {
	o := newOffice(t, storages()[0])
	o.fill()
	ann := browse(t, o.server).signs("ann").open("/files/firm/Clients/")
	ann.keys(kb.ArrowDown).at(row("Acme")).keys(kb.Tab + kb.ArrowDown)
	ann.do(`document.querySelector(".row-actions [data-act=share]").focus()`)
	ann.leads(kb.Enter, "/share").at("#more").keys("eve")
	ann.until("a suggestion", `document.querySelector("#suggest [aria-selected=true]")?.checkVisibility() ?? false`)
	ann.keys(kb.Escape).at("#more").until("no suggestion", `document.getElementById("suggest").hidden`)
	ann.keys(kb.Backspace + kb.Backspace + kb.Backspace + carol)
	ann.until("an invitation", `document.querySelector("#suggest [role=option]")?.textContent.includes(`+quote(carol)+`) ?? false`)
	ann.keys(kb.Enter).at("#more").has(carol + " ×").keys(kb.Backspace)
	ann.until("the last name is taken away", `document.querySelector(".chip") === null`)
	ann.keys(carol + kb.Enter).has(carol + " ×") // nothing is sent before the suggestions are there
	ann.keys(kb.Tab).at("#may").keys(kb.Tab).at("#only").keys(kb.Tab).at("#message").keys("Hello")
	ann.do(`document.getElementById("ask").focus()`)
	ann.keys(" "+kb.Tab+kb.Tab).at("form.share button.main").leads(kb.Enter, "/files/firm/Clients/").has("Offered to 1 person")

	customer := browse(t, o.server).join(o, "Carol Jansen").open("/portal/")
	customer.do(`document.querySelector(".offer button").focus()`)
	customer.leads(kb.Enter, "/portal/").has("Acme")
	menu := ".bar .menu summary"
	customer.do(`document.querySelector(` + quote(menu) + `).focus()`)
	customer.keys(kb.Enter + kb.ArrowDown).at(`.bar .menu a[href="/portal/account"]`).keys(kb.Escape).at(menu)
	customer.do(`document.querySelector("ul.docs a.title").focus()`)
	customer.leads(kb.Enter, "/portal/s/").has("Engagement letter.txt")

	// A name that is taken: the question has the focus on what loses nothing, and
	// gives it back.
	button := `[data-upload-form] button:nth-of-type(1)`
	customer.put("#file", small(t, "Mine.txt", "one")).has("All is uploaded")
	customer.do(`document.querySelector(` + quote(button) + `).focus()`)
	customer.put(".drop [type=file]", small(t, "Mine.txt", "two")).at("dialog[open] button.main").keys(kb.Escape).at(button)
	customer.until("the question is gone", `document.querySelector("dialog[open]") === null`)

	visitor := browse(t, o.server)
	visitor.open(ann.link("Acme", func() {}))
	visitor.do(`document.querySelector("ul.docs a.title").focus()`)
	visitor.leads(kb.Enter, "/s/").has("Dear Acme")
}

// sighted finds whether one sees where the focus is: an outline, of the element
// or of what stands for it, that nothing around it cuts off. It gives what is
// wrong, "" for nothing.
const sighted = `(() => {
  const e = document.activeElement;
  if (!e || e === document.body || e === document.documentElement) return "";
  const at = e.outerHTML.slice(0, 160);
  const drawn = (x) => { const s = getComputedStyle(x); return s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 ? parseFloat(s.outlineWidth) + parseFloat(s.outlineOffset) : null; };
  const on = [e, e.closest(".item"), e.closest(".chips"), e.closest("label")].find((x) => x && drawn(x) !== null);
  if (!on) return "no outline: " + at;
  if (getComputedStyle(e).opacity === "0") return "not seen: " + at;
  const far = drawn(on), r = on.getBoundingClientRect();
  for (let p = on.parentElement; p && p !== document.body; p = p.parentElement) {
    const s = getComputedStyle(p), c = p.getBoundingClientRect();
    if (/hidden|clip/.test(s.overflowX) && (r.left - far < c.left - 1 || r.right + far > c.right + 1)) return "cut at a side: " + at;
    if (/hidden|clip/.test(s.overflowY) && (r.top - far < c.top - 1 || r.bottom + far > c.bottom + 1)) return "cut above or below: " + at;
  }
  return "";
})()`

// TestKeysSeen goes through each page with the Tab key: every stop is seen, each is
// come to once, and the way has an end.
func TestKeysSeen(t *testing.T) {
	g := newGallery(t)
	for _, s := range append(g.main(), g.others()...) {
		t.Run(s.name, func(t *testing.T) {
			b := s.who
			b.t = t
			defer func() { b.t = g.t }()
			b.looks(1024, 768, "light").open(s.path)
			b.do(`window.stops = []; document.activeElement?.blur(); getSelection().removeAllRanges()`)
			for range 120 {
				b.keys(kb.Tab)
				if wrong := ask[string](b, sighted); wrong != "" {
					t.Errorf("after %d stops: %s", ask[int](b, `stops.length`), wrong)
				}
				// A date has a stop for each of its parts, which the page sees as one.
				if ask[bool](b, `((e) => e === document.body || e !== stops.at(-1) && (stops.includes(e) || (stops.push(e), false)))(document.activeElement)`) {
					break
				}
			}
			if stops := ask[[]string](b, `stops.map((e) => e.tagName)`); len(stops) < 2 || len(stops) > 100 {
				t.Errorf("the Tab key stops at %v", stops)
			}
		})
	}
}
