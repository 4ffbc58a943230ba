// Package worker is the executor: slots that run tasks as coroutines, the
// local dispatcher that hands a slot from a batch task to a stream task, and
// the building of operators from a stage's plan.
//
// A slot is a token. Two goroutines serve it: one locked to an OS thread, for
// batch tasks, and an ordinary one for stream tasks; the token goes from one to
// the other. While there are stream tasks the locked threads are at BatchNice, and
// lend the CPU to other threads that wait for it.
// A batch task's coroutine belongs to its slot's locked thread and always resumes
// there; a stream task resumes anywhere.
package worker

import (
	"cmp"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"neptune/arrowexec/task"
)

// State is what a task does, as the driver hears it.
type State uint8

// The states. Blocked is only told of waits that last.
const (
	Running State = iota
	Suspended
	Blocked
	Finished
	Failed
)

// Status is one change of a task's state.
type Status struct {
	Task  int64
	State State
	Err   error
	// Latency is, of Suspended, the time from the request to the yield and, of
	// Running after a suspension, from the free slot to the first step.
	Latency time.Duration
	// By is, of Suspended, the task that asked for the slot.
	By int64
	// Worked is, of Suspended, how much CPU time the task's thread had between the
	// request and the yield; 0 unless Measure asked for it.
	Worked time.Duration
	Stats  *task.Stats
}

// Launch is a task to run.
type Launch struct {
	ID   int64
	Task *task.Task
	// Suspend lets the task take the slot of a less critical one.
	Suspend bool
	// Victim is which, if it still can be suspended; 0: the executor chooses.
	Victim int64
	// Done is called once when the task has ended, before the driver hears of it.
	Done func(err error)
}

// Config fixes an executor.
type Config struct {
	Slots int
	// StreamPriority: tasks at or below it run on the ordinary threads, those above on the slots' own.
	StreamPriority int
	// BatchNice is the nice value of the slots' own threads from the arrival of a
	// stream task until none has been there for a minute; during that time they also
	// lend the CPU to others at yield points. 0: they are left alone.
	BatchNice int
	// MaxSuspensions and ProtectedRun guard batch tasks against starvation
	// (neptune.starvation.*): a task suspended more often than that runs
	// protected for that long after each resumption. 0: no guard.
	MaxSuspensions int
	ProtectedRun   time.Duration
	// Preempt: priorities count (mode neptune). Without it a task that was
	// blocked waits for a free slot like any other, and order is that of arrival.
	Preempt bool
	// NoSuspend: priorities count, but nobody is suspended (mode kill).
	NoSuspend bool
	plain     bool // without a privilege, though there may be one
	// Mixed hears when stream tasks begin to come, and when none has for a minute. It's called with locks held.
	Mixed func(bool)
	// Status hears of changes. It is called without locks held, from many goroutines, and must not block for long.
	Status func(Status)
}

// blockReport is how long a task must have been blocked before the driver is
// told that its slot is free: most waits (a page of a file) are shorter.
const blockReport = 2 * time.Millisecond

type run struct {
	Launch
	seq       int64
	slot      *slot // pinned there; nil until a batch task has run, and for stream tasks
	resumed   bool  // has run before
	asked     time.Time
	askedCPU  time.Duration // of the thread, at that time
	by        int64         // who asked
	freed     time.Time     // when it became possible to resume it
	suspended int
	protected time.Time     // no victim before then
	guard     time.Duration // to be protected for, from when it goes on
	state     State         // as reported
	blockedAt time.Time
	started   time.Time
	blocked   bool
	// low: it runs on the slots' batch threads. That is settled when it first
	// runs, whatever its priority is later: a coroutine stays with its thread.
	low bool
}

func (r *run) priority() int { return r.Task.Info.Priority }

type slot struct {
	id      int
	current *run
	waiting []*run // suspended or woken batch tasks pinned here
	batch   chan *run
	stream  chan *run
	thread  *thread // of batch tasks
	lend    func()  // what these do at yield points, or nil
	held    *run    // would go on, but the slot is held for stream tasks; see hold
	raised  bool    // the thread has been, to make its task yield
}

