package fn

import (
	"math"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// And and or are evaluated by package expr, which skips the right side for
// rows that the left decides; these kernels are the plain three-valued tables.
func and3(a *Args) (*vec.Vector, error) { return logic3(a, false) }
func or3(a *Args) (*vec.Vector, error)  { return logic3(a, true) }

func logic3(a *Args, decisive bool) (*vec.Vector, error) {
	x, y := vec.Of[bool](a.V[0]), vec.Of[bool](a.V[1])
	out := make([]bool, a.N)
	v := vec.FromSlice(types.BoolType, out, nil)
	for i := range out {
		xn, yn := a.V[0].IsNull(i), a.V[1].IsNull(i)
		switch {
		case !xn && x[i] == decisive, !yn && y[i] == decisive:
			out[i] = decisive
		case xn || yn:
			setNull(v, i)
		default:
			out[i] = !decisive
		}
	}
	return v, nil
}

func not(a *Args) (*vec.Vector, error) {
	in := vec.Of[bool](a.V[0])
	out := make([]bool, a.N)
	for i, x := range in {
		out[i] = !x
	}
	return vec.FromSlice(types.BoolType, out, nil), nil
}

func nullTest(want bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := make([]bool, a.N)
		v := a.V[0]
		switch {
		case v.Layout == vec.None:
			for i := range out {
				out[i] = want
			}
		case v.Null == nil:
			for i := range out {
				out[i] = !want
			}
		default:
			for i, n := range v.Null[:a.N] {
				out[i] = n == want
			}
		}
		return vec.FromSlice(types.BoolType, out, nil), nil
	}
}

// truthTest is IS [NOT] TRUE and IS [NOT] FALSE: null is neither.
func truthTest(want bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := make([]bool, a.N)
		if a.V[0].Layout == vec.None {
			return vec.FromSlice(types.BoolType, out, nil), nil
		}
		for i, x := range vec.Of[bool](a.V[0]) {
			out[i] = x == want && !a.V[0].IsNull(i)
		}
		return vec.FromSlice(types.BoolType, out, nil), nil
	}
}

func isNaN(a *Args) (*vec.Vector, error) {
	out := make([]bool, a.N)
	switch a.V[0].Layout {
	case vec.F32:
		for i, x := range vec.Of[float32](a.V[0]) {
			out[i] = x != x && !a.V[0].IsNull(i)
		}
	case vec.F64:
		for i, x := range vec.Of[float64](a.V[0]) {
			out[i] = x != x && !a.V[0].IsNull(i)
		}
	}
	return vec.FromSlice(types.BoolType, out, nil), nil
}

// inState is the list of an IN, prepared: a set where all values are literals of a simple type.
type inState struct {
	ints   map[int64]struct{}
	few    []int64 // instead of ints when there are few
	strs   map[string]struct{}
	floats map[uint64]struct{}
	words  wordSet // instead of strs, when all are short
	hasNil bool
	usable bool
}

// prepareIn prepares a literal list for membership tests; it isn't usable where a value is not a literal of a simple type.
func prepareIn(t *types.Type, list []*plan.Literal) inState {
	s := inState{usable: true}
	lay := vec.LayoutOf(t)
	for _, l := range list {
		if l == nil {
			return inState{}
		}
		if l.Value == nil {
			s.hasNil = true
			continue
		}
		switch lay {
		case vec.Byte, vec.I8, vec.I16, vec.I32, vec.I64:
			n, ok := IntValue(l.Value)
			if !ok {
				return inState{}
			}
			s.few = append(s.few, n)
		case vec.F32, vec.F64:
			f, ok := number(l.Value, l.T)
			if !ok {
				return inState{}
			}
			if s.floats == nil {
				s.floats = map[uint64]struct{}{}
			}
			s.floats[normalBits(f)] = struct{}{}
		case vec.Bytes:
			if s.strs == nil {
				s.strs = map[string]struct{}{}
			}
			switch v := l.Value.(type) {
			case string:
				s.strs[v] = struct{}{}
			case []byte:
				s.strs[string(v)] = struct{}{}
			}
		default:
			return inState{}
		}
	}
	s.words = newWordSet(s.strs)
	if len(s.few) > 8 {
		s.ints = make(map[int64]struct{}, len(s.few))
		for _, n := range s.few {
			s.ints[n] = struct{}{}
		}
		s.few = nil
	}
	return s
}

