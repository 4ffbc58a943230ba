package fn

import (
	"bytes"
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
	return v, ok && bytes.IndexByte(v, noNumber) < 0
}

// quotedJSON is the value that a text is; strings may stand in single quotes, which JSON functions other than from_json take too.
func quotedJSON(s []byte) ([]byte, bool) { return laxJSON(singleQuotes, s, false) }

var singleQuotes = &formatOptions{raw: map[string]string{"allownonnumericnumbers": "false"}}

// appendJSONValue writes a value as a text: strings without quotes. ok is false for null.
func appendJSONValue(dst, v []byte) (out []byte, ok bool) {
	switch v[0] {
	case 'n':
		return dst, false
	case '"':
		j := &jsonScan{s: v}
		t, _ := j.text([]byte{})
		return append(dst, t...), !j.lone // Jackson's generator refuses half a surrogate pair
	}
	return CopyJSON(dst, v), true
}

func getJSONObject(a *Args) (*vec.Vector, error) {
	type entry struct {
		steps []jsonStep
		ok    bool
	}
	cache := map[string]entry{}
	var found []byte
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
		v, ok := quotedJSON(a.V[0].Bytes(i))
		if !e.ok || !ok {
			return nil, false, nil
		}
		found, ok = findJSON(found[:0], v, e.steps, rawStyle)
		return append(dst, found...), ok, nil
	})(a)
}

func jsonArrayLength(a *Args) (*vec.Vector, error) {
	out := make([]int32, a.N)
	v := vec.FromSlice(a.Ret, out, nil)
	for i := range out {
		if a.skipped(i) {
			continue
		}
		text, _ := quotedJSON(a.V[0].Bytes(i))
		j := &jsonScan{s: text}
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
		text, _ := quotedJSON(a.V[0].Bytes(i))
		j := &jsonScan{s: text}
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
			text, _ := quotedJSON(a.V[0].Bytes(i))
			j := &jsonScan{s: text}
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
	if t.Kind != types.Struct && t.Kind != types.Array && t.Kind != types.Map && t.Kind != types.Variant {
		return nil, false, errs.New(errs.Analysis, "DATATYPE_MISMATCH.INVALID_JSON_SCHEMA", "schema", errs.Quote(t.SQL()), "sqlExpr", errs.Quote(c.Name)).At(c.Pos())
	}
	if t.Kind == types.Map && !t.Key.IsString() {
		c.T = t // it is called by what it gives
		return nil, false, errs.New(errs.Analysis, "DATATYPE_MISMATCH.INVALID_JSON_MAP_KEY_TYPE", "schema", errs.Quote(t.SQL()), "sqlExpr", errs.Quote(c.Name)).At(c.Pos())
	}
	return types.AsNullable(t), true, checkMode(c, 2)
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
		def("get_json_object", "1.5.0", "Gives what a path leads to in a JSON text.", `SELECT get_json_object('{"a":"b"}', '$.a')`, "b", NullMaybe, sig(str, getJSONObject, onlyTextP, onlyTextP)),
		def("json_array_length", "3.1.0", "Counts the elements of a JSON array.", `SELECT json_array_length('[1,2,3,{"f1":1,"f2":[5,6]},4]')`, "5", NullMaybe, sig(gives(types.Int32Type), jsonArrayLength, exactTextP)),
		def("json_object_keys", "3.1.0", "Gives the keys of a JSON object.", `SELECT json_object_keys('{"f1":"abc","f2":{"f3":"a", "f4":"b"}}')`, `["f1","f2"]`, NullMaybe, sig(gives(types.NewArray(types.StringType, true)), jsonObjectKeys, exactTextP)),
		pretty(def("from_json", "2.2.0", "Reads a JSON text as a struct, an array or a map.", `SELECT from_json('{"a":1, "b":0.8}', 'a INT, b DOUBLE')`, `{"a":1,"b":0.8}`, NullMaybe,
			Overload{Params: params(onlyTextP, stringP), RetExpr: retFromJSON, Eval: fromJSON}, Overload{Params: params(onlyTextP, stringP, mapP), RetExpr: retFromJSON, Eval: fromJSON})),
		pretty(def("to_json", "2.2.0", "Writes a struct, an array or a map as JSON.", `SELECT to_json(named_struct('a', 1, 'b', 2))`, `{"a":1,"b":2}`, NullMaybe, sig(str, toJSON, nested), sig(str, toJSON, nested, mapP))),
		pretty(def("schema_of_json", "2.4.0", "Gives the type that a JSON text has.", `SELECT schema_of_json('[{"col":0}]')`, "ARRAY<STRUCT<col: BIGINT>>", NullIn, sig(str, schemaOfJSON, exactTextP), sig(str, schemaOfJSON, exactTextP, mapP))),
		tuple,
	}
}
