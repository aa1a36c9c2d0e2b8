package notify

import (
	"bytes"
	"context"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"portico/lang"
	"portico/store"
)

//go:embed mail.html
var mailHTML string

// letter is what a mail says, before it is text or HTML.
type letter struct {
	Tag, Firm  string
	Colour, On string // of the firm, and of what can be read on it
	Title      string
	Lead       string
	Quote      []string // the sender's own words, by line
	Lines      []string
	Facts      []fact
	Signed     string     // what comes before the signed receipts
	Receipts   [][]string // of each document, by line
	Code       string
	Open, Link string // the words of the button, and its whole address
	Notes      []string
	Foot       []string
}

// fact is a line of a receipt. Group tells where the next document begins.
type fact struct {
	Name, Value string
	Group       bool
}

// compose writes the mail of notices of one batch and address.
func (n *Notifier) compose(ctx context.Context, all []store.Notice) (*Mail, error) {
	oldest := all[0]
	var payloads []payload
	for _, x := range all {
		p, err := payloadOf(x)
		if err != nil {
			return nil, err
		}
		payloads = append(payloads, p)
	}
	text, err := n.text(ctx, oldest)
	if err != nil {
		return nil, err
	}
	l, err := n.letter(text, all, payloads)
	if err != nil {
		return nil, err
	}
	var html bytes.Buffer
	t, err := template.New("mail").Parse(mailHTML)
	if err != nil {
		return nil, fmt.Errorf("notify: compose: %w", err)
	}
	if err := t.Execute(&html, l); err != nil {
		return nil, fmt.Errorf("notify: compose: %w", err)
	}
	return &Mail{
		ID: oldest.ID, From: n.o.From, FromName: oneLine(l.Firm), To: oldest.Mail, ToName: oneLine(first(payloads[0].Name, payloads[0].Data["name"])), ReplyTo: n.o.ReplyTo,
		Date: n.o.Clock(), Written: oldest.Created, Language: l.Tag, Subject: oneLine(l.Title), Text: l.text(), HTML: html.String(), Host: n.o.Public().Hostname(),
	}, nil
}

// text is the language of a mail: what its reader chose, else what the notice says,
// else the server's.
func (n *Notifier) text(ctx context.Context, x store.Notice) (*lang.Text, error) {
	var prefs store.Preferences
	if x.To != "" {
		var err error
		if prefs, err = n.o.State.PreferencesOf(ctx, x.To); err != nil {
			return nil, fmt.Errorf("notify: preferences: %w", err)
		}
	}
	return n.o.Catalog.For(prefs.Language, x.Language, n.o.Language()).In(n.o.Zone()), nil
}

// letter puts the words together. Notices of one mail are of one event, or are told
// one by one with their titles.
func (n *Notifier) letter(text *lang.Text, all []store.Notice, payloads []payload) (letter, error) {
	event, p := Event(all[0].Event), payloads[0]
	s := sayingOf(event, p)
	if s.title == "" {
		return letter{}, fmt.Errorf("notify: compose: no words for the event %q", event)
	}
	in := n.naming(text, p)
	brand := n.o.Brand(p.Brand)
	l := letter{Tag: text.Tag(), Firm: first(p.Data["firm"], brand.Name, "Portico"), Title: in.say(s.title), Lead: in.say(s.body), Code: oneLine(p.Data["code"])}
	l.Colour, l.On = colours(brand.Colour)
	if s.open != "" && p.Data["link"] != "" {
		l.Open, l.Link = in.say(s.open), n.address(p.Data["link"])
	}
	l.Quote = lines(p.Data["message"])
	if slices.ContainsFunc(payloads, func(o payload) bool { return o.Data["until"] != p.Data["until"] }) {
		in.data = maps.Clone(in.data)
		in.data["until"] = "" // it does not hold for all
	}
	for _, id := range s.notes {
		l.Notes = append(l.Notes, in.say(id))
	}
	if len(all) > 1 {
		n.several(text, &l, in, all, payloads)
	}
	if event == Receipt {
		for i, p := range payloads {
			l.Facts = append(l.Facts, n.receipt(text, p, i > 0)...)
			if signed := lines(p.Data["receipt"]); signed != nil {
				l.Signed, l.Receipts = text.T("The signed receipt, to have it verified later:"), append(l.Receipts, signed)
			}
		}
	}
	l.Foot = n.foot(text, all[0], p)
	l.Notes = filled(l.Notes)
	return l, nil
}

// several makes the letter of one notice that of many.
func (n *Notifier) several(text *lang.Text, l *letter, in naming, all []store.Notice, payloads []payload) {
	s := sayingOf(Event(all[0].Event), payloads[0])
	same := s.many != ""
	for _, x := range all {
		same = same && x.Event == all[0].Event
	}
	l.Title = text.N("{n} notices", len(all))
	if same {
		l.Title = in.count(s.many, len(all))
	} else {
		l.Notes = nil
	}
	if Event(all[0].Event) != Offered || !same {
		l.Lead = "" // is of one document
	}
	l.Link = n.address(together(payloads))
	if l.Link == "" {
		l.Open = ""
	}
	for i, x := range all {
		its := sayingOf(Event(x.Event), payloads[i])
		id := its.line
		if !same {
			id = its.title
		}
		l.Lines = append(l.Lines, n.naming(text, payloads[i]).say(id))
	}
	if same && Event(all[0].Event) == Receipt {
		l.Lines = nil // the facts name each
	}
}

