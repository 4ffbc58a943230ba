package op

import (
	"io"

	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
)

const (
	graceWays  = 16
	graceDepth = 8 // then the rows of one part have the same hash, and can't be divided
)

// grace is a hash join whose build side didn't fit: both sides are dealt to
// files by hash, and joined file by file, files that still don't fit being
// dealt again by other bits of the hash.
type grace struct {
	j     *hashJoin
	parts []*gracePart // being written; afterwards, to be joined
	cur   *gracePart
	disk  *Spill // has no rows: the parts' file
}

type gracePart struct {
	build, probe *Spill
	depth        int
	alone        bool // dividing gave all build rows to this part again
}

func (j *hashJoin) newGrace() *grace {
	g := &grace{j: j}
	g.parts = g.open(0)
	return g
}

// open makes the files of one division.
func (g *grace) open(depth int) []*gracePart {
	if g.disk == nil {
		g.disk = NewSpill(g.j.c, "join", nil)
	}
	parts := make([]*gracePart, graceWays)
	for i := range parts {
		parts[i] = &gracePart{depth: depth, build: g.disk.Sibling(g.j.build), probe: g.disk.Sibling(g.j.probe)}
	}
	return parts
}

func (p *gracePart) close() error {
	if p == nil {
		return nil
	}
	err := p.build.Close()
	if e := p.probe.Close(); e != nil {
		err = e
	}
	return err
}

func (g *grace) close() error {
	err := g.cur.close()
	for _, p := range g.parts {
		if e := p.close(); e != nil {
			err = e
		}
	}
	if e := g.disk.Close(); e != nil {
		err = e
	}
	g.parts, g.cur, g.disk = nil, nil, nil
	return err
}

// add deals a batch to files; c nil writes without yielding.
func (g *grace) add(c *task.Ctx, parts []*gracePart, b *vec.Batch, build bool) error {
	j := g.j
	keys := j.probeKeys
	if build {
		keys = j.buildKeys
	}
	kv, err := evalAll(keys, b, nil)
	if err != nil {
		return err
	}
	if build {
		j.p.buildAny = j.p.buildAny || b.N > 0
		j.p.buildNull = nullKeys(kv, j.safe, make([]bool, b.N)) || j.p.buildNull
	}
	hash := make([]uint64, b.N)
	vec.Hash(kv, b.N, hash)
	shift := 60 - 4*parts[0].depth
	var sel [graceWays][]int32
	for i, h := range hash {
		d := h >> shift & (graceWays - 1)
		row := int32(i)
		if b.Sel != nil {
			row = b.Sel[i]
		}
		sel[d] = append(sel[d], row)
	}
	for d, rows := range sel {
		if len(rows) == 0 {
			continue
		}
		f := parts[d].probe
		if build {
			f = parts[d].build
		}
		part := &vec.Batch{N: len(rows), Cols: b.Cols, Sel: rows}
		if c == nil {
			err = f.AddNow(part)
		} else {
			err = f.Add(c, part)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (g *grace) flush(c *task.Ctx, parts []*gracePart) error {
	for _, p := range parts {
		if err := p.build.Flush(c); err != nil {
			return err
		}
		if err := p.probe.Flush(c); err != nil {
			return err
		}
	}
	return nil
}

// split deals the probe side.
func (g *grace) split(c *task.Ctx, probe Operator) error {
	for {
		b, err := probe.Next(c)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := g.add(c, g.parts, b, false); err != nil {
			return err
		}
		if err := c.Yield(); err != nil {
			return err
		}
	}
	return g.flush(c, g.parts)
}

// nextPart makes the table of the next files' build rows; false: there are none left.
func (g *grace) nextPart(c *task.Ctx) (bool, error) {
	if err := g.cur.close(); err != nil {
		return false, err
	}
	g.cur = nil
	for len(g.parts) > 0 {
		last := len(g.parts) - 1
		p := g.parts[last]
		g.parts = g.parts[:last]
		g.cur = p
		if p.build.Rows() == 0 && p.probe.Rows() == 0 {
			if err := p.close(); err != nil {
				return false, err
			}
			continue
		}
		fits, err := g.load(c, p)
		if err != nil {
			return false, err
		}
		if fits {
			return true, g.j.index(c, p.probe.Reader().Next)
		}
		if p.depth >= graceDepth || p.alone { // dividing is no use
			j := g.j
			j.blocks = j.newBlocks(c, p.build.Reader().Next, func() func(*task.Ctx) (*vec.Batch, error) { return p.probe.Reader().Next })
			j.p.blocks = j.blocks
			return j.blocks.nextBlock(c)
		}
		if err := g.again(c, p); err != nil {
			return false, err
		}
	}
	return false, nil
}

// load reads the build rows of a part into memory, if they fit.
func (g *grace) load(c *task.Ctx, p *gracePart) (bool, error) {
	j := g.j
	r := p.build.Reader()
	for {
		b, err := r.Next(c)
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, err
		}
		if need := j.cost(b); !j.mem.Try(need) {
			j.held = nil
			return false, j.mem.Resize(0)
		}
		j.held = append(j.held, b)
	}
}

// again deals a part's files to smaller ones.
func (g *grace) again(c *task.Ctx, p *gracePart) error {
	parts := g.open(p.depth + 1)
	g.parts = append(g.parts, parts...)
	for _, side := range []struct {
		f     *Spill
		build bool
	}{{p.build, true}, {p.probe, false}} {
		r := side.f.Reader()
		for {
			b, err := r.Next(c)
			if err == io.EOF {
				break
			}
			if err != nil {
				return err
			}
			if err := g.add(c, parts, b, side.build); err != nil {
				return err
			}
		}
	}
	if err := g.flush(c, parts); err != nil {
		return err
	}
	for _, n := range parts {
		n.alone = n.build.Rows() == p.build.Rows()
	}
	g.cur = nil
	return p.close()
}
