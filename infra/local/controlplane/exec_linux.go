package main

import (
	"runtime"
	"syscall"
)

// The kernel sends this signal when the thread that started the child ends, so that thread must last.
func dieWithUs() *syscall.SysProcAttr {
	runtime.LockOSThread()
	return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
}
