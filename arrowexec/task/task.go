// Package task is the coroutine that runs one task of a stage, and the Ctx by
// which operators yield, wait, reserve memory and learn of the query's conf.
//
// A task body runs inside iter.Pull: resuming it is a pull, suspending it is a
// yield back to the slot's worker (SoCC 2019 section 4; a switch costs ~70 ns).
// Kernels call Ctx.Yield at least every ~100 microseconds; the call costs one
// atomic load while nobody asks for the slot.
package task

import (
	"context"
	"errors"
	"iter"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"neptune/arrowexec/mem"
	"neptune/internal/errs"
)

// Event says why a task gave control back.
type Event struct {
	Kind EventKind
	Wake <-chan struct{} // of Blocked: closed when the task can go on
	Err  error           // of Done
}

// EventKind is the kind of an Event.
type EventKind uint8

// The kinds of events.
const (
	Yielded EventKind = iota // suspended on request
	Blocked                  // waits for Wake; the slot is free meanwhile
	Done                     // ended, Err says how
)

// ErrKilled is what Yield and Await return in a task that was killed or cancelled.
var ErrKilled = errors.New("task killed")

// Info identifies a task.
type Info struct {
	Query      string // operation id
	Stage      int
	Partition  int // of Partitions
	Partitions int
	Attempt    int
	Priority   int // lower is more critical: 1 is stream, 2 is batch
}

// Conf is what of a session's configuration the running of a query needs,
// frozen when the query starts.
type Conf struct {
	TimeZone      *time.Location
	ANSI          bool
	CaseSensitive bool
	BatchRows     int               // rows per batch, vec.DefaultRows unless a test says otherwise
	SpillDir      string            // "" is the system's temporary directory
	Keys          map[string]string // the session's spark.* and neptune.* settings; read-only
}

// Task is one coroutine. Its methods but Suspend and Kill are for the one slot
// worker that owns it.
type Task struct {
	Info   Info
	flag   atomic.Uint32 // flagSuspend | flagKill; polled by Yield
	seq    iter.Seq[Event]
	next   func() (Event, bool)
	stop   func()
	done   bool
	parked bool
	ctx    *Ctx
	cancel context.CancelCauseFunc
}

const (
	flagSuspend = 1
	flagKill    = 2
)

// Ctx is what a running task's operators see. It is used by one goroutine at a time.
type Ctx struct {
	Info Info
	Conf *Conf
	Mem  *mem.Account
	// Stop ends when the task is killed: for helper goroutines that do blocking I/O.
	Stop  context.Context
	Rand  *rand.Rand
	Stats *Stats

	task  *Task
	yield func(Event) bool
	point func() // see AtYield
	// Every forces a suspension at each n-th yield point: the operator tests
	// set it to 1.
	Every int
	count int

	// beside: the operators spill while the task is suspended, on another
	// goroutine, so that nothing may yield. failed is what went wrong there.
	beside bool
	failed error
}

// Stats are a task's counters, read by the driver while it runs.
type Stats struct {
	RowsIn, RowsOut, BytesIn, BytesOut atomic.Int64 // scanned and emitted
	Spilled                            atomic.Int64 // bytes
	Suspensions                        atomic.Int64
}

// New makes a task that will run body. Its coroutine is made by the first
// Resume, on that goroutine: a coroutine has to be resumed under the lock state
// (runtime.LockOSThread) that it was made under.
func New(info Info, conf *Conf, account *mem.Account, body func(*Ctx) error) *Task {
	stop, cancel := context.WithCancelCause(context.Background())
	t := &Task{Info: info, cancel: cancel}
	t.ctx = &Ctx{Info: info, Conf: conf, Mem: account, Stop: stop, Stats: &Stats{}, task: t,
		Rand: rand.New(rand.NewPCG(uint64(info.Partition), 42))}
	if account != nil {
		account.Wait = t.ctx.awaitMemory
	}
	seq := func(yield func(Event) bool) {
		t.ctx.yield = yield
		err := guard(t.ctx, body)
		cancel(ErrKilled)
		yield(Event{Kind: Done, Err: err})
	}
	t.seq = seq
	return t
}

// guard turns a panic of the body into an INTERNAL_ERROR: no panic reaches a user.
func guard(c *Ctx, body func(*Ctx) error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = errs.Panic(p)
		}
	}()
	return body(c)
}

// Resume runs the task until it yields, blocks or ends. After Done it returns Done again.
func (t *Task) Resume() Event {
	if t.done {
		return Event{Kind: Done, Err: ErrKilled}
	}
	if t.next == nil {
		t.next, t.stop = iter.Pull(t.seq)
	}
	if t.parked {
		t.parked = false
		t.ctx.Mem.Unpark()
	}
	e, ok := t.next()
	if !ok {
		t.done = true
		return Event{Kind: Done, Err: ErrKilled}
	}
	if e.Kind == Done {
		t.done = true
		t.stop()
	}
	return e
}

// Suspend asks the task to yield at its next yield point, and at each one
// after it until Arm. Safe from any goroutine.
func (t *Task) Suspend() { t.flag.Or(flagSuspend) }

// Arm forgets a request to suspend: the dispatcher calls it, under its lock,
// when it decides to run the task, so that a request made after that decision
// is kept even if the run hasn't begun yet.
func (t *Task) Arm() { t.flag.And(^uint32(flagSuspend)) }

// AtYield has f called at each yield point at which nobody asks for the slot, on
// the goroutine that resumes the task.
func (t *Task) AtYield(f func()) { t.ctx.point = f }

