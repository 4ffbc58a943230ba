package fn

import (
	"bytes"
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"strings"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// jsonReader turns valid JSON into values of a type. What doesn't fit is null,
// and bad is set; a list or map with such an element is null as a whole, a
// struct keeps its other fields.
type jsonReader struct {
	opt *formatOptions
	bad bool
}

// append appends the value v of type t; false: it doesn't fit, and null was appended.
func (r *jsonReader) append(b *vec.Builder, t *types.Type, v []byte) bool {
	if v == nil || v[0] == 'n' {
		b.AppendNull()
		return true
	}
	j := &jsonScan{s: v}
	switch {
	case t.Kind == types.Struct && v[0] == '{':
		r.object(b, t, v, -1)
		return true
	case t.Kind == types.Array && v[0] == '[', t.Kind == types.Map && v[0] == '{':
		n, fits := 0, true
		values := b.Child(0)
		if t.Kind == types.Map {
			values = b.Child(1)
		}
		j.members(func(key []byte) bool {
			val, ok := j.skip()
			if t.Kind == types.Map {
				b.Child(0).AppendBytes(key)
			}
			fits = r.append(values, t.Elem, val) && fits
			n++
			return ok
		})
		if !fits {
			b.AppendNull()
			return false
		}
		b.EndList(n)
		return true
	}
	if !r.scalar(b, t, v) {
		r.bad = true
		b.AppendNull()
		return false
	}
	return true
}

// object appends a struct; the field skip is left alone.
func (r *jsonReader) object(b *vec.Builder, t *types.Type, v []byte, skip int) {
	j := &jsonScan{s: v}
	at := make([][]byte, len(t.Fields))
	j.members(func(key []byte) bool {
		val, ok := j.skip()
		for k := range t.Fields {
			if t.Fields[k].Name == string(key) {
				// Of equal names the last that fits counts.
				switch f := t.Fields[k].Type; {
				case !ok:
				case at[k] != nil && !r.fits(f, val):
					r.bad = true
				default:
					r.bad = at[k] != nil && !r.fits(f, at[k]) || r.bad
					at[k] = val
				}
				break
			}
		}
		return ok
	})
	for k := range t.Fields {
		if k != skip {
			r.append(b.Child(k), t.Fields[k].Type, at[k])
		}
	}
	b.EndGroup()
}

// fits reports whether the value v is one of type t.
func (r *jsonReader) fits(t *types.Type, v []byte) bool {
	try := &jsonReader{opt: r.opt}
	return try.append(vec.NewBuilder(t, 1), t, v) && (!try.bad || t.Kind == types.Struct)
}

func (r *jsonReader) scalar(b *vec.Builder, t *types.Type, v []byte) bool {
	quoted := v[0] == '"'
	text, _ := appendJSONValue(nil, v)
	if v[0] == noNumber {
		return r.nonNumeric(b, t, v)
	}
	number := !quoted && (v[0] == '-' || v[0] >= '0' && v[0] <= '9')
	switch t.Kind {
	case types.String, types.Char, types.Varchar:
		b.AppendBytes(text)
		return true
	case types.Variant:
		var w variantWriter
		if !w.json(&jsonScan{s: v}, 0) {
			return false
		}
		w.end(b)
		return true
	case types.Bool:
		if quoted || v[0] != 't' && v[0] != 'f' {
			return false
		}
		vec.Append(b, v[0] == 't')
		return true
	case types.Int8, types.Int16, types.Int32, types.Int64:
		return number && appendScalar(b, t, string(text), r.opt, false)
	case types.Float32, types.Float64:
		x, err := strconv.ParseFloat(string(text), 64)
		if quoted {
			switch string(text) {
			case "NaN":
				x, err = math.NaN(), nil
			case "Infinity", "+Infinity", "+INF":
				x, err = math.Inf(1), nil
			case "-Infinity", "-INF":
				x, err = math.Inf(-1), nil
			default:
				return false
			}
			if r.opt.not("allownonnumericnumbers") {
				return false
			}
		} else if !number {
			return false
		}
		if err != nil {
			return false
		}
		if t.Kind == types.Float32 {
			vec.Append(b, float32(x))
		} else {
			vec.Append(b, x)
		}
		return true
	case types.Decimal:
		return (number || quoted) && appendDecimal(b, t, string(text))
	case types.Date, types.Timestamp, types.TimestampNTZ, types.Time:
		return quoted && r.opt.parseTime(b, t, string(text))
	case types.YearMonthInterval, types.DayTimeInterval, types.CalendarInterval:
		return quoted && appendInterval(b, t, string(text))
	case types.Binary:
		x, err := base64.StdEncoding.DecodeString(string(text))
		if err != nil || !quoted {
			return false
		}
		b.AppendBytes(x)
		return true
	}
	return false
}

// nonNumeric is scalar for a number that JSON has no way to write.
func (r *jsonReader) nonNumeric(b *vec.Builder, t *types.Type, v []byte) bool {
	x, word := nonNumeric(v)
	switch t.Kind {
	case types.String, types.Char, types.Varchar:
		b.AppendString(`"` + word + `"`)
	case types.Float32:
		vec.Append(b, float32(x))
	case types.Float64:
		vec.Append(b, x)
	case types.Variant:
		var w variantWriter
		w.double(x)
		w.end(b)
	default:
		return false
	}
	return true
}

// laxJSON is the value that a text is when read as the options allow; texts that JSON's own rules take pay nothing.
func laxJSON(o *formatOptions, s []byte, infers bool) ([]byte, bool) {
	if v, ok := validJSON(s); ok {
		return v, true
	}
	l := &jsonLax{s: s, o: o, infers: infers}
	if !l.value(0) {
		return nil, false
	}
	return l.out, true
}

func fromJSON(a *Args) (*vec.Vector, error) {
	s, err := clockStateOf(a)
	if err != nil {
		return nil, err
	}
	opt, err := optionsOf(a, s, "json", 2)
	if err != nil {
		return nil, err
	}
	corrupt := -1
	if a.Ret.Kind == types.Struct {
		corrupt = a.Ret.FieldIndex(opt.corrupt)
	}
	b := vec.NewBuilder(a.Ret, a.N)
	r := &jsonReader{opt: opt}
	for i := range a.N {
		if a.skipped(i) || a.V[0].IsNull(i) {
			b.AppendNull()
			continue
		}
		text := a.V[0].Bytes(i)
		if len(bytes.TrimSpace(text)) == 0 {
			b.AppendNull()
			continue
		}
		v, ok := laxJSON(opt, text, false)
		r.bad = false
		switch {
		case ok && a.Ret.Kind == types.Array && v[0] == '{' && a.Ret.Elem.Kind == types.Struct:
			r.append(b.Child(0), a.Ret.Elem, v) // one object is an array of one
			b.EndList(1)
		case ok && a.Ret.Kind == types.Struct && v[0] == '{':
			r.object(b, a.Ret, v, corrupt)
		case ok && a.Ret.Kind == types.Variant, ok && a.Ret.Kind == types.Map && v[0] == '{', ok && a.Ret.Kind == types.Array && v[0] == '[':
			r.append(b, a.Ret, v)
		case a.Ret.Kind == types.Struct:
			r.bad = true
			for k := range a.Ret.Fields {
				if k != corrupt {
					b.Child(k).AppendNull()
				}
			}
			b.EndGroup()
		default:
			r.bad = true
			b.AppendNull()
		}
		if corrupt >= 0 {
			if r.bad {
				b.Child(corrupt).AppendBytes(text)
			} else {
				b.Child(corrupt).AppendNull()
			}
		}
		if r.bad && opt.failFast {
			if a.Ret.Kind == types.Struct && ok && v[0] == '[' {
				return nil, malformedRecord(a, "CANNOT_PARSE_JSON_ARRAYS_AS_STRUCTS", string(text))
			}
			return nil, malformed(a, b)
		}
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return b.Finish(), nil
}

// inferJSON is the type of a valid JSON value.
func inferJSON(v []byte, o *formatOptions) *types.Type {
	j := &jsonScan{s: v}
	plain := o.is("primitivesasstring")
	switch v[0] {
	case '{':
		t := &types.Type{Kind: types.Struct}
		j.members(func(key []byte) bool {
			val, ok := j.skip()
			if ok && t.FieldIndex(string(key)) < 0 {
				t.Fields = append(t.Fields, types.Field{Name: string(key), Type: inferJSON(val, o), Nullable: true})
			}
			return ok
		})
		slices.SortFunc(t.Fields, func(x, y types.Field) int { return strings.Compare(x.Name, y.Name) })
		return t
	case '[':
		var elem *types.Type
		j.members(func([]byte) bool {
			val, ok := j.skip()
			if ok && val[0] != 'n' {
				if x := inferJSON(val, o); elem == nil {
					elem = x
				} else if w := (types.Rules{}).Wider(elem, x, true); w != nil {
					elem = w
				} else {
					elem = types.StringType
				}
			}
			return ok
		})
		if elem == nil {
			elem = types.StringType
		}
		return types.NewArray(elem, true)
	case 'n':
		return types.StringType
	case 't', 'f':
		if plain {
			return types.StringType
		}
		return types.BoolType
	case '"':
		if text, _ := appendJSONValue(nil, v); o.is("infertimestamp") && !plain {
			if o.parseTime(vec.NewBuilder(types.TimestampType, 1), types.TimestampType, string(text)) {
				return types.TimestampType
			}
		}
		return types.StringType
	}
	digits := bytes.TrimPrefix(v, []byte("-"))
	if plain {
		return types.StringType
	}
	if _, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return types.Int64Type
	}
	if !bytes.ContainsAny(v, ".eE") && len(v) <= types.MaxPrecision {
		return types.NewDecimal(len(digits), 0)
	}
	if whole, frac, ok := bytes.Cut(digits, []byte(".")); ok && o.is("prefersdecimal") && !bytes.ContainsAny(v, "eE") {
		whole = bytes.TrimLeft(whole, "0")
		if p := len(whole) + len(frac); p <= types.MaxPrecision {
			return types.NewDecimal(max(p, 1), len(frac))
		}
	}
	return types.Float64Type
}

func schemaOfJSON(a *Args) (*vec.Vector, error) {
	s, err := clockStateOf(a)
	if err != nil {
		return nil, err
	}
	o, err := optionsOf(a, s, "json", 1)
	if err != nil {
		return nil, err
	}
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		v, ok := laxJSON(o, a.V[0].Bytes(i), true)
		if !ok {
			return nil, false, malformed(a, nil)
		}
		return append(dst, inferJSON(v, o).SQL()...), true, nil
	})(a)
}
