//go:build !race

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/chromedp"

	"portico/internal/parts"
)

// gallery is an office in which something of everything has happened, with three
// people in front of it.
type gallery struct {
	*office
	ann, customer, visitor *tab
	folder, receipt, link  string // paths of the customer's and the visitor's pages
}

func newGallery(t *testing.T) *gallery {
	t.Helper()
	o := newOffice(t, storages()[0])
	o.fill()
	for i, name := range []string{"Annual accounts 2025.pdf", "Annual accounts 2026 with the auditor's remarks, second draft.pdf", "Articles of association.docx", "Board minutes.txt", "Share register.xlsx", "Logo.png"} {
		o.do("ann", "PUT", "/dav/firm/Clients/Acme/"+strings.ReplaceAll(name, " ", "%20"), strings.Repeat("text ", (i+1)*9000)).want(201)
	}
	o.do("bob", "MKCOL", "/dav/firm/Clients/Acme/Correspondence", "").want(201)
	o.lock("bob", "/dav/firm/Clients/Acme/Articles%20of%20association.docx")
	o.lock("ann", "/dav/firm/Clients/Acme/Share%20register.xlsx")
	for _, name := range []string{"Castor", "Delta"} {
		o.do("ann", "MKCOL", "/dav/firm/Clients/"+name, "").want(201)
	}
	g := &gallery{office: o, ann: browse(t, o.server), customer: browse(t, o.server), visitor: browse(t, o.server)}
	g.ann.signs("ann").share("Acme", carol).share("Acme/Correspondence", carol, "ask").share("Castor", "dirk@castor.example")
	g.customer.join(o, "Carol Jansen").open("/portal/").goes("css:ul.docs a.title").has("Engagement letter.txt")
	g.folder = ask[string](g.customer, `location.pathname`)
	g.customer.put("#file", small(t, "Signed contract.txt", "signed")).has("All is uploaded")
	g.receipt = g.customer.open("/portal/deposits").goes("Signed contract.txt").path()
	g.watch()
	g.link = strings.TrimPrefix(g.ann.link("Acme", func() { g.ann.write("#name", "Auditor").write("#until", "") }), g.url)
	return g
}

// watch has ann's drive watched, and do the first things.
func (g *gallery) watch() {
	g.t.Helper()
	g.ann.open("/mount").goes("Watch my drive")
	g.do("ann", "OPTIONS", "/dav/firm/", "").want(200)
	g.do("ann", "PROPFIND", "/dav/firm/Clients/", "", "Depth", "1").want(207)
	g.do("ann", "PUT", "/dav/firm/Clients/Acme/Articles%20of%20association.docx", "x").want(423)
	eventually(g.t, "the drive is seen", func() bool {
		g.ann.open("/mount")
		return ask[int](g.ann, `document.querySelectorAll(".steps .ok").length`) == 4 && ask[int](g.ann, `document.querySelectorAll(".steps .bad").length`) == 2
	})
}

// path is where a page is.
func (b *tab) path() string {
	b.t.Helper()
	return ask[string](b, `location.pathname`)
}

// sight is a page that is looked at.
type sight struct {
	name string
	who  *tab
	path string
}

// main are the main pages.
func (g *gallery) main() []sight {
	stranger := browse(g.t, g.server)
	stranger.open("/login")
	return []sight{
		{"01-sign-in", stranger, "/login"},
		{"02-folder", g.ann, "/files/firm/Clients/Acme/"},
		{"03-grid", g.ann, "/files/firm/Clients/Acme/?view=grid"},
		{"04-details", g.ann, "/files/firm/Clients/?details=Acme"},
		{"05-share", g.ann, "/share?in=/firm/Clients/Acme&item=Board%20minutes.txt"},
		{"06-contacts", g.ann, "/contacts"},
		{"07-contact", g.ann, "/contacts/firm/" + carol},
		{"08-customer", g.customer, "/portal/"},
		{"09-deposit", g.customer, g.folder},
		{"10-link", g.visitor, g.link},
		{"11-drive", g.ann, "/mount?system=windows"},
		{"12-doctor", g.ann, "/mount?system=macos#doctor"},
		{"13-locks", g.ann, "/locks/firm/"},
	}
}

