package core

import (
	"cmp"
	"math"
)

// static divides the slots beforehand: counting through the executors in the
// order of their ids, the first StaticStreamShare of all slots are for stream
// jobs, the rest for batch jobs, and neither borrows. Each has one slot at
// least; where there is only one slot at all, both use it in order of submission.
type static struct{ plain }

func (static) compare(_ *Core, a, b *stage) int {
	return cmp.Or(cmp.Compare(a.priority, b.priority), byOrder(a, b))
}

func (static) free(c *Core, e *executor, s *stage) int {
	if e.draining {
		return 0
	}
	total, before := 0, 0
	for _, x := range c.order {
		if !x.takes(s) {
			continue
		}
		if x.id < e.id {
			before += x.slots
		}
		total += x.slots
	}
	if total < 2 {
		return max(0, e.slots-e.running-e.blocked)
	}
	mine := min(total-1, max(1, int(math.Round(float64(total)*c.conf.StaticStreamShare))))
	stream := min(e.slots, max(0, mine-before))
	batchHeld := 0
	streamHeld := 0
	for _, t := range e.tasks {
		if t.state.Over() {
			continue
		}
		// A blocked task keeps its slot: when it wakes it must not take one of the others'.
		if t.priority <= c.conf.StreamPriority {
			streamHeld++
		} else {
			batchHeld++
		}
	}
	// Tasks whose priority was raised hold a slot of the other kind until they end.
	all := e.slots - streamHeld - batchHeld
	if s.priority <= c.conf.StreamPriority {
		return max(0, min(all, stream-streamHeld))
	}
	return max(0, min(all, e.slots-stream-batchHeld))
}
