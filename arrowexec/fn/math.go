package fn

import (
	"math"

	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Functions of one double are nullable to Spark whatever they are of, as are ceil, floor, round and sign; those of two aren't.

// doubleFn makes a kernel of a function of one double.
func doubleFn(f func(float64) float64) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := make([]float64, a.N)
		for i, x := range vec.Of[float64](a.V[0]) {
			out[i] = f(x)
		}
		return vec.FromSlice(a.Ret, out, nil), nil
	}
}

func doubleFn2(f func(x, y float64) float64) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := make([]float64, a.N)
		x, y := vec.Of[float64](a.V[0]), vec.Of[float64](a.V[1])
		for i := range out {
			out[i] = f(x[i], y[i])
		}
		return vec.FromSlice(a.Ret, out, nil), nil
	}
}

// logFn is a logarithm: null at and below its asymptote.
func logFn(f func(float64) float64, asymptote float64) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := make([]float64, a.N)
		v := vec.FromSlice(a.Ret, out, nil)
		for i, x := range vec.Of[float64](a.V[0]) {
			if x <= asymptote {
				setNull(v, i)
				continue
			}
			out[i] = f(x)
		}
		return v, nil
	}
}

func constant0(x float64) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := make([]float64, a.N)
		for i := range out {
			out[i] = x
		}
		return vec.FromSlice(a.Ret, out, nil), nil
	}
}

func bitwise[T integer](a *Args, op byte) *vec.Vector {
	x, xm := operand[T](a, 0)
	y, ym := operand[T](a, 1)
	out := make([]T, a.N)
	for i := range out {
		switch op {
		case '&':
			out[i] = x[i&xm] & y[i&ym]
		case '|':
			out[i] = x[i&xm] | y[i&ym]
		default:
			out[i] = x[i&xm] ^ y[i&ym]
		}
	}
	return vec.FromSlice(a.Ret, out, nil)
}

func bitwiseKernel(op byte) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		switch a.V[0].Layout {
		case vec.I8:
			return bitwise[int8](a, op), nil
		case vec.I16:
			return bitwise[int16](a, op), nil
		case vec.I32:
			return bitwise[int32](a, op), nil
		}
		return bitwise[int64](a, op), nil
	}
}

func bitNot(a *Args) (*vec.Vector, error) {
	out := vec.Make(a.Ret, a.N)
	for i := range a.N {
		putInt(out, i, ^getInt(a.V[0], i))
	}
	return out, nil
}

func shift(f func(x int64, n uint, bits int) int64) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		bits := 8 * a.V[0].Layout.Width()
		out := vec.Make(a.Ret, a.N)
		for i := range a.N {
			putInt(out, i, f(getInt(a.V[0], i), uint(a.i32(1, i))&uint(bits-1), bits))
		}
		return out, nil
	}
}

// rounded is floor and ceil of doubles and decimals; integers are themselves.
func rounded(f func(float64) float64, up bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		v := a.V[0]
		out := vec.Make(a.Ret, a.N)
		for i := range a.N {
			if a.skipped(i) {
				continue
			}
			switch {
			case v.Type.IsIntegral():
				putInt(out, i, getInt(v, i))
			case v.Type.Kind == types.Decimal:
				q, r := getDecimal(v, i).DivMod10(v.Type.Scale)
				switch {
				case up && r.Sign() > 0:
					q = q.Add(types.I128(1))
				case !up && r.Sign() < 0:
					q = q.Sub(types.I128(1))
				}
				putDecimal(out, i, q)
			default:
				x := f(vec.Of[float64](v)[i])
				switch {
				case x != x:
				case x >= math.MaxInt64:
					vec.Of[int64](out)[i] = math.MaxInt64
				case x <= math.MinInt64:
					vec.Of[int64](out)[i] = math.MinInt64
				default:
					vec.Of[int64](out)[i] = int64(x)
				}
			}
		}
		return out, nil
	}
}

func retFloor(args []*types.Type) (*types.Type, error) {
	if t := args[0]; t.Kind == types.Decimal {
		return types.Bounded(t.Precision-t.Scale+1, 0), nil
	}
	return types.Int64Type, nil
}

