package acl

import "portico/vpath"

// Somewhere tells whether the principal holds a right, or its :own form, at a
// folder or anywhere beneath it. Rights begin where a rule names the principal, or
// somebody who gave them something: what was given above is worth more where its
// giver holds more. No other path needs a look.
func (v *View) Somewhere(below vpath.Path, right Right) bool {
	if v.Rights(below).HasOwn(right) {
		return true
	}
	for _, p := range v.crowd {
		for path := range p.at {
			if below.Contains(path) && v.Rights(path).HasOwn(right) {
				return true
			}
		}
	}
	return false
}
