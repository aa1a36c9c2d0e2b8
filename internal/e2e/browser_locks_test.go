//go:build !race

package e2e

import (
	"strings"
	"testing"

	"github.com/chromedp/cdproto/emulation"
)

// lock locks a thing over WebDAV, as a program does that opens it, and gives the
// token.
func (o *office) lock(who, path string) (token string) {
	o.t.Helper()
	got := o.do(who, "LOCK", path, strings.Replace(lockBody, ">test<", ">LibreOffice<", 1), "Timeout", "Second-1800").want(200)
	return strings.Trim(got.header.Get("Lock-Token"), "<>")
}

// TestLeftLock: bob's Word has crashed over a document, and ann ends its lock by the
// pages: where the document is, and from the list of all locks, there with scripts
// and without. Word, which was only asleep, is told at its next save (RFC 4918
// §10.4.1, §9.11.1), and nothing of anybody is overwritten.
func TestLeftLock(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		o := newOffice(t, st)
		o.fill()
		const at, name = "/dav/firm/Clients/Acme/Engagement%20letter.txt", "Engagement letter.txt"
		ann := browse(t, o.server).signs("ann")

		// From the details of the document.
		token := o.lock("bob", at)
		o.do("ann", "PUT", at, "ann's").want(423).has("locked by Bob Maes since")
		ann.open("/files/firm/Clients/Acme/?details=Engagement+letter.txt").has("Bob Maes has this open since")
		ann.press("End the lock").has("What is not saved yet stays in the program").goes("css:.details button.danger")
		ann.has("Bob Maes’s lock on " + name + " has ended.").lacks("has this open since")
		o.do("bob", "PUT", at, "bob's", "If", "(<"+token+">)").want(412)
		o.do("bob", "PUT", at, "bob's", "If", "<"+o.url+at+"> (<"+token+">)").want(412)
		o.do("bob", "LOCK", at, "", "If", "(<"+token+">)").want(412)
		o.do("bob", "UNLOCK", at, "", "Lock-Token", "<"+token+">").want(409)
		o.do("ann", "GET", at, "").want(200).has("Dear Acme")
		o.do("ann", "PUT", at, "ann's").want(204)

		// From the list, to which the details of the workspace lead.
		token = o.lock("bob", at)
		o.lock("ann", "/dav/firm/Clients/Borealis/Offer.txt")
		ann.open("/files/firm/?details=.").goes("See what is locked").has("What is locked in Peeters & Co", name, "Bob Maes", "Offer.txt", "Ann Peeters")
		ann.press("End the lock "+name).goes("css:.act details[open] button.danger").has("Bob Maes’s lock on "+name+" has ended.", "Offer.txt")
		o.do("bob", "PUT", at, "bob's", "If", "(<"+token+">)").want(412)

		// Without scripts, and one that is gone before the button is pressed.
		call(ann, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{Value: true})
		token = o.lock("bob", at)
		ann.open("/locks/firm/").press("End the lock " + name)
		o.do("bob", "UNLOCK", at, "", "Lock-Token", "<"+token+">").want(204)
		ann.press("css:.act details[open] button.danger").has("The lock on " + name + " had ended already.")
		ann.press("End the lock Offer.txt").press("css:.act details[open] button.danger").has("Ann Peeters’s lock on Offer.txt has ended.", "Nothing is locked here")
		call(ann, emulation.SetScriptExecutionDisabled, emulation.SetScriptExecutionDisabledParams{})

		// Who does not look after the folder ends their own locks alone.
		eve, bob := browse(t, o.server).signs("eve"), browse(t, o.server).signs("bob")
		o.lock("bob", at)
		eve.open("/files/firm/Clients/Acme/?details=Engagement+letter.txt").has("Bob Maes has this open since").lacks("End the lock")
		eve.open("/locks/firm/").has("You may not do this").lacks(name)
		bob.open("/files/firm/Clients/Acme/?details=Engagement+letter.txt").press("End the lock").goes("css:.details button.danger").has("Bob Maes’s lock on " + name + " has ended.")
	})
}
