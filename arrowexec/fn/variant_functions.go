package fn

import (
	"strconv"
	"strings"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

var variantP = Accept{Types: []*types.Type{types.VariantType}}

func isVariant(t *types.Type) bool { return t.Kind == types.Variant }

// variantSizeLimit is the error of a value that is larger than variantMost.
func variantSizeLimit(a *Args) error {
	return errs.New(errs.Runtime, "VARIANT_SIZE_LIMIT", "functionName", errs.ID(a.Call.Name), "sizeLimit", "128.0 MiB").At(a.pos())
}

// parseVariant is parse_json, and with try set try_parse_json.
func parseVariant(try bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		b := vec.NewBuilder(a.Ret, a.N)
		var w variantWriter
		for i := range a.N {
			if a.skipped(i) {
				b.AppendNull()
				continue
			}
			w.reset()
			j := &jsonScan{s: a.V[0].Bytes(i)}
			// What stands behind the value isn't read, but a number has to end somewhere.
			ok := w.json(j, 0) && (j.i >= len(j.s) || j.s[j.i-1] < '0' || j.s[j.i-1] > '9' || j.s[j.i] <= ' ')
			switch {
			case ok && len(w.val) <= variantMost:
				w.end(b)
			case try:
				b.AppendNull()
			case ok:
				return nil, variantSizeLimit(a)
			default:
				return nil, errs.New(errs.Execution, "MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION", "badRecord", a.V[0].Str(i), "failFastMode", "FAILFAST").At(a.pos())
			}
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return b.Finish(), nil
	}
}

// variantTest makes a kernel of a question; null is false when the function's rule lets it through.
func variantTest(f func(v variant) bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := make([]bool, a.N)
		for i := range out {
			if a.skipped(i) || a.V[0].IsNull(i) {
				continue
			}
			out[i] = f(variantAt(a.V[0], i))
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return vec.FromSlice(types.BoolType, out, nil), nil
	}
}

// parseVariantPath reads $.a["b"]['c'][0]; ok is false for what is no path.
func parseVariantPath(p string) (steps []jsonStep, ok bool) {
	if !strings.HasPrefix(p, "$") {
		return nil, false
	}
	for p = p[1:]; p != ""; {
		switch {
		case p[0] == '.':
			n := 1
			for n < len(p) && p[n] != '.' && p[n] != '[' {
				n++
			}
			if n == 1 {
				return nil, false
			}
			steps = append(steps, jsonStep{name: p[1:n], index: -1})
			p = p[n:]
		case len(p) > 2 && p[0] == '[' && (p[1] == '\'' || p[1] == '"'):
			end := strings.Index(p[2:], p[1:2]+"]")
			if end < 0 {
				return nil, false
			}
			steps = append(steps, jsonStep{name: p[2 : 2+end], index: -1})
			p = p[4+end:]
		case p[0] == '[':
			end := strings.IndexByte(p, ']')
			if end < 2 {
				return nil, false
			}
			n, err := strconv.ParseInt(p[1:end], 10, 32)
			if err != nil || n < 0 {
				return nil, false
			}
			steps = append(steps, jsonStep{index: int(n)})
			p = p[end+1:]
		default:
			return nil, false
		}
	}
	return steps, true
}

// variantGetType is the type of a variant_get call: its third argument, as JSON.
func variantGetType(c *plan.Call) (*types.Type, bool, error) {
	if len(c.Args) < 3 {
		return types.VariantType, true, nil
	}
	v, _ := constant(c.Args[2])
	s, ok := v.(string)
	if !ok {
		return nil, false, foldable(c, "type", types.StringType, c.Args[2])
	}
	t, err := types.ParseJSON(s)
	if err != nil {
		return nil, false, errs.New(errs.Parse, "UNSUPPORTED_DATATYPE", "typeName", errs.Quote(strings.ToUpper(s))).At(c.Pos())
	}
	return types.AsNullable(t), true, nil
}

type variantGetState struct {
	paths map[string][]jsonStep
	cast  *Caster
}

func variantGet(try bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		s, err := state(a, func() (*variantGetState, error) {
			mode := plan.ANSI
			if try {
				mode = plan.Try
			}
			c, err := NewCaster(types.VariantType, a.Ret, mode, a.Env, a.pos())
			if err == nil && isVariant(a.Ret) {
				c.run = fromVariant
			}
			return &variantGetState{paths: map[string][]jsonStep{}, cast: c}, err
		})
		if err != nil {
			return nil, err
		}
		list := make([]variant, a.N)
		for i := range list {
			if a.skipped(i) {
				continue
			}
			text := a.V[1].Str(i)
			steps, known := s.paths[text]
			if !known {
				var ok bool
				if steps, ok = parseVariantPath(text); !ok {
					return nil, errs.New(errs.Runtime, "INVALID_VARIANT_GET_PATH", "path", text, "functionName", errs.ID(a.Call.Name)).At(a.pos())
				}
				if len(s.paths) >= cacheMost {
					clear(s.paths)
				}
				s.paths[strings.Clone(text)] = steps
			}
			if v, ok := variantAt(a.V[0], i).follow(steps); ok {
				list[i] = v
			}
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return s.cast.variants(list, a.Ret)
	}
}

func schemaOfVariant(a *Args) (*vec.Vector, error) {
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		t := variantAt(a.V[0], i).schema()
		if t == nil {
			return nil, false, malformedVariant(a.pos())
		}
		return appendVariantType(dst, t), true, nil
	})(a)
}

