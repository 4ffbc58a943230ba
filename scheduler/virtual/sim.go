// Package virtual runs the scheduler's core against executors that exist only
// in simulated time: a discrete-event simulation in which tasks are durations.
// Decisions are those of the real core; what is simulated is the executors, the
// messages, and the work. It is deterministic: a seed gives one schedule.
package virtual

import (
	"container/heap"
	"fmt"
	"math/rand/v2"
	"time"

	"neptune/scheduler/core"
	"neptune/scheduler/policy"
)

// Executor is a virtual executor.
type Executor struct {
	ID       policy.ExecutorID
	Host     string
	Slots    int
	MemoryMB float64 // 0: unlimited
}

// Task is one partition's work.
type Task struct {
	Work     time.Duration
	Prefer   []policy.ExecutorID
	MemoryMB float64       // held from start to end
	Pause    time.Duration // half-way it waits so long for I/O, without a slot
}

// Stage is tasks that start when the parents are done.
type Stage struct {
	Parents []int
	Gang    int
	Key     string
	Tasks   []Task
}

// Job arrives at a time. Name is its kind in the figures ("stream", "batch").
type Job struct {
	Name     string
	Arrive   time.Duration
	Priority int
	Pool     string
	Target   time.Duration // latency target, 0: none
	Estimate time.Duration
	Stages   []Stage
}

// Config is a cluster and what to run on it.
type Config struct {
	Core      core.Conf
	Executors []Executor
	Seed      uint64
	// Delay is how long a message takes, each way; nil: no time. Messages to and from
	// one executor keep their order unless Disorder is set, which also delivers some twice.
	Delay    func(*rand.Rand) time.Duration
	Disorder bool
	// Yield is how long a task runs on before it notices that it is to give way; nil: no time.
	Yield func(*rand.Rand) time.Duration
	// Heartbeat is how often executors tell their memory state; 0: at every change.
	Heartbeat time.Duration
	// Limit ends the simulation even if jobs are unfinished; 0: no limit.
	Limit time.Duration
	// Pressure is what executors say of their memory when they join.
	Pressure map[policy.ExecutorID]policy.Pressure
	// Record keeps who ran where and when (Result.Spans).
	Record bool
	// Lose takes executors away at a time.
	Lose map[policy.ExecutorID]time.Duration
	// Cancel ends jobs (by their place in the list, from 1) at a time.
	Cancel map[core.JobID]time.Duration
	// Check, if set, is called after each step of the core.
	Check func(c *core.Core, cmds []core.Command) error
}

// Span is a task on a slot for a while.
type Span struct {
	Executor policy.ExecutorID
	Slot     int
	Job      int // index in the list of jobs
	Stage    int
	Index    int
	From, To time.Duration
	Lost     bool // the work was thrown away
}

// JobResult is what became of a job.
type JobResult struct {
	Name     string
	Arrived  time.Duration
	Started  time.Duration // first task of it
	Finished time.Duration
	Done     bool
	Err      error
	Missed   bool // its latency target
}

// Response is the time from arrival to end.
func (r JobResult) Response() time.Duration { return r.Finished - r.Arrived }

// Result is what a simulation measured.
type Result struct {
	Jobs          []JobResult
	Makespan      time.Duration // end of the last job
	Now           time.Duration
	Suspensions   int
	Kills         int
	MostSuspended int           // suspensions of one task without a protected run in between
	Busy          time.Duration // slot time with work on it, over all slots
	BatchWork     time.Duration // useful slot time of batch tasks
	BatchBusy     time.Duration // slot time that batch tasks had
	Redone        time.Duration // work thrown away by kills
	SpilledMB     float64
	Placed        map[policy.ExecutorID]int // launches of stream tasks
	Decisions     []time.Duration           // wall time of each step that had commands
	StartDelays   []time.Duration           // from a stream stage's being ready to each of its tasks' start
	Spans         []Span
	Outputs       map[string]int // job.stage.index: times committed
	Share         []float64      // of slot time for batch, each 10 s window
}

type item struct {
	at  time.Duration
	seq int64
	do  func()
}

type agenda []item

func (a agenda) Len() int { return len(a) }
func (a agenda) Less(i, j int) bool {
	return a[i].at < a[j].at || a[i].at == a[j].at && a[i].seq < a[j].seq
}
func (a agenda) Swap(i, j int) { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)   { *a = append(*a, x.(item)) }
func (a *agenda) Pop() any {
	old := *a
	x := old[len(old)-1]
	*a = old[:len(old)-1]
	return x
}

