package core

// fifo offers slots in order of submission; priorities are ignored and nothing
// is suspended (Spark's FIFO).
type fifo struct{ plain }

func (fifo) compare(_ *Core, a, b *stage) int { return byOrder(a, b) }
