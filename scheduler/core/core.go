// Package core is the scheduler's state machine: jobs, stages, tasks and
// slots. It is pure: no clock, no socket, no goroutine. Step takes an event and
// returns commands; the same events give the same commands. Package cluster
// drives it, and package virtual does in simulated time.
package core

import (
	"cmp"
	"errors"
	"slices"
	"time"

	"neptune/scheduler/policy"
)

// Conf fixes how a Core works.
type Conf struct {
	Mode   Mode
	Policy policy.Policy
	// MaxFailures is how often one task may fail, for retryable causes, before its job does (spark.task.maxFailures).
	MaxFailures int
	// MaxStageAttempts is how often the outputs of one stage may be lost before
	// its job fails (spark.stage.maxConsecutiveAttempts). 0: 4.
	MaxStageAttempts int
	// LocalityWait is how long a task that isn't of the most critical kind waits
	// for a preferred executor, and then again for a preferred host
	// (spark.locality.wait). 0: not at all.
	LocalityWait time.Duration
	// StreamPriority divides stream jobs (up to it) from batch jobs. 0: 1.
	StreamPriority int
	// StaticStreamShare is, in mode static, the share of the slots that stream jobs have. 0: a half.
	StaticStreamShare float64
	// Pools are, in mode fair, the pools by name; others than these weigh 1.
	Pools map[string]Pool
	// MaxSuspensions and ProtectedRun guard against starvation: a task that was
	// suspended, or passed over while suspended, more often than that goes on
	// next, and can't be suspended for so long. The count then starts anew.
	// MaxSuspensions 0: no guard.
	MaxSuspensions int
	ProtectedRun   time.Duration
	// BatchMinShare is the share of slot time that batch tasks get however many
	// stream tasks there are, 0 to 1.
	BatchMinShare float64
	// KeepOutputs: outputs survive the loss of the executor that made them (an external store).
	KeepOutputs bool
	// Speculation starts copies of tasks that take much longer than the others of their stage.
	Speculation           bool
	SpeculationQuantile   float64 // share of the stage's tasks that must be done; 0: 0.9
	SpeculationMultiplier float64 // times the median; 0: 3
}

// Core is the state machine. It isn't safe for concurrent use.
type Core struct {
	conf      Conf
	mode      mode
	now       time.Duration
	jobs      map[JobID]*job
	shared    map[string]*stage
	executors map[policy.ExecutorID]*executor
	order     []*executor // by id
	tasks     map[policy.TaskID]*task
	nextTask  policy.TaskID
	sets      []*stage // those with pending tasks, unordered
	npending  int
	wake      time.Duration // when a decision was put off to; 0: never
	out       []Command
	asking    bool // a stage's tasks were asked for in this step
}

// New returns an empty Core.
func New(conf Conf) *Core {
	if conf.StreamPriority == 0 {
		conf.StreamPriority = 1
	}
	if conf.MaxFailures < 1 {
		conf.MaxFailures = 1
	}
	if conf.MaxStageAttempts == 0 {
		conf.MaxStageAttempts = 4
	}
	if conf.SpeculationQuantile == 0 {
		conf.SpeculationQuantile = 0.9
	}
	if conf.SpeculationMultiplier == 0 {
		conf.SpeculationMultiplier = 3
	}
	if conf.StaticStreamShare == 0 {
		conf.StaticStreamShare = 0.5
	}
	return &Core{conf: conf, mode: modeOf(conf.Mode), jobs: map[JobID]*job{}, shared: map[string]*stage{},
		executors: map[policy.ExecutorID]*executor{}, tasks: map[policy.TaskID]*task{}}
}

// ErrExecutorLost is why a job fails whose executor went away once too often.
var ErrExecutorLost = errors.New("executor lost")

// Step takes one event and returns what to do about it, in order. The slice is
// valid until the next Step.
func (c *Core) Step(ev Event) []Command {
	c.out = c.out[:0]
	c.asking = false
	c.apply(ev)
	if _, beat := ev.(Heartbeat); beat || c.asking {
		// Pressure changes where the next tasks go, not whether they can. And who is
		// asked for a stage's tasks answers at once: then all that is ready is offered together.
		return c.out
	}
	c.offer()
	return c.out
}

func (c *Core) apply(ev Event) {
	switch ev := ev.(type) {
	case All:
		for _, x := range ev {
			c.apply(x)
		}
	case Tick:
		if ev.Now > c.now {
			c.now = ev.Now
		}
		if c.conf.Speculation {
			c.speculate()
		}
	case ExecutorJoined:
		c.joined(ev)
	case ExecutorLost:
		c.lost(ev.ID)
	case ExecutorDraining:
		if e := c.executors[ev.ID]; e != nil && !e.draining {
			e.draining = true
			c.drained(e)
		}
	case Heartbeat:
		if e := c.executors[ev.ID]; e != nil {
			e.pressure = ev.Pressure
		}
	case JobSubmitted:
		c.submitted(ev)
	case StagePlanned:
		c.planned(ev)
	case TaskChanged:
		c.changed(ev)
	case JobCancelled:
		if j := c.jobs[ev.Job]; j != nil {
			c.fail(j, ev.Err)
		}
	}
}

