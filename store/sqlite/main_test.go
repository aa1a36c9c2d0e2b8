package sqlite

import (
	"context"
	"fmt"
	"os"
	"testing"

	"go.uber.org/goleak"

	"portico/store"
	"portico/store/storetest"
)

// TestMain also is the child process of TestKill and TestSecondProcess: this
// test's binary, run again with PORTICO_TEST_CHILD set to a file.
func TestMain(m *testing.M) {
	if file := os.Getenv("PORTICO_TEST_CHILD"); file != "" {
		os.Exit(child(file))
	}
	goleak.VerifyTestMain(m)
}

// child commits rows without end, from a few goroutines, and prints the number
// of each that was acknowledged. Its parent kills it.
func child(file string) int {
	ctx := context.Background()
	s, err := Open(ctx, file, Options{})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	acks := make(chan string)
	for worker := range 4 {
		go func() {
			for i := 0; ; i++ {
				id := fmt.Sprintf("%d-%d-%d", os.Getpid(), worker, i)
				err := s.Update(ctx, func(tx store.Tx) error {
					return storetest.Append(ctx, tx, "main", []byte(id))
				})
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				acks <- id
			}
		}()
	}
	for id := range acks {
		if _, err := fmt.Fprintln(os.Stdout, id); err != nil {
			return 1
		}
	}
	return 0
}
