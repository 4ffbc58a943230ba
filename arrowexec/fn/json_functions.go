package fn

import (
	"bytes"
	"encoding/base64"
	"math"
	"slices"
	"strconv"
	"strings"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// validJSON is the value that a text is, without what surrounds it.
func validJSON(s []byte) ([]byte, bool) {
	j := &jsonScan{s: s}
	v, ok := j.skip()
	return v, ok
}

// appendJSONValue writes a value as a text: strings without quotes. ok is false for null.
func appendJSONValue(dst, v []byte) (out []byte, ok bool) {
	switch v[0] {
	case 'n':
		return dst, false
	case '"':
		j := &jsonScan{s: v}
		t, _ := j.text([]byte{})
		return append(dst, t...), true
	}
	return compactJSON(dst, v), true
}

func getJSONObject(a *Args) (*vec.Vector, error) {
	type entry struct {
		steps []jsonStep
		ok    bool
	}
	cache := map[string]entry{}
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		p := a.V[1].Str(i)
		e, known := cache[p]
		if !known {
			e.steps, e.ok = parseJSONPath(p)
			if len(cache) >= cacheMost {
				clear(cache)
			}
			cache[strings.Clone(p)] = e
		}
		v, ok := validJSON(a.V[0].Bytes(i))
		if !e.ok || !ok {
			return nil, false, nil
		}
		found := followJSON(nil, v, e.steps)
		switch len(found) {
		case 0:
			return nil, false, nil
		case 1:
			out, ok := appendJSONValue(dst, found[0])
			return out, ok, nil
		}
		dst = append(dst, '[')
		for k, f := range found {
			if k > 0 {
				dst = append(dst, ',')
			}
			dst = compactJSON(dst, f)
		}
		return append(dst, ']'), true, nil
	})(a)
}

