//go:build !linux

package worker

import (
	"runtime"
	"time"
)

// thread is an OS thread; here priorities are left alone.
type thread struct{}

func lowerThread(int) *thread {
	runtime.LockOSThread()
	return &thread{}
}

func (*thread) raise() {}
func (*thread) lower() {}

func (*thread) used() time.Duration { return 0 }
