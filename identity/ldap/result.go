package ldap

import (
	"context"
	"errors"
	"fmt"
	"strings"

	goldap "github.com/go-ldap/ldap/v3"

	"portico/fault"
)

// errAccount is a bind_dn or bind_password that the directory does not take.
var errAccount = errors.New("the directory refuses bind_dn or bind_password; put them right, or open that account")

// refusedBind tells whether the answer to somebody's bind speaks of them. All
// else is the directory's trouble, and must not be told as a wrong password, or
// drives forget the right one.
//
// invalidCredentials is a wrong password, and with Active Directory also an
// account that is locked, expired or disabled (data 533, 701, 775 …). The rest
// is how others say the latter: 389 Directory Server by unwillingToPerform and
// constraintViolation, eDirectory by unwillingToPerform; OpenLDAP says
// inappropriateAuthentication for somebody without a password. noSuchObject is
// an entry that went since it was found.
func refusedBind(err error) bool {
	return goldap.IsErrorAnyOf(err,
		goldap.LDAPResultInvalidCredentials, goldap.LDAPResultInappropriateAuthentication, goldap.LDAPResultNoSuchObject,
		goldap.LDAPResultUnwillingToPerform, goldap.LDAPResultConstraintViolation, goldap.LDAPResultInvalidDNSyntax)
}

// outage tells whether an error is one that another server may not have.
func outage(err error) bool {
	if e, ok := errors.AsType[*goldap.Error](err); ok && !errors.Is(err, errAccount) {
		switch e.ResultCode {
		case goldap.LDAPResultBusy, goldap.LDAPResultUnavailable, goldap.LDAPResultServerDown,
			goldap.LDAPResultOperationsError, goldap.LDAPResultOther:
			return true
		}
		return e.ResultCode >= goldap.ErrorNetwork // made by the client
	}
	return err != nil
}

// hung tells a server that keeps silent from one that has hung up.
func hung(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || strings.Contains(err.Error(), "timed out") // goldap has no value for it
}

// tooMany tells whether a search found more than it may.
func tooMany(err error) bool { return goldap.IsErrorWithCode(err, goldap.LDAPResultSizeLimitExceeded) }

// unavailable is what becomes of all errors that speak of the directory.
func unavailable(what string, err error) error {
	if errors.Is(err, fault.ErrUnavailable) {
		return fmt.Errorf("ldap: %s: %w", what, err)
	}
	return fmt.Errorf("ldap: %s: %w: %w", what, fault.ErrUnavailable, err)
}

// mend says what an admin can do about a server that failed.
func mend(err error) string {
	switch text := err.Error(); {
	case errors.Is(err, errAccount):
		return "put bind_dn and bind_password right, or open that account"
	case strings.Contains(text, "x509:"):
		return "the server's certificate is not trusted: name the authority that signed it in ca, and the server as its certificate does"
	case strings.Contains(text, "tls:"):
		return "the server does not speak TLS 1.2 or newer on this port: use ldaps:// with its TLS port, or ldap:// and StartTLS"
	}
	return "see that the server runs and can be reached from here"
}
