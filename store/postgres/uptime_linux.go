package postgres

import (
	"time"

	"golang.org/x/sys/unix"
)

// sinceBoot is a clock that never goes back and, unlike Go's (CLOCK_MONOTONIC),
// counts the time that the host was suspended (CLOCK_BOOTTIME of clock_gettime(2)).
// Both run on while a process is stopped or swapped out.
//
// A virtual machine that its host pauses may find all its clocks where they stood:
// then nothing here can tell, and the claims end when the session next asks for a
// sign of life, within a beat.
func sinceBoot() time.Duration {
	var t unix.Timespec
	if err := unix.ClockGettime(unix.CLOCK_BOOTTIME, &t); err != nil {
		return 1<<63 - 1 // later than any: Linux has had it since 2.6.39
	}
	return time.Duration(t.Nano())
}
