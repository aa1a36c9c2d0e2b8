package config

import "log/slog"

const redacted = "[redacted]"

// Secret is a text that must not be seen: a password, a key, a hash. Whatever
// prints it, prints "[redacted]". The text is behind a pointer, so that even
// fmt on an unexported field, which calls no method, shows no more than an address.
type Secret struct{ text *string }

// NewSecret hides text.
func NewSecret(text string) Secret { return Secret{&text} }

// Reveal is the text itself, for the one place that needs it.
func (s Secret) Reveal() string {
	if s.text == nil {
		return ""
	}
	return *s.text
}

// IsZero tells whether there is no text.
func (s Secret) IsZero() bool { return s.Reveal() == "" }

// Equal compares the texts, not the pointers.
func (s Secret) Equal(other Secret) bool { return s.Reveal() == other.Reveal() }

// String is "[redacted]".
func (Secret) String() string { return redacted }

// GoString is "[redacted]".
func (Secret) GoString() string { return redacted }

// MarshalText is "[redacted]": encoding/json, xml and yaml use it.
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// LogValue is "[redacted]".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }
