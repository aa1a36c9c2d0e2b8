package vpath

import "testing"

// The path of each request is parsed once: a path of plain ASCII may cost one
// allocation, the path itself.
func TestParseEscapedAllocatesOnce(t *testing.T) {
	for raw, most := range map[string]float64{
		"/": 0, "/firm/Clients/Acme/Letter.docx": 1, "/firm/Clients/Acme%20Ltd/Letter%201.docx": 3,
	} {
		got := testing.AllocsPerRun(100, func() {
			if _, _, err := ParseEscaped(raw); err != nil {
				t.Error(err)
			}
		})
		if got > most {
			t.Errorf("ParseEscaped(%q) allocates %v times, want %v at most", raw, got, most)
		}
	}
}

func BenchmarkParseEscaped(b *testing.B) {
	for name, raw := range map[string]string{
		"ascii":  "/firm/Clients/Acme/2026/Letter.docx",
		"escape": "/firm/Clients/Acme%20Ltd/2026/Letter%201.docx",
		"nfd":    "/firm/Clients/Cafe%CC%81/2026/Re%CC%81sume%CC%81.docx",
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, _, err := ParseEscaped(raw); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEscaped(b *testing.B) {
	p := Must("/firm/Clients/Acme Ltd/2026/Letter 1.docx")
	b.ReportAllocs()
	for b.Loop() {
		p.Escaped()
	}
}

func BenchmarkContains(b *testing.B) {
	p, q := Must("/firm/Clients/Acme"), Must("/firm/Clients/Acme/2026/Letter.docx")
	b.ReportAllocs()
	for b.Loop() {
		p.Contains(q)
	}
}