type sim struct {
	conf   Config
	core   *core.Core
	jobs   []Job
	r      *rand.Rand
	now    time.Duration
	agenda agenda
	seq    int64
	execs  map[policy.ExecutorID]*executor
	order  []*executor
	ready  map[[2]int]time.Duration // job, stage: when it was planned
	res    *Result
	err    error
	left   int // jobs not finished
	tickAt time.Duration
	stream int // priority
	shares []time.Duration
	inbox  core.All
}

// Run simulates until all jobs have ended, or the limit. An error says that the
// core broke a rule (or Check did).
func Run(conf Config, jobs []Job) (*Result, error) {
	s := &sim{conf: conf, core: core.New(conf.Core), jobs: jobs, r: rand.New(rand.NewPCG(conf.Seed, 11)), execs: map[policy.ExecutorID]*executor{},
		ready: map[[2]int]time.Duration{}, left: len(jobs), tickAt: -1, stream: conf.Core.StreamPriority,
		res: &Result{Placed: map[policy.ExecutorID]int{}, Outputs: map[string]int{}, Jobs: make([]JobResult, len(jobs))}}
	if s.stream == 0 {
		s.stream = 1
	}
	for _, e := range conf.Executors {
		x := newExecutor(s, e)
		s.execs[e.ID] = x
		s.order = append(s.order, x)
		s.at(0, func() { s.step(core.ExecutorJoined{ID: e.ID, Host: e.Host, Slots: e.Slots}) })
		if p, ok := conf.Pressure[e.ID]; ok {
			s.at(0, func() { s.step(core.Heartbeat{ID: e.ID, Pressure: p}) })
		}
		if conf.Heartbeat > 0 {
			x.beatLater()
		}
		if at, ok := conf.Lose[e.ID]; ok {
			s.at(at, func() { x.die(); s.step(core.ExecutorLost{ID: e.ID}) })
		}
	}
	for i, j := range jobs {
		s.res.Jobs[i] = JobResult{Name: j.Name, Arrived: j.Arrive, Started: -1}
		s.at(j.Arrive, func() { s.submit(i, j) })
	}
	for id, at := range conf.Cancel {
		s.at(at, func() { s.step(core.JobCancelled{Job: id, Err: ErrCancelled}) })
	}
	for len(s.agenda) > 0 && s.err == nil && s.left > 0 {
		it := heap.Pop(&s.agenda).(item)
		if conf.Limit > 0 && it.at > conf.Limit {
			s.advance(conf.Limit)
			break
		}
		s.advance(it.at)
		it.do()
	}
	for _, x := range s.order {
		x.close()
	}
	if s.err == nil && s.left > 0 && (conf.Limit == 0 || s.now < conf.Limit) {
		s.err = fmt.Errorf("at %v nothing happens any more, and %d jobs have not ended: %+v", s.now, s.left, s.core.Counts())
	}
	s.res.Now = s.now
	s.windows()
	return s.res, s.err
}

// ErrCancelled is the end of jobs that Config.Cancel names.
var ErrCancelled = fmt.Errorf("cancelled")

func (s *sim) at(t time.Duration, do func()) {
	s.seq++
	heap.Push(&s.agenda, item{max(t, s.now), s.seq, do})
}

// advance moves the clock, and adds up the slots in use.
func (s *sim) advance(t time.Duration) {
	if t <= s.now {
		return
	}
	for _, x := range s.order {
		for i := range x.slots {
			if r := x.slots[i]; r != nil {
				s.res.Busy += t - s.now
				if r.priority > s.stream {
					s.res.BatchBusy += t - s.now
					s.window(s.now, t)
				}
			}
		}
	}
	s.now = t
}

const shareWindow = 10 * time.Second

// window adds batch slot time from one moment to another to the 10 s windows.
func (s *sim) window(from, to time.Duration) {
	for from < to {
		i := int(from / shareWindow)
		for len(s.shares) <= i {
			s.shares = append(s.shares, 0)
		}
		end := min(to, time.Duration(i+1)*shareWindow)
		s.shares[i] += end - from
		from = end
	}
}

func (s *sim) windows() {
	slots := 0
	for _, e := range s.conf.Executors {
		slots += e.Slots
	}
	for i := 0; time.Duration(i+1)*shareWindow <= s.now; i++ {
		v := 0.0
		if i < len(s.shares) {
			v = s.shares[i].Seconds() / (shareWindow.Seconds() * float64(slots))
		}
		s.res.Share = append(s.res.Share, v)
	}
}

