package portal

import (
	"embed"
	"io/fs"
)

//go:embed all:pages
var embedded embed.FS

// pages are the templates of this package.
func pages() fs.FS {
	found, err := fs.Sub(embedded, "pages")
	if err != nil {
		panic(err) // the name is ours
	}
	return found
}
