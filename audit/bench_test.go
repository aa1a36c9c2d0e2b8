package audit_test

import (
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"portico/audit"
	"portico/store"
)

// BenchmarkAppend is what a row costs a change of state: an Update with nothing
// but one Append, durable on the disk that TMPDIR is on. Of n who write at once,
// each waits for the commit that they share: "p50-µs" is that wait, and
// "p50-µs/row" what is spent on a row, the wait shared among them.
func BenchmarkAppend(b *testing.B) {
	for _, n := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("writers=%d", n), func(b *testing.B) {
			s := state(b)
			log := newLog(b, audit.Options{Store: s})
			measure(b, n, func() error {
				return s.Update(b.Context(), func(tx store.Tx) error { return log.Append(tx, event()) })
			})
		})
	}
}

// BenchmarkUpdate is the same without a row: what the change costs anyway.
func BenchmarkUpdate(b *testing.B) {
	for _, n := range []int{1, 16, 64} {
		b.Run(fmt.Sprintf("writers=%d", n), func(b *testing.B) {
			s := state(b)
			var seq atomic.Int64
			measure(b, n, func() error {
				return s.Update(b.Context(), func(tx store.Tx) error { return tx.PutSinkAt("bench", "a", seq.Add(1)) })
			})
		})
	}
}

// measure runs b.N calls of f in n goroutines.
func measure(b *testing.B, n int, f func() error) {
	b.Helper()
	took := make([][]time.Duration, n)
	var g sync.WaitGroup
	b.ResetTimer()
	for i := range n {
		g.Go(func() {
			for range (b.N + n - 1 - i) / n {
				begin := time.Now()
				if err := f(); err != nil {
					b.Error(err)
					return
				}
				took[i] = append(took[i], time.Since(begin))
			}
		})
	}
	g.Wait()
	b.StopTimer()
	all := slices.Concat(took...)
	slices.Sort(all)
	p50 := float64(all[len(all)/2].Nanoseconds()) / 1000
	b.ReportMetric(p50, "p50-µs")
	b.ReportMetric(p50/float64(n), "p50-µs/row")
}
