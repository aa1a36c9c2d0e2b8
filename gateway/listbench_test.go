package gateway_test

import (
	"fmt"
	"strings"
	"testing"

	"portico/backends"
	"portico/store"
	"portico/vpath"
)

// BenchmarkListing is a PROPFIND of all properties in a folder of 10,000 files, without
// dead ones, and with those that Windows sets: four on each.
func BenchmarkListing(b *testing.B) {
	for _, props := range []int{0, 1, 4} {
		b.Run(fmt.Sprintf("%d properties each", props), func(b *testing.B) {
			h := newHouse(b)
			h.fill(b, "/many", 10_000, props, 60)
			ann := h.as("ann")
			for b.Loop() {
				ann.Do("PROPFIND", "/firm/many", "", "Depth: 1").Want(207)
			}
		})
	}
}

// fill makes a folder of /firm with files that have some properties each.
func (h *house) fill(tb testing.TB, folder string, files, props, length int) {
	tb.Helper()
	firm, err := h.store.At(vpath.Must("/firm"))
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := firm.Mkdir(tb.Context(), vpath.Must(folder), backends.Meta{}); err != nil {
		tb.Fatal(err)
	}
	text := strings.Repeat("x", length)
	for from := 0; from < files; from += 1000 {
		err := h.state.Update(tb.Context(), func(tx store.Tx) error {
			for i := from; i < min(files, from+1000); i++ {
				name := fmt.Sprintf("%s/document %05d.docx", folder, i)
				if _, err := firm.Put(tb.Context(), vpath.Must(name), strings.NewReader("x"), backends.PutOptions{Size: 1}); err != nil {
					return err
				}
				for j := range props {
					one := store.Prop{Space: "urn:schemas-microsoft-com:", Local: fmt.Sprintf("Win32Property%02d", j)}
					one.XML = fmt.Sprintf(`<Z:%[1]s xmlns:Z="urn:schemas-microsoft-com:">%[2]s</Z:%[1]s>`, one.Local, text)
					if err := tx.PutProp(vpath.Must("/firm"+name), one); err != nil {
						return err
					}
				}
			}
			return nil
		})
		if err != nil {
			tb.Fatal(err)
		}
	}
}
