package op

import (
	"io"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// JoinConfig describes a join to NewHashJoin and NewLoopJoin.
type JoinConfig struct {
	Kind       plan.JoinType
	BuildRight bool // which side is held in memory
	// Keys by side, and which are compared by <=>.
	LeftKeys, RightKeys []expr.Evaluator
	NullSafe            []bool
	// Cond is a further condition; nil: none.
	Cond *Condition
	// Shared, when set, gives the build side's table, which other tasks use
	// too; the build input is then nil.
	Shared func(*task.Ctx) (*SharedTable, error)
	// Unshared reads the shared side, for when its table doesn't fit in memory.
	Unshared func() (Operator, error)
	// SharedTypes are the types of the shared side's columns.
	SharedTypes []*types.Type
}

// Condition is a predicate over pairs of rows. Pred sees the left side's
// columns at Left and then the right side's at Right.
type Condition struct {
	Left, Right []int
	Pred        Predicate
	// Negated: Pred is the negation; a pair matches where Pred isn't true.
	Negated bool
}

// SharedTable is a join's build side that the tasks of an executor share.
type SharedTable struct{ table *joinTable }

// Rows is the number of rows.
func (t *SharedTable) Rows() int { return t.table.n }

// Size is the memory that rows and table hold, in bytes.
func (t *SharedTable) Size() int64 {
	n := 4*int64(len(t.table.direct)) + 16*int64(len(t.table.words)) + 8*int64(len(t.table.tags)) + 4*int64(len(t.table.next))
	return n + (&vec.Batch{N: t.table.n, Cols: t.table.cols}).LiveSize()
}

// NewSharedTable indexes rows for hash joins by keys; nil keys are for nested loops.
func NewSharedTable(c *task.Ctx, schema []*types.Type, batches []*vec.Batch, keys []expr.Evaluator, safe []bool) (*SharedTable, error) {
	dense := make([]*vec.Batch, len(batches))
	for i, b := range batches {
		dense[i] = b.Compact()
	}
	t, err := tableOf(c, schema, dense, keys, safe)
	if err != nil {
		return nil, err
	}
	return &SharedTable{t}, nil
}

// tableOf lays dense batches end to end and indexes them; nil keys make a table for nested loops.
func tableOf(c *task.Ctx, schema []*types.Type, batches []*vec.Batch, keys []expr.Evaluator, safe []bool) (*joinTable, error) {
	n := 0
	var bytes int64
	parts := make([][]*vec.Vector, len(keys))
	var plain []int // key k is column plain[k]
	for _, k := range keys {
		if b, ok := k.(bound); ok && plain != nil || ok && len(plain) == 0 {
			plain = append(plain, b.index)
		} else {
			plain = nil
			break
		}
	}
	direct := len(plain) == len(keys)
	for _, b := range batches {
		n += b.N
		bytes += b.LiveSize()
		for i, k := range keys {
			if direct {
				continue
			}
			v, err := k.Eval(b)
			if err != nil {
				return nil, err
			}
			parts[i] = append(parts[i], v)
		}
		if err := c.Yield(); err != nil {
			return nil, err
		}
	}
	if n > maxRunRows || bytes > 2*maxRunBytes {
		return nil, errs.New(errs.OutOfMemory, "INTERNAL_ERROR_MEMORY", "message", "One side of a join that must be held in memory is too large: it has more than 4 GiB or 2^30 rows.")
	}
	cols, err := concatAll(schema, batches, c.Yield)
	if err != nil {
		return nil, err
	}
	if keys == nil {
		return &joinTable{cols: cols, n: n, all: true}, nil
	}
	kv := make([]*vec.Vector, len(keys))
	for i, k := range keys {
		switch {
		case direct:
			kv[i] = cols[plain[i]]
		case len(parts[i]) == 0:
			kv[i] = vec.Make(k.Type(), 0)
		default:
			if kv[i], err = vec.ConcatColumn(k.Type(), parts[i], c.Yield); err != nil {
				return nil, err
			}
		}
	}
	return newJoinTable(cols, kv, n, safe, c.Yield)
}

// hashJoin is the operator of hash joins and, without keys, of nested loops.
type hashJoin struct {
	joinSpec
	inputs [2]Operator // left, right; the build side nil when shared
	shared func(*task.Ctx) (*SharedTable, error)
	alone  func() (Operator, error) // instead of shared

	mem    *mem.Reservation
	c      *task.Ctx
	held   []*vec.Batch // build rows so far
	built  bool
	p      prober
	src    func(*task.Ctx) (*vec.Batch, error)
	grace  *grace
	blocks *blocks
	buf    *rowBuffer // build rows of nested loops
	inHand bool       // held may be spilled now
}

// NewHashJoin returns a join on equal keys: left and right are its inputs
// (the build side nil with cfg.Shared). Rows come in the order of the probe
// side, but for rows that are due at the end and when memory was short.
func NewHashJoin(left, right Operator, cfg JoinConfig) (Operator, error) {
	j := newJoin(left, right, cfg)
	if cfg.Kind == plan.NullAwareAnti && (!cfg.BuildRight || len(cfg.LeftKeys) != 1 || cfg.Cond != nil) {
		return nil, errs.NotSupported("null-aware anti join by hash with more than one key, a condition, or the left side in memory")
	}
	for i, k := range cfg.LeftKeys {
		if !types.SameType(k.Type(), cfg.RightKeys[i].Type()) {
			return nil, errs.Internalf("join key %d compares %s with %s", i, k.Type(), cfg.RightKeys[i].Type())
		}
	}
	return j, nil
}

// NewLoopJoin returns a join by a condition alone (nil: all pairs). A build side
// that doesn't fit in memory is joined in blocks, the probe side being read for each. A NullAwareAnti join takes a negated condition.
func NewLoopJoin(left, right Operator, cfg JoinConfig) (Operator, error) {
	cfg.LeftKeys, cfg.RightKeys, cfg.NullSafe = nil, nil, nil
	return newJoin(left, right, cfg), nil
}

func newJoin(left, right Operator, cfg JoinConfig) *hashJoin {
	j := &hashJoin{inputs: [2]Operator{left, right}, shared: cfg.Shared, alone: cfg.Unshared}
	j.kind, j.buildRight, j.safe = cfg.Kind, cfg.BuildRight, cfg.NullSafe
	j.mode = modeOf(cfg.Kind, cfg.BuildRight)
	schema := func(o Operator) []*types.Type {
		if o == nil {
			return cfg.SharedTypes
		}
		return o.Schema()
	}
	l, r := schema(left), schema(right)
	j.probe, j.build, j.probeKeys, j.buildKeys = l, r, cfg.LeftKeys, cfg.RightKeys
	if !cfg.BuildRight {
		j.probe, j.build, j.probeKeys, j.buildKeys = r, l, cfg.RightKeys, cfg.LeftKeys
	}
	if cfg.Cond != nil {
		j.cond = &joinCond{left: cfg.Cond.Left, right: cfg.Cond.Right, pred: cfg.Cond.Pred, negated: cfg.Cond.Negated}
	}
	j.out = append([]*types.Type(nil), l...)
	switch cfg.Kind {
	case plan.LeftSemi, plan.LeftAnti, plan.NullAwareAnti:
	case plan.Existence:
		j.out = append(j.out, types.BoolType)
	default:
		j.out = append(j.out, r...)
	}
	j.p.joinSpec = &j.joinSpec
	return j
}

func (j *hashJoin) Schema() []*types.Type { return j.out }

func (j *hashJoin) Inputs() []Operator {
	var in []Operator
	for _, o := range j.inputs {
		if o != nil {
			in = append(in, o)
		}
	}
	return in
}

func (j *hashJoin) sides() (probe, build Operator) {
	if j.buildRight {
		return j.inputs[0], j.inputs[1]
	}
	return j.inputs[1], j.inputs[0]
}

func (j *hashJoin) Open(c *task.Ctx) error {
	j.c = c
	j.mem = c.Mem.Reserve("join", j)
	for _, in := range j.Inputs() {
		if err := in.Open(c); err != nil {
			return err
		}
	}
	return nil
}

func (j *hashJoin) Next(c *task.Ctx) (*vec.Batch, error) {
	if !j.built {
		if err := j.buildSide(c); err != nil {
			return nil, err
		}
		j.built = true
	}
	for {
		if j.src != nil {
			b, err := j.p.next(c, j.src)
			if err != io.EOF {
				return b, err
			}
			j.src, j.p.table, j.p.matched = nil, nil, nil
			if err := j.mem.Resize(0); err != nil {
				return nil, err
			}
		}
		if j.blocks != nil {
			more, err := j.blocks.nextBlock(c)
			if err != nil {
				return nil, err
			}
			if more {
				continue
			}
			err = j.blocks.close()
			j.blocks, j.p.blocks = nil, nil
			if err != nil {
				return nil, err
			}
		}
		if j.grace == nil {
			return nil, io.EOF
		}
		more, err := j.grace.nextPart(c)
		if err != nil {
			return nil, err
		}
		if !more {
			return nil, io.EOF
		}
	}
}

// buildSide reads the build input and, when it fits, makes the table.
func (j *hashJoin) buildSide(c *task.Ctx) error {
	probe, build := j.sides()
	if j.shared != nil {
		t, err := j.shared(c)
		if err == nil {
			j.p.start(t.table)
			j.src = probe.Next
			return nil
		}
		if !short(err) || j.alone == nil {
			return err
		}
		// Its table doesn't fit: this task reads the rows itself, and may spill them.
		if build, err = j.alone(); err != nil {
			return err
		}
		if j.shared = nil; j.buildRight {
			j.inputs[1] = build
		} else {
			j.inputs[0] = build
		}
		if err := build.Open(c); err != nil {
			return err
		}
	}
	if j.buildKeys == nil {
		j.buf = newRowBuffer(c, "join", j.build)
	}
	for {
		j.inHand = true
		b, err := build.Next(c)
		j.inHand = false
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := j.keep(c, b.Compact()); err != nil {
			return err
		}
		if err := c.Yield(); err != nil {
			return err
		}
	}
	if err := build.Close(); err != nil {
		return err
	}
	if j.grace != nil {
		return j.grace.split(c, probe)
	}
	if j.buf != nil {
		held, ok := j.buf.take()
		if !ok {
			return j.blockwise(c, probe)
		}
		j.held = held
	}
	return j.index(c, probe.Next)
}

// blockwise joins nested loops whose build side is in a file.
func (j *hashJoin) blockwise(c *task.Ctx, probe Operator) error {
	if err := j.buf.finish(); err != nil {
		return err
	}
	j.blocks = j.newBlocks(c, j.buf.reader().next, nil)
	j.p.blocks = j.blocks
	j.p.buildAny = j.buf.rows > 0
	return j.blocks.stash(c, probe)
}

// short reports whether an error is about memory.
func short(err error) bool {
	e, ok := errs.As(err)
	return ok && (e.Condition == "UNABLE_TO_ACQUIRE_MEMORY" || e.Condition == "INTERNAL_ERROR_MEMORY")
}

// index makes the table of the rows held, to be probed with src.
func (j *hashJoin) index(c *task.Ctx, src func(*task.Ctx) (*vec.Batch, error)) error {
	held := j.held
	j.held = nil
	t, err := tableOf(c, j.build, held, j.buildKeys, j.safe)
	if err != nil {
		return err
	}
	j.p.start(t)
	j.src = src
	return nil
}

// cost is the memory that a build batch takes as part of a table.
func (j *hashJoin) cost(b *vec.Batch) int64 {
	return b.LiveSize() + tableBytes(int64(b.N)) + int64(b.N)
}

// keep adds build rows, in memory or on disk.
func (j *hashJoin) keep(c *task.Ctx, b *vec.Batch) error {
	if j.grace == nil && j.buf == nil {
		var err error
		if b, _, err = owned(j.build, b, c.Yield); err != nil {
			return err
		}
	}
	if j.grace != nil { // since long, or from a suspension just now on
		return j.grace.add(c, j.grace.parts, b, true)
	}
	if j.buf != nil {
		return j.buf.add(b)
	}
	if j.mem.Try(j.cost(b)) {
		j.held = append(j.held, b)
		return nil
	}
	g := j.newGrace()
	j.grace = g
	for i, h := range j.held {
		if err := g.add(c, g.parts, h, true); err != nil {
			return err
		}
		j.held[i] = nil
	}
	j.held = nil
	if err := j.mem.Resize(0); err != nil {
		return err
	}
	return g.add(c, g.parts, b, true)
}

// Spill implements mem.Spiller: while the build side is read its rows can go to disk.
func (j *hashJoin) Spill() (int64, error) {
	if !j.inHand || j.buildKeys == nil || len(j.held) == 0 {
		return 0, nil
	}
	g := j.newGrace()
	j.grace = g
	for i, h := range j.held {
		if err := g.add(nil, g.parts, h, true); err != nil {
			return 0, err
		}
		j.held[i] = nil
	}
	j.held = nil
	freed := j.mem.Size()
	return freed, j.mem.Resize(0)
}

func (j *hashJoin) Close() error {
	var first error
	note := func(err error) {
		if err != nil && first == nil {
			first = err
		}
	}
	if j.grace != nil {
		note(j.grace.close())
		j.grace = nil
	}
	note(j.blocks.close())
	note(j.buf.close())
	j.blocks, j.buf = nil, nil
	j.held, j.src, j.p = nil, nil, prober{joinSpec: &j.joinSpec}
	if j.mem != nil {
		j.mem.Release()
	}
	for _, in := range j.Inputs() {
		note(in.Close())
	}
	return first
}
