package worker

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// lowerThread locks the goroutine to its thread and gives the thread a lower
// priority, so that stream tasks and the control plane get the CPU at once. No
// privilege is needed to lower; it can't be raised again, so the goroutine
// must end locked. Failing to lower is harmless.
func lowerThread(nice int) {
	runtime.LockOSThread()
	if nice > 0 {
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), nice)
	}
}
