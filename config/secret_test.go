package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"
)

// TestSecretIsNotPrinted tries the ways in which a value ends up in a log.
func TestSecretIsNotPrinted(t *testing.T) {
	type hidden struct{ s Secret } // fmt calls no method of an unexported field
	secret := NewSecret("hunter2hunter2")
	var out bytes.Buffer
	for _, v := range []any{secret, &secret, []Secret{secret}, map[string]Secret{"a": secret}, struct{ S Secret }{secret}, hidden{secret}, Relay{Password: secret}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
		}
		for _, h := range []slog.Handler{slog.NewJSONHandler(&out, nil), slog.NewTextHandler(&out, nil)} {
			slog.New(h).Info("x", "v", v)
		}
		inJSON, err := json.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		out.Write(inJSON)
	}
	inYAML, err := yaml.Marshal(map[string]Secret{"a": secret})
	if err != nil {
		t.Fatal(err)
	}
	out.Write(inYAML)
	for _, form := range []string{"hunter2", fmt.Sprintf("%x", "hunter2"), fmt.Sprintf("%X", "hunter2")} {
		if strings.Contains(out.String(), form) {
			t.Errorf("the secret is printed as %q:\n%s", form, out.String())
		}
	}
	if !strings.Contains(out.String(), redacted) {
		t.Error("nothing says that there is a secret")
	}
}

func TestSecret(t *testing.T) {
	a, b, none := NewSecret("a"), NewSecret("a"), Secret{}
	if a.Reveal() != "a" || none.Reveal() != "" {
		t.Errorf("Reveal() = %q and %q, want a and nothing", a.Reveal(), none.Reveal())
	}
	if !a.Equal(b) || a.Equal(none) || a.IsZero() || !none.IsZero() || !NewSecret("").IsZero() {
		t.Error("Equal or IsZero looks at something other than the text")
	}
}

// TestConfigIsNotPrinted prints a whole config, as somebody will one day.
func TestConfigIsNotPrinted(t *testing.T) {
	for name, secrets := range map[string][]string{
		"secrets.yaml":          {"s3cret", "$argon2id$"},
		"design.yaml":           {"s3cret", "$argon2id$"},
		"active-directory.yaml": {"s3cret"},
		"oidc.yaml":             {"s3cret"},
		"postgres.yaml":         {"s3cret", "portico:", "postgres:"},
	} {
		t.Run(name, func(t *testing.T) {
			c := mustLoad(t, name)
			inJSON, err := json.Marshal(c)
			if err != nil {
				t.Fatal(err)
			}
			all := fmt.Sprintf("%+v %#v %s %+v %+v", *c, *c, inJSON, c.LDAP, c.OIDC)
			for _, secret := range secrets {
				if strings.Contains(all, secret) {
					t.Errorf("a printed config shows %q", secret)
				}
			}
		})
	}
}
