package app

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"strings"
)

// The texts of the demo's papers.
const (
	engagementLetter = `Engagement letter

Peeters & Co keeps the books of Acme NV, files its quarterly VAT
returns and draws up its annual accounts for 2026.

The fee is agreed each year in advance, by a separate quote.
Either side may end this with three months' notice.

Ann Peeters`

	annualAccounts = `Acme NV - annual accounts 2025 (draft)

Fixed assets                 412,300
Stock                         88,150
Receivables                  136,900
Cash                          51,720
                             -------
Total assets                 689,070

Equity                       301,480
Loans                        240,000
Payables                     147,590
                             -------
Total liabilities            689,070`

	questions = "1. Until when does the lease of the warehouse run?\n2. Is the van still in use?\n"
)

// paperPDF is a page of text as the smallest PDF that readers show: four objects,
// a stream and the table of where they begin (ISO 32000-1 §7.5).
func paperPDF(text string) []byte {
	var page bytes.Buffer
	page.WriteString("BT /F1 12 Tf 16 TL 64 770 Td\n")
	for line := range strings.Lines(text) {
		escaped := strings.NewReplacer(`\`, `\\`, "(", `\(`, ")", `\)`).Replace(strings.TrimSuffix(line, "\n"))
		fmt.Fprintf(&page, "(%s) Tj T*\n", escaped)
	}
	page.WriteString("ET")
	objects := []string{
		"<< /Type /Catalog /Pages 2 0 R >>",
		"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
		"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 5 0 R >> >> /Contents 4 0 R >>",
		fmt.Sprintf("<< /Length %d >>\nstream\n%s\nendstream", page.Len(), page.String()),
		"<< /Type /Font /Subtype /Type1 /BaseFont /Courier >>",
	}
	b := bytes.NewBufferString("%PDF-1.4\n")
	var starts []int
	for i, o := range objects {
		starts = append(starts, b.Len())
		fmt.Fprintf(b, "%d 0 obj\n%s\nendobj\n", i+1, o)
	}
	table := b.Len()
	fmt.Fprintf(b, "xref\n0 %d\n0000000000 65535 f \n", len(objects)+1)
	for _, at := range starts {
		fmt.Fprintf(b, "%010d 00000 n \n", at)
	}
	fmt.Fprintf(b, "trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n", len(objects)+1, table)
	return b.Bytes()
}

// planPNG draws the plan of a warehouse: walls, racks, an office.
func planPNG() ([]byte, error) {
	img := image.NewRGBA(image.Rect(0, 0, 960, 600))
	fill := func(x0, y0, x1, y1 int, c color.Color) {
		draw.Draw(img, image.Rect(x0, y0, x1, y1), image.NewUniform(c), image.Point{}, draw.Src)
	}
	wall, floor, rack, office := color.Gray{60}, color.Gray{248}, color.RGBA{31, 95, 191, 255}, color.RGBA{232, 238, 246, 255}
	fill(0, 0, 960, 600, color.White)
	fill(60, 60, 900, 540, wall)
	fill(70, 70, 890, 530, floor)
	for x := 120; x < 620; x += 100 {
		fill(x, 120, x+40, 400, rack)
	}
	fill(660, 70, 890, 290, wall)
	fill(670, 70, 890, 280, office)
	fill(300, 530, 460, 540, floor) // the gate
	var b bytes.Buffer
	err := png.Encode(&b, img)
	return b.Bytes(), err
}
