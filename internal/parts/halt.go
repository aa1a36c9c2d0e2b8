package parts

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// awaitHalt returns when each thread of each process stands still. SIGSTOP is done
// by the threads themselves, each when it next gets a turn: on a busy machine one
// of them may still answer after the call.
func awaitHalt(tb testing.TB, pids ...int) {
	tb.Helper()
	late := time.After(10 * time.Second)
	for _, pid := range pids {
		for !isHalted(pid) {
			select {
			case <-late:
				tb.Fatalf("process %d does not halt", pid)
			case <-time.After(time.Millisecond):
			}
		}
	}
}

// isHalted tells whether all threads of a process are stopped or have ended (T, Z and X in
// proc(5)).
func isHalted(pid int) bool {
	files, _ := filepath.Glob(filepath.Join("/proc", strconv.Itoa(pid), "task/*/stat")) // the pattern is well-formed
	for _, file := range files {
		b, err := os.ReadFile(file) //nolint:gosec // of the kernel
		if err != nil {
			continue // the thread has ended
		}
		// "TID (name) state …"; a name may hold anything.
		fields := strings.Fields(string(b[strings.LastIndexByte(string(b), ')')+1:]))
		if len(fields) > 0 && !slices.Contains([]string{"T", "Z", "X"}, fields[0]) {
			return false
		}
	}
	return true
}
