package app

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"path"
	"strings"

	"portico/files"
	"portico/sharing"
	"portico/vpath"
)

// demoFirm is the workspace of example.yaml.
const demoFirm = "firm"

// demoPath is a path in it.
func demoPath(below string) vpath.Path { return vpath.Must("/" + demoFirm + "/" + below) }

// demo is the firm of example.yaml at work.
type demo struct {
	s           *process
	ann, claire sharing.By
	mailed      map[string]string
	read, drop  string // addresses of links
}

// papers are what ann has written: make run has made the rest of the tree, as plain
// files.
func (d *demo) papers(ctx context.Context) error {
	tree, err := d.s.files.As(ctx, d.ann.Principal)
	if err != nil {
		return err
	}
	for _, folder := range []string{"Clients", "Clients/Acme", "Clients/Acme/Accounts 2025", "Clients/Acme/Receipts", "Clients/Borealis"} {
		p := demoPath(folder)
		if _, err := tree.Stat(ctx, p); err == nil {
			continue
		}
		if err := tree.Mkdir(ctx, p, files.Guard{}); err != nil {
			return err
		}
	}
	plan, err := planPNG()
	if err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"Clients/Acme/Engagement letter.pdf":             paperPDF(engagementLetter),
		"Clients/Acme/Accounts 2025/Annual accounts.pdf": paperPDF(annualAccounts),
		"Clients/Acme/Accounts 2025/Questions.txt":       []byte(questions),
		"Clients/Acme/Quote.txt":                         []byte("Quote: the quarterly VAT returns of 2026, 4 x 320 euros.\n"),
		"Clients/Acme/Warehouse plan.png":                plan,
		"Clients/Borealis/Planning.txt":                  []byte("Kick-off on 12 January, first report by the end of the month.\n"),
	} {
		if _, _, err := tree.Put(ctx, demoPath(name), bytes.NewReader(content), d.written(len(content))); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	return nil
}

// written is a file of the demo's time.
func (d *demo) written(size int) files.PutOptions {
	return files.PutOptions{Size: int64(size), ModTime: d.s.clock()}
}

// contacts are one in each state: a card alone here, the others after access.
func (d *demo) contacts(ctx context.Context) error {
	for _, c := range []sharing.ContactWish{
		{Mail: demoCustomer, Name: "Claire Dubois", Organisation: "Acme NV", Notes: "Signs for Acme. Prefers mail to the phone."},
		{Mail: "otto@borealis.example", Name: "Otto Berg", Organisation: "Borealis AB", Language: "sv"},
		{Mail: "lena@roth.example", Name: "Lena Roth", Organisation: "Roth & Roth", Language: "de", Notes: "Met at the fair; no files yet."},
		{Mail: "max@acme.example", Name: "Max Kort", Organisation: "Acme NV", Language: "nl", Notes: "Left Acme in the autumn."},
	} {
		c.Workspace = demoFirm
		if _, err := d.s.sharing.PutContact(ctx, d.ann, c); err != nil {
			return err
		}
	}
	return nil
}

// access lets claire in, who sets a password; otto, who has not done so yet; and max,
// whose access is closed again.
func (d *demo) access(ctx context.Context) error {
	for mail, folder := range map[string]string{
		demoCustomer: "Clients/Acme", "otto@borealis.example": "Clients/Borealis", "max@acme.example": "Clients/Acme",
	} {
		if err := d.s.sharing.OpenAccess(ctx, d.ann, demoFirm, mail, []vpath.Path{demoPath(folder)}); err != nil {
			return err
		}
	}
	if err := d.s.sharing.CloseAccess(ctx, d.ann, demoFirm, "max@acme.example", false); err != nil {
		return err
	}
	secret := path.Base(d.mailed["invited "+demoCustomer])
	who, err := d.s.sharing.AcceptInvitation(ctx, secret, "Claire Dubois", demoCustomerPassword, "127.0.0.1")
	d.claire = demoActor(who)
	return err
}

// Two of what claire is asked to accept she answers, see answers.
const (
	demoAccounts = "Clients/Acme/Accounts 2025"
	demoQuote    = "Clients/Acme/Quote.txt"
	demoReceipts = "Clients/Acme/Receipts"
)

