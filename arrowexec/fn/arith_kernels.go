package fn

import (
	"math"
	"math/bits"
	"strconv"
	"unsafe"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

type integer interface {
	~int8 | ~int16 | ~int32 | ~int64
}

type float interface{ ~float32 | ~float64 }

// The operators of arithmetic kernels.
type arithOp uint8

const (
	opAdd arithOp = iota
	opSub
	opMul
	opDiv
	opMod
	opPmod
)

var opSymbols = [...]string{"+", "-", "*", "/", "%", "pmod"}
var opTries = [...]string{"try_add", "try_subtract", "try_multiply", "try_divide", "try_mod", ""}

// withMode runs k in a fixed mode: the try_ functions.
func withMode(k Kernel, m plan.EvalMode) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		b := *a
		b.Mode = m
		return k(&b)
	}
}

// arith is the kernel of a binary operator over two numbers or intervals of one kind.
func arith(op arithOp) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		switch a.Ret.Kind {
		case types.Int8:
			return intArith[int8](a, op)
		case types.Int16:
			return intArith[int16](a, op)
		case types.Int32:
			return intArith[int32](a, op)
		case types.Int64:
			return intArith[int64](a, op)
		case types.Float32:
			return floatArith[float32](a, op)
		case types.Float64:
			return floatArith[float64](a, op)
		case types.Decimal:
			return decimalArith(a, op)
		case types.YearMonthInterval:
			return intArith[int32](a, op)
		case types.DayTimeInterval:
			return intArith[int64](a, op)
		case types.CalendarInterval:
			return calendarArith(a, op)
		}
		return nil, errs.NotSupported("operator " + opSymbols[op] + " over " + a.Ret.SQL())
	}
}

// intArith computes first and looks for overflow, kept as a sign bit of bad,
// afterwards: the loop has no branches, and rows that are null anyway can hold anything.
func intArith[T integer](a *Args, op arithOp) (*vec.Vector, error) {
	x, xm := operand[T](a, 0)
	y, ym := operand[T](a, 1)
	if op == opMod || op == opPmod {
		return intMod(a, op, x, xm, y, ym, make([]T, a.N))
	}
	out := result[T](a)
	var bad T
	switch op {
	case opAdd:
		for i := range out {
			l, r := x[i&xm], y[i&ym]
			s := l + r
			out[i] = s
			bad |= (l ^ s) & (r ^ s)
		}
	case opSub:
		for i := range out {
			l, r := x[i&xm], y[i&ym]
			s := l - r
			out[i] = s
			bad |= (l ^ r) & (l ^ s)
		}
	case opMul:
		var wide int64
		if unsafe.Sizeof(bad) < 8 {
			for i := range out {
				p := int64(x[i&xm]) * int64(y[i&ym])
				out[i] = T(p)
				wide |= p ^ int64(T(p))
			}
		} else {
			for i := range out {
				l, r := int64(x[i&xm]), int64(y[i&ym])
				hi, lo := bits.Mul64(uint64(l), uint64(r))
				out[i] = T(int64(lo))
				wide |= (int64(hi) - (l>>63)&r - (r>>63)&l) ^ (int64(lo) >> 63)
			}
		}
		if wide != 0 {
			bad = -1
		}
	}
	v := vec.FromSlice(a.Ret, out, nil)
	if bad >= 0 || a.Mode == plan.Legacy && !isInterval(a.Ret) {
		return v, nil
	}
	for i := range out {
		if a.skipped(i) || !overflows(op, x[i&xm], y[i&ym]) {
			continue
		}
		if a.Mode == plan.Try {
			setNull(v, i)
			continue
		}
		return nil, intOverflow(a, op, int64(x[i&xm]), int64(y[i&ym]))
	}
	return v, nil
}

func overflows[T integer](op arithOp, l, r T) bool {
	switch op {
	case opAdd:
		s := l + r
		return (l^s)&(r^s) < 0
	case opSub:
		s := l - r
		return (l^r)&(l^s) < 0
	}
	p := types.Mul64(int64(l), int64(r))
	return !p.IsInt64() || int64(T(int64(p.Lo))) != int64(p.Lo)
}

// intOverflow is the error of an integer or interval operator: small types tell the values, others the type.
func intOverflow(a *Args, op arithOp, l, r int64) error {
	switch a.Ret.Kind {
	case types.Int8, types.Int16:
		const suffix = "S" // of TINYINT too: Spark widens it for the message
		return errs.New(errs.Arithmetic, "BINARY_ARITHMETIC_OVERFLOW", "value1", strconv.FormatInt(l, 10)+suffix, "symbol", opSymbols[op],
			"value2", strconv.FormatInt(r, 10)+suffix, "functionName", errs.ID(opTries[op])).At(a.pos())
	case types.YearMonthInterval, types.DayTimeInterval:
		return ivOverflow(a, opTries[op])
	}
	return overflowError(a, intWord(a.Ret)+" overflow", opTries[op])
}

