//go:build !linux

package parts

import "os/exec"

// dieWithParent has no counterpart here: a killed test leaves its stores behind.
func dieWithParent(*exec.Cmd) {}

func startPinned(cmd *exec.Cmd) error { return cmd.Start() }
