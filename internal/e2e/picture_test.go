//go:build !race

package e2e

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"os"
	"slices"
	"testing"
)

// keep writes a picture where it is another than the one that is there: a few
// pixels that a new browser draws otherwise are no reason to change a file.
func keep(t *testing.T, name string, shot []byte) {
	t.Helper()
	now, err := png.Decode(bytes.NewReader(shot))
	if err != nil {
		t.Fatal(err)
	}
	small := paletted(now)
	if old, err := os.ReadFile(name); err == nil {
		if was, err := png.Decode(bytes.NewReader(old)); err == nil && alike(was, small) {
			return
		}
	}
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(name, out.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
}

// paletted is a picture in its 256 most frequent colours. A page has a few grounds
// and the edges of letters between them, so that hardly any is lost.
func paletted(p image.Image) *image.Paletted {
	rgba := image.NewRGBA(p.Bounds())
	draw.Draw(rgba, rgba.Bounds(), p, p.Bounds().Min, draw.Src)
	count := map[color.RGBA]int{}
	for i := 0; i < len(rgba.Pix); i += 4 {
		count[color.RGBA{rgba.Pix[i], rgba.Pix[i+1], rgba.Pix[i+2], 255}]++
	}
	colours := make([]color.RGBA, 0, len(count))
	for c := range count {
		colours = append(colours, c)
	}
	slices.SortFunc(colours, func(a, b color.RGBA) int {
		return cmp.Or(count[b]-count[a], int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B))
	})
	var palette color.Palette
	for _, c := range colours[:min(256, len(colours))] {
		palette = append(palette, c)
	}
	out, near := image.NewPaletted(rgba.Bounds(), palette), map[color.RGBA]uint8{}
	for i := 0; i < len(rgba.Pix); i += 4 {
		c := color.RGBA{rgba.Pix[i], rgba.Pix[i+1], rgba.Pix[i+2], 255}
		at, ok := near[c]
		if !ok {
			at = uint8(palette.Index(c))
			near[c] = at
		}
		out.Pix[i/4] = at
	}
	return out
}

// alike says whether nobody would see a difference: fewer than one pixel in a
// thousand is another colour.
func alike(a, b image.Image) bool {
	if a.Bounds() != b.Bounds() {
		return false
	}
	other := 0
	for y := a.Bounds().Min.Y; y < a.Bounds().Max.Y; y++ {
		for x := a.Bounds().Min.X; x < a.Bounds().Max.X; x++ {
			if far(a.At(x, y), b.At(x, y)) {
				other++
			}
		}
	}
	return other*1000 < a.Bounds().Dx()*a.Bounds().Dy()
}

func far(a, b color.Color) bool {
	r, g, bl, _ := a.RGBA()
	r2, g2, b2, _ := b.RGBA()
	apart := func(x, y uint32) uint32 { return max(x, y) - min(x, y) }
	return apart(r, r2)+apart(g, g2)+apart(bl, b2) > 0x3000
}