// shares are one of each kind.
func (d *demo) shares(ctx context.Context) error {
	soon := d.s.clock().AddDate(0, 0, 2)
	for _, w := range []sharing.ShareWish{
		{Items: demoItems(demoAccounts), Mode: sharing.Edit, Ask: true, Message: "The draft, and what we still need from you."},
		{Items: demoItems(demoQuote), Mode: sharing.Read, Ask: true, Message: "For the coming year."},
		{Items: demoItems("Clients/Acme/Engagement letter.pdf"), Mode: sharing.Read, Ask: true, Message: "Please read it, and say whether you agree."},
		{Items: demoItems(demoReceipts), Mode: sharing.Deposit, Message: "Put your receipts here; nobody but us sees them."},
		{Items: demoItems("Clients/Acme/Warehouse plan.png"), Mode: sharing.Read, Until: soon},
	} {
		w.To = []string{"contact:" + demoCustomer}
		if _, err := d.s.sharing.Share(ctx, d.ann, w); err != nil {
			return err
		}
	}
	_, err := d.s.sharing.Share(ctx, d.ann, sharing.ShareWish{
		Items: demoItems("Clients/Borealis/Planning.txt"), To: []string{"contact:otto@borealis.example"}, Mode: sharing.Read,
	})
	return err
}

func demoItems(name string) []vpath.Path { return []vpath.Path{demoPath(name)} }

// answers: claire accepts the accounts, declines the quote, and has not made up her
// mind about the letter.
func (d *demo) answers(ctx context.Context) error {
	all, err := d.s.sharing.ForMe(ctx, d.claire)
	if err != nil {
		return err
	}
	for _, v := range all {
		var accept bool
		switch v.Name {
		case path.Base(demoAccounts):
			accept = true
		case path.Base(demoQuote):
		default:
			continue
		}
		if err := d.s.sharing.Answer(ctx, d.claire, v.ID, accept); err != nil {
			return err
		}
	}
	return nil
}

// deposits are two of claire's; one of them ann has opened.
func (d *demo) deposits(ctx context.Context) error {
	w, err := d.s.files.Window(ctx, d.claire.Principal)
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		path.Base(demoAccounts) + "/Answers.txt": "1. The lease ends in June.\n2. No, the van was sold.\n",
		path.Base(demoReceipts) + "/March.txt":   "Fuel 64.20, train 18.00, paper 12.75\n",
	} {
		if _, _, err := w.Put(ctx, vpath.Must("/"+name), strings.NewReader(text), d.written(len(text))); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
	}
	tree, err := d.s.files.As(ctx, d.ann.Principal)
	if err != nil {
		return err
	}
	body, _, err := tree.Open(ctx, demoPath(demoAccounts+"/Answers.txt"), files.Range{})
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, body)
	if closed := body.Close(); err == nil {
		err = closed
	}
	return err
}

// links are one to read, and one for drops with a password.
func (d *demo) links(ctx context.Context) error {
	var err error
	if d.read, err = d.link(ctx, sharing.LinkWish{
		Items: demoItems("Clients/Acme/Warehouse plan.png"), Name: "The architect", Mode: sharing.LinkRead, Until: d.s.clock().AddDate(0, 1, 0),
	}); err != nil {
		return err
	}
	d.drop, err = d.link(ctx, sharing.LinkWish{
		Items: demoItems(demoReceipts), Name: "Acme's drivers", Mode: sharing.LinkInbox, Password: demoCustomerPassword, Subfolders: true, MaxFileBytes: 20 << 20,
	})
	return err
}

func (d *demo) link(ctx context.Context, w sharing.LinkWish) (string, error) {
	_, token, err := d.s.sharing.MakeLink(ctx, d.ann, w)
	return d.s.public.Load().JoinPath("s", token).String(), err
}

// tell says who can sign in, and where the links lead.
func (d *demo) tell(out io.Writer) error {
	public := d.s.public.Load()
	_, err := fmt.Fprintf(out, `A customer, who signs in on the same page with the password %[2]s:
  %[3]s   has shares of each kind, and deposits with receipts
Otto Berg is invited and has set no password yet:
  %[6]s
Links, for anybody who holds them:
  %[4]s
  %[5]s   (password %[2]s)
Mails are in data/outbox. Everybody signs in at %[1]s
`, public.JoinPath("login"), demoCustomerPassword, demoCustomer, d.read, d.drop, d.mailed["invited otto@borealis.example"])
	return err
}
