//go:build !race

package e2e

import (
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

const (
	smallFiles = 500
	hugeFile   = 256 << 20

	wholeWithin = 10 * time.Minute
)

// TestRcloneMountWhole copies many small files and a long one into a mount of rclone,
// as a person moves house. All of it arrives, as rclone finds when it reads it back.
func TestRcloneMountWhole(t *testing.T) {
	onEach(t, func(t *testing.T, st storage) {
		s := startTLS(t, st)
		small := filepath.Join(t.TempDir(), "small")
		for i := range smallFiles {
			file := filepath.Join(small, fmt.Sprintf("%02d", i/500), fmt.Sprintf("file %05d é.txt", i))
			if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(file, fmt.Appendf(nil, "the text of file %d", i), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		dir, remote := mountRclone(t, s, "--vfs-cache-mode", "writes")
		mustRun(t, "cp", "-r", small, dir)
		// What the mount has taken it sends in its own time.
		waitFor(t, wholeWithin, "the mount has sent all", func() bool {
			return strings.Count(mustRun(t, "rclone", "lsf", "--ca-cert", s.ca, "-R", "--files-only", remote+"small"), "\n") >= smallFiles
		})
		mustRun(t, "rclone", "check", "--ca-cert", s.ca, "--download", "--checkers", "8", small, remote+"small")

		// A long film, written from front to back without a copy on the way.
		film := filepath.Join(t.TempDir(), "film.bin")
		f, err := os.Create(film)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.CopyN(f, rand.NewChaCha8([32]byte{1}), hugeFile); err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
		stream, _ := mountRclone(t, s, "--vfs-cache-mode", "off")
		mustRun(t, "cp", film, stream)
		mustRun(t, "rclone", "check", "--ca-cert", s.ca, "--download", filepath.Dir(film), remote, "--include", "/film.bin")
	})
}