// Executor runs tasks on a fixed number of slots.
type Executor struct {
	conf   Config
	mu     sync.Mutex
	slots  []*slot
	queue  []*run // never run yet
	float  []*run // suspended or woken stream tasks
	runs   map[int64]*run
	seq    int64
	closed bool
	wg     sync.WaitGroup
	// lowered: the slots' own threads are at BatchNice, or will be. quiet ends that
	// when quietAfter has passed without a stream task.
	lowered    atomic.Bool
	quiet      *time.Timer
	quietAfter time.Duration
	holdFor    time.Duration
	usual      int // nice value that the slots' own threads have else
	// measure: see Measure.
	measure bool
}

// Measure has statuses tell, from now on, what CPU time suspensions took (for
// experiments, on machines that others use too). It costs two system calls a suspension.
func (e *Executor) Measure() {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.measure = true
}

// New starts an executor's threads.
func New(conf Config) *Executor {
	e := &Executor{conf: conf, runs: map[int64]*run{}, quietAfter: time.Minute, holdFor: holdFor}
	if conf.BatchNice > 0 {
		shortSlices()
	}
	e.quiet = time.AfterFunc(time.Hour, e.calm)
	e.quiet.Stop()
	for i := range conf.Slots {
		s := &slot{id: i, batch: make(chan *run, 1), stream: make(chan *run, 1)}
		e.slots = append(e.slots, s)
		e.wg.Go(func() { e.serveBatch(s) })
		e.wg.Go(func() { e.serve(s, s.stream) })
	}
	return e
}

// Slots is the number of slots.
func (e *Executor) Slots() int { return e.conf.Slots }

// serveBatch serves a slot's batch tasks on a thread of its own. It ends when
// in is closed, or with the thread when a nil comes: another takes over then.
func (e *Executor) serveBatch(s *slot) {
	runtime.LockOSThread()
	var up *schedAttr
	if e.conf.BatchNice > 0 && !e.conf.plain {
		up = privilege()
	}
	t := thisThread(up)
	t.lower()
	e.mu.Lock()
	s.thread, e.usual = t, t.nice
	if e.conf.BatchNice > 0 {
		s.lend = func() {
			if e.lowered.Load() {
				t.lend()
			}
		}
	}
	if e.lowered.Load() {
		t.renice(max(e.conf.BatchNice, e.usual))
	}
	e.mu.Unlock()
	if e.serve(s, s.batch) {
		e.wg.Go(func() { e.serveBatch(s) })
	}
}

// serve runs what comes, and reports whether a nil ended it.
func (e *Executor) serve(s *slot, in <-chan *run) bool {
	for r := range in {
		if r == nil {
			return true
		}
		for r != nil {
			r = e.step(s, r, in)
		}
	}
	return false
}

// stir lowers the slots' own threads, for a stream task is there. mu is held.
//
// They aren't lowered for good: on a machine that other programs keep busy a
// lowered thread gets a slice now and then only. Batch queries take many times
// as long, and so does whatever waits for such a thread, as the collector when it stops the world.
func (e *Executor) stir() {
	if e.conf.BatchNice <= 0 || e.closed {
		return
	}
	e.quiet.Reset(e.quietAfter)
	if !e.lowered.Swap(true) {
		e.mixed(true)
		for _, s := range e.slots {
			e.renice(s, max(e.conf.BatchNice, e.usual))
		}
	}
}

// calm gives the slots' own threads the usual priority back, by making them anew
// where it isn't allowed to raise them: that has to wait until no task is bound to the thread.
func (e *Executor) calm() {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.closed {
		return
	}
	bound := map[*slot]bool{}
	for _, r := range e.runs {
		if !e.batch(r) { // a long one
			e.quiet.Reset(e.quietAfter)
			return
		}
		if r.slot != nil {
			bound[r.slot] = true
		}
	}
	if e.lowered.Swap(false) {
		e.mixed(false)
	}
	for _, s := range e.slots {
		switch {
		case e.renice(s, e.usual):
		case s.current != nil || bound[s]:
			e.quiet.Reset(e.quietAfter)
		default:
			s.thread = nil
			s.batch <- nil
		}
	}
}

func (e *Executor) mixed(yes bool) {
	if e.conf.Mixed != nil {
		e.conf.Mixed(yes)
	}
}

// renice sets a slot's thread's usual priority, and reports whether it was allowed to. mu is held.
func (e *Executor) renice(s *slot, nice int) bool {
	if s.thread == nil { // it gets it when it's made
		return true
	}
	ok := s.thread.renice(nice)
	if s.raised {
		s.thread.raise()
	}
	return ok
}

