//go:build !linux

package worker

import (
	"runtime"
	"time"
)

// thread is an OS thread; here priorities are left alone.
type thread struct{}

func ownThread() *thread {
	runtime.LockOSThread()
	return &thread{}
}

func (*thread) renice(int) bool { return true }
func (*thread) raise()          {}
func (*thread) lower()          {}

func (*thread) used() time.Duration { return 0 }
