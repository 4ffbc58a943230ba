package core

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"neptune/scheduler/policy"
)

// job is a query. Its stages may belong to another job that has the same ones (JobSubmitted.Keys).
type job struct {
	id       JobID
	priority int
	pool     string
	stages   []*stage // by the job's own numbering; nil: not needed, because a shared one stands before it
	behind   []*stage // what shared stages need, of other jobs
	err      error
	ending   bool // has its result, or failed
	ended    bool // JobFinished was given out
	deadline time.Duration
	estimate time.Duration
}

// use is a job's view of a stage.
type use struct {
	job   *job
	index int
}

type stage struct {
	job      *job // the owner, under whose number the commands go
	id       int
	key      string
	users    []use
	parents  []*stage
	children []*stage
	gang     *gang
	priority int // the most critical of the users'
	home     policy.ExecutorID
	asked    bool
	planned  bool
	parts    []part
	done     int
	alive    int     // tasks on executors
	active   int     // of these, those that hold a slot
	pending  []*task // by partition
	listed   bool    // in Core.sets
	decided  bool    // a policy that decides once has decided
	losses   int
	local    time.Duration // when a task was last launched where it likes to be
	times    []time.Duration
}

// part is one partition of a stage: whichever attempt is at work on it.
type part struct {
	task, copy *task // copy is the speculative one
	done       bool
	where      policy.ExecutorID // of the output
	prefer     []policy.ExecutorID
	attempts   int
	failures   int
	failed     []policy.ExecutorID // where attempts failed on their own
	kills      int
}

// gang is the stages whose tasks start all or none.
type gang struct {
	stages  []*stage
	started bool
}

func (s *stage) finished() bool { return s.planned && s.done == len(s.parts) }

// live reports whether any job still waits for the stage.
func (s *stage) live() bool {
	return slices.ContainsFunc(s.users, func(u use) bool { return !u.job.ending })
}

// ready reports whether the stage's tasks can run: the outputs they read are there.
func (s *stage) ready() bool {
	for _, p := range s.parents {
		if !p.finished() && (s.gang == nil || p.gang != s.gang) {
			return false
		}
	}
	return true
}

func (c *Core) submitted(ev JobSubmitted) {
	if c.jobs[ev.Job] != nil || len(ev.Parents) == 0 {
		return
	}
	j := &job{id: ev.Job, priority: c.rank(ev), pool: ev.Pool, stages: make([]*stage, len(ev.Parents)), deadline: ev.Deadline, estimate: ev.Estimate}
	if j.pool == "" {
		j.pool = DefaultPool
	}
	c.jobs[ev.Job] = j
	at := func(list []string, i int) string {
		if i < len(list) {
			return list[i]
		}
		return ""
	}
	// From the result back: what stands before a shared stage is another job's affair.
	gangs := map[int]*gang{}
	var need func(i int) *stage
	need = func(i int) *stage {
		if s := j.stages[i]; s != nil {
			return s
		}
		key := at(ev.Keys, i)
		if s := c.shared[key]; key != "" && s != nil {
			j.stages[i] = s
			s.users = append(s.users, use{j, i})
			j.borrow(s)
			return s
		}
		s := &stage{job: j, id: i, key: key, users: []use{{j, i}}, priority: j.priority}
		j.stages[i] = s
		if key != "" {
			c.shared[key] = s
		}
		if i < len(ev.Gangs) && ev.Gangs[i] != 0 {
			g := gangs[ev.Gangs[i]]
			if g == nil {
				g = &gang{}
				gangs[ev.Gangs[i]] = g
			}
			s.gang = g
			g.stages = append(g.stages, s)
		}
		for _, p := range ev.Parents[i] {
			if p < 0 || p >= i {
				continue // parents come first; anything else is a mistake of the caller
			}
			parent := need(p)
			s.parents = append(s.parents, parent)
			parent.children = append(parent.children, s)
		}
		return s
	}
	need(len(ev.Parents) - 1)
	for i, s := range j.stages {
		if s == nil || s.job == j {
			continue
		}
		c.inherit(s)
		c.loseOutputs(s.job, "", s.id)
		if s.finished() {
			c.do(StageFinished{j.id, i})
			if i == len(j.stages)-1 {
				j.ending = true
				c.settle(j)
				return
			}
		}
	}
	c.plan(j)
}

