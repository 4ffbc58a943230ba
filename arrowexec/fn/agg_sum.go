package fn

import (
	"math"
	"math/big"
	"math/bits"
	"strings"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// countAcc counts the rows whose arguments are all not null. With test set it
// counts the rows where the (boolean) argument is true.
type countAcc struct {
	n    []int64
	test bool
}

func (a *countAcc) Grow(g int) { a.n = aggGrow(a.n, g) }

func (a *countAcc) Update(group []int32, args []*vec.Vector, n int) error {
	a.add(group, args, n, 1)
	return nil
}

func (a *countAcc) Retract(group []int32, args []*vec.Vector, n int) error {
	a.add(group, args, n, -1)
	return nil
}

func (a *countAcc) add(group []int32, args []*vec.Vector, n int, by int64) {
	null := anyNull(args, n)
	cnt := a.n
	switch {
	case a.test:
		if args[0].Layout == vec.None {
			return
		}
		for i, x := range vec.Of[bool](args[0])[:n] {
			if x && (null == nil || !null[i]) {
				cnt[group[i]] += by
			}
		}
	case null == nil:
		for _, g := range group[:n] {
			cnt[g] += by
		}
	default:
		for i, g := range group[:n] {
			if !null[i] {
				cnt[g] += by
			}
		}
	}
}

func (a *countAcc) Merge(group []int32, state []*vec.Vector, n int) error {
	for i, x := range vec.Of[int64](state[0])[:n] {
		a.n[group[i]] += x
	}
	return nil
}

func (a *countAcc) State(from, to int) ([]*vec.Vector, error) {
	return []*vec.Vector{fixedVec(types.Int64Type, a.n[from:to], nil)}, nil
}

func (a *countAcc) Result(from, to int) (*vec.Vector, error) {
	return fixedVec(types.Int64Type, a.n[from:to], nil), nil
}

func (a *countAcc) Size() int64 { return int64(cap(a.n)) * 8 }
func (a *countAcc) Reset()      { a.n = a.n[:0] }

// sumIntAcc sums integers, or intervals, of layout T into int64. limit32 is
// set when the result is 32 bits wide (year-month intervals).
type sumIntAcc[T interface {
	aggInt
	vec.Fixed
}] struct {
	ret     *types.Type
	sum     []int64
	has     []uint8 // 0 empty, 1 sum, 2 overflowed (try and legacy only)
	mode    plan.EvalMode
	call    *plan.Call
	name    string
	limit32 bool
}

const (
	sumEmpty uint8 = iota
	sumHas
	sumOver
)

func (a *sumIntAcc[T]) Grow(g int) { a.sum, a.has = aggGrow(a.sum, g), aggGrow(a.has, g) }

func (a *sumIntAcc[T]) Update(group []int32, args []*vec.Vector, n int) error {
	v := args[0]
	if v.Layout == vec.None {
		return nil
	}
	src := vec.Of[T](v)[:n]
	group = group[:len(src)]
	sum, has := a.sum, a.has
	var over int64 // sign bit: some addition overflowed
	switch {
	case v.Null == nil && len(sum) == 1: // one group: its sum stays in a register
		s := sum[0]
		for i, x := range src {
			r := s + int64(x)
			if over |= (s ^ r) & (int64(x) ^ r); over < 0 {
				over = 0
				if err := a.overflowed(group[i]); err != nil {
					return err
				}
			}
			s = r
		}
		sum[0] = s
		if len(src) > 0 {
			has[0] |= sumHas
		}
	case v.Null == nil:
		for i, x := range src {
			g := group[i]
			s := sum[g]
			r := s + int64(x)
			over |= (s ^ r) & (int64(x) ^ r)
			if over < 0 {
				over = 0
				if err := a.overflowed(g); err != nil {
					return err
				}
			}
			sum[g] = r
			has[g] |= sumHas
		}
	default:
		null := v.Null[:len(src)]
		for i, x := range src {
			if null[i] {
				continue
			}
			g := group[i]
			s := sum[g]
			r := s + int64(x)
			if (s^r)&(int64(x)^r) < 0 {
				if err := a.overflowed(g); err != nil {
					return err
				}
			}
			sum[g] = r
			has[g] |= sumHas
		}
	}
	return nil
}

func (a *sumIntAcc[T]) overflowed(g int32) error {
	switch a.mode {
	case plan.ANSI:
		return a.fail()
	case plan.Try:
		a.has[g] |= sumOver
	}
	return nil
}

func (a *sumIntAcc[T]) fail() error {
	if a.ret.IsAnsiInterval() {
		return intervalOverflow(a.call)
	}
	return overflow("overflow", "try_add", a.call)
}

func intervalOverflow(c *plan.Call) error {
	e := errs.New(errs.Arithmetic, "INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION", "functionName", "`try_add`")
	if c != nil {
		e.At(c.Pos())
	}
	return e
}

func (a *sumIntAcc[T]) Merge(group []int32, state []*vec.Vector, n int) error {
	sums, flags := vec.Of[int64](state[0]), vec.Of[int8](state[1])
	for i := 0; i < n; i++ {
		f := uint8(flags[i])
		if f == sumEmpty {
			continue
		}
		g := group[i]
		s, x := a.sum[g], sums[i]
		r := s + x
		if (s^r)&(x^r) < 0 {
			if err := a.overflowed(g); err != nil {
				return err
			}
		}
		a.sum[g] = r
		a.has[g] |= f
	}
	return nil
}

func (a *sumIntAcc[T]) State(from, to int) ([]*vec.Vector, error) {
	return []*vec.Vector{fixedVec(types.Int64Type, a.sum[from:to], nil), flagVec(a.has[from:to])}, nil
}

func flagVec(f []uint8) *vec.Vector {
	out := make([]int8, len(f))
	for i, x := range f {
		out[i] = int8(x)
	}
	return vec.FromSlice(types.Int8Type, out, nil)
}

func (a *sumIntAcc[T]) Result(from, to int) (*vec.Vector, error) {
	var null []bool
	for i, h := range a.has[from:to] {
		if h != sumHas {
			if null == nil {
				null = make([]bool, to-from)
			}
			null[i] = true
		}
	}
	if !a.limit32 {
		return vec.FromSlice(a.ret, append(make([]int64, 0, to-from), a.sum[from:to]...), null), nil
	}
	out := make([]int32, to-from)
	for i, s := range a.sum[from:to] {
		if s != int64(int32(s)) && (null == nil || !null[i]) {
			if a.mode != plan.Try {
				return nil, a.fail()
			}
			if null == nil {
				null = make([]bool, to-from)
			}
			null[i] = true
		}
		out[i] = int32(s)
	}
	return vec.FromSlice(a.ret, out, null), nil
}

func (a *sumIntAcc[T]) Size() int64 { return int64(cap(a.sum))*8 + int64(cap(a.has)) }
func (a *sumIntAcc[T]) Reset()      { a.sum, a.has = a.sum[:0], a.has[:0] }

// sumFloatAcc sums numbers into a double; avg divides by the count.
type sumFloatAcc struct {
	sum []float64
	cnt []int64
	avg bool
	// product multiplies instead.
	product bool
}

func (a *sumFloatAcc) Grow(g int) {
	m := len(a.sum)
	a.sum, a.cnt = aggGrow(a.sum, g), aggGrow(a.cnt, g)
	if a.product {
		for i := m; i < g; i++ {
			a.sum[i] = 1
		}
	}
}

func (a *sumFloatAcc) Update(group []int32, args []*vec.Vector, n int) error {
	v := args[0]
	if v.Layout == vec.None {
		return nil
	}
	src := doubles(v)[:n]
	group = group[:len(src)]
	sum, cnt := a.sum, a.cnt
	switch {
	case a.product:
		for i, x := range src {
			if v.Null == nil || !v.Null[i] {
				sum[group[i]] *= x
				cnt[group[i]]++
			}
		}
	case v.Null == nil:
		for i, x := range src {
			g := group[i]
			sum[g] += x
			cnt[g]++
		}
	default:
		null := v.Null[:len(src)]
		for i, x := range src {
			if !null[i] {
				sum[group[i]] += x
				cnt[group[i]]++
			}
		}
	}
	return nil
}

func (a *sumFloatAcc) Merge(group []int32, state []*vec.Vector, n int) error {
	sums, cnts := vec.Of[float64](state[0]), vec.Of[int64](state[1])
	for i := 0; i < n; i++ {
		if cnts[i] == 0 {
			continue
		}
		if a.product {
			a.sum[group[i]] *= sums[i]
		} else {
			a.sum[group[i]] += sums[i]
		}
		a.cnt[group[i]] += cnts[i]
	}
	return nil
}

func (a *sumFloatAcc) State(from, to int) ([]*vec.Vector, error) {
	return []*vec.Vector{fixedVec(types.Float64Type, a.sum[from:to], nil), fixedVec(types.Int64Type, a.cnt[from:to], nil)}, nil
}

func (a *sumFloatAcc) Result(from, to int) (*vec.Vector, error) {
	out := append(make([]float64, 0, to-from), a.sum[from:to]...)
	var null []bool
	for i, c := range a.cnt[from:to] {
		if c == 0 {
			if null == nil {
				null = make([]bool, len(out))
			}
			null[i] = true
		} else if a.avg {
			out[i] /= float64(c)
		}
	}
	return vec.FromSlice(types.Float64Type, out, null), nil
}

func (a *sumFloatAcc) Size() int64 { return int64(cap(a.sum)+cap(a.cnt)) * 8 }
func (a *sumFloatAcc) Reset()      { a.sum, a.cnt = a.sum[:0], a.cnt[:0] }

// sumDecAcc sums decimals, and whatever else is exact, in 128 bits with a
// count: sum and avg of decimals, avg of intervals, and sliding sums.
type sumDecAcc struct {
	arg, ret *types.Type
	sumType  *types.Type // of sums of decimals: what must hold the sum; nil: no such bound
	avg      bool
	sum      []types.Int128
	cnt      []int64
	carry    []int64 // multiples of 2^128 beside sum; nil until a sum leaves 128 bits
	lost     []bool  // the group met a partial sum that had overflowed; nil: none did
	mode     plan.EvalMode
	call     *plan.Call
	name     string
}

func (a *sumDecAcc) Grow(g int) {
	a.sum, a.cnt = aggGrow(a.sum, g), aggGrow(a.cnt, g)
	if a.carry != nil {
		a.carry = aggGrow(a.carry, g)
	}
	if a.lost != nil {
		a.lost = aggGrow(a.lost, g)
	}
}

func (a *sumDecAcc) Update(group []int32, args []*vec.Vector, n int) error {
	return a.add(group, args[0], n, false)
}

func (a *sumDecAcc) Retract(group []int32, args []*vec.Vector, n int) error {
	return a.add(group, args[0], n, true)
}

func (a *sumDecAcc) add(group []int32, v *vec.Vector, n int, minus bool) error {
	switch v.Layout {
	case vec.None:
	case vec.I64:
		sumNarrow(a, group, vec.Of[int64](v)[:n], v.Null, minus)
	case vec.I32:
		sumNarrow(a, group, vec.Of[int32](v)[:n], v.Null, minus)
	case vec.I16:
		sumNarrow(a, group, vec.Of[int16](v)[:n], v.Null, minus)
	case vec.I8:
		sumNarrow(a, group, vec.Of[int8](v)[:n], v.Null, minus)
	case vec.I128:
		for i, x := range vec.Of[types.Int128](v)[:n] {
			if v.Null != nil && v.Null[i] {
				continue
			}
			g := group[i]
			if minus {
				a.plus(g, x.Neg())
				a.cnt[g]--
				continue
			}
			a.plus(g, x)
			a.cnt[g]++
		}
	default:
		return errs.Internalf("%s over %s", a.name, v.Type)
	}
	return nil
}

func sumNarrow[T ~int8 | ~int16 | ~int32 | ~int64](a *sumDecAcc, group []int32, src []T, null []bool, minus bool) {
	group = group[:len(src)]
	sum, cnt := a.sum, a.cnt
	switch {
	case minus:
		for i, x := range src {
			if null == nil || !null[i] {
				g := group[i]
				a.plus(g, types.I128(int64(x)).Neg())
				cnt[g]--
			}
		}
	case null == nil && len(sum) == 1:
		p := sum[0]
		for _, x := range src {
			lo, c := bits.Add64(p.Lo, uint64(x), 0)
			p.Lo = lo
			p.Hi += int64(x)>>63 + int64(c)
		}
		sum[0] = p
		cnt[0] += int64(len(src))
	case null == nil:
		for i, x := range src {
			g := group[i]
			p := &sum[g]
			lo, c := bits.Add64(p.Lo, uint64(x), 0)
			p.Lo = lo
			p.Hi += int64(x)>>63 + int64(c)
			cnt[g]++
		}
	default:
		for i, x := range src {
			if !null[i] {
				g := group[i]
				p := &sum[g]
				lo, c := bits.Add64(p.Lo, uint64(x), 0)
				p.Lo = lo
				p.Hi += int64(x)>>63 + int64(c)
				cnt[g]++
			}
		}
	}
}

// plus adds x to the sum of a group; what leaves 128 bits is kept, as a window may take it away again.
func (a *sumDecAcc) plus(g int32, x types.Int128) {
	s, over := addOver(a.sum[g], x)
	a.sum[g] = s
	if !over {
		return
	}
	if a.carry == nil {
		a.carry = make([]int64, len(a.sum))
	}
	if x.Hi < 0 {
		a.carry[g]--
	} else {
		a.carry[g]++
	}
}

// left says that the sum of a group isn't in a.sum alone.
func (a *sumDecAcc) left(g int) bool {
	return a.carry != nil && a.carry[g] != 0 || a.lost != nil && a.lost[g]
}

func (a *sumDecAcc) Merge(group []int32, state []*vec.Vector, n int) error {
	sums, cnts := wide(state[0]), vec.Of[int64](state[1])
	for i := 0; i < n; i++ {
		if cnts[i] == 0 {
			continue
		}
		g := group[i]
		if cnts[i] < 0 { // the other side had overflowed
			if a.lost == nil {
				a.lost = make([]bool, len(a.sum))
			}
			a.lost[g] = true
			a.cnt[g] += -cnts[i]
			continue
		}
		a.plus(g, sums[i])
		a.cnt[g] += cnts[i]
	}
	return nil
}

// decState is the type of 128-bit partial sums.
var decState = types.NewDecimal(38, 0)

func (a *sumDecAcc) State(from, to int) ([]*vec.Vector, error) {
	cnt := append(make([]int64, 0, to-from), a.cnt[from:to]...)
	for i := range cnt {
		if a.left(from + i) {
			cnt[i] = -cnt[i]
		}
	}
	return []*vec.Vector{decimalVec(decState, a.sum[from:to], nil), vec.FromSlice(types.Int64Type, cnt, nil)}, nil
}

func (a *sumDecAcc) Result(from, to int) (*vec.Vector, error) {
	n := to - from
	out := make([]types.Int128, n)
	var null []bool
	setNull := func(i int) {
		if null == nil {
			null = make([]bool, n)
		}
		null[i] = true
	}
	for i := range out {
		c, s := a.cnt[from+i], a.sum[from+i]
		if c == 0 {
			setNull(i)
			continue
		}
		ok := !a.left(from + i)
		if ok && a.sumType != nil {
			ok = inPrecision(s, a.sumType.Precision)
		}
		if ok {
			out[i], ok = a.finish(s, c)
			if a.avg && a.arg.IsAnsiInterval() { // the sum must be an interval, too
				ok = ok && s.IsInt64() && (vec.LayoutOf(a.ret) != vec.I32 || int64(s.Lo) == int64(int32(s.Lo)))
			}
		}
		if !ok {
			if a.mode == plan.ANSI || a.ret.IsAnsiInterval() && a.mode != plan.Try {
				if a.ret.Kind == types.Decimal && !a.left(from+i) {
					return nil, a.outOfRange(s, c)
				}
				return nil, a.fail()
			}
			setNull(i)
		}
	}
	switch vec.LayoutOf(a.ret) {
	case vec.I32:
		narrow := make([]int32, n)
		for i, x := range out {
			narrow[i] = int32(x.Lo)
		}
		return vec.FromSlice(a.ret, narrow, null), nil
	case vec.I64:
		narrow := make([]int64, n)
		for i, x := range out {
			narrow[i] = int64(x.Lo)
		}
		return vec.FromSlice(a.ret, narrow, null), nil
	case vec.I128:
		return vec.FromSlice(a.ret, out, null), nil
	case vec.F64: // avg of integers in a sliding frame
		f := make([]float64, n)
		for i, x := range out {
			f[i] = decimalDouble(x, 0)
			if c := a.cnt[from+i]; c != 0 {
				f[i] /= float64(c)
			}
		}
		return vec.FromSlice(a.ret, f, null), nil
	}
	return nil, errs.Internalf("%s gives %s", a.name, a.ret)
}

// finish makes the result's unscaled value of a sum and a count.
func (a *sumDecAcc) finish(s types.Int128, c int64) (types.Int128, bool) {
	switch a.ret.Kind {
	case types.Float64:
		return s, true
	case types.Decimal:
		if !a.avg {
			return s, true
		}
		q, ok := divHalfUp(s, a.ret.Scale-a.arg.Scale, c)
		return q, ok && inPrecision(q, a.ret.Precision)
	}
	if a.avg {
		var ok bool
		if s, ok = divHalfUp(s, 0, c); !ok {
			return s, false
		}
	}
	if vec.LayoutOf(a.ret) == vec.I32 {
		return s, s.IsInt64() && int64(s.Lo) == int64(int32(s.Lo))
	}
	return s, s.IsInt64()
}

// outOfRange is the error of a sum of decimals, or of an average, that is known but doesn't fit its type.
func (a *sumDecAcc) outOfRange(s types.Int128, c int64) error {
	v, scale := s.Big(), a.arg.Scale
	if a.avg { // Spark divides to 39 digits after the point
		ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(types.MaxPrecision+1-scale)), nil)
		v, scale = roundedQuotient(v.Mul(v, ten), big.NewInt(c)), types.MaxPrecision+1
	}
	var pos *errs.Origin
	if a.call != nil {
		pos = a.call.Pos()
	}
	return outOfRange(pointed(v, scale), a.ret, pos)
}