func intWord(t *types.Type) string {
	if t.Kind == types.Int64 {
		return "long"
	}
	return "integer"
}

func ivOverflow(a *Args, instead string) error {
	if instead == "" {
		return errs.New(errs.Arithmetic, "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION").At(a.pos())
	}
	return errs.New(errs.Arithmetic, "INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION", "functionName", errs.ID(instead)).At(a.pos())
}

func overflowError(a *Args, message, instead string) error { return overflow(message, instead, a.Call) }

func divideByZero(a *Args) error {
	return errs.New(errs.Arithmetic, "DIVIDE_BY_ZERO", "config", ansiKey).At(a.pos())
}

func remainderByZero(a *Args) error {
	return errs.New(errs.Arithmetic, "REMAINDER_BY_ZERO", "config", ansiKey).At(a.pos())
}

// zero treats a zero divisor in row i: an error in ANSI mode, else null.
func zero(a *Args, v *vec.Vector, i int, err func(*Args) error) error {
	if a.Mode == plan.ANSI && !a.skipped(i) {
		return err(a)
	}
	setNull(v, i)
	return nil
}

func intMod[T integer](a *Args, op arithOp, x []T, xm int, y []T, ym int, out []T) (*vec.Vector, error) {
	v := vec.FromSlice(a.Ret, out, nil)
	for i := range out {
		l, r := x[i&xm], y[i&ym]
		switch r {
		case 0:
			if err := zero(a, v, i, remainderByZero); err != nil {
				return nil, err
			}
			continue
		case -1:
			continue // 0, also for the least value, whose quotient overflows
		}
		m := l % r
		if op == opPmod && m < 0 {
			m = (m + r) % r
		}
		out[i] = m
	}
	return v, nil
}

func floatArith[T float](a *Args, op arithOp) (*vec.Vector, error) {
	x, xm := operand[T](a, 0)
	y, ym := operand[T](a, 1)
	var out []T
	if op == opAdd || op == opSub || op == opMul {
		out = result[T](a)
	} else {
		out = make([]T, a.N) // what can't be divided stays 0
	}
	v := vec.FromSlice(a.Ret, out, nil)
	switch op {
	case opAdd:
		for i := range out {
			out[i] = x[i&xm] + y[i&ym]
		}
		return v, nil
	case opSub:
		for i := range out {
			out[i] = x[i&xm] - y[i&ym]
		}
		return v, nil
	case opMul:
		for i := range out {
			out[i] = x[i&xm] * y[i&ym]
		}
		return v, nil
	case opDiv:
		for i := range out {
			if y[i&ym] == 0 {
				if err := zero(a, v, i, divideByZero); err != nil {
					return nil, err
				}
				continue
			}
			out[i] = x[i&xm] / y[i&ym]
		}
		return v, nil
	}
	for i := range out {
		l, r := x[i&xm], y[i&ym]
		if r == 0 {
			if err := zero(a, v, i, remainderByZero); err != nil {
				return nil, err
			}
			continue
		}
		m := T(math.Mod(float64(l), float64(r)))
		if op == opPmod && m < 0 {
			m = T(math.Mod(float64(m+r), float64(r)))
		}
		out[i] = m
	}
	return v, nil
}

// integralDivide is div over bigints, decimals and intervals.
func integralDivide(a *Args) (*vec.Vector, error) {
	t := a.V[0].Type
	if t.Kind == types.Decimal {
		return decimalIntegralDivide(a)
	}
	if t.Kind == types.YearMonthInterval {
		return divideInts[int32](a, true)
	}
	return divideInts[int64](a, t.Kind == types.DayTimeInterval)
}

func divideInts[T integer](a *Args, interval bool) (*vec.Vector, error) {
	x, xm := operand[T](a, 0)
	y, ym := operand[T](a, 1)
	out := make([]int64, a.N)
	v := vec.FromSlice(a.Ret, out, nil)
	byZero := divideByZero
	if interval {
		byZero = intervalByZero
	}
	for i := range out {
		l, r := int64(x[i&xm]), int64(y[i&ym])
		switch {
		case r == 0:
			if err := zero(a, v, i, byZero); err != nil {
				return nil, err
			}
		case r == -1:
			out[i] = -l
			if l == math.MinInt64 && !a.skipped(i) {
				switch a.Mode {
				case plan.ANSI:
					return nil, overflowError(a, "Overflow in integral divide", "try_divide")
				case plan.Try:
					setNull(v, i)
				}
			}
		default:
			out[i] = l / r
		}
	}
	return v, nil
}

func intervalByZero(a *Args) error {
	return errs.New(errs.Arithmetic, "INTERVAL_DIVIDED_BY_ZERO").At(a.pos())
}

