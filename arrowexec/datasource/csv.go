package datasource

import (
	"bytes"
	"strconv"
	"strings"
	"unsafe"

	"neptune/arrowexec/csvline"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// convert appends a text as a value of the builder's type. false: it is none, and nothing was appended.
type convert func(b *vec.Builder, text []byte) bool

func integer[T int8 | int16 | int32 | int64](bits int) convert {
	return func(b *vec.Builder, text []byte) bool {
		v, err := strconv.ParseInt(str(text), 10, bits)
		if err == nil {
			vec.Append(b, T(v))
		}
		return err == nil
	}
}

// str is b as a string that must not be kept.
func str(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// double reads a floating point number as Java does, and the words of the options.
func (t *textOptions) double(s string, bits int) (float64, bool) {
	switch s {
	case t.nan:
		s = "NaN"
	case t.posInf:
		s = "Infinity"
	case t.negInf:
		s = "-Infinity"
	default:
		if w := strings.TrimLeft(s, "+-"); strings.ContainsAny(w, "iInN") && w != "NaN" && w != "Infinity" {
			return 0, false
		}
	}
	return types.ParseDouble(s, bits)
}

// csvConvert is how CSV fields become values of a type.
func (t *textOptions) csvConvert(name string, to *types.Type) (convert, error) {
	switch to.Kind {
	case types.String:
		return func(b *vec.Builder, x []byte) bool { b.AppendBytes(x); return true }, nil
	case types.Int8:
		return integer[int8](8), nil
	case types.Int16:
		return integer[int16](16), nil
	case types.Int32:
		return integer[int32](32), nil
	case types.Int64:
		return integer[int64](64), nil
	case types.Float32:
		return func(b *vec.Builder, x []byte) bool {
			v, ok := t.double(str(x), 32)
			if ok {
				vec.Append(b, float32(v))
			}
			return ok
		}, nil
	case types.Float64:
		return func(b *vec.Builder, x []byte) bool {
			v, ok := t.double(str(x), 64)
			if ok {
				vec.Append(b, v)
			}
			return ok
		}, nil
	case types.Bool:
		return func(b *vec.Builder, x []byte) bool {
			yes := bytes.EqualFold(x, []byte("true"))
			if !yes && !bytes.EqualFold(x, []byte("false")) {
				return false
			}
			vec.Append(b, yes)
			return true
		}, nil
	case types.Decimal:
		narrow := vec.LayoutOf(to) == vec.I64
		return func(b *vec.Builder, x []byte) bool {
			v, ok := parseDecimal(str(x), to)
			switch {
			case !ok:
			case narrow:
				vec.Append(b, int64(v.Lo))
			default:
				vec.Append(b, v)
			}
			return ok
		}, nil
	case types.Date:
		return appendParsed(t.parseDate), nil
	case types.Timestamp:
		return appendParsed(t.parseStamp), nil
	case types.TimestampNTZ:
		return appendParsed(t.parseNTZ), nil
	case types.YearMonthInterval:
		return appendParsed(func(s string) (int32, bool) { return types.ParseYearMonth(s, to) }), nil
	case types.DayTimeInterval:
		return appendParsed(func(s string) (int64, bool) { return types.ParseDayTime(s, to) }), nil
	}
	return nil, errs.New(errs.Analysis, "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", "CSV", "columnName", errs.ID(name), "columnType", errs.Quote(to.SQL()))
}

func appendParsed[T int32 | int64](parse func(string) (T, bool)) convert {
	return func(b *vec.Builder, x []byte) bool {
		v, ok := parse(str(x))
		if ok {
			vec.Append(b, v)
		}
		return ok
	}
}

// csvType is the type of a field for inferSchema.
func (t *textOptions) csvType(s string) *types.Type {
	if _, err := strconv.ParseInt(s, 10, 32); err == nil {
		return types.Int32Type
	}
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		return types.Int64Type
	}
	if d := strings.TrimLeft(s, "+-"); len(s)-len(d) <= 1 && d != "" && len(d) <= types.MaxPrecision && strings.Trim(d, "0123456789") == "" {
		return types.NewDecimal(len(strings.TrimLeft(d, "0")), 0)
	}
	if _, ok := t.double(s, 64); ok {
		return types.Float64Type
	}
	if t.dates {
		if t.date != nil {
			if _, ok := t.parseDate(s); ok {
				return types.DateType
			}
		} else if len(s) == 10 && s[4] == '-' {
			if _, ok := types.ParseDate(s); ok {
				return types.DateType
			}
		}
	}
	if t.stamp != nil {
		if _, ok := t.parseStamp(s); ok {
			return types.TimestampType
		}
	} else if p, ok := types.ParseTimestampParts(s); ok && !p.JustTime && len(s) > 4 {
		return types.TimestampType
	}
	if strings.EqualFold(s, "true") || strings.EqualFold(s, "false") {
		return types.BoolType
	}
	return types.StringType
}

// csvWider is the type of a column with values of both types.
func csvWider(a, b *types.Type) *types.Type {
	if a == nil {
		return b
	}
	is := func(k, l types.Kind) bool { return a.Kind == k && b.Kind == l || a.Kind == l && b.Kind == k }
	if is(types.Float64, types.Decimal) {
		return types.Float64Type
	}
	if t := (types.Rules{}).Wider(a, b, true); t != nil {
		return t
	}
	return types.StringType
}

// csvNames names the columns by the header, or _c0, _c1; names that occur more than once get their position behind.
func csvNames(fields []csvline.Field, d *csvline.Dialect, header bool) []string {
	out := make([]string, len(fields))
	count := map[string]int{}
	for i, f := range fields {
		text, null := d.Value(f)
		if header && !null {
			out[i] = string(text)
			count[strings.ToLower(out[i])]++
		}
	}
	for i, n := range out {
		switch {
		case n == "":
			out[i] = "_c" + strconv.Itoa(i)
		case count[strings.ToLower(n)] > 1:
			out[i] = n + strconv.Itoa(i)
		}
	}
	return out
}