// borrow makes the job wait for all that a shared stage needs.
func (j *job) borrow(s *stage) {
	for _, p := range s.parents {
		if !slices.ContainsFunc(p.users, func(u use) bool { return u.job == j }) {
			p.users = append(p.users, use{j, -1})
			j.behind = append(j.behind, p)
			j.borrow(p)
		}
	}
}

// all is every stage that the job waits for, those of others too.
func (j *job) all() []*stage {
	out := make([]*stage, 0, len(j.stages)+len(j.behind))
	for _, s := range j.stages {
		if s != nil {
			out = append(out, s)
		}
	}
	return append(out, j.behind...)
}

// inherit sets the priority of a stage and of those before it to that of the most critical job that waits for it.
func (c *Core) inherit(s *stage) {
	best, any := 0, false
	consider := func(p int) {
		if !any || p < best {
			best, any = p, true
		}
	}
	for _, u := range s.users {
		if !u.job.ending {
			consider(u.job.priority)
		}
	}
	for _, k := range s.children {
		if k.live() && !k.finished() {
			consider(k.priority)
		}
	}
	if !any || best == s.priority {
		return
	}
	s.priority = best
	s.decided = false
	for i := range s.parts {
		for _, t := range []*task{s.parts[i].task, s.parts[i].copy} {
			if t == nil || t.state == Pending || t.state.Over() {
				continue
			}
			st := t.state
			c.setState(t, Killed) // out of the counters of the old priority
			t.priority = best
			c.setState(t, st)
			c.do(Reprioritize{t.id, t.executor.id, best})
		}
	}
	for _, t := range s.pending {
		t.priority = best
	}
	for _, p := range s.parents {
		c.inherit(p)
	}
}

// plan asks for the tasks of each stage whose parents are done.
func (c *Core) plan(j *job) {
	for _, s := range j.all() {
		if !s.asked && s.live() && s.ready() {
			s.asked, c.asking = true, true
			c.do(PlanStage{s.job.id, s.id})
		}
	}
}

func (c *Core) planned(ev StagePlanned) {
	j := c.jobs[ev.Job]
	if j == nil || ev.Stage < 0 || ev.Stage >= len(j.stages) {
		return
	}
	s := j.stages[ev.Stage]
	if s == nil || s.job != j || s.planned || !s.live() {
		return
	}
	s.planned, s.home = true, ev.Home
	if len(ev.Prefer) == 0 {
		s.pass()
	}
	s.parts = make([]part, len(ev.Prefer))
	s.local = c.now
	for i, p := range ev.Prefer {
		s.parts[i].prefer = p
		c.again(s, i)
	}
	c.stageDone(s)
}

// pass makes those that read a stage read what it reads: it has no tasks of its own.
func (s *stage) pass() {
	for _, k := range s.children {
		k.parents = slices.DeleteFunc(k.parents, func(p *stage) bool { return p == s })
		for _, p := range s.parents {
			if !slices.Contains(k.parents, p) {
				k.parents = append(k.parents, p)
				p.children = append(p.children, k)
			}
		}
	}
}

// again enqueues the next attempt of a partition.
func (c *Core) again(s *stage, i int) {
	p := &s.parts[i]
	c.nextTask++
	t := &task{id: c.nextTask, stage: s, index: i, attempt: p.attempts, priority: s.priority, prefer: p.prefer}
	p.attempts++
	p.task = t
	c.tasks[t.id] = t
	k, _ := slices.BinarySearchFunc(s.pending, t, func(a, b *task) int { return a.index - b.index })
	s.pending = slices.Insert(s.pending, k, t)
	c.npending++
	s.decided = false
	if !s.listed {
		s.listed = true
		c.sets = append(c.sets, s)
	}
}

