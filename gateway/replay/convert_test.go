package replay_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"portico/gateway/replay"
)

var (
	from = flag.String("from", "", "a recording, one request in JSON a line, to convert")
	to   = flag.String("to", "", "the file that the sequence goes to")
)

// TestConvert converts a small recording; with -from and -to, one that is given.
func TestConvert(t *testing.T) {
	if *from != "" {
		convertFile(t, *from, *to)
		return
	}
	recording, err := os.Open("testdata/recorded.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer recording.Close()
	got, err := replay.Convert(recording, "a test")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/recorded.txtar")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
	if _, err := replay.Parse("recorded", got); err != nil {
		t.Errorf("what was converted cannot be read: %v", err)
	}
	if _, err := replay.Convert(strings.NewReader("{"), "a test"); err == nil {
		t.Error("half a line was converted")
	}
}

func convertFile(t *testing.T, from, to string) {
	t.Helper()
	recording, err := os.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	defer recording.Close()
	text, err := replay.Convert(recording, "recorded: "+filepath.Base(from))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, text, 0o600); err != nil {
		t.Fatal(err)
	}
}