// others are the rest of what people see: forms, lists, and what is empty.
func (g *gallery) others() []sight {
	return []sight{
		{"receipt", g.customer, g.receipt},
		{"verify", g.customer, "/verify"},
		{"sent", g.customer, "/portal/deposits"},
		{"customer's account", g.customer, "/portal/account"},
		{"customer's drive", g.customer, "/portal/mount"},
		{"customer's Mac", g.customer, "/mount?system=macos"},
		{"customer's file", g.customer, g.folder + "Board%20minutes.txt"},
		{"notices", g.customer, "/notices"},
		{"reset", g.visitor, "/reset"},
		{"workspaces", g.ann, "/files/"},
		{"file", g.ann, "/files/firm/Clients/Acme/Board%20minutes.txt"},
		{"empty folder", g.ann, "/files/firm/Clients/Delta/"},
		{"search", g.ann, "/search/firm/?q=letter"},
		{"shared with me", g.ann, "/shared"},
		{"stop sharing", g.ann, "/share/stop?path=/firm/Clients/Acme"},
		{"links", g.ann, "/links"},
		{"new link", g.ann, "/links/new?path=/firm/Clients/Acme"},
		{"folders of a contact", g.ann, "/contacts/firm/" + carol + "/folders"},
		{"staff's account", g.ann, "/account"},
		{"Linux", g.ann, "/mount?system=linux"},
		{"phone", g.ann, "/mount?system=phone"},
		{"nothing locked", g.ann, "/locks/firm/Clients/Delta/"},
		{"locked", g.ann, "/files/firm/Clients/Acme/?details=Articles+of+association.docx"},
		{"staff's notices", g.ann, "/notices"},
		{"nothing there", g.ann, "/files/firm/none"},
	}
}

// weight is what the scripts and sheets of a page may be together.
const weight = 60_000

// TestPages holds each page against axe-core, a narrow window, and the budget of
// its scripts and styles. The text is German, which is the longest.
func TestPages(t *testing.T) {
	axe, err := os.ReadFile(parts.Tool(t, "axe-core/node_modules/axe-core/axe.min.js"))
	if err != nil {
		t.Fatal(err)
	}
	g := newGallery(t)
	for _, s := range append(g.main(), g.others()...) {
		t.Run(s.name, func(t *testing.T) {
			b := s.who
			b.t = t
			defer func() { b.t = g.t }()
			for _, scheme := range []string{"light", "dark"} {
				b.looks(1024, 768, scheme)
				scripts := b.weighs(s.path)
				if scripts > weight {
					t.Errorf("scripts and sheets are %d bytes, at most %d", scripts, weight)
				}
				b.audit(axe)
			}
			b.speaks("de").looks(320, 640, "light").open(s.path)
			b.fits()
			b.audit(axe)
			// A window of 1024 and of 1280 px at 200 % (WCAG 1.4.4).
			b.looks(512, 384, "dark").open(s.path)
			b.fits()
			b.looks(640, 400, "light").open(s.path)
			b.fits()
			b.speaks("en")
		})
	}
}

// TestPagesLong holds the pages on which names stand against names that have no
// place to break, in a narrow window and at 200 %.
func TestPagesLong(t *testing.T) {
	o := newOffice(t, storages()[0])
	o.fill()
	name := strings.Repeat("Jahresabschlusspruefungsunterlagen", 7)[:230]
	in, deep := "/firm/Clients/Acme", "/firm/Clients/Acme/"+name
	o.do("ann", "MKCOL", "/dav"+deep, "").want(201)
	o.do("ann", "PUT", "/dav"+deep+"/"+name+".txt", "text").want(201)
	o.do("ann", "MKCOL", "/dav"+deep+"/"+name, "").want(201)
	o.lock("bob", "/dav"+deep+"/"+name+".txt")
	ann, customer, visitor := browse(t, o.server), browse(t, o.server), browse(t, o.server)
	ann.signs("ann").open("/contacts").do(`document.querySelector(".actions summary").click()`)
	ann.write("#mail", "long@acme.example").write("#name", name[:200]).write("#organisation", name[:200]).goes("css:.pop button.main")
	ann.share("Acme", carol)
	customer.join(o, name[:200]).goes("css:ul.docs a.title").has("Engagement letter.txt")
	folder := customer.path()
	link := strings.TrimPrefix(ann.link("Acme", func() { ann.write("#name", name[:200]) }), o.url)
	for _, s := range []sight{
		{"folder", ann, "/files" + deep + "/"},
		{"grid", ann, "/files" + deep + "/?view=grid"},
		{"file", ann, "/files" + deep + "/" + name + ".txt"},
		{"deep", ann, "/files" + deep + "/" + name + "/"},
		{"details", ann, "/files" + in + "/?view=list&details=" + name},
		{"locks", ann, "/locks/firm/"},
		{"share", ann, "/share?in=" + in + "&item=" + name},
		{"share two", ann, "/share?in=" + in + "&item=" + name + "&item=Engagement%20letter.txt"},
		{"stop", ann, "/share/stop?path=" + deep},
		{"search", ann, "/search/firm/?q=" + name},
		{"found", ann, "/search/firm/?q=Jahresabschluss"},
		{"nothing", ann, "/files/firm/" + name},
		{"links", ann, "/links"},
		{"contacts", ann, "/contacts"},
		{"contact", ann, "/contacts/firm/long@acme.example"},
		{"folders", ann, "/contacts/firm/" + carol + "/folders"},
		{"notices", ann, "/notices"},
		{"customer", customer, "/portal/"},
		{"customer's folder", customer, folder},
		{"customer's long folder", customer, folder + name + "/"},
		{"customer's file", customer, folder + name + "/" + name + ".txt"},
		{"link", visitor, link},
		{"link's folder", visitor, link + "/f/" + name},
	} {
		t.Run(s.name, func(t *testing.T) {
			s.who.t = t
			for _, width := range []int64{320, 512, 1024} {
				s.who.looks(width, 640, "light").open(s.path)
				s.who.fits()
			}
		})
	}
}