// round rounds to a number of digits, half up or half to even.
func round(even bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		v := a.V[0]
		digits := 0
		if len(a.V) > 1 && a.N > 0 {
			digits = a.i32(1, 0)
		}
		out := vec.Make(a.Ret, a.N)
		for i := range a.N {
			if a.skipped(i) {
				continue
			}
			switch {
			case v.Type.IsIntegral():
				d, _ := roundDecimal(types.I128(getInt(v, i)), 0, digits, 0, even)
				if (!d.IsInt64() || !putInt(out, i, int64(d.Lo))) && a.Mode == plan.ANSI {
					return nil, overflowError(a, "Overflow", "")
				}
			case v.Type.Kind == types.Decimal:
				d, ok := roundDecimal(getDecimal(v, i), v.Type.Scale, digits, a.Ret.Scale, even)
				if !ok || !d.Fits(a.Ret.Precision) {
					x := getDecimal(v, i)
					if err := decimalOverflow(a, out, i, func() string { return string(types.AppendDecimal(nil, x, v.Type.Scale)) }); err != nil {
						return nil, err
					}
				}
				putDecimal(out, i, d)
			default:
				x := getFloat(v, i)
				if !math.IsNaN(x) && !math.IsInf(x, 0) && digits < 330 {
					x = roundFloat(x, digits, v.Layout == vec.F32, even)
				}
				if v.Layout == vec.F32 {
					vec.Of[float32](out)[i] = float32(x)
				} else {
					vec.Of[float64](out)[i] = x
				}
			}
		}
		return out, nil
	}
}

// roundStep rounds decimals up or down to a number of digits.
func roundStep(up bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		v, out := a.V[0], vec.Make(a.Ret, a.N)
		for i := range a.N {
			if a.skipped(i) {
				continue
			}
			x, scale := getDecimal(v, i), v.Type.Scale
			y, at := x, scale
			if drop := scale - a.i32(1, i); drop > 0 {
				q, r := types.Int128{}, x
				if drop <= types.MaxPrecision {
					q, r = x.DivMod10(drop)
				}
				if up && r.Sign() > 0 {
					q = q.Add(types.I128(1))
				} else if !up && r.Sign() < 0 {
					q = q.Sub(types.I128(1))
				}
				y, at = q, a.i32(1, i)
			}
			d, ok := types.Rescale(y, at, a.Ret.Scale)
			if !ok || !d.Fits(a.Ret.Precision) {
				if err := decimalOverflow(a, out, i, func() string { return string(types.AppendDecimal(nil, x, scale)) }); err != nil {
					return nil, err
				}
			}
			putDecimal(out, i, d)
		}
		return out, nil
	}
}

// roundDecimal rounds x of a scale to digits and gives the result at scale to.
func roundDecimal(x types.Int128, scale, digits, to int, even bool) (types.Int128, bool) {
	if drop := scale - digits; drop > 0 {
		if drop > 38 {
			return types.Int128{}, true
		}
		q, r := x.DivMod10(drop)
		half := types.Pow10Wide[drop]
		twice := r.Add(r)
		if twice.Sign() < 0 {
			twice = twice.Neg()
		}
		c := twice.Cmp(half)
		if c > 0 || c == 0 && (!even || q.Lo&1 == 1) {
			if x.Sign() < 0 {
				q = q.Sub(types.I128(1))
			} else {
				q = q.Add(types.I128(1))
			}
		}
		x, scale = q, digits
	}
	return types.Rescale(x, scale, to)
}

// roundFloat rounds the shortest decimal that stands for x, as BigDecimal(x.toString) is.
func roundFloat(x float64, digits int, single, even bool) float64 {
	var buf [40]byte
	text := types.AppendDouble(buf[:0], x)
	if single {
		text = types.AppendFloat(buf[:0], float32(x))
	}
	d, scale, st := types.ParseDecimalExact(string(text), 0)
	if st != types.DecimalOK || scale > 38 || digits < -38 {
		if st == types.DecimalOK && scale > 38 && digits < 300 {
			return math.Copysign(0, x)
		}
		return x
	}
	if scale <= digits {
		return x
	}
	r, ok := roundDecimal(d, max(scale, 0), digits, max(digits, 0), even)
	if !ok {
		return x
	}
	return r.Float64(max(digits, 0))
}

