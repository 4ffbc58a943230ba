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
	up        *unix.SchedAttr // what raise makes of it, nil if that isn't allowed
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
	t.lower()
	// Is it allowed to raise it?
	for _, up := range []unix.SchedAttr{{Policy: unix.SCHED_FIFO, Priority: 1}, {Policy: unix.SCHED_NORMAL, Runtime: uint64(batchSlice)}} {
		if t.set(&up) {
			t.up = &up
			t.lower()
			break
		}
	}
	return t
}

func (t *thread) set(attr *unix.SchedAttr) bool {
	attr.Size = unix.SizeofSchedAttr
	return unix.SchedSetAttr(t.tid, attr, 0) == nil
}

// raise lets a thread whose task was asked for its slot get to its yield point
// at once. The usual priority isn't enough: a thread that waits for the CPU
// behind another would get it at the kernel's next tick, up to 4 ms later, even
// behind one of nice 19, and even while another CPU idles. So it is a real-time
// one for those microseconds; where that isn't allowed, one of the usual
// priority. Without a privilege (CAP_SYS_NICE, or RLIMIT_RTPRIO and
// RLIMIT_NICE) raise and lower do nothing.
func (t *thread) raise() {
	if t.up != nil {
		t.set(t.up)
	}
}

// lower takes raise back.
func (t *thread) lower() {
	if t.set(&unix.SchedAttr{Policy: unix.SCHED_NORMAL, Nice: int32(t.nice), Runtime: uint64(batchSlice)}) {
		return
	}
	unix.Setpriority(unix.PRIO_PROCESS, t.tid, t.nice) // an older kernel
}

// used is the CPU time that the thread has had.
func (t *thread) used() time.Duration {
	var at unix.Timespec
	if unix.ClockGettime(int32(^t.tid<<3|6), &at) != nil { // CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_SCHED
		return 0
	}
	return time.Duration(at.Nano())
}
