package op

import (
	"io"
	"math"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

func eof(err error) bool { return err == io.EOF }

// hashAggregate groups its input (physical.HashAggregate).
type hashAggregate struct {
	unary
	node   *physical.HashAggregate
	env    *fn.Env
	aggs   []aggCall
	eval   *aggEval
	schema []*types.Type

	core *aggCore
	done bool
	// A partial aggregate looks at what it does to its rows (agg_partial.go).
	partial  bool
	passing  bool
	drained  bool // passing, and what was grouped before is out
	flushing *aggPart
	reduction
}

// NewHashAggregate groups in by the node's keys.
func NewHashAggregate(in Operator, n *physical.HashAggregate, env *fn.Env) (Operator, error) {
	aggs, err := newAggCalls(n.Aggs)
	if err != nil {
		return nil, err
	}
	eval, err := newAggEval(n.Group, aggs, env)
	if err != nil {
		return nil, err
	}
	h := &hashAggregate{unary: unary{in}, node: n, env: env, aggs: aggs, eval: eval, partial: len(n.Group) > 0 && n.Mode == physical.Partial}
	for _, k := range n.Group {
		h.schema = append(h.schema, k.Type())
	}
	for i := range aggs {
		g := &aggs[i]
		if g.emit {
			h.schema = append(h.schema, g.state...)
		} else {
			h.schema = append(h.schema, g.Call.T)
		}
		h.partial = h.partial && g.Mode == physical.Partial
	}
	return h, nil
}

func (h *hashAggregate) Schema() []*types.Type { return h.schema }

func (h *hashAggregate) Open(c *task.Ctx) error {
	h.env.Yield = c.Yield
	var err error
	if h.core, err = newAggCore(c, h.env, h.keyTypes(), h.aggs); err != nil {
		return err
	}
	h.core.whole = h.partial
	return h.input.Open(c)
}

func (h *hashAggregate) keyTypes() []*types.Type { return h.schema[:len(h.node.Group)] }

func (h *hashAggregate) Next(c *task.Ctx) (*vec.Batch, error) {
	rows := batchRows(c.Conf)
	for {
		if h.drained && !h.done {
			b, err := h.pass(c)
			if b != nil && h.early {
				h.again(int64(b.N))
			}
			return b, err
		}
		if h.drained {
			return nil, io.EOF
		}
		if h.flushing != nil {
			b, err := h.flush(c, rows)
			if b != nil || err != nil {
				return b, err
			}
			continue
		}
		if h.done || h.passing {
			b, err := h.core.emit(rows)
			if b != nil || err != nil {
				return b, err
			}
			if h.done {
				return nil, io.EOF
			}
			if err := h.core.close(); err != nil {
				return nil, err
			}
			h.core = nil
			if h.core, err = newAggCore(c, h.env, h.keyTypes(), h.aggs); err != nil {
				return nil, err
			}
			h.core.whole = true
			h.drained = true
			continue
		}
		if err := h.consume(c); err != nil {
			return nil, err
		}
	}
}

// consume takes input until it ends, or until partial aggregation gives up.
func (h *hashAggregate) consume(c *task.Ctx) error {
	for {
		b, err := h.input.Next(c)
		if eof(err) {
			h.done = true
			return h.core.end()
		}
		if err != nil {
			return err
		}
		eb, err := h.eval.eval(b)
		if err != nil {
			return err
		}
		if err := h.core.add(eb); err != nil {
			return err
		}
		n := int64(b.N)
		eb.letGo(b, h.core.keeps, h.env.Pool)
		if h.partial && h.core.files == nil {
			more, err := h.look(n)
			if !more || err != nil {
				return err
			}
		}
	}
}

// pass turns each row of the next batch into a state of its own.
func (h *hashAggregate) pass(c *task.Ctx) (*vec.Batch, error) {
	b, err := h.input.Next(c)
	if eof(err) {
		h.done = true
		return nil, io.EOF
	}
	if err != nil {
		return nil, err
	}
	eb, err := h.eval.eval(b)
	if err != nil {
		return nil, err
	}
	p := h.core.parts[0]
	out := &vec.Batch{N: eb.n, Cols: append([]*vec.Vector{}, eb.keys...)}
	for i := range h.aggs {
		acc := p.accs[i]
		acc.Reset()
		acc.Grow(eb.n)
		var group []int32
		args := eb.args[i]
		if keep := eb.keep[i]; keep != nil {
			for k, ok := range keep {
				if ok {
					group = append(group, int32(k))
				}
			}
			args = gatherAll(args, group)
		} else {
			group = make([]int32, eb.n)
			for k := range group {
				group[k] = int32(k)
			}
		}
		if err := h.core.step(acc, &h.aggs[i], group, args, len(group)); err != nil {
			return nil, err
		}
		s, err := acc.State(0, eb.n)
		if err != nil {
			return nil, err
		}
		out.Cols = append(out.Cols, s...)
		if err := c.Yield(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (h *hashAggregate) Close() error {
	var first error
	if h.core != nil {
		first = h.core.close()
		h.core = nil
	}
	if err := h.input.Close(); err != nil {
		return err
	}
	return first
}

// aggEval evaluates keys, arguments and filters of a batch.
type aggEval struct {
	keys   []expr.Evaluator
	floats []bool // keys that hold floats somewhere
	calls  []callEval
}

type callEval struct {
	args    []expr.Evaluator
	filter  expr.Evaluator
	stateAt int
	states  int
}

func newAggEval(group []plan.Expr, aggs []aggCall, env *fn.Env) (*aggEval, error) {
	e := &aggEval{}
	var err error
	if e.keys, err = CompileKeys(group, env); err != nil {
		return nil, err
	}
	for _, k := range group {
		e.floats = append(e.floats, hasFloats(k.Type()))
	}
	for i := range aggs {
		g := &aggs[i]
		var c callEval
		if g.merge {
			c.stateAt, c.states = g.StateAt, len(g.state)
		} else {
			if c.args, err = CompileKeys(fn.AggInputs(g.Call), env); err != nil {
				return nil, err
			}
			f := g.Filter
			if f == nil {
				f = g.Call.Filter
			}
			if f != nil {
				if c.filter, err = Compile(f, env); err != nil {
					return nil, err
				}
			}
		}
		e.calls = append(e.calls, c)
	}
	return e, nil
}

func (e *aggEval) eval(b *vec.Batch) (*aggBatch, error) {
	out := &aggBatch{n: b.N, args: make([][]*vec.Vector, len(e.calls)), keep: make([][]bool, len(e.calls))}
	for _, k := range e.keys {
		v, err := out.temp(k, b)
		if err != nil {
			return nil, err
		}
		out.keys = append(out.keys, v)
	}
	for i, f := range e.floats {
		if f {
			out.keys[i] = normalFloats(out.keys[i])
		}
	}
	var dense *vec.Batch // b without selection, for states
	read := map[int]*vec.Vector{}
	for i := range e.calls {
		c := &e.calls[i]
		switch {
		case c.states > 0:
			if dense == nil {
				dense = b.Compact()
			}
			for k := 0; k < c.states; k++ {
				out.args[i] = append(out.args[i], dense.Cols[c.stateAt+k].Slice(0, b.N))
			}
		case c.filter != nil:
			if err := c.filtered(b, out, i); err != nil {
				return nil, err
			}
		default:
			for _, a := range c.args {
				if col, ok := a.(bound); ok { // read once for all aggregates
					if v := read[col.index]; v != nil {
						out.args[i] = append(out.args[i], v)
						continue
					}
					v, err := out.temp(a, b)
					if err != nil {
						return nil, err
					}
					read[col.index] = v
					out.args[i] = append(out.args[i], v)
					continue
				}
				v, err := out.temp(a, b)
				if err != nil {
					return nil, err
				}
				out.args[i] = append(out.args[i], v)
			}
		}
	}
	return out, nil
}

// filtered evaluates a call's arguments for the rows of its FILTER only.
func (c *callEval) filtered(b *vec.Batch, out *aggBatch, i int) error {
	f, err := c.filter.Eval(b)
	if err != nil {
		return err
	}
	keep := make([]bool, b.N)
	var sel, back []int32
	back = make([]int32, b.N)
	if f.Layout != vec.None {
		for r, ok := range vec.Of[bool](f)[:b.N] {
			back[r] = -1
			if !ok || f.Null != nil && f.Null[r] {
				continue
			}
			keep[r] = true
			back[r] = int32(len(sel))
			if b.Sel != nil {
				sel = append(sel, b.Sel[r])
			} else {
				sel = append(sel, int32(r))
			}
		}
	}
	out.keep[i] = keep
	if len(sel) == 0 {
		for _, a := range c.args {
			out.args[i] = append(out.args[i], vec.MakeNull(a.Type(), b.N))
		}
		return nil
	}
	part := &vec.Batch{N: len(sel), Cols: b.Cols, Sel: sel}
	for _, a := range c.args {
		v, err := a.Eval(part)
		if err != nil {
			return err
		}
		out.args[i] = append(out.args[i], v.GatherNulls(back))
	}
	return nil
}

func hasFloats(t *types.Type) bool {
	switch t.Kind {
	case types.Float32, types.Float64:
		return true
	case types.Array:
		return hasFloats(t.Elem)
	case types.Map:
		return hasFloats(t.Key) || hasFloats(t.Elem)
	case types.Struct:
		for _, f := range t.Fields {
			if hasFloats(f.Type) {
				return true
			}
		}
	}
	return false
}

// normalFloats makes -0.0 into 0.0 and all NaNs one, as Spark does with keys.
func normalFloats(v *vec.Vector) *vec.Vector {
	switch v.Layout {
	case vec.F32:
		for _, x := range vec.Of[float32](v) {
			if x == 0 || x != x {
				out := make([]float32, v.N)
				for i, x := range vec.Of[float32](v) {
					out[i] = math.Float32frombits(vec.F32Bits(x))
				}
				return vec.FromSlice(v.Type, out, v.Null)
			}
		}
	case vec.F64:
		for _, x := range vec.Of[float64](v) {
			if x == 0 || x != x {
				out := make([]float64, v.N)
				for i, x := range vec.Of[float64](v) {
					out[i] = math.Float64frombits(vec.F64Bits(x))
				}
				return vec.FromSlice(v.Type, out, v.Null)
			}
		}
	case vec.List, vec.Group:
		o := *v
		o.Child = make([]*vec.Vector, len(v.Child))
		for i, c := range v.Child {
			o.Child[i] = normalFloats(c)
		}
		return &o
	}
	return v
}

// constants are the literals among args, nil elsewhere.
func constants(args []plan.Expr) []*plan.Literal {
	out := make([]*plan.Literal, len(args))
	for i, a := range args {
		out[i], _ = a.(*plan.Literal)
	}
	return out
}
