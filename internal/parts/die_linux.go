package parts

import (
	"os/exec"
	"runtime"
	"syscall"
)

// dieWithParent makes the kernel end the program when the test process ends,
// also by a panic, a timeout or SIGKILL, when no cleanup runs.
func dieWithParent(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}

// startPinned starts cmd from a thread that lives as long as the program does:
// the signal of dieWithParent is sent when the thread that forked ends
// (prctl(2), PR_SET_PDEATHSIG), and Go ends threads when it likes.
func startPinned(cmd *exec.Cmd) error {
	started := make(chan error)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread stays with this goroutine
		err := cmd.Start()
		started <- err
		if err == nil {
			<-never
		}
	}()
	return <-started
}

// never is a channel that nothing is sent on.
//
//nolint:gochecknoglobals // a nil channel: there is no state in it
var never chan struct{}
