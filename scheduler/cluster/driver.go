// Package cluster runs the scheduler: it feeds the state machine of package
// core with what executors and clients say, and carries out its commands.
package cluster

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"neptune/scheduler/core"
	"neptune/scheduler/policy"
	"neptune/scheduler/stagegraph"
)

// Job is one query to run.
type Job struct {
	Query    string // operation id, unique
	Graph    *stagegraph.Graph
	Priority int
	// Pool is the fair scheduling pool; "" is default.
	Pool string
	// Target is how soon the job should be done, and Estimate how long it takes alone; 0: unknown (policy deadline).
	Target, Estimate time.Duration
	Sizer            stagegraph.Sizer
	// Prefer names preferred executors of a task, best first; nil: none.
	Prefer func(s *stagegraph.Stage, index, count int) []policy.ExecutorID
	// Payload travels with each task to the executor, which knows what it is.
	Payload any
	// Adaptive plans stages anew when their inputs are complete; nil: they stay as they are.
	Adaptive *stagegraph.Adaptive
	// ResultTasks is told the number of tasks of the result stage before the first of them runs.
	ResultTasks func(n int)
	// Spread: the tasks' rows stay where they were written, and each task is told
	// where those of its inputs are (TaskSpec.Sources).
	Spread bool
	// Home names the only executor that can run a stage, "": any that isn't
	// reserved. It is asked when the stage's tasks are planned; nil: any.
	Home func(s *stagegraph.Stage) policy.ExecutorID
	// Noted hears what the tasks that finished had to say (Status.Notes), each
	// partition's before the job ends; once more when it was run again.
	Noted func(stage, index int, by policy.ExecutorID, notes any)
}

// Spender is an Executor that can forget the rows that a stage wrote when all
// stages that read them have ended. Those whose rows may be asked for again, to
// make up for a lost executor, aren't such.
type Spender interface {
	Spent(query string, s *stagegraph.Stage)
}

// spent is the stages whose readers have all ended, now that stage has.
func (j *running) spent(stage int) (out []*stagegraph.Stage) {
	for _, p := range j.Graph.Stages[stage].Parents {
		all := true
		for _, s := range j.Graph.Stages {
			if slices.Contains(s.Parents, p) {
				all = all && j.stages[s.ID].Done
			}
		}
		if all {
			out = append(out, j.Graph.Stages[p])
		}
	}
	return out
}

// TaskSpec is one task, as an executor gets it.
type TaskSpec struct {
	ID       int64
	Query    string
	Stage    *stagegraph.Stage
	Index    int // partition, of Count
	Count    int
	Attempt  int
	Priority int
	// Suspend: the task may take the slot of a less critical one; Victim is which, 0: any.
	Suspend bool
	Victim  int64
	Payload any
	// Sources is where the rows of the stage's inputs are; nil if the job isn't Spread.
	Sources *Sources
}

// Status is what an executor says of a task.
type Status struct {
	Task  int64
	State core.TaskState
	Err   error
	Retry bool
	Bytes int64 // read so far
	// Latency and By are those of Event.
	Latency time.Duration
	// Worked is, of Suspended, how much CPU time the task's thread had meanwhile, if that is measured.
	Worked time.Duration
	By     int64
	// Executor is who says it; "": the one that runs the task.
	Executor policy.ExecutorID
	// RetainedMB is the memory that a suspended task holds.
	RetainedMB float64
	// Fetch says that Failed was for want of an input's rows.
	Fetch *FetchFailure
	// Sizes are, of Finished, the bytes written for each partition of the stage's exchange (RangeBy: in all).
	Sizes []int64
	// Notes are, of Finished, what goes to Job.Noted.
	Notes any
}

// Executor runs tasks: in this process, or far away.
type Executor interface {
	ID() policy.ExecutorID
	Host() string
	Slots() int
	// Launch starts a task; what becomes of it comes to Driver.Report.
	Launch(TaskSpec)
	Kill(task int64)
	// Reprioritize changes the priority of a task.
	Reprioritize(task int64, priority int)
	// Release forgets what a query left on the executor (shuffle data).
	Release(query string)
}

// Evicter is an Executor that knows which tasks can't start again, because
// their rows are with the client already: mode kill leaves them alone.
type Evicter interface {
	// Evict is Kill for tasks that can start again, and nothing for others.
	Evict(task int64)
}

// Protecter is an Executor that keeps a task from being suspended for a while
// (neptune.starvation.protectedRun).
type Protecter interface {
	Protect(task int64, d time.Duration)
}

// Driver runs jobs on executors. It is safe for concurrent use.
type Driver struct {
	mu     sync.Mutex
	queue  []core.Event
	ends   map[policy.TaskID]ending // of tasks whose end is in queue
	signal chan struct{}
	stop   chan struct{}
	done   chan struct{}

	core      *core.Core
	executors map[policy.ExecutorID]Executor
	jobs      map[core.JobID]*running
	tasks     map[policy.TaskID]*live
	nextJob   core.JobID
	origin    time.Time  // of the core's time
	ended     []*running // in this step
	observers []func(Event)
}

