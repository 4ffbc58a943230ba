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

// numberBases are the functions about digits, bits and buckets of numbers.
func numberBases() []Def {
	bucketYM := Accept{Name: "INTERVAL YEAR TO MONTH", Exact: true, Test: func(t *types.Type) bool { return t.Kind == types.YearMonthInterval }}
	bucketDT := Accept{Name: "INTERVAL DAY TO SECOND", Exact: true, Test: func(t *types.Type) bool { return t.Kind == types.DayTimeInterval }}
	bitGet := func(name string) Def {
		return Def{Name: name, Since: "3.2.0", Group: "bitwise_funcs", Usage: "Gives the bit of a number at a position, counted from 0 at the right.", Kind: plan.FnScalar,
			Overloads: []Overload{sig(gives(types.Int8Type), getBit, integralP, int32P)}, Examples: []Example{{"SELECT " + name + "(11, 0)", "1"}, {"SELECT " + name + "(11, 2)", "0"}}}
	}
	return []Def{
		{Name: "conv", Since: "1.5.0", Group: "math_funcs", Usage: "Writes a number, given as text in one base, in another; a negative target base makes the result signed.",
			Kind: plan.FnScalar, Nulls: NullMaybe, Ansi: true, Overloads: []Overload{sig(gives(types.StringType), conv, stringP, int32P, int32P)},
			Examples: []Example{{"SELECT conv('100', 2, 10)", "4"}, {"SELECT conv(-10, 16, -10)", "-16"}}},
		bitGet("bit_get"), bitGet("getbit"),
		{Name: "width_bucket", Since: "3.1.0", Group: "math_funcs", Usage: "Gives the number of the bucket, of that many equally wide ones between two bounds, that a value falls in.",
			Kind: plan.FnScalar, Nulls: NullMaybe, Overloads: []Overload{
				sig(gives(types.Int64Type), widthBucket, doubleP, doubleP, doubleP, int64P),
				sig(gives(types.Int64Type), widthBucket, bucketYM, bucketYM, bucketYM, int64P), sig(gives(types.Int64Type), widthBucket, bucketDT, bucketDT, bucketDT, int64P),
			}, Examples: []Example{{"SELECT width_bucket(5.3, 0.2, 10.6, 5)", "3"}, {"SELECT width_bucket(-2.1, 1.3, 3.4, 3)", "0"}}},
	}
}

// conv follows Spark's NumberConverter: digits up to the first that isn't one
// of the base count, as an unsigned 64-bit number.
func conv(a *Args) (*vec.Vector, error) {
	from, to := vec.Of[int32](a.V[1]), vec.Of[int32](a.V[2])
	out := newStrings(a.N, 20*a.N)
	var digits [66]byte
	for i := range a.N {
		if err := a.yields(i); err != nil {
			return nil, err
		}
		if a.skipped(i) || a.V[0].IsNull(i) {
			out.addNull(a.N)
			continue
		}
		f, t := int(from[i]), int(to[i])
		text := strings.Trim(a.V[0].Str(i), " ")
		abs := max(t, -t)
		if f < 2 || f > 36 || abs < 2 || abs > 36 || text == "" {
			out.addNull(a.N)
			continue
		}
		negative := text[0] == '-'
		if negative {
			text = text[1:]
		}
		var v uint64
		overflow := false
		for k := 0; k < len(text) && !overflow; k++ {
			d := digitOf(text[k])
			if d < 0 || d >= f {
				break
			}
			if v > (math.MaxUint64-uint64(d))/uint64(f) {
				overflow = true
				break
			}
			v = v*uint64(f) + uint64(d)
		}
		if overflow {
			if a.Mode == plan.ANSI {
				return nil, errs.New(errs.Arithmetic, "ARITHMETIC_OVERFLOW", "message", "Overflow in function conv()", "alternative", "", "config", `"spark.sql.ansi.enabled"`).At(a.pos())
			}
			v = math.MaxUint64
		}
		if negative && t > 0 {
			if int64(v) < 0 {
				v = math.MaxUint64
			} else {
				v = -v
			}
		}
		if t < 0 && int64(v) < 0 {
			v = -v
			negative = true
		}
		s := strconv.AppendUint(digits[:0], v, abs)
		start := len(out.buf)
		if negative && t < 0 {
			out.buf = append(out.buf, '-')
		}
		for _, c := range s {
			if c >= 'a' {
				c -= 'a' - 'A'
			}
			out.buf = append(out.buf, c)
		}
		out.end(start)
	}
	return out.finish(types.StringType), nil
}

func digitOf(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'z':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'Z':
		return int(c-'A') + 10
	}
	return -1
}

func getBit(a *Args) (*vec.Vector, error) {
	out := make([]int8, a.N)
	width := int32(8 * a.V[0].Layout.Width())
	pos := vec.Of[int32](a.V[1])
	for i := range a.N {
		if a.skipped(i) {
			continue
		}
		p := pos[i]
		if p < 0 || p >= width {
			which := "INVALID_PARAMETER_VALUE.BIT_POSITION_RANGE"
			e := errs.New(errs.IllegalArgument, which, "functionName", errs.ID(a.Call.Name), "parameter", "`pos`", "lower", "0", "upper", strconv.Itoa(int(width)), "invalidValue", strconv.Itoa(int(p)))
			e.State, e.Text = "22023", "The bit position <invalidValue> is outside 0 to <upper>."
			return nil, e.At(a.pos())
		}
		out[i] = int8(getInt(a.V[0], i) >> uint(p) & 1)
	}
	return vec.FromSlice(types.Int8Type, out, nil), nil
}

// widthBucket is the SQL standard's: 0 below the range, n+1 above it, null where
// the bounds or the number of buckets make no sense.
func widthBucket(a *Args) (*vec.Vector, error) {
	// Intervals are their months or microseconds.
	doubles := func(v *vec.Vector) []float64 {
		if v.Layout == vec.F64 {
			return vec.Of[float64](v)
		}
		out := make([]float64, a.N)
		for i := range out {
			out[i] = float64(getInt(v, i))
		}
		return out
	}
	v, lo, hi, n := doubles(a.V[0]), doubles(a.V[1]), doubles(a.V[2]), vec.Of[int64](a.V[3])
	out := make([]int64, a.N)
	r := vec.FromSlice(types.Int64Type, out, nil)
	for i := range a.N {
		bad := a.skipped(i) || n[i] <= 0 || n[i] == math.MaxInt64 || math.IsNaN(v[i]) || lo[i] == hi[i] || math.IsNaN(lo[i]) || math.IsInf(lo[i], 0) || math.IsNaN(hi[i]) || math.IsInf(hi[i], 0)
		if bad {
			setNull(r, i)
			continue
		}
		l, h := min(lo[i], hi[i]), max(lo[i], hi[i])
		switch x := v[i]; {
		case lo[i] < hi[i] && x < l, lo[i] > hi[i] && x > h:
			out[i] = 0
		case lo[i] < hi[i] && x >= h, lo[i] > hi[i] && x <= l:
			out[i] = n[i] + 1
		case lo[i] < hi[i]:
			out[i] = int64(float64(n[i])*(x-l)/(h-l)) + 1
		default:
			out[i] = int64(float64(n[i])*(h-x)/(h-l)) + 1
		}
	}
	return r, nil
}
