package config

// WebDAV is what the drive does beside what every client expects.
type WebDAV struct {
	// Partial takes parts of files: PATCH as SabreDAV has it, and PUT with
	// Content-Range. Each makes a new version of the whole file.
	Partial bool
}

// webdav reads the section, which may be left out.
func webdav(root *fields) (w WebDAV) {
	section, ok := root.get("webdav")
	if !ok {
		return w
	}
	f := section.fields()
	defer f.close()
	w.Partial = f.bool("partial")
	return w
}
