package policy

import (
	"cmp"
	"math"
	"slices"
	"time"
)

// deadline suspends no more tasks than the laxity of the job needs (laxity:
// deadline, less now, less what is left of the critical path), and names the
// least critical victims, of these those that lose least.
//
// If n tasks of d each have laxity l, they may run in 1 + l/d waves, and so
// need only n over that many slots. Free slots are taken first, whatever the
// laxity. Without a latency target the laxity is 0: all start at once.
type deadline struct{ bucket Buckets }

func (deadline) Name() string { return "deadline" }
func (deadline) Once() bool   { return false }

func (p deadline) Decide(s Snapshot) []Decision {
	all := rooms(s)
	byID := make(map[ExecutorID]*room, len(all))
	victims := map[*room][]Victim{}
	free := 0
	for _, r := range all {
		byID[r.ID] = r
		free += r.free
		v := slices.Clone(r.VictimTasks)
		slices.SortStableFunc(v, func(a, b Victim) int {
			return cmp.Or(cmp.Compare(b.Priority, a.Priority), cmp.Compare(a.cost(), b.cost()))
		})
		victims[r] = v
	}
	needed := p.slots(s) - s.Active // those of the same set that run already do their part
	suspensions := max(0, needed-free)
	var out []Decision
	for _, t := range s.Tasks {
		var best *room
		cost, least := math.Inf(1), math.MinInt // of the victim at best: its priority
		for _, r := range all {
			c, level := 0.0, math.MaxInt
			switch {
			case r.free > 0:
			case free == 0 && suspensions > 0 && r.victims > 0:
				if v := victims[r]; len(v) > 0 {
					c, level = v[0].cost(), v[0].Priority
					if v[0].Remaining > 0 && v[0].Remaining <= s.Laxity {
						c += 1e3 // it ends in time by itself: suspend another, if anybody
					}
				}
			default:
				continue
			}
			c += r.placement(t, s)
			if best == nil || cmp.Or(cmp.Compare(least, level), cmp.Compare(c, cost), cmp.Compare(r.ID, best.ID)) < 0 {
				best, cost, least = r, c, level
			}
		}
		if best == nil {
			break
		}
		d := Decision{Task: t.ID, Executor: best.ID}
		if best.free > 0 {
			free--
		} else {
			suspensions--
			if v := victims[best]; len(v) > 0 {
				d.Victim = v[0].ID
				victims[best] = v[1:]
			}
		}
		x, _ := best.take(t)
		d.Suspend = x.Suspend
		out = append(out, d)
	}
	return out
}

// slots is how many the tasks need at once to be done in time.
func (deadline) slots(s Snapshot) int {
	n := len(s.Tasks) + s.Active
	if s.TaskTime <= 0 || s.Laxity <= 0 {
		return n
	}
	waves := 1 + int(s.Laxity/s.TaskTime)
	return (n + waves - 1) / waves
}

// placement is the price in seconds of running a task on r: what must be moved
// there, and memory pressure, which costs nothing while there is room and soon
// a lot when there isn't (1/(1-load) - 1, load with the suspended tasks' memory).
func (r *room) placement(t Task, s Snapshot) float64 {
	c := 0.0
	if len(t.Prefer) > 0 && !slices.Contains(t.Prefer, r.ID) {
		c += max(s.TaskTime, time.Millisecond).Seconds() / 2
	}
	load := min(0.99, max(0, r.Pressure.MemoryPct.Mean/100))
	c += (1/(1-load) - 1) / 100
	c += r.Pressure.SpilledMB.Mean / 100
	c += float64(r.given) * 1e-6 // equals: spread
	return c
}

// cost orders victims: what they hold for as long as they will be suspended,
// then the attained service, least first; one about to end is dear.
func (v Victim) cost() float64 {
	c := v.RetainedMB/1000 + v.Ran.Seconds()/1e4
	if v.Remaining > 0 {
		c += 1e-3 / (v.Remaining.Seconds() + 1e-3)
	}
	return c + float64(v.Suspensions)*1e-3
}
