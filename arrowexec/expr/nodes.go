package expr

import (
	"neptune/arrowexec/fn"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// round counts the passes over the evaluators of one CompileAll.
type round struct {
	n    int
	last int
}

// root notices the start of a new pass: an evaluator at or before the last one asked.
type root struct {
	node  Evaluator
	round *round
	index int
}

func (r *root) Type() *types.Type { return r.node.Type() }

func (r *root) Eval(b *vec.Batch) (*vec.Vector, error) {
	v, _, err := r.EvalTemp(b)
	return v, err
}

// EvalTemp implements Temporary.
func (r *root) EvalTemp(b *vec.Batch) (*vec.Vector, bool, error) {
	if r.index <= r.round.last {
		r.round.n++
	}
	r.round.last = r.index
	return EvalTemp(r.node, b)
}

// shared computes an expression once a batch (or once a selection of it).
type shared struct {
	node  Evaluator
	round *round
	n     int
	batch *vec.Batch
	out   *vec.Vector
}

func (s *shared) Type() *types.Type { return s.node.Type() }

func (s *shared) Eval(b *vec.Batch) (*vec.Vector, error) {
	if s.batch == b && s.n == s.round.n && s.out.N == b.N {
		return s.out, nil
	}
	v, err := s.node.Eval(b)
	if err != nil {
		return nil, err
	}
	s.batch, s.out, s.n = b, v, s.round.n
	return v, nil
}

// column reads a column, gathered where the batch has a selection.
type column struct {
	index int
	t     *types.Type
	pool  *vec.Pool
}

func (c *column) Type() *types.Type { return c.t }

func (c *column) Eval(b *vec.Batch) (*vec.Vector, error) {
	v, _, err := c.EvalTemp(b)
	return v, err
}

// EvalTemp implements Temporary.
func (c *column) EvalTemp(b *vec.Batch) (*vec.Vector, bool, error) {
	if c.index >= len(b.Cols) {
		return nil, false, errs.Internalf("column %d of a batch of %d", c.index, len(b.Cols))
	}
	v := b.Cols[c.index]
	if b.Sel != nil {
		return v.GatherPool(c.pool, b.Sel), c.pool != nil, nil
	}
	return v.Slice(0, b.N), false, nil
}

// literal is a constant, repeated; the vector is kept and cut to size.
type literal struct {
	lit *plan.Literal
	all *vec.Vector
}

func newLiteral(l *plan.Literal) (*literal, error) {
	v, err := vec.Repeat(l.T, l.Value, 1)
	if err != nil {
		return nil, errs.Internalf("%v", err)
	}
	return &literal{lit: l, all: v}, nil
}

func (l *literal) Type() *types.Type { return l.lit.T }

func (l *literal) Eval(b *vec.Batch) (*vec.Vector, error) {
	if b.N > l.all.N {
		n := b.N
		if n > 64 {
			n = max(n, vec.DefaultRows)
		}
		l.all = l.all.Gather(make([]int32, n))
	}
	return l.all.Slice(0, b.N), nil
}

// field is one field of a struct.
type field struct {
	child Evaluator
	index int
	t     *types.Type
}

func (f *field) Type() *types.Type { return f.t }

func (f *field) Eval(b *vec.Batch) (*vec.Vector, error) {
	v, err := f.child.Eval(b)
	if err != nil {
		return nil, err
	}
	if v.Layout == vec.None {
		return vec.MakeNull(f.t, b.N), nil
	}
	return withNulls(v.Child[f.index], v.Null, b.N), nil
}

// withNulls is v with more nulls; it shares v's values.
func withNulls(v *vec.Vector, null []bool, n int) *vec.Vector {
	if v.N != n {
		v = v.Slice(0, n)
	}
	if null == nil || v.Layout == vec.None {
		return v
	}
	o := *v
	if v.Null == nil {
		o.Null = null[:n]
		return &o
	}
	o.Null = make([]bool, n)
	for i := range o.Null {
		o.Null[i] = v.Null[i] || null[i]
	}
	return &o
}

// call evaluates its arguments and runs a kernel over them.
type call struct {
	def     *fn.Def
	expr    *plan.Call
	t       *types.Type
	env     *fn.Env
	kernel  fn.Kernel
	nulls   fn.NullRule
	args    []Evaluator
	con     []*plan.Literal
	lambdas []fn.LambdaFn
	state   any
	batch   *vec.Batch // the rows at hand, for lambdas
	a       fn.Args
	whole   []*vec.Vector // the arguments, of the whole batch
	back    bool          // the last argument is evaluated first
	temp    []bool        // which of them are ours to recycle
	pace    pace
}

func (c *call) Type() *types.Type { return c.t }

func (c *call) Eval(b *vec.Batch) (*vec.Vector, error) {
	v, _, err := c.EvalTemp(b)
	return v, err
}

// EvalTemp implements Temporary.
func (c *call) EvalTemp(b *vec.Batch) (*vec.Vector, bool, error) {
	if b.N == 0 {
		return vec.Make(c.t, 0), false, nil
	}
	a := &c.a
	if a.V == nil {
		*a = fn.Args{Env: c.env, V: make([]*vec.Vector, len(c.args)), Ret: c.t, Mode: c.expr.Mode, Call: c.expr, Const: c.con, State: &c.state, Lambdas: c.lambdas}
		c.whole, c.temp = make([]*vec.Vector, len(c.args)), make([]bool, len(c.args))
	}
	nullIn := c.nulls == fn.NullIn || c.nulls == fn.NullMaybe
	if nullIn {
		for _, l := range c.con {
			if l != nil && l.Value == nil {
				return vec.MakeNull(c.t, b.N), false, nil
			}
		}
	}
	clear(c.whole) // an error before left them
	for i, e := range c.args {
		if c.back {
			i = len(c.args) - 1 - i
			e = c.args[i]
		}
		if e == nil {
			continue
		}
		v, own, err := EvalTemp(e, b)
		if err != nil {
			if v, err = c.reached(i, b, nullIn, err); err != nil {
				return nil, false, err
			}
		}
		if nullIn && v.Layout == vec.None {
			return vec.MakeNull(c.t, b.N), false, nil
		}
		c.whole[i], c.temp[i] = v, own
	}
	v, err := c.pace.run(c.t, b.N, c.env, func(from, to int) (*vec.Vector, error) {
		return c.step(b, from, to, nullIn)
	})
	own := err == nil && len(a.Took) > 0 && v.N == b.N && vec.SameMemory(a.Took, v.Data)
	a.Took = nil
	for i, w := range c.whole {
		// The batch isn't ours to keep. Lambdas' rows may be anywhere.
		if c.temp[i] && err == nil && c.lambdas == nil && !vec.SharesData(v, w) {
			c.env.Pool.Recycle(w)
		}
		a.V[i], c.whole[i], c.temp[i] = nil, nil, false
	}
	return v, own, err
}

// reached evaluates argument k, that failed over all rows, again over those that come to it: where no argument
// before it is null, since a null there is the result, or where the first argument chooses it.
func (c *call) reached(k int, b *vec.Batch, nullIn bool, failed error) (*vec.Vector, error) {
	if _, ok := errs.As(failed); !ok {
		return nil, failed
	}
	e := c.args[k]
	before := c.whole
	rows := make([]int32, 0, b.N)
	switch chosen := c.chosen(k, b.N); {
	case chosen != nil:
		for i := range b.N {
			if chosen(i) {
				rows = append(rows, int32(i))
			}
		}
	case nullFirst[c.expr.Name]:
		before = c.whole[:1]
		fallthrough
	case nullIn:
		null := union(before, b.N)
		if null == nil {
			return nil, failed
		}
		for i, x := range null {
			if !x {
				rows = append(rows, int32(i))
			}
		}
	default:
		return nil, failed
	}
	if len(rows) == b.N {
		return nil, failed
	}
	p := parts{t: e.Type(), n: b.N}
	if len(rows) > 0 {
		v, err := e.Eval(narrow(b, rows))
		if err != nil {
			return nil, err
		}
		p.add(v, rows)
	}
	return p.merge(), nil
}

// chosen tells the rows whose value is that of argument k; nil where the first argument doesn't choose among the others.
func (c *call) chosen(k, n int) func(i int) bool {
	if k == 0 || c.whole[0] == nil || c.whole[0].N != n {
		return nil
	}
	v := c.whole[0]
	set := func(i int) bool { return v.Null == nil || !v.Null[i] }
	switch c.expr.Name {
	case "elt":
		if v.Layout == vec.None {
			return func(int) bool { return false }
		}
		at := vec.Of[int32](v)
		return func(i int) bool { return set(i) && int(at[i]) == k }
	case "nanvl":
		switch v.Layout {
		case vec.None:
			return func(int) bool { return false }
		case vec.F32:
			x := vec.Of[float32](v)
			return func(i int) bool { return set(i) && x[i] != x[i] }
		}
		x := vec.Of[float64](v)
		return func(i int) bool { return set(i) && x[i] != x[i] }
	}
	return nil
}

// step runs the kernel over rows from..to of the arguments in c.whole, of batch b.
func (c *call) step(b *vec.Batch, from, to int, nullIn bool) (v *vec.Vector, err error) {
	defer fn.Refused(&err)
	a := &c.a
	a.N, a.Skip = to-from, nil
	for i, v := range c.whole {
		if v != nil && v.N != a.N {
			v = v.Slice(from, to)
		}
		a.V[i] = v
	}
	if nullIn {
		a.Skip = union(a.V, a.N)
	}
	if c.lambdas != nil {
		c.batch = b.Slice(from, to)
	}
	v, err = c.kernel(a)
	c.batch = nil
	if err != nil {
		return nil, err
	}
	if v.N != a.N {
		return nil, errs.Internalf("function %s gave %d values for %d rows", c.expr.Name, v.N, a.N)
	}
	if a.Skip != nil {
		v = withNulls(v, a.Skip, a.N)
	}
	return v, nil
}

// union is the rows where one of the arguments is null; nil: none is.
func union(args []*vec.Vector, n int) []bool {
	var mask []bool
	own := false
	for _, v := range args {
		switch {
		case v == nil || v.Layout != vec.None && v.Null == nil:
			continue
		case v.Layout == vec.None:
			all := make([]bool, n)
			for i := range all {
				all[i] = true
			}
			return all
		case mask == nil:
			mask = v.Null[:n]
			continue
		}
		if !own {
			mask, own = append(make([]bool, 0, n), mask...), true
		}
		for i, x := range v.Null[:n] {
			mask[i] = mask[i] || x
		}
	}
	return mask
}

// cast converts.
type cast struct {
	child Evaluator
	to    *types.Type
	conv  *fn.Caster
	env   *fn.Env
	pace  pace
}

func (c *compiler) cast(e *plan.Cast) (Evaluator, error) {
	child, err := c.compile(e.Child)
	if err != nil {
		return nil, err
	}
	from := e.Child.Type()
	if from == nil || e.To == nil {
		return nil, errs.Internalf("cast is not resolved")
	}
	conv, err := fn.NewCaster(from, e.To, e.Mode, c.env, e.Pos())
	if err != nil {
		return nil, err
	}
	if e.Column == "" {
		return &cast{child: child, to: e.To, conv: conv, env: c.env}, nil
	}
	return &stored{cast{child: child, to: e.To, conv: conv, env: c.env}, from, e.Column}, nil
}

// stored is a cast to the type of a table's column, whose name errors have.
type stored struct {
	cast
	from   *types.Type
	column string
}

func (s *stored) Eval(b *vec.Batch) (*vec.Vector, error) {
	v, err := s.cast.Eval(b)
	if e, ok := errs.As(err); ok && e.Condition == "CAST_OVERFLOW" {
		return nil, errs.New(errs.Arithmetic, "CAST_OVERFLOW_IN_TABLE_INSERT", "sourceType", errs.Quote(s.from.SQL()), "targetType", errs.Quote(s.to.SQL()), "columnName", errs.ID(s.column))
	}
	return v, err
}

func (c *cast) Type() *types.Type { return c.to }

func (c *cast) Eval(b *vec.Batch) (*vec.Vector, error) {
	v, err := c.child.Eval(b)
	if err != nil {
		return nil, err
	}
	return c.pace.run(c.to, v.N, c.env, func(from, to int) (*vec.Vector, error) {
		return c.conv.Cast(v.Slice(from, to))
	})
}