// negate is unary minus; absolute is abs.
func negate(a *Args) (*vec.Vector, error)   { return unaryArith(a, false) }
func absolute(a *Args) (*vec.Vector, error) { return unaryArith(a, true) }

// negatedDigits is how many digits of a decimal Spark negates: those of Java's DECIMAL128.
const negatedDigits = 34

// negateLong is -x, rounded half to even to negatedDigits, as Spark has it.
func negateLong(x types.Int128) types.Int128 {
	x = x.Neg()
	if d := x.Digits(); d > negatedDigits {
		x, _ = roundDecimal(x, 0, negatedDigits-d, 0, true)
	}
	return x
}

func unaryArith(a *Args, abs bool) (*vec.Vector, error) {
	v := a.V[0]
	switch v.Layout {
	case vec.I8:
		return negateInts[int8](a, abs)
	case vec.I16:
		return negateInts[int16](a, abs)
	case vec.I32:
		return negateInts[int32](a, abs)
	case vec.I64:
		return negateInts[int64](a, abs)
	case vec.F32:
		return negateFloats[float32](a, abs)
	case vec.F64:
		return negateFloats[float64](a, abs)
	case vec.I128:
		in := vec.Of[types.Int128](v)
		out := make([]types.Int128, a.N)
		for i, x := range in {
			switch {
			case abs && x.Hi >= 0:
				out[i] = x
			case v.Type.Precision <= negatedDigits:
				out[i] = x.Neg()
			default:
				if out[i] = negateLong(x); !a.skipped(i) && !out[i].Fits(a.Ret.Precision) {
					return nil, errs.New(errs.Arithmetic, "NUMERIC_VALUE_OUT_OF_RANGE.WITHOUT_SUGGESTION", "roundedValue", string(types.AppendDecimal(nil, out[i], a.Ret.Scale)),
						"originalValue", string(types.AppendDecimal(nil, x.Neg(), a.Ret.Scale)), "precision", strconv.Itoa(a.Ret.Precision), "scale", strconv.Itoa(a.Ret.Scale)).At(a.pos())
				}
			}
		}
		return vec.FromSlice(a.Ret, out, nil), nil
	case vec.CalI:
		in := vec.Of[types.CalendarValue](v)
		out := make([]types.CalendarValue, a.N)
		for i, x := range in {
			if !a.skipped(i) && (x.Months == math.MinInt32 || x.Days == math.MinInt32 || x.Micros == math.MinInt64) && a.Mode == plan.ANSI {
				return nil, ivOverflow(a, "")
			}
			out[i] = types.CalendarValue{Months: -x.Months, Days: -x.Days, Micros: -x.Micros}
		}
		return vec.FromSlice(a.Ret, out, nil), nil
	}
	return nil, errs.NotSupported("negation of " + v.Type.SQL())
}

func negateInts[T integer](a *Args, abs bool) (*vec.Vector, error) {
	in := vec.Of[T](a.V[0])
	out := make([]T, a.N)
	least := false
	for i, x := range in {
		y := -x
		least = least || x == y && x != 0
		if abs && x > 0 {
			y = x
		}
		out[i] = y
	}
	v := vec.FromSlice(a.Ret, out, nil)
	if !least || a.Ret.Kind == types.Decimal || a.Mode == plan.Legacy && !isInterval(a.Ret) {
		return v, nil
	}
	for i, x := range in {
		if x == -x && x != 0 && !a.skipped(i) {
			if isInterval(a.Ret) {
				if abs {
					return nil, overflowError(a, "overflow", "")
				}
				return nil, ivOverflow(a, "")
			}
			return nil, overflowError(a, map[types.Kind]string{types.Int8: "byte", types.Int16: "short", types.Int32: "integer", types.Int64: "long"}[a.Ret.Kind]+" overflow", "")
		}
	}
	return v, nil
}

func negateFloats[T float](a *Args, abs bool) (*vec.Vector, error) {
	in := vec.Of[T](a.V[0])
	out := make([]T, a.N)
	for i, x := range in {
		if abs {
			out[i] = T(math.Abs(float64(x)))
		} else {
			out[i] = -x
		}
	}
	return vec.FromSlice(a.Ret, out, nil), nil
}

func identity(a *Args) (*vec.Vector, error) {
	if a.V[0].Type == a.Ret {
		return a.V[0], nil
	}
	v := *a.V[0]
	v.Type = a.Ret
	return &v, nil
}

