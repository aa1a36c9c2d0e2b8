package contacts

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"testing"

	"golang.org/x/crypto/argon2"

	"portico/identity"
	"portico/identity/identitytest"
)

// phc is a hash that is weak, and so quick.
func phc(tb testing.TB, password string) string {
	tb.Helper()
	salt := []byte("sixteen bytes ok")
	sum := argon2.IDKey([]byte(password), salt, 1, 8<<10, 1, 32)
	b64 := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=19$m=8192,t=1,p=1$%s$%s", b64.EncodeToString(salt), b64.EncodeToString(sum))
}

// suite shows contacts as the suite has its people, whose logins are no mail
// addresses and not in lower case, and who are of the firm.
type suite struct {
	*Directory
	people map[string]identitytest.Person // by ID
}

func (s suite) as(who identity.Identity, err error) (identity.Identity, error) {
	if err != nil {
		return who, err
	}
	if !who.Contact {
		return who, errors.New("a customer who is not marked as one")
	}
	p := s.people[who.ID]
	return identity.Identity{ID: who.ID, Login: p.Login, Name: who.Name, Email: p.Email}, nil
}

func (s suite) Authenticate(ctx context.Context, login identity.Login, password string) (identity.Identity, error) {
	who, err := s.as(s.Directory.Authenticate(ctx, login, password))
	if wrong, ok := errors.AsType[*identity.WrongError](err); ok {
		for _, p := range s.people {
			if p.Login.Key() == wrong.Whose.Key() {
				err = &identity.WrongError{Whose: p.Login}
			}
		}
	}
	return who, err
}

func (s suite) ByLogin(ctx context.Context, login identity.Login) (identity.Identity, error) {
	return s.as(s.Directory.ByLogin(ctx, login))
}

func (s suite) ByID(ctx context.Context, id string) (identity.Identity, error) {
	return s.as(s.Directory.ByID(ctx, id))
}

func TestSuite(t *testing.T) {
	identitytest.RunDirectory(t, func(t *testing.T, people []identitytest.Person) identity.Directory {
		t.Helper()
		s := suite{open(t, people), map[string]identitytest.Person{}}
		for i, p := range people {
			s.people["contact:a"+string(rune('0'+i))] = p
		}
		return s
	})
}
