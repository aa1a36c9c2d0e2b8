package portal

import (
	"net/http"

	"portico/lang"
	"portico/portal/mount"
)

// home is the page at "/". Those who are signed in see a way on; a store that is
// away is no reason not to tell the others how to mount. A customer has no drive of
// the firm: what concerns them is on their own pages.
func (p *portal) home(w http.ResponseWriter, r *http.Request) {
	if who, known := p.kit.Who(r); known && who.Contact {
		http.Redirect(w, r, "/portal/", http.StatusSeeOther)
		return
	}
	drive := mount.At(p.Public, "")
	drive.AppPasswords = p.OutsideOnly
	p.kit.Show(w, r, http.StatusOK, "home", lang.ID("Your drive"), drive)
}