// pointed writes an unscaled value with its point.
func pointed(v *big.Int, scale int) string {
	digits := new(big.Int).Abs(v).String()
	if n := scale + 1 - len(digits); n > 0 {
		digits = strings.Repeat("0", n) + digits
	}
	if scale > 0 {
		digits = digits[:len(digits)-scale] + "." + digits[len(digits)-scale:]
	}
	if v.Sign() < 0 {
		return "-" + digits
	}
	return digits
}

// roundedQuotient is x / d, rounded half away from zero; d > 0.
func roundedQuotient(x, d *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(new(big.Int).Abs(x), d, new(big.Int))
	if r.Lsh(r, 1).Cmp(d) >= 0 {
		q.Add(q, big.NewInt(1))
	}
	if x.Sign() < 0 {
		q.Neg(q)
	}
	return q
}

func (a *sumDecAcc) fail() error {
	switch {
	case a.ret.IsAnsiInterval():
		return intervalOverflow(a.call)
	case a.ret.Kind == types.Decimal:
		return overflow("Overflow in sum of decimals", "try_"+a.name, a.call)
	}
	return overflow("overflow", "try_add", a.call)
}

func (a *sumDecAcc) Size() int64 {
	return int64(cap(a.sum))*16 + int64(cap(a.cnt)+cap(a.carry))*8 + int64(cap(a.lost))
}