type running struct {
	*Job
	id       core.JobID
	stages   []StageProgress
	outputs  [][]output
	sources  map[int]*Sources // by stage; forgotten when outputs change
	err      error
	finished chan error

	started     time.Time
	suspensions int64
	suspended   time.Duration // of its tasks, those that went on
}

type live struct {
	job   *running
	stage int
	bytes int64
	state core.TaskState

	index, attempt int
	executor       policy.ExecutorID
	away           time.Time // when it was suspended; zero: it isn't
}

// StageProgress counts the tasks of one stage.
type StageProgress struct {
	Tasks, Completed, Running, Suspended int
	Bytes                                int64
	Done                                 bool
	// Note is how the stage was planned anew (adaptive execution); "": it wasn't.
	Note string
}

// NewDriver starts a driver; Close ends it.
func NewDriver(conf core.Conf) *Driver {
	d := &Driver{
		signal: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
		core: core.New(conf), executors: map[policy.ExecutorID]Executor{},
		jobs: map[core.JobID]*running{}, tasks: map[policy.TaskID]*live{}, origin: time.Now(), ends: map[policy.TaskID]ending{},
	}
	go d.loop()
	return d
}

// Close stops the driver. Jobs still running fail.
func (d *Driver) Close() {
	close(d.stop)
	<-d.done
}

// Add joins an executor.
func (d *Driver) Add(e Executor) {
	d.mu.Lock()
	d.executors[e.ID()] = e
	d.mu.Unlock()
	d.tell(Event{Kind: ExecutorAdded, Executor: e.ID(), Tasks: e.Slots()})
	r, ok := e.(Reserved)
	d.post(core.ExecutorJoined{ID: e.ID(), Host: e.Host(), Slots: e.Slots(), Reserved: ok && r.Reserved()})
}

// Heartbeat brings an executor's memory state.
func (d *Driver) Heartbeat(id policy.ExecutorID, p policy.Pressure) {
	d.post(core.Heartbeat{ID: id, Pressure: p})
}

// Report brings a change of a task's state. Executors call it.
func (d *Driver) Report(s Status) {
	var ev Event
	known := false
	d.mu.Lock()
	change := core.TaskChanged{Task: policy.TaskID(s.Task), State: s.State, Err: s.Err, Retry: s.Retry, Executor: s.Executor, RetainedMB: s.RetainedMB}
	if l := d.tasks[policy.TaskID(s.Task)]; l != nil && (s.Executor == "" || s.Executor == l.executor) {
		ev, known = Event{Query: l.job.Query, Job: int64(l.job.id), Stage: l.stage, Task: s.Task, Index: l.index, Attempt: l.attempt, Executor: l.executor,
			Priority: l.job.Priority, State: s.State, Latency: s.Latency, Worked: s.Worked, By: s.By, Err: s.Err}, true
		l.suspended(d, s, &ev)
		p := &l.job.stages[l.stage]
		l.count(-1)
		p.Bytes += s.Bytes - l.bytes
		l.state, l.bytes = s.State, s.Bytes
		l.count(1)
		if s.State.Over() {
			delete(d.tasks, policy.TaskID(s.Task))
		}
		if s.State == core.Finished {
			d.ends[policy.TaskID(s.Task)] = ending{l.job, l.stage, l.index, output{l.executor, s.Sizes}, s.Notes}
		}
		change.Fetch = l.job.fetch(s.Fetch)
	}
	d.mu.Unlock()
	switch {
	case !known:
	case s.State.Over():
		ev.Kind = TaskEnded
		d.tell(ev)
	case s.State == core.Suspended:
		ev.Kind = TaskSuspended
		d.tell(ev)
	case s.State == core.Blocked:
		ev.Kind = TaskBlocked
		d.tell(ev)
	case s.State == core.Running && s.Latency > 0:
		ev.Kind = TaskResumed
		d.tell(ev)
	}
	d.post(change)
}

func (d *Driver) post(ev core.Event) {
	d.mu.Lock()
	d.queue = append(d.queue, ev)
	d.mu.Unlock()
	select {
	case d.signal <- struct{}{}:
	default:
	}
}

// ErrClosed is the end of jobs that were running when the driver closed.
var ErrClosed = errors.New("the server is stopping")