// step runs r until it gives the slot up, and returns the next run for the
// same goroutine, or nil if the slot went elsewhere.
func (e *Executor) step(s *slot, r *run, mine <-chan *run) *run {
	if r.resumed && r.state != Running {
		e.report(r, Status{Task: r.ID, State: Running, Latency: time.Since(r.freed), Stats: r.Task.Stats()})
	}
	r.state = Running
	if r.low {
		r.Task.AtYield(s.lend)
	}
	ev := r.Task.Resume()
	now := time.Now()

	var st *Status
	e.mu.Lock()
	s.current = nil
	r.resumed = true
	raised := s.raised
	s.raised = false
	switch ev.Kind {
	case task.Yielded:
		r.suspended++
		var lat time.Duration
		if !r.asked.IsZero() {
			lat = now.Sub(r.asked)
		}
		r.state, r.freed = Suspended, now
		st = &Status{Task: r.ID, State: Suspended, Latency: lat, By: r.by, Stats: r.Task.Stats()}
		if r.askedCPU > 0 {
			st.Worked = s.thread.used() - r.askedCPU
			r.askedCPU = 0
		}
		if r.Task.Park() {
			e.park(s, r)
			break
		}
		r.blocked, r.blockedAt = true, now
		if e.batch(r) {
			r.slot = s
		}
		go e.spillParked(r)
	case task.Blocked:
		r.blocked, r.blockedAt = true, now
		if e.batch(r) {
			r.slot = s
		}
		go e.waitFor(r, ev.Wake)
	case task.Done:
		delete(e.runs, r.ID)
		st = &Status{Task: r.ID, State: Finished, Stats: r.Task.Stats()}
		if ev.Err != nil {
			st.State, st.Err = Failed, ev.Err
		}
	}
	var next *run
	if !e.hold(s, r, ev.Kind) {
		next = e.turn(s)
	}
	e.mu.Unlock()

	if st != nil {
		if st.State >= Finished && r.Done != nil {
			r.Done(st.Err)
		}
		e.report(r, *st)
	}
	if next != nil {
		if out := e.thread(s, next); out != mine {
			out <- next
			next = nil
		}
	}
	if raised { // only now: at the lower priority it would hand the slot over late
		e.mu.Lock()
		if !s.raised && s.thread != nil { // the next task may have been asked already
			s.thread.lower()
		}
		e.mu.Unlock()
	}
	return next
}

// holdFor is how long a slot waits for another stream task when one has ended:
// as long as the driver needs to launch the tasks of the next stage. A batch task
// that went on in between would be suspended again at once, and what the driver
// does meanwhile would have to share the CPU with it (X1: with 0.3 ms a stream
// query's p50 beside batch tasks is what it is alone; batch throughput is the same).
const holdFor = 300 * time.Microsecond

// hold keeps a slot from batch tasks for a moment if r, which has just left it, was
// a stream task that has ended and no other waits. It reports whether it does. mu is held.
func (e *Executor) hold(s *slot, r *run, kind task.EventKind) bool {
	if kind != task.Done || !e.conf.Preempt || e.batch(r) {
		return false
	}
	next, _ := e.best(s)
	if next == nil || !e.batch(next) || next.guard > 0 || e.overdue(next) {
		return false
	}
	s.held = next
	time.AfterFunc(e.holdFor, func() {
		e.mu.Lock()
		s.held = nil
		var free *slot
		if s.current == nil {
			if n := e.turn(s); n != nil {
				n.freed = time.Now()
				free = s
			}
		}
		e.mu.Unlock()
		e.hand(free)
	})
	return true
}

func (e *Executor) report(_ *run, st Status) {
	if e.conf.Status != nil {
		e.conf.Status(st)
	}
}

func (e *Executor) batch(r *run) bool {
	if r.started.IsZero() {
		return r.priority() > e.conf.StreamPriority
	}
	return r.low
}

func (e *Executor) thread(s *slot, r *run) chan *run {
	if e.batch(r) {
		return s.batch
	}
	return s.stream
}

// park puts a run that can go on where it will be found.
func (e *Executor) park(s *slot, r *run) {
	if e.batch(r) {
		r.slot = s
		s.waiting = append(s.waiting, r)
	} else {
		e.float = append(e.float, r)
	}
}

