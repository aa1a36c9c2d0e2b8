package parts_test

import (
	"encoding/json"
	"net/http"
	"testing"

	"portico/internal/parts"
)

func TestOIDC(t *testing.T) {
	t.Parallel()
	s := parts.OwnOIDC(t, parts.OIDCOptions{ClientID: "portico", ClientSecret: "s", Redirect: "http://127.0.0.1:1/back"})
	resp, err := http.Get(s.Issuer + "/.well-known/openid-configuration") //nolint:noctx // a test
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var d struct{ Issuer string }
	if err := json.NewDecoder(resp.Body).Decode(&d); err != nil || d.Issuer != s.Issuer {
		t.Errorf("the issuer is %q, %v, want %q", d.Issuer, err, s.Issuer)
	}
}
