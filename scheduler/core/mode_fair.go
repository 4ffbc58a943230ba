package core

import "cmp"

// DefaultPool is the pool of jobs that name none.
const DefaultPool = "default"

// Pool is a fair scheduling pool (an element of fairscheduler.xml).
type Pool struct {
	Weight   int  // 0: 1
	MinShare int  // slots that it gets before others get more than theirs
	Fair     bool // its jobs share as pools do; else they go in order of submission
}

// fair shares slots between pools as tasks end; nothing is preempted. Next is
// always the pool below its minShare that has the smallest part of it, then the
// pool with the fewest tasks for its weight, then the name (Spark's FAIR).
type fair struct {
	plain
	running map[string]int
}

func (m *fair) count(t *task, n int) { m.running[t.stage.job.pool] += n }

func (m *fair) compare(c *Core, a, b *stage) int {
	if a.job.pool != b.job.pool {
		pa, pb := c.conf.Pools[a.job.pool], c.conf.Pools[b.job.pool]
		return cmp.Or(share(pa, m.running[a.job.pool], pb, m.running[b.job.pool]), cmp.Compare(a.job.pool, b.job.pool))
	}
	if c.conf.Pools[a.job.pool].Fair && a.job != b.job {
		return cmp.Or(cmp.Compare(a.job.active(), b.job.active()), byOrder(a, b))
	}
	return byOrder(a, b)
}

// share orders two pools by need.
func share(a Pool, na int, b Pool, nb int) int {
	needy := func(p Pool, n int) bool { return n < p.MinShare }
	switch {
	case needy(a, na) && !needy(b, nb):
		return -1
	case needy(b, nb) && !needy(a, na):
		return 1
	case needy(a, na):
		return cmp.Compare(na*max(1, b.MinShare), nb*max(1, a.MinShare))
	}
	return cmp.Compare(na*max(1, b.Weight), nb*max(1, a.Weight))
}

func (j *job) active() (n int) {
	for _, s := range j.stages {
		if s != nil && s.job == j {
			n += s.active
		}
	}
	return n
}

// offer gives one slot at a time to the neediest set.
func (m *fair) offer(c *Core) {
	sets := c.eligible()
	for len(sets) > 0 {
		best := 0
		for i := range sets {
			if m.compare(c, sets[i], sets[best]) < 0 {
				best = i
			}
		}
		s := sets[best]
		placed := 0
		switch {
		case len(s.pending) == 0:
		case s.gang != nil && !s.gang.started:
			if !c.together(s.gang) {
				return
			}
		default:
			placed = c.greedy(s, s.pending, 1)
			c.unlist(s)
		}
		if placed == 0 || len(s.pending) == 0 {
			sets = append(sets[:best], sets[best+1:]...)
		}
	}
}
