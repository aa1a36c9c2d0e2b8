// Package replay plays what clients send against a drive, and holds the answers
// against what was written down. It is for tests: a fault that a client has with the
// drive becomes a file in testdata/replay, and no other code.
//
// # A file
//
// A sequence is a txtar archive. Its comment says in prose what is played and
// where it was seen, and may hold lines of these keys, which go for all of it:
//
//	source: WEBDAV.md 2.1 W3; mar10/wsgidav issue 112
//	header: User-Agent: Microsoft-WebDAV-MiniRedir/10.0.19045
//	ns: Z urn:schemas-microsoft-com:
//
// source is required: a sequence without one may be a wish instead of a
// client. header is sent with each request; ns gives a namespace a prefix for the
// expectations below (D is DAV: everywhere).
//
// The file "play" of the archive holds the requests, and the other files are bodies:
//
//	# A # begins a comment.
//	LOCK /new.txt
//		Timeout: Second-3600
//		< lockinfo.xml
//	-> 200
//		Lock-Token: <{T}>
//		xml D:prop/D:lockdiscovery/D:activelock/D:timeout = Second-3600
//
//	PUT /new.txt
//		If: {if T}
//		< "content"
//	-> 204
//
// A request begins with its method and path. The path lies in a folder that is made
// for this one play; with "=" before it, it goes on the request line as it is.
// "as NAME" after it tells who asks: first (who asks where nothing is said),
// second (who may edit the same folder), or nobody (without a login).
//
// # Requests
//
// The indented lines after a request are
//
//	Name: value     a header; the same name twice makes two header lines
//	< name          the body, from a file of the archive
//	< "text"        the body, as a Go string
//	< 8433 bytes    a body of this length
//	chunked         the body goes in chunks, and without a Content-Length
//
// Host, Authorization and Content-Length are added where they are missing. Everything
// goes out as it is written, on a connection that stays open as long as the server
// leaves it open; with "Expect: 100-continue", the body waits for the answer.
//
// # Answers
//
// After "->" stand the statuses that will do. 100 among them says that the server
// must ask for the body by "100 Continue" first; where it is not among them, the server
// must not. The indented lines after it are
//
//	Name: pattern             a header; with an empty pattern, one that must be missing
//	prop HREF NAME = pattern  a property of a multistatus that came with status 200
//	prop HREF NAME 404        a property that came with another status
//	only HREF HREF            the multistatus holds these and no others
//	xml NAME/NAME = pattern   an element of any other XML body, from the root down
//	text "text"               the body, to the byte; or as "< name" or "< 8433 bytes" above
//	lacks "text"              the body does not hold it
//	differ {A} {B}            two variables that must not be the same
//
// HREF is a path as in a request; its slash at the end counts. NAME is a name with its
// prefix, and may go down into the value: D:lockdiscovery/D:activelock/D:depth. Where
// several elements have the name, one that matches is enough; without "=", it
// only has to be there.
//
// # Variables
//
// A pattern is text in which * stands for anything, and {X} for a variable: the first
// time that it stands there it takes what it finds, from then on it must be the same. In
// paths and headers of requests, {X} is its value. These are there from the start: {server}
// (http://host:port), {host}, {room} (the path of the folder), and {name:second},
// the full name of a person.
//
// {if T} in a request is the token in one of the three forms that clients
// write it in, by the resource of the request: (<T>), <http://host/path> (<T>) and
// </path> (<T>); {if T /other} is for another one. A sequence that has it in it is
// played once in each.
//
// # From a recording
//
// Convert makes the draft of a sequence from recorded traffic:
//
//	go test ./gateway/replay -run TestConvert -from davfs2.jsonl -to testdata/replay/davfs2.txtar
//
// Its expectations are guesses from the method and what there is by then, not what the
// recorded server has answered: read them against the RFCs before you keep them.
package replay
