package api

import (
	"net/http"
	"slices"
	"time"

	"portico/sharing"
)

// depositJSON is a deposit as its depositor may see it.
type depositJSON struct {
	ID       string    `json:"id"`
	Name     string    `json:"name"`
	Folder   string    `json:"folder,omitempty"`
	Path     string    `json:"path,omitempty"`
	Size     int64     `json:"size"`
	SHA256   string    `json:"sha256"`
	Time     time.Time `json:"time"`
	Opened   time.Time `json:"opened,omitzero"`
	OpenedBy string    `json:"opened_by,omitempty"`
	Gone     bool      `json:"gone"`
	TakeBack bool      `json:"take_back"` // DELETE of its path takes it back
}

func asDeposit(v sharing.DepositView) depositJSON {
	j := depositJSON{
		ID: v.ID, Name: v.Name, Folder: v.Folder, Size: v.Size, SHA256: v.SHA256, Time: v.Time.UTC(),
		Opened: v.Opened.UTC(), OpenedBy: v.OpenedBy, Gone: v.Gone, TakeBack: v.TakeBack,
	}
	if !v.Item.IsRoot() {
		j.Path = v.Item.String()
	}
	return j
}

// reachedDeposits are the deposits of who asks. An app password for one workspace
// is told of those that lie in a share of it.
func (a *api) reachedDeposits(r *http.Request) ([]sharing.DepositView, error) {
	list, err := a.Sharing.MyDeposits(r.Context(), a.kit.By(r))
	if a.asks(r).Limit.Workspace != "" {
		list = slices.DeleteFunc(list, func(v sharing.DepositView) bool { return v.Folder == "" })
	}
	return list, wrap("deposits", err)
}

func (a *api) deposits(w http.ResponseWriter, r *http.Request) error {
	list, err := a.reachedDeposits(r)
	var next string
	if err == nil {
		list, next, err = page(r, list, func(v sharing.DepositView) string { return v.ID })
	}
	if err != nil {
		return err
	}
	return reply(w, r, http.StatusOK, pageJSON("deposits", each(list, asDeposit), next))
}

// receipt gives the signed text, to the letter.
func (a *api) receipt(w http.ResponseWriter, r *http.Request) error {
	if err := a.all(r); err != nil {
		return err
	}
	text, err := a.Sharing.Receipt(r.Context(), a.kit.By(r), r.PathValue("id"))
	if err != nil {
		return wrap("receipt", err)
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	_, _ = w.Write(text) //nolint:gosec // plain text, never sniffed; the client may have gone
	return nil
}

// verify tells whether a text is a receipt of this server, to anybody.
func (a *api) verify(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Receipt string `json:"receipt"`
	}
	if err := body(w, r, &in); err != nil {
		return err
	}
	v, err := a.Sharing.Verify(r.Context(), in.Receipt)
	if err != nil {
		return wrap("verify", err)
	}
	out := map[string]any{"verdict": v.Verdict, "known": v.Known}
	if v.Verdict == sharing.Good { // of another, its words are worth nothing
		out["firm"], out["id"], out["name"], out["size"], out["sha256"] = v.Firm, v.ID, v.Name, v.Size, v.SHA256
		out["time"], out["depositor"], out["key"] = v.Time.UTC(), v.Depositor, v.Key
	}
	return reply(w, r, http.StatusOK, out)
}