// take makes r the slot's current run. A request to suspend made from now on holds.
func (e *Executor) take(s *slot, r *run) {
	s.current = r
	r.Task.Arm()
	r.asked = time.Time{}
	now := time.Now()
	if r.started.IsZero() {
		r.low, r.started = e.batch(r), now
	}
	if r.guard > 0 {
		e.shield(r, r.guard)
	} else if e.overdue(r) {
		r.protected, r.suspended = now.Add(e.conf.ProtectedRun), 0
	}
}

// overdue reports whether a task has been suspended so often that its next run is a protected one.
func (e *Executor) overdue(r *run) bool {
	return e.conf.MaxSuspensions > 0 && r.suspended > e.conf.MaxSuspensions
}

// turn makes the best run for slot s its current one, and returns it; nil if there is none.
func (e *Executor) turn(s *slot) *run {
	best, from := e.best(s)
	if best != nil {
		i := slices.Index(*from, best)
		*from = slices.Delete(*from, i, i+1)
		e.take(s, best)
	}
	return best
}

// best is the best run for slot s, and where it waits: the most critical
// first; among equals those that have run before, oldest first; then new ones
// in order of arrival.
func (e *Executor) best(s *slot) (best *run, from *[]*run) {
	better := func(a, b *run) int {
		p := 0
		if e.conf.Preempt {
			p = cmp.Compare(a.priority(), b.priority())
		}
		return cmp.Or(p, boolCompare(b.resumed, a.resumed), cmp.Compare(a.seq, b.seq))
	}
	for _, list := range []*[]*run{&s.waiting, &e.float, &e.queue} {
		for _, r := range *list {
			if best == nil || better(r, best) < 0 {
				best, from = r, list
			}
		}
	}
	return best, from
}

func boolCompare(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// Launch queues a task. It starts at once on a free slot, or, with Suspend, on
// that of a less critical task as soon as it yields.
func (e *Executor) Launch(l Launch) {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		if l.Done != nil {
			l.Done(task.ErrKilled)
		}
		e.report(nil, Status{Task: l.ID, State: Failed, Err: task.ErrKilled, Stats: l.Task.Stats()})
		return
	}
	e.seq++
	r := &run{Launch: l, seq: e.seq}
	e.runs[l.ID] = r
	if !e.batch(r) {
		e.stir()
	}
	e.queue = append(e.queue, r)
	s := e.wake(r, l.Suspend)
	e.mu.Unlock()
	e.hand(s)
}

// wake finds a slot for a run that has just become runnable: a free one, or
// else one whose task is asked to yield. It returns the free slot, already
// given to the best run there.
func (e *Executor) wake(r *run, suspend bool) *slot {
	for _, s := range e.slots {
		if s.current == nil && (r.slot == nil || r.slot == s) && (s.held == nil || !e.batch(r)) {
			if s.held != nil {
				s.held.suspended++ // it would have been
			}
			e.turn(s)
			return s
		}
	}
	if suspend && !e.conf.NoSuspend {
		e.preempt(r)
	}
	return nil
}

// preempt asks the best victim for r to yield: less critical, not asked yet,
// not protected; of those the least critical, then the one that started last
// (it has the least work in memory).
func (e *Executor) preempt(r *run) {
	now := time.Now()
	var victim *slot
	for _, s := range e.slots {
		c := s.current
		if c == nil || r.slot != nil && r.slot != s || c.priority() <= r.priority() || !c.asked.IsZero() || now.Before(c.protected) {
			continue
		}
		if r.Victim != 0 && c.ID == r.Victim {
			victim = s
			break
		}
		if victim == nil || cmp.Or(cmp.Compare(c.priority(), victim.current.priority()), c.started.Compare(victim.current.started)) > 0 {
			victim = s
		}
	}
	if victim != nil {
		victim.current.asked, victim.current.by = now, r.ID
		if e.measure && e.batch(victim.current) && victim.thread != nil {
			victim.current.askedCPU = victim.thread.used()
		}
		victim.current.Task.Suspend()
		if e.batch(victim.current) && victim.thread != nil {
			victim.raised = true
			victim.thread.raise()
		}
	}
}

func (e *Executor) hand(s *slot) {
	if s == nil {
		return
	}
	e.thread(s, s.current) <- s.current
}

