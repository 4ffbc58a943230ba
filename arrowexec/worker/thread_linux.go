package worker

import (
	"os"
	"runtime"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// shortSlice is how long a thread keeps the CPU when another wakes. The kernel
// (EEVDF, 6.6 and later) would leave it some 3 ms; since 6.12 a thread may choose, down to this.
const shortSlice = 100 * time.Microsecond

// shortSlices gives all threads of the process shortSlice, and with them those
// that they start: what a stream task needs between an event and its first step
// is done by several of them, each for a few microseconds, and they wait for one
// another, as for the garbage collector's and the planner's. The slots' own
// threads take it back, so that it's also them who give way. On older kernels it has no effect.
var shortSlices = sync.OnceFunc(func() {
	list, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return
	}
	for _, e := range list {
		if tid, err := strconv.Atoi(e.Name()); err == nil {
			t := threadOf(tid, nil)
			t.set(t.fair(shortSlice))
		}
	}
})

type schedAttr = unix.SchedAttr

// thread is an OS thread, whose priority can be changed.
type thread struct {
	tid, nice int
	up        *schedAttr // what raise makes of it, nil if that isn't allowed

	// Of lend; only the thread itself uses them.
	points   int
	lent     time.Time     // when it got the CPU back
	lendNext time.Duration // how long after that it's lent again
}

// privilege is what raise may make of a thread of this process: a real-time one
// (CAP_SYS_NICE or RLIMIT_RTPRIO), one of the usual priority (RLIMIT_NICE), or nil.
var privilege = sync.OnceValue(func() *schedAttr {
	up := make(chan *schedAttr)
	go func() {
		runtime.LockOSThread() // and the thread ends with the goroutine
		t := thisThread(nil)
		fifo := unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_FIFO, Priority: 1}
		var limit unix.Rlimit
		switch {
		case t.set(&fifo):
			t.lower()
			up <- &fifo
		case unix.Getrlimit(unix.RLIMIT_NICE, &limit) == nil && t.nice >= 20-int(min(limit.Cur, 40)):
			up <- t.fair(shortSlice)
		default:
			up <- nil
		}
	}()
	return <-up
})

// thisThread is the thread that the goroutine is locked to. The goroutine must
// end locked, so that the thread ends with it, if renice is used: what it does
// can't always be undone.
func thisThread(up *schedAttr) *thread { return threadOf(unix.Gettid(), up) }

func threadOf(tid int, up *schedAttr) *thread {
	t := &thread{tid: tid, up: up, lendNext: lendEach}
	if n, err := unix.Getpriority(unix.PRIO_PROCESS, tid); err == nil {
		t.nice = 20 - n
	}
	return t
}

// fair is the thread's usual priority, with a time slice of its own; 0: the kernel's.
func (t *thread) fair(slice time.Duration) *schedAttr {
	return &schedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_NORMAL, Nice: int32(t.nice), Runtime: uint64(slice)}
}

// renice sets the thread's usual nice value and reports whether that was allowed.
// No privilege is needed for a higher value than it has, but for a lower one.
func (t *thread) renice(nice int) bool {
	old := t.nice
	if nice < old && t.up == nil {
		return false
	}
	t.nice = nice
	if !t.lower() {
		t.nice = old
		return false
	}
	return true
}

func (t *thread) set(attr *schedAttr) bool {
	return unix.SchedSetAttr(t.tid, attr, 0) == nil
}

// raise lets a thread whose task was asked for its slot get to its yield point
// at once. The usual priority isn't enough: a thread that waits for the CPU behind another
// would get it at the kernel's next tick, up to 4 ms later, even behind one of
// nice 19, and even while another CPU idles. So it is a real-time one for those
// microseconds; where that isn't allowed, one of the usual priority. Without a
// privilege (CAP_SYS_NICE, or RLIMIT_RTPRIO and RLIMIT_NICE) raise does nothing.
func (t *thread) raise() {
	if t.up != nil {
		t.set(t.up)
	}
}

// lower takes raise back. It reports whether it was allowed to.
func (t *thread) lower() bool {
	return t.set(t.fair(0)) || unix.Setpriority(unix.PRIO_PROCESS, t.tid, t.nice) == nil // an older kernel
}

// lendEach is how long a thread keeps the CPU before it lends it, if those who borrow it
// give it back soon, and lendMost if not: other programs', then, with whom the kernel shares better.
const (
	lendEach = 100 * time.Microsecond
	lendMost = time.Second
)

// lend lets others that wait for the thread's CPU have it, if it was kept long enough. The kernel
// decides anew who runs only when a thread wakes or sleeps, and at its tick, each 1 to
// 10 ms: a thread that was not entitled to run when it woke, as it had just had the CPU,
// waits until then. It's called at yield points. Without others it takes some 0.5 us.
func (t *thread) lend() {
	if t.points++; t.points%4 != 0 { // points are far more frequent than lendEach
		return
	}
	now := time.Now()
	if now.Sub(t.lent) < t.lendNext {
		return
	}
	_, _, _ = unix.Syscall(unix.SYS_SCHED_YIELD, 0, 0, 0) // it can't fail
	t.lent = time.Now()
	t.lendNext = nextLend(t.lendNext, t.lent.Sub(now))
}

// nextLend is how long to keep the CPU next, when it was kept for d and then lent for took.
func nextLend(d, took time.Duration) time.Duration {
	if took > time.Millisecond {
		return min(2*d, lendMost)
	}
	return max(d/2, lendEach)
}

// used is the CPU time that the thread has had.
func (t *thread) used() time.Duration {
	var at unix.Timespec
	if unix.ClockGettime(int32(^t.tid<<3|6), &at) != nil { // CPUCLOCK_PERTHREAD_MASK | CPUCLOCK_SCHED
		return 0
	}
	return time.Duration(at.Nano())
}
