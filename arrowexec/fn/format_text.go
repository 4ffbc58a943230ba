package fn

import (
	"math"
	"strconv"
	"strings"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// appendScalar reads a field of CSV or XML as a value of t; false: it is none, and nothing was appended.
func appendScalar(b *vec.Builder, t *types.Type, s string, o *formatOptions, xml bool) bool {
	switch t.Kind {
	case types.String, types.Char, types.Varchar, types.Binary:
		b.AppendString(s)
		return true
	case types.Bool:
		l := strings.ToLower(s)
		yes := l == "true" || xml && l == "1"
		if !yes && l != "false" && !(xml && l == "0") {
			return false
		}
		vec.Append(b, yes)
		return true
	case types.Int8, types.Int16, types.Int32, types.Int64:
		bits := map[types.Kind]int{types.Int8: 8, types.Int16: 16, types.Int32: 32, types.Int64: 64}[t.Kind]
		x, err := strconv.ParseInt(s, 10, bits)
		if err != nil {
			return false
		}
		appendInt(b, bits, x)
		return true
	case types.Float32, types.Float64:
		bits := 64
		if t.Kind == types.Float32 {
			bits = 32
		}
		x, ok := o.double(s, bits)
		switch {
		case !ok:
			return false
		case bits == 32:
			vec.Append(b, float32(x))
		default:
			vec.Append(b, x)
		}
		return true
	case types.Decimal:
		return appendDecimal(b, t, s)
	case types.Date, types.Timestamp, types.TimestampNTZ, types.Time:
		return o.parseTime(b, t, s)
	case types.YearMonthInterval, types.DayTimeInterval, types.CalendarInterval:
		return !xml && appendInterval(b, t, s)
	}
	return false
}

// appendInterval takes what a cast of the text takes; a text that is no interval of all units is null without being a bad record.
func appendInterval(b *vec.Builder, t *types.Type, s string) bool {
	switch t.Kind {
	case types.YearMonthInterval:
		x, ok := types.ParseYearMonth(s, t)
		if ok {
			vec.Append(b, x)
		}
		return ok
	case types.DayTimeInterval:
		x, ok := types.ParseDayTime(s, t)
		if ok {
			vec.Append(b, x)
		}
		return ok
	}
	if x, ok := types.ParseCalendar(s); ok {
		vec.Append(b, x)
	} else {
		b.AppendNull()
	}
	return true
}

func appendInt(b *vec.Builder, bits int, x int64) {
	switch bits {
	case 8:
		vec.Append(b, int8(x))
	case 16:
		vec.Append(b, int16(x))
	case 32:
		vec.Append(b, int32(x))
	default:
		vec.Append(b, x)
	}
}

func appendDecimal(b *vec.Builder, t *types.Type, s string) bool {
	x, scale, res := types.ParseDecimalExact(s, t.Scale)
	if res != types.DecimalOK {
		return false
	}
	y, ok := types.ToScale(x, scale, t.Precision, t.Scale)
	switch {
	case !ok:
		return false
	case vec.LayoutOf(t) == vec.I64:
		vec.Append(b, int64(y.Lo))
	default:
		vec.Append(b, y)
	}
	return true
}

// double reads a number as Java does, and the words of the options.
func (o *formatOptions) double(s string, bits int) (float64, bool) {
	switch s {
	case o.text("nanvalue", "NaN"):
		return math.NaN(), true
	case o.text("positiveinf", "Inf"), "Infinity", "+Infinity":
		return math.Inf(1), true
	case o.text("negativeinf", "-Inf"), "-Infinity":
		return math.Inf(-1), true
	}
	if strings.ContainsAny(s, "iInN") {
		return 0, false
	}
	return types.ParseDouble(s, bits)
}

// inferScalar is the narrowest type that a text can be; csv finds INT and DECIMAL, XML doesn't.
func inferScalar(s string, o *formatOptions, csv bool) *types.Type {
	if csv {
		if _, err := strconv.ParseInt(s, 10, 32); err == nil {
			return types.Int32Type
		}
	}
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		return types.Int64Type
	}
	digits := strings.TrimLeft(s, "+-")
	if csv && digits != "" && len(digits) <= types.MaxPrecision && strings.Trim(digits, "0123456789") == "" {
		return types.NewDecimal(len(digits), 0)
	}
	if _, ok := o.double(s, 64); ok && !strings.HasSuffix(s, "d") && !strings.HasSuffix(s, "D") && !strings.HasSuffix(s, "f") && !strings.HasSuffix(s, "F") {
		return types.Float64Type
	}
	if l := strings.ToLower(s); l == "true" || l == "false" {
		return types.BoolType
	}
	probe := func(t *types.Type) bool { return o.parseTime(vec.NewBuilder(t, 1), t, s) }
	if !o.not("preferdate") && probe(types.DateType) && (o.date != nil || len(s) == len("2020-01-01")) {
		return types.DateType
	}
	if o.ntz != nil && probe(types.TimestampNTZType) {
		return types.TimestampNTZType
	}
	if probe(types.TimestampType) {
		return types.TimestampType
	}
	return types.StringType
}
