// Package core is the scheduler's state machine: jobs, stages, tasks and
// slots. It is pure: no clock, no socket, no goroutine. Step takes an event and
// returns commands; the same events give the same commands. Package cluster
// drives it.
package core

import (
	"cmp"
	"errors"
	"fmt"
	"slices"

	"neptune/scheduler/policy"
)

// JobID numbers jobs in order of submission.
type JobID int64

// Mode is how stream and batch share slots (neptune.scheduling.mode).
type Mode string

// The modes.
const (
	// FIFO offers slots in order of submission; priorities are ignored and nothing is suspended.
	FIFO Mode = "fifo"
	// Neptune offers slots by priority, and suspends less critical tasks.
	Neptune Mode = "neptune"
)

// Modes lists the modes, the default first.
func Modes() []string { return []string{string(Neptune), string(FIFO)} }

// Conf fixes how a Core works.
type Conf struct {
	Mode   Mode
	Policy policy.Policy
	// MaxFailures is how often one task may fail, for retryable causes, before its job does (spark.task.maxFailures).
	MaxFailures int
}

// Event is something that happened.
type Event interface{ event() }

// Command is something to do.
type Command interface{ command() }

// The events.
type (
	// ExecutorJoined adds an executor, or changes its slots.
	ExecutorJoined struct {
		ID    policy.ExecutorID
		Host  string
		Slots int
	}
	// ExecutorLost takes an executor and all its tasks away.
	ExecutorLost struct{ ID policy.ExecutorID }
	// Heartbeat brings an executor's memory state.
	Heartbeat struct {
		ID       policy.ExecutorID
		Pressure policy.Pressure
	}
	// JobSubmitted brings a job: its stages, parents before children, the last one the result.
	JobSubmitted struct {
		Job      JobID
		Priority int // lower is more critical
		Parents  [][]int
	}
	// StagePlanned answers PlanStage: one element a task, its preferred executors.
	StagePlanned struct {
		Job    JobID
		Stage  int
		Prefer [][]policy.ExecutorID
	}
	// TaskChanged reports what a task does on its executor.
	TaskChanged struct {
		Task  policy.TaskID
		State TaskState
		Err   error // of Failed
		Retry bool  // Failed: another attempt may help
	}
	// JobCancelled ends a job from outside.
	JobCancelled struct {
		Job JobID
		Err error
	}
)

// The commands.
type (
	// PlanStage asks how many tasks a stage has, now that its parents are done.
	PlanStage struct {
		Job   JobID
		Stage int
	}
	// Launch starts a task on an executor. With Suspend it takes the slot of a less critical task.
	Launch struct {
		Task     policy.TaskID
		Job      JobID
		Stage    int
		Index    int // partition
		Attempt  int
		Priority int
		Executor policy.ExecutorID
		Suspend  bool
	}
	// Kill ends a task, in whatever state it is.
	Kill struct {
		Task     policy.TaskID
		Executor policy.ExecutorID
	}
	// StageFinished tells that all tasks of a stage are done.
	StageFinished struct {
		Job   JobID
		Stage int
	}
	// JobFinished ends a job; no task of it runs any more.
	JobFinished struct {
		Job JobID
		Err error
	}
)

func (ExecutorJoined) event() {}
func (ExecutorLost) event()   {}
func (Heartbeat) event()      {}
func (JobSubmitted) event()   {}
func (StagePlanned) event()   {}
func (TaskChanged) event()    {}
func (JobCancelled) event()   {}

func (PlanStage) command()     {}
func (Launch) command()        {}
func (Kill) command()          {}
func (StageFinished) command() {}
func (JobFinished) command()   {}

// TaskState is where a task is in its life.
type TaskState uint8

// The states. Blocked tasks wait for I/O without a slot.
const (
	Pending TaskState = iota
	Launching
	Running
	Suspended
	Blocked
	Finished
	Failed
	Killed
)

var stateNames = [...]string{"pending", "launching", "running", "suspended", "blocked", "finished", "failed", "killed"}

func (s TaskState) String() string { return stateNames[s] }

// Over reports whether the task has ended.
func (s TaskState) Over() bool { return s >= Finished }

