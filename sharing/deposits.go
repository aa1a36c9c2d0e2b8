package sharing

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"portico/files"
	"portico/notify"
	"portico/store"
	"portico/vpath"
)

// depositsTogether is how long a mail of deposits waits for more of them.
const depositsTogether = 10 * time.Minute

// Deposited is files.Options.Deposited: it gives a deposit its ID and its receipt,
// keeps it, and tells who shared the folder and who deposited.
func (s *Service) Deposited(ctx context.Context, tx store.Tx, d store.Deposit) error {
	err := linkTakes(ctx, tx, d)
	if err != nil {
		return fmt.Errorf("sharing: deposited: %w", err)
	}
	if d.ID == "" { // else it fills a placeholder
		if d.ID, err = s.newID(); err != nil {
			return err
		}
	}
	if err := linkTook(ctx, tx, d); err != nil {
		return fmt.Errorf("sharing: deposited: %w", err)
	}
	if !d.IsPlaceholder() {
		d.Receipt = s.receipt(d)
	}
	if err := tx.PutDeposit(d); err != nil {
		return fmt.Errorf("sharing: deposited: %w", err)
	}
	if d.IsPlaceholder() {
		return nil
	}
	noted(ctx, d)
	g, found, err := tx.GrantByID(ctx, d.Grant)
	if err == nil && found {
		err = s.tellDeposit(ctx, tx, d, g)
	}
	if err == nil {
		err = s.sendReceipt(ctx, tx, d)
	}
	if err != nil {
		return fmt.Errorf("sharing: deposited: %w", err)
	}
	return nil
}

// tellDeposit tells who shared the folder. Deposits of ten minutes are one mail.
func (s *Service) tellDeposit(ctx context.Context, tx store.Tx, d store.Deposit, g store.Grant) error {
	folder := d.Path.Parent()
	by := d.By
	if by == "" {
		by = d.Mail
	}
	return s.Tell.Tell(tx, notify.Notice{
		To: g.Giver, Mail: s.mailOf(ctx, tx, g.Giver), Event: notify.Deposited, Brand: d.Path.Top(),
		Batch: "deposited:" + g.Giver + ":" + folder.String(), Delay: depositsTogether,
		Data: map[string]string{
			"by": by, "item": d.Path.Name(), "folder": s.folderName(folder), "size": strconv.FormatInt(d.Size, 10),
			"link": s.address("/files" + folder.Escaped()),
		},
	})
}

// folderName is what a folder is called in a mail to the firm.
func (s *Service) folderName(p vpath.Path) string {
	if p.Depth() == 1 {
		return s.title(p.Top())
	}
	return p.Name()
}

// sendReceipt sends a depositor their receipt, where they have an address.
func (s *Service) sendReceipt(ctx context.Context, tx store.Tx, d store.Deposit) error {
	n := notify.Notice{
		Mail: d.Mail, Event: notify.Receipt, Brand: d.Path.Top(), Quiet: true,
		Batch: "receipt:" + d.Owner,
		Data: map[string]string{
			"item": d.Name, "size": strconv.FormatInt(d.Size, 10), "sha256": d.SHA256, "time": moment(d.Time), "id": d.ID,
			"receipt": string(d.Receipt), "link": s.address("/verify"),
		},
	}
	if kind, mail := cutSubject(d.Subject); kind == "contact" {
		c, _, err := tx.ContactByMail(ctx, d.Path.Top(), mail)
		if err != nil {
			return err
		}
		n.To, n.Name, n.Language = d.Owner, c.Name, c.Language
	}
	if n.Mail == "" {
		return nil // an unknown visitor has it on the page
	}
	return s.Tell.Tell(tx, n)
}

