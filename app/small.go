package app

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"runtime/debug"
	"strings"
	"time"

	"portico/identity"
)

type versionCmd struct{}

func (versionCmd) Run(c *console) error {
	_, err := fmt.Fprintln(c.out, "portico", version())
	return err
}

// version is the module's, or the commit's where it was built from a checkout.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return "devel"
}

type hashPasswordCmd struct{}

// Help teaches by example.
func (hashPasswordCmd) Help() string {
	return `echo 'a long password' | portico hash-password

It reads one line. A password has at least 12 characters and is none of those
that everybody tries first.`
}

func (hashPasswordCmd) Run(c *console) error {
	line, err := bufio.NewReader(io.LimitReader(c.in, 64<<10)).ReadString('\n')
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("read the password: %w", err)
	}
	password := strings.TrimRight(line, "\r\n")
	if err := identity.CheckNew(password); err != nil {
		return err
	}
	hash, err := identity.HashPassword(rand.Reader, password)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(c.out, hash)
	return err
}

type healthcheckCmd struct {
	URL string `default:"http://127.0.0.1:8080/readyz" help:"Address to ask."`
}

func (h healthcheckCmd) Run(c *console) error {
	const patience = 5 * time.Second
	ctx, cancel := context.WithTimeout(c.ctx, patience)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, h.URL, nil)
	if err != nil {
		return err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		fmt.Fprintln(c.err, "portico: not ready:", err)
		return errNo
	}
	defer resp.Body.Close() //nolint:errcheck // only read
	if resp.StatusCode != http.StatusOK {
		parts, _ := io.ReadAll(io.LimitReader(resp.Body, 4<<10)) // whatever there is
		fmt.Fprintf(c.err, "portico: not ready: %s\n%s", resp.Status, parts)
		return errNo
	}
	return nil
}