func (d *Driver) loop() {
	defer close(d.done)
	var batch []core.Event
	wake := time.NewTimer(time.Hour)
	defer wake.Stop()
	for {
		if at, ok := d.core.Next(); ok {
			wake.Reset(max(0, at-time.Since(d.origin)) + time.Microsecond)
		}
		select {
		case <-d.stop:
			d.mu.Lock()
			for _, j := range d.jobs {
				j.finished <- ErrClosed
			}
			d.jobs = map[core.JobID]*running{}
			d.mu.Unlock()
			return
		case <-d.signal:
		case <-wake.C:
		}
		d.step(core.Tick{Now: time.Since(d.origin)})
		for {
			d.mu.Lock()
			batch, d.queue = d.queue, batch[:0]
			d.mu.Unlock()
			if len(batch) == 0 {
				break
			}
			d.settle(batch)
			d.step(core.All(batch)) // slots are offered once for all of them
		}
	}
}

// step runs one event, and then the events that its commands answer with at once.
func (d *Driver) step(ev core.Event) {
	for ev != nil {
		var answers core.All
		for _, c := range d.core.Step(ev) {
			if answer := d.carryOut(c); answer != nil {
				answers = append(answers, answer)
			}
		}
		ev = nil
		if answers != nil {
			ev = answers
		}
		// After the other commands: who waits for a job finds its outputs released.
		for _, j := range d.ended {
			j.finished <- j.err
		}
		d.ended = d.ended[:0]
	}
}

func (d *Driver) carryOut(c core.Command) core.Event {
	switch c := c.(type) {
	case core.PlanStage:
		d.mu.Lock()
		j := d.jobs[c.Job]
		d.mu.Unlock()
		if j == nil {
			return nil
		}
		note := ""
		d.mu.Lock()
		if j.Adaptive != nil {
			note = j.Adaptive.Plan(j.Graph, c.Stage, j.written)
		}
		s := j.Graph.Stages[c.Stage]
		n := 0
		if s.TakenBy == nil {
			n = max(1, stagegraph.Tasks(s.Root, j.Sizer))
		}
		d.mu.Unlock()
		ev := core.StagePlanned{Job: c.Job, Stage: c.Stage, Prefer: make([][]policy.ExecutorID, n)}
		if j.Prefer != nil {
			for i := range ev.Prefer {
				ev.Prefer[i] = j.Prefer(s, i, n)
			}
		}
		if j.Home != nil {
			ev.Home = j.Home(s)
		}
		d.mu.Lock()
		j.stages[c.Stage].Tasks, j.stages[c.Stage].Note = n, note
		j.outputs[c.Stage] = make([]output, n)
		d.mu.Unlock()
		if s.Output == nil && j.ResultTasks != nil {
			j.ResultTasks(n)
		}
		d.tell(Event{Kind: StageStarted, Query: j.Query, Job: int64(j.id), Stage: c.Stage, Tasks: n, Priority: j.Priority, Note: note})
		return ev
	case core.Launch:
		d.mu.Lock()
		j, e := d.jobs[c.Job], d.executors[c.Executor]
		var count int
		var sources *Sources
		if j != nil {
			count = j.stages[c.Stage].Tasks
			sources = d.sourcesOf(j, j.Graph.Stages[c.Stage])
			j.stages[c.Stage].Running++
			d.tasks[c.Task] = &live{job: j, stage: c.Stage, state: core.Launching, index: c.Index, attempt: c.Attempt, executor: c.Executor}
		}
		d.mu.Unlock()
		if j == nil || e == nil {
			return core.TaskChanged{Task: c.Task, State: core.Killed}
		}
		d.tell(Event{Kind: TaskLaunched, Query: j.Query, Job: int64(j.id), Stage: c.Stage, Task: int64(c.Task), Index: c.Index, Attempt: c.Attempt,
			Executor: c.Executor, Priority: c.Priority, State: core.Launching, Victim: int64(c.Victim)})
		e.Launch(TaskSpec{ID: int64(c.Task), Query: j.Query, Stage: j.Graph.Stages[c.Stage], Index: c.Index, Count: count,
			Attempt: c.Attempt, Priority: c.Priority, Suspend: c.Suspend, Victim: int64(c.Victim), Payload: j.Payload, Sources: sources})
	case core.Kill:
		d.mu.Lock()
		e := d.executors[c.Executor]
		d.mu.Unlock()
		if x, ok := e.(Evicter); ok && c.Evict {
			x.Evict(int64(c.Task))
		} else if e != nil {
			e.Kill(int64(c.Task))
		}
	case core.Reprioritize:
		d.mu.Lock()
		e := d.executors[c.Executor]
		d.mu.Unlock()
		if e != nil {
			e.Reprioritize(int64(c.Task), c.Priority)
		}
	case core.ExecutorDrained:
		d.mu.Lock()
		e := d.executors[c.ID]
		d.mu.Unlock()
		if x, ok := e.(Drainer); ok {
			x.Drained()
		}
	case core.Protect:
		d.mu.Lock()
		e := d.executors[c.Executor]
		d.mu.Unlock()
		if x, ok := e.(Protecter); ok {
			x.Protect(int64(c.Task), c.For)
		}
	case core.StageFinished:
		d.mu.Lock()
		var spent []*stagegraph.Stage
		var list []Executor
		j := d.jobs[c.Job]
		if j != nil {
			j.stages[c.Stage].Done = true
			spent = j.spent(c.Stage)
			for _, e := range d.executors {
				list = append(list, e)
			}
		}
		d.mu.Unlock()
		if j != nil {
			d.tell(Event{Kind: StageEnded, Query: j.Query, Job: int64(j.id), Stage: c.Stage, Priority: j.Priority})
		}
		for _, s := range spent {
			for _, e := range list {
				if x, ok := e.(Spender); ok {
					x.Spent(j.Query, s)
				}
			}
		}
	case core.StageLost:
		d.mu.Lock()
		if j := d.jobs[c.Job]; j != nil {
			j.stages[c.Stage].Done = false
			j.stages[c.Stage].Completed -= len(c.Indexes)
			j.lost(c.Stage, c.Indexes)
		}
		d.mu.Unlock()
		d.tell(Event{Kind: StageRepeats, Job: int64(c.Job), Stage: c.Stage, Tasks: len(c.Indexes)})
	case core.JobFinished:
		d.mu.Lock()
		j := d.jobs[c.Job]
		d.mu.Unlock()
		if j != nil {
			j.err = c.Err
			d.tell(Event{Kind: JobEnded, Query: j.Query, Job: int64(j.id), Priority: j.Priority, Err: c.Err})
			d.ended = append(d.ended, j)
		}
	case core.JobReleased:
		d.mu.Lock()
		j := d.jobs[c.Job]
		delete(d.jobs, c.Job)
		all := make([]Executor, 0, len(d.executors))
		for _, e := range d.executors {
			all = append(all, e)
		}
		d.mu.Unlock()
		if j != nil {
			for _, e := range all {
				e.Release(j.Query)
			}
		}
	}
	return nil
}

