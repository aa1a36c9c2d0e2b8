package sharing

import (
	"context"
	"fmt"
	"io/fs"
	"slices"

	"portico/fault"
	"portico/notify"
	"portico/store"
)

// Languages are those that pages and mails come in.
func Languages() []string { return []string{"en", "nl", "fr", "sv", "de"} }

// Mutable are the events whose mails somebody may do without. What lets people in
// goes out always.
func Mutable() []notify.Event {
	return []notify.Event{
		notify.Shared, notify.Offered, notify.Accepted, notify.Declined, notify.Stopped, notify.Deposited,
		notify.Receipt, notify.Opened, notify.Ending, notify.Asked,
	}
}

// PreferencesWish is what somebody chooses for themself.
type PreferencesWish struct {
	Language string // one of Languages, "" for the browser's
	Theme    string // "light", "dark", "" for the system's
	Muted    []notify.Event
}

// Preferences are what somebody has chosen.
func (s *Service) Preferences(ctx context.Context, by By) (store.Preferences, error) {
	p, err := s.State.PreferencesOf(ctx, by.ID)
	if err != nil {
		return p, fmt.Errorf("sharing: preferences: %w", err)
	}
	return p, nil
}

// SetPreferences replaces them. A word that is not known is fs.ErrInvalid.
func (s *Service) SetPreferences(ctx context.Context, by By, w PreferencesWish) error {
	p := store.Preferences{Owner: by.ID, Language: w.Language, Theme: w.Theme}
	switch {
	case by.ID == "":
		return fmt.Errorf("sharing: preferences: %w", fs.ErrPermission)
	case w.Language != "" && !slices.Contains(Languages(), w.Language):
		return fault.Tell(fs.ErrInvalid, "There is no language %q; choose one of the list.", short(w.Language))
	case !slices.Contains([]string{"", "light", "dark"}, w.Theme):
		return fault.Tell(fs.ErrInvalid, "There is no theme %q; choose light, dark or the system's.", short(w.Theme))
	}
	for _, e := range w.Muted {
		if !slices.Contains(Mutable(), e) {
			return fault.Tell(fs.ErrInvalid, "Mails of the kind %q cannot be turned off.", short(string(e)))
		}
		if !slices.Contains(p.Muted, string(e)) {
			p.Muted = append(p.Muted, string(e))
		}
	}
	if err := s.State.Update(ctx, func(tx store.Tx) error { return tx.PutPreferences(p) }); err != nil {
		return fmt.Errorf("sharing: set preferences: %w", err)
	}
	return nil
}
