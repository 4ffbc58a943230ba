package core

import (
	"fmt"
	"slices"
	"time"

	"neptune/scheduler/policy"
)

type task struct {
	id       policy.TaskID
	stage    *stage
	index    int
	attempt  int
	priority int
	state    TaskState
	executor *executor
	prefer   []policy.ExecutorID
	seq      int64
	killing  bool // a Kill is under way
	evicted  bool // for a more critical task (mode kill): runs again at no cost
	speculated,
	isCopy bool

	since       time.Duration // start of the present state
	ran         time.Duration // in earlier runs; time suspended or blocked doesn't count
	launched    time.Duration
	suspensions int           // and passings-over, since the last protected run
	protected   time.Duration // no victim before then
	retained    float64       // MB
}

// ranFor is how long the task has held a slot.
func (t *task) ranFor(now time.Duration) time.Duration {
	if t.state.holdsSlot() {
		return t.ran + now - t.since
	}
	return t.ran
}

// setState changes a task's state and its executor's counters with it.
func (c *Core) setState(t *task, to TaskState) {
	e, from := t.executor, t.state
	if from == to {
		return
	}
	c.account(e)
	add := func(st TaskState, n int) {
		switch {
		case st.holdsSlot():
			e.running += n
			e.level(t.priority).running += n
			t.stage.active += n
			c.mode.count(t, n)
			if t.priority > c.conf.StreamPriority {
				e.batchRunning += n
			}
		case st == Suspended:
			e.suspended += n
			e.level(t.priority).suspended += n
			if n > 0 {
				e.waiting = append(e.waiting, t)
			} else {
				e.waiting = slices.DeleteFunc(e.waiting, func(x *task) bool { return x == t })
			}
		case st == Blocked:
			e.blocked += n
		}
	}
	if from.holdsSlot() && !to.holdsSlot() {
		t.ran += c.now - t.since
		e.protected = slices.DeleteFunc(e.protected, func(x *task) bool { return x == t })
	}
	add(from, -1)
	add(to, 1)
	if from.holdsSlot() != to.holdsSlot() {
		t.since = c.now
	}
	t.state = to
}

// launch puts a pending task on an executor. The caller takes it out of its stage's list (unlist).
func (c *Core) launch(t *task, e *executor, suspend bool, victim policy.TaskID) {
	t.executor, t.launched, t.since = e, c.now, c.now
	e.tasks[t.id] = t
	t.stage.alive++
	c.setState(t, Launching)
	if !suspend {
		c.passOver(e, t)
	}
	c.guardEvicted(t)
	if c.mode.preempts() && !c.mode.kills() && e.lessCritical(t.priority) {
		// A suspended or woken task may take the slot before the message arrives.
		suspend = true
	}
	c.do(Launch{Task: t.id, Job: t.stage.job.id, Stage: t.stage.id, Index: t.index, Attempt: t.attempt, Priority: t.priority,
		Executor: e.id, Suspend: suspend, Victim: victim})
}

// lessCritical reports whether tasks less critical than p wait on e for a slot, suspended or blocked.
func (e *executor) lessCritical(p int) bool {
	if e.blocked > 0 {
		return true
	}
	n := len(e.levels)
	for i := n - 1; i >= 0 && e.levels[i].priority > p; i-- {
		if e.levels[i].suspended > 0 {
			return true
		}
	}
	return false
}

// unlist drops launched tasks from their stage's pending ones.
func (c *Core) unlist(s *stage) {
	n := len(s.pending)
	s.pending = slices.DeleteFunc(s.pending, func(t *task) bool { return t.state != Pending })
	c.npending -= n - len(s.pending)
}

func (c *Core) kill(t *task) {
	if !t.killing {
		t.killing = true
		c.do(Kill{Task: t.id, Executor: t.executor.id})
	}
}

// evict kills a task to make room. It starts again.
func (c *Core) evict(t *task) {
	t.evicted = true
	c.do(Kill{Task: t.id, Executor: t.executor.id, Evict: true})
}

func (c *Core) changed(ev TaskChanged) {
	t := c.tasks[ev.Task]
	if t == nil {
		if !ev.State.Over() && ev.Executor != "" {
			c.do(Kill{Task: ev.Task, Executor: ev.Executor})
		}
		return
	}
	if t.state == Pending || ev.State == Pending || ev.State == Launching || ev.Seq != 0 && ev.Seq <= t.seq {
		return // late or duplicated message
	}
	if ev.Executor != "" && ev.Executor != t.executor.id {
		return
	}
	t.seq = max(t.seq, ev.Seq)
	t.retained = ev.RetainedMB
	was := t.state
	c.setState(t, ev.State)
	switch {
	case ev.State == Suspended && was != Suspended:
		c.hit(t)
	case ev.State == Running && was == Suspended:
		c.protect(t)
	case ev.State == Running && was == Blocked && c.mode.kills():
		c.overtaken(t)
	case ev.State.Over():
		if ev.Fetch != nil && ev.State == Failed {
			c.fetchFailed(t, ev)
			return
		}
		c.ended(t, ev.Err, ev.Retry)
	}
}

