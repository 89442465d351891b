package main

import (
	"io"
	"os"
	"syscall"
	"time"
)

// Long enough for etcd to close its files, short enough that a restart does not find the port taken.
const exitGrace = 3 * time.Second

// endWithParent ends this process when its standard input closes, which the kernel does however the parent dies.
func endWithParent() {
	signalOnParentDeath()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Signal(syscall.SIGTERM)
		}
		time.Sleep(exitGrace)
		os.Exit(1)
	}()
}
