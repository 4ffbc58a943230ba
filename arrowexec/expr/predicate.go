package expr

import (
	"neptune/arrowexec/fn"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Predicate picks the rows of a batch for which a condition is true.
type Predicate interface {
	// Select returns b itself when all rows qualify, else a batch over the same
	// columns with a selection, in b's order; N is 0 when none does.
	Select(b *vec.Batch) (*vec.Batch, error)
}

// conjunct is one part of an AND. It writes the rows (of those in sel) that
// pass to the front of out, which may be sel's own memory, and returns them.
type conjunct interface {
	pick(b *vec.Batch, sel, out []int32) ([]int32, error)
}

type predicate struct {
	parts []conjunct
	pool  *vec.Pool // of selections
	all   []int32   // 0, 1, 2 ...: read only
}

// CompilePredicate splits a condition at its ANDs; each part sees only the
// rows that passed the ones before. Comparisons of a column with a constant or another
// column, IN lists and patterns over a column select straight from the column's values.
func CompilePredicate(e plan.Expr, env *fn.Env) (Predicate, error) {
	if t := e.Type(); t == nil || t.Kind != types.Bool && t.Kind != types.Null {
		return nil, errs.Internalf("a predicate of type %s", t)
	}
	p := &predicate{pool: env.Pool}
	for _, part := range conjuncts(e, nil) {
		c, err := compileConjunct(part, env)
		if err != nil {
			return nil, err
		}
		p.parts = append(p.parts, c)
	}
	return p, nil
}

func conjuncts(e plan.Expr, list []plan.Expr) []plan.Expr {
	if c, ok := e.(*plan.Call); ok && c.Name == "and" && len(c.Args) == 2 {
		return conjuncts(c.Args[1], conjuncts(c.Args[0], list))
	}
	return append(list, e)
}

func (p *predicate) Select(b *vec.Batch) (*vec.Batch, error) {
	if b.N == 0 {
		return b, nil
	}
	sel := b.Sel
	if sel == nil {
		if len(p.all) < b.N {
			p.all = allRows(max(b.N, vec.DefaultRows))
		}
		sel = p.all[:b.N]
	}
	var buf []int32
	for _, c := range p.parts {
		if buf == nil {
			buf = vec.Scratch[int32](p.pool, b.N)
		}
		var err error
		if sel, err = c.pick(b, sel, buf); err != nil {
			return nil, err
		}
		if len(sel) == 0 {
			break
		}
	}
	if len(sel) == b.N {
		vec.RecycleSlice(p.pool, buf)
		return b, nil
	}
	out := &vec.Batch{N: len(sel), Cols: b.Cols, Sel: buf[:len(sel)]}
	out.OwnSel(p.pool)
	out.OwnAll(b)
	return out, nil
}

// general evaluates any boolean expression over the rows that are left.
type general struct {
	e    Evaluator
	pool *vec.Pool
}

func (g *general) pick(b *vec.Batch, sel, out []int32) ([]int32, error) {
	sub := &vec.Batch{N: len(sel), Cols: b.Cols, Sel: sel}
	if b.Sel == nil && len(sel) == b.N {
		sub = b // all rows: columns are read without a gather
	}
	v, own, err := EvalTemp(g.e, sub)
	if err != nil {
		return nil, err
	}
	if own {
		defer g.pool.Recycle(v)
	}
	if v.Layout == vec.None {
		return out[:0], nil
	}
	k := 0
	x := vec.Of[bool](v)
	if v.Null == nil {
		for i, r := range sel {
			out[k] = r
			if x[i] {
				k++
			}
		}
		return out[:k], nil
	}
	for i, r := range sel {
		out[k] = r
		if x[i] && !v.Null[i] {
			k++
		}
	}
	return out[:k], nil
}

func compileConjunct(e plan.Expr, env *fn.Env) (conjunct, error) {
	if c := fastConjunct(e, env, false); c != nil {
		return c, nil
	}
	if call, ok := e.(*plan.Call); ok && call.Name == "not" && len(call.Args) == 1 {
		if c := fastConjunct(call.Args[0], env, true); c != nil {
			return c, nil
		}
	}
	n, err := Compile(e, env)
	if err != nil {
		return nil, err
	}
	return &general{n, env.Pool}, nil
}

// fastConjunct finds a kernel that works on the column itself; nil: there is none.
func fastConjunct(e plan.Expr, env *fn.Env, negate bool) conjunct {
	c, ok := e.(*plan.Call)
	if !ok {
		return nil
	}
	switch c.Name {
	case "isnotnull", "isnull":
		if col := bound(c.Args[0]); col != nil {
			return &nullPick{col: col.Index, want: (c.Name == "isnull") != negate}
		}
		return nil
	}
	op, ok := fn.CmpOf(c.Name)
	if !ok || len(c.Args) != 2 {
		return nil
	}
	if negate {
		op = op.Negate()
	}
	l, r := bound(c.Args[0]), bound(c.Args[1])
	if l == nil && r != nil {
		l, r, op = r, nil, op.Flip()
		c = &plan.Call{Args: []plan.Expr{c.Args[1], c.Args[0]}}
	}
	if l == nil || collated(l.T) {
		return nil
	}
	if r != nil {
		if !sameValues(l.T, r.T) {
			return nil
		}
		return columnPick(op, l, r)
	}
	lit := constantOf(c.Args[1], env)
	if lit == nil || lit.Value == nil {
		return nil
	}
	return constPick(op, l, lit)
}

// sameValues reports whether values of both types compare as their memory does.
func sameValues(a, b *types.Type) bool {
	return vec.LayoutOf(a) == vec.LayoutOf(b) && (a.Kind != types.Decimal || a.Scale == b.Scale)
}

func bound(e plan.Expr) *plan.Bound {
	for {
		switch x := e.(type) {
		case *plan.Alias:
			e = x.Child
		case *plan.Bound:
			return x
		default:
			return nil
		}
	}
}

// constantOf is e's value when it can be known now; an error is left for evaluation.
func constantOf(e plan.Expr, env *fn.Env) *plan.Literal {
	if !Foldable(e) {
		return nil
	}
	l, err := Fold(e, env.Conf)
	if err != nil {
		return nil
	}
	return l
}

// constPick compares a column with a constant.
func constPick(op fn.CmpOp, col *plan.Bound, lit *plan.Literal) conjunct {
	switch vec.LayoutOf(col.T) {
	case vec.Bytes:
		switch v := lit.Value.(type) {
		case string:
			return &textPick{col: col.Index, op: op, c: v}
		case []byte:
			return &textPick{col: col.Index, op: op, c: string(v)}
		}
		return nil
	case vec.F64:
		if f, ok := lit.Value.(float64); ok && f == f && (op == fn.CmpEq || op == fn.CmpNe || op == fn.CmpLt || op == fn.CmpLe) {
			return &fixedPick[float64]{col: col.Index, op: op, c: f} // > and >= hold for NaN: not here
		}
		return nil
	}
	if lit.T == nil || !sameValues(col.T, lit.T) {
		return nil
	}
	n, ok := fn.IntValue(lit.Value)
	if !ok {
		return nil
	}
	switch vec.LayoutOf(col.T) {
	case vec.I8:
		return &fixedPick[int8]{col: col.Index, op: op, c: int8(n)}
	case vec.I16:
		return &fixedPick[int16]{col: col.Index, op: op, c: int16(n)}
	case vec.I32:
		return &fixedPick[int32]{col: col.Index, op: op, c: int32(n)}
	case vec.I64:
		return &fixedPick[int64]{col: col.Index, op: op, c: n}
	}
	return nil
}

func columnPick(op fn.CmpOp, l, r *plan.Bound) conjunct {
	switch vec.LayoutOf(l.T) {
	case vec.I8:
		return &pairPick[int8]{l.Index, r.Index, op}
	case vec.I16:
		return &pairPick[int16]{l.Index, r.Index, op}
	case vec.I32:
		return &pairPick[int32]{l.Index, r.Index, op}
	case vec.I64:
		return &pairPick[int64]{l.Index, r.Index, op}
	}
	return nil
}

type number interface {
	int8 | int16 | int32 | int64 | float64
}

func columnOf(b *vec.Batch, i int) (*vec.Vector, error) {
	if i >= len(b.Cols) {
		return nil, errs.Internalf("column %d of a batch of %d", i, len(b.Cols))
	}
	return b.Cols[i], nil
}

// dropNulls keeps the rows where null is false.
func dropNulls(null []bool, sel, out []int32) []int32 {
	if null == nil {
		return sel
	}
	k := 0
	for _, r := range sel {
		out[k] = r
		if !null[r] {
			k++
		}
	}
	return out[:k]
}

type fixedPick[T number] struct {
	col int
	op  fn.CmpOp
	c   T
}

func (f *fixedPick[T]) pick(b *vec.Batch, sel, out []int32) ([]int32, error) {
	v, err := columnOf(b, f.col)
	if err != nil {
		return nil, err
	}
	sel = dropNulls(v.Null, sel, out)
	x, c, k := vec.Of[T](v), f.c, 0
	switch f.op {
	case fn.CmpEq:
		for _, r := range sel {
			out[k] = r
			if x[r] == c {
				k++
			}
		}
	case fn.CmpNe:
		for _, r := range sel {
			out[k] = r
			if x[r] != c {
				k++
			}
		}
	case fn.CmpLt:
		for _, r := range sel {
			out[k] = r
			if x[r] < c {
				k++
			}
		}
	case fn.CmpLe:
		for _, r := range sel {
			out[k] = r
			if x[r] <= c {
				k++
			}
		}
	case fn.CmpGt:
		for _, r := range sel {
			out[k] = r
			if x[r] > c {
				k++
			}
		}
	case fn.CmpGe:
		for _, r := range sel {
			out[k] = r
			if x[r] >= c {
				k++
			}
		}
	}
	return out[:k], nil
}

type pairPick[T number] struct {
	l, r int
	op   fn.CmpOp
}

func (p *pairPick[T]) pick(b *vec.Batch, sel, out []int32) ([]int32, error) {
	lv, err := columnOf(b, p.l)
	if err != nil {
		return nil, err
	}
	rv, err := columnOf(b, p.r)
	if err != nil {
		return nil, err
	}
	op := p.op
	if op == fn.CmpGt || op == fn.CmpGe {
		lv, rv, op = rv, lv, op.Flip()
	}
	sel = dropNulls(lv.Null, sel, out)
	sel = dropNulls(rv.Null, sel, out)
	x, y, k := vec.Of[T](lv), vec.Of[T](rv), 0
	switch op {
	case fn.CmpEq:
		for _, r := range sel {
			out[k] = r
			if x[r] == y[r] {
				k++
			}
		}
	case fn.CmpNe:
		for _, r := range sel {
			out[k] = r
			if x[r] != y[r] {
				k++
			}
		}
	case fn.CmpLt:
		for _, r := range sel {
			out[k] = r
			if x[r] < y[r] {
				k++
			}
		}
	case fn.CmpLe:
		for _, r := range sel {
			out[k] = r
			if x[r] <= y[r] {
				k++
			}
		}
	}
	return out[:k], nil
}

type textPick struct {
	col int
	op  fn.CmpOp
	c   string
}

func (t *textPick) pick(b *vec.Batch, sel, out []int32) ([]int32, error) {
	v, err := columnOf(b, t.col)
	if err != nil {
		return nil, err
	}
	sel = dropNulls(v.Null, sel, out)
	ref, buf, c, k := vec.Refs(v), v.Buf, t.c, 0
	if t.op == fn.CmpEq || t.op == fn.CmpNe {
		eq := t.op == fn.CmpEq
		for _, r := range sel {
			out[k] = r
			if p := ref[r]; (p.Len() == len(c) && string(buf[p.Start():p.Start()+len(c)]) == c) == eq {
				k++
			}
		}
		return out[:k], nil
	}
	for _, r := range sel {
		out[k] = r
		s := v.Str(int(r))
		d := 0
		switch {
		case s < c:
			d = -1
		case s > c:
			d = 1
		}
		if t.op.Holds(d) {
			k++
		}
	}
	return out[:k], nil
}

type nullPick struct {
	col  int
	want bool
}

func (n *nullPick) pick(b *vec.Batch, sel, out []int32) ([]int32, error) {
	v, err := columnOf(b, n.col)
	if err != nil {
		return nil, err
	}
	k := 0
	for _, r := range sel {
		out[k] = r
		if v.IsNull(int(r)) == n.want {
			k++
		}
	}
	return out[:k], nil
}