// waitFor brings a blocked run back when what it waits for is there.
func (e *Executor) waitFor(r *run, wake <-chan struct{}) {
	timer := time.NewTimer(blockReport)
	defer timer.Stop()
	for waiting := true; waiting; {
		select {
		case <-wake:
			waiting = false
		case <-r.Task.Stopped():
			waiting = false
		case <-timer.C:
			e.mu.Lock()
			r.state = Blocked
			e.mu.Unlock()
			e.report(r, Status{Task: r.ID, State: Blocked, Stats: r.Task.Stats()})
		}
	}
	e.mu.Lock()
	r.blocked, r.freed = false, time.Now()
	if r.slot != nil {
		r.slot.waiting = append(r.slot.waiting, r)
	} else {
		e.float = append(e.float, r)
	}
	s := e.wake(r, e.conf.Preempt)
	e.mu.Unlock()
	e.hand(s)
}

// spillParked frees the memory of a suspended task that there is no room to
// account apart, and then brings it back to where it waits.
func (e *Executor) spillParked(r *run) {
	r.Task.SpillParked()
	e.mu.Lock()
	r.blocked = false
	if r.slot != nil {
		r.slot.waiting = append(r.slot.waiting, r)
	} else {
		e.float = append(e.float, r)
	}
	s := e.wake(r, e.conf.Preempt)
	e.mu.Unlock()
	e.hand(s)
}

// Suspend asks a task to yield its slot, whoever gets it then. It reports whether the task held one.
func (e *Executor) Suspend(id int64) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.runs[id]
	for _, s := range e.slots {
		if r != nil && s.current == r {
			if r.asked.IsZero() {
				r.asked = time.Now()
			}
			r.Task.Suspend()
			return true
		}
	}
	return false
}

// Protect keeps a task from being a victim for a while, from now or from when it goes on. What is queued for its
// slot then is looked at again.
func (e *Executor) Protect(id int64, d time.Duration) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.runs[id]
	if r == nil {
		return
	}
	if r.slot == nil || r.slot.current != r {
		r.guard = d // from when it goes on
		return
	}
	e.shield(r, d)
}

// shield starts a protected run.
func (e *Executor) shield(r *run, d time.Duration) {
	r.protected, r.guard, r.suspended = time.Now().Add(d), 0, 0
	time.AfterFunc(d, func() {
		e.mu.Lock()
		defer e.mu.Unlock()
		if e.closed || e.conf.NoSuspend {
			return
		}
		asked := 0
		for _, s := range e.slots {
			if s.current != nil && !s.current.asked.IsZero() {
				asked++
			}
		}
		for _, q := range e.queue {
			if !q.Suspend {
				continue
			}
			if asked--; asked < 0 {
				e.preempt(q)
			}
		}
	})
}

// Reprioritize changes a task's priority: from now on it waits, and gives way,
// by the new one.
func (e *Executor) Reprioritize(id int64, priority int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	r := e.runs[id]
	if r == nil {
		return
	}
	r.Task.Info.Priority = priority
	if !e.batch(r) {
		e.stir()
	}
	if e.conf.Preempt && !e.conf.NoSuspend && e.waits(r) {
		e.preempt(r)
	}
}

// waits reports whether a run waits for a slot.
func (e *Executor) waits(r *run) bool {
	return slices.Contains(e.queue, r) || slices.Contains(e.float, r) || r.slot != nil && slices.Contains(r.slot.waiting, r)
}

// Kill ends a task, in whatever state it is; its status follows when it has
// unwound. Unknown tasks are ignored.
func (e *Executor) Kill(id int64) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if r := e.runs[id]; r != nil {
		r.Task.Kill()
	}
}

// Counts returns how many tasks hold a slot, wait suspended or woken for one, are blocked, and have not begun.
func (e *Executor) Counts() (running, waiting, blocked, queued int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, s := range e.slots {
		if s.current != nil {
			running++
		}
		waiting += len(s.waiting)
	}
	waiting += len(e.float)
	for _, r := range e.runs {
		if r.blocked {
			blocked++
		}
	}
	return running, waiting, blocked, len(e.queue)
}

// Close kills all tasks, waits until they have unwound, and ends the threads.
func (e *Executor) Close() {
	e.mu.Lock()
	if e.closed {
		e.mu.Unlock()
		return
	}
	e.closed = true
	e.quiet.Stop()
	if e.lowered.Load() {
		e.mixed(false)
	}
	for _, r := range e.runs {
		r.Task.Kill()
	}
	e.mu.Unlock()
	for {
		e.mu.Lock()
		n := len(e.runs)
		e.mu.Unlock()
		if n == 0 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	for _, s := range e.slots {
		close(s.batch)
		close(s.stream)
	}
	e.wg.Wait()
}
