package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// TestManyPropertiesAtOnce: what is asked for by name comes back for each thing, if only
// to say that it is missing, so that 10 KiB of a request could be a gigabyte of an
// answer. The bound is that of all requests that ask for properties.
func TestManyPropertiesAtOnce(t *testing.T) {
	ann := newHouse(t).as("ann")
	ann.Put("/firm/a", "text").Want(201)
	var names strings.Builder
	for i := range 900 {
		fmt.Fprintf(&names, "<x:a%d/>", i)
	}
	prop := `<D:prop xmlns:D="DAV:" xmlns:x="` + strings.Repeat("n", 900) + `">` + names.String() + "</D:prop>"
	for method, body := range map[string]string{
		"PROPFIND": `<D:propfind xmlns:D="DAV:">` + prop + `</D:propfind>`,
		"REPORT":   `<D:sync-collection xmlns:D="DAV:"><D:sync-token/><D:sync-level>1</D:sync-level>` + prop + `</D:sync-collection>`,
		"SEARCH": `<D:searchrequest xmlns:D="DAV:"><D:basicsearch><D:select>` + prop + `</D:select>` +
			`<D:from><D:scope><D:href>/dav/firm</D:href><D:depth>infinity</D:depth></D:scope></D:from></D:basicsearch></D:searchrequest>`,
	} {
		ann.Do(method, "/firm", body, "Depth: 0").Want(http.StatusRequestEntityTooLarge).WantIn("32 KiB")
	}
}
