package fn

import (
	"math/big"
	"strconv"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// decimalArith is + - * / % pmod over decimals of any precision and scale; the
// result's type is the analyzer's. Where both operands are int64 and the result
// has all digits, there is nothing to check; everything else goes through 128 bits
// (256 inside of products and quotients), and what doesn't fit even there
// through math/big.
func decimalArith(a *Args, op arithOp) (*vec.Vector, error) {
	t1, t2, ret := a.V[0].Type, a.V[1].Type, a.Ret
	if t1.Kind != types.Decimal || t2.Kind != types.Decimal {
		return nil, errs.Internalf("decimal operator over %s and %s", t1, t2)
	}
	narrow := a.V[0].Layout == vec.I64 && a.V[1].Layout == vec.I64
	s1, s2 := t1.Scale, t2.Scale
	switch op {
	case opAdd, opSub:
		s := max(s1, s2)
		if ret.Scale == s && max(t1.Precision-s1, t2.Precision-s2)+s < ret.Precision {
			if narrow && vec.LayoutOf(ret) == vec.I64 {
				return addDecimals(a, op, types.Pow10[s-s1], types.Pow10[s-s2]), nil
			}
			if narrow && s-s1 <= 18 && s-s2 <= 18 {
				return addMixed(a, op, types.Pow10[s-s1], types.Pow10[s-s2]), nil
			}
		}
	case opMul:
		if ret.Scale == s1+s2 {
			if narrow && t1.Precision+t2.Precision <= ret.Precision {
				return mulNarrow(a), nil
			}
			if narrow || a.V[0].Layout != a.V[1].Layout {
				return mulExact(a)
			}
		}
	}
	return decimalSlow(a, op)
}

func addDecimals(a *Args, op arithOp, f1, f2 int64) *vec.Vector {
	x, xm := operand[int64](a, 0)
	y, ym := operand[int64](a, 1)
	out := result[int64](a)
	if op == opSub {
		f2 = -f2
	}
	for i := range out {
		out[i] = x[i&xm]*f1 + y[i&ym]*f2
	}
	return vec.FromSlice(a.Ret, out, nil)
}

func addMixed(a *Args, op arithOp, f1, f2 int64) *vec.Vector {
	x, xm := operand[int64](a, 0)
	y, ym := operand[int64](a, 1)
	if op == opSub {
		f2 = -f2
	}
	if vec.LayoutOf(a.Ret) == vec.I64 {
		out := result[int64](a)
		for i := range out {
			out[i] = x[i&xm]*f1 + y[i&ym]*f2
		}
		return vec.FromSlice(a.Ret, out, nil)
	}
	out := result[types.Int128](a)
	for i := range out {
		out[i] = types.Mul64(x[i&xm], f1).Add(types.Mul64(y[i&ym], f2))
	}
	return vec.FromSlice(a.Ret, out, nil)
}

func mulNarrow(a *Args) *vec.Vector {
	x, xm := operand[int64](a, 0)
	y, ym := operand[int64](a, 1)
	if vec.LayoutOf(a.Ret) == vec.I64 {
		out := result[int64](a)
		for i := range out {
			out[i] = x[i&xm] * y[i&ym]
		}
		return vec.FromSlice(a.Ret, out, nil)
	}
	out := result[types.Int128](a)
	for i := range out {
		out[i] = types.Mul64(x[i&xm], y[i&ym])
	}
	return vec.FromSlice(a.Ret, out, nil)
}

// mulExact multiplies a wide decimal by a narrow one (or two narrow ones)
// without rounding; the product may leave the precision.
func mulExact(a *Args) (*vec.Vector, error) {
	w, n := 0, 1
	if a.V[0].Layout == vec.I64 && a.V[1].Layout == vec.I128 {
		w, n = 1, 0
	}
	if a.V[w].Layout != vec.I128 {
		return decimalSlow(a, opMul)
	}
	x, xm := operand[types.Int128](a, w)
	y, ym := operand[int64](a, n)
	check := !(a.V[0].Type.Precision+a.V[1].Type.Precision <= a.Ret.Precision)
	out := result[types.Int128](a)
	v := vec.FromSlice(a.Ret, out, nil)
	for i := range out {
		l, r := x[i&xm], y[i&ym]
		if l.IsInt64() {
			// Below 2^123, and so below 10^38: no need to count digits.
			p := types.Mul64(int64(l.Lo), r)
			out[i] = p
			if !check || p.Hi>>59 == p.Hi>>63 {
				continue
			}
		}
		p, ok := l.Mul(types.I128(r))
		out[i] = p
		if !ok || check && !p.Fits(a.Ret.Precision) {
			if err := decimalOverflow(a, v, i, func() string { return bigProduct(l, types.I128(r), a.Ret.Scale) }); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

func bigProduct(l, r types.Int128, scale int) string {
	return bigText(new(big.Int).Mul(l.Big(), r.Big()), scale)
}

// bigText writes unscaled / 10^scale without an exponent.
func bigText(v *big.Int, scale int) string {
	s := new(big.Int).Abs(v).String()
	if scale > 0 {
		for len(s) <= scale {
			s = "0" + s
		}
		s = s[:len(s)-scale] + "." + s[len(s)-scale:]
	}
	if v.Sign() < 0 {
		s = "-" + s
	}
	return s
}

// decimalOverflow treats a result that doesn't fit in row i: an error in ANSI mode, else null.
func decimalOverflow(a *Args, v *vec.Vector, i int, value func() string) error {
	if a.skipped(i) {
		return nil
	}
	if a.Mode == plan.ANSI {
		return outOfRange(value(), a.Ret, a.pos())
	}
	setNull(v, i)
	return nil
}

func outOfRange(value string, t *types.Type, pos *errs.Origin) error {
	return errs.New(errs.Arithmetic, "NUMERIC_VALUE_OUT_OF_RANGE.WITH_SUGGESTION", "value", value,
		"precision", strconv.Itoa(t.Precision), "scale", strconv.Itoa(t.Scale), "config", ansiKey).At(pos)
}

// storeDecimals makes a vector of t from 128-bit values.
func storeDecimals(t *types.Type, val []types.Int128, null []bool) *vec.Vector {
	if vec.LayoutOf(t) == vec.I128 {
		return vec.FromSlice(t, val, null)
	}
	out := make([]int64, len(val))
	for i, x := range val {
		out[i] = int64(x.Lo)
	}
	return vec.FromSlice(t, out, null)
}

func decimalSlow(a *Args, op arithOp) (*vec.Vector, error) {
	x, y := wide(a.V[0]), wide(a.V[1])
	s1, s2 := a.V[0].Type.Scale, a.V[1].Type.Scale
	out := make([]types.Int128, a.N)
	mark := &vec.Vector{N: a.N} // only its nulls count
	for i := range out {
		if a.skipped(i) {
			continue
		}
		l, r := x[i], y[i]
		if op >= opDiv && r.Sign() == 0 {
			byZero := divideByZero
			if op != opDiv {
				byZero = remainderByZero
			}
			if err := zero(a, mark, i, byZero); err != nil {
				return nil, err
			}
			continue
		}
		v, ok := decimalOne(op, l, r, s1, s2, a.Ret.Scale)
		if !ok || !v.Fits(a.Ret.Precision) {
			exact := decimalBig(op, l, r, s1, s2, a.Ret.Scale)
			if v, ok = types.FromBig(exact); !ok || !v.Fits(a.Ret.Precision) {
				if err := decimalOverflow(a, mark, i, func() string { return decimalExactText(op, l, r, s1, s2, exact, a.Ret.Scale) }); err != nil {
					return nil, err
				}
				continue
			}
		}
		out[i] = v
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return storeDecimals(a.Ret, out, mark.Null), nil
}

// decimalOne computes one result at the given scale; ok is false when 128 bits didn't do.
func decimalOne(op arithOp, l, r types.Int128, s1, s2, scale int) (v types.Int128, ok bool) {
	switch op {
	case opAdd, opSub:
		s := max(s1, s2)
		l, ok1 := types.Rescale(l, s1, s)
		r, ok2 := types.Rescale(r, s2, s)
		if !ok1 || !ok2 {
			return v, false
		}
		if op == opSub {
			r = r.Neg()
		}
		v, over := addOver(l, r)
		if over {
			return v, false
		}
		return types.Rescale(v, s, scale)
	case opMul:
		if drop := s1 + s2 - scale; drop >= 0 {
			return types.MulRound(l, r, drop)
		}
		v, ok = types.MulRound(l, r, 0)
		if !ok {
			return v, false
		}
		return types.Rescale(v, s1+s2, scale)
	case opDiv:
		return types.DivRound(l, r, scale-s1+s2)
	}
	_, v, ok = types.QuoRem(l, r, s1, s2)
	s := max(s1, s2)
	if ok && op == opPmod && v.Sign() < 0 {
		r, ok = types.Rescale(r, s2, s)
		if !ok {
			return v, false
		}
		_, v, ok = types.QuoRem(v.Add(r), r, s, s)
	}
	if !ok {
		return v, false
	}
	return types.Rescale(v, s, scale)
}

func bigPow10(n int) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(max(n, 0))), nil)
}

// bigRatio is l op r as a fraction num/den.
func bigRatio(op arithOp, l, r types.Int128, s1, s2 int) (num, den *big.Int) {
	s := max(s1, s2)
	x := new(big.Int).Mul(l.Big(), bigPow10(s-s1))
	y := new(big.Int).Mul(r.Big(), bigPow10(s-s2))
	switch op {
	case opAdd:
		return x.Add(x, y), bigPow10(s)
	case opSub:
		return x.Sub(x, y), bigPow10(s)
	case opMul:
		return new(big.Int).Mul(l.Big(), r.Big()), bigPow10(s1 + s2)
	case opDiv:
		return x, y
	}
	m := new(big.Int).Rem(x, y)
	if op == opPmod && m.Sign() < 0 {
		m.Add(m, y)
		m.Rem(m, y)
	}
	return m, bigPow10(s)
}

// decimalBig is decimalOne without bounds.
func decimalBig(op arithOp, l, r types.Int128, s1, s2, scale int) *big.Int {
	num, den := bigRatio(op, l, r, s1, s2)
	return bigRound(num.Mul(num, bigPow10(scale)), den)
}

// bigRound divides, rounding half up (away from zero).
func bigRound(num, den *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(num, den, new(big.Int))
	if r.Lsh(r.Abs(r), 1).CmpAbs(den) >= 0 {
		if num.Sign()*den.Sign() < 0 {
			return q.Sub(q, big.NewInt(1))
		}
		return q.Add(q, big.NewInt(1))
	}
	return q
}

// decimalExactText is the value that an overflow message names: before rounding where that is finite.
func decimalExactText(op arithOp, l, r types.Int128, s1, s2 int, rounded *big.Int, scale int) string {
	switch op {
	case opAdd, opSub:
		num, _ := bigRatio(op, l, r, s1, s2)
		return bigText(num, max(s1, s2))
	case opMul:
		return bigText(new(big.Int).Mul(l.Big(), r.Big()), s1+s2)
	}
	return bigText(rounded, scale)
}

// decimalIntegralDivide is div over decimals: the whole quotient as BIGINT.
func decimalIntegralDivide(a *Args) (*vec.Vector, error) {
	x, y := wide(a.V[0]), wide(a.V[1])
	t1, t2 := a.V[0].Type, a.V[1].Type
	mid := types.DivIntDecimal(t1, t2, true)
	out := make([]int64, a.N)
	v := vec.FromSlice(a.Ret, out, nil)
	for i := range out {
		if a.skipped(i) {
			continue
		}
		if y[i].Sign() == 0 {
			if err := zero(a, v, i, divideByZero); err != nil {
				return nil, err
			}
			continue
		}
		q, _, ok := types.QuoRem(x[i], y[i], t1.Scale, t2.Scale)
		if !ok {
			num, den := bigRatio(opDiv, x[i], y[i], t1.Scale, t2.Scale)
			q, ok = types.FromBig(new(big.Int).Quo(num, den))
		}
		if !ok || !q.Fits(mid.Precision) {
			if a.Mode == plan.ANSI {
				num, den := bigRatio(opDiv, x[i], y[i], t1.Scale, t2.Scale)
				return nil, outOfRange(new(big.Int).Quo(num, den).String(), mid, a.pos())
			}
			setNull(v, i)
			continue
		}
		out[i] = int64(q.Lo)
	}
	return v, nil
}
