//go:build !race

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/dom"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"portico/internal/parts"
)

// patience is how long a page may take to show what a test waits for. It is not
// what is measured: a machine that runs other things as well must not fail here.
const patience = 30 * time.Second

// chromium is the browser of all tests, started by the first that needs it. Each
// person has a profile of their own in it, so cookies are not shared.
var chromium = sync.OnceValues(func() (context.Context, error) {
	path, err := exec.LookPath("chromium")
	if err != nil {
		return nil, err
	}
	alloc, end := chromedp.NewExecAllocator(context.Background(), append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path),
		chromedp.NoSandbox, // the sandbox refuses to start as root and in most containers
		chromedp.Flag("lang", "en-GB"),
		chromedp.Flag("font-render-hinting", "none"), // the same letters on each machine, for screenshots
	)...)
	browser, shut := chromedp.NewContext(alloc)
	if err := chromedp.Do(browser); err != nil {
		end()
		return nil, fmt.Errorf("chromium does not start: %w", err)
	}
	worlds.mu.Lock()
	defer worlds.mu.Unlock()
	worlds.end = append(worlds.end, func() { shut(); end() })
	return browser, nil
})

// tab is one person in front of a page.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string // of the server

	mu     sync.Mutex
	faults []string // errors of scripts, and what the content policy stopped
}

// browse opens a browser for one person. What a script of ours throws, and what
// the page's own content policy stops, fails the test.
func browse(t *testing.T, s *server) *tab {
	t.Helper()
	b := stranger(t, s)
	t.Cleanup(func() {
		for _, f := range b.said() {
			t.Errorf("a page said: %s", f)
		}
	})
	return b
}

// stranger is browse for pages that are hostile: what they say is looked at by
// the test.
func stranger(t *testing.T, s *server) *tab {
	t.Helper()
	parts.Tool(t, "chromium") // says how to install it
	browser, err := chromium()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := chromedp.NewContext(browser, chromedp.WithNewBrowserContext())
	t.Cleanup(cancel)
	b := &tab{t: t, ctx: ctx, url: s.url}
	if err := chromedp.Do(ctx); err != nil { // without a time limit: the tab lives as long as this context
		t.Fatal(err)
	}
	b.run("size the window", chromedp.EmulateViewport(1200, 900))
	if err := chromedp.Listen(ctx, b.hear); err != nil {
		t.Fatal(err)
	}
	return b
}

// hear notes what goes wrong in the page.
func (b *tab) hear(event any) {
	var what string
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		what = fmt.Sprintf("%s %+v", e.ExceptionDetails.Text, e.ExceptionDetails.Exception)
	case *log.EventEntryAdded:
		if e.Entry.Source == log.EntrySourceSecurity {
			what = e.Entry.Text
		}
	}
	if what != "" {
		b.mu.Lock()
		defer b.mu.Unlock()
		b.faults = append(b.faults, what)
	}
}

func (b *tab) said() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return append([]string(nil), b.faults...)
}

// try does things in the page, within the time that a page has.
func (b *tab) try(steps ...chromedp.Action[chromedp.Void]) error {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Do(ctx, steps...)
}

func (b *tab) run(what string, steps ...chromedp.Action[chromedp.Void]) {
	b.t.Helper()
	if err := b.try(steps...); err != nil {
		b.t.Fatalf("%s: %v\n%s", what, err, b.words())
	}
}

// call gives a command of the protocol to the browser.
func call[P, R any](b *tab, command cdp.Command[P, R], params P) R {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	r, err := chromedp.Call(ctx, command, params)
	if err != nil {
		b.t.Fatalf("%s: %v", command.Method, err)
	}
	return r
}

// asked is the value of an expression in the page; a promise is waited for.
func asked[T any](b *tab, expression string) (T, error) {
	ctx, cancel := context.WithTimeout(b.ctx, patience)
	defer cancel()
	return chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
}

// ask is asked where the page must answer.
func ask[T any](b *tab, expression string) T {
	b.t.Helper()
	v, err := asked[T](b, expression)
	if err != nil {
		b.t.Fatalf("%s: %v\n%s", expression, err, b.words())
	}
	return v
}

// do runs a statement in the page.
func (b *tab) do(statement string) {
	b.t.Helper()
	ask[chromedp.Void](b, statement)
}

// words are the page as one reads it, with its address: for messages.
func (b *tab) words() string {
	text, err := asked[string](b, `location.href + "\n" + document.body.innerText`)
	if err != nil {
		return err.Error()
	}
	return text
}

// open goes to a path of the server, or to a whole address.
func (b *tab) open(at string) *tab {
	b.t.Helper()
	if strings.HasPrefix(at, "/") {
		at = b.url + at
	}
	b.run("open "+at, chromedp.Navigate(at))
	return b
}

// until waits for an expression of the page to be true. While a page gives way to
// the next there is none to ask; then it is asked again.
func (b *tab) until(what, expression string) {
	b.t.Helper()
	deadline := time.After(patience)
	tick := time.NewTicker(25 * time.Millisecond)
	defer tick.Stop()
	for {
		if yes, err := asked[bool](b, expression); err == nil && yes {
			return
		}
		select {
		case <-deadline:
			b.t.Fatalf("never came: %s\n%s", what, b.words())
		case <-tick.C:
		}
	}
}

