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

// ranks is how many ranks of urgency the stream jobs of one priority have.
const ranks = 16

// rank is the priority under which a job is scheduled. For a policy that goes
// by laxity it divides the stream jobs of one priority by how soon they must be
// done, the shorter the more critical (deadline-monotonic: Leung and Whitehead
// 1982), so that tasks that have time give way to those that have none. Targets
// within a factor of four share a rank, and don't suspend one another.
func (c *Core) rank(ev JobSubmitted) int {
	stream := c.conf.StreamPriority
	if ev.Priority > stream || !c.mode.preempts() || !policy.UsesLaxity(c.conf.Policy) {
		return ev.Priority
	}
	rank := stream + (ev.Priority-stream)*ranks
	if ev.Deadline == 0 {
		return rank // there is no harm in its being late
	}
	urgency := ranks - 1
	for t := time.Millisecond; t < ev.Deadline-c.now && urgency > 0; t *= 4 {
		urgency--
	}
	return rank - urgency
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
