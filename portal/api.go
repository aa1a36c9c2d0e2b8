package portal

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"strings"
	"time"

	"portico/fault"
	"portico/identity"
	"portico/identity/session"
	"portico/store"
)

// passwordJSON is an app password as the API gives it.
type passwordJSON struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Workspace    string     `json:"workspace"`
	ReadOnly     bool       `json:"read_only"`
	Created      time.Time  `json:"created"`
	Expires      *time.Time `json:"expires"`
	LastUsed     *time.Time `json:"last_used"`
	LastUsedFrom string     `json:"last_used_from"`
	Secret       string     `json:"secret,omitempty"` // in the answer that made it, nowhere else
}

func asJSON(a store.AppPassword) passwordJSON {
	j := passwordJSON{
		ID: a.ID, Name: a.Name, Workspace: a.Workspace, ReadOnly: a.ReadOnly, Created: a.Created.UTC(), LastUsedFrom: a.UsedFrom,
	}
	if !a.Expires.IsZero() {
		at := a.Expires.UTC()
		j.Expires = &at
	}
	if !a.Used.IsZero() {
		at := a.Used.UTC()
		j.LastUsed = &at
	}
	return j
}

// api is a route for people who say who they are: by Basic with their own
// password, through the gate that all doors share, or by the session of a
// browser, which CrossOriginProtection guards. An app password is for a drive:
// one that was stolen must not make others that outlive it.
func (p *portal) api(route func(http.ResponseWriter, *http.Request, identity.Identity)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		who, err := p.caller(r)
		if err == nil {
			route(w, r, who)
			return
		}
		status, sentence := p.refuse(w, r, err)
		switch {
		case errors.Is(err, errAppPassword):
			sentence = "An app password cannot manage app passwords. Use your own password."
		case status == http.StatusUnauthorized:
			w.Header().Set("WWW-Authenticate", `Basic realm="Portico", charset="UTF-8"`)
		}
		fail(w, status, sentence)
	}
}

// caller finds out who asks. Where there are credentials, the cookie is not
// looked at: a client that sends both means the first.
func (p *portal) caller(r *http.Request) (identity.Identity, error) {
	headers := r.Header.Values("Authorization")
	if len(headers) == 0 {
		who, err := p.Sessions.Find(r.Context(), p.sid.Value(r))
		if errors.Is(err, session.ErrNone) {
			return identity.Identity{}, identity.ErrRefused
		}
		return who, err
	}
	login, password, ok := basic(headers)
	if !ok {
		return identity.Identity{}, identity.ErrRefused
	}
	return p.prove(r, login, password)
}

// basic reads Basic credentials (RFC 7617). What may be nobody's the gate
// refuses.
func basic(headers []string) (login identity.Login, password string, ok bool) {
	if len(headers) != 1 {
		return "", "", false
	}
	scheme, value, _ := strings.Cut(strings.TrimSpace(headers[0]), " ")
	if !strings.EqualFold(scheme, "Basic") || len(value) > 4*(identity.MaxLogin+identity.MaxPassword) {
		return "", "", false
	}
	plain, err := base64.StdEncoding.DecodeString(strings.TrimSpace(value))
	if err != nil {
		return "", "", false
	}
	name, password, ok := strings.Cut(string(plain), ":")
	if !ok || !identity.Presentable(identity.Login(name), password) {
		return "", "", false
	}
	return identity.Login(name), password, true
}

func (p *portal) apiList(w http.ResponseWriter, r *http.Request, who identity.Identity) {
	list, err := p.Passwords.List(r.Context(), who.ID)
	if err != nil {
		p.apiBroken(w, r, err)
		return
	}
	all := make([]passwordJSON, 0, len(list))
	for _, a := range list {
		all = append(all, asJSON(a))
	}
	reply(w, http.StatusOK, map[string]any{"app_passwords": all})
}

