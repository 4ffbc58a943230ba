package fn

import (
	"math"
	"strconv"
	"strings"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Retractor is an Accumulator that can take rows away again, in any order.
// Window frames that slide use it; the result must be exact, so that sums of
// floats don't have it.
type Retractor interface {
	Retract(group []int32, args []*vec.Vector, n int) error
}

// AggInputs are the expressions whose values an aggregate call's accumulator
// takes: the arguments, then the keys of WITHIN GROUP (ORDER BY ...).
func AggInputs(c *plan.Call) []plan.Expr {
	if len(c.Order) == 0 {
		return c.Args
	}
	in := append([]plan.Expr{}, c.Args...)
	for _, o := range c.Order {
		in = append(in, o.Child)
	}
	return in
}

// AggStateTypes are the types of the state columns of a resolved aggregate
// call, in the order that partial aggregation emits them.
func AggStateTypes(c *plan.Call) ([]*types.Type, error) {
	d := Lookup(c.Name)
	if d == nil || d.Agg == nil {
		return nil, errs.NotSupported("aggregate function " + c.Name)
	}
	in := AggInputs(c)
	args := make([]*types.Type, len(in))
	for i, e := range in {
		args[i] = e.Type()
	}
	if d.Name == "listagg" {
		args = append(args[:1:1], args[len(c.Args):]...) // the delimiter isn't kept
	}
	return d.Agg.State(args, c.T), nil
}

// NewAccumulator makes the accumulator of a resolved aggregate call.
func NewAccumulator(env *Env, c *plan.Call) (Accumulator, error) {
	d := Lookup(c.Name)
	if d == nil || d.Agg == nil {
		return nil, errs.NotSupported("aggregate function " + c.Name)
	}
	in := AggInputs(c)
	a := AggArgs{Env: env, Args: make([]*types.Type, len(in)), Const: make([]*plan.Literal, len(in)), Ret: c.T, Call: c}
	for i, e := range in {
		a.Args[i] = e.Type()
		if t := a.Args[i]; t != nil && t.IsString() && t.Collation != "" && t.Collation != "UTF8_BINARY" && (collationMatters[c.Name] || keyShown[c.Name] && searched(t) != nil && searched(t).ICU()) {
			return nil, errs.NotSupported("function " + c.Name + " over strings of collation " + t.Collation)
		}
		a.Const[i], _ = e.(*plan.Literal)
	}
	return d.Agg.New(a)
}

// collationMatters has the aggregates that compare strings themselves; others were given keys to compare.
var collationMatters = map[string]bool{"min": true, "max": true, "mode": true, "collect_set": true, "approx_count_distinct": true}

// keyShown has the aggregates that would show a string's key, which under the collation algorithm is no text.
var keyShown = map[string]bool{"approx_top_k": true, "approx_top_k_accumulate": true}

// aggGrow returns s with n values, the new ones zero.
func aggGrow[T any](s []T, n int) []T {
	m := len(s)
	if n <= m {
		return s
	}
	if n <= cap(s) {
		s = s[:n]
		clear(s[m:])
		return s
	}
	g := make([]T, n, max(n, 2*cap(s), 16))
	copy(g, s)
	return g
}

// missing turns "has a value" into a null mask, nil when all have one.
func missing(has []bool) []bool {
	for i, h := range has {
		if !h {
			null := make([]bool, len(has))
			for j := i; j < len(has); j++ {
				null[j] = !has[j]
			}
			return null
		}
	}
	return nil
}

// fixedVec copies values into a vector; has may be nil.
func fixedVec[T vec.Fixed](t *types.Type, val []T, has []bool) *vec.Vector {
	var null []bool
	if has != nil {
		null = missing(has)
	}
	return vec.FromSlice(t, append(make([]T, 0, len(val)), val...), null)
}

// decimalVec makes a decimal vector of 128-bit values, in the layout of t.
func decimalVec(t *types.Type, val []types.Int128, null []bool) *vec.Vector {
	if vec.LayoutOf(t) == vec.I128 {
		return vec.FromSlice(t, append(make([]types.Int128, 0, len(val)), val...), null)
	}
	narrow := make([]int64, len(val))
	for i, v := range val {
		narrow[i] = int64(v.Lo)
	}
	return vec.FromSlice(t, narrow, null)
}

// wide views a decimal vector's values as 128-bit ones, copying narrow ones.
func wide(v *vec.Vector) []types.Int128 {
	if v.Layout == vec.I128 {
		return vec.Of[types.Int128](v)
	}
	src := vec.Of[int64](v)
	out := make([]types.Int128, len(src))
	for i, x := range src {
		out[i] = types.I128(x)
	}
	return out
}

// doubles returns a numeric vector's values as float64; a float64 vector's own slice.
func doubles(v *vec.Vector) []float64 {
	switch v.Layout {
	case vec.F64:
		return vec.Of[float64](v)
	case vec.F32:
		return toDoubles(vec.Of[float32](v))
	case vec.I8:
		return toDoubles(vec.Of[int8](v))
	case vec.I16:
		return toDoubles(vec.Of[int16](v))
	case vec.I32:
		return toDoubles(vec.Of[int32](v))
	}
	if v.Type.Kind == types.Decimal {
		out := make([]float64, v.N)
		scale := v.Type.Scale
		for i, x := range wide(v) {
			out[i] = decimalDouble(x, scale)
		}
		return out
	}
	if v.Layout == vec.I64 {
		return toDoubles(vec.Of[int64](v))
	}
	return make([]float64, v.N)
}

func toDoubles[T ~int8 | ~int16 | ~int32 | ~int64 | ~float32](s []T) []float64 {
	out := make([]float64, len(s))
	for i, x := range s {
		out[i] = float64(x)
	}
	return out
}

// decimalDouble is the double nearest to x * 10^-scale.
func decimalDouble(x types.Int128, scale int) float64 {
	if x.IsInt64() && scale <= 22 {
		if v := int64(x.Lo); v > -1<<53 && v < 1<<53 {
			return float64(v) / pow10f[scale] // both exact, one rounding
		}
	}
	f, _ := strconv.ParseFloat(x.Big().String()+"e-"+strconv.Itoa(scale), 64)
	return f
}

var pow10f = func() (p [23]float64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()

// tenTo[i] is 10^i.
var tenTo = func() (p [39]types.Int128) {
	p[0] = types.I128(1)
	for i := 1; i < len(p); i++ {
		x8 := shl128(p[i-1], 3)
		x2 := shl128(p[i-1], 1)
		p[i] = x8.Add(x2)
	}
	return p
}()

func shl128(a types.Int128, n uint) types.Int128 {
	return types.Int128{Lo: a.Lo << n, Hi: int64(uint64(a.Hi)<<n | a.Lo>>(64-n))}
}

// inPrecision reports whether |x| < 10^p.
func inPrecision(x types.Int128, p int) bool {
	if p >= len(tenTo) {
		return true
	}
	return x.Cmp(tenTo[p]) < 0 && x.Cmp(tenTo[p].Neg()) > 0
}

// addOver adds and tells whether the sum left 128 bits.
func addOver(a, b types.Int128) (types.Int128, bool) {
	c := a.Add(b)
	return c, (a.Hi^c.Hi)&(b.Hi^c.Hi) < 0
}

// anyNull returns the mask of rows where one of the args is null; nil: none.
func anyNull(args []*vec.Vector, n int) []bool {
	var mask []bool
	own := false
	for _, v := range args {
		if v.Layout == vec.None {
			all := make([]bool, n)
			for i := range all {
				all[i] = true
			}
			return all
		}
		if v.Null == nil {
			continue
		}
		if mask == nil {
			mask = v.Null[:n]
			continue
		}
		if !own {
			mask, own = append([]bool{}, mask...), true
		}
		for i, x := range v.Null[:n] {
			mask[i] = mask[i] || x
		}
	}
	return mask
}

// overflow is the ANSI error of an aggregate that left its type.
func overflow(message, instead string, c *plan.Call) error {
	alt := ""
	if instead != "" {
		alt = " Use '" + instead + "' to tolerate overflow and return NULL instead."
	}
	e := errs.New(errs.Arithmetic, "ARITHMETIC_OVERFLOW", "message", message, "alternative", alt, "config", `"spark.sql.ansi.enabled"`)
	if c != nil {
		e.At(c.Pos())
	}
	return e
}

// constant is the value of an expression made of literals only: literals,
// casts between numbers, negation, and arrays of them (as []any).
func constant(e plan.Expr) (any, bool) {
	switch e := e.(type) {
	case *plan.Literal:
		return e.Value, true
	case *plan.Alias:
		return constant(e.Child)
	case *plan.Cast:
		v, ok := constant(e.Child)
		if !ok || v == nil {
			return v, ok
		}
		if from := e.Child.Type(); from != nil && from.Kind == types.Array {
			return castList(v, from, e.To)
		}
		if text, is := v.(string); is && e.To.IsNumeric() {
			f, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
			if err != nil {
				return nil, false
			}
			return numberAs(f, e.To)
		}
		f, ok := number(v, e.Child.Type())
		if !ok || !e.To.IsNumeric() {
			return v, ok && types.Equal(e.To, e.Child.Type())
		}
		return numberAs(f, e.To)
	case *plan.Call:
		switch e.Name {
		case "array":
			list := make([]any, len(e.Args))
			for i, a := range e.Args {
				v, ok := constant(a)
				if !ok {
					return nil, false
				}
				list[i] = v
			}
			return list, true
		case "negative":
			if len(e.Args) == 1 {
				v, ok := constant(e.Args[0])
				f, num := number(v, e.Args[0].Type())
				if ok && num {
					return numberAs(-f, e.Args[0].Type())
				}
			}
		}
	}
	return nil, false
}

func castList(v any, from, to *types.Type) (any, bool) {
	list, ok := v.([]any)
	if !ok || to.Kind != types.Array || !to.Elem.IsNumeric() {
		return nil, false
	}
	out := make([]any, len(list))
	for i, x := range list {
		f, ok := number(x, from.Elem)
		if !ok {
			return nil, false
		}
		if out[i], ok = numberAs(f, to.Elem); !ok {
			return nil, false
		}
	}
	return out, true
}

// number is a literal's value as a double.
func number(v any, t *types.Type) (float64, bool) {
	switch x := v.(type) {
	case int8:
		return float64(x), true
	case int16:
		return float64(x), true
	case int32:
		return float64(x), true
	case int64:
		return float64(x), true
	case float32:
		return float64(x), true
	case float64:
		return x, true
	case types.Int128:
		if t == nil {
			return 0, false
		}
		return decimalDouble(x, t.Scale), true
	}
	return 0, false
}

func numberAs(f float64, t *types.Type) (any, bool) {
	switch t.Kind {
	case types.Int8:
		return int8(f), true
	case types.Int16:
		return int16(f), true
	case types.Int32:
		return int32(f), true
	case types.Int64:
		return int64(f), true
	case types.Float32:
		return float32(f), true
	case types.Float64:
		return f, true
	case types.Decimal:
		return types.I128(int64(math.Round(f * math.Pow10(t.Scale)))), true
	}
	return nil, false
}

// elemOf is the element type of a list constant, or the type itself.
func elemOf(t *types.Type) *types.Type {
	if t != nil && t.Kind == types.Array {
		return t.Elem
	}
	return t
}

// aggFloatText writes a number as Spark's messages do: 1.5, 2.0.
func aggFloatText(f float64) string {
	s := strconv.FormatFloat(f, 'f', -1, 64)
	if f == math.Trunc(f) && !math.IsInf(f, 0) {
		s += ".0"
	}
	return s
}
