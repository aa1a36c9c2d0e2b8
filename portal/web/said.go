package web

import (
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strings"
)

// Said is a line about what was just done, shown once on the page after a form.
type Said struct {
	Message string
	Undo    string            `json:",omitempty"` // a path of ours that takes a form
	Fields  map[string]string `json:",omitempty"` // of that form
}

// maxSaid is what fits a cookie with room to spare.
const maxSaid = 3000

// Say keeps a line for the next page. It is in the reader's language already.
func (k *Kit) Say(w http.ResponseWriter, s Said) {
	b, err := json.Marshal(s)
	if err != nil || len(b) > maxSaid {
		b, _ = json.Marshal(Said{Message: s.Message[:min(len(s.Message), maxSaid/2)]}) // of strings alone
	}
	k.said.Set(w, base64.RawURLEncoding.EncodeToString(b))
}

// takeSaid reads the line, and takes it away.
func (k *Kit) takeSaid(w http.ResponseWriter, r *http.Request) *Said {
	value := k.said.Value(r)
	if value == "" {
		return nil
	}
	k.said.Clear(w)
	b, err := base64.RawURLEncoding.DecodeString(value)
	if err != nil {
		return nil
	}
	var s Said
	if json.Unmarshal(b, &s) != nil || s.Message == "" {
		return nil
	}
	if !strings.HasPrefix(s.Undo, "/") || strings.HasPrefix(s.Undo, "//") || strings.Contains(s.Undo, `\`) {
		s.Undo = ""
	}
	return &s
}
