package parts_test

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"portico/internal/parts"
)

func TestMain(m *testing.M) { os.Exit(parts.Main(m)) }

func TestStoresTakeAndGive(t *testing.T) {
	t.Parallel()
	for name, start := range map[string]func(testing.TB) parts.S3{"minio": parts.MinIO, "versitygw": parts.VersityGW} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := start(t)
			if again := start(t); again.PID() != s.PID() {
				t.Errorf("a second call gave process %d, want the shared %d", again.PID(), s.PID())
			}
			s.MakeBucket(t, "some-bucket")
			if _, err := s.Client(t).PutObject(t.Context(), "some-bucket", "a/b", strings.NewReader("hi"), 2, "", "", minio.PutObjectOptions{}); err != nil {
				t.Fatalf("PutObject = %v", err)
			}
			if got := s.Pending(t, "some-bucket"); len(got) != 0 {
				t.Errorf("Pending = %q, want none", got)
			}
		})
	}
}

func TestOutages(t *testing.T) {
	t.Parallel()
	s := parts.OwnMinIO(t)
	s.MakeBucket(t, "kept")
	first := s.PID()

	s.Stop(t)
	if got := s.PID(); got != 0 {
		t.Errorf("PID after Stop = %d, want 0", got)
	}
	s.Start(t)
	if s.PID() == first {
		t.Error("Start gave the old process")
	}
	if ok, err := s.Client(t).BucketExists(t.Context(), "kept"); err != nil || !ok {
		t.Errorf("BucketExists after a restart = %v, %v, want true", ok, err)
	}

	s.Freeze(t)
	answered := make(chan error, 1)
	go func() {
		_, err := s.Client(t).BucketExists(t.Context(), "kept")
		answered <- err
	}()
	select {
	case err := <-answered:
		t.Errorf("a frozen server answered: %v", err)
	case <-time.After(300 * time.Millisecond):
		s.Thaw(t)
		if err := <-answered; err != nil {
			t.Errorf("after Thaw: %v", err)
		}
	}

	s.Kill(t)
	s.Start(t)
	if ok, err := s.Client(t).BucketExists(t.Context(), "kept"); err != nil || !ok {
		t.Errorf("BucketExists after a kill = %v, %v, want true", ok, err)
	}
}

// failing is a testing.TB that remembers why it failed.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Fatalf(_ string, args ...any) { f.said = args[0].(error).Error() }

func TestMissingTool(t *testing.T) {
	t.Setenv("PORTICO_TOOLS", t.TempDir())
	f := &failing{TB: t}
	parts.Tool(f, "minio")
	for _, want := range []string{"minio", "make tools", "PORTICO_TOOLS"} {
		if !strings.Contains(f.said, want) {
			t.Errorf("Tool said %q, want %q in it", f.said, want)
		}
	}
}
