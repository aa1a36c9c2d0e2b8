package notify_test

import (
	"bytes"
	"errors"
	"flag"
	"io"
	"maps"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net/mail"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"portico/lang"
	"portico/notify"
)

var update = flag.Bool("update", false, "write the golden mails anew")

// samples are one notice of each event, and batches.
func samples() map[string][]notify.Notice {
	one := func(event notify.Event, data map[string]string) notify.Notice {
		all := map[string]string{"by": "Ann de Wit", "item": "Jaarrekening 2026.pdf"}
		maps.Copy(all, data)
		return notify.Notice{To: "contact:c1", Mail: "carl@client.example", Name: "Carl Client", Event: event, Data: all, Brand: "firm"}
	}
	quiet := func(x notify.Notice) notify.Notice {
		x.To, x.Quiet, x.Always = "", true, true
		return x
	}
	const until, soon = "2027-06-30T00:00:00Z", "2027-03-12T10:00:00Z"
	receipt := func(item string) notify.Notice {
		return one(notify.Receipt, map[string]string{
			"item": item, "size": "1400000", "time": "2027-03-12T09:29:58Z", "id": "r7k2m9p4", "link": "/verify",
			"receipt": "Portico receipt 1\nid: r7k2m9p4\nname: " + item + "\n\nsignature: c2lnbmVk\n",
			"sha256":  "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		})
	}
	deposit := func(item string) notify.Notice {
		return one(notify.Deposited, map[string]string{"by": "Carl Client", "item": item, "folder": "Klanten/Acme", "size": "1400000", "link": "/files/firm/Klanten/Acme/"})
	}
	batch := func(all ...notify.Notice) []notify.Notice {
		for i := range all {
			all[i].Batch = "b"
		}
		return all
	}
	share := map[string]string{"until": until, "link": "/portal/s/1", "message": "Dag Carl,\n\nkijk dit even na?\nAnn"}
	return map[string][]notify.Notice{
		"invited":       {quiet(one(notify.Invited, map[string]string{"firm": "De Wit & Co", "until": "2027-03-19T09:30:00Z", "link": "/invite/SECRET"}))},
		"shared":        {one(notify.Shared, share)},
		"shared-many":   batch(one(notify.Shared, share), one(notify.Shared, map[string]string{"item": "Contracten", "link": "/portal/"})),
		"offered":       {one(notify.Offered, share)},
		"accepted":      {one(notify.Accepted, map[string]string{"link": "/files/firm/"})},
		"declined":      {one(notify.Declined, map[string]string{"link": "/files/firm/"})},
		"stopped":       {one(notify.Stopped, nil)},
		"deposited":     {deposit("scan 1.pdf")},
		"deposited-two": batch(deposit("scan 1.pdf"), deposit("scan 2.pdf")),
		"receipt":       {receipt("scan 1.pdf")},
		"receipt-two":   batch(receipt("scan 1.pdf"), receipt("scan 2.pdf")),
		"opened":        {one(notify.Opened, nil)},
		"ending":        {one(notify.Ending, map[string]string{"until": until, "link": "/portal/s/1"})},
		"asked":         {one(notify.Asked, map[string]string{"item": "Acme", "folder": "De Wit & Co/Klanten", "message": "Voor de controle van maart.", "link": "/share?in=%2Ffirm%2FKlanten&item=Acme&to=user%3Aann"})},
		"closed":        {quiet(one(notify.Closed, nil))},
		"reset":         {quiet(one(notify.Reset, map[string]string{"until": soon, "link": "/reset/SECRET"}))},
		"code":          {quiet(one(notify.Code, map[string]string{"code": "482 913"}))},
		"link":          {quiet(one(notify.SentLink, map[string]string{"until": until, "link": "/s/SECRET", "message": "Bij deze."}))},
		"unlock":        {quiet(one(notify.Unlock, map[string]string{"until": soon, "link": "/unlock/SECRET"}))},
		"mixed":         batch(one(notify.Accepted, nil), one(notify.Declined, nil)),
	}
}

// zeros are ids that are the same in each run.
type zeros struct{ n byte }

func (z *zeros) Read(b []byte) (int, error) {
	z.n++
	for i := range b {
		b[i] = z.n
	}
	return len(b), nil
}

// write makes the mail of a sample as it goes over the wire.
func write(t *testing.T, tag string, all []notify.Notice) []byte {
	t.Helper()
	w := newWorld(t, nil, func(o *notify.Options) {
		o.Rand = &zeros{}
		o.Language = func() string { return tag }
		o.Brand = func(string) notify.Brand { return notify.Brand{Name: "De Wit & Co", Colour: "#0b6b3a"} }
	})
	for _, x := range all {
		w.tell(x)
		w.clock.add(time.Second)
	}
	w.round()
	if len(w.server.sent) != 1 {
		t.Fatalf("%d mails, want 1; log:\n%s", len(w.server.sent), w.log)
	}
	var b bytes.Buffer
	if _, err := w.server.sent[0].WriteTo(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// Each event's mail in each language. The text part alone is kept, with the heads
// that people see: the HTML has the same words, and one event's is kept whole.
func TestGoldenMails(t *testing.T) {
	t.Parallel()
	for _, tag := range lang.Tags() {
		for _, name := range slices.Sorted(maps.Keys(samples())) {
			t.Run(tag+"/"+name, func(t *testing.T) {
				t.Parallel()
				raw := write(t, tag, samples()[name])
				m := parse(t, raw)
				if m.head.Get("Content-Language") != tag {
					t.Errorf("Content-Language %q, want %q", m.head.Get("Content-Language"), tag)
				}
				if strings.Contains(m.text, "{") || strings.Contains(m.html, "ZgotmplZ") || strings.Contains(m.html, "<no value>") {
					t.Errorf("the mail has a gap:\n%s\n%s", m.text, m.html)
				}
				golden(t, filepath.Join("testdata", tag, name+".txt"), []byte("Subject: "+m.subject+"\n\n"+m.text))
			})
		}
	}
	for _, name := range []string{"shared", "receipt-two", "code"} {
		t.Run("whole/"+name, func(t *testing.T) {
			t.Parallel()
			golden(t, filepath.Join("testdata", name+".eml"), write(t, "nl", samples()[name]))
		})
	}
}

func golden(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o750); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// parsed is a mail as a client reads it.
type parsed struct {
	head                mail.Header
	subject, text, html string
	to, from            *mail.Address
}

// parse reads a mail, and holds it to what every mail of ours is.
func parse(t *testing.T, raw []byte) parsed {
	t.Helper()
	if bytes.Contains(bytes.ReplaceAll(raw, []byte("\r\n"), nil), []byte("\n")) {
		t.Error("the mail has a bare line end (CVE-2023-51766: smuggling)")
	}
	for line := range bytes.Lines(raw) {
		if len(line) > 1000 || bytes.ContainsFunc(line, func(r rune) bool { return r > 126 }) {
			t.Errorf("line %q is not plain or too long", line)
		}
	}
	m, err := mail.ReadMessage(bytes.NewReader(raw))
	if err != nil {
		t.Fatal(err)
	}
	p := parsed{head: m.Header}
	if p.subject, err = new(mime.WordDecoder).DecodeHeader(m.Header.Get("Subject")); err != nil {
		t.Error(err)
	}
	for field, at := range map[string]**mail.Address{"To": &p.to, "From": &p.from} {
		all, err := m.Header.AddressList(field)
		if err != nil || len(all) != 1 {
			t.Fatalf("%s: %q, %v; want one address", field, m.Header.Get(field), err)
		}
		*at = all[0]
	}
	if _, err := m.Header.Date(); err != nil {
		t.Error(err)
	}
	if got := m.Header.Get("Auto-Submitted"); got != "auto-generated" {
		t.Errorf("Auto-Submitted: %q", got)
	}
	if !regexp.MustCompile(`^<[a-z2-7]{26}@firm\.example>$`).MatchString(m.Header.Get("Message-Id")) {
		t.Errorf("Message-ID: %q", m.Header.Get("Message-Id"))
	}
	if got := m.Header.Get("List-Id"); got != "<notices.drive.firm.example>" {
		t.Errorf("List-Id: %q", got)
	}
	p.text, p.html = bodies(t, m)
	return p
}

// bodies are the two parts of multipart/alternative, the plain one first (RFC 2046 §5.1.4).
func bodies(t *testing.T, m *mail.Message) (text, html string) {
	t.Helper()
	kind, params, err := mime.ParseMediaType(m.Header.Get("Content-Type"))
	if err != nil || kind != "multipart/alternative" {
		t.Fatalf("Content-Type %q, %v", m.Header.Get("Content-Type"), err)
	}
	parts := multipart.NewReader(m.Body, params["boundary"])
	for _, want := range []string{"text/plain", "text/html"} {
		part, err := parts.NextRawPart()
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); got != want {
			t.Errorf("part %s, want %s", got, want)
		}
		b, err := io.ReadAll(quotedprintable.NewReader(part))
		if err != nil {
			t.Fatal(err)
		}
		s := strings.ReplaceAll(string(b), "\r\n", "\n")
		if want == "text/plain" {
			text = s
		} else {
			html = s
		}
	}
	if _, err := parts.NextPart(); !errors.Is(err, io.EOF) {
		t.Errorf("there is a third part: %v", err)
	}
	return text, html
}
