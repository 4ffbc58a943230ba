package cluster

import (
	"cmp"
	"slices"
	"time"

	"neptune/scheduler/core"
	"neptune/scheduler/policy"
)

// EventKind says what happened.
type EventKind uint8

// The kinds of events. A task's are in order; those of different tasks may be
// a little out of order.
const (
	JobStarted EventKind = iota
	JobEnded
	StageStarted // its tasks are known
	StageEnded
	StageRepeats // outputs were lost: some of its tasks run again
	TaskLaunched
	TaskSuspended
	TaskResumed
	TaskBlocked
	TaskEnded // state and error say how
	ExecutorAdded
	ExecutorRemoved
)

// Event is something that a job, a task or an executor did.
type Event struct {
	Kind  EventKind
	Time  time.Time
	Query string // operation id
	Job   int64
	Stage int
	Tasks int // of StageStarted and StageRepeats: how many; of JobStarted, stages; of ExecutorAdded, slots
	Task  int64
	Index int // partition
	// Attempt counts from 0.
	Attempt  int
	Executor policy.ExecutorID
	// Priority of the job: the lower, the more critical.
	Priority int
	State    core.TaskState
	// Latency is, of TaskSuspended, the time from the request to the yield and,
	// of TaskResumed, that from the free slot to the first step.
	Latency time.Duration
	// Worked is, of TaskSuspended, the CPU time in it, if that is measured.
	Worked time.Duration
	// By is, of TaskSuspended, the task that asked for the slot, 0: not known;
	// ByQuery and ByPriority are its job's, if the driver knows it still.
	By         int64
	ByQuery    string
	ByPriority int
	// Reason says, of TaskSuspended, why.
	Reason string
	// RetainedMB is, of TaskSuspended, the memory that the task keeps.
	RetainedMB float64
	// Away is, of TaskResumed, how long the task had been suspended.
	Away time.Duration
	// Victim is, of TaskLaunched, the task whose slot the policy chose, 0: any, or none needed.
	Victim int64
	// Note is, of StageStarted, how the stage was planned anew (adaptive execution); "": it wasn't.
	Note string
	Err  error
}

// Observe has f called with all events from now on. f must be quick and must
// not call the driver.
func (d *Driver) Observe(f func(Event)) {
	d.mu.Lock()
	defer d.mu.Unlock()
	all := append(slices.Clone(d.observers), f)
	d.observers = all
}

// tell hands an event to the observers. The driver's lock must not be held.
func (d *Driver) tell(ev Event) {
	d.mu.Lock()
	to := d.observers
	d.mu.Unlock()
	if len(to) == 0 {
		return
	}
	ev.Time = time.Now()
	for _, f := range to {
		f(ev)
	}
}

// ExecutorInfo is an executor, and its tasks as the driver has heard of them.
type ExecutorInfo struct {
	ID                          policy.ExecutorID
	Host                        string
	Slots                       int
	Running, Suspended, Blocked int
	Reserved                    bool // for stages that can't run elsewhere
}

// Executors returns the executors, by name.
func (d *Driver) Executors() []ExecutorInfo {
	d.mu.Lock()
	defer d.mu.Unlock()
	byID := map[policy.ExecutorID]*ExecutorInfo{}
	for id, e := range d.executors {
		r, ok := e.(Reserved)
		byID[id] = &ExecutorInfo{ID: id, Host: e.Host(), Slots: e.Slots(), Reserved: ok && r.Reserved()}
	}
	for _, l := range d.tasks {
		x := byID[l.executor]
		if x == nil {
			continue
		}
		switch l.state {
		case core.Running, core.Launching:
			x.Running++
		case core.Suspended:
			x.Suspended++
		case core.Blocked:
			x.Blocked++
		}
	}
	out := make([]ExecutorInfo, 0, len(byID))
	for _, x := range byID {
		out = append(out, *x)
	}
	slices.SortFunc(out, func(a, b ExecutorInfo) int { return cmp.Compare(a.ID, b.ID) })
	return out
}

// JobInfo is a job under way.
type JobInfo struct {
	Query       string
	ID          int64
	Priority    int
	Pool        string
	Started     time.Time
	Suspensions int64 // of its tasks, so far
	// Suspended is for how long its tasks were suspended, in sum.
	Suspended time.Duration
	Stages    []StageProgress
}

// info is the job as it is now. The driver's lock is held.
func (j *running) info() JobInfo {
	return JobInfo{Query: j.Query, ID: int64(j.id), Priority: j.Priority, Pool: j.Pool, Started: j.started,
		Suspensions: j.suspensions, Suspended: j.suspended, Stages: slices.Clone(j.stages)}
}

// Jobs returns the jobs under way, oldest first.
func (d *Driver) Jobs() []JobInfo {
	d.mu.Lock()
	defer d.mu.Unlock()
	out := make([]JobInfo, 0, len(d.jobs))
	for _, j := range d.jobs {
		out = append(out, j.info())
	}
	slices.SortFunc(out, func(a, b JobInfo) int { return cmp.Compare(a.ID, b.ID) })
	return out
}
