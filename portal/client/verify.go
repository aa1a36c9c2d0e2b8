package client

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	"portico/fault"
	"portico/lang"
	"portico/sharing"
)

// Limits of what strangers may have judged.
const (
	maxReceipt = 16 << 10
	maxHashed  = 64_000_000
	sumLen     = 2 * sha256.Size
)

// verifyPage tells whether a receipt is good, and whether a file is the one that
// it is for.
type verifyPage struct {
	Text    string // as it was pasted
	Asked   bool
	Receipt sharing.Verified
	Sum     string // of the file, "" if there was none
	File    string // its name
	Same    bool
	Wrong   string // beside the field
	Limit   int64
}

// Good tells a receipt that can be believed.
func (v verifyPage) Good() bool { return v.Receipt.Verdict == sharing.Good }

// Changed tells one that is not what was signed.
func (v verifyPage) Changed() bool { return v.Receipt.Verdict == sharing.Altered }

func (p *pages) verifyForm(w http.ResponseWriter, r *http.Request) {
	p.showVerify(w, r, http.StatusOK, verifyPage{})
}

func (p *pages) showVerify(w http.ResponseWriter, r *http.Request, status int, page verifyPage) {
	page.Limit = maxHashed
	p.kit.Show(w, r, status, "client/verify", lang.ID("Check a receipt"), page)
}

func (p *pages) verify(w http.ResponseWriter, r *http.Request) {
	select {
	case p.hashes <- struct{}{}:
		defer func() { <-p.hashes }()
	default: // anybody may come here, and a sum of a large file costs
		p.kit.Fail(w, r, fault.ErrBusy)
		return
	}
	page, err := readVerify(r)
	if errors.Is(err, fault.ErrTooLarge) {
		page.Wrong = p.text(r, "The file is too large to be compared this way. Turn on scripts in your browser: then it is compared on your device, whatever its size.")
		p.showVerify(w, r, http.StatusRequestEntityTooLarge, page)
		return
	}
	if err != nil {
		p.kit.BadForm(w, r, err)
		return
	}
	if strings.TrimSpace(page.Text) == "" {
		page.Wrong = p.text(r, "Paste the receipt, or choose its file.")
		p.showVerify(w, r, http.StatusUnprocessableEntity, page)
		return
	}
	if page.Receipt, err = p.Sharing.Verify(r.Context(), page.Text); err != nil {
		p.kit.Fail(w, r, err)
		return
	}
	page.Asked = true
	page.Same = page.Sum != "" && strings.EqualFold(page.Sum, page.Receipt.SHA256)
	p.showVerify(w, r, http.StatusOK, page)
}

// readVerify reads the form; the file is summed as it comes, and kept nowhere.
func readVerify(r *http.Request) (page verifyPage, err error) {
	parts, err := r.MultipartReader()
	if err != nil {
		return page, err
	}
	for {
		part, err := parts.NextPart()
		if errors.Is(err, io.EOF) {
			return page, nil
		}
		if err == nil {
			err = page.read(part)
		}
		if err != nil {
			return page, err
		}
	}
}

func (v *verifyPage) read(part *multipart.Part) error {
	switch part.FormName() {
	case "receipt":
		b, err := io.ReadAll(io.LimitReader(part, maxReceipt+1))
		if len(strings.TrimSpace(string(b))) > 0 {
			v.Text = strings.ToValidUTF8(string(b), "\ufffd")
		}
		return err
	case "sum": // a script has made it, and has not sent the file
		b, err := io.ReadAll(io.LimitReader(part, sumLen+1))
		if _, bad := hex.DecodeString(string(b)); len(b) == sumLen && bad == nil {
			v.Sum = string(b)
		}
		return err
	case "name":
		b, err := io.ReadAll(io.LimitReader(part, 1024))
		v.File = strings.ToValidUTF8(string(b), "\ufffd")
		return err
	case "file":
		return v.hash(part)
	}
	return nil
}

func (v *verifyPage) hash(part *multipart.Part) error {
	if part.FileName() == "" {
		return nil
	}
	h := sha256.New()
	n, err := io.Copy(h, io.LimitReader(part, maxHashed+1))
	if err == nil && n > maxHashed {
		err = fault.ErrTooLarge
	}
	v.Sum, v.File = hex.EncodeToString(h.Sum(nil)), part.FileName()
	return err
}
