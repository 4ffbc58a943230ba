package core

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"neptune/scheduler/policy"
)

const (
	// shareQuantum is how far batch tasks of an executor may be behind their share.
	shareQuantum = 100 * time.Millisecond
	// shareMemory is how long slot time is remembered for the share.
	shareMemory = 10 * time.Second
	// laxityStep is how often a set that can still wait is looked at again.
	laxityStep = 5 * time.Millisecond
)

func timeOf(n int) time.Duration { return time.Duration(n) }
func timeOfShare(x float64, d time.Duration) time.Duration {
	return time.Duration(x * float64(d))
}

// putOff asks for a Tick at t, because a decision waits for it.
func (c *Core) putOff(t time.Duration) {
	if c.wake <= c.now || t < c.wake {
		c.wake = t
	}
}

// offer gives pending tasks to executors, in the order of the mode.
func (c *Core) offer() {
	if c.npending == 0 || len(c.order) == 0 {
		return
	}
	c.mode.offer(c)
	c.sets = slices.DeleteFunc(c.sets, func(s *stage) bool {
		s.listed = len(s.pending) > 0
		return !s.listed
	})
}

// eligible returns the sets whose tasks could run, in the mode's order.
func (c *Core) eligible() []*stage {
	out := make([]*stage, 0, len(c.sets))
	for _, s := range c.sets {
		if len(s.pending) > 0 && s.ready() {
			out = append(out, s)
		}
	}
	slices.SortFunc(out, func(a, b *stage) int { return c.mode.compare(c, a, b) })
	return out
}

// inOrder offers slots to one set after the other.
func (c *Core) inOrder() {
	for _, s := range c.eligible() {
		if len(s.pending) == 0 {
			continue // went with its gang
		}
		if s.gang != nil && !s.gang.started {
			if !c.together(s.gang) {
				return // what is free is waited for, or the gang would never start
			}
			continue
		}
		c.place(s, s.pending)
		c.unlist(s)
	}
}

// takes reports whether tasks of a stage may run on e at all.
func (e *executor) takes(s *stage) bool {
	if s.home != "" {
		return s.home == e.id
	}
	return !e.reserved
}

// free is how many slots of e a task of s could take without harm to anybody.
func (c *Core) free(e *executor, s *stage) int {
	if !e.takes(s) {
		return 0
	}
	return c.mode.free(c, e, s)
}

// place launches as many of the tasks of one set as can be.
func (c *Core) place(s *stage, tasks []*task) int {
	if c.mode.preempts() && c.critical(s.priority) {
		return c.byPolicy(s, tasks, c.conf.Policy)
	}
	return c.greedy(s, tasks, len(tasks))
}

// critical reports whether any task on an executor is less critical than p.
func (c *Core) critical(p int) bool {
	for _, e := range c.order {
		for i := len(e.levels) - 1; i >= 0 && e.levels[i].priority > p; i-- {
			if e.levels[i].running+e.levels[i].suspended > 0 {
				return true
			}
		}
	}
	return false
}

// together starts a gang: all of its tasks, or none. It reports whether the gang needs no more waiting for.
func (c *Core) together(g *gang) bool {
	var tasks []*task
	for _, s := range g.stages {
		if !s.planned || !s.ready() {
			return true // not its time yet: others may go
		}
		tasks = append(tasks, s.pending...)
	}
	s := g.stages[0]
	room, slots := 0, 0
	critical := c.mode.preempts()
	for _, e := range c.order {
		room += c.free(e, s)
		if critical && e.takes(s) {
			_, v := c.victims(e, s.priority)
			room += v
		}
		if !e.draining && e.takes(s) {
			slots += e.slots
		}
	}
	if len(tasks) > slots {
		c.failUsers(s, fmt.Errorf("%w: %d for %d slots", errGang, len(tasks), slots))
		return true
	}
	if len(tasks) > room {
		return false
	}
	g.started = true
	if critical && c.critical(s.priority) {
		every, err := policy.ByName("lma") // uses all the room there is
		if err == nil {
			c.byPolicy(s, tasks, every)
		}
	} else {
		c.greedyAnywhere(s, tasks)
	}
	for _, s := range g.stages {
		c.unlist(s)
	}
	return true
}