func calendarArith(a *Args, op arithOp) (*vec.Vector, error) {
	x, xm := operand[types.CalendarValue](a, 0)
	y, ym := operand[types.CalendarValue](a, 1)
	out := make([]types.CalendarValue, a.N)
	v := vec.FromSlice(a.Ret, out, nil)
	for i := range out {
		l, r := x[i&xm], y[i&ym]
		f := opAdd
		out[i] = types.CalendarValue{Months: l.Months + r.Months, Days: l.Days + r.Days, Micros: l.Micros + r.Micros}
		if op == opSub {
			f = opSub
			out[i] = types.CalendarValue{Months: l.Months - r.Months, Days: l.Days - r.Days, Micros: l.Micros - r.Micros}
		}
		if overflows(f, l.Months, r.Months) || overflows(f, l.Days, r.Days) || overflows(f, l.Micros, r.Micros) {
			switch {
			case a.skipped(i) || a.Mode == plan.Legacy:
			case a.Mode == plan.Try:
				setNull(v, i)
			default:
				return nil, ivOverflow(a, opTries[op])
			}
		}
	}
	return v, nil
}

// scaleInterval is interval * number and interval / number.
func scaleInterval(divide bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		n := a.V[1]
		factors := doubles(n)
		var exact []types.Int128
		scale := 0
		switch {
		case n.Type.Kind == types.Decimal:
			exact, scale = wide(n), n.Type.Scale
		case n.Type.IsIntegral():
			exact = wholeNumbers(n)
		}
		out := vec.Make(a.Ret, a.N)
		instead := "try_multiply"
		if divide {
			instead = "try_divide"
		}
		for i := range a.N {
			if a.skipped(i) {
				continue
			}
			if divide && factors[i] == 0 {
				if a.Mode == plan.ANSI || a.Ret.Kind != types.CalendarInterval && a.Mode != plan.Try {
					return nil, intervalByZero(a)
				}
				setNull(out, i)
				continue
			}
			var ok bool
			switch a.Ret.Kind {
			case types.YearMonthInterval:
				var v int64
				v, ok = scaleOne(int64(vec.Of[int32](a.V[0])[i]), factors[i], exact, i, scale, divide)
				ok = ok && v == int64(int32(v))
				vec.Of[int32](out)[i] = int32(v)
			case types.DayTimeInterval:
				vec.Of[int64](out)[i], ok = scaleOne(vec.Of[int64](a.V[0])[i], factors[i], exact, i, scale, divide)
			default:
				vec.Of[types.CalendarValue](out)[i], ok = scaleCalendar(vec.Of[types.CalendarValue](a.V[0])[i], factors[i], divide)
			}
			if ok {
				continue
			}
			if a.Mode == plan.Try || a.Ret.Kind == types.CalendarInterval && a.Mode == plan.Legacy {
				setNull(out, i)
				continue
			}
			return nil, ivOverflow(a, instead)
		}
		return out, nil
	}
}

// scaleOne multiplies or divides by a number, rounding half up; exact is not nil where the number isn't a float.
func scaleOne(x int64, f float64, exact []types.Int128, i, scale int, divide bool) (int64, bool) {
	if exact == nil {
		v := float64(x) * f
		if divide {
			v = float64(x) / f
		}
		v = math.Round(v)
		if math.IsNaN(v) || v < -9.223372036854775808e18 || v >= 9.223372036854775808e18 {
			return 0, false
		}
		return int64(v), true
	}
	var r types.Int128
	var ok bool
	if divide {
		r, ok = types.DivRound(types.I128(x), exact[i], scale)
	} else {
		r, ok = types.MulRound(types.I128(x), exact[i], scale)
	}
	return int64(r.Lo), ok && r.IsInt64()
}

func scaleCalendar(x types.CalendarValue, f float64, divide bool) (types.CalendarValue, bool) {
	part := func(v float64) float64 {
		if divide {
			return v / f
		}
		return v * f
	}
	months, days := part(float64(x.Months)), part(float64(x.Days))
	wholeDays := math.Trunc(days)
	micros := math.Round(part(float64(x.Micros)) + (days-wholeDays)*float64(types.MicrosPerDay))
	if math.Abs(months) > math.MaxInt32 || math.Abs(wholeDays) > math.MaxInt32 || !(math.Abs(micros) < 9.2e18) {
		return types.CalendarValue{}, false
	}
	return types.CalendarValue{Months: int32(months), Days: int32(wholeDays), Micros: int64(micros)}, true
}

// wholeNumbers widens an integer vector.
func wholeNumbers(v *vec.Vector) []types.Int128 {
	out := make([]types.Int128, v.N)
	switch v.Layout {
	case vec.I8:
		widenInts(out, vec.Of[int8](v))
	case vec.I16:
		widenInts(out, vec.Of[int16](v))
	case vec.I32:
		widenInts(out, vec.Of[int32](v))
	case vec.I64:
		widenInts(out, vec.Of[int64](v))
	}
	return out
}

func widenInts[T integer](out []types.Int128, in []T) {
	for i, x := range in {
		out[i] = types.I128(int64(x))
	}
}
