package gateway

import (
	"encoding/json"
	"encoding/xml"
	"net/http"
	"slices"
	"strings"
)

// Clients made for ownCloud and Nextcloud ask a server what it is before they use
// it (ownCloud's developer manual, "OCS Core"). We say what is played here: the level
// of ownCloud 10, of which the files, the uploads in chunks and the name of the one
// who has signed in are there. Sign-in by a browser, shares, notifications and
// folders whose ETag changes with what is in them, for which the desktop's sync
// client looks, are not.
const (
	statusPath = "/status.php"

	playedVersion = "10.0.0"
)

// appPaths are those of the questions that need a login.
func appPaths() []string {
	return []string{"/ocs/v1.php/cloud/capabilities", "/ocs/v2.php/cloud/capabilities", "/ocs/v1.php/cloud/user", "/ocs/v2.php/cloud/user"}
}

func isApp(path string) bool { return path == statusPath || slices.Contains(appPaths(), path) }

// serverStatus is the answer of status.php.
type serverStatus struct {
	Installed       bool   `json:"installed"`
	Maintenance     bool   `json:"maintenance"`
	NeedsDBUpgrade  bool   `json:"needsDbUpgrade"`
	Version         string `json:"version"`
	VersionString   string `json:"versionstring"`
	Edition         string `json:"edition"`
	ProductName     string `json:"productname"`
	ExtendedSupport bool   `json:"extendedSupport"`
}

// ocsAnswer is the frame of all answers below /ocs.
type ocsAnswer struct {
	XMLName xml.Name `json:"-"    xml:"ocs"`
	Meta    ocsMeta  `json:"meta" xml:"meta"`
	Data    any      `json:"data" xml:"data"`
}

type ocsMeta struct {
	Status  string `json:"status"     xml:"status"`
	Code    int    `json:"statuscode" xml:"statuscode"`
	Message string `json:"message"    xml:"message"`
}

// capabilities are what we can of what such clients may ask for.
type capabilities struct {
	Version struct {
		Major   int    `json:"major"   xml:"major"`
		Minor   int    `json:"minor"   xml:"minor"`
		Micro   int    `json:"micro"   xml:"micro"`
		String  string `json:"string"  xml:"string"`
		Edition string `json:"edition" xml:"edition"`
	} `json:"version" xml:"version"`
	Capabilities struct {
		Core struct {
			PollInterval int    `json:"pollinterval" xml:"pollinterval"`
			Root         string `json:"webdav-root"  xml:"webdav-root"`
		} `json:"core" xml:"core"`
		DAV struct {
			Chunking string `json:"chunking" xml:"chunking"`
		} `json:"dav" xml:"dav"`
		Files struct {
			BigFileChunking bool `json:"bigfilechunking" xml:"bigfilechunking"`
		} `json:"files" xml:"files"`
	} `json:"capabilities" xml:"capabilities"`
}

// appUser is who has signed in.
type appUser struct {
	ID    string `json:"id"           xml:"id"`
	Name  string `json:"display-name" xml:"display-name"`
	Email string `json:"email"        xml:"email"`
}

func played() (c capabilities) {
	c.Version.Major, c.Version.String = 10, playedVersion
	c.Capabilities.Core.PollInterval, c.Capabilities.Core.Root = 60, strings.TrimPrefix(cloudWebdav, "/")
	c.Capabilities.DAV.Chunking = "1.0"
	c.Capabilities.Files.BigFileChunking = true
	return c
}

// serveApp answers such a question. All else outside of the drive is nothing.
func (h *Handler) serveApp(w http.ResponseWriter, r *http.Request) error {
	switch {
	case !isApp(r.URL.Path) || h.Prefix != "/dav":
		return refuse(http.StatusNotFound, "There is nothing at this address.")
	case r.Method != http.MethodGet && r.Method != http.MethodHead:
		w.Header().Set("Allow", "GET, HEAD")
		return refuse(http.StatusMethodNotAllowed, "This address answers GET alone.")
	case r.URL.Path == statusPath:
		return writeApp(w, "application/json", json.Marshal, serverStatus{
			Installed: true, Version: playedVersion + ".0", VersionString: playedVersion, ProductName: "Portico",
		})
	}
	who, err := h.authenticate(r)
	if err != nil {
		return err
	}
	a := ocsAnswer{Meta: ocsMeta{Status: "ok", Code: 100, Message: "OK"}, Data: played()}
	if strings.HasPrefix(r.URL.Path, "/ocs/v2.php/") {
		a.Meta.Code = http.StatusOK
	}
	if strings.HasSuffix(r.URL.Path, "/user") {
		a.Data = appUser{ID: string(who.Login), Name: who.Name, Email: who.Email}
	}
	if r.URL.Query().Get("format") == "json" {
		return writeApp(w, "application/json", json.Marshal, map[string]any{"ocs": a})
	}
	return writeApp(w, "application/xml", xml.Marshal, a)
}

func writeApp(w http.ResponseWriter, kind string, encode func(any) ([]byte, error), answer any) error {
	text, err := encode(answer)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", kind+"; charset=utf-8")
	w.Header().Set("Cache-Control", "private, no-store")
	_, _ = w.Write(text) // a client that is gone is no fault
	return nil
}