// holdsSlot reports whether a task in that state counts against its executor's slots.
func (s TaskState) holdsSlot() bool { return s == Launching || s == Running }

type task struct {
	id       policy.TaskID
	job      *job
	stage    int
	index    int
	attempt  int
	state    TaskState
	executor *executor
	prefer   []policy.ExecutorID
	suspends bool // was launched over a victim that hasn't yielded yet
}

type stage struct {
	parents []int
	asked   bool
	planned bool
	tasks   []*task
	done    int
}

type job struct {
	id       JobID
	priority int
	stages   []*stage
	alive    int // tasks on executors
	err      error
	ending   bool
}

type executor struct {
	id       policy.ExecutorID
	host     string
	slots    int
	pressure policy.Pressure
	tasks    map[policy.TaskID]*task
}

// holding counts tasks that hold a slot; a task launched over a victim shares its slot's count until the victim yields.
func (e *executor) holding() (running, suspended int) {
	for _, t := range e.tasks {
		switch {
		case t.state.holdsSlot():
			running++
		case t.state == Suspended:
			suspended++
		}
	}
	return running, suspended
}

// Core is the state machine. It isn't safe for concurrent use.
type Core struct {
	conf      Conf
	jobs      map[JobID]*job
	executors map[policy.ExecutorID]*executor
	tasks     map[policy.TaskID]*task
	nextTask  policy.TaskID
	pending   []*task // in order of offering
	out       []Command
}

// New returns an empty Core.
func New(conf Conf) *Core {
	return &Core{conf: conf, jobs: map[JobID]*job{}, executors: map[policy.ExecutorID]*executor{}, tasks: map[policy.TaskID]*task{}}
}

// ErrExecutorLost is why a job fails whose executor went away with its output.
var ErrExecutorLost = errors.New("executor lost")

// Step takes one event and returns what to do about it, in order. The slice is
// valid until the next Step.
func (c *Core) Step(ev Event) []Command {
	c.out = c.out[:0]
	switch ev := ev.(type) {
	case ExecutorJoined:
		e := c.executors[ev.ID]
		if e == nil {
			e = &executor{id: ev.ID, tasks: map[policy.TaskID]*task{}}
			c.executors[ev.ID] = e
		}
		e.host, e.slots = ev.Host, ev.Slots
	case ExecutorLost:
		c.lost(ev.ID)
	case Heartbeat:
		if e := c.executors[ev.ID]; e != nil {
			e.pressure = ev.Pressure
		}
	case JobSubmitted:
		j := &job{id: ev.Job, priority: ev.Priority}
		for _, p := range ev.Parents {
			j.stages = append(j.stages, &stage{parents: p})
		}
		c.jobs[ev.Job] = j
		c.ready(j)
	case StagePlanned:
		c.planned(ev)
	case TaskChanged:
		c.changed(ev)
	case JobCancelled:
		if j := c.jobs[ev.Job]; j != nil {
			c.fail(j, ev.Err)
		}
	}
	c.offer()
	return c.out
}

func (c *Core) do(cmd Command) { c.out = append(c.out, cmd) }

// ready asks for the plan of each stage whose parents are done.
func (c *Core) ready(j *job) {
	for i, s := range j.stages {
		if s.asked {
			continue
		}
		ok := true
		for _, p := range s.parents {
			ok = ok && j.stages[p].finished()
		}
		if ok {
			s.asked = true
			c.do(PlanStage{j.id, i})
		}
	}
}

func (s *stage) finished() bool { return s.planned && s.done == len(s.tasks) }

func (c *Core) planned(ev StagePlanned) {
	j := c.jobs[ev.Job]
	if j == nil || j.ending || ev.Stage >= len(j.stages) || j.stages[ev.Stage].planned {
		return
	}
	s := j.stages[ev.Stage]
	s.planned = true
	for i, p := range ev.Prefer {
		c.nextTask++
		t := &task{id: c.nextTask, job: j, stage: ev.Stage, index: i, prefer: p}
		s.tasks = append(s.tasks, t)
		c.tasks[t.id] = t
		c.enqueue(t)
	}
	c.stageDone(j, ev.Stage)
}

