package postgres

import (
	"errors"
	"fmt"
	"maps"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"portico/fault"
)

const connectWithin = 3 * time.Second

// connConfig reads the address, and sets what must not be left to the server's
// own configuration.
func connConfig(dsn string, o Options) (*pgx.ConnConfig, error) {
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		// The error quotes the address; pgx blanks the password where it finds it,
		// which it cannot in what it failed to read.
		return nil, unusable(nil, "read the address of the state database; write postgres://USER:PASSWORD@HOST/DATABASE?sslmode=verify-full")
	}
	if !o.DangerouslyAllowPlaintext {
		if err := mustEncrypt(c); err != nil {
			return nil, err
		}
	}
	c.ConnectTimeout = connectWithin
	maps.Copy(c.RuntimeParams, map[string]string{
		"application_name":   "portico " + o.Replica,
		"synchronous_commit": "on", // an Update that returned nil is on the disk
		"statement_timeout":  "10s",
		// A replica that is frozen in its transaction holds up all others: the
		// server ends it, and they wait for a little longer than that.
		"idle_in_transaction_session_timeout": "5s",
		"lock_timeout":                        "8s",
		// The server ends the connection of a host that is cut off, and so frees
		// its locks; a socket of the same host ignores these.
		"tcp_keepalives_idle": "5", "tcp_keepalives_interval": "3", "tcp_keepalives_count": "3",
		"tcp_user_timeout": "15s",
	})
	if c.ValidateConnect == nil {
		// After a failover an address may lead to a server that only reads.
		c.ValidateConnect = pgconn.ValidateConnectTargetSessionAttrsReadWrite
	}
	return c, nil
}

// mustEncrypt refuses an address that allows a connection to another host
// without TLS, as sslmode's standard "prefer" does: it gives way to whoever
// answers that there is none.
func mustEncrypt(c *pgx.ConnConfig) error {
	plain := c.TLSConfig == nil && !sameHost(c.Host)
	host := c.Host
	for _, f := range c.Fallbacks {
		if f.TLSConfig == nil && !sameHost(f.Host) {
			plain, host = true, f.Host
		}
	}
	if !plain {
		return nil
	}
	return unusable(nil, "send the state over the network to %s without TLS; write sslmode=verify-full in its address "+
		"(and sslrootcert=FILE for a CA of your own), or run PostgreSQL on this host", host)
}

// sameHost tells a socket's folder and the loopback addresses.
func sameHost(host string) bool {
	if strings.HasPrefix(host, "/") || strings.HasPrefix(host, "@") || host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// place names the database for messages, without the password.
func place(c *pgx.ConnConfig) string {
	return fmt.Sprintf("%s on %s", c.Database, net.JoinHostPort(c.Host, strconv.Itoa(int(c.Port))))
}

// adapt turns a statement of sqlstore into PostgreSQL's words.
func adapt(query string) string {
	return strings.ReplaceAll(query, `IN (SELECT value FROM json_each($1))`,
		`= ANY (ARRAY (SELECT json_array_elements_text(CAST(CAST($1 AS text) AS json))))`)
}

func join(statements []string) string { return strings.Join(statements, "; ") }

// unusable is the error of a store that cannot be opened, as a sentence for
// the admin: "cannot …".
func unusable(err error, format string, args ...any) error {
	what := "cannot " + fmt.Sprintf(format, args...)
	if err == nil {
		return fmt.Errorf("postgres: %s (%w)", what, fault.ErrUnavailable)
	}
	return fmt.Errorf("postgres: %s: %w (%w)", what, err, fault.ErrUnavailable)
}

// fail names the step that failed.
func fail(step string, err error) error {
	if errors.Is(err, fault.ErrUnavailable) {
		return fmt.Errorf("postgres: %s: %w", step, err)
	}
	return fmt.Errorf("postgres: %s: %w: %w", step, fault.ErrUnavailable, err)
}
