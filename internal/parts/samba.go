//go:build samba

package parts

import (
	"context"
	"encoding/binary"
	"fmt"
	"os/exec"
	"path/filepath"
	"testing"
	"unicode/utf16"

	"github.com/go-ldap/ldap/v3"
)

// Samba is an Active Directory domain controller of a test's own: Debian's
// samba-ad-dc. It cannot be told to use other ports than 389 and 636, and so
// runs as root, on a loopback address that nothing else has: that is why it is
// behind a build tag and no part of `make test`. With the packages samba,
// samba-ad-dc, samba-ad-provision and winbind installed:
//
//	go test -tags samba -run Samba ./identity/ldap
func Samba(tb testing.TB) LDAP {
	tb.Helper()
	const address = "127.77.0.1"
	l := LDAP{
		URL: "ldaps://" + address, StartTLS: "ldap://" + address, Address: address + ":636", Dir: tb.TempDir(),
		Base: base, People: "CN=Users," + base, Groups: base,
		BindDN: "CN=Administrator,CN=Users," + base, BindPassword: "Admin.secret.1",
	}
	l.AdminDN, l.AdminPassword = l.BindDN, l.BindPassword
	l.CA = filepath.Join(l.Dir, "ca.pem")
	var err error
	if l.authority, err = newAuthority(); err != nil {
		tb.Fatal(err)
	}
	if err := l.authority.issue(l.Dir, address); err != nil {
		tb.Fatal(err)
	}
	args := []string{
		"domain", "provision", "--targetdir=" + l.Dir, "--realm=FIRM.EXAMPLE", "--domain=FIRM", "--server-role=dc", "--dns-backend=NONE", "--host-name=dc1", "--adminpass=" + l.AdminPassword,
	}
	for _, option := range []string{
		"interfaces=" + address + "/8", "bind interfaces only=yes", "server services=ldap,winbindd", "posix:eadb=" + l.Dir + "/eadb.tdb",
		"tls cafile=" + l.CA, "tls certfile=" + filepath.Join(l.Dir, "cert.pem"), "tls keyfile=" + filepath.Join(l.Dir, "key.pem"),
	} {
		args = append(args, "--option="+option)
	}
	if out, err := exec.CommandContext(tb.Context(), Tool(tb, "samba-tool"), args...).CombinedOutput(); err != nil { //nolint:gosec // our own arguments
		tb.Fatalf("samba-tool: %v\n%s", err, out)
	}
	l.p = &process{
		path:  Tool(tb, "samba"),
		args:  []string{"-i", "--no-process-group", "-s", filepath.Join(l.Dir, "etc", "smb.conf")},
		ready: func(ctx context.Context) bool { return listens(ctx, l.Address) },
	}
	tb.Cleanup(l.p.stop)
	if err := l.p.start(); err != nil {
		tb.Fatal(err)
	}
	return l
}

// AddUser adds somebody to a domain controller, and gives their DN.
func (l LDAP) AddUser(tb testing.TB, p Person) (dn string) {
	tb.Helper()
	dn = "CN=" + ldap.EscapeDN(p.Name) + "," + l.People
	var password []byte // in quotes, as UTF-16 (MS-ADTS §3.1.1.3.1.5.1)
	for _, u := range utf16.Encode([]rune(`"` + p.Password + `"`)) {
		password = binary.LittleEndian.AppendUint16(password, u)
	}
	l.Add(tb, dn, "objectClass", "user", "sAMAccountName", p.Login, "userPrincipalName", p.Login+"@firm.example",
		"displayName", p.Name, "mail", p.Email, "unicodePwd", string(password), "userAccountControl", "512")
	return dn
}

// AddUserGroup adds a group to a domain controller, and gives its DN.
func (l LDAP) AddUserGroup(tb testing.TB, name string, members ...string) (dn string) {
	tb.Helper()
	dn = fmt.Sprintf("CN=%s,CN=Users,%s", ldap.EscapeDN(name), l.Base)
	pairs := []string{"objectClass", "group"}
	for _, m := range members {
		pairs = append(pairs, "member", m)
	}
	l.Add(tb, dn, pairs...)
	return dn
}