func jsonArrayLength(a *Args) (*vec.Vector, error) {
	out := make([]int32, a.N)
	v := vec.FromSlice(a.Ret, out, nil)
	for i := range out {
		if a.skipped(i) {
			continue
		}
		j := &jsonScan{s: a.V[0].Bytes(i)}
		n := int32(0)
		if j.peek() != '[' || !j.members(func([]byte) bool { n++; _, ok := j.skip(); return ok }) {
			setNull(v, i)
			continue
		}
		out[i] = n
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func jsonObjectKeys(a *Args) (*vec.Vector, error) {
	b := vec.NewBuilder(a.Ret, a.N)
	for i := range a.N {
		if a.skipped(i) {
			b.AppendNull()
			continue
		}
		j := &jsonScan{s: a.V[0].Bytes(i)}
		var keys [][]byte
		if j.peek() != '{' || !j.members(func(key []byte) bool { keys = append(keys, key); _, ok := j.skip(); return ok }) {
			b.AppendNull()
			continue
		}
		for _, k := range keys {
			b.Child(0).AppendBytes(k)
		}
		b.EndList(len(keys))
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return b.Finish(), nil
}

// jsonOptions are the options that from_json and to_json take.
type jsonOptions struct {
	date, timestamp *types.Pattern
	failFast        bool
	keepNulls       bool
}

func jsonOptionsOf(a *Args, s *clockState, k int) (*jsonOptions, error) {
	o := &jsonOptions{}
	if k >= len(a.V) || a.N == 0 {
		return o, nil
	}
	m, ok := a.V[k].Value(0).(types.MapValue)
	if !ok {
		return o, nil
	}
	for i, key := range m.Keys {
		name, _ := key.(string)
		val, _ := m.Values[i].(string)
		var err error
		switch strings.ToLower(name) {
		case "dateformat":
			o.date, err = s.pattern(a, val)
		case "timestampformat":
			o.timestamp, err = s.pattern(a, val)
		case "mode":
			o.failFast = strings.EqualFold(val, "FAILFAST")
		case "ignorenullfields":
			o.keepNulls = strings.EqualFold(val, "false")
		default:
			return nil, errs.NotSupported("option " + name + " of " + a.Call.Name).At(a.pos())
		}
		if err != nil {
			return nil, err
		}
	}
	return o, nil
}

// jsonReader turns valid JSON into values of a type; what doesn't fit is null, and bad is set.
type jsonReader struct {
	opt   *jsonOptions
	clock *clockState
	bad   bool
}

func (r *jsonReader) append(b *vec.Builder, t *types.Type, v []byte) {
	if v == nil || v[0] == 'n' {
		b.AppendNull()
		return
	}
	j := &jsonScan{s: v}
	switch {
	case t.Kind == types.Struct && v[0] == '{':
		at := make([][]byte, len(t.Fields))
		j.members(func(key []byte) bool {
			val, ok := j.skip()
			for k := range t.Fields {
				if t.Fields[k].Name == string(key) {
					at[k] = val
					break
				}
			}
			return ok
		})
		for k := range t.Fields {
			r.append(b.Child(k), t.Fields[k].Type, at[k])
		}
		b.EndGroup()
		return
	case t.Kind == types.Array && v[0] == '[':
		n := 0
		j.members(func([]byte) bool {
			val, ok := j.skip()
			r.append(b.Child(0), t.Elem, val)
			n++
			return ok
		})
		b.EndList(n)
		return
	case t.Kind == types.Map && v[0] == '{':
		n := 0
		j.members(func(key []byte) bool {
			val, ok := j.skip()
			b.Child(0).AppendBytes(key)
			r.append(b.Child(1), t.Elem, val)
			n++
			return ok
		})
		b.EndList(n)
		return
	}
	if !r.scalar(b, t, v) {
		r.bad = true
		b.AppendNull()
	}
}

func (r *jsonReader) scalar(b *vec.Builder, t *types.Type, v []byte) bool {
	quoted := v[0] == '"'
	text, _ := appendJSONValue(nil, v)
	number := !quoted && (v[0] == '-' || v[0] >= '0' && v[0] <= '9')
	switch t.Kind {
	case types.String, types.Char, types.Varchar:
		b.AppendBytes(text)
		return true
	case types.Bool:
		if quoted || v[0] != 't' && v[0] != 'f' {
			return false
		}
		vec.Append(b, v[0] == 't')
		return true
	case types.Int8, types.Int16, types.Int32, types.Int64:
		bits := map[types.Kind]int{types.Int8: 8, types.Int16: 16, types.Int32: 32, types.Int64: 64}[t.Kind]
		x, err := strconv.ParseInt(string(text), 10, bits)
		if err != nil || !number {
			return false
		}
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
		return true
	case types.Float32, types.Float64:
		x, err := strconv.ParseFloat(string(text), 64)
		if quoted {
			switch string(text) {
			case "NaN":
				x, err = math.NaN(), nil
			case "Infinity", "+Infinity", "INF", "+INF":
				x, err = math.Inf(1), nil
			case "-Infinity", "-INF":
				x, err = math.Inf(-1), nil
			default:
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
		if !number && !quoted {
			return false
		}
		x, scale, res := types.ParseDecimalExact(string(text), t.Scale)
		if res != types.DecimalOK {
			return false
		}
		y, ok := types.ToScale(x, scale, t.Precision, t.Scale)
		if !ok {
			return false
		}
		if vec.LayoutOf(t) == vec.I64 {
			vec.Append(b, int64(y.Lo))
		} else {
			vec.Append(b, y)
		}
		return true
	case types.Date:
		if !quoted {
			return false
		}
		if r.opt.date != nil {
			local, _, _, ok := r.opt.date.Parse(string(text))
			if ok {
				vec.Append(b, int32(types.FloorDiv(local, types.MicrosPerDay)))
			}
			return ok
		}
		x, ok := types.ParseDate(string(text))
		if ok {
			vec.Append(b, x)
		}
		return ok
	case types.Timestamp, types.TimestampNTZ:
		return r.stamp(b, t, text, quoted)
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

func (r *jsonReader) stamp(b *vec.Builder, t *types.Type, text []byte, quoted bool) bool {
	if !quoted {
		return false
	}
	var x int64
	var ok bool
	zoned := t.Kind == types.Timestamp
	switch {
	case r.opt.timestamp != nil:
		local, loc, _, good := r.opt.timestamp.Parse(string(text))
		x, ok = local, good
		if zoned && loc != nil {
			x = types.NewZoneCache(loc).FromLocal(local)
		} else if zoned {
			x = r.clock.zone.FromLocal(local)
		}
	case zoned:
		x, ok = types.ParseTimestamp(string(text), r.clock.zone, nil)
	default:
		x, ok = types.ParseTimestampNTZ(string(text))
	}
	if ok {
		vec.Append(b, x)
	}
	return ok
}

func fromJSON(a *Args) (*vec.Vector, error) {
	s, err := clockStateOf(a)
	if err != nil {
		return nil, err
	}
	opt, err := jsonOptionsOf(a, s, 2)
	if err != nil {
		return nil, err
	}
	b := vec.NewBuilder(a.Ret, a.N)
	r := &jsonReader{opt: opt, clock: s}
	for i := range a.N {
		if a.skipped(i) {
			b.AppendNull()
			continue
		}
		text := a.V[0].Bytes(i)
		v, ok := validJSON(text)
		blank := len(bytes.TrimSpace(text)) == 0
		r.bad = false
		switch {
		case blank:
			b.AppendNull()
		case ok && a.Ret.Kind == types.Array && v[0] == '{' && a.Ret.Elem.Kind == types.Struct:
			r.append(b.Child(0), a.Ret.Elem, v) // one object is an array of one
			b.EndList(1)
		case ok && (v[0] == '{') == (a.Ret.Kind != types.Array):
			r.append(b, a.Ret, v)
		case a.Ret.Kind == types.Struct:
			r.bad = true
			for k := range a.Ret.Fields {
				b.Child(k).AppendNull()
			}
			b.EndGroup()
		default:
			r.bad = true
			b.AppendNull()
		}
		if r.bad && opt.failFast {
			return nil, errs.New(errs.Execution, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", string(text), "failFastMode", "FAILFAST").At(a.pos())
		}
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return b.Finish(), nil
}

var jsonStamp, _ = types.CompilePattern("yyyy-MM-dd'T'HH:mm:ss.SSSXXX")
var jsonStampNTZ, _ = types.CompilePattern("yyyy-MM-dd'T'HH:mm:ss.SSS")

// writeJSON appends value i of v.
func writeJSON(dst []byte, v *vec.Vector, i int, s *clockState, o *jsonOptions) []byte {
	if v.IsNull(i) {
		return append(dst, "null"...)
	}
	switch t := v.Type; t.Kind {
	case types.Struct:
		dst = append(dst, '{')
		first := true
		for k, c := range v.Child {
			if c.IsNull(i) && !o.keepNulls {
				continue
			}
			if !first {
				dst = append(dst, ',')
			}
			first = false
			dst = append(appendJSONText(dst, []byte(t.Fields[k].Name)), ':')
			dst = writeJSON(dst, c, i, s, o)
		}
		return append(dst, '}')
	case types.Array, types.Map:
		r := vec.Refs(v)[i]
		ends := "[]"
		if t.Kind == types.Map {
			ends = "{}"
		}
		dst = append(dst, ends[0])
		for k := r.Start(); k < r.Start()+r.Len(); k++ {
			if k > r.Start() {
				dst = append(dst, ',')
			}
			if t.Kind == types.Map {
				dst = append(appendJSONText(dst, AppendText(nil, v.Child[0], k, s.loc)), ':')
			}
			dst = writeJSON(dst, v.Child[len(v.Child)-1], k, s, o)
		}
		return append(dst, ends[1])
	case types.Bool, types.Int8, types.Int16, types.Int32, types.Int64, types.Decimal:
		return AppendText(dst, v, i, s.loc)
	case types.Float32, types.Float64:
		text := AppendText(nil, v, i, s.loc)
		if c := text[len(text)-1]; c == 'N' || c == 'y' {
			return append(append(append(dst, '"'), text...), '"')
		}
		return append(dst, text...)
	case types.Timestamp, types.TimestampNTZ:
		p, us := jsonStampNTZ, vec.Of[int64](v)[i]
		local := us
		if t.Kind == types.Timestamp {
			p, local = jsonStamp, s.zone.ToLocal(us)
		}
		if o.timestamp != nil {
			p = o.timestamp
		}
		return appendJSONText(dst, p.Format(nil, local, (local-us)/types.MicrosPerSecond, s.loc))
	case types.Date:
		if o.date != nil {
			return appendJSONText(dst, o.date.Format(nil, int64(vec.Of[int32](v)[i])*types.MicrosPerDay, 0, s.loc))
		}
	case types.Variant:
		dst, _ = variantAt(v, i).json(dst, s.loc)
		return dst
	case types.Binary:
		return append(appendBase64(append(dst, '"'), v.Bytes(i)), '"')
	case types.String, types.Char, types.Varchar:
		return appendJSONText(dst, v.Bytes(i))
	}
	return appendJSONText(dst, AppendText(nil, v, i, s.loc))
}

func toJSON(a *Args) (*vec.Vector, error) {
	s, err := clockStateOf(a)
	if err != nil {
		return nil, err
	}
	o, err := jsonOptionsOf(a, s, 1)
	if err != nil {
		return nil, err
	}
	return textKernel(func(a *Args, i int, dst []byte) []byte { return writeJSON(dst, a.V[0], i, s, o) })(a)
}

// inferJSON is the type of a valid JSON value.
func inferJSON(v []byte) *types.Type {
	j := &jsonScan{s: v}
	switch v[0] {
	case '{':
		t := &types.Type{Kind: types.Struct}
		j.members(func(key []byte) bool {
			val, ok := j.skip()
			if ok && t.FieldIndex(string(key)) < 0 {
				t.Fields = append(t.Fields, types.Field{Name: string(key), Type: inferJSON(val), Nullable: true})
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
				if x := inferJSON(val); elem == nil {
					elem = x
				} else if w := types.Wider(elem, x, false, true); w != nil {
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
	case 't', 'f':
		return types.BoolType
	case '"', 'n':
		return types.StringType
	}
	if _, err := strconv.ParseInt(string(v), 10, 64); err == nil {
		return types.Int64Type
	}
	if !bytes.ContainsAny(v, ".eE") && len(v) <= types.MaxPrecision {
		return types.NewDecimal(len(bytes.TrimPrefix(v, []byte("-"))), 0)
	}
	return types.Float64Type
}

func schemaOfJSON(a *Args) (*vec.Vector, error) {
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		v, ok := validJSON(a.V[0].Bytes(i))
		if !ok {
			return nil, false, errs.New(errs.Execution, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", a.V[0].Str(i), "failFastMode", "FAILFAST").At(a.pos())
		}
		return append(dst, inferJSON(v).SQL()...), true, nil
	})(a)
}

// jsonTuple is the generator json_tuple: one row of the values of the fields named.
func jsonTuple(a *Args, _ bool) ([]*vec.Vector, []int32, error) {
	cols := make([]*vec.Builder, len(a.V)-1)
	for k := range cols {
		cols[k] = vec.NewBuilder(types.StringType, a.N)
	}
	row := make([]int32, a.N)
	for i := range row {
		row[i] = int32(i)
		at := make([][]byte, len(cols))
		if !a.V[0].IsNull(i) {
			j := &jsonScan{s: a.V[0].Bytes(i)}
			ok := j.peek() == '{' && j.members(func(key []byte) bool {
				val, ok := j.skip()
				for k := range cols {
					if !a.V[k+1].IsNull(i) && bytes.Equal(a.V[k+1].Bytes(i), key) {
						at[k] = val
					}
				}
				return ok
			})
			if !ok {
				clear(at)
			}
		}
		for k, b := range cols {
			if at[k] == nil {
				b.AppendNull()
			} else if t, ok := appendJSONValue(nil, at[k]); ok {
				b.AppendBytes(t)
			} else {
				b.AppendNull()
			}
		}
		if err := a.yields(i); err != nil {
			return nil, nil, err
		}
	}
	out := make([]*vec.Vector, len(cols))
	for k, b := range cols {
		out[k] = b.Finish()
	}
	return out, row, nil
}

// retFromJSON takes the schema from the second argument: the JSON form of a type, which the analyzer makes of any other.
func retFromJSON(c *plan.Call) (*types.Type, bool, error) {
	v, _ := constant(c.Args[1])
	s, ok := v.(string)
	if !ok {
		return nil, false, errs.New(errs.Analysis, "INVALID_SCHEMA.NON_STRING_LITERAL", "inputSchema", errs.Quote(c.Args[1].Type().SQL())).At(c.Pos())
	}
	t, err := types.ParseJSON(s)
	if err != nil {
		return nil, false, errs.New(errs.Analysis, "INVALID_SCHEMA.PARSE_ERROR", "inputSchema", errs.Quote(s), "reason", err.Error()).At(c.Pos())
	}
	if t.Kind != types.Struct && t.Kind != types.Array && t.Kind != types.Map {
		return nil, false, errs.New(errs.Analysis, "DATATYPE_MISMATCH.INVALID_JSON_SCHEMA", "schema", errs.Quote(t.SQL()), "sqlExpr", errs.Quote(c.Name)).At(c.Pos())
	}
	if t.Kind == types.Map && !t.Key.IsString() {
		return nil, false, errs.New(errs.Analysis, "INVALID_JSON_SCHEMA_MAP_TYPE", "jsonSchema", errs.Quote(t.SQL())).At(c.Pos())
	}
	return types.AsNullable(t), true, nil
}

func jsonFunctions() []Def {
	str := gives(types.StringType)
	def := func(name, since, usage, sql, want string, nulls NullRule, o ...Overload) Def {
		return Def{Name: name, Since: since, Group: "json_funcs", Usage: usage, Kind: plan.FnScalar, Nulls: nulls, Overloads: o, Examples: []Example{{sql, want}}}
	}
	nested := Accept{Name: `("STRUCT" or "ARRAY" or "MAP")`, Test: func(t *types.Type) bool { return t.IsNested() || t.Kind == types.Variant }}
	tuple := Def{Name: "json_tuple", Since: "1.6.0", Group: "json_funcs", Usage: "Gives the values of fields of a JSON object as columns.", Kind: plan.FnGenerator, Nulls: NullKernel,
		Gen: &GenDef{Columns: func(c *plan.Call) ([]types.Field, error) {
			out := make([]types.Field, len(c.Args)-1)
			for k := range out {
				out[k] = types.Field{Name: "c" + strconv.Itoa(k), Type: types.StringType, Nullable: true}
			}
			return out, nil
		}, Run: jsonTuple},
		Overloads: []Overload{{Params: params(stringP, stringP), Variadic: true, Ret: str}}, Examples: []Example{{`SELECT json_tuple('{"a":1, "b":2}', 'a', 'b')`, "1\t2"}}}
	pretty := func(d Def) Def {
		d.Pretty = func(args []string) string { return d.Name + "(" + args[0] + ")" }
		return d
	}
	return []Def{
		def("get_json_object", "1.5.0", "Gives what a path leads to in a JSON text.", `SELECT get_json_object('{"a":"b"}', '$.a')`, "b", NullMaybe, sig(str, getJSONObject, stringP, stringP)),
		def("json_array_length", "3.1.0", "Counts the elements of a JSON array.", `SELECT json_array_length('[1,2,3,{"f1":1,"f2":[5,6]},4]')`, "5", NullMaybe, sig(gives(types.Int32Type), jsonArrayLength, stringP)),
		def("json_object_keys", "3.1.0", "Gives the keys of a JSON object.", `SELECT json_object_keys('{"f1":"abc","f2":{"f3":"a", "f4":"b"}}')`, `["f1","f2"]`, NullMaybe, sig(gives(types.NewArray(types.StringType, true)), jsonObjectKeys, stringP)),
		pretty(def("from_json", "2.2.0", "Reads a JSON text as a struct, an array or a map.", `SELECT from_json('{"a":1, "b":0.8}', 'a INT, b DOUBLE')`, `{"a":1,"b":0.8}`, NullMaybe,
			Overload{Params: params(stringP, stringP), RetExpr: retFromJSON, Eval: fromJSON}, Overload{Params: params(stringP, stringP, mapP), RetExpr: retFromJSON, Eval: fromJSON})),
		pretty(def("to_json", "2.2.0", "Writes a struct, an array or a map as JSON.", `SELECT to_json(named_struct('a', 1, 'b', 2))`, `{"a":1,"b":2}`, NullMaybe, sig(str, toJSON, nested), sig(str, toJSON, nested, mapP))),
		def("schema_of_json", "2.4.0", "Gives the type that a JSON text has.", `SELECT schema_of_json('[{"col":0}]')`, "ARRAY<STRUCT<col: BIGINT>>", NullIn, sig(str, schemaOfJSON, stringP)),
		tuple,
	}
}