// Opened is files.Options.Opened: somebody has opened a deposit that was another's,
// or what they were given, for the first time. A depositor is told when the firm
// has, not when another customer had a look.
func (s *Service) Opened(ctx context.Context, tx store.Tx, o files.Opening) error {
	var err error
	switch {
	case o.Deposit != nil && o.Deposit.OpenedBy != "":
		err = s.openedDeposit(ctx, tx, *o.Deposit, o.Deposit.OpenedBy)
	case o.Grant != nil:
		g := *o.Grant
		err = s.tellGiver(ctx, tx, By{Name: o.By}, notify.Opened, g)
	}
	if err != nil {
		return fmt.Errorf("sharing: opened: %w", err)
	}
	return nil
}

// openedDeposit tells a contact; package files has marked the deposit. A link's
// visitor has left.
func (s *Service) openedDeposit(ctx context.Context, tx store.Tx, d store.Deposit, by string) error {
	kind, mail := cutSubject(d.Subject)
	if kind != "contact" {
		return nil
	}
	c, _, err := tx.ContactByMail(ctx, d.Path.Top(), mail)
	if err != nil {
		return err
	}
	g, _, err := tx.GrantByID(ctx, d.Grant)
	if err != nil {
		return err
	}
	return s.Tell.Tell(tx, notify.Notice{
		To: d.Owner, Mail: mail, Name: c.Name, Language: c.Language, Event: notify.Opened, Brand: d.Path.Top(),
		Batch: "opened:" + d.Owner,
		Data:  map[string]string{"by": s.opener(by, g, d), "item": d.Name, "link": s.address("/portal/")},
	})
}

// opener is who has opened a deposit, for its depositor: the giver of the folder, whom
// they know, or else the firm. Who works there and reads what is no business of theirs.
func (s *Service) opener(name string, g store.Grant, d store.Deposit) string {
	if name == "" || name == g.GiverName {
		return name
	}
	return s.title(d.Path.Top())
}

// DepositView is a deposit as its depositor may see it.
type DepositView struct {
	ID       string
	Name     string
	Grant    string // the ID of the share that it went to
	Folder   string // and its name, "" where it has ended
	Size     int64
	Time     time.Time
	SHA256   string
	Opened   time.Time // zero: not yet, by anybody else
	OpenedBy string    // the giver of the folder, or the firm; "" if only others from outside have
	Gone     bool
	Item     vpath.Path // where it lies in their window; the root for nowhere that they see
	TakeBack bool       // Window.Delete of Item takes it back, as it stands now
}

// MyDeposits are what somebody from outside has deposited, newest first.
func (s *Service) MyDeposits(ctx context.Context, by By) ([]DepositView, error) {
	if by.ID == "" {
		return nil, nil
	}
	all, err := s.State.DepositsOf(ctx, by.ID)
	if err != nil || len(all) == 0 {
		return nil, wrap("my deposits", err)
	}
	w, err := s.Files.Window(ctx, by.Principal)
	if err != nil {
		return nil, wrap("my deposits", err)
	}
	mounts := map[string]files.Mount{}
	for _, m := range w.Mounts() {
		mounts[m.Grant.ID] = m
	}
	var views []DepositView
	for _, d := range all {
		if d.IsPlaceholder() {
			continue
		}
		v := DepositView{
			ID: d.ID, Name: d.Name, Grant: d.Grant, Folder: mounts[d.Grant].Name, Size: d.Size, Time: d.Time, SHA256: d.SHA256,
			Opened: d.Opened, OpenedBy: s.opener(d.OpenedBy, mounts[d.Grant].Grant, d), Gone: d.Gone,
		}
		locate(w, &v, d)
		views = append(views, v)
	}
	return views, nil
}

// locate finds a deposit in its depositor's window. Whether the file is there is
// what the state says: a file that another tool has taken away is missed only by
// who opens it.
func locate(w *files.Window, v *DepositView, d store.Deposit) {
	if d.Gone {
		return
	}
	if at, ok := w.Place(d.Path, d.Owner); ok { // else a blind drop: they see receipts alone
		v.Item, v.TakeBack = at, d.Opened.IsZero()
	}
}

// wrap names the function.
func wrap(name string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("sharing: %s: %w", name, err)
}