// suspended notes that a task was suspended, or isn't any more. The driver's lock is held.
func (l *live) suspended(d *Driver, s Status, ev *Event) {
	switch {
	case s.State == core.Suspended:
		l.job.suspensions++
		l.away = time.Now()
		ev.RetainedMB, ev.Reason = s.RetainedMB, "requested"
		if by := d.tasks[policy.TaskID(s.By)]; by != nil {
			ev.ByQuery, ev.ByPriority = by.job.Query, by.job.Priority
			ev.Reason = "a more critical task asked for the slot"
		}
	case !l.away.IsZero():
		ev.Away = time.Since(l.away)
		l.job.suspended += ev.Away
		l.away = time.Time{}
	}
}

// Run runs a job to its end. When ctx is done it kills the job's tasks and
// waits until they have unwound; the error is then ctx's cause. progress, if
// not nil, is called now and then, and at the end, with the state of the job.
func (d *Driver) Run(ctx context.Context, job *Job, progress func(job JobInfo, ended bool)) error {
	j := &running{Job: job, stages: make([]StageProgress, len(job.Graph.Stages)), outputs: make([][]output, len(job.Graph.Stages)), finished: make(chan error, 1), started: time.Now()}
	ev := core.JobSubmitted{Priority: job.Priority, Pool: job.Pool, Estimate: job.Estimate}
	if job.Target > 0 {
		ev.Deadline = time.Since(d.origin) + job.Target
	}
	for _, s := range job.Graph.Stages {
		ev.Parents = append(ev.Parents, slices.Concat(s.Parents, s.Waits))
	}
	d.mu.Lock()
	d.nextJob++
	j.id = d.nextJob
	ev.Job = j.id
	d.jobs[j.id] = j
	d.mu.Unlock()
	d.tell(Event{Kind: JobStarted, Query: j.Query, Job: int64(j.id), Tasks: len(j.stages), Priority: j.Priority})
	d.post(ev)

	var tick <-chan time.Time
	if progress != nil {
		t := time.NewTicker(100 * time.Millisecond)
		defer t.Stop()
		tick = t.C
	}
	cancelled := ctx.Done()
	for {
		select {
		case err := <-j.finished:
			if progress != nil {
				progress(d.snapshot(j), true)
			}
			if ctx.Err() != nil {
				return context.Cause(ctx)
			}
			return err
		case <-tick:
			progress(d.snapshot(j), false)
		case <-cancelled:
			cancelled = nil
			d.post(core.JobCancelled{Job: j.id, Err: context.Cause(ctx)})
		case <-d.done:
			return ErrClosed
		}
	}
}

func (d *Driver) snapshot(j *running) JobInfo {
	d.mu.Lock()
	defer d.mu.Unlock()
	return j.info()
}

// Active returns the number of jobs running.
func (d *Driver) Active() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return len(d.jobs)
}
