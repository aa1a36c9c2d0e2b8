package content

import (
	"context"
	"io"
	"strings"
	"unicode/utf8"

	"portico/files"
	"portico/vpath"
)

// maxText is how much of a text is shown.
const maxText = 256 << 10

// Text is the beginning of a text, as a page shows it: no frame is needed for
// what html/template escapes. One that cannot be read is empty.
func Text(ctx context.Context, d Door, at vpath.Path) (text string, cut bool) {
	body, n, err := d.Open(ctx, at, files.Range{Len: maxText})
	if err != nil {
		return "", false // an empty file has no such range
	}
	defer body.Close() //nolint:errcheck // only read
	b, err := io.ReadAll(io.LimitReader(body, maxText))
	if err != nil {
		return "", false
	}
	whole := len(b)
	for len(b) > 0 && !utf8.Valid(b) && len(b) > whole-utf8.UTFMax {
		b = b[:len(b)-1] // a character was cut in two
	}
	return strings.ToValidUTF8(string(b), "\ufffd"), n.Size > int64(whole)
}
