package op

import (
	"io"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// joinMode is a kind of join seen from the probe and the build side.
type joinMode struct {
	pairs      bool // emits matching pairs
	probeOuter bool // and probe rows without a match
	buildOuter bool // and build rows without one
	// Of the probe side only the rows with, or without, a match:
	probeSemi, probeAnti, probeExists bool
	// The same of the build side, at the end:
	buildSemi, buildAnti, buildExists bool
	nullAware                         bool
	single                            bool // at most one match, of a left row
}

func modeOf(kind plan.JoinType, buildRight bool) joinMode {
	var m joinMode
	switch kind {
	case plan.Inner, plan.Cross:
		m.pairs = true
	case plan.LeftOuter, plan.LeftSingle:
		m.pairs, m.probeOuter, m.buildOuter = true, buildRight, !buildRight
		m.single = kind == plan.LeftSingle
	case plan.RightOuter:
		m.pairs, m.probeOuter, m.buildOuter = true, !buildRight, buildRight
	case plan.FullOuter:
		m.pairs, m.probeOuter, m.buildOuter = true, true, true
	case plan.LeftSemi:
		m.probeSemi, m.buildSemi = buildRight, !buildRight
	case plan.LeftAnti:
		m.probeAnti, m.buildAnti = buildRight, !buildRight
	case plan.NullAwareAnti:
		m.probeAnti, m.buildAnti, m.nullAware = buildRight, !buildRight, true
	case plan.Existence:
		m.probeExists, m.buildExists = buildRight, !buildRight
	}
	return m
}

// needsAllProbes reports whether the answer depends on which build rows were
// matched by any probe row of any task: a shared table can't do that.
func (m joinMode) needsAllProbes() bool {
	return m.buildOuter || m.buildSemi || m.buildAnti || m.buildExists
}

// joinCond is a condition beyond the keys, over only the columns it reads.
type joinCond struct {
	left, right []int
	pred        Predicate
	// negated: pred is the negation, and a pair matches where it isn't true
	// (that is where the condition is true or null).
	negated bool
}

// joinSpec is what a join is, apart from its inputs.
type joinSpec struct {
	kind       plan.JoinType
	mode       joinMode
	buildRight bool
	probeKeys  []expr.Evaluator
	buildKeys  []expr.Evaluator
	safe       []bool
	cond       *joinCond
	probe      []*types.Type
	build      []*types.Type
	out        []*types.Type
}

// prober joins batches of the probe side with a table.
type prober struct {
	*joinSpec
	table   *joinTable
	matched []bool // build rows, when mode needs it

	cur   *vec.Batch
	s     probeScratch
	keys  []*vec.Vector
	pos   int   // probe row
	chain int32 // its next match; 0: ask head
	fresh bool  // pos is not begun
	left  bool  // pairs are done; rows without a match are due
	pi    []int32
	bi    []int32
	tail  int      // build row to emit next
	pool  vec.Pool // of the rows that are emitted
	// Of the whole build side, of which the table may be a part:
	buildAny, buildNull bool
	// blocks, when set, has the table as one of several.
	blocks *blocks
}

func (p *prober) start(t *joinTable) {
	p.table, p.cur, p.tail = t, nil, 0
	p.buildAny = p.buildAny || t.n > 0
	p.buildNull = p.buildNull || t.nullKey
	p.matched = nil
	if p.mode.needsAllProbes() {
		p.matched = make([]bool, t.n)
	}
}

// next returns the next batch of the join of src with the table, io.EOF at the
// end of both.
func (p *prober) next(c *task.Ctx, src func(*task.Ctx) (*vec.Batch, error)) (*vec.Batch, error) {
	for {
		if p.cur == nil {
			if m := p.mode; p.table.n == 0 && !m.probeOuter && !m.probeAnti && !m.probeExists {
				return nil, io.EOF // nothing can match: the probe side isn't read
			}
			b, err := src(c)
			if err == io.EOF {
				return p.rest(c)
			}
			if err != nil {
				return nil, err
			}
			if err := p.begin(c, b); err != nil {
				return nil, err
			}
		}
		out, err := p.step(c)
		if out != nil || err != nil {
			return out, err
		}
		if err := c.Yield(); err != nil {
			return nil, err
		}
	}
}

// begin looks up a probe batch.
func (p *prober) begin(c *task.Ctx, b *vec.Batch) error {
	var err error
	if p.keys, err = evalAll(p.probeKeys, b, p.keys); err != nil {
		return err
	}
	if err := p.table.lookup(p.keys, b.N, &p.s, c.Yield); err != nil {
		return err
	}
	p.cur, p.pos, p.chain, p.fresh, p.left = b, 0, 0, true, false
	clear(p.s.seen)
	if p.blocks != nil {
		if err := p.blocks.recall(p.s.seen); err != nil {
			return err
		}
	}
	if p.cond == nil && !p.mode.pairs && p.matched == nil {
		for i, h := range p.s.head {
			p.s.seen[i] = p.s.seen[i] || h != 0
		}
		p.pos = b.N
	}
	return nil
}

// step emits the next of a batch's pairs, then its rows by match; nil when nothing came of it.
func (p *prober) step(c *task.Ctx) (*vec.Batch, error) {
	if p.pos < p.cur.N {
		return p.pairsOf(c)
	}
	b := p.cur
	p.cur = nil
	if p.blocks != nil && !p.blocks.note(p.s.seen) {
		return nil, nil
	}
	switch {
	case p.mode.probeSemi:
		return p.pick(b, true), nil
	case p.mode.probeAnti:
		return p.pick(b, false), nil
	case p.mode.probeExists:
		d := b.Compact()
		flag := append([]bool(nil), p.s.seen...)
		out := &vec.Batch{N: b.N, Cols: append(append([]*vec.Vector(nil), d.Cols...), vec.FromSlice(types.BoolType, flag, nil))}
		return out, nil
	case p.mode.probeOuter:
		none := p.pick(b, false)
		if none == nil {
			return nil, nil
		}
		return p.pad(none.Compact()), nil
	}
	b.Free() // pairs are copies
	return nil, nil
}

// pick selects the probe rows that had a match, or had none.
func (p *prober) pick(b *vec.Batch, match bool) *vec.Batch {
	sel := make([]int32, 0, b.N)
	for i, s := range p.s.seen {
		if s != match {
			continue
		}
		if p.mode.nullAware && p.buildAny && !p.table.all && (p.buildNull || p.s.nulls && p.s.skip[i]) {
			continue // NOT IN: unknown
		}
		j := int32(i)
		if b.Sel != nil {
			j = b.Sel[i]
		}
		sel = append(sel, j)
	}
	if len(sel) == 0 {
		b.Free()
		return nil
	}
	out := &vec.Batch{N: len(sel), Cols: b.Cols, Sel: sel}
	out.OwnAll(b)
	return out
}

// pad adds nulls for the build side.
func (p *prober) pad(b *vec.Batch) *vec.Batch {
	nulls := make([]*vec.Vector, len(p.build))
	for i, t := range p.build {
		nulls[i] = vec.MakeNull(t, b.N)
	}
	return &vec.Batch{N: b.N, Cols: p.sides(b.Cols, nulls)}
}

// sides puts the probe's and the build's columns in their order.
func (p *prober) sides(probe, build []*vec.Vector) []*vec.Vector {
	if !p.buildRight {
		probe, build = build, probe
	}
	return append(append(make([]*vec.Vector, 0, len(probe)+len(build)), probe...), build...)
}

// pairsOf collects up to a batch of candidate pairs, and judges them.
func (p *prober) pairsOf(c *task.Ctx) (*vec.Batch, error) {
	limit := batchRows(c.Conf)
	pi, bi := p.pi[:0], p.bi[:0]
	head, t := p.s.head, p.table
	once := !p.mode.pairs && p.matched == nil // one match is enough
	if t.next == nil && !t.all {
		for p.pos < len(head) && len(pi) < limit {
			if h := head[p.pos]; h != 0 {
				pi = append(pi, int32(p.pos))
				bi = append(bi, h-1)
			}
			p.pos++
		}
	} else {
		for p.pos < len(head) && len(pi) < limit {
			if p.fresh {
				p.chain, p.fresh = head[p.pos], false
			}
			if once && p.s.seen[p.pos] {
				p.chain = 0
			}
			for p.chain != 0 && len(pi) < limit {
				pi = append(pi, int32(p.pos))
				bi = append(bi, p.chain-1)
				p.chain = t.after(p.chain)
			}
			if p.chain == 0 {
				p.pos++
				p.fresh = true
			}
		}
	}
	p.pi, p.bi = pi, bi
	if err := c.Yield(); err != nil {
		return nil, err
	}
	if len(pi) == 0 {
		return nil, nil
	}
	if p.cond != nil {
		var err error
		if pi, bi, err = p.judge(pi, bi); err != nil {
			return nil, err
		}
		if len(pi) == 0 {
			return nil, c.Yield()
		}
	}
	if err := p.mark(pi, bi); err != nil {
		return nil, err
	}
	if !p.mode.pairs {
		return nil, nil
	}
	return p.gather(c, pi, bi)
}

// mark notes which rows were matched.
func (p *prober) mark(pi, bi []int32) error {
	seen := p.s.seen
	tooMany := func() error { return errs.New(errs.Runtime, "SCALAR_SUBQUERY_TOO_MANY_ROWS") }
	if p.mode.single && p.buildRight {
		for _, i := range pi {
			if seen[i] {
				return tooMany()
			}
			seen[i] = true
		}
	} else {
		for _, i := range pi {
			seen[i] = true
		}
	}
	if p.matched == nil {
		return nil
	}
	for _, j := range bi {
		if p.mode.single && p.matched[j] {
			return tooMany()
		}
		p.matched[j] = true
	}
	return nil
}

// real turns rows of the current batch into rows of its columns.
func (p *prober) real(pi []int32) []int32 {
	if p.cur.Sel == nil {
		return pi
	}
	out := make([]int32, len(pi))
	for k, i := range pi {
		out[k] = p.cur.Sel[i]
	}
	return out
}

// judge keeps the pairs that meet the condition.
func (p *prober) judge(pi, bi []int32) (a, b []int32, err error) {
	in := &vec.Batch{N: len(pi)}
	real := p.real(pi)
	probe, build := p.cond.left, p.cond.right
	if !p.buildRight {
		probe, build = build, probe
	}
	pc, bc := make([]*vec.Vector, len(probe)), make([]*vec.Vector, len(build))
	for i, k := range probe {
		pc[i] = p.cur.Cols[k].Gather(real)
	}
	for i, k := range build {
		bc[i] = p.table.cols[k].Gather(bi)
	}
	in.Cols = p.sides(pc, bc)
	out, err := p.cond.pred.Select(in)
	if err != nil {
		return nil, nil, err
	}
	var sel []int32
	switch {
	case out == nil || out.N == 0:
		if p.cond.negated {
			return pi, bi, nil
		}
		return nil, nil, nil
	case out.Sel == nil:
		if p.cond.negated {
			return nil, nil, nil
		}
		return pi, bi, nil
	default:
		sel = out.Sel
	}
	if p.cond.negated {
		no := make([]bool, len(pi))
		for _, s := range sel {
			no[s] = true
		}
		var yes []int32
		for i := range no {
			if !no[i] {
				yes = append(yes, int32(i))
			}
		}
		sel = yes
	}
	n := 0
	for _, s := range sel { // ascending: pairs move forward only
		pi[n], bi[n] = pi[s], bi[s]
		n++
	}
	return pi[:n], bi[:n], nil
}

// gather makes the output rows of pairs.
func (p *prober) gather(c *task.Ctx, pi, bi []int32) (*vec.Batch, error) {
	out := &vec.Batch{N: len(pi)}
	probe, build := make([]*vec.Vector, len(p.probe)), make([]*vec.Vector, len(p.build))
	same := p.cur.Sel == nil && len(pi) == p.cur.N
	for i := 0; same && i < len(pi); i++ {
		same = pi[i] == int32(i)
	}
	real := p.real(pi)
	for i := range probe {
		if v := p.cur.Cols[i]; same {
			probe[i] = v.Slice(0, p.cur.N)
			p.cur.Disown()
		} else {
			probe[i] = v.GatherPool(&p.pool, real)
			out.Own(&p.pool, probe[i])
		}
	}
	if err := c.Yield(); err != nil {
		return nil, err
	}
	for i := range build {
		build[i] = p.table.cols[i].GatherPool(&p.pool, bi)
		out.Own(&p.pool, build[i])
	}
	out.Cols = p.sides(probe, build)
	return out, c.Yield()
}

// rest emits what is due of the build side when the probe side has ended.
func (p *prober) rest(c *task.Ctx) (*vec.Batch, error) {
	if p.matched == nil {
		return nil, io.EOF
	}
	for p.tail < p.table.n {
		from, to := p.tail, min(p.table.n, p.tail+batchRows(c.Conf))
		p.tail = to
		var idx []int32
		for i := from; i < to; i++ {
			if p.mode.buildExists || p.matched[i] == p.mode.buildSemi {
				idx = append(idx, int32(i))
			}
		}
		if err := c.Yield(); err != nil {
			return nil, err
		}
		if len(idx) == 0 {
			continue
		}
		build := make([]*vec.Vector, len(p.build))
		for i := range build {
			build[i] = p.table.cols[i].Gather(idx)
		}
		out := &vec.Batch{N: len(idx), Cols: build}
		switch {
		case p.mode.buildExists:
			flag := append([]bool(nil), p.matched[from:to]...)
			out.Cols = append(out.Cols, vec.FromSlice(types.BoolType, flag, nil))
		case p.mode.buildOuter:
			nulls := make([]*vec.Vector, len(p.probe))
			for i, t := range p.probe {
				nulls[i] = vec.MakeNull(t, out.N)
			}
			out.Cols = p.sides(nulls, build)
		}
		return out, c.Yield()
	}
	return nil, io.EOF
}
