package fn

import (
	"bytes"

	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// CmpOp is a comparison.
type CmpOp uint8

// The comparisons.
const (
	CmpEq CmpOp = iota
	CmpNe
	CmpLt
	CmpLe
	CmpGt
	CmpGe
)

// CmpOf returns the comparison of that name; ok is false when it is none.
func CmpOf(name string) (op CmpOp, ok bool) {
	switch name {
	case "=":
		return CmpEq, true
	case "<":
		return CmpLt, true
	case "<=":
		return CmpLe, true
	case ">":
		return CmpGt, true
	case ">=":
		return CmpGe, true
	}
	return 0, false
}

// Holds reports whether the comparison holds for two values that compare as c (<0, 0, >0).
func (op CmpOp) Holds(c int) bool {
	switch op {
	case CmpEq:
		return c == 0
	case CmpNe:
		return c != 0
	case CmpLt:
		return c < 0
	case CmpLe:
		return c <= 0
	case CmpGt:
		return c > 0
	}
	return c >= 0
}

// Flip is the comparison with its sides exchanged.
func (op CmpOp) Flip() CmpOp {
	switch op {
	case CmpLt:
		return CmpGt
	case CmpLe:
		return CmpGe
	case CmpGt:
		return CmpLt
	case CmpGe:
		return CmpLe
	}
	return op
}

// Negate is the comparison that holds where op doesn't, nulls aside.
func (op CmpOp) Negate() CmpOp {
	return [...]CmpOp{CmpEq: CmpNe, CmpNe: CmpEq, CmpLt: CmpGe, CmpLe: CmpGt, CmpGt: CmpLe, CmpGe: CmpLt}[op]
}

func compareKernel(op CmpOp) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := make([]bool, a.N)
		switch a.V[0].Layout {
		case vec.Byte:
			cmpOrdered[uint8](a, op, out)
		case vec.I8:
			cmpOrdered[int8](a, op, out)
		case vec.I16:
			cmpOrdered[int16](a, op, out)
		case vec.I32:
			cmpOrdered[int32](a, op, out)
		case vec.I64:
			if t, u := a.V[0].Type, a.V[1].Type; t.Kind == types.Decimal && (t.Scale != u.Scale || a.V[1].Layout != vec.I64) {
				cmpDecimals(a, op, out)
			} else {
				cmpOrdered[int64](a, op, out)
			}
		case vec.I128:
			cmpDecimals(a, op, out)
		case vec.F32:
			cmpFloats[float32](a, op, out)
		case vec.F64:
			cmpFloats[float64](a, op, out)
		case vec.Bytes:
			cmpBytes(a, op, out)
		default:
			f := comparer(a.V[0].Type)
			for i := range out {
				if !a.skipped(i) {
					out[i] = op.Holds(f(a.V[0], i, a.V[1], i))
				}
			}
		}
		return vec.FromSlice(types.BoolType, out, nil), nil
	}
}

type ordered interface {
	uint8 | int8 | int16 | int32 | int64
}

func cmpOrdered[T ordered](a *Args, op CmpOp, out []bool) {
	x, xm := operand[T](a, 0)
	y, ym := operand[T](a, 1)
	switch op {
	case CmpEq:
		for i := range out {
			out[i] = x[i&xm] == y[i&ym]
		}
	case CmpNe:
		for i := range out {
			out[i] = x[i&xm] != y[i&ym]
		}
	case CmpLt:
		for i := range out {
			out[i] = x[i&xm] < y[i&ym]
		}
	case CmpLe:
		for i := range out {
			out[i] = x[i&xm] <= y[i&ym]
		}
	case CmpGt:
		for i := range out {
			out[i] = x[i&xm] > y[i&ym]
		}
	case CmpGe:
		for i := range out {
			out[i] = x[i&xm] >= y[i&ym]
		}
	}
}

// cmpFloats orders NaN above everything and equal to itself.
func cmpFloats[T float](a *Args, op CmpOp, out []bool) {
	x, xm := operand[T](a, 0)
	y, ym := operand[T](a, 1)
	for i := range out {
		l, r := x[i&xm], y[i&ym]
		switch op {
		case CmpEq:
			out[i] = l == r || l != l && r != r
		case CmpNe:
			out[i] = !(l == r || l != l && r != r)
		case CmpLt:
			out[i] = l < r || r != r && l == l
		case CmpLe:
			out[i] = l <= r || r != r
		case CmpGt:
			out[i] = l > r || l != l && r == r
		case CmpGe:
			out[i] = l >= r || l != l
		}
	}
}