// has waits for texts that one can see.
func (b *tab) has(texts ...string) *tab {
	b.t.Helper()
	for _, text := range texts {
		b.until(fmt.Sprintf("the text %q", text), fmt.Sprintf(`document.readyState === "complete" && document.body.innerText.replace(/\s+/g, " ").includes(%s)`, quote(text)))
	}
	return b
}

// lacks wants that a page which is there does not show texts, nor has them.
func (b *tab) lacks(texts ...string) *tab {
	b.t.Helper()
	page := ask[string](b, `document.documentElement.outerHTML + document.body.innerText`)
	for _, text := range texts {
		if strings.Contains(page, text) {
			b.t.Errorf("the page has %q:\n%s", text, b.words())
		}
	}
	return b
}

// finder finds what one can press and sees: a control by its words or its
// accessible name, or by a selector. It is only found when nothing lies on it.
const finder = `((what) => {
  const words = (e) => e.innerText.replace(/\s+/g, " ").trim();
  const all = what.startsWith("css:") ? [...document.querySelectorAll(what.slice(4))]
    : [...document.querySelectorAll("a, button, summary, label, [role=option]")].filter((e) => words(e) === what || e.getAttribute("aria-label") === what || words(e).startsWith(what + " "));
  for (const e of all) {
    if (!e.checkVisibility({visibilityProperty: true})) continue;
    e.scrollIntoView({block: "center", behavior: "instant"});
    const r = e.getClientRects()[0];
    const x = r.x + r.width / 2, y = r.y + r.height / 2;
    const top = document.elementFromPoint(x, y);
    if (top && (e.contains(top) || top.contains(e))) return [x, y];
  }
  return null;
})`

// place is where something that one can press is.
func (b *tab) place(what string) (x, y float64) {
	b.t.Helper()
	b.until("something to press: "+what, finder+"("+quote(what)+") !== null")
	at := ask[[]float64](b, finder+"("+quote(what)+")")
	if len(at) != 2 {
		b.t.Fatalf("%s has moved away\n%s", what, b.words())
	}
	return at[0], at[1]
}

// press presses a control with the mouse.
func (b *tab) press(what string) *tab {
	b.t.Helper()
	x, y := b.place(what)
	b.run("press "+what, chromedp.MouseEvent(input.DispatchMouseEventTypeMouseMoved, x, y), chromedp.MouseClickXY(x, y))
	return b
}

// goes presses what leads to another page, or to this one anew, and waits for it.
func (b *tab) goes(what string) *tab {
	b.t.Helper()
	b.do(`window.before = true`)
	b.press(what)
	b.until("the page after "+what, `!window.before && document.readyState === "complete"`)
	return b
}

// offers says whether there is something with these words to press.
func (b *tab) offers(what string) bool {
	b.t.Helper()
	return ask[bool](b, finder+"("+quote(what)+") !== null")
}

// write writes into a field as with a keyboard, over what was there.
func (b *tab) write(selector, text string) *tab {
	b.t.Helper()
	b.until("the field "+selector, fmt.Sprintf(`document.querySelector(%s) !== null`, quote(selector)))
	b.do(fmt.Sprintf(`(() => { const e = document.querySelector(%s); e.focus(); e.select?.(); })()`, quote(selector)))
	call(b, input.InsertText, input.InsertTextParams{Text: text})
	return b
}

// put chooses files in a file field, which the page may have hidden behind a
// button.
func (b *tab) put(selector string, names ...string) *tab {
	b.t.Helper()
	field := call(b, runtime.Evaluate, runtime.EvaluateParams{Expression: fmt.Sprintf(`document.querySelector(%s)`, quote(selector))})
	call(b, dom.SetFileInputFiles, dom.SetFileInputFilesParams{Files: names, ObjectID: field.Result.ObjectID})
	return b
}

// fetch is what the server says to a request of the page.
func (b *tab) fetch(path string) int {
	b.t.Helper()
	return ask[int](b, fmt.Sprintf(`fetch(%s, {redirect: "manual"}).then((r) => r.status)`, quote(path)))
}

// speaks sets the language that the browser asks for.
func (b *tab) speaks(tag string) *tab {
	b.t.Helper()
	return b.calls(ask[string](b, `navigator.userAgent`), tag)
}

// calls sets what the browser says that it is, and the language that it asks for.
func (b *tab) calls(agent, tag string) *tab {
	b.t.Helper()
	call(b, emulation.SetUserAgentOverride, emulation.SetUserAgentOverrideParams{UserAgent: agent, AcceptLanguage: tag})
	return b
}

// signs signs in with the password of all.
func (b *tab) signs(name string) *tab {
	b.t.Helper()
	return b.open("/login").write("#name", name).write("#password", password).goes("css:form.fields button.main")
}

// quote is text as a string of JavaScript.
func quote(text string) string {
	b, err := json.Marshal(text)
	if err != nil {
		panic(err) // of a string
	}
	return string(b)
}

// found is the first group of a pattern in a text.
func found(t *testing.T, pattern, text string) string {
	t.Helper()
	m := regexp.MustCompile(pattern).FindStringSubmatch(text)
	if m == nil {
		t.Fatalf("no %s in:\n%s", pattern, text)
	}
	return m[len(m)-1]
}
