package sharing

import (
	"context"
	"fmt"

	"portico/store"
)

// FirmOf is the one workspace that lets a customer in, "" where there are none or
// several: whose name and colours stand on pages that are of no share.
func (s *Service) FirmOf(ctx context.Context, by By) (workspace string, err error) {
	all, err := s.State.ContactsOf(ctx, by.Mail)
	if err != nil {
		return "", fmt.Errorf("sharing: firm: %w", err)
	}
	var open []store.Contact
	for _, c := range all {
		if isOpen(c) {
			open = append(open, c)
		}
	}
	if !by.Contact || len(open) != 1 {
		return "", nil
	}
	return open[0].Workspace, nil
}
