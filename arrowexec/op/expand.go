package op

import (
	"io"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// expand emits each input batch once a projection.
type expand struct {
	unary
	lists  [][]expr.Evaluator
	schema []*types.Type
	byRow  bool
	batch  *vec.Batch
	next   int
}

// NewExpand emits, for each row of in, a row for each of the node's projections.
func NewExpand(in Operator, n *physical.Expand, env *fn.Env) (Operator, error) {
	e := &expand{unary: unary{in}, byRow: n.ByRow && len(n.Projections) > 1, schema: physical.Types(n.Out)}
	for _, p := range n.Projections {
		l, err := CompileKeys(p, env)
		if err != nil {
			return nil, err
		}
		e.lists = append(e.lists, l)
	}
	return e, nil
}

func (e *expand) Open(c *task.Ctx) error { return e.input.Open(c) }
func (e *expand) Close() error           { e.batch = nil; return e.input.Close() }
func (e *expand) Schema() []*types.Type  { return e.schema }

func (e *expand) Next(c *task.Ctx) (*vec.Batch, error) {
	if len(e.lists) == 0 {
		return nil, io.EOF
	}
	if e.batch == nil {
		b, err := e.input.Next(c)
		if err != nil {
			return nil, err
		}
		e.batch, e.next = b, 0
	}
	if e.byRow {
		// next counts input rows here.
		to := min(e.next+max(1, batchRows(c.Conf)/len(e.lists)), e.batch.N)
		part := e.batch.Slice(e.next, to)
		if e.next = to; to == e.batch.N {
			e.batch = nil
		}
		out, err := e.together(part)
		if err != nil {
			return nil, err
		}
		return out, c.Yield()
	}
	out, err := e.project(e.next, e.batch)
	if err != nil {
		return nil, err
	}
	if e.next++; e.next == len(e.lists) {
		e.batch = nil
	}
	return out, c.Yield()
}

func (e *expand) project(list int, b *vec.Batch) (*vec.Batch, error) {
	cols, err := evalAll(e.lists[list], b, make([]*vec.Vector, 0, len(e.schema)))
	if err != nil {
		return nil, err
	}
	for i, v := range cols {
		if !types.SameType(v.Type, e.schema[i]) && v.Layout == vec.None {
			cols[i] = vec.MakeNull(e.schema[i], v.N)
		}
	}
	return &vec.Batch{N: b.N, Cols: cols}, nil
}

// together projects b in all ways, and puts the results of each row side by side.
func (e *expand) together(b *vec.Batch) (*vec.Batch, error) {
	all := make([]*vec.Batch, len(e.lists))
	for i := range e.lists {
		p, err := e.project(i, b)
		if err != nil {
			return nil, err
		}
		all[i] = p
	}
	joined := vec.Concat(e.schema, all)
	idx := make([]int32, 0, joined.N)
	for r := range b.N {
		for i := range e.lists {
			idx = append(idx, int32(i*b.N+r))
		}
	}
	out := &vec.Batch{N: joined.N}
	for _, v := range joined.Cols {
		out.Cols = append(out.Cols, v.Gather(idx))
	}
	return out, nil
}

// generate runs a generator function over batches, a bounded number of input rows at a time.
type generate struct {
	unary
	node   *physical.Generate
	gen    *fn.GenDef
	args   []expr.Evaluator
	a      fn.Args
	state  any
	schema []*types.Type

	batch *vec.Batch // input being spread
	at    int
	out   *vec.Batch // generated, being emitted in pieces
	sent  int
	step  int // input rows at a time
	mem   *mem.Reservation
}

const (
	generateStep = 1024
	generateRows = 8 * vec.DefaultRows // of a step's output, at which steps get smaller
)

// NewGenerate joins each row of in with the rows that the node's generator makes of it.
func NewGenerate(in Operator, n *physical.Generate, env *fn.Env) (Operator, error) {
	d := fn.Lookup(n.Call.Name)
	if d == nil || d.Gen == nil {
		return nil, errs.NotSupported("generator function " + n.Call.Name)
	}
	g := &generate{unary: unary{in}, node: n, step: generateStep, gen: d.Gen, schema: physical.Types(n.Out)}
	var err error
	if g.args, err = CompileKeys(n.Call.Args, env); err != nil {
		return nil, err
	}
	g.a = fn.Args{Env: env, Ret: n.Call.T, Mode: n.Call.Mode, Call: n.Call, State: &g.state, Const: constants(n.Call.Args)}
	return g, nil
}

func (g *generate) Open(c *task.Ctx) error {
	g.a.Env.Yield = c.Yield
	g.mem = c.Mem.Reserve("generate", nil)
	return g.input.Open(c)
}

func (g *generate) Close() error {
	g.batch, g.out = nil, nil
	if g.mem != nil {
		g.mem.Release()
		g.mem = nil
	}
	return g.input.Close()
}

func (g *generate) Schema() []*types.Type { return g.schema }

func (g *generate) Next(c *task.Ctx) (*vec.Batch, error) {
	for {
		if g.out != nil {
			from, to := g.sent, min(g.sent+batchRows(c.Conf), g.out.N)
			b := g.out.Slice(from, to)
			if g.sent = to; to == g.out.N {
				g.out = nil
				if err := g.mem.Resize(0); err != nil {
					return nil, err
				}
			}
			return b, c.Yield()
		}
		if g.batch == nil {
			b, err := g.input.Next(c)
			if err != nil {
				return nil, err
			}
			g.batch, g.at = b, 0
		}
		// A few input rows a step: generators multiply.
		to := min(g.at+g.step, g.batch.N)
		part := g.batch.Slice(g.at, to)
		if g.at = to; to == g.batch.N {
			g.batch = nil
		}
		if err := g.run(part); err != nil {
			return nil, err
		}
		if g.out != nil {
			if err := g.mem.Resize(g.out.LiveSize()); err != nil {
				return nil, err
			}
			if g.out.N > generateRows {
				g.step = max(1, g.step/4)
			}
		}
		if err := c.Yield(); err != nil {
			return nil, err
		}
	}
}

func (g *generate) run(b *vec.Batch) (err error) {
	defer fn.Refused(&err)
	args, err := evalAll(g.args, b, make([]*vec.Vector, 0, len(g.args)))
	if err != nil {
		return err
	}
	g.a.N, g.a.V = b.N, args
	cols, row, err := g.gen.Run(&g.a, g.node.Outer)
	if err != nil || len(row) == 0 {
		return err
	}
	src := row
	if b.Sel != nil {
		src = make([]int32, len(row))
		for i, r := range row {
			src[i] = b.Sel[r]
		}
	}
	out := &vec.Batch{N: len(row)}
	for _, k := range g.node.Keep {
		out.Cols = append(out.Cols, b.Cols[k].Gather(src))
	}
	for i, v := range cols {
		if t := g.schema[len(g.node.Keep)+i]; v.Layout == vec.None && t.Kind != types.Null {
			v = vec.MakeNull(t, v.N)
		}
		out.Cols = append(out.Cols, v)
	}
	g.out, g.sent = out, 0
	return nil
}
