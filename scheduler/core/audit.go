package core

import (
	"fmt"
	"slices"
)

// Audit checks the rules that hold after every step: counters agree with the
// tasks, none is negative, no slot is offered twice, and nothing is lost. It is
// for tests and simulations: it looks at everything.
//
// last is what the last step returned.
func (c *Core) Audit(last []Command) error {
	offered := map[*executor]bool{}
	for _, cmd := range last {
		if l, ok := cmd.(Launch); ok && !l.Suspend && c.executors[l.Executor] != nil {
			offered[c.executors[l.Executor]] = true
		}
	}
	onExecutors := 0
	for _, e := range c.order {
		running, suspended, blocked, low, evicted, over := 0, 0, 0, 0, 0, 0
		top := 0
		for _, t := range e.tasks {
			if c.tasks[t.id] != t || t.executor != e || t.state.Over() || t.state == Pending {
				return fmt.Errorf("task %d is on %s in state %s", t.id, e.id, t.state)
			}
			onExecutors++
			switch {
			case t.state.holdsSlot():
				running++
				if t.state == Launching && (top == 0 || t.priority < top) {
					top = t.priority
				}
				if t.evicted {
					evicted++
				}
			case t.state == Suspended:
				suspended++
			case t.state == Blocked:
				blocked++
			}
		}
		for _, t := range e.tasks {
			if t.state.holdsSlot() && t.priority > top {
				low++
			}
		}
		if running != e.running || suspended != e.suspended || blocked != e.blocked || suspended != len(e.waiting) {
			return fmt.Errorf("%s counts %d running, %d suspended, %d blocked; there are %d, %d, %d", e.id, e.running, e.suspended, e.blocked, running, suspended, blocked)
		}
		for _, l := range e.levels {
			if l.running < 0 || l.suspended < 0 {
				return fmt.Errorf("%s has a negative count: %+v", e.id, l)
			}
		}
		over = e.running - e.slots - evicted
		if offered[e] && over > low {
			return fmt.Errorf("%s has %d slots and %d tasks on them, %d of which could give way", e.id, e.slots, e.running, low)
		}
	}
	pending := 0
	seen := map[*stage]bool{}
	for _, j := range c.jobs {
		for _, s := range j.stages {
			if s == nil || seen[s] {
				continue
			}
			seen[s] = true
			pending += len(s.pending)
			if len(s.pending) > 0 && (!s.listed || !slices.Contains(c.sets, s)) {
				return fmt.Errorf("stage %d.%d has pending tasks that are never offered", s.job.id, s.id)
			}
			done := 0
			for i := range s.parts {
				p := &s.parts[i]
				if p.done {
					done++
				} else if s.live() && (p.task == nil || p.task.state.Over()) {
					return fmt.Errorf("nobody works on partition %d of stage %d.%d", i, s.job.id, s.id)
				}
			}
			if done != s.done || s.alive < 0 || s.active < 0 {
				return fmt.Errorf("stage %d.%d counts %d done, %d alive, %d active; %d are done", s.job.id, s.id, s.done, s.alive, s.active, done)
			}
		}
	}
	if pending != c.npending || len(c.tasks) != pending+onExecutors {
		return fmt.Errorf("%d tasks, of which %d pending (counted %d) and %d on executors", len(c.tasks), pending, c.npending, onExecutors)
	}
	return nil
}
