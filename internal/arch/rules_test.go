package arch

const module = "portico"

// rules is what may import what. Names are folders of this module, "" is main.
type rules struct {
	// layers go from the bottom up: a package may import only packages of
	// lower layers. "x/*" stands for every folder below x without a line of
	// its own.
	layers [][]string

	// pure packages may import of the outside world no more than this.
	pure map[string]string

	// only names those who may import a package and what is below it; no one
	// else may, even in a higher layer. "x/" stands for x and all below it.
	only map[string]string

	// outside is the same for packages that are not ours, by prefix.
	outside map[string]string
}

// house is DESIGN.md §1 as a table.
func house() rules {
	return rules{
		layers: [][]string{
			{"vpath", "lang"},
			{"fault"},
			{"acl", "backends", "store", "identity"},
			{"audit", "config", "backends/*", "store/sqlstore", "identity/*"},
			{"store/*"}, // on what its databases share
			{"backends/all", "identity/gate", "store/postgres"}, // each is made of those beside it; the last moves in from SQLite
			{"files", "notify"},
			{"sharing"},
			{"gateway", "gateway/*", "portal/web"},
			{"portal/content", "portal/tus"}, // files on their way to and from a browser, for all rooms
			{"portal/*"},                     // rooms of pages, made with the kit
			{"portal"},                       // puts them together
			{"app"},
			{""},
		},
		pure: map[string]string{
			// The normal form NFC is not in the standard library.
			"vpath": "fmt io/fs iter net/url strings unicode unicode/utf8 golang.org/x/text/unicode/norm",
			"fault": "errors fmt",
			"acl":   "cmp errors fmt iter maps slices strings strconv time",
		},
		only: map[string]string{
			// One door to a file: nobody but files may hold both the rules and
			// the bytes, and adapters see neither.
			"backends": "backends/ files app",
			"acl":      "files config app",
			"audit":    "files app",
			"store":    "store/ files audit identity/ notify sharing portal/ app",
			// Drivers are chosen in one place; whoever uses one knows the contract alone.
			"backends/*": "backends/ app",
			"store/*":    "store/ app",
			"identity/*": "identity/ app",
			// The pages keep sessions and app passwords and send people to the
			// provider. Which directory stands behind they do not know.
			"identity/session": "identity/ portal/ app",
			"identity/apppass": "identity/ portal app",
			"identity/oidc":    "identity/ portal app",
			// Sharing lets customers in, and slows down who guesses at secrets.
			"identity/contacts": "identity/ sharing app",
			"identity/throttle": "identity/ sharing app",
			"notify":            "sharing portal/ app",
			"sharing":           "portal/ gateway/ app",
			"config":            "app",
			"gateway":           "app gateway/",
			"portal":            "app portal/",
			"files":             "gateway/ portal/ sharing app",
			"lang":              "portal/ notify sharing app",
			"app":               ".",
		},
		outside: map[string]string{
			"github.com/minio/minio-go":  "backends/s3",
			"github.com/go-ldap":         "identity/ldap",
			"github.com/coreos/go-oidc":  "identity/oidc",
			"golang.org/x/oauth2":        "identity/oidc",
			"modernc.org/sqlite":         "store/sqlite",
			"github.com/jackc/pgx":       "store/postgres",
			"github.com/pressly/goose":   "store/",
			"database/sql":               "store/",
			"gopkg.in/yaml.v3":           "config",
			"github.com/alecthomas/kong": "app",
			"github.com/fsnotify":        "app config",
			"github.com/nicksnyder":      "lang",
			"rsc.io/qr":                  "portal/link",
			"github.com/wneessen":        "notify",
			"github.com/prometheus":      "app",
			// Its lock and condition types are used; its handler is not hardened (WEBDAV.md §1).
			"golang.org/x/net/webdav": "files gateway",
			// Ids and tokens come from crypto/rand (CVE-2024-52801, CVE-2026-25726).
			"math/rand": "",
			// No part of a server that faces the net starts programs (THREATS.md §4.7).
			"os/exec": "",
			"plugin":  "",
			"unsafe":  "",
			// Test code stays in tests.
			"testing":                     "",
			"github.com/google/go-cmp":    "",
			"pgregory.net/rapid":          "",
			"go.uber.org/goleak":          "",
			"github.com/rogpeppe":         "",
			"github.com/emersion":         "",
			"github.com/stretchr/testify": "",
		},
	}
}
