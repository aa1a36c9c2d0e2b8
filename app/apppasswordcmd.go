package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"text/tabwriter"
	"time"
)

// appPasswordCmd is the client of the API for people who like a command line.
type appPasswordCmd struct {
	Create createAppPasswordCmd `cmd:"" help:"Make one and print it. It is shown this once."`
	List   listAppPasswordsCmd  `cmd:"" help:"List yours, without the passwords themselves."`
	Revoke revokeAppPasswordCmd `cmd:"" help:"Revoke one, at once and everywhere."`
}

// Help teaches by example.
func (appPasswordCmd) Help() string {
	return `portico app-password create --server https://files.firm.example --user ann --name laptop --expires 90d

Your own password is read from $PORTICO_PASSWORD, else from standard input, one
line. An app password cannot be used in its place.`
}

// account is where, and who.
type account struct {
	Server string `required:"" help:"The address of the server, as in https://files.firm.example."`
	User   string `required:"" help:"Your name."`
	JSON   bool   `name:"json" help:"Print the answer as JSON."`

	DangerouslyAllowPlainHTTP bool `name:"dangerously-allow-plain-http" help:"Send your password without TLS, where anybody on the way can read it."`
}

type createAppPasswordCmd struct {
	account
	Name      string `required:"" help:"A name to know it by: the device it is for."`
	Workspace string `help:"The only workspace that it opens. All of yours if left out."`
	ReadOnly  bool   `help:"It opens files and changes none."`
	Expires   string `default:"1y" help:"When it ends: never, 90d, 1y, or a moment as in 2027-01-31T12:00:00Z."`
}

type listAppPasswordsCmd struct{ account }

type revokeAppPasswordCmd struct {
	account
	ID string `arg:"" help:"The ID, as list shows it."`
}

// appPassword is one as the API gives it.
type appPassword struct {
	ID           string     `json:"id"`
	Name         string     `json:"name"`
	Workspace    string     `json:"workspace"`
	ReadOnly     bool       `json:"read_only"`
	Created      time.Time  `json:"created"`
	Expires      *time.Time `json:"expires"`
	LastUsed     *time.Time `json:"last_used"`
	LastUsedFrom string     `json:"last_used_from"`
	Secret       string     `json:"secret,omitempty"`
}

func (k createAppPasswordCmd) Run(c *console) error {
	body, err := json.Marshal(map[string]any{"name": k.Name, "workspace": k.Workspace, "read_only": k.ReadOnly, "expires": k.Expires})
	if err != nil {
		return err
	}
	var made appPassword
	if err := k.call(c, http.MethodPost, "", body, &made); err != nil {
		return err
	}
	if k.JSON {
		return printJSON(c.out, made)
	}
	fmt.Fprintf(c.err, "The app password for %s, id %s. It is shown this once:\n", made.Name, made.ID)
	_, err = fmt.Fprintln(c.out, made.Secret)
	return err
}

func (k listAppPasswordsCmd) Run(c *console) error {
	var list struct {
		All []appPassword `json:"app_passwords"`
	}
	if err := k.call(c, http.MethodGet, "", nil, &list); err != nil {
		return err
	}
	if k.JSON {
		return printJSON(c.out, list)
	}
	if len(list.All) == 0 {
		_, err := fmt.Fprintln(c.out, "There are no app passwords.")
		return err
	}
	w := tabwriter.NewWriter(c.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "ID\tNAME\tOPENS\tMADE\tENDS\tLAST USED")
	for _, a := range list.All {
		fmt.Fprintf(w, "%s\t%q\t%s\t%s\t%s\t%s\n", a.ID, a.Name, a.opens(), a.Created.Format(time.DateOnly), a.ends(), a.used())
	}
	return w.Flush()
}

func (a appPassword) opens() string {
	opens := a.Workspace
	if opens == "" {
		opens = "all workspaces"
	}
	if a.ReadOnly {
		opens += ", read only"
	}
	return opens
}

