package mount

import (
	"net/http"
	"strings"

	"portico/lang"
)

// The systems that have steps of their own.
const (
	windows = "windows"
	macOS   = "macos"
	linux   = "linux"
	phone   = "phone"
)

// system is one to choose from.
type system struct{ ID, Name string }

func systems() []system {
	return []system{{windows, "Windows"}, {macOS, "macOS"}, {linux, "Linux"}, {phone, lang.ID("Phone or tablet")}}
}

// systemOf is the system that somebody has chosen, or else the one that their
// browser tells: Windows where it tells none of these. Browsers that send
// Sec-CH-UA-Platform freeze what User-Agent says.
func systemOf(r *http.Request) string {
	chosen := r.URL.Query().Get("system")
	for _, s := range systems() {
		if s.ID == chosen {
			return chosen
		}
	}
	platform := strings.Trim(r.Header.Get("Sec-CH-UA-Platform"), `"`)
	if platform == "" {
		platform = r.UserAgent()
	}
	for _, known := range []struct{ sign, system string }{
		{"Android", phone},
		{"iPhone", phone},
		{"iPad", phone},
		{"iOS", phone}, // before Linux and Mac OS, which they say too
		{"Windows", windows},
		{"macOS", macOS},
		{"Mac OS", macOS},
		{"Macintosh", macOS},
		{"Linux", linux},
		{"X11", linux},
		{"Chrome OS", linux},
		{"CrOS", linux},
		{"BSD", linux},
	} {
		if strings.Contains(platform, known.sign) {
			return known.system
		}
	}
	return windows
}