// locality levels of delay scheduling.
const (
	onExecutor = iota
	onHost
	anywhere
)

// level is how far from its preferred executors a task of s may go by now.
func (c *Core) level(s *stage) int {
	if c.conf.LocalityWait <= 0 || s.priority <= c.conf.StreamPriority {
		return anywhere // critical tasks don't wait for a place
	}
	switch waited := c.now - s.local; {
	case waited < c.conf.LocalityWait:
		return onExecutor
	case waited < 2*c.conf.LocalityWait:
		return onHost
	}
	return anywhere
}

func (c *Core) greedyAnywhere(s *stage, tasks []*task) {
	was := s.local
	s.local = c.now - 2*c.conf.LocalityWait
	c.greedy(s, tasks, len(tasks))
	s.local = was
}

type space struct {
	e    *executor
	free int
}

// greedy launches up to limit tasks on free slots, on a preferred executor if
// one has room; else, as the set's locality level allows, on a preferred host
// or the executor with the most room.
func (c *Core) greedy(s *stage, tasks []*task, limit int) (placed int) {
	spaces := make([]space, 0, len(c.order))
	index := map[policy.ExecutorID]int{}
	total := 0
	for _, e := range c.order {
		if free := c.free(e, s); free > 0 {
			index[e.id] = len(spaces)
			spaces = append(spaces, space{e, free})
			total += free
		}
	}
	if total == 0 {
		return 0
	}
	level := c.level(s)
	waiting := false
	for _, t := range tasks {
		if total == 0 || placed == limit {
			break
		}
		best, at := -1, anywhere
		alive := false
		shunned := len(s.parts[t.index].failed) > 0
		for _, id := range t.prefer {
			if e := c.executors[id]; e == nil || shunned && c.shuns(t, e) {
				continue
			}
			alive = true
			if i, ok := index[id]; ok && spaces[i].free > 0 && best < 0 {
				best, at = i, onExecutor
			}
		}
		if best < 0 && alive && level >= onHost {
			for i, x := range spaces {
				if x.free > 0 && best < 0 && !(shunned && c.shuns(t, x.e)) && slices.ContainsFunc(t.prefer, func(id policy.ExecutorID) bool {
					e := c.executors[id]
					return e != nil && e.host != "" && e.host == x.e.host
				}) {
					best, at = i, onHost
				}
			}
		}
		if best < 0 && alive && level < anywhere {
			waiting = true
			continue
		}
		if best < 0 {
			for i, x := range spaces {
				if shunned && c.shuns(t, x.e) {
					continue
				}
				if x.free > 0 && (best < 0 || x.free > spaces[best].free && !alive) {
					best = i
				}
			}
		}
		if best < 0 {
			continue
		}
		switch {
		case !alive:
		case at == onExecutor:
			s.local = c.now
		case at == onHost:
			s.local = c.now - c.conf.LocalityWait
		}
		spaces[best].free--
		total--
		placed++
		c.launch(t, spaces[best].e, false, 0)
	}
	if waiting {
		c.putOff(s.local + time.Duration(level+1)*c.conf.LocalityWait)
	}
	return placed
}

// victims is, for tasks of priority p, how many slots of e they may take over
// from less critical tasks, and how many tasks there are to choose from.
func (c *Core) victims(e *executor, p int) (running, victims int) {
	killing, streams := 0, 0
	for i := len(e.levels) - 1; i >= 0 && e.levels[i].priority > p; i-- {
		running += e.levels[i].running
		if e.levels[i].priority <= c.conf.StreamPriority {
			streams += e.levels[i].running
		}
	}
	if c.mode.kills() {
		for _, t := range e.tasks {
			if t.evicted && t.state.holdsSlot() {
				killing++
			}
		}
	}
	// A task launched over a victim and its victim hold one slot until the yield.
	over := max(0, e.running-e.slots-killing)
	victims = running - killing - over - c.protectedFrom(e, p)
	if p <= c.conf.StreamPriority {
		victims = min(victims, streams+max(0, e.batchRunning-c.reserved(e))-killing-over)
	}
	if e.draining {
		victims = 0
	}
	return running, max(0, victims)
}