func retRound(c *plan.Call) (*types.Type, bool, error) {
	t := c.Args[0].Type()
	if t.Kind != types.Decimal {
		return t, true, nil
	}
	digits := 0
	if len(c.Args) > 1 {
		if v, ok := constant(c.Args[1]); ok {
			if n, ok := IntValue(v); ok {
				digits = int(n)
			}
		}
	}
	whole := t.Precision - t.Scale + 1
	if digits < 0 {
		return types.NewDecimal(min(max(whole, -digits+1), types.MaxPrecision), 0), true, nil
	}
	s := min(t.Scale, digits)
	return types.NewDecimal(min(whole+s, types.MaxPrecision), s), true, nil
}

func mathCore() []Def {
	dbl := gives(types.Float64Type)
	def := func(name, usage string, sql, want string, o ...Overload) Def {
		return Def{Name: name, Since: "1.4.0", Group: "math_funcs", Usage: usage, Kind: plan.FnScalar, Overloads: o, Examples: []Example{{sql, want}}}
	}
	alias := func(d Def, names ...string) Def { d.Aliases = names; return d }
	maybe := func(d Def) Def { d.Nulls = NullMaybe; return d }
	one := func(name, usage string, f func(float64) float64, sql, want string) Def {
		return maybe(def(name, usage, sql, want, sig(dbl, doubleFn(f), doubleP)))
	}
	log := func(name, usage string, f func(float64) float64, at float64, sql, want string) Def {
		return maybe(def(name, usage, sql, want, sig(dbl, logFn(f, at), doubleP)))
	}
	roundP := Accept{Name: "NUMERIC", Types: []*types.Type{types.Float64Type}, Test: (*types.Type).IsNumeric}
	floorP := Accept{Name: `("DOUBLE" or "DECIMAL" or "BIGINT")`, Types: []*types.Type{types.Float64Type}, Test: func(t *types.Type) bool { return t.Kind == types.Float64 || t.Kind == types.Decimal || t.IsIntegral() }}
	step := func(name, usage string, up bool) Def {
		return Def{Name: name, Since: "3.3.0", Group: "internal", Usage: usage, Kind: plan.FnScalar, Nulls: NullMaybe, Ansi: true,
			Overloads: []Overload{{Params: params(Accept{Name: "DECIMAL", Test: func(t *types.Type) bool { return t.Kind == types.Decimal }}, int32P), RetExpr: retRound, Ret: givesArg(0), Eval: roundStep(up)}}}
	}
	roundDef := func(name, usage string, even bool, sql, want string) Def {
		d := maybe(def(name, usage, sql, want))
		d.Ansi = true
		for _, p := range [][]Accept{{roundP}, {roundP, int32P}} {
			d.Overloads = append(d.Overloads, Overload{Params: p, RetExpr: retRound, Ret: givesArg(0), Eval: round(even)})
		}
		return d
	}
	bit := func(name string, op byte, usage, sql, want string) Def {
		d := def(name, usage, sql, want, Overload{Params: params(integralP, integralP), Same: []int{}, Ret: givesArg(0), Eval: bitwiseKernel(op)})
		d.Group, d.Pretty = "bitwise_funcs", infix(name)
		return d
	}
	intOrLong := Accept{Name: `("INT" or "BIGINT")`, Types: []*types.Type{types.Int32Type, types.Int64Type}}
	sh := func(name, al, usage, sql, want string, f func(int64, uint, int) int64) Def {
		d := def(name, usage, sql, want, sig(givesArg(0), shift(f), intOrLong, int32P))
		d.Group, d.Aliases = "bitwise_funcs", []string{al}
		return d
	}
	signP := Accept{Name: `("DOUBLE" or "INTERVAL YEAR TO MONTH" or "INTERVAL DAY TO SECOND")`, Types: []*types.Type{types.Float64Type}}
	ansiIntervalP := Accept{Name: signP.Name, Exact: true, Test: (*types.Type).IsAnsiInterval}
	sign := func(x float64) float64 {
		switch {
		case x > 0:
			return 1
		case x < 0:
			return -1
		}
		return x
	}
	return []Def{
		one("sqrt", "Gives the square root.", math.Sqrt, "SELECT sqrt(4)", "2.0"),
		one("cbrt", "Gives the cube root.", strictCbrt, "SELECT cbrt(27.0)", "3.0"),
		one("exp", "Gives e to a power.", strictExp, "SELECT exp(0)", "1.0"),
		one("expm1", "Gives exp(x) - 1.", math.Expm1, "SELECT expm1(0)", "0.0"),
		log("ln", "Gives the natural logarithm.", strictLog, 0, "SELECT ln(1)", "0.0"),
		log("log2", "Gives the logarithm to base 2.", func(x float64) float64 { return strictLog(x) / strictLog(2) }, 0, "SELECT log2(2)", "1.0"),
		log("log10", "Gives the logarithm to base 10.", strictLog10, 0, "SELECT log10(10)", "1.0"),
		log("log1p", "Gives ln(1 + x).", math.Log1p, -1, "SELECT log1p(0)", "0.0"),
		maybe(def("log", "Gives the logarithm, natural or to a base.", "SELECT log(10, 100)", "2.0", sig(dbl, logFn(strictLog, 0), doubleP), sig(dbl, func(a *Args) (*vec.Vector, error) {
			out := make([]float64, a.N)
			v := vec.FromSlice(a.Ret, out, nil)
			x, y := vec.Of[float64](a.V[0]), vec.Of[float64](a.V[1])
			for i := range out {
				if x[i] <= 0 || y[i] <= 0 {
					setNull(v, i)
					continue
				}
				out[i] = strictLog(y[i]) / strictLog(x[i])
			}
			return v, nil
		}, doubleP, doubleP))),
		alias(def("power", "Raises to a power.", "SELECT power(2, 3)", "8.0", sig(dbl, doubleFn2(javaPow), doubleP, doubleP)), "pow"),
		one("sin", "Gives the sine.", roundedSin, "SELECT sin(0)", "0.0"),
		one("cos", "Gives the cosine.", roundedCos, "SELECT cos(0)", "1.0"),
		one("tan", "Gives the tangent.", roundedTan, "SELECT tan(0)", "0.0"),
		one("asin", "Gives the inverse sine.", strictAsin, "SELECT asin(0)", "0.0"),
		one("acos", "Gives the inverse cosine.", strictAcos, "SELECT acos(1)", "0.0"),
		one("atan", "Gives the inverse tangent.", strictAtan, "SELECT atan(0)", "0.0"),
		one("sinh", "Gives the hyperbolic sine.", strictSinh, "SELECT sinh(0)", "0.0"),
		one("cosh", "Gives the hyperbolic cosine.", strictCosh, "SELECT cosh(0)", "1.0"),
		one("tanh", "Gives the hyperbolic tangent.", strictTanh, "SELECT tanh(0)", "0.0"),
		one("asinh", "Gives the inverse hyperbolic sine.", strictAsinh, "SELECT asinh(0)", "0.0"),
		one("acosh", "Gives the inverse hyperbolic cosine.", strictAcosh, "SELECT acosh(1)", "0.0"),
		one("atanh", "Gives the inverse hyperbolic tangent.", func(x float64) float64 { return 0.5 * (math.Log1p(x) - math.Log1p(-x)) }, "SELECT atanh(0)", "0.0"),
		one("cot", "Gives the cotangent.", func(x float64) float64 { return 1 / roundedTan(x) }, "SELECT cot(1)", "0.6420926159343306"),
		one("sec", "Gives the secant.", func(x float64) float64 { return 1 / roundedCos(x) }, "SELECT sec(0)", "1.0"),
		one("csc", "Gives the cosecant.", func(x float64) float64 { return 1 / roundedSin(x) }, "SELECT csc(1)", "1.1883951057781212"),
		one("degrees", "Turns radians into degrees.", func(x float64) float64 { return x * (180 / math.Pi) }, "SELECT degrees(3.141592653589793)", "180.0"),
		one("radians", "Turns degrees into radians.", func(x float64) float64 { return x * (math.Pi / 180) }, "SELECT radians(180)", "3.141592653589793"),
		one("rint", "Rounds to the nearest whole number, half to even.", math.RoundToEven, "SELECT rint(12.3456)", "12.0"),
		alias(maybe(def("sign", "Gives the sign: -1.0, 0.0 or 1.0.", "SELECT sign(40)", "1.0", sig(dbl, doubleFn(sign), signP), sig(dbl, func(a *Args) (*vec.Vector, error) {
			out := make([]float64, a.N)
			for i := range out {
				out[i] = sign(float64(getInt(a.V[0], i)))
			}
			return vec.FromSlice(a.Ret, out, nil), nil
		}, ansiIntervalP))), "signum"),
		def("atan2", "Gives the angle of a point.", "SELECT atan2(0, 0)", "0.0", sig(dbl, doubleFn2(strictAtan2), doubleP, doubleP)),
		def("hypot", "Gives the length of a hypotenuse.", "SELECT hypot(3, 4)", "5.0", sig(dbl, doubleFn2(strictHypot), doubleP, doubleP)),
		def("pi", "Gives pi.", "SELECT pi()", "3.141592653589793", sig(dbl, constant0(math.Pi))),
		def("e", "Gives e.", "SELECT e()", "2.718281828459045", sig(dbl, constant0(math.E))),
		maybe(def("floor", "Rounds down.", "SELECT floor(-0.1)", "-1", sig(retFloor, rounded(math.Floor, false), floorP))),
		alias(maybe(def("ceil", "Rounds up.", "SELECT ceil(5)", "5", sig(retFloor, rounded(math.Ceil, true), floorP))), "ceiling"),
		step("decimal_floor", "Rounds a decimal down to a number of digits.", false), step("decimal_ceil", "Rounds a decimal up to a number of digits.", true),
		roundDef("round", "Rounds to a number of digits, half away from zero.", false, "SELECT round(2.5, 0)", "3"),
		roundDef("bround", "Rounds to a number of digits, half to even.", true, "SELECT bround(2.5, 0)", "2"),
		bit("&", '&', "Gives the bits that both have.", "SELECT 3 & 5", "1"),
		bit("|", '|', "Gives the bits that one of both has.", "SELECT 3 | 5", "7"),
		bit("^", '^', "Gives the bits that differ.", "SELECT 3 ^ 5", "6"),
		{Name: "~", Since: "1.4.0", Group: "bitwise_funcs", Usage: "Turns all bits over.", Kind: plan.FnScalar, Pretty: func(a []string) string { return "~" + a[0] }, Overloads: []Overload{sig(givesArg(0), bitNot, integralP)}, Examples: []Example{{"SELECT ~ 0", "-1"}}},
		sh("shiftleft", "<<", "Shifts bits to the left.", "SELECT shiftleft(2, 1)", "4", func(x int64, n uint, _ int) int64 { return x << n }),
		sh("shiftright", ">>", "Shifts bits to the right, keeping the sign.", "SELECT shiftright(4, 1)", "2", func(x int64, n uint, _ int) int64 { return x >> n }),
		sh("shiftrightunsigned", ">>>", "Shifts bits to the right, zeros coming in.", "SELECT shiftrightunsigned(4, 1)", "2", func(x int64, n uint, bits int) int64 {
			if bits == 32 {
				return int64(int32(uint32(x) >> n))
			}
			return int64(uint64(x) >> n)
		}),
	}
}

// javaPow is Math.pow, which gives NaN for a base of 1 or -1 and an infinite or NaN exponent.
func javaPow(x, y float64) float64 {
	if y != y || math.Abs(x) == 1 && math.IsInf(y, 0) {
		return math.NaN()
	}
	return strictPow(x, y)
}
