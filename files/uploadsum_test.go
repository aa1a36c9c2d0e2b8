package files_test

import (
	"crypto/sha1"
	"crypto/sha256"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/iotest"

	"portico/files"
)

func TestUploadSums(t *testing.T) {
	t.Parallel()
	w := newWorld(t, options{})
	w.seed("root", "/firm/")
	s := w.as("ann").begin("/firm/f", ask(6))
	one, two := sha1.Sum([]byte("abc")), sha256.Sum256([]byte("def"))
	send := func(body io.Reader, sum *files.UploadSum) error {
		st, err := s.tree().AppendUpload(s.ctx, s.ID, s.Offset, body, sum)
		s.UploadState = st
		return err
	}
	good := &files.UploadSum{Algorithm: "sha1", Sum: one[:]}
	wantErr(t, "a broken piece", send(strings.NewReader("abd"), good), files.ErrUploadSum)
	wantErr(t, "a cut piece", send(io.MultiReader(strings.NewReader("ab"), iotest.ErrReader(io.ErrUnexpectedEOF)), good), io.ErrUnexpectedEOF)
	wantErr(t, "an unknown sum", send(strings.NewReader("abc"), &files.UploadSum{Algorithm: "md5"}), fs.ErrInvalid)
	if s.Offset != 0 {
		t.Fatalf("%d bytes of broken pieces count", s.Offset)
	}
	if err := send(strings.NewReader("abc"), good); err != nil {
		t.Fatal(err)
	}
	wantErr(t, "a broken last piece", send(strings.NewReader("dex"), &files.UploadSum{Algorithm: "sha256", Sum: two[:]}), files.ErrUploadSum)
	if err := send(strings.NewReader("def"), &files.UploadSum{Algorithm: "sha256", Sum: two[:]}); err != nil {
		t.Fatal(err)
	}
	s.became("/firm/f", "abcdef")
}
