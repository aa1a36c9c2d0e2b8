package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"

	"portico/files"
	"portico/gateway"
	"portico/identity"
)

// giver is who shared something, as they are now, for files.Options.Giver. A
// customer shares nothing on.
func (s *process) giver(ctx context.Context, id string) (files.Person, error) {
	who, err := s.gate.People().ByID(ctx, id)
	switch {
	case errors.Is(err, identity.ErrRefused), err == nil && who.Contact:
		return files.Person{}, fmt.Errorf("app: giver %s: %w", id, fs.ErrNotExist)
	case err != nil:
		return files.Person{}, fmt.Errorf("app: giver: %w", err)
	}
	return gateway.Person(who), nil
}
