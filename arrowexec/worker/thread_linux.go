package worker

import (
	"runtime"

	"golang.org/x/sys/unix"
)

// lowerThread locks the goroutine to its thread and gives the thread a lower
// priority, so that stream tasks and the control plane get the CPU at once. No
// privilege is needed to lower; it can't be raised again, so the goroutine
// must end locked. Failing to lower is harmless.
//
// Above 19 the thread joins the idle class. The kernel (EEVDF, 6.6 and later)
// leaves a nice thread that runs its slice of some 3 ms when another wakes; one
// of the idle class it takes the CPU from at once.
func lowerThread(nice int) {
	runtime.LockOSThread()
	if nice > 19 {
		if unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}, 0) == nil {
			return
		}
		nice = 19
	}
	if nice > 0 {
		_ = unix.Setpriority(unix.PRIO_PROCESS, unix.Gettid(), nice)
	}
}
