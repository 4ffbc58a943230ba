package policy

import (
	"cmp"
	"strings"
)

// lma is the locality- and memory-aware policy of the paper (SoCC 2019,
// section 5.2): it equalises tasks per executor so that fewer are suspended,
// honours preferred executors, and avoids executors under memory pressure.
//
// Each task in turn goes to the first of: a preferred executor with a free
// slot; any free slot, least pressured first and among equals the one with
// the fewest critical tasks; a victim on a preferred executor; a victim on the
// least pressured executor. So nobody is suspended while a slot is free.
type lma struct{ bucket Buckets }

func (lma) Name() string { return "lma" }
func (lma) Once() bool   { return false }

func (p lma) Decide(s Snapshot) []Decision {
	all := rooms(s)
	byID := make(map[ExecutorID]*room, len(all))
	free := 0
	for _, r := range all {
		byID[r.ID] = r
		free += r.free
	}
	hasFree := func(r *room) bool { return r.free > 0 }
	hasVictim := func(r *room) bool { return r.victims > 0 }
	var out []Decision
	for _, t := range s.Tasks {
		ok := hasFree
		if free == 0 {
			ok = hasVictim
		}
		r := p.pick(all, byID, t, ok)
		if r == nil {
			break // later tasks are no more critical
		}
		if r.free > 0 {
			free--
		}
		d, _ := r.take(t)
		out = append(out, d)
	}
	return out
}

func (p lma) pick(all []*room, byID map[ExecutorID]*room, t Task, ok func(*room) bool) *room {
	for _, id := range t.Prefer {
		if r := byID[id]; r != nil && ok(r) {
			return r
		}
	}
	var best *room
	for _, r := range all {
		if ok(r) && (best == nil || p.less(r, best) < 0) {
			best = r
		}
	}
	return best
}

func (p lma) less(a, b *room) int {
	return cmp.Or(p.bucket.compare(a.Pressure, b.Pressure), a.given-b.given, b.free-a.free, a.Suspended-b.Suspended,
		strings.Compare(string(a.ID), string(b.ID)))
}