// enqueue keeps pending in order of offering: Neptune by priority, then job,
// stage and partition; FIFO without the priority.
func (c *Core) enqueue(t *task) {
	order := func(a, b *task) int {
		p := 0
		if c.conf.Mode != FIFO {
			p = cmp.Compare(a.job.priority, b.job.priority)
		}
		return cmp.Or(p, cmp.Compare(a.job.id, b.job.id), cmp.Compare(a.stage, b.stage), cmp.Compare(a.index, b.index))
	}
	i, _ := slices.BinarySearchFunc(c.pending, t, order)
	c.pending = slices.Insert(c.pending, i, t)
}

func (c *Core) stageDone(j *job, i int) {
	if j.ending || !j.stages[i].finished() {
		return
	}
	c.do(StageFinished{j.id, i})
	if i == len(j.stages)-1 {
		j.ending = true
		c.finish(j)
		return
	}
	c.ready(j)
}

func (c *Core) changed(ev TaskChanged) {
	t := c.tasks[ev.Task]
	if t == nil || t.state.Over() || t.state == Pending {
		return // late or duplicated message
	}
	t.state = ev.State
	if !ev.State.Over() {
		return
	}
	delete(t.executor.tasks, t.id)
	delete(c.tasks, t.id)
	j := t.job
	j.alive--
	switch {
	case j.ending:
		c.finish(j)
	case ev.State == Finished:
		j.stages[t.stage].done++
		c.stageDone(j, t.stage)
	case ev.Retry && t.attempt+1 < c.conf.MaxFailures:
		c.again(t)
	default:
		err := ev.Err
		if err == nil {
			err = fmt.Errorf("task %d of stage %d was %s", t.index, t.stage, ev.State)
		}
		c.fail(j, err)
	}
}

func (c *Core) again(t *task) {
	c.nextTask++
	n := &task{id: c.nextTask, job: t.job, stage: t.stage, index: t.index, attempt: t.attempt + 1, prefer: t.prefer}
	t.job.stages[t.stage].tasks[t.index] = n
	c.tasks[n.id] = n
	c.enqueue(n)
}

// fail ends a job: pending tasks are forgotten, the others killed. The job is
// over when the last of them has said so.
func (c *Core) fail(j *job, err error) {
	if j.ending {
		return
	}
	j.ending, j.err = true, err
	c.pending = slices.DeleteFunc(c.pending, func(t *task) bool {
		if t.job == j {
			delete(c.tasks, t.id)
		}
		return t.job == j
	})
	var kill []*task
	for _, t := range c.tasks {
		if t.job == j {
			kill = append(kill, t)
		}
	}
	slices.SortFunc(kill, func(a, b *task) int { return cmp.Compare(a.id, b.id) })
	for _, t := range kill {
		c.do(Kill{t.id, t.executor.id})
	}
	c.finish(j)
}

func (c *Core) finish(j *job) {
	if j.alive > 0 {
		return
	}
	delete(c.jobs, j.id)
	c.do(JobFinished{j.id, j.err})
}

func (c *Core) lost(id policy.ExecutorID) {
	e := c.executors[id]
	if e == nil {
		return
	}
	delete(c.executors, id)
	hit := map[*job]bool{}
	for _, t := range e.tasks {
		t.state = Killed
		delete(c.tasks, t.id)
		t.job.alive--
		hit[t.job] = true
	}
	var jobs []*job
	for j := range hit {
		jobs = append(jobs, j)
	}
	slices.SortFunc(jobs, func(a, b *job) int { return cmp.Compare(a.id, b.id) })
	for _, j := range jobs {
		if j.ending {
			c.finish(j)
		} else {
			c.fail(j, fmt.Errorf("%w: %s", ErrExecutorLost, id))
		}
	}
}

