package worker

import (
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// batchSlice is how long a batch thread keeps the CPU when another wakes. The
// kernel (EEVDF, 6.6 and later) would leave it some 3 ms; since 6.12 a thread may
// choose, down to this.
const batchSlice = 100 * time.Microsecond

// thread is an OS thread, whose priority can be changed.
type thread struct {
	tid, nice int
	boost     bool // may be raised
}

// lowerThread locks the goroutine to its thread and gives the thread a lower
// priority, so that stream tasks and the control plane get the CPU at once. No
// privilege is needed to lower; without one it can't be raised again, so the
// goroutine must end locked. Failing to lower is harmless.
func lowerThread(nice int) *thread {
	runtime.LockOSThread()
	t := &thread{tid: unix.Gettid(), nice: nice}
	if nice <= 0 {
		return t
	}
	t.set(nice)
	// Is it allowed to raise it?
	if t.boost = t.set(0); t.boost {
		t.set(nice)
	}
	return t
}

func (t *thread) set(nice int) bool {
	attr := unix.SchedAttr{Size: unix.SizeofSchedAttr, Nice: int32(nice)}
	if nice > 0 {
		attr.Runtime = uint64(batchSlice)
	}
	if unix.SchedSetAttr(t.tid, &attr, 0) == nil {
		return true
	}
	return unix.Setpriority(unix.PRIO_PROCESS, t.tid, nice) == nil
}

// raise gives a thread the priority of others, so that a task that was asked
// for its slot gets to its yield point even where processes beside ours take
// the CPU; lower takes that back. Without the privilege (CAP_SYS_NICE, or
// RLIMIT_NICE) they do nothing.
func (t *thread) raise() {
	if t.boost {
		t.set(0)
	}
}

// used is the CPU time that the thread has had.
func (t *thread) used() time.Duration {
	var at unix.Timespec
	if unix.ClockGettime(int32(^t.tid<<3|6), &at) != nil { // CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_SCHED
		return 0
	}
	return time.Duration(at.Nano())
}

func (t *thread) lower() {
	if t.boost {
		t.set(t.nice)
	}
}