// noVariant refuses what to_variant_object doesn't take: what isn't nested, intervals, and maps whose keys are no strings.
func noVariant(t *types.Type) bool {
	switch t.Kind {
	case types.Array:
		return noVariant(t.Elem)
	case types.Map:
		return !t.Key.IsString() || noVariant(t.Elem)
	case types.Struct:
		for _, f := range t.Fields {
			if noVariant(f.Type) {
				return true
			}
		}
		return false
	case types.Null, types.CalendarInterval, types.Object, types.Time:
		return true
	}
	return t.IsAnsiInterval()
}

func toVariantObjectType(c *plan.Call) (*types.Type, bool, error) {
	t := c.Args[0].Type()
	if t.Kind != types.Null && (!t.IsNested() || noVariant(t)) {
		return nil, false, errs.New(errs.Analysis, "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "srcType", errs.Quote(t.SQL()), "targetType", errs.Quote("VARIANT"), "sqlExpr", errs.Quote(c.Name)).At(c.Pos())
	}
	return types.VariantType, c.Args[0].Nullable(), nil
}

func toVariantObject(a *Args) (*vec.Vector, error) {
	if a.V[0].Layout == vec.None {
		return vec.MakeNull(a.Ret, a.N), nil
	}
	return variantsOf(a.Ret, a.V[0], a.pos(), a.yields)
}

// explodeVariant makes rows of the elements of an array or the members of an object.
func explodeVariant(always bool) *GenDef {
	return &GenDef{
		Columns: func(*plan.Call) ([]types.Field, error) {
			return []types.Field{{Name: "pos", Type: types.Int32Type, Nullable: always}, {Name: "key", Type: types.StringType, Nullable: true}, {Name: "value", Type: types.VariantType, Nullable: always}}, nil
		},
		Run: func(a *Args, outer bool) ([]*vec.Vector, []int32, error) {
			pos, key, val := vec.NewBuilder(types.Int32Type, a.N), vec.NewBuilder(types.StringType, a.N), vec.NewBuilder(types.VariantType, a.N)
			var row []int32
			var w variantWriter
			for i := range a.N {
				n := 0
				if !a.V[0].IsNull(i) {
					v := variantAt(a.V[0], i)
					if k, id := v.kind(); k == variantObject || k == variantArray {
						c, ok := v.container(k, id)
						if !ok {
							return nil, nil, malformedVariant(a.pos())
						}
						for n = 0; n < c.n; n++ {
							w.reset()
							if !w.copy(c.at(n)) {
								return nil, nil, malformedVariant(a.pos())
							}
							w.end(val)
							vec.Append(pos, int32(n))
							if c.object {
								key.AppendBytes(c.key(n))
							} else {
								key.AppendNull()
							}
							row = append(row, int32(i))
						}
					}
				}
				if n == 0 && (always || outer) {
					pos.AppendNull()
					key.AppendNull()
					val.AppendNull()
					row = append(row, int32(i))
				}
				if err := a.yields(i); err != nil {
					return nil, nil, err
				}
			}
			return []*vec.Vector{pos.Finish(), key.Finish(), val.Finish()}, row, nil
		},
	}
}

// variantSchemas is the accumulator of schema_of_variant_agg; nil is the schema of no value.
type variantSchemas struct {
	t   []*types.Type
	pos *errs.Origin
}

func (a *variantSchemas) Grow(n int) { a.t = aggGrow(a.t, n) }

func (a *variantSchemas) add(g int32, t *types.Type) {
	if a.t[g] == nil {
		a.t[g] = t
	} else {
		a.t[g] = mergeVariantTypes(a.t[g], t)
	}
}

func (a *variantSchemas) Update(group []int32, args []*vec.Vector, n int) error {
	for i := range n {
		if args[0].IsNull(i) {
			continue
		}
		t := variantAt(args[0], i).schema()
		if t == nil {
			return malformedVariant(a.pos)
		}
		a.add(group[i], t)
	}
	return nil
}

func (a *variantSchemas) Merge(group []int32, state []*vec.Vector, n int) error {
	for i := range n {
		if state[0].IsNull(i) {
			continue
		}
		t, err := types.ParseJSON(state[0].Str(i))
		if err != nil {
			return errs.Internalf("the state of schema_of_variant_agg: %v", err)
		}
		a.add(group[i], t)
	}
	return nil
}

func (a *variantSchemas) State(from, to int) ([]*vec.Vector, error) {
	b := vec.NewBuilder(types.StringType, to-from)
	for _, t := range a.t[from:to] {
		if t == nil {
			b.AppendNull()
		} else {
			b.AppendString(t.JSON())
		}
	}
	return []*vec.Vector{b.Finish()}, nil
}

func (a *variantSchemas) Result(from, to int) (*vec.Vector, error) {
	b := vec.NewBuilder(types.StringType, to-from)
	for _, t := range a.t[from:to] {
		if t == nil {
			t = types.NullType
		}
		b.AppendBytes(appendVariantType(nil, t))
	}
	return b.Finish(), nil
}

func (a *variantSchemas) Size() int64 { return int64(cap(a.t)) * 64 }
func (a *variantSchemas) Reset()      { a.t = a.t[:0] }

func variantFunctions() []Def {
	vt, str, boolean := gives(types.VariantType), gives(types.StringType), gives(types.BoolType)
	def := func(name, usage, sql, want string, nulls NullRule, o ...Overload) Def {
		return Def{Name: name, Since: "4.0.0", Group: "variant_funcs", Usage: usage, Kind: plan.FnScalar, Nulls: nulls, Overloads: o, Examples: []Example{{sql, want}}}
	}
	get := func(name, usage, sql, want string, k Kernel) Def {
		d := def(name, usage, sql, want, NullMaybe,
			Overload{Params: params(variantP, stringP), RetExpr: variantGetType, Eval: k}, Overload{Params: params(variantP, stringP, stringP), RetExpr: variantGetType, Eval: k})
		d.Pretty = func(args []string) string { return name + "(" + strings.Join(args[:min(2, len(args))], ", ") + ")" }
		return d
	}
	gen := func(name, usage string, always bool) Def {
		g := explodeVariant(always)
		g.Table = true
		return Def{Name: name, Since: "4.0.0", Group: "variant_funcs", Usage: usage, Kind: plan.FnGenerator, Nulls: NullKernel, Gen: g,
			Overloads: []Overload{{Params: params(variantP), Ret: retSame}},
			Examples:  []Example{{"SELECT * FROM " + name + `(parse_json('["hello", "world"]'))`, "0\tNULL\t\"hello\"\n1\tNULL\t\"world\""}}}
	}
	return []Def{
		def("parse_json", "Reads a JSON text as a VARIANT.", `SELECT parse_json('{"a":1,"b":0.8}')`, `{"a":1,"b":0.8}`, NullIn, sig(vt, parseVariant(false), onlyTextP)),
		def("try_parse_json", "Reads a JSON text as a VARIANT, and gives null for what isn't JSON.", `SELECT try_parse_json('{"a":1,}')`, "NULL", NullMaybe, sig(vt, parseVariant(true), onlyTextP)),
		def("is_variant_null", "Tells whether a VARIANT holds the null of JSON, which isn't NULL.", `SELECT is_variant_null(parse_json('null'))`, "true", NullNever,
			sig(boolean, variantTest(func(v variant) bool { k, _ := v.kind(); return k == variantNull }), variantP)),
		def("is_valid_variant", "Tells whether the bytes of a VARIANT are well-formed.", `SELECT is_valid_variant(parse_json('1'))`, "true", NullIn,
			sig(boolean, variantTest(func(v variant) bool { return new(variantWriter).copy(v) }), variantP)),
		get("variant_get", "Gives what a path leads to in a VARIANT, cast to a type.", `SELECT variant_get(parse_json('{"a": 1}'), '$.a', 'int')`, "1", variantGet(false)),
		get("try_variant_get", "Gives what a path leads to in a VARIANT, cast to a type, or null if the cast fails.", `SELECT try_variant_get(parse_json('[1, "2", "hello"]'), '$[2]', 'int')`, "NULL", variantGet(true)),
		def("schema_of_variant", "Gives the type of what a VARIANT holds.", `SELECT schema_of_variant(parse_json('[{"b":true,"a":0}]'))`, "ARRAY<OBJECT<a: BIGINT, b: BOOLEAN>>", NullIn, sig(str, schemaOfVariant, variantP)),
		def("to_variant_object", "Makes a VARIANT of a struct, an array or a map; structs and maps become objects.", `SELECT to_variant_object(named_struct('a', 1, 'b', 2))`, `{"a":1,"b":2}`, NullKernel,
			Overload{Params: params(anyP), RetExpr: toVariantObjectType, Eval: toVariantObject}),
		gen("variant_explode", "Makes a row of each element of an array, or of each member of an object, in a VARIANT.", false),
		gen("variant_explode_outer", "Is variant_explode with a row of nulls for a value without elements.", true),
		{Name: "schema_of_variant_agg", Since: "4.0.0", Group: "agg_funcs", Usage: "Gives the type that holds all values of VARIANTs.", Kind: plan.FnAggregate, Nulls: NullNever,
			Overloads: []Overload{{Params: params(variantP), Ret: str}},
			Agg: &AggDef{
				State: func([]*types.Type, *types.Type) []*types.Type { return []*types.Type{types.StringType} },
				New:   func(a AggArgs) (Accumulator, error) { return &variantSchemas{pos: a.Call.Pos()}, nil },
				Empty: "VOID",
			},
			Examples: []Example{{`SELECT schema_of_variant_agg(parse_json(j)) FROM VALUES ('1'), ('2'), ('3') AS tab(j)`, "BIGINT"}}},
	}
}
