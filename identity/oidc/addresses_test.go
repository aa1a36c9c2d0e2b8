package oidc

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"

	gooidc "github.com/coreos/go-oidc/v3/oidc"
)

// TestAddresses: behind TLS nothing is asked without it. Who could answer for the
// keys could sign anybody's ID token.
func TestAddresses(t *testing.T) {
	for _, name := range []string{"", "authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"} {
		var s *httptest.Server
		s = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			at := map[string]string{"issuer": s.URL, "authorization_endpoint": s.URL + "/a", "token_endpoint": s.URL + "/t", "jwks_uri": s.URL + "/k"}
			if name != "" {
				at[name] = "http://firm.example/x"
			}
			w.Header().Set("Content-Type", "application/json")
			fmt.Fprint(w, "{")
			for key, value := range at {
				fmt.Fprintf(w, "%q:%q,", key, value)
			}
			fmt.Fprint(w, `"id_token_signing_alg_values_supported":["ES256"]}`)
		}))
		t.Cleanup(s.Close)
		known, err := gooidc.NewProvider(gooidc.ClientContext(t.Context(), s.Client()), s.URL)
		if err != nil {
			t.Fatal(err)
		}
		issuer, err := url.Parse(s.URL)
		if err != nil {
			t.Fatal(err)
		}
		err = (&Provider{o: Options{Issuer: issuer}}).checkAddresses(known)
		if (err == nil) != (name == "") {
			t.Errorf("%q without TLS: %v", name, err)
		}
	}
}