// Park accounts what a suspended task holds apart from the memory of running
// ones, until its next Resume. It reports whether that was possible; if not,
// SpillParked frees what it can.
func (t *Task) Park() bool {
	if t.ctx.Mem == nil || t.done {
		return true
	}
	t.parked = true
	return t.ctx.Mem.Park()
}

// SpillParked makes the operators of a parked task spill, and parks what is
// left. It blocks on the disk, on the caller's goroutine; the task must not be
// resumed meanwhile. The task learns of a failure at its next Resume.
func (t *Task) SpillParked() {
	c := t.ctx
	c.beside = true
	defer func() {
		if p := recover(); p != nil {
			c.failed = errs.Panic(p)
		}
		c.beside = false
		c.Mem.Park()
	}()
	if err := c.Mem.SpillAll(); err != nil && c.failed == nil {
		c.failed = err
	}
}

// Kill makes the task's next Yield or Await return ErrKilled. Safe from any
// goroutine. A suspended task must still be resumed once, to unwind.
func (t *Task) Kill() {
	t.flag.Or(flagKill)
	t.cancel(ErrKilled)
}

// Stopped ends when the task was killed or has ended.
func (t *Task) Stopped() <-chan struct{} { return t.ctx.Stop.Done() }

// Stats returns the task's counters.
func (t *Task) Stats() *Stats { return t.ctx.Stats }

// Killed reports whether Kill was called.
func (t *Task) Killed() bool { return t.flag.Load()&flagKill != 0 }

// Yield gives the slot away if somebody asked for it. Operators call it after
// every batch and inside every loop that can run for more than ~100
// microseconds, and return its error unchanged.
func (c *Ctx) Yield() error {
	if c.task.flag.Load() == 0 && c.Every == 0 {
		if c.point != nil {
			c.point()
		}
		return nil
	}
	return c.slow()
}

func (c *Ctx) slow() error {
	if c.beside {
		return nil
	}
	f := c.task.flag.Load()
	if f&flagKill != 0 {
		return ErrKilled
	}
	c.count++
	if f&flagSuspend != 0 || c.Every > 0 && c.count%c.Every == 0 {
		c.Stats.Suspensions.Add(1)
		if !c.yield(Event{Kind: Yielded}) {
			return ErrKilled
		}
		if c.task.Killed() {
			return ErrKilled
		}
		if c.failed != nil {
			return c.failed
		}
	}
	return nil
}

// memoryWait is how long a task waits for others to give memory back: they may
// wait themselves, for a client that doesn't read.
const memoryWait = time.Minute

// awaitMemory is the account's Wait.
func (c *Ctx) awaitMemory(freed <-chan struct{}) error {
	late, cancel := context.WithTimeout(c.Stop, memoryWait)
	defer cancel()
	ready := make(chan struct{})
	go func() {
		defer close(ready)
		select {
		case <-freed:
		case <-late.Done():
		}
	}()
	if err := c.Await(ready); err != nil {
		cancel()
		<-ready
		return err
	}
	select {
	case <-freed:
		return nil
	default:
		return mem.ErrLate
	}
}

// Await gives the slot back until ready is closed (or receives). A worker
// never blocks inside a task: blocking I/O runs in a helper goroutine, and the
// task awaits it.
func (c *Ctx) Await(ready <-chan struct{}) error {
	if c.beside {
		<-ready
		return nil
	}
	select {
	case <-ready:
		return c.Yield()
	default:
	}
	for {
		if c.task.Killed() {
			return ErrKilled
		}
		if !c.yield(Event{Kind: Blocked, Wake: ready}) {
			return ErrKilled
		}
		select {
		case <-ready:
			return c.Yield()
		case <-c.Stop.Done():
			return ErrKilled
		default: // resumed early: go on waiting
		}
	}
}

// Do runs a blocking function in a helper goroutine while the task gives its
// slot back. f must end soon after ctx does.
func (c *Ctx) Do(f func(ctx context.Context) error) error {
	done := make(chan struct{})
	var err error
	go func() {
		defer close(done)
		defer func() {
			if p := recover(); p != nil {
				err = errs.Panic(p)
			}
		}()
		err = f(c.Stop)
	}()
	if e := c.Await(done); e != nil {
		<-done // f shares memory with the task: never leave it behind
		return e
	}
	return err
}

// Run drives a task to its end on the calling goroutine, for tests and for
// work outside the scheduler. every > 0 suspends it at each every-th yield point.
func Run(info Info, conf *Conf, account *mem.Account, every int, body func(*Ctx) error) error {
	t := New(info, conf, account, body)
	t.ctx.Every = every
	for {
		switch e := t.Resume(); e.Kind {
		case Done:
			return e.Err
		case Blocked:
			<-e.Wake
		case Yielded: // as a worker does, so that operators are tested with it
			if !t.Park() {
				t.SpillParked()
			}
		}
	}
}

// Direct runs a body on the calling goroutine without a coroutine, to its end:
// the baselines that coroutines are measured against (experiment X4). A wait
// blocks the goroutine. pause, if not nil, is called at each yield point, as tasks
// that are threads would wait there while they are to stand still.
func Direct(info Info, conf *Conf, account *mem.Account, pause func(), body func(*Ctx) error) error {
	t := New(info, conf, account, nil)
	c := t.ctx
	if pause != nil {
		c.Every = 1
	}
	c.yield = func(e Event) bool {
		switch {
		case e.Kind == Blocked:
			<-e.Wake
		case pause != nil:
			pause()
		}
		return true
	}
	defer t.cancel(ErrKilled)
	return guard(c, body)
}
