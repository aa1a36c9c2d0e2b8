package ldap

import (
	"math"
	"strconv"
	"strings"
	"time"

	goldap "github.com/go-ldap/ldap/v3"
)

// stateAttributes are where directories write that an account is closed. A bind
// would say so; somebody who comes with an app password, or through OIDC, binds
// never.
func stateAttributes() []string {
	return []string{
		"userAccountControl", "accountExpires", // Active Directory
		"pwdAccountLockedTime", // OpenLDAP's ppolicy
		"nsAccountLock",        // 389 Directory Server, FreeIPA
		"loginDisabled",        // eDirectory
		"shadowExpire",         // accounts of Unix
	}
}

// closed tells whether an account is. A lock that ends by itself does not count:
// anybody could set it off with wrong passwords.
func closed(e *goldap.Entry, now time.Time) bool {
	const disabled = 2              // ADS_UF_ACCOUNTDISABLE (MS-ADTS §2.2.16)
	const byAdmin = "000001010000Z" // locked until an admin opens it (draft-behera-ldap-password-policy §5.3.3)
	return number(e, "userAccountControl")&disabled != 0 ||
		windowsPast(number(e, "accountExpires"), now) ||
		first(e, "pwdAccountLockedTime") == byAdmin ||
		strings.EqualFold(first(e, "nsAccountLock"), "TRUE") ||
		strings.EqualFold(first(e, "loginDisabled"), "TRUE") ||
		daysPast(number(e, "shadowExpire"), now)
}

// number is an attribute that is one; 0 without.
func number(e *goldap.Entry, attribute string) int64 {
	n, err := strconv.ParseInt(first(e, attribute), 10, 64)
	if err != nil {
		return 0
	}
	return n
}

// windowsPast reads steps of 100 ns since 1601; 0 and the largest number are
// never (MS-ADTS §2.2.1).
func windowsPast(n int64, now time.Time) bool {
	return n > 0 && n != math.MaxInt64 && windowsTime(n).Before(now)
}

func windowsTime(n int64) time.Time {
	const epoch = 11_644_473_600 // seconds from 1601 to 1970
	return time.Unix(n/1e7-epoch, n%1e7*100).UTC()
}

// passwordSet is when somebody got their password: of OpenLDAP's ppolicy
// (draft-behera-ldap-password-policy §5.3.1), whose times are those of RFC 4517
// §3.3.13, or of Active Directory (MS-ADA3 §2.175), where 0 asks for a new one at
// the next sign-in. Zero where neither can be read.
func passwordSet(e *goldap.Entry) time.Time {
	if n := number(e, "pwdLastSet"); n > 0 && n != math.MaxInt64 {
		return windowsTime(n)
	}
	at, err := time.Parse("20060102150405Z0700", first(e, "pwdChangedTime"))
	if err != nil {
		return time.Time{}
	}
	return at.UTC()
}

// daysPast reads days since 1970; 0 and less are never (shadow(5)).
func daysPast(n int64, now time.Time) bool {
	return n > 0 && now.Unix() >= n*24*60*60
}
