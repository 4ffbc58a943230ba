package op

import (
	"neptune/arrowexec/fn"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
)

// Aggregates over frames are computed for many rows at once: each row is a group
// of its own, and the d-th rows of all frames are added in one step. That is
// the same work as frame by frame, in the same order, without a call a row. It
// does for frames of few rows; those that reach back to the partition's
// beginning are put together of a state (of all rows up to some place near,
// computed once) and the few rows after it.

const (
	shortFrame = 64 // rows
	// batchFrames is how many frames are computed at once, when states are of fixed size.
	batchFrames, batchWideFrames = 4096, 256
	// prefixRows is how many rows there may be after the state.
	prefixRows = 24
)

// frameBatch computes an aggregate over frames.
type frameBatch struct {
	k      *chunk
	args   []*vec.Vector
	lo, hi []int32
	acc    fn.Accumulator

	// Of frames from the partition's beginning: head has the rows from there to base.
	head  fn.Accumulator
	base  int32
	part  int32
	begin []int32 // by frame: its rows before this are in the state
	group []int32
	idx   []int32
	zeros []int32
}

// inBatches computes the function, ok if it can.
func (f *windowFn) inBatches(k *chunk, args []*vec.Vector, lo, hi []int32) (v *vec.Vector, ok bool, err error) {
	n := k.b.N
	width := int32(0)
	for i, l := range lo {
		width = max(width, hi[i]-l)
	}
	states, err := fn.AggStateTypes(f.Func)
	if err != nil {
		return nil, false, err
	}
	step := batchFrames
	for _, t := range states {
		switch vec.LayoutOf(t) {
		case vec.Bytes, vec.List, vec.Group:
			step = batchWideFrames
		}
	}
	b := &frameBatch{k: k, args: args, lo: lo, hi: hi, part: -1}
	if width > shortFrame {
		if f.Frame.Lower.Kind != plan.UnboundedPreceding || step != batchFrames {
			return nil, false, nil
		}
		for i := 1; i < n; i++ {
			if k.of[i] == k.of[i-1] && hi[i] < hi[i-1] {
				return nil, false, nil
			}
		}
		if b.head, err = f.accumulator(); err != nil {
			return nil, false, err
		}
	}
	if b.acc, err = f.accumulator(); err != nil {
		return nil, false, err
	}
	out := vec.NewBuilder(f.Func.T, n)
	for from := 0; from < n; from += step {
		to := min(n, from+step)
		b.acc.Reset()
		b.acc.Grow(to - from)
		b.begin = append(b.begin[:0], lo[from:to]...)
		if b.head != nil {
			if err := b.heads(from, to); err != nil {
				return nil, false, err
			}
		}
		if err := b.rows(from, to); err != nil {
			return nil, false, err
		}
		v, err := b.acc.Result(0, to-from)
		if err != nil {
			return nil, false, err
		}
		out.AppendVector(v)
		if err := k.yield(); err != nil {
			return nil, false, err
		}
	}
	return out.Finish(), true, nil
}

// rows adds to each frame its rows from begin on: the first of all, then the second, and so on.
func (b *frameBatch) rows(from, to int) error {
	b.group, b.idx = b.group[:0], b.idx[:0]
	for i := range to - from {
		if b.begin[i] < b.hi[from+i] {
			b.group, b.idx = append(b.group, int32(i)), append(b.idx, b.begin[i])
		}
	}
	for len(b.group) > 0 {
		if err := b.acc.Update(b.group, gatherAll(b.args, b.idx), len(b.group)); err != nil {
			return err
		}
		left := 0
		for j, g := range b.group {
			if r := b.idx[j] + 1; r < b.hi[from+int(g)] {
				b.group[left], b.idx[left] = g, r
				left++
			}
		}
		b.group, b.idx = b.group[:left], b.idx[:left]
		if err := b.k.yield(); err != nil {
			return err
		}
	}
	return nil
}

// heads starts each frame with the state of its rows up to begin.
func (b *frameBatch) heads(from, to int) error {
	var states []*vec.Builder
	count := int32(0) // of states
	stale := true     // head's state isn't the last of states
	b.group, b.idx = b.group[:0], b.idx[:0]
	for i := from; i < to; i++ {
		if p := b.k.of[i]; p != b.part {
			b.part, b.base, stale = p, b.lo[i], true
			b.head.Reset()
			b.head.Grow(1)
		}
		if h := b.hi[i]; h-b.base > prefixRows {
			if err := b.advance(h); err != nil {
				return err
			}
			stale = true
		}
		if b.base == b.lo[i] {
			continue
		}
		if stale {
			s, err := b.head.State(0, 1)
			if err != nil {
				return err
			}
			for c, v := range s {
				if count == 0 {
					states = append(states, vec.NewBuilder(v.Type, 0))
				}
				states[c].AppendVector(v)
			}
			count++
			stale = false
		}
		b.begin[i-from] = b.base
		b.group, b.idx = append(b.group, int32(i-from)), append(b.idx, count-1)
	}
	if len(b.group) == 0 {
		return nil
	}
	cols := make([]*vec.Vector, len(states))
	for c, s := range states {
		cols[c] = s.Finish().Gather(b.idx)
	}
	if err := b.acc.Merge(b.group, cols, len(b.group)); err != nil {
		return err
	}
	return b.k.yield()
}

// advance adds rows to the head, up to (not with) row to.
func (b *frameBatch) advance(to int32) error {
	if b.zeros == nil {
		b.zeros = make([]int32, vec.DefaultRows)
	}
	for b.base < to {
		m := min(to-b.base, int32(len(b.zeros)))
		if err := b.head.Update(b.zeros[:m], sliceAll(b.args, int(b.base), int(b.base+m)), int(m)); err != nil {
			return err
		}
		b.base += m
		if m > 256 {
			if err := b.k.yield(); err != nil {
				return err
			}
		}
	}
	return nil
}