// overtaken evicts a task that woke and took the slot that a more critical one
// was just sent to (mode kill; in mode neptune the executor suspends it).
func (c *Core) overtaken(t *task) {
	e := t.executor
	evicted := 0
	for _, x := range e.tasks {
		if x.evicted && x.state.holdsSlot() {
			evicted++
		}
	}
	if e.running-evicted <= e.slots || t.evicted || t.killing || t.protected > c.now {
		return
	}
	for _, x := range e.tasks {
		if x.state == Launching && x.priority < t.priority {
			c.evict(t)
			return
		}
	}
}

// gone takes a task that is over out of all lists.
func (c *Core) gone(t *task) {
	delete(t.executor.tasks, t.id)
	delete(c.tasks, t.id)
	t.stage.alive--
	c.drained(t.executor)
}

// ended deals with a task that is over, its state set.
func (c *Core) ended(t *task, err error, retry bool) {
	c.gone(t)
	s := t.stage
	s.decided = false // its slot may have gone to somebody less critical by now
	p := &s.parts[t.index]
	other := p.copy
	if p.task != t {
		other = p.task
	}
	if p.copy == t {
		p.copy = nil
	}
	if other == t || other != nil && (other.state.Over() || other.state == Pending) {
		other = nil
	}
	switch {
	case !s.live():
		for _, u := range s.users {
			c.finish(u.job)
		}
	case p.done:
	case t.state == Finished:
		p.done, p.where = true, t.executor.id
		s.done++
		s.times = append(s.times, t.ran)
		if other != nil {
			c.kill(other)
		}
		c.stageDone(s)
	case other != nil: // its twin goes on
		if p.task == t {
			p.task, p.copy = other, nil
		}
	case t.evicted && t.state == Killed:
		p.kills++
		c.again(s, t.index)
	case retry && p.failures+1 < c.conf.MaxFailures:
		p.failures++
		p.failed = append(p.failed, t.executor.id)
		c.again(s, t.index)
	default:
		if err == nil {
			err = fmt.Errorf("task %d of stage %d was %s", t.index, s.id, t.state)
		}
		c.failUsers(s, err)
	}
}

// shuns reports whether t had better not run on e, where it has failed on its own:
// a full disk, say, is that executor's. Where it has failed everywhere, it doesn't.
func (c *Core) shuns(t *task, e *executor) bool {
	failed := t.stage.parts[t.index].failed
	if !slices.Contains(failed, e.id) {
		return false
	}
	return slices.ContainsFunc(c.order, func(x *executor) bool { return x.takes(t.stage) && !x.draining && !slices.Contains(failed, x.id) })
}

// prefers is where t likes to be: not where it has failed.
func (c *Core) prefers(t *task) []policy.ExecutorID {
	if len(t.stage.parts[t.index].failed) == 0 {
		return t.prefer
	}
	var out []policy.ExecutorID
	for _, e := range c.order {
		if !e.draining && e.takes(t.stage) && !c.shuns(t, e) {
			out = append(out, e.id)
		}
	}
	return out
}

// fetchFailed deals with a task that couldn't read what an earlier stage wrote:
// what is lost is made again, and nothing else; the task then runs again.
func (c *Core) fetchFailed(t *task, ev TaskChanged) {
	j := t.stage.job
	i := ev.Fetch.Stage
	if i < 0 || i >= len(j.stages) || j.stages[i] == nil || !t.stage.live() {
		c.ended(t, ev.Err, ev.Retry)
		return
	}
	c.gone(t)
	s := t.stage
	p := &s.parts[t.index]
	lost := c.loseOutputs(j, ev.Fetch.Executor, i)
	if p.done || !s.live() || p.task != t {
		for _, u := range s.users {
			c.finish(u.job)
		}
		return
	}
	if !lost && j.stages[i].finished() {
		// The output is where it was, and can't be read: that counts.
		if p.failures+1 >= c.conf.MaxFailures {
			err := ev.Err
			if err == nil {
				err = fmt.Errorf("task %d of stage %d can't read from executor %s", t.index, s.id, ev.Fetch.Executor)
			}
			c.failUsers(s, err)
			return
		}
		p.failures++
	}
	c.again(s, t.index)
}

// speculate starts copies of tasks that take much longer than the others of
// their stage. Time suspended or blocked doesn't count.
func (c *Core) speculate() {
	for _, j := range c.sortedJobs() {
		for _, s := range j.stages {
			if s == nil || s.job != j || !s.live() || !s.planned || s.finished() || len(s.times) == 0 ||
				float64(s.done) < c.conf.SpeculationQuantile*float64(len(s.parts)) {
				continue
			}
			times := slices.Clone(s.times)
			slices.Sort(times)
			limit := max(100*time.Millisecond, time.Duration(c.conf.SpeculationMultiplier*float64(times[len(times)/2])))
			for i := range s.parts {
				p := &s.parts[i]
				if t := p.task; !p.done && p.copy == nil && t != nil && !t.speculated && t.state == Running && t.ranFor(c.now) > limit {
					c.copyOf(t)
				}
			}
		}
	}
}

func (c *Core) copyOf(t *task) {
	for _, e := range c.order {
		if e != t.executor && c.free(e, t.stage) > 0 {
			p := &t.stage.parts[t.index]
			t.speculated = true
			c.nextTask++
			n := &task{id: c.nextTask, stage: t.stage, index: t.index, attempt: p.attempts, priority: t.priority, prefer: t.prefer, isCopy: true}
			p.attempts++
			p.copy = n
			c.tasks[n.id] = n
			c.launch(n, e, false, 0)
			return
		}
	}
}