// offer places pending tasks. In Neptune mode those that could suspend someone
// go by the policy; all others take free slots in order, a preferred executor
// first, where suspended tasks (which resume before anything new starts) have
// left room.
func (c *Core) offer() {
	for len(c.pending) > 0 {
		group := c.pending[:1]
		for len(group) < len(c.pending) && c.pending[len(group)].job.priority == c.pending[0].job.priority {
			group = c.pending[:len(group)+1]
		}
		var placed int
		if c.conf.Mode == FIFO {
			group = c.pending
		}
		if c.conf.Mode == Neptune && c.critical(group[0].job.priority) {
			placed = c.byPolicy(group)
		} else {
			placed = c.greedy(group)
		}
		all := placed == len(group)
		c.pending = slices.DeleteFunc(c.pending, func(t *task) bool { return t.state != Pending })
		if !all {
			return // less critical ones may not overtake: what is free is waited for
		}
	}
}

// critical reports whether any task on an executor is less critical than p.
func (c *Core) critical(p int) bool {
	for _, t := range c.tasks {
		if t.executor != nil && t.job.priority > p {
			return true
		}
	}
	return false
}

func (c *Core) sortedExecutors() []*executor {
	out := make([]*executor, 0, len(c.executors))
	for _, e := range c.executors {
		out = append(out, e)
	}
	slices.SortFunc(out, func(a, b *executor) int { return cmp.Compare(a.id, b.id) })
	return out
}

func (c *Core) greedy(group []*task) (placed int) {
	type room struct {
		e    *executor
		free int
	}
	var rooms []*room
	total := 0
	for _, e := range c.sortedExecutors() {
		running, suspended := e.holding()
		free := max(0, e.slots-running-suspended)
		rooms = append(rooms, &room{e, free})
		total += free
	}
	for _, t := range group {
		if total == 0 {
			break
		}
		var best *room
		for _, id := range t.prefer {
			for _, r := range rooms {
				if r.e.id == id && r.free > 0 && best == nil {
					best = r
				}
			}
		}
		for _, r := range rooms {
			if best == nil || r.free > best.free && len(t.prefer) == 0 {
				if r.free > 0 {
					best = r
				}
			}
		}
		best.free--
		total--
		placed++
		c.launch(t, best.e, false)
	}
	return placed
}

func (c *Core) byPolicy(group []*task) (placed int) {
	p := group[0].job.priority
	snap := policy.Snapshot{Seed: uint64(c.nextTask)}
	for _, e := range c.sortedExecutors() {
		v := policy.Executor{ID: e.id, Host: e.host, Slots: e.slots, Pressure: e.pressure}
		taken := 0
		for _, t := range e.tasks {
			switch {
			case t.state.holdsSlot():
				v.Running++
				if t.job.priority > p {
					v.Victims++
				}
				if t.suspends {
					taken++
				}
			case t.state == Suspended:
				v.Suspended++
			}
		}
		// A task that was launched over a victim and its victim hold one slot until the yield.
		if over := v.Running - e.slots; over > 0 {
			v.Running -= over
			v.Victims = max(0, v.Victims-over)
		}
		snap.Executors = append(snap.Executors, v)
	}
	for _, t := range group {
		snap.Tasks = append(snap.Tasks, policy.Task{ID: t.id, Prefer: t.prefer})
	}
	for _, d := range c.conf.Policy.Decide(snap) {
		t, e := c.tasks[d.Task], c.executors[d.Executor]
		if t == nil || e == nil || t.state != Pending {
			continue
		}
		placed++
		c.launch(t, e, d.Suspend)
	}
	return placed
}

func (c *Core) launch(t *task, e *executor, suspend bool) {
	t.state, t.executor, t.suspends = Launching, e, suspend
	e.tasks[t.id] = t
	t.job.alive++
	c.do(Launch{Task: t.id, Job: t.job.id, Stage: t.stage, Index: t.index, Attempt: t.attempt, Priority: t.job.priority, Executor: e.id, Suspend: suspend})
}

// Counts is a view for metrics.
type Counts struct{ Jobs, Pending, Running, Suspended, Blocked int }

// Counts returns how many jobs and tasks there are by state.
func (c *Core) Counts() Counts {
	n := Counts{Jobs: len(c.jobs), Pending: len(c.pending)}
	for _, t := range c.tasks {
		switch t.state {
		case Launching, Running:
			n.Running++
		case Suspended:
			n.Suspended++
		case Blocked:
			n.Blocked++
		}
	}
	return n
}
