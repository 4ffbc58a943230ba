package core

import (
	"cmp"
	"math"
	"time"

	"neptune/scheduler/policy"
)

// neptune offers slots by priority, and suspends less critical tasks for more
// critical ones.
type neptune struct{ plain }

func (neptune) preempts() bool { return true }

func (neptune) compare(c *Core, a, b *stage) int {
	return cmp.Or(cmp.Compare(a.priority, b.priority), c.laxityOrder(a, b), byOrder(a, b))
}

// laxityOrder puts first what has the least time left, if the policy goes by that.
func (c *Core) laxityOrder(a, b *stage) int {
	if !policy.UsesLaxity(c.conf.Policy) {
		return 0
	}
	return cmp.Compare(a.latest(), b.latest())
}

// latest is when the set should have started; sets without a deadline are the same, and last.
func (s *stage) latest() time.Duration {
	if s.job.deadline == 0 {
		return math.MaxInt64
	}
	return s.job.deadline - s.job.estimate
}

// free leaves room for suspended tasks that are as critical, or due, and for the batch share.
func (neptune) free(c *Core, e *executor, s *stage) int {
	if e.draining {
		return 0
	}
	waiting := 0
	for _, l := range e.levels {
		if l.priority <= s.priority {
			waiting += l.suspended
		}
	}
	free := e.slots - e.running - waiting - c.dueFor(e, s.priority)
	if s.priority <= c.conf.StreamPriority && c.conf.BatchMinShare > 0 && (e.suspended > 0 || e.batchRunning > 0) {
		free -= max(0, c.reserved(e)-e.batchRunning)
	}
	return max(0, free)
}
