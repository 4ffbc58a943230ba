package core

import "cmp"

// kill is neptune without suspension: a less critical task is killed, and
// starts again from nothing when there is a slot.
type kill struct{ plain }

func (kill) preempts() bool { return true }
func (kill) kills() bool    { return true }

func (kill) compare(_ *Core, a, b *stage) int {
	return cmp.Or(cmp.Compare(a.priority, b.priority), byOrder(a, b))
}