func cmpDecimals(a *Args, op CmpOp, out []bool) {
	x, y := wide(a.V[0]), wide(a.V[1])
	s1, s2 := a.V[0].Type.Scale, a.V[1].Type.Scale
	for i := range out {
		out[i] = op.Holds(CmpDecimal(x[i], y[i], s1, s2))
	}
}

// CmpDecimal compares decimals of any scales.
func CmpDecimal(x, y types.Int128, s1, s2 int) int {
	if s1 == s2 {
		return x.Cmp(y)
	}
	s := max(s1, s2)
	l, ok1 := types.Rescale(x, s1, s)
	r, ok2 := types.Rescale(y, s2, s)
	if ok1 && ok2 {
		return l.Cmp(r)
	}
	lb, rb := x.Big(), y.Big()
	return lb.Mul(lb, bigPow10(s-s1)).Cmp(rb.Mul(rb, bigPow10(s-s2)))
}

func cmpBytes(a *Args, op CmpOp, out []bool) {
	x, y := a.V[0], a.V[1]
	if (op == CmpEq || op == CmpNe) && a.Const[1] != nil && a.N > 0 {
		c := y.Str(0)
		ref, buf := vec.Refs(x), x.Buf
		eq := op == CmpEq
		for i, r := range ref {
			out[i] = (r.Len() == len(c) && string(buf[r.Start():r.Start()+len(c)]) == c) == eq
		}
		return
	}
	xr, yr := vec.Refs(x), vec.Refs(y)
	for i := range out {
		l := x.Buf[xr[i].Start() : xr[i].Start()+xr[i].Len()]
		r := y.Buf[yr[i].Start() : yr[i].Start()+yr[i].Len()]
		if op <= CmpNe {
			out[i] = bytes.Equal(l, r) == (op == CmpEq)
			continue
		}
		out[i] = op.Holds(bytes.Compare(l, r))
	}
}

// nullSafeEqual is <=>: null equals null.
func nullSafeEqual(a *Args) (*vec.Vector, error) {
	b := *a
	b.Skip = anyNull(a.V, a.N)
	v, err := compareKernel(CmpEq)(&b)
	if err != nil || b.Skip == nil {
		return v, err
	}
	out := vec.Of[bool](v)
	for i := range out {
		if b.Skip[i] {
			out[i] = a.V[0].IsNull(i) && a.V[1].IsNull(i)
		}
	}
	return v, nil
}

// extreme is greatest and least: nulls are passed over.
func extreme(op CmpOp) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		if a.V[0].Layout == vec.None {
			return vec.MakeNull(a.Ret, a.N), nil
		}
		f := comparer(a.V[0].Type)
		from := make([]int32, a.N)
		for i := range from {
			best := -1
			for k, v := range a.V {
				if !v.IsNull(i) && (best < 0 || op.Holds(f(v, i, a.V[best], i))) {
					best = k
				}
			}
			from[i] = int32(max(best, 0))
			if best < 0 {
				from[i] = 0 // null in all: take the first argument's null
			}
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return Merge(a.Ret, a.V, from), nil
	}
}

// Merge makes a vector of n rows whose row i is row i of in[from[i]].
func Merge(t *types.Type, in []*vec.Vector, from []int32) *vec.Vector {
	out := vec.NewBuilder(t, len(from))
	for i := 0; i < len(from); {
		j := i
		for j < len(from) && from[j] == from[i] {
			j++
		}
		v := in[from[i]]
		if v.Layout == vec.None {
			for range j - i {
				out.AppendNull()
			}
		} else {
			out.AppendVector(v.Slice(i, j))
		}
		i = j
	}
	return out.Finish()
}

var comparableP = Accept{Name: "ORDERABLE", Test: (*types.Type).IsOrderable}

func retCommon(args []*types.Type) (*types.Type, error) { return args[0], nil }

