package main

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// A second way to notice, for when another process still holds the other end of standard input.
func signalOnParentDeath() {
	_ = unix.Prctl(unix.PR_SET_PDEATHSIG, uintptr(syscall.SIGTERM), 0, 0, 0)
}