// byPolicy places tasks as the policy says, on free slots and over victims.
func (c *Core) byPolicy(s *stage, tasks []*task, pol policy.Policy) (placed int) {
	snap := policy.Snapshot{Seed: uint64(c.nextTask), Active: s.active, Executors: make([]policy.Executor, 0, len(c.order))}
	first := !s.decided || !pol.Once()
	room := 0
	for _, e := range c.order {
		if e.draining || !e.takes(s) {
			continue
		}
		v := policy.Executor{ID: e.id, Host: e.host, Slots: e.slots, Pressure: e.pressure, Suspended: e.suspended}
		free := c.free(e, s)
		v.Running = max(0, e.slots-free)
		if first {
			_, v.Victims = c.victims(e, s.priority)
			if v.Victims > 0 && policy.WantsVictims(pol) {
				v.VictimTasks = c.victimTasks(e, s.priority)
			}
		}
		room += free + v.Victims
		snap.Executors = append(snap.Executors, v)
	}
	s.decided = true
	if room == 0 {
		return 0
	}
	snap.Tasks = make([]policy.Task, len(tasks))
	for i, t := range tasks {
		snap.Tasks[i] = policy.Task{ID: t.id, Prefer: c.prefers(t)}
	}
	if policy.UsesLaxity(pol) {
		c.laxity(s, &snap)
	}
	for _, d := range pol.Decide(snap) {
		t, e := c.tasks[d.Task], c.executors[d.Executor]
		if t == nil || e == nil || t.state != Pending || c.shuns(t, e) {
			continue
		}
		placed++
		if d.Suspend && c.mode.kills() {
			if v := c.pickVictim(e, t.priority, d.Victim); v != nil {
				c.evict(v)
			}
			c.launch(t, e, false, 0)
			continue
		}
		c.launch(t, e, d.Suspend, d.Victim)
	}
	if placed < len(tasks) && snap.Laxity > 0 {
		c.putOff(c.now + min(laxityStep, snap.Laxity))
	}
	return placed
}

// victimTasks lists whom a task of priority p may suspend on e.
func (c *Core) victimTasks(e *executor, p int) (out []policy.Victim) {
	for _, t := range sortedTasks(e.tasks) {
		if t.state.holdsSlot() && t.priority > p && !t.killing && !t.evicted && t.protected <= c.now {
			v := policy.Victim{ID: t.id, Priority: t.priority, RetainedMB: t.retained, Ran: t.ranFor(c.now), Suspensions: t.suspensions}
			if n := len(t.stage.times); n > 0 {
				v.Remaining = max(time.Millisecond, t.stage.meanTime()-v.Ran)
			}
			out = append(out, v)
		}
	}
	return out
}

func (s *stage) meanTime() time.Duration {
	if len(s.times) == 0 {
		return 0
	}
	sum := time.Duration(0)
	for _, d := range s.times {
		sum += d
	}
	return sum / time.Duration(len(s.times))
}

// pickVictim chooses whom to kill: who, if it still can be; else the least
// critical, and of those the one launched last, which loses least.
func (c *Core) pickVictim(e *executor, p int, who policy.TaskID) *task {
	var best *task
	for _, t := range sortedTasks(e.tasks) {
		if !t.state.holdsSlot() || t.priority <= p || t.killing || t.evicted || t.protected > c.now {
			continue
		}
		if t.id == who {
			return t
		}
		if best == nil || cmp.Or(cmp.Compare(t.priority, best.priority), cmp.Compare(t.launched, best.launched), cmp.Compare(t.id, best.id)) > 0 {
			best = t
		}
	}
	return best
}

// laxity says how long a set can wait: its deadline, less now, less what is
// left of the critical path, of which each stage is reckoned to be an equal part.
func (c *Core) laxity(s *stage, snap *policy.Snapshot) {
	j := s.job
	snap.TaskTime = s.meanTime()
	if j.deadline == 0 {
		return
	}
	left, all := 0, 0
	for _, k := range j.stages {
		if k != nil {
			all++
			if !k.finished() {
				left++
			}
		}
	}
	path := j.estimate * timeOf(left) / timeOf(max(1, all))
	if snap.TaskTime == 0 {
		snap.TaskTime = j.estimate / timeOf(max(1, all))
	}
	snap.Laxity = max(0, j.deadline-c.now-path)
}