func comparison() []Def {
	boolRet := gives(types.BoolType)
	cmp := func(name, usage string, op CmpOp, p Accept, ex ...Example) Def {
		return Def{Name: name, Since: "1.0.0", Group: "predicate_funcs", Usage: usage, Kind: plan.FnScalar, Pretty: infix(name), Examples: ex,
			Overloads: []Overload{{Params: params(p, p), Same: []int{}, Ret: boolRet, Eval: compareKernel(op)}}}
	}
	eqP := Accept{Name: "ANY", Test: equatable}
	eq := cmp("=", "Is true when both are equal.", CmpEq, eqP, Example{"SELECT 2 = 2", "true"}, Example{"SELECT 1 = NULL", "NULL"})
	eq.Aliases = []string{"=="}
	return []Def{
		eq,
		cmp("<", "Is true when the first is less.", CmpLt, comparableP, Example{"SELECT 1 < 2", "true"}),
		cmp("<=", "Is true when the first is less or both are equal.", CmpLe, comparableP, Example{"SELECT 2 <= 2", "true"}),
		cmp(">", "Is true when the first is greater.", CmpGt, comparableP, Example{"SELECT 2 > 1", "true"}),
		cmp(">=", "Is true when the first is greater or both are equal.", CmpGe, comparableP, Example{"SELECT 2 >= 3", "false"}),
		{Name: "<=>", Aliases: []string{"equal_null"}, Since: "1.1.0", Group: "predicate_funcs", Usage: "Compares as = does, but two NULLs are equal and one NULL is not.", Kind: plan.FnScalar, Pretty: infix("<=>"), Nulls: NullNever,
			Overloads: []Overload{{Params: params(eqP, eqP), Same: []int{}, Ret: boolRet, Eval: nullSafeEqual}}, Examples: []Example{{"SELECT NULL <=> NULL", "true"}, {"SELECT equal_null(1, 2)", "false"}}},
		{Name: "greatest", Since: "1.5.0", Group: "math_funcs", Usage: "Gives the greatest of the arguments that aren't NULL.", Kind: plan.FnScalar, Nulls: NullKernel,
			Overloads: []Overload{{Params: params(comparableP, comparableP), Variadic: true, Same: []int{}, Unpromoted: true, RetExpr: retAllNull(retCommon), Eval: extreme(CmpGt)}}, Examples: []Example{{"SELECT greatest(10, 9, 2, 4, 3)", "10"}}},
		{Name: "least", Since: "1.5.0", Group: "math_funcs", Usage: "Gives the least of the arguments that aren't NULL.", Kind: plan.FnScalar, Nulls: NullKernel,
			Overloads: []Overload{{Params: params(comparableP, comparableP), Variadic: true, Same: []int{}, Unpromoted: true, RetExpr: retAllNull(retCommon), Eval: extreme(CmpLt)}}, Examples: []Example{{"SELECT least(10, 9, 2, 4, 3)", "2"}}},
		{Name: "between", Since: "1.0.0", Group: "predicate_funcs", Usage: "Is true when the first argument is not below the second and not above the third.", Kind: plan.FnScalar,
			Pretty:    func(a []string) string { return "between(" + a[0] + ", " + a[1] + ", " + a[2] + ")" },
			Overloads: []Overload{{Params: params(comparableP, comparableP, comparableP), Same: []int{}, Ret: boolRet}},
			Rewrite: func(c *plan.Call) (plan.Expr, error) {
				lo := &plan.Call{At: c.At, Name: ">=", Args: []plan.Expr{c.Args[0], c.Args[1]}}
				hi := &plan.Call{At: c.At, Name: "<=", Args: []plan.Expr{c.Args[0], c.Args[2]}}
				return &plan.Call{At: c.At, Name: "and", Args: []plan.Expr{lo, hi}}, nil
			}, Examples: []Example{{"SELECT 2 BETWEEN 1 AND 3", "true"}}},
	}
}

// equatable reports whether = is defined: not for maps and variants.
func equatable(t *types.Type) bool {
	switch t.Kind {
	case types.Map, types.Variant, types.Object, types.Geometry, types.Geography:
		return false
	case types.Array:
		return equatable(t.Elem)
	case types.Struct:
		for i := range t.Fields {
			if !equatable(t.Fields[i].Type) {
				return false
			}
		}
	}
	return true
}