// IntValue is a literal's value as an int64, for all types that lie in memory as integers of up to 64 bits.
func IntValue(v any) (int64, bool) {
	switch x := v.(type) {
	case bool:
		if x {
			return 1, true
		}
		return 0, true
	case int8:
		return int64(x), true
	case int16:
		return int64(x), true
	case int32:
		return int64(x), true
	case int64:
		return x, true
	case types.Int128:
		return int64(x.Lo), x.IsInt64()
	}
	return 0, false
}

func (s *inState) hasInt(n int64) bool {
	if s.ints != nil {
		_, ok := s.ints[n]
		return ok
	}
	for _, x := range s.few {
		if x == n {
			return true
		}
	}
	return false
}

func inInts(s *inState, v *vec.Vector, out []bool) {
	switch v.Layout {
	case vec.Byte:
		for i, x := range vec.Of[uint8](v) {
			out[i] = s.hasInt(int64(x))
		}
	case vec.I8:
		for i, x := range vec.Of[int8](v) {
			out[i] = s.hasInt(int64(x))
		}
	case vec.I16:
		for i, x := range vec.Of[int16](v) {
			out[i] = s.hasInt(int64(x))
		}
	case vec.I32:
		for i, x := range vec.Of[int32](v) {
			out[i] = s.hasInt(int64(x))
		}
	case vec.I64:
		for i, x := range vec.Of[int64](v) {
			out[i] = s.hasInt(x)
		}
	}
}

