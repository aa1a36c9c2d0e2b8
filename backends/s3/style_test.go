package s3

import (
	"testing"
	"time"

	"portico/backends"
)

// TestPathStyle looks at the addresses that requests go to.
func TestPathStyle(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		endpoint  string
		pathStyle bool
		want      string
	}{
		{"http://minio.example:9000", true, "http://minio.example:9000/docs/a"},
		{"http://minio.example:9000", false, "http://minio.example:9000/docs/a"}, // minio-go knows who serves hosts
		{"https://s3.amazonaws.com", false, "https://docs.s3.dualstack.us-east-1.amazonaws.com/a"},
		{"https://s3.amazonaws.com", true, "https://s3.dualstack.us-east-1.amazonaws.com/docs/a"},
	} {
		s, err := Open(t.Context(), Options{
			Endpoint: c.endpoint, Bucket: "docs", AccessKey: "a", SecretKey: "b", PathStyle: c.pathStyle,
			Clock: time.Now, Budget: backends.NewBudget(1),
		})
		if err != nil {
			t.Fatal(err)
		}
		u, err := s.idem.PresignedGetObject(t.Context(), "docs", "a", time.Minute, nil)
		if err != nil {
			t.Fatal(err)
		}
		u.RawQuery = ""
		if got := u.String(); got != c.want {
			t.Errorf("address at %s with PathStyle %v = %s, want %s", c.endpoint, c.pathStyle, got, c.want)
		}
	}
}
