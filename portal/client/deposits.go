package client

import (
	"errors"
	"net/http"
	"strings"

	"portico/files"
	"portico/lang"
	"portico/portal/web"
	"portico/sharing"
)

// Deposit is one of theirs.
type Deposit struct {
	sharing.DepositView
	To string // where the page goes on after it was taken back
}

// sent are all of theirs, newest first.
func (p *pages) sent(r *http.Request) ([]Deposit, error) {
	views, err := p.Sharing.MyDeposits(r.Context(), p.kit.By(r))
	if err != nil {
		return nil, err
	}
	all := make([]Deposit, 0, len(views))
	for _, v := range views {
		all = append(all, Deposit{DepositView: v, To: r.URL.EscapedPath()})
	}
	return all, nil
}

func (p *pages) deposits(w http.ResponseWriter, r *http.Request) {
	all, err := p.sent(r)
	if err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	p.kit.Show(w, r, http.StatusOK, "client/deposits", lang.ID("What you sent"), all)
}

// takeBack deletes a deposit that nobody else has opened. The window judges
// that in the moment it is done.
func (p *pages) takeBack(w http.ResponseWriter, r *http.Request) {
	if !p.kit.ReadForm(w, r) {
		return
	}
	d, err := p.depositOf(r, r.PathValue("id"))
	var win *files.Window
	if err == nil {
		win, err = p.Files.Window(r.Context(), p.kit.Principal(r))
	}
	text := p.kit.Text(r)
	said := text.T("{name} was taken back.", "name", d.Name)
	switch {
	case errors.Is(err, errNoDeposit):
		p.notShared(w, r)
		return
	case err != nil:
		p.kit.Fail(w, r, err)
		return
	case !d.TakeBack:
		said = text.T("{name} cannot be taken back any more.", "name", d.Name)
	default:
		err = win.Delete(r.Context(), d.Item, files.Guard{})
	}
	if err != nil && web.Status(err) >= http.StatusInternalServerError {
		p.kit.Fail(w, r, err)
		return
	}
	if err != nil {
		said = text.T("{name} cannot be taken back any more.", "name", d.Name)
	}
	p.done(w, r, backTo(r.PostForm.Get("to")), said)
}

// backTo is a page of customers that a form of ours names, or their list: who
// follows a form of ours must not end at somebody else's.
func backTo(to string) string {
	rest, ok := strings.CutPrefix(to, "/portal/s/")
	if !ok || strings.Contains(to, "//") || strings.Contains(to, "/../") || !strings.HasSuffix(rest, "/") || strings.ContainsFunc(to, odd) {
		return "/portal/deposits"
	}
	return to
}

// odd tells what browsers read otherwise than servers.
func odd(r rune) bool { return r == '\\' || r <= ' ' || r >= 0x7f || r == '?' || r == '#' }

// receiptPage is a receipt to look at, and to keep.
type receiptPage struct {
	Deposit
	Text string
}

// receipt is a page, and a text to save where its name ends so.
func (p *pages) receipt(w http.ResponseWriter, r *http.Request) {
	id, plain := strings.CutSuffix(r.PathValue("id"), ".txt")
	d, err := p.depositOf(r, id)
	var signed []byte
	if err == nil {
		signed, err = p.Sharing.Receipt(r.Context(), p.kit.By(r), id)
	}
	switch {
	case errors.Is(err, errNoDeposit):
		p.kit.Trouble(w, r, http.StatusNotFound, lang.ID("There is no such receipt"), lang.ID("The list of what you sent has all of yours."))
	case err != nil:
		p.kit.Fail(w, r, err)
	case plain:
		w.Header().Set("Content-Type", "text/plain; charset=utf-8")
		w.Header().Set("Content-Disposition", files.Disposition("receipt-"+id+".txt", false))
		_, _ = w.Write(signed) //nolint:gosec // plain text, and saved
	default:
		p.kit.Render(w, r, http.StatusOK, web.Page{
			Name: "client/receipt", Title: lang.ID("Receipt"), Here: "/portal/deposits", Data: receiptPage{d, string(signed)},
		})
	}
}
