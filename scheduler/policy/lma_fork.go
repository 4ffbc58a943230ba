package policy

import (
	"cmp"
	"strings"
)

// lmaFork is the locality- and memory-aware policy as the authors' public code
// has it. Tasks with a preference count against their executor; the others
// take slots (free or not) executor by executor, least pressured first; then
// victims are suspended wherever free slots don't suffice.
type lmaFork struct{ bucket Buckets }

func (lmaFork) Name() string { return "lma_fork" }
func (lmaFork) Once() bool   { return true }

func (p lmaFork) Decide(s Snapshot) []Decision {
	d := newDemand(s)
	var rest []Task
	for _, t := range s.Tasks {
		if i := d.preferred(t); i >= 0 {
			d.give(i, t)
		} else {
			rest = append(rest, t)
		}
	}
	order := sorted(append([]*room(nil), d.rooms...), func(a, b *room) int {
		return cmp.Or(p.bucket.compare(a.Pressure, b.Pressure), strings.Compare(string(a.ID), string(b.ID)))
	})
	for _, r := range order {
		i := d.index[r.ID]
		for len(rest) > 0 && d.left(i) > 0 {
			d.give(i, rest[0])
			rest = rest[1:]
		}
	}
	return d.decisions()
}