func (a appPassword) ends() string {
	if a.Expires == nil {
		return "never"
	}
	return a.Expires.Format(time.DateOnly)
}

func (a appPassword) used() string {
	if a.LastUsed == nil {
		return "not yet"
	}
	return a.LastUsed.Format("2006-01-02 15:04") + " from " + a.LastUsedFrom
}

func (k revokeAppPasswordCmd) Run(c *console) error {
	if err := k.call(c, http.MethodDelete, "/"+url.PathEscape(k.ID), nil, nil); err != nil {
		return err
	}
	if k.JSON {
		return printJSON(c.out, map[string]string{"revoked": k.ID})
	}
	_, err := fmt.Fprintln(c.out, "revoked", k.ID)
	return err
}

// The bounds of one call.
const (
	callTime  = 30 * time.Second
	maxAnswer = 1 << 20
)

// call asks the API, and reads what it answers.
func (a account) call(c *console, method, path string, body []byte, into any) error {
	at, err := a.address()
	if err != nil {
		return err
	}
	password, err := ownPassword(c)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(c.ctx, callTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, method, at+"/api/v1/app-passwords"+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	r.SetBasicAuth(a.User, password)
	r.Header.Set("Accept", "application/json")
	if body != nil {
		r.Header.Set("Content-Type", "application/json")
	}
	// A redirect would take the password along, and none of ours redirects.
	client := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	resp, err := client.Do(r)
	if err != nil {
		return fmt.Errorf("%s does not answer: %w", a.Server, err)
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	text, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return fmt.Errorf("%s stopped in the middle of its answer: %w", a.Server, err)
	}
	switch {
	case resp.StatusCode >= http.StatusMultipleChoices:
		return refusedBy(a.Server, resp, text)
	case into == nil:
		return nil
	case json.Unmarshal(text, into) != nil:
		return fmt.Errorf("%s answers as no Portico does; check the address", a.Server)
	}
	return nil
}

// refusedBy is the sentence of the API.
func refusedBy(server string, resp *http.Response, text []byte) error {
	var e struct {
		Detail string `json:"detail"` // of a problem (RFC 9457)
	}
	switch {
	case resp.StatusCode < http.StatusBadRequest:
		return fmt.Errorf("%s sends us on to %q; give that address as --server", server, resp.Header.Get("Location"))
	case json.Unmarshal(text, &e) != nil || e.Detail == "":
		return fmt.Errorf("%s answers %s; check the address", server, resp.Status)
	}
	return errors.New(e.Detail)
}

// address is the server's, where a password may be sent.
func (a account) address() (string, error) {
	u, err := url.Parse(a.Server)
	switch {
	case err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Scheme != "https" && u.Scheme != "http":
		return "", fmt.Errorf("%q is no address of a server; write one as https://files.firm.example", a.Server)
	case u.Scheme == "http" && !isLoopback(u.Hostname()) && !a.DangerouslyAllowPlainHTTP:
		return "", fmt.Errorf("%s has no TLS, and anybody on the way could read your password; use https", a.Server)
	}
	return strings.TrimSuffix(u.String(), "/"), nil
}

func isLoopback(host string) bool {
	ip, err := netip.ParseAddr(host)
	return host == "localhost" || err == nil && ip.IsLoopback()
}

// ownPassword is the person's. It is not a flag: those are seen by everybody on the
// machine (ps), and stay in the shell's history.
func ownPassword(c *console) (string, error) {
	if p, ok := c.env("PORTICO_PASSWORD"); ok && p != "" {
		return p, nil
	}
	line, err := bufio.NewReader(io.LimitReader(c.in, 64<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return "", fmt.Errorf("read the password: %w", err)
	}
	password := strings.TrimRight(line, "\r\n")
	if password == "" {
		return "", errors.New("there is no password: set PORTICO_PASSWORD, or give it on standard input")
	}
	return password, nil
}
