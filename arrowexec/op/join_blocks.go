package op

import (
	"io"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
)

// blocks is a join whose build side neither fits in memory nor can be divided
// by hash: by a condition alone, or of rows that all have one key. A part of
// the build rows that fits is joined with all probe rows, then the next.
type blocks struct {
	j     *hashJoin
	build func(*task.Ctx) (*vec.Batch, error)
	probe func() func(*task.Ctx) (*vec.Batch, error) // from the first row
	next  *vec.Batch                                 // build rows read, of the next block
	ended bool
	own   []*rowBuffer

	// What became of the probe rows in the blocks so far, when the kind of
	// join asks; and the row that is next.
	seen []bool
	at   int
	last bool // this block is the last: probe rows without a match are due
	mem  *mem.Reservation
}

func (j *hashJoin) newBlocks(c *task.Ctx, build func(*task.Ctx) (*vec.Batch, error), probe func() func(*task.Ctx) (*vec.Batch, error)) *blocks {
	return &blocks{j: j, build: build, probe: probe, mem: c.Mem.Reserve("join", nil)}
}

// stash keeps the probe side, to be read for each block.
func (b *blocks) stash(c *task.Ctx, probe Operator) error {
	r := newRowBuffer(c, "join", b.j.probe)
	b.own = append(b.own, r)
	for {
		in, err := probe.Next(c)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := r.add(in); err != nil {
			return err
		}
	}
	b.probe = func() func(*task.Ctx) (*vec.Batch, error) { return r.reader().next }
	return r.finish()
}

// nextBlock makes the table of the next build rows; false: there are none left.
func (b *blocks) nextBlock(c *task.Ctx) (bool, error) {
	if b.ended && b.next == nil {
		return false, nil
	}
	j := b.j
	for !b.ended {
		in := b.next
		b.next = nil
		if in == nil {
			var err error
			if in, err = b.build(c); err == io.EOF {
				b.ended = true
				break
			} else if err != nil {
				return false, err
			}
		}
		// A quarter is left to what is seen of probe rows, and to others.
		need, share := j.cost(in), c.Mem.Share()
		if over := share > 0 && j.mem.Size()+need > share/4*3; over && len(j.held) > 0 || !j.mem.Try(need) {
			if len(j.held) > 0 {
				b.next = in
				break
			}
			if err := j.mem.Grow(need); err != nil {
				return false, err
			}
		}
		j.held = append(j.held, in)
	}
	b.last, b.at = b.ended, 0
	return true, j.index(c, b.probe())
}

// keepsSeen reports whether a later block must know of matches in earlier ones.
func (b *blocks) keepsSeen() bool {
	m := b.j.mode
	return m.probeOuter || m.probeSemi || m.probeAnti || m.probeExists || m.single && b.j.buildRight
}

// recall sets what earlier blocks have found of the n probe rows that are next.
func (b *blocks) recall(seen []bool) error {
	if !b.keepsSeen() {
		return nil
	}
	if more := b.at + len(seen) - len(b.seen); more > 0 {
		if err := b.mem.Grow(int64(more)); err != nil {
			return err
		}
		b.seen = append(b.seen, make([]bool, more)...)
	}
	copy(seen, b.seen[b.at:])
	return nil
}

// note keeps what this block found; it reports whether the rows are due.
func (b *blocks) note(seen []bool) bool {
	if b.keepsSeen() {
		copy(b.seen[b.at:], seen)
		b.at += len(seen)
	}
	return b.last
}

func (b *blocks) close() error {
	if b == nil {
		return nil
	}
	b.mem.Release()
	b.seen, b.next = nil, nil
	var first error
	for _, r := range b.own {
		if err := r.close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}