func (c *Core) stageDone(s *stage) {
	if !s.finished() || !s.live() {
		return
	}
	for _, u := range s.users {
		if !u.job.ending && u.index >= 0 {
			c.do(StageFinished{u.job.id, u.index})
		}
	}
	for _, u := range slices.Clone(s.users) {
		if u.job.ending {
			continue
		}
		if u.index == len(u.job.stages)-1 {
			u.job.ending = true
			c.settle(u.job)
		} else {
			c.plan(u.job)
		}
	}
}

// fail ends a job: pending tasks are forgotten, the others killed. The job is
// over when the last of them has said so.
func (c *Core) fail(j *job, err error) {
	if j.ending {
		return
	}
	j.ending, j.err = true, err
	c.settle(j)
}

// settle cleans up after a job that is ending: stages that no other job wants
// are dropped, the others go on at the priority of those that do.
func (c *Core) settle(j *job) {
	for _, s := range j.all() {
		switch {
		case s.live():
			c.inherit(s)
		default:
			c.drop(s)
		}
	}
	c.finish(j)
}

// drop forgets a stage's pending tasks and kills the others.
func (c *Core) drop(s *stage) {
	for _, t := range s.pending {
		delete(c.tasks, t.id)
	}
	c.npending -= len(s.pending)
	s.pending = nil
	if s.key != "" && c.shared[s.key] == s {
		delete(c.shared, s.key)
	}
	for i := range s.parts {
		for _, t := range []*task{s.parts[i].task, s.parts[i].copy} {
			if t != nil && t.state != Pending && !t.state.Over() {
				c.kill(t)
			}
		}
	}
}

// finish gives out JobFinished and JobReleased when their time has come, for the job and those it borrowed from.
func (c *Core) finish(j *job) {
	if !j.ending {
		return
	}
	if !j.ended {
		for _, s := range j.all() {
			if !s.live() && s.alive > 0 {
				return
			}
		}
		j.ended = true
		c.do(JobFinished{j.id, j.err})
	}
	owners := []*job{j}
	for _, s := range j.all() {
		if !slices.Contains(owners, s.job) {
			owners = append(owners, s.job)
		}
	}
	for _, o := range owners {
		c.release(o)
	}
}

func (c *Core) release(j *job) {
	if !j.ended || c.jobs[j.id] != j {
		return
	}
	for _, s := range j.stages {
		if s != nil && s.job == j && (s.alive > 0 || s.live() || slices.ContainsFunc(s.users, func(u use) bool { return !u.job.ended })) {
			return
		}
	}
	delete(c.jobs, j.id)
	c.do(JobReleased{j.id})
}

// failUsers fails every job that waits for a stage.
func (c *Core) failUsers(s *stage, err error) {
	for _, u := range slices.Clone(s.users) {
		c.fail(u.job, err)
	}
}

// loseOutputs runs again the tasks whose outputs are gone with an executor, as
// far as anybody still reads them. only restricts it to one stage, and what was
// lost before; -1: all of the job's. It reports whether anything was lost.
func (c *Core) loseOutputs(j *job, where policy.ExecutorID, only int) bool {
	lost := false
	for again := true; again; {
		again = false
		for i := len(j.stages) - 1; i >= 0; i-- {
			s := j.stages[i]
			if s == nil || !s.planned || !s.live() {
				continue
			}
			if !slices.ContainsFunc(s.children, func(k *stage) bool { return k.live() && !k.finished() }) {
				continue
			}
			var indexes []int
			for k := range s.parts {
				p := &s.parts[k]
				// Others may have been lost while nobody needed them.
				gone := c.executors[p.where] == nil && !c.conf.KeepOutputs
				if p.done && (gone || p.where == where && (only < 0 || i == only)) {
					p.done, p.where = false, ""
					s.done--
					indexes = append(indexes, k)
				}
			}
			if indexes == nil {
				continue
			}
			again, lost = true, true
			s.losses++
			c.do(StageLost{s.job.id, s.id, indexes})
			if s.losses >= c.conf.MaxStageAttempts {
				c.failUsers(s, fmt.Errorf("outputs of stage %d were lost %d times: %w", s.id, s.losses, ErrExecutorLost))
				return true
			}
			for _, k := range indexes {
				c.again(s, k)
			}
		}
	}
	return lost
}

var errGang = errors.New("a gang needs more slots at once than there are")
