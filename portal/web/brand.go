package web

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math"
	"net/http"
	"strconv"
	"strings"
)

// Brand is how a firm looks.
type Brand struct {
	Name   string
	Colour string // "#1f5fbf", "" for Portico's own
	Logo   string // its bytes, "" for none
	Type   string // of the logo: image/png, image/jpeg, image/webp or image/svg+xml
}

// Sheet is the address of the style sheet of its colour, "" where it has none.
func (b Brand) Sheet() string {
	if _, ok := parseColour(b.Colour); !ok {
		return ""
	}
	return "/brand/" + strings.ToLower(b.Colour[1:]) + ".css"
}

// Picture is the address of its logo, "" for none. It is made of what the logo
// is, so that it names no workspace to who only has a link.
func (b Brand) Picture() string {
	if b.Logo == "" {
		return ""
	}
	sum := sha256.Sum256([]byte(b.Type + "\n" + b.Logo))
	return "/brand/" + hex.EncodeToString(sum[:12])
}

// serveBrand gives a colour's sheet, or a logo.
func (k *Kit) serveBrand(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	if colour, ok := strings.CutSuffix(name, ".css"); ok {
		c, valid := parseColour("#" + colour)
		if !valid {
			k.Absent(w, r)
			return
		}
		w.Header().Set("Cache-Control", "max-age=600")
		w.Header().Set("Content-Type", "text/css; charset=utf-8")
		_, _ = fmt.Fprint(w, c.sheet()) // the client may have gone
		return
	}
	for _, b := range k.brands() {
		if b.Picture() == "/brand/"+name {
			w.Header().Set("Cache-Control", "max-age=600")
			w.Header().Set("Content-Type", b.Type)
			// A logo may be SVG, which is a document: opened by itself it runs nothing.
			w.Header().Set("Content-Security-Policy", "sandbox; default-src 'none'; style-src 'unsafe-inline'")
			_, _ = w.Write([]byte(b.Logo))
			return
		}
	}
	k.Absent(w, r)
}

// brands are all that there are.
func (k *Kit) brands() []Brand {
	if k.Brands == nil {
		return nil
	}
	return k.Brands()
}

// rgb is a colour, each part from 0 to 1.
type rgb [3]float64

func parseColour(s string) (c rgb, ok bool) {
	if len(s) != 7 || s[0] != '#' {
		return c, false
	}
	n, err := strconv.ParseUint(s[1:], 16, 32)
	if err != nil {
		return c, false
	}
	return rgb{float64(n>>16) / 255, float64(n>>8&0xff) / 255, float64(n&0xff) / 255}, true
}

func (c rgb) String() string {
	part := func(f float64) int { return int(math.Round(255 * min(max(f, 0), 1))) }
	return fmt.Sprintf("#%02x%02x%02x", part(c[0]), part(c[1]), part(c[2]))
}

// luminance is that of WCAG 2.2.
func (c rgb) luminance() float64 {
	line := func(f float64) float64 {
		if f <= 0.04045 {
			return f / 12.92
		}
		return math.Pow((f+0.055)/1.055, 2.4)
	}
	return 0.2126*line(c[0]) + 0.7152*line(c[1]) + 0.0722*line(c[2])
}

// contrast is the ratio of WCAG 2.2, 1 to 21.
func contrast(a, b rgb) float64 {
	x, y := a.luminance(), b.luminance()
	return (max(x, y) + 0.05) / (min(x, y) + 0.05)
}

// toward mixes a share of another colour in.
func (c rgb) toward(to rgb, share float64) rgb {
	for i := range c {
		c[i] += (to[i] - c[i]) * share
	}
	return c
}

// What text needs against its ground (WCAG 2.2, 1.4.3).
const enough = 4.5

// The grounds of the style sheet, of which accents are made legible: the darkest
// of the light ones, and the lightest of the dark.
func grounds() (light, dark, white, black rgb) {
	light, _ = parseColour("#f1f3f6")
	dark, _ = parseColour("#24282f")
	return light, dark, rgb{1, 1, 1}, rgb{0.05, 0.06, 0.08}
}

// legible moves a colour away from the ground until text in it can be read there.
func (c rgb) legible(ground, away rgb) rgb {
	out := c
	for step := 1; contrast(out, ground) < enough && step <= 20; step++ {
		out = c.toward(away, float64(step)/20)
	}
	return out
}

// on is what can be read on a colour.
func (c rgb) on() rgb {
	_, _, white, black := grounds()
	if contrast(c, white) >= enough {
		return white
	}
	return black
}

// sheet makes the accent of both themes from the one colour of a firm.
func (c rgb) sheet() string {
	light, dark, white, black := grounds()
	day, night := c.legible(light, black), c.legible(dark, white)
	var b strings.Builder
	b.WriteString(":root{")
	for _, v := range []struct {
		name       string
		day, night rgb
	}{
		{"accent", day, night},
		{"accent-hover", day.toward(black, 0.14), night.toward(white, 0.14)},
		{"on-accent", day.on(), night.on()},
		{"tint", white.toward(day, 0.08), rgb{0.09, 0.1, 0.12}.toward(night, 0.14)},
	} {
		fmt.Fprintf(&b, "--%s:light-dark(%s,%s);", v.name, v.day, v.night)
	}
	b.WriteString("}\n")
	return b.String()
}
