package config

import (
	"net/http"
	"regexp"
	"slices"
)

// Brand is how a firm looks on pages, and in mails but for the logo.
type Brand struct {
	Name   string // the workspace's title where it is left out
	Colour string // "#1f5fbf", "" for Portico's own
	Logo   string // the bytes of a picture, "" for none
	Type   string // of the picture, "image/png"
}

// maxLogo is more than a picture of a few centimetres needs. It is held in memory
// and given to whoever opens a page.
const maxLogo = 256 << 10

// brand reads how a firm looks.
func brand(root *fields, title string) Brand {
	b := Brand{Name: title}
	section, ok := root.get("brand")
	if !ok {
		return b
	}
	f := section.fields()
	defer f.close()
	b.Name = f.text("name", title)
	if v, ok := f.get("color"); ok {
		b.Colour = v.colour()
	}
	if v, ok := f.get("logo"); ok {
		b.Logo, b.Type = v.picture()
	}
	return b
}

// colour reads "#1f5fbf". Without the quotes YAML takes it for a comment.
func (v value) colour() string {
	const mend = `write it in quotes, as in "#1f5fbf"`
	if v.isNull() {
		v.fault("is empty: after # YAML has a comment; %s", mend)
		return ""
	}
	s, ok := v.text()
	if !ok {
		return ""
	}
	if !regexp.MustCompile(`^#[0-9a-fA-F]{6}$`).MatchString(s) {
		v.fault("%s is not a colour; %s", v.shown(), mend)
		return ""
	}
	return s
}

// picture reads the file that a path names. What it is is told by its content,
// as a browser would. SVG is left out: it is a document, which may have scripts
// (THREATS.md §4.3).
func (v value) picture() (data, kind string) {
	path, ok := v.text()
	if !ok {
		return "", ""
	}
	b, _, err := readBounded(path, maxLogo)
	if err != nil {
		v.fault("the file %s cannot be used: %s; write the path of a PNG, JPEG or WebP picture of up to 256 KiB", v.shown(), why(err))
		return "", ""
	}
	kind = http.DetectContentType(b)
	if !slices.Contains([]string{"image/png", "image/jpeg", "image/webp"}, kind) {
		v.fault("the file %s is not a PNG, JPEG or WebP picture; save it as one", v.shown())
		return "", ""
	}
	return string(b), kind
}
