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

// ownThread locks the goroutine to its thread. It must end locked, so that the
// thread ends with it: what renice did can't always be undone.
func ownThread() *thread {
	runtime.LockOSThread()
	t := &thread{tid: unix.Gettid()}
	fifo := unix.SchedAttr{Policy: unix.SCHED_FIFO, Priority: 1}
	usual := unix.SchedAttr{Policy: unix.SCHED_NORMAL, Runtime: uint64(batchSlice)}
	var limit unix.Rlimit
	switch {
	case t.set(&fifo):
		t.up = &fifo
		t.lower()
	case unix.Getrlimit(unix.RLIMIT_NICE, &limit) == nil && limit.Cur >= 20: // nice values from 20 - limit
		t.up = &usual
	}
	return t
}

// renice sets the thread's usual nice value and reports whether it has it. No
// privilege is needed for a higher value than it has, but for a lower one.
func (t *thread) renice(nice int) bool {
	if nice < t.nice && t.up == nil {
		return false
	}
	t.nice = nice
	t.lower()
	return true
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
	attr := unix.SchedAttr{Policy: unix.SCHED_NORMAL, Nice: int32(t.nice)}
	if t.nice > 0 {
		attr.Runtime = uint64(batchSlice)
	}
	if !t.set(&attr) {
		unix.Setpriority(unix.PRIO_PROCESS, t.tid, t.nice) // an older kernel
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