// in is x IN (a, b, ...): null when x is, or when nothing equals it and a list value is null.
func in(a *Args) (*vec.Vector, error) {
	s, err := state(a, func() (inState, error) { return prepareIn(a.V[0].Type, a.Const[1:]), nil })
	if err != nil {
		return nil, err
	}
	out := make([]bool, a.N)
	v := vec.FromSlice(types.BoolType, out, nil)
	x := a.V[0]
	if x.Layout == vec.None {
		return vec.MakeNull(types.BoolType, a.N), nil
	}
	if !s.usable {
		return inGeneral(a)
	}
	switch x.Layout {
	case vec.F32:
		for i, f := range vec.Of[float32](x) {
			_, out[i] = s.floats[normalBits(float64(f))]
		}
	case vec.F64:
		for i, f := range vec.Of[float64](x) {
			_, out[i] = s.floats[normalBits(f)]
		}
	case vec.Bytes:
		if s.words != nil {
			err = s.words.in(a, x, out)
			break
		}
		for i := range out {
			_, out[i] = s.strs[x.Str(i)]
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
	default:
		inInts(&s, x, out)
	}
	if err != nil {
		return nil, err
	}
	if s.hasNil {
		for i := range out {
			if !out[i] {
				setNull(v, i)
			}
		}
	}
	if x.Null != nil {
		for i, n := range x.Null[:a.N] {
			if n {
				setNull(v, i)
			}
		}
	}
	return v, nil
}

func inGeneral(a *Args) (*vec.Vector, error) {
	f := comparer(a.V[0].Type)
	out := make([]bool, a.N)
	v := vec.FromSlice(types.BoolType, out, nil)
	for i := range out {
		if a.V[0].IsNull(i) {
			setNull(v, i)
			continue
		}
		null := false
		for _, w := range a.V[1:] {
			if w.IsNull(i) {
				null = true
			} else if f(a.V[0], i, w, i) == 0 {
				out[i] = true
				break
			}
		}
		if null && !out[i] {
			setNull(v, i)
		}
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return v, nil
}

// raiseError fails for the first row that reaches it.
func raiseError(a *Args) (*vec.Vector, error) {
	for i := range a.N {
		if a.skipped(i) {
			continue
		}
		if len(a.V) == 2 {
			return nil, raiseClass(a, i)
		}
		text := "null"
		if !a.V[0].IsNull(i) {
			text = string(a.V[0].Bytes(i))
		}
		return nil, errs.New(errs.Runtime, "USER_RAISED_EXCEPTION", "errorMessage", text).At(a.pos())
	}
	return vec.MakeNull(a.Ret, a.N), nil
}

func raiseClass(a *Args, i int) error {
	name := "null"
	if !a.V[0].IsNull(i) {
		name = string(a.V[0].Bytes(i))
	}
	if !errs.Known(name) {
		return errs.New(errs.Runtime, "USER_RAISED_EXCEPTION_UNKNOWN_ERROR_CLASS", "errorClass", errs.Text(name)).At(a.pos())
	}
	e := errs.New(errs.Runtime, name).At(a.pos())
	if m, ok := a.V[1].Value(i).(types.MapValue); ok {
		for k := range m.Keys {
			key, _ := m.Keys[k].(string)
			val, ok := m.Values[k].(string)
			if !ok {
				val = "null"
			}
			e.Params[key] = val
		}
	}
	return e
}

func assertTrue(a *Args) (*vec.Vector, error) {
	x := vec.Of[bool](a.V[0])
	for i := range a.N {
		if a.skipped(i) || !a.V[0].IsNull(i) && x[i] {
			continue
		}
		text := "assertion failed"
		if len(a.V) > 1 {
			if a.V[1].IsNull(i) {
				text = "null"
			} else {
				text = string(a.V[1].Bytes(i))
			}
		}
		return nil, errs.New(errs.Runtime, "USER_RAISED_EXCEPTION", "errorMessage", text).At(a.pos())
	}
	return vec.MakeNull(a.Ret, a.N), nil
}

// nanvl takes the second argument where the first is NaN.
func nanvl(a *Args) (*vec.Vector, error) {
	from := make([]int32, a.N)
	for i := range from {
		if a.V[0].IsNull(i) {
			continue
		}
		var x float64
		if a.V[0].Layout == vec.F32 {
			x = float64(vec.Of[float32](a.V[0])[i])
		} else {
			x = vec.Of[float64](a.V[0])[i]
		}
		if math.IsNaN(x) {
			from[i] = 1
		}
	}
	return Merge(a.Ret, a.V, from), nil
}

// coalesce is the plain form of what package expr evaluates lazily.
func coalesce(a *Args) (*vec.Vector, error) {
	from := make([]int32, a.N)
	for i := range from {
		for k, v := range a.V {
			if !v.IsNull(i) {
				from[i] = int32(k)
				break
			}
		}
	}
	return Merge(a.Ret, a.V, from), nil
}

// nullif is null where both arguments are equal, else the first.
func nullif(a *Args) (*vec.Vector, error) {
	b := *a
	b.Skip = anyNull(a.V, a.N)
	eq, err := compareKernel(CmpEq)(&b)
	if err != nil {
		return nil, err
	}
	v := *a.V[0]
	v.Type = a.Ret
	null := make([]bool, a.N)
	for i, x := range vec.Of[bool](eq) {
		null[i] = v.IsNull(i) || x && !(b.Skip != nil && b.Skip[i])
	}
	if v.Layout != vec.None {
		v.Null = null
	}
	return &v, nil
}

func conditional() []Def {
	boolRet := gives(types.BoolType)
	bin := func(name, usage string, k Kernel, ex ...Example) Def {
		return Def{Name: name, Since: "1.0.0", Group: "predicate_funcs", Usage: usage, Kind: plan.FnScalar, Nulls: NullKernel, Examples: ex,
			Pretty: func(a []string) string {
				op := " AND "
				if name == "or" {
					op = " OR "
				}
				return "(" + a[0] + op + a[1] + ")"
			}, Overloads: []Overload{sig(boolRet, k, boolP, boolP)}}
	}
	test := func(name, post, usage string, k Kernel, p Accept, ex ...Example) Def {
		return Def{Name: name, Since: "1.0.0", Group: "predicate_funcs", Usage: usage, Kind: plan.FnScalar, Nulls: NullNever, Examples: ex,
			Pretty: func(a []string) string { return "(" + a[0] + post + ")" }, Overloads: []Overload{sig(boolRet, k, p)}}
	}
	var allSame = []int{}
	common := func(n int, variadic bool, k Kernel) []Overload {
		o := Overload{Params: make([]Accept, n), Variadic: variadic, Same: allSame, Ret: retCommon, Eval: k, RetExpr: retCoalesce}
		for i := range o.Params {
			o.Params[i] = anyP
		}
		return []Overload{o}
	}
	nanP := Accept{Name: `("DOUBLE" or "FLOAT")`, Types: []*types.Type{types.Float64Type}, Test: func(t *types.Type) bool { return t.Kind == types.Float32 || t.Kind == types.Float64 }}
	inP := Accept{Name: "ANY", Test: equatable}
	out := []Def{
		bin("and", "Is true when both are; false when one is false.", and3, Example{"SELECT true and false", "false"}, Example{"SELECT true and NULL", "NULL"}),
		bin("or", "Is true when one of both is.", or3, Example{"SELECT true or false", "true"}, Example{"SELECT false or NULL", "NULL"}),
		{Name: "not", Aliases: []string{"!"}, Since: "1.0.0", Group: "predicate_funcs", Usage: "Negates a condition.", Kind: plan.FnScalar,
			Pretty: func(a []string) string { return "(NOT " + a[0] + ")" }, Overloads: []Overload{sig(boolRet, not, boolP)}, Examples: []Example{{"SELECT not true", "false"}}},
		test("isnull", " IS NULL", "Is true for NULL.", nullTest(true), anyP, Example{"SELECT isnull(1)", "false"}),
		test("isnotnull", " IS NOT NULL", "Is true for what isn't NULL.", nullTest(false), anyP, Example{"SELECT isnotnull(1)", "true"}),
		test("istrue", " IS TRUE", "Is true for true, else false.", truthTest(true), boolP),
		test("isfalse", " IS FALSE", "Is true for false, else false.", truthTest(false), boolP),
		{Name: "isnan", Since: "1.5.0", Group: "predicate_funcs", Usage: "Is true for NaN.", Kind: plan.FnScalar, Nulls: NullNever,
			Overloads: []Overload{sig(boolRet, isNaN, nanP)}, Examples: []Example{{"SELECT isnan(cast('NaN' as double))", "true"}}},
		{Name: "in", Since: "1.0.0", Group: "predicate_funcs", Usage: "Is true when the first argument equals one of the others.", Kind: plan.FnScalar, Nulls: NullKernel,
			Pretty: func(a []string) string {
				s := "(" + a[0] + " IN ("
				for i, x := range a[1:] {
					if i > 0 {
						s += ", "
					}
					s += x
				}
				return s + "))"
			},
			Overloads: []Overload{{Params: params(inP, inP), Variadic: true, VarMin0: true, Same: allSame, Ret: boolRet, Eval: in, RetExpr: retIn}}, Examples: []Example{{"SELECT 1 in (1, 2, 3)", "true"}, {"SELECT 1 in (2, NULL)", "NULL"}}},
		{Name: "coalesce", Since: "1.0.0", Group: "conditional_funcs", Usage: "Gives the first argument that isn't NULL.", Kind: plan.FnScalar, Nulls: NullKernel,
			Overloads: common(1, true, coalesce), Examples: []Example{{"SELECT coalesce(NULL, 1, NULL)", "1"}}},
		{Name: "nvl", Aliases: []string{"ifnull"}, Since: "2.0.0", Group: "conditional_funcs", Usage: "Gives the second argument where the first is NULL.", Kind: plan.FnScalar, Nulls: NullKernel,
			Overloads: common(2, false, coalesce), Examples: []Example{{"SELECT nvl(NULL, array('2'))", `["2"]`}}},
		{Name: "nullif", Since: "2.0.0", Group: "conditional_funcs", Usage: "Gives NULL where both are equal, else the first.", Kind: plan.FnScalar, Nulls: NullKernel,
			Overloads: common(2, false, nullif), Examples: []Example{{"SELECT nullif(2, 2)", "NULL"}}},
		{Name: "nvl2", Since: "2.0.0", Group: "conditional_funcs", Usage: "Gives the second argument where the first isn't NULL, else the third.", Kind: plan.FnScalar, Nulls: NullKernel,
			Overloads: []Overload{{Params: params(anyP, anyP, anyP), Same: []int{1, 2}, Ret: givesArg(1)}},
			Rewrite: func(c *plan.Call) (plan.Expr, error) {
				test := &plan.Call{At: c.At, Name: "isnotnull", Args: c.Args[:1], T: types.BoolType, Kind: plan.FnScalar}
				return &plan.Case{At: c.At, When: []plan.Expr{test}, Then: []plan.Expr{c.Args[1]}, Else: c.Args[2], If: true}, nil
			}, Examples: []Example{{"SELECT nvl2(NULL, 2, 1)", "1"}}},
		{Name: "nanvl", Since: "1.5.0", Group: "conditional_funcs", Usage: "Gives the second argument where the first is NaN.", Kind: plan.FnScalar, Nulls: NullKernel,
			Overloads: []Overload{{Params: params(nanP, nanP), Same: allSame, RetExpr: retAnyNull(retCommon), Eval: nanvl}}, Examples: []Example{{"SELECT nanvl(cast('NaN' as double), 123)", "123.0"}}},
		{Name: "zeroifnull", Since: "4.0.0", Group: "conditional_funcs", Usage: "Gives 0 for NULL.", Kind: plan.FnScalar,
			Overloads: []Overload{sig(givesArg(0), nil, anyP)},
			Rewrite: func(c *plan.Call) (plan.Expr, error) {
				return &plan.Call{At: c.At, Name: "coalesce", Args: []plan.Expr{c.Args[0], &plan.Literal{T: types.Int32Type, Value: int32(0)}}}, nil
			}, Examples: []Example{{"SELECT zeroifnull(NULL)", "0"}}},
		{Name: "nullifzero", Since: "4.0.0", Group: "conditional_funcs", Usage: "Gives NULL for 0.", Kind: plan.FnScalar,
			Overloads: []Overload{sig(givesArg(0), nil, anyP)},
			Rewrite: func(c *plan.Call) (plan.Expr, error) {
				return &plan.Call{At: c.At, Name: "nullif", Args: []plan.Expr{c.Args[0], &plan.Literal{T: types.Int32Type, Value: int32(0)}}}, nil
			}, Examples: []Example{{"SELECT nullifzero(0)", "NULL"}}},
		{Name: "raise_error", Since: "3.1.0", Group: "misc_funcs", Usage: "Fails with a message of one's own.", Kind: plan.FnScalar, Nulls: NullKernel, Random: true,
			Overloads: []Overload{sig(gives(types.NullType), raiseError, stringP)}},
		{Name: "assert_true", Since: "2.0.0", Group: "misc_funcs", Usage: "Gives NULL where the condition is true, else fails.", Kind: plan.FnScalar, Nulls: NullKernel, Random: true,
			Overloads: []Overload{sig(gives(types.NullType), assertTrue, boolP), sig(gives(types.NullType), assertTrue, boolP, stringP)}, Examples: []Example{{"SELECT assert_true(0 < 1)", "NULL"}}},
	}
	return out
}

func retCoalesce(c *plan.Call) (*types.Type, bool, error) {
	null := c.Name != "nullif"
	for _, e := range c.Args {
		null = null && e.Nullable()
	}
	return c.Args[0].Type(), null || c.Name == "nullif", nil
}

func retIn(c *plan.Call) (*types.Type, bool, error) {
	for _, e := range c.Args {
		if e.Nullable() {
			return types.BoolType, true, nil
		}
	}
	return types.BoolType, false, nil
}
