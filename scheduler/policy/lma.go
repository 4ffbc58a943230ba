package policy

import "strings"

// lma is the locality- and memory-aware policy of the paper (SoCC 2019,
// section 5.2): it equalises tasks per executor so that fewer are suspended,
// honours preferred executors, and avoids executors under memory pressure.
//
// Each task in turn goes to the first of: a preferred executor with a free
// slot; any free slot, least pressured first and among equals the one with
// the fewest critical tasks; a victim on a preferred executor; a victim on the
// least pressured executor. So nobody is suspended while a slot is free.
type lma struct{}

func (lma) Name() string { return "lma" }

func (lma) Decide(s Snapshot) []Decision {
	all := rooms(s)
	byID := make(map[ExecutorID]*room, len(all))
	for _, r := range all {
		byID[r.ID] = r
	}
	var out []Decision
	for _, t := range s.Tasks {
		r := pick(all, byID, t)
		if r == nil {
			break // later tasks are no more critical
		}
		d, _ := r.take(t)
		out = append(out, d)
	}
	return out
}

func pick(all []*room, byID map[ExecutorID]*room, t Task) *room {
	hasFree := func(r *room) bool { return r.free > 0 }
	hasVictim := func(r *room) bool { return r.victims > 0 }
	for _, ok := range []func(*room) bool{hasFree, hasVictim} {
		for _, id := range t.Prefer {
			if r := byID[id]; r != nil && ok(r) {
				return r
			}
		}
		var best *room
		for _, r := range all {
			if ok(r) && (best == nil || lessPressured(r, best) < 0) {
				best = r
			}
		}
		if best != nil {
			return best
		}
	}
	return nil
}

// lessPressured orders by spill, memory and GC, lexicographically (buckets of
// 1 MB and 1 %, rounded down, as the fork's), then by load and id.
func lessPressured(a, b *room) int {
	for _, d := range []int{
		bucket(a.Pressure.SpilledMB.Mean) - bucket(b.Pressure.SpilledMB.Mean),
		bucket(a.Pressure.SpilledMB.Dev) - bucket(b.Pressure.SpilledMB.Dev),
		bucket(a.Pressure.MemoryPct.Mean) - bucket(b.Pressure.MemoryPct.Mean),
		bucket(a.Pressure.MemoryPct.Dev) - bucket(b.Pressure.MemoryPct.Dev),
		bucket(a.Pressure.GCPct.Mean) - bucket(b.Pressure.GCPct.Mean),
		bucket(a.Pressure.GCPct.Dev) - bucket(b.Pressure.GCPct.Dev),
		a.given - b.given,
		b.free - a.free,
		a.Suspended - b.Suspended,
	} {
		if d != 0 {
			return d
		}
	}
	return strings.Compare(string(a.ID), string(b.ID))
}

func bucket(x float64) int { return int(x) }
