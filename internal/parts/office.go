package parts

import (
	"bufio"
	_ "embed" // of the script that drives it
	"encoding/json"
	"io"
	"testing"
	"time"
)

//go:embed office.py
var officeScript string

// officeWithin bounds the life of one LibreOffice, of which the first start takes longest.
const officeWithin = 4 * time.Minute

// Office is a LibreOffice that a person works with, driven through UNO.
type Office struct {
	tb     testing.TB
	orders io.Writer
	reply  *bufio.Scanner
	said   *tail
}

// OfficeOrder is what the person does: new, open, write, save, saveas, close.
type OfficeOrder struct {
	Do   string `json:"do"`
	URL  string `json:"url,omitempty"`
	Text string `json:"text,omitempty"`
}

// OfficeState is what the person then sees.
type OfficeState struct {
	Error    string   `json:"error"`
	Text     string   `json:"text"`
	ReadOnly bool     `json:"readonly"`
	URL      string   `json:"url"`
	Asked    []string `json:"asked"` // who the dialog said that holds the document
}

// NewOffice starts one on a desktop, for somebody who has kept the password of a server
// (https://HOST:PORT). It ends with the test.
func NewOffice(tb testing.TB, d *Desktop, server, user, password string) *Office {
	tb.Helper()
	Tool(tb, "soffice")
	o := &Office{tb: tb, said: &tail{}}
	// Debian's own Python: python3-uno is a module of that one.
	cmd := d.Command(officeWithin, "python3", "-c", officeScript, tb.TempDir(), server, user, password)
	cmd.Stderr = o.said
	in, err := cmd.StdinPipe()
	if err != nil {
		tb.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		tb.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		_ = in.Close() // the script ends LibreOffice, then itself
		_ = cmd.Wait()
	})
	o.orders, o.reply = in, bufio.NewScanner(out)
	o.read() // it is ready
	return o
}

// Do gives an order and waits until it is carried out.
func (o *Office) Do(order OfficeOrder) OfficeState {
	o.tb.Helper()
	if err := json.NewEncoder(o.orders).Encode(order); err != nil {
		o.tb.Fatalf("parts: LibreOffice: %v: %s", err, o.said)
	}
	return o.read()
}

func (o *Office) read() (s OfficeState) {
	o.tb.Helper()
	if !o.reply.Scan() {
		o.tb.Fatalf("parts: LibreOffice has ended: %s", o.said)
	}
	if err := json.Unmarshal(o.reply.Bytes(), &s); err != nil {
		o.tb.Fatalf("parts: LibreOffice: %v: %s", err, o.reply.Bytes())
	}
	return s
}