func (s *sim) delay() time.Duration {
	if s.conf.Delay == nil {
		return 0
	}
	return s.conf.Delay(s.r)
}

func (s *sim) submit(i int, j Job) {
	ev := core.JobSubmitted{Job: core.JobID(i + 1), Priority: j.Priority, Pool: j.Pool, Estimate: j.Estimate}
	if j.Target > 0 {
		ev.Deadline = s.now + j.Target
	}
	for _, st := range j.Stages {
		ev.Parents = append(ev.Parents, st.Parents)
		ev.Keys = append(ev.Keys, st.Key)
		ev.Gangs = append(ev.Gangs, st.Gang)
	}
	s.step(ev)
}

// hear keeps an event until all that arrives at this instant is there, as a driver with a queue would.
func (s *sim) hear(ev core.Event) {
	s.inbox = append(s.inbox, ev)
	if len(s.inbox) == 1 {
		s.at(s.now, func() {
			all := s.inbox
			s.inbox = nil
			s.step(all)
		})
	}
}

// step gives the core an event, and carries out what it says.
func (s *sim) step(ev core.Event) {
	for next := core.Event(core.All{core.Tick{Now: s.now}, ev}); next != nil && s.err == nil; {
		began := time.Now()
		cmds := s.core.Step(next)
		took := time.Since(began)
		next = nil
		if len(cmds) > 0 {
			s.res.Decisions = append(s.res.Decisions, took)
		}
		if s.conf.Check != nil {
			if err := s.conf.Check(s.core, cmds); err != nil {
				s.err = err
			}
		}
		var answers core.All
		for _, c := range cmds {
			if answer := s.carryOut(c); answer != nil {
				answers = append(answers, answer)
			}
		}
		if answers != nil {
			next = answers
		}
	}
	if at, ok := s.core.Next(); ok && (s.tickAt <= s.now || at < s.tickAt) {
		s.tickAt = at
		s.at(at, func() {
			if s.tickAt == s.now {
				s.step(core.Tick{Now: s.now})
			}
		})
	}
}

func (s *sim) carryOut(c core.Command) core.Event {
	switch c := c.(type) {
	case core.PlanStage:
		st := s.jobs[c.Job-1].Stages[c.Stage]
		ev := core.StagePlanned{Job: c.Job, Stage: c.Stage}
		for _, t := range st.Tasks {
			ev.Prefer = append(ev.Prefer, t.Prefer)
		}
		s.ready[[2]int{int(c.Job), c.Stage}] = s.now
		return ev
	case core.Launch:
		if c.Priority <= s.stream {
			s.res.Placed[c.Executor]++
		}
		s.send(c.Executor, func(x *executor) { x.launch(c) })
	case core.Kill:
		s.res.Kills++
		s.send(c.Executor, func(x *executor) { x.kill(c.Task) })
	case core.Protect:
		s.send(c.Executor, func(x *executor) { x.protect(c.Task, c.For) })
	case core.Reprioritize:
		s.send(c.Executor, func(x *executor) { x.reprioritize(c.Task, c.Priority) })
	case core.JobFinished:
		r := &s.res.Jobs[c.Job-1]
		if r.Done {
			s.err = fmt.Errorf("job %d finished twice", c.Job)
		}
		r.Done, r.Finished, r.Err = true, s.now, c.Err
		if t := s.jobs[c.Job-1].Target; t > 0 && r.Response() > t {
			r.Missed = true
		}
		s.res.Makespan = max(s.res.Makespan, s.now)
		s.left--
	}
	return nil
}

// send carries a message to an executor.
func (s *sim) send(id policy.ExecutorID, do func(*executor)) {
	x := s.execs[id]
	if x == nil {
		return
	}
	s.message(&x.in, func() {
		if !x.dead {
			do(x)
		}
	})
}

// message delivers after the delay; last keeps the order of one direction.
func (s *sim) message(last *time.Duration, do func()) {
	at := s.now + s.delay()
	if !s.conf.Disorder {
		if at == s.now && s.conf.Delay == nil {
			s.at(at, do)
			return
		}
		at = max(at, *last)
		*last = at
	}
	s.at(at, do)
	if s.conf.Disorder && s.r.IntN(8) == 0 {
		s.at(at+s.delay(), do)
	}
}
