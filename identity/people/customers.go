package people

import (
	"context"

	"portico/identity"
)

// customers are those of a chain.
type customers struct{ *Chain }

// Customers knows the passwords of customers alone: where an outside provider
// answers for the firm's people, no password of theirs is looked at, here or in
// the firm's directory. It is nil for a chain without customers.
//
// Whoever is refused has cost one hash of a customer's kind, whether the login is
// a customer's, one of the firm's or nobody's (THREATS.md row 59). The firm's
// directories are asked once the password is right: whom they know is no customer.
func (c *Chain) Customers() identity.Provider {
	if !c.o.Contacts.used() {
		return nil
	}
	return customers{c}
}

// Authenticate is of identity.Provider.
func (c customers) Authenticate(ctx context.Context, login identity.Login, password string) (identity.Identity, error) {
	who, err := c.o.Contacts.Authenticate(ctx, login, password)
	if err != nil {
		return identity.Identity{}, err
	}
	return unlessAbove(ctx, who, c.o.Users, c.o.Firm, c.o.Outside)
}
