package expr

import (
	"neptune/arrowexec/fn"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// narrow returns the rows of b at the given positions (of its N rows).
func narrow(b *vec.Batch, pos []int32) *vec.Batch {
	if len(pos) == b.N {
		return b
	}
	if b.Sel != nil {
		sel := make([]int32, len(pos))
		for i, p := range pos {
			sel[i] = b.Sel[p]
		}
		return &vec.Batch{N: len(pos), Cols: b.Cols, Sel: sel}
	}
	return &vec.Batch{N: len(pos), Cols: b.Cols, Sel: pos}
}

// junction is AND or OR: the right side sees only the rows that the left doesn't decide.
type junction struct {
	left, right Evaluator
	or          bool
}

func (j *junction) Type() *types.Type { return types.BoolType }

func (j *junction) Eval(b *vec.Batch) (*vec.Vector, error) {
	l, err := j.left.Eval(b)
	if err != nil {
		return nil, err
	}
	if l.Layout == vec.None {
		l = vec.MakeNull(types.BoolType, b.N)
	}
	x := vec.Of[bool](l)
	open := 0
	for i, v := range x {
		if v != j.or || l.Null != nil && l.Null[i] {
			open++
		}
	}
	if open == 0 {
		return l, nil
	}
	if open == b.N && l.Null == nil {
		return j.right.Eval(b) // the left is neutral for all
	}
	pos := make([]int32, 0, open)
	for i, v := range x {
		if v != j.or || l.Null != nil && l.Null[i] {
			pos = append(pos, int32(i))
		}
	}
	r, err := j.right.Eval(narrow(b, pos))
	if err != nil {
		return nil, err
	}
	if r.Layout == vec.None {
		r = vec.MakeNull(types.BoolType, len(pos))
	}
	y := vec.Of[bool](r)
	out := append(make([]bool, 0, b.N), x...)
	var null []bool
	for k, p := range pos {
		ln, rn := l.Null != nil && l.Null[p], r.Null != nil && r.Null[k]
		switch {
		case !rn && y[k] == j.or:
			out[p] = j.or
		case ln || rn:
			if null == nil {
				null = make([]bool, b.N)
			}
			null[p] = true
		default:
			out[p] = !j.or
		}
	}
	return vec.FromSlice(types.BoolType, out, null), nil
}

// parts gathers what the branches of a CASE give, each for its rows.
type parts struct {
	t    *types.Type
	n    int
	val  []*vec.Vector
	rows [][]int32
}

func (p *parts) add(v *vec.Vector, rows []int32) {
	if len(rows) > 0 {
		p.val = append(p.val, v)
		p.rows = append(p.rows, rows)
	}
}

// merge scatters the parts into one vector; rows in no part are null.
func (p *parts) merge() *vec.Vector {
	covered := 0
	for _, r := range p.rows {
		covered += len(r)
	}
	if covered == 0 {
		return vec.MakeNull(p.t, p.n)
	}
	if len(p.rows) == 1 && covered == p.n {
		return retype(p.val[0], p.t, p.n)
	}
	switch vec.LayoutOf(p.t).Width() {
	case 0:
	default:
		if lay := vec.LayoutOf(p.t); lay != vec.Bytes && lay != vec.List {
			return p.scatter()
		}
	}
	// Build by concatenation and one gather: references and children move as they are.
	all := vec.NewBuilder(p.t, covered)
	at := make([]int32, p.n)
	for i := range at {
		at[i] = -1
	}
	k := int32(0)
	for i, v := range p.val {
		if v.Layout == vec.None {
			v = vec.MakeNull(p.t, v.N)
		}
		all.AppendVector(v)
		for _, r := range p.rows[i] {
			at[r] = k
			k++
		}
	}
	return all.Finish().GatherNulls(at)
}

func retype(v *vec.Vector, t *types.Type, n int) *vec.Vector {
	if v.Layout == vec.None && t.Kind != types.Null {
		return vec.MakeNull(t, n)
	}
	if v.Type == t {
		return v
	}
	o := *v
	o.Type = t
	return &o
}

func (p *parts) scatter() *vec.Vector {
	out := vec.Make(p.t, p.n)
	covered := 0
	anyNull := false
	for i, v := range p.val {
		covered += len(p.rows[i])
		if v.Layout == vec.None {
			anyNull = true
			continue
		}
		anyNull = anyNull || v.Null != nil
		switch out.Layout.Width() {
		case 1:
			scatter[uint8](out, v, p.rows[i])
		case 2:
			scatter[int16](out, v, p.rows[i])
		case 4:
			scatter[int32](out, v, p.rows[i])
		case 8:
			scatter[int64](out, v, p.rows[i])
		case 16:
			scatter[types.Int128](out, v, p.rows[i])
		}
	}
	if covered == p.n && !anyNull {
		return out
	}
	out.Null = make([]bool, p.n)
	if covered < p.n {
		for i := range out.Null {
			out.Null[i] = true
		}
	}
	for i, v := range p.val {
		for k, r := range p.rows[i] {
			out.Null[r] = v.IsNull(k)
		}
	}
	return out
}

func scatter[T vec.Fixed](out, v *vec.Vector, rows []int32) {
	dst, src := vec.Of[T](out), vec.Of[T](v)
	for k, r := range rows {
		dst[r] = src[k]
	}
}

// cases is CASE WHEN: a condition sees the rows that no earlier one took, a value its own rows.
type cases struct {
	when []Evaluator
	then []Evaluator
	els  Evaluator // nil: null
	t    *types.Type
}

func (c *compiler) cases(e *plan.Case) (Evaluator, error) {
	if v := onlyValue(e); v != nil {
		return c.compile(v)
	}
	n := &cases{t: e.Type()}
	for i := range e.When {
		w, err := c.compile(e.When[i])
		if err != nil {
			return nil, err
		}
		t, err := c.compile(e.Then[i])
		if err != nil {
			return nil, err
		}
		n.when, n.then = append(n.when, w), append(n.then, t)
	}
	if e.Else != nil {
		var err error
		if n.els, err = c.compile(e.Else); err != nil {
			return nil, err
		}
	}
	return n, nil
}

// onlyValue is what all branches of e give, if that is the same: Spark evaluates no condition then,
// but for those that it has folded before. Nil: there is no such value.
func onlyValue(e *plan.Case) plan.Expr {
	var els plan.Expr = &plan.Literal{T: e.Type()}
	if e.Else != nil {
		els = e.Else
	}
	want, ok := key(els)
	if !ok {
		return nil
	}
	for i, t := range e.Then {
		if k, ok := key(t); !ok || k != want || !types.Equal(t.Type(), els.Type()) {
			return nil
		}
		if _, ok := key(e.When[i]); !ok || Foldable(e.When[i]) {
			return nil
		}
	}
	return els
}

func (c *cases) Type() *types.Type { return c.t }

func (c *cases) Eval(b *vec.Batch) (*vec.Vector, error) {
	left := allRows(b.N)
	p := parts{t: c.t, n: b.N}
	for i, w := range c.when {
		if len(left) == 0 {
			break
		}
		sub := narrow(b, left)
		cond, err := w.Eval(sub)
		if err != nil {
			return nil, err
		}
		if cond.Layout == vec.None {
			continue
		}
		yes := make([]int32, 0, len(left))
		no := make([]int32, 0, len(left))
		for k, x := range vec.Of[bool](cond) {
			if x && (cond.Null == nil || !cond.Null[k]) {
				yes = append(yes, left[k])
			} else {
				no = append(no, left[k])
			}
		}
		if len(yes) > 0 {
			v, err := c.then[i].Eval(narrow(b, yes))
			if err != nil {
				return nil, err
			}
			p.add(v, yes)
		}
		left = no
	}
	if c.els != nil && len(left) > 0 {
		v, err := c.els.Eval(narrow(b, left))
		if err != nil {
			return nil, err
		}
		p.add(v, left)
	}
	return p.merge(), nil
}

func allRows(n int) []int32 {
	rows := make([]int32, n)
	for i := range rows {
		rows[i] = int32(i)
	}
	return rows
}

// firstOf is coalesce: a later argument sees the rows where the earlier ones are null.
type firstOf struct {
	args []Evaluator
	t    *types.Type
}

func (c *compiler) coalesce(e *plan.Call) (Evaluator, error) {
	n := &firstOf{t: e.T}
	for _, a := range e.Args {
		k, err := c.compile(a)
		if err != nil {
			return nil, err
		}
		n.args = append(n.args, k)
	}
	return n, nil
}

func (f *firstOf) Type() *types.Type { return f.t }

func (f *firstOf) Eval(b *vec.Batch) (*vec.Vector, error) {
	var left []int32 // nil: all
	p := parts{t: f.t, n: b.N}
	for i, e := range f.args {
		sub := b
		if i > 0 {
			if len(left) == 0 {
				break
			}
			sub = narrow(b, left)
		}
		v, err := e.Eval(sub)
		if err != nil {
			return nil, err
		}
		if i == 0 {
			if !v.HasNulls() {
				return retype(v, f.t, b.N), nil
			}
			left = allRows(b.N)
		}
		have := make([]int32, 0, v.N)
		at := make([]int32, 0, v.N)
		none := make([]int32, 0, v.N)
		for k := range v.N {
			if v.IsNull(k) {
				none = append(none, left[k])
			} else {
				have = append(have, left[k])
				at = append(at, int32(k))
			}
		}
		if len(have) > 0 {
			p.add(v.Gather(at), have)
		}
		left = none
	}
	return p.merge(), nil
}

// lambdaScope is the input of a lambda's body: its parameters are columns 0..n-1
// of a batch of elements, and what it uses of the outer batch follows, gathered by the
// element's row.
type lambdaScope struct {
	parent *lambdaScope
	vars   []*plan.LambdaVar
	cols   []int // outer columns, in the order of their place after the variables
	outs   []*plan.LambdaVar
}

func (s *lambdaScope) variable(e *plan.LambdaVar) Evaluator {
	for i, v := range s.vars {
		if v.ID == e.ID {
			return &column{index: i, t: v.T}
		}
	}
	if s.parent != nil {
		for q := s.parent; q != nil; q = q.parent {
			for _, v := range q.vars {
				if v.ID == e.ID {
					return &captured{scope: s, v: v, slot: s.capture(v)}
				}
			}
		}
	}
	return nil
}

// capture notes that the body uses a variable of a lambda around it.
func (s *lambdaScope) capture(v *plan.LambdaVar) int {
	for i, o := range s.outs {
		if o.ID == v.ID {
			return i
		}
	}
	s.outs = append(s.outs, v)
	return len(s.outs) - 1
}

func (s *lambdaScope) outer(index int, t *types.Type) Evaluator {
	for i, c := range s.cols {
		if c == index {
			return &outerColumn{scope: s, slot: i, t: t}
		}
	}
	s.cols = append(s.cols, index)
	return &outerColumn{scope: s, slot: len(s.cols) - 1, t: t}
}

// outerColumn reads a column of the batch around the lambda; its place in the
// lambda's batch is known once the whole body is compiled.
type outerColumn struct {
	scope *lambdaScope
	slot  int
	t     *types.Type
}

func (o *outerColumn) Type() *types.Type { return o.t }

func (o *outerColumn) Eval(b *vec.Batch) (*vec.Vector, error) {
	return (&column{index: len(o.scope.vars) + o.slot, t: o.t}).Eval(b)
}

type captured struct {
	scope *lambdaScope
	v     *plan.LambdaVar
	slot  int
}

func (c *captured) Type() *types.Type { return c.v.T }

func (c *captured) Eval(b *vec.Batch) (*vec.Vector, error) {
	return (&column{index: len(c.scope.vars) + len(c.scope.cols) + c.slot, t: c.v.T}).Eval(b)
}

// lambdaFn compiles the body of a lambda that is an argument of owner.
func (c *compiler) lambdaFn(l *plan.Lambda, owner *call) (fn.LambdaFn, error) {
	scope := &lambdaScope{parent: c.lambda, vars: l.Args}
	inner := &compiler{env: c.env, round: &round{}, lambda: scope}
	body, err := inner.compile(l.Body)
	if err != nil {
		return nil, err
	}
	// What the body takes from outside is read where the call stands.
	outside := make([]Evaluator, 0, len(scope.cols)+len(scope.outs))
	for _, i := range scope.cols {
		t := types.NullType
		plan.Walk(l.Body, func(e plan.Expr) bool {
			if b, ok := e.(*plan.Bound); ok && b.Index == i {
				t = b.T
			}
			return true
		})
		k, err := c.plain(&plan.Bound{Index: i, T: t})
		if err != nil {
			return nil, err
		}
		outside = append(outside, k)
	}
	for _, v := range scope.outs {
		k, err := c.plain(v)
		if err != nil {
			return nil, err
		}
		outside = append(outside, k)
	}
	return func(args []*vec.Vector, row []int32) (*vec.Vector, error) {
		b := &vec.Batch{N: len(row), Cols: make([]*vec.Vector, 0, len(l.Args)+len(outside))}
		for i := range l.Args {
			if i < len(args) {
				b.Cols = append(b.Cols, args[i])
			}
		}
		for _, o := range outside {
			v, err := o.Eval(owner.batch)
			if err != nil {
				return nil, err
			}
			b.Cols = append(b.Cols, v.Gather(row))
		}
		return body.Eval(b)
	}, nil
}
