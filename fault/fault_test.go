package fault_test

import (
	"errors"
	"fmt"
	"io/fs"
	"testing"

	"portico/fault"
)

// TestTold wants the sentence and the kind of an error through any wrapping, the
// outermost sentence where there are two.
func TestTold(t *testing.T) {
	t.Parallel()
	inner := fault.Tell(fs.ErrNotExist, "%s: %d of %s", "all", 2, fault.Say("%s and %q", "a", "b"))
	err := fmt.Errorf("files: open: %w", inner)
	const want = `all: 2 of a and "b"`
	if got := fault.Told(err); got != want || inner.Error() != want {
		t.Errorf("Told = %q, Error = %q, want %q", got, inner, want)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		t.Error("the kind is lost")
	}
	said, ok := fault.Said(err)
	if !ok {
		t.Fatal("nothing is said")
	}
	format, args := said.Phrase()
	if format != "%s: %d of %s" || len(args) != 3 {
		t.Errorf("Phrase = %q, %v", format, args)
	}
	if part, ok := args[2].(fault.Sentence); !ok || part.String() != `a and "b"` {
		t.Errorf("what stands in the sentence is %v, and no sentence", args[2])
	}
	if got := fault.Told(fault.Tell(err, "outer")); got != "outer" {
		t.Errorf("Told = %q, want the outermost", got)
	}
	for _, silent := range []error{nil, fs.ErrExist, fmt.Errorf("x: %w", fault.ErrQuota)} {
		if said, ok := fault.Said(silent); ok || said != nil || fault.Told(silent) != "" {
			t.Errorf("%v says %v", silent, said)
		}
	}
}