func (a *sumDecAcc) Reset() { a.sum, a.cnt, a.carry, a.lost = a.sum[:0], a.cnt[:0], nil, nil }

// divHalfUp returns s * 10^shift / c, rounded half away from zero; c > 0.
func divHalfUp(s types.Int128, shift int, c int64) (types.Int128, bool) {
	neg := s.Hi < 0
	abs := s
	if neg {
		abs = s.Neg()
	}
	if shift >= 0 && shift <= 19 && abs.Hi == 0 {
		hi, lo := bits.Mul64(abs.Lo, uint64pow[shift])
		d := uint64(c)
		qhi := hi / d
		q, r := bits.Div64(hi%d, lo, d)
		if qhi <= math.MaxInt64 {
			out := types.Int128{Lo: q, Hi: int64(qhi)}
			if r >= d-r {
				out = out.Add(types.I128(1))
			}
			if neg {
				out = out.Neg()
			}
			return out, out.Hi < 0 == neg || out.Sign() == 0
		}
	}
	x := s.Big()
	d := big.NewInt(c)
	ten := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(shift, -shift))), nil)
	if shift >= 0 {
		x.Mul(x, ten)
	} else {
		d.Mul(d, ten)
	}
	return types.FromBig(roundedQuotient(x, d))
}

var uint64pow = func() (p [20]uint64) {
	p[0] = 1
	for i := 1; i < len(p); i++ {
		p[i] = p[i-1] * 10
	}
	return p
}()