// wishJSON is all that a client may say. What else it sends is refused and not
// left out: who writes "owner" believes that it does something (CVE-2021-41325).
type wishJSON struct {
	Name      string `json:"name"`
	Workspace string `json:"workspace"`
	ReadOnly  bool   `json:"read_only"`
	Expires   string `json:"expires"`
}

func (p *portal) apiMake(w http.ResponseWriter, r *http.Request, who identity.Identity) {
	var in wishJSON
	if status, sentence := readJSON(w, r, &in); sentence != "" {
		fail(w, status, sentence)
		return
	}
	f := wishForm{Name: strings.TrimSpace(in.Name), Workspace: in.Workspace, ReadOnly: in.ReadOnly, Expires: in.Expires}
	wish, wrong, err := p.wish(r, who, f)
	if err != nil {
		p.apiBroken(w, r, err)
		return
	}
	for _, field := range []string{"name", "workspace", "expires"} {
		if wrong[field] != "" {
			fail(w, http.StatusUnprocessableEntity, field+": "+wrong[field])
			return
		}
	}
	secret, made, err := p.make(r, who, wish)
	if err != nil {
		p.apiBroken(w, r, err)
		return
	}
	j := asJSON(made)
	j.Secret = secret
	w.Header().Set("Location", "/api/v1/app-passwords/"+made.ID)
	reply(w, http.StatusCreated, j)
}

func (p *portal) apiRevoke(w http.ResponseWriter, r *http.Request, who identity.Identity) {
	err := p.revoke(r, who, r.PathValue("id"))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		fail(w, http.StatusNotFound, "There is no such app password.")
	case err != nil:
		p.apiBroken(w, r, err)
	default:
		w.WriteHeader(http.StatusNoContent)
	}
}

// apiBroken is broken for a program.
func (p *portal) apiBroken(w http.ResponseWriter, r *http.Request, err error) {
	switch told := fault.Told(err); {
	case errors.Is(err, fault.ErrUnavailable):
		p.Log.WarnContext(r.Context(), "api unavailable", "path", r.URL.Path, "err", err)
		w.Header().Set("Retry-After", "10")
		fail(w, http.StatusServiceUnavailable, "This does not work at the moment. Try again in a little while.")
	case told != "":
		fail(w, refusedWish(err), told)
	default:
		p.Log.ErrorContext(r.Context(), "api failed", "path", r.URL.Path, "err", err)
		fail(w, http.StatusInternalServerError, "Something went wrong. Tell your administrator the number in X-Request-Id.")
	}
}

// readJSON reads a body of exactly one object.
func readJSON(w http.ResponseWriter, r *http.Request, into any) (status int, sentence string) {
	if kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type")); err != nil || kind != "application/json" {
		return http.StatusUnsupportedMediaType, "Send the body as application/json."
	}
	d := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxJSON))
	d.DisallowUnknownFields()
	err := d.Decode(into)
	if err == nil {
		if _, more := d.Token(); more != io.EOF {
			err = errors.New("json: there is something after the object")
		}
	}
	if _, ok := errors.AsType[*http.MaxBytesError](err); ok {
		return http.StatusRequestEntityTooLarge, "The body is larger than 1 MiB."
	}
	if err != nil {
		return http.StatusBadRequest, "The body is not the JSON that this route takes: " + strings.TrimPrefix(err.Error(), "json: ") + "."
	}
	return 0, ""
}

// reply answers with JSON.
func reply(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	_ = e.Encode(v) // the client may have gone
}

func fail(w http.ResponseWriter, status int, sentence string) {
	reply(w, status, map[string]string{"error": sentence})
}

func (p *portal) apiAbsent(w http.ResponseWriter, _ *http.Request) {
	fail(w, http.StatusNotFound, "There is no such route. The document at /api/v1/openapi.yaml names them all.")
}

// openAPI gives the document that describes this API.
func (p *portal) openAPI(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/yaml")
	http.ServeFileFS(w, r, embedded, "pages/openapi.yaml")
}
