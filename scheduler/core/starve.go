package core

import "slices"

// Against starvation there are two rules, both kept here, where it is decided
// which executors get critical tasks. Executors need not know of them: they
// resume the oldest suspended task as soon as nothing more critical is there.
//
// The guard counts for each task how often it was suspended, and how often,
// while it was suspended, a more critical task got the slot that it could have
// had. Past MaxSuspensions it is due: one slot of its executor is left to it,
// and once it goes on it is no victim for ProtectedRun; then the count starts anew.
//
// The batch share keeps one slot of an executor for batch tasks whenever these
// have had less than their share of its slot time, until they have caught up.

// due reports whether a suspended task is the next to go on.
func (c *Core) due(t *task) bool {
	return c.conf.MaxSuspensions > 0 && t.suspensions > c.conf.MaxSuspensions
}

// passOver counts that a new task took a free slot although others wait suspended for one.
func (c *Core) passOver(e *executor, by *task) {
	for _, t := range e.waiting {
		if t.priority > by.priority {
			c.hit(t)
			return // the oldest is the one that would have gone on
		}
	}
}

// protect starts the protected run of a task that was due.
func (c *Core) protect(t *task) {
	if c.due(t) {
		t.suspensions = 0
		t.protected = c.now + c.conf.ProtectedRun
		t.executor.protected = append(t.executor.protected, t)
	}
}

// hit counts a suspension, or a passing-over. A task that is due by that is no victim once it goes on.
func (c *Core) hit(t *task) {
	t.suspensions++
	if t.suspensions == c.conf.MaxSuspensions+1 && c.due(t) {
		c.do(Protect{t.id, t.executor.id, c.conf.ProtectedRun})
	}
}

// guardEvicted protects an attempt whose predecessors were killed too often (mode kill).
func (c *Core) guardEvicted(t *task) {
	p := &t.stage.parts[t.index]
	if c.conf.MaxSuspensions > 0 && p.kills > c.conf.MaxSuspensions {
		p.kills = 0
		t.protected = c.now + c.conf.ProtectedRun
		t.executor.protected = append(t.executor.protected, t)
	}
}

// dueFor is how many slots of e are left to tasks less critical than p that are due.
func (c *Core) dueFor(e *executor, p int) (n int) {
	if c.conf.MaxSuspensions <= 0 {
		return 0
	}
	for _, t := range e.waiting {
		if t.priority > p && c.due(t) {
			n++
		}
	}
	return n
}

// protectedFrom counts running tasks less critical than p that can't be victims.
func (c *Core) protectedFrom(e *executor, p int) (n int) {
	e.protected = slices.DeleteFunc(e.protected, func(t *task) bool { return t.protected <= c.now })
	for _, t := range e.protected {
		if t.priority > p {
			n++
		}
	}
	return n
}

// account adds the slot time since the last change to what batch tasks had.
func (c *Core) account(e *executor) {
	if d := c.now - e.shareLast; d > 0 {
		e.batchTime += d * timeOf(min(e.batchRunning, e.slots))
		e.shareLast = c.now
		if e.batchRunning == 0 && e.suspended == 0 && c.npending == 0 {
			// Nobody wanted the share: it isn't saved up.
			e.shareSince, e.batchTime = c.now, 0
		}
		if span := c.now - e.shareSince; span > shareMemory {
			// Forget half of a long past, so that a batch-only hour doesn't pay for a stream-only one.
			e.shareSince += span / 2
			e.batchTime /= 2
		}
	}
}

// reserved is how many slots of e batch tasks have to themselves now.
func (c *Core) reserved(e *executor) int {
	if c.conf.BatchMinShare <= 0 {
		return 0
	}
	c.account(e)
	fair := timeOf(e.slots) * (c.now - e.shareSince)
	owed := timeOfShare(c.conf.BatchMinShare, fair) - e.batchTime
	switch {
	case owed > shareQuantum:
		e.reserving = true
	case owed <= 0:
		e.reserving = false
	}
	if !e.reserving {
		return 0
	}
	c.putOff(c.now + shareQuantum/4)
	return 1
}