// Next is when Step wants a Tick even if nothing else happens.
func (c *Core) Next() (at time.Duration, ok bool) {
	soon := func(t time.Duration) {
		if t > c.now && (!ok || t < at) {
			at, ok = t, true
		}
	}
	if c.npending > 0 {
		soon(c.wake)
		for _, e := range c.order {
			for _, t := range e.protected {
				soon(t.protected)
			}
		}
	}
	if c.conf.Speculation && len(c.tasks) > c.npending {
		soon(c.now + 100*time.Millisecond)
	}
	return at, ok
}

func (c *Core) do(cmd Command) { c.out = append(c.out, cmd) }

// Counts is a view for metrics.
type Counts struct{ Jobs, Pending, Running, Suspended, Blocked int }

// Counts returns how many jobs and tasks there are by state.
func (c *Core) Counts() Counts {
	n := Counts{Jobs: len(c.jobs), Pending: c.npending}
	for _, e := range c.order {
		n.Running += e.running
		n.Suspended += e.suspended
		n.Blocked += e.blocked
	}
	return n
}

// executor is the core's view of one executor. Its counters follow the states of its tasks.
type executor struct {
	id       policy.ExecutorID
	host     string
	slots    int
	draining bool
	reserved bool
	pressure policy.Pressure
	tasks    map[policy.TaskID]*task

	running, suspended, blocked int
	levels                      []level // by priority, ascending
	protected                   []*task // running, no victims for a while
	waiting                     []*task // suspended, the oldest first

	// Slot time for the batch share: since when it counts, what batch tasks had.
	shareSince, shareLast time.Duration
	batchTime             time.Duration
	batchRunning          int
	reserving             bool
}

// level counts an executor's tasks of one priority.
type level struct{ priority, running, suspended int }

func (e *executor) level(priority int) *level {
	i, ok := slices.BinarySearchFunc(e.levels, priority, func(l level, p int) int { return cmp.Compare(l.priority, p) })
	if !ok {
		e.levels = slices.Insert(e.levels, i, level{priority: priority})
	}
	return &e.levels[i]
}

func (c *Core) joined(ev ExecutorJoined) {
	e := c.executors[ev.ID]
	if e == nil {
		e = &executor{id: ev.ID, tasks: map[policy.TaskID]*task{}, shareSince: c.now, shareLast: c.now}
		c.executors[ev.ID] = e
		i, _ := slices.BinarySearchFunc(c.order, e, func(a, b *executor) int { return cmp.Compare(a.id, b.id) })
		c.order = slices.Insert(c.order, i, e)
	}
	e.host, e.slots, e.draining, e.reserved = ev.Host, max(0, ev.Slots), false, ev.Reserved
	c.reconsider()
}

// reconsider lets policies that decide once decide again.
func (c *Core) reconsider() {
	for _, s := range c.sets {
		s.decided = false
	}
}

func (c *Core) drained(e *executor) {
	if e.draining && len(e.tasks) == 0 {
		c.do(ExecutorDrained{e.id})
	}
}

func (c *Core) lost(id policy.ExecutorID) {
	e := c.executors[id]
	if e == nil {
		return
	}
	delete(c.executors, id)
	c.order = slices.DeleteFunc(c.order, func(x *executor) bool { return x == e })
	if !c.conf.KeepOutputs {
		for _, j := range c.sortedJobs() {
			c.loseOutputs(j, id, -1)
		}
	}
	gone := sortedTasks(e.tasks)
	for _, t := range gone {
		c.setState(t, Killed)
		c.ended(t, ExecutorLostError{id}, true)
	}
	c.reconsider()
}

// ExecutorLostError says which executor went away. It is an ErrExecutorLost.
type ExecutorLostError struct{ ID policy.ExecutorID }

func (e ExecutorLostError) Error() string { return ErrExecutorLost.Error() + ": " + string(e.ID) }

// Unwrap returns ErrExecutorLost.
func (e ExecutorLostError) Unwrap() error { return ErrExecutorLost }

func (c *Core) sortedJobs() []*job {
	out := make([]*job, 0, len(c.jobs))
	for _, j := range c.jobs {
		out = append(out, j)
	}
	slices.SortFunc(out, func(a, b *job) int { return cmp.Compare(a.id, b.id) })
	return out
}

func sortedTasks(m map[policy.TaskID]*task) []*task {
	out := make([]*task, 0, len(m))
	for _, t := range m {
		out = append(out, t)
	}
	slices.SortFunc(out, func(a, b *task) int { return cmp.Compare(a.id, b.id) })
	return out
}
