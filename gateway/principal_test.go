package gateway_test

import (
	"testing"

	"portico/gateway"
	"portico/identity"
)

// Whom a principal's grants name follows from where they belong, and a customer's
// mail address is the same however it was typed.
func TestPrincipalOfAnIdentity(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		who         identity.Identity
		subject, id string
	}{
		{identity.Identity{ID: "user:ann", Login: "ann", Name: "Ann"}, "user:ann", "user:ann"},
		{identity.Identity{ID: "contact:7", Login: "Eve@Client.example", Name: "Eve", Contact: true}, "contact:eve@client.example", "contact:7"},
	} {
		c.who.Key = "k"
		p := gateway.Principal(c.who)
		if p.Subject() != c.subject || p.ID() != c.id || p.Name != c.who.Name || p.Key != "k" {
			t.Errorf("Principal(%+v) = %+v", c.who, p)
		}
	}
}