// looks sets the window and the colours.
func (b *tab) looks(width, height int64, scheme string) *tab {
	b.t.Helper()
	b.run("size the window", chromedp.EmulateViewport(width, height))
	call(b, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: scheme}, {Name: "prefers-reduced-motion", Value: "reduce"},
	}})
	return b
}

// weighs opens a page anew and gives the bytes of its scripts and sheets.
func (b *tab) weighs(path string) (bytes int) {
	b.t.Helper()
	call(b, network.SetCacheDisabled, network.SetCacheDisabledParams{CacheDisabled: true})
	b.open(path)
	bytes = ask[int](b, `performance.getEntriesByType("resource").filter((r) => /\.(js|css)$/.test(new URL(r.name).pathname)).reduce((sum, r) => sum + r.decodedBodySize, 0)`)
	if bytes == 0 {
		b.t.Error("no script and no sheet was loaded")
	}
	return bytes
}

// violation is a fault that axe-core found.
type violation struct {
	ID, Impact, Help string
	Nodes            []struct{ HTML, FailureSummary string }
}

// audit wants no serious fault of accessibility.
func (b *tab) audit(axe []byte) {
	b.t.Helper()
	b.do(string(axe) + "; undefined")
	found := ask[string](b, `axe.run({resultTypes: ["violations"]}).then((r) => JSON.stringify(r.violations))`)
	var all []violation
	if err := json.Unmarshal([]byte(found), &all); err != nil {
		b.t.Fatal(err)
	}
	for _, v := range all {
		if v.Impact != "serious" && v.Impact != "critical" {
			b.t.Logf("%s: %s (%s)", v.ID, v.Help, v.Impact)
			continue
		}
		for _, n := range v.Nodes {
			b.t.Errorf("%s: %s\n%s\n%s", v.ID, v.Help, n.HTML, n.FailureSummary)
		}
	}
}

// fits wants that nothing stands beyond the window's side.
func (b *tab) fits() {
	b.t.Helper()
	beyond := ask[string](b, `document.documentElement.scrollWidth <= innerWidth ? "" : document.documentElement.scrollWidth + " wide: " +
		[...document.querySelectorAll("body *")].filter((e) => e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1).slice(0, 5).map((e) => e.outerHTML.slice(0, 160)).join("\n")`)
	if beyond != "" {
		b.t.Errorf("it does not fit into %d px: %s", ask[int](b, `innerWidth`), beyond)
	}
}

// screens is where the pictures of the main pages are.
const screens = "../../docs/screens"

// TestScreens takes pictures of the main pages, for the documentation, and writes
// those that have changed for the eye.
func TestScreens(t *testing.T) {
	g := newGallery(t)
	if err := os.MkdirAll(screens, 0o755); err != nil {
		t.Fatal(err)
	}
	sizes := []struct{ width, height int64 }{{390, 844}, {1024, 768}, {1600, 1000}}
	for _, s := range g.main() {
		for _, size := range sizes {
			for _, scheme := range []string{"light", "dark"} {
				s.who.looks(size.width, size.height, scheme).open(s.path)
				s.who.still()
				ctx, shot := s.who.ctx, filepath.Join(screens, fmt.Sprintf("%s-%d-%s.png", s.name, size.width, scheme))
				png, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
				if err != nil {
					t.Fatal(err)
				}
				keep(t, shot, png)
			}
		}
	}
}

// still puts a fixed text where a page tells a time or a number that is another in
// each run, and waits for what moves.
func (b *tab) still() {
	b.t.Helper()
	b.do(`(async () => {
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const n = walk.currentNode;
    const fixed = n.data.replace(/\b(today|yesterday) \d\d?:\d\d/g, "$1 14:05").replace(/\b\d{1,2} (January|February|March|April|May|June|July|August|September|October|November|December)( \d{4})?/g, "12 March")
      .replace(/\b\d\d:\d\d\b/g, "14:05").replace(/until 14:05/, "until 14:20").replace(/127\.0\.0\.1:\d+/g, "files.firm.example");
    const ends = n.parentElement.closest("[data-label=Ends]");
    if (fixed !== n.data) n.data = ends ? "14:35" : fixed;
  }
  document.querySelectorAll(".bar .menu .who").forEach((e) => { e.className = "who c4"; }); // by an id, which is new in each run
  document.querySelectorAll(".toast").forEach((e) => e.remove());
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  document.activeElement?.blur?.(); // a field gets the focus a frame after the page is there
  await document.fonts.ready;
  await new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
})()`)
}
