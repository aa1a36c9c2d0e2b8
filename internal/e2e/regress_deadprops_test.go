package e2e

import "testing"

// The rows are those of the defects of x/net/webdav in properties that clients set.

// TestRow41_TimesCanBeSet takes the time of a file in the three ways in which clients set
// it. What the server works out stays protected, and says so inside the 207.
func TestRow41_TimesCanBeSet(t *testing.T) {
	onWorlds(t, func(w *world) {
		set := func(prop string) string { return update("<D:set><D:prop>" + prop + "</D:prop></D:set>") }
		w.plays(`
MKCOL /d
-> 201

PUT /f
	< "bytes"
-> 201
	ETag: {E}

PROPPATCH /f
	< http
-> 207
	prop /f D:getlastmodified

HEAD /f
-> 200
	ETag: {E}
	Last-Modified: Tue, 14 Nov 2023 22:13:20 GMT

PROPPATCH /f
	< epoch
-> 207
	prop /f D:lastmodified
	prop /f x:beside

PROPFIND /
	Depth: 1
-> 207
	prop /f D:getlastmodified = Wed, 15 Nov 2023 22:13:20 GMT
	prop /f D:getetag = {E}
	prop /f x:beside = 1

GET /f
	If-Modified-Since: Wed, 15 Nov 2023 22:13:20 GMT
-> 304

PROPPATCH /f
	< windows
-> 207
	prop /f Z:Win32LastModifiedTime
	prop /f Z:Win32FileAttributes

# All of it or nothing.
PROPPATCH /f
	< nonsense
-> 207
	prop /f D:getlastmodified 409
	prop /f x:beside 424

PROPPATCH /f
	< protected
-> 207
	prop /f D:getetag 403
	prop /f D:getlastmodified 424

PROPPATCH /f
	< remove
-> 207
	prop /f D:getlastmodified 403

PROPPATCH /d
	< http
-> 207
	prop /d D:getlastmodified 403

PROPPATCH /none
	< http
-> 404

LOCK /f
	< lock
-> 200
	Lock-Token: <{T}>

PROPPATCH /f
	< http
-> 423

PROPPATCH /f as second
	< http
-> 423

PROPPATCH /f
	If: {if T}
	< later
-> 207
	prop /f D:getlastmodified

PUT /f
	If: {if T}
	< "new bytes"
-> 204
	ETag: {E2}
	Last-Modified: {M}
	differ {E} {E2}

PROPFIND /f
	Depth: 0
-> 207
	prop /f D:getlastmodified = {M}
	prop /f x:beside = 1
`, "http", set("<D:getlastmodified>Tue, 14 Nov 2023 22:13:20 GMT</D:getlastmodified>"),
			"epoch", set("<D:lastmodified> 1700086400 </D:lastmodified><x:beside>1</x:beside>"),
			"windows", set(`<Win32LastModifiedTime xmlns="urn:schemas-microsoft-com:">Tue, 14 Nov 2023 22:13:20 GMT</Win32LastModifiedTime><Win32FileAttributes xmlns="urn:schemas-microsoft-com:">00000020</Win32FileAttributes>`),
			"nonsense", set("<D:getlastmodified>yesterday</D:getlastmodified><x:beside>2</x:beside>"),
			"protected", set("<D:getlastmodified>Mon, 13 Nov 2023 22:13:20 GMT</D:getlastmodified><D:getetag>mine</D:getetag>"),
			"later", set("<D:getlastmodified>Thu, 16 Nov 2023 22:13:20 GMT</D:getlastmodified>"),
			"remove", update("<D:remove><D:prop><D:getlastmodified/></D:prop></D:remove>"),
			"lock", lockBody)
		room := w.room()
		w.put(room+"/f", "f")
		w.do("bob", "PROPPATCH", room+"/f", set("<D:getlastmodified>Tue, 14 Nov 2023 22:13:20 GMT</D:getlastmodified>")).want(403)
	})
}

// TestRow42_PropertiesFollow copies, moves and deletes folders and files that have
// properties.
func TestRow42_PropertiesFollow(t *testing.T) {
	onWorlds(t, func(w *world) {
		w.plays(`
MKCOL /d
-> 201

PUT /d/f
	< "f"
-> 201

PROPPATCH /d
	< set
-> 207
	prop /d x:color

PROPPATCH /d/f
	< set
-> 207
	prop /d/f x:color

COPY /d
	Destination: {server}{room}/copy
-> 201

PROPFIND /copy
	Depth: 1
-> 207
	prop /copy/ x:color = red
	prop /copy/f x:color = red

COPY /d
	Depth: 0
	Destination: {server}{room}/shallow
-> 201

PROPFIND /shallow
	Depth: 1
-> 207
	only /shallow/
	prop /shallow/ x:color = red

MOVE /d
	Destination: {server}{room}/moved
-> 201

PROPFIND /moved
	Depth: 1
-> 207
	prop /moved/ x:color = red
	prop /moved/f x:color = red

PUT /moved/f
	< "another"
-> 204

PROPFIND /moved/f
	Depth: 0
	< ask
-> 207
	prop /moved/f x:color = red

DELETE /moved
-> 204

MKCOL /moved
-> 201

PUT /moved/f
	< "new"
-> 201

MKCOL /d
-> 201

PROPFIND /moved
	Depth: 1
	< ask
-> 207
	prop /moved/ x:color 404
	prop /moved/f x:color 404

PROPFIND /d
	Depth: 0
	< ask
-> 207
	prop /d/ x:color 404

COPY /moved/f
	Destination: {server}{room}/copy/f
-> 204

PROPFIND /copy/f
	Depth: 0
	< ask
-> 207
	prop /copy/f x:color 404
`, "set", update("<D:set><D:prop><x:color>red</x:color></D:prop></D:set>"), "ask", propfindOf("<color xmlns='urn:x'/>"))
	})
}

// TestRow43_ForeignPropertiesAreWhole keeps attributes, language, prefixes that a value
// speaks of, and white space.
func TestRow43_ForeignPropertiesAreWhole(t *testing.T) {
	onWorlds(t, func(w *world) {
		room := w.room()
		w.put(room+"/f", "f")
		const value = `<x:note a="1" x:b="&lt;2&gt;" xml:lang="nl"> een <y:w xmlns:y="urn:y" y:c="3">woord</y:w>&amp; <x:leeg/> </x:note>`
		body := `<D:propertyupdate xmlns:D="DAV:" xmlns:x="urn:x" xml:lang="en"><D:set><D:prop>` + value + `<x:plain>text</x:plain></D:prop></D:set></D:propertyupdate>`
		w.do("alice", "PROPPATCH", room+"/f", body).want(207)
		w.do("alice", "COPY", room+"/f", "", "Destination", w.url+room+"/g").want(201)
		for _, path := range []string{room + "/f", room + "/g"} {
			for _, ask := range []string{"", propfindOf("<note xmlns='urn:x'/><plain xmlns='urn:x'/>")} {
				a := w.do("alice", "PROPFIND", path, ask, "Depth", "0").want(207)
				wellFormed(a)
				for _, want := range []string{` a="1"`, `x:b="&lt;2&gt;"`, `xml:lang="nl"`, `y:c="3"`, `> een <y:w`, `woord</y:w>&amp; <x:leeg/> </x:note>`, `xml:lang="en"`} {
					a.has(want)
				}
			}
		}
	})
}
