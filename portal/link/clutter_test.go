package link_test

import (
	"testing"

	"portico/sharing"
)

// What a visitor's programs keep for themselves gets no receipt, and takes the place
// of no document.
func TestClutterHasNoReceipt(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	_, token := h.link(sharing.LinkWish{Mode: sharing.LinkInbox, MaxFiles: 1}, "/firm/Clients/In")
	b := h.browser()
	b.send("/s/"+token+"/name", "name", "Zoë").want(303)
	b.do("POST", "/s/"+token+"/put/In", "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"Thumbs.db\"\r\n\r\nthumbs\r\n--x--\r\n",
		"Content-Type", "multipart/form-data; boundary=x").want(303)
	b.get("/s/"+token).want(200).hasNot("Thumbs.db", "Receipt")
	c := h.curl()
	c.do("PUT", "/s/"+token+"/~$plan.docx", "mine").want(201).has("~$plan.docx  4 bytes").hasNot("receipt", "sha256")
	c.do("PUT", "/dav/link/"+token+"/In/.~lock.plan.odt%23", "mine").want(201)
	c.do("PUT", "/s/"+token+"/plan.docx", "the plan").want(201).has("receipt")
	c.do("PUT", "/s/"+token+"/plan2.docx", "the plan").want(413)
}