// address is a path of ours as it stands in a mail.
func (n *Notifier) address(path string) string {
	if path == "" {
		return ""
	}
	return strings.TrimSuffix(n.o.Public().String(), "/") + path
}

// together is where all of several notices can be found: the folder that their
// links have in common, "" for none.
func together(payloads []payload) string {
	link := payloads[0].Data["link"]
	for _, p := range payloads[1:] {
		for link != "" && link != p.Data["link"] && (!strings.HasPrefix(p.Data["link"], link) || !strings.HasSuffix(link, "/")) {
			link = link[:strings.LastIndex(strings.TrimSuffix(link, "/"), "/")+1]
		}
	}
	if link == "/" {
		return ""
	}
	return link
}

// receipt is the part of a mail that can be proved later.
func (n *Notifier) receipt(text *lang.Text, p payload, group bool) []fact {
	in := n.naming(text, p)
	arrived := p.Data["time"]
	if at, err := time.Parse(time.RFC3339, arrived); err == nil {
		arrived = text.Stamp(at)
	}
	all := []fact{
		{Name: text.T("Document"), Value: in.say(itemAlone), Group: group},
		{Name: text.T("Size"), Value: in.size()},
		{Name: text.T("Arrived"), Value: arrived},
		{Name: text.T("Checksum (SHA-256)"), Value: oneLine(p.Data["sha256"])},
		{Name: text.T("Receipt number"), Value: oneLine(p.Data["id"])},
	}
	return all
}

// foot tells why the mail came and how to have fewer.
func (n *Notifier) foot(text *lang.Text, x store.Notice, p payload) []string {
	var foot []string
	if x.To != "" && !p.Always {
		foot = append(foot, text.T("Which mails you get is for you to choose, on your account page:")+" "+n.o.Public().JoinPath("account").String())
	}
	if n.o.ReplyTo == "" {
		foot = append(foot, text.T("This mail was sent automatically. Nobody reads answers to it."))
	}
	return foot
}

// text is a letter without a mark-up.
func (l letter) text() string {
	var b strings.Builder
	para := func(lines ...string) {
		if lines = filled(lines); len(lines) > 0 {
			b.WriteString(strings.Join(lines, "\n") + "\n\n")
		}
	}
	para(l.Title)
	para(l.Lead)
	para(l.Code)
	para(prefixed("> ", l.Quote)...)
	para(prefixed("- ", l.Lines)...)
	var facts []string
	for _, f := range l.Facts {
		if f.Group {
			para(facts...)
			facts = nil
		}
		facts = append(facts, f.Name+": "+f.Value)
	}
	para(facts...)
	if l.Link != "" {
		para(l.Open+":", l.Link)
	}
	para(l.Notes...)
	para(l.Signed)
	for _, signed := range l.Receipts {
		b.WriteString(strings.Join(signed, "\n") + "\n\n") // as it is: each byte is signed
	}
	b.WriteString("-- \n" + strings.Join(append([]string{oneLine(l.Firm)}, l.Foot...), "\n") + "\n")
	return b.String()
}

func prefixed(mark string, all []string) (out []string) {
	for _, s := range all {
		out = append(out, mark+s)
	}
	return out
}

// filled leaves out what is empty.
func filled(all []string) (out []string) {
	for _, s := range all {
		if s != "" {
			out = append(out, s)
		}
	}
	return out
}

// oneLine keeps a name on the line that it stands on: a line end in one would begin
// a header (CWE-93), or a sentence that the firm never wrote.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || r == '\u2028' || r == '\u2029' {
			return ' '
		}
		return r
	}, strings.ToValidUTF8(s, "\ufffd")))
}

// lines are a message as its sender wrote it.
func lines(s string) (out []string) {
	for line := range strings.SplitSeq(strings.ReplaceAll(strings.TrimSpace(s), "\r\n", "\n"), "\n") {
		out = append(out, oneLine(line))
	}
	if len(out) == 1 && out[0] == "" {
		return nil
	}
	return out
}

// The accent of Portico, for a firm without a colour.
const ownColour = "#1f5fbf"

// colours are those of a mail's head: that of the firm, and white or near black,
// whichever is easier to read on it (WCAG 2.2, 1.4.3).
func colours(firm string) (ground, on string) {
	var r, g, b int
	if _, err := fmt.Sscanf(firm, "#%02x%02x%02x", &r, &g, &b); err != nil || len(firm) != len(ownColour) {
		return ownColour, "#ffffff"
	}
	// The weights of luma. Where it is above half of its range black reads better;
	// a little more, for white on a strong colour looks calmer.
	if luma := 299*r + 587*g + 114*b; luma > 150*1000 {
		return firm, "#16181c"
	}
	return firm, "#ffffff"
}
