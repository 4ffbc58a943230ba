package fn

import (
	"strconv"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

func makeArray(a *Args) (*vec.Vector, error) {
	b := vec.NewBuilder(a.Ret, a.N)
	for i := range a.N {
		for _, v := range a.V {
			if v.Layout == vec.None {
				b.Child(0).AppendNull()
			} else {
				b.Child(0).AppendVector(v.Slice(i, i+1))
			}
		}
		b.EndList(len(a.V))
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return b.Finish(), nil
}

// makeStruct is named_struct: names are arguments 0, 2, 4 ...
func makeStruct(a *Args) (*vec.Vector, error) {
	v := &vec.Vector{Type: a.Ret, Layout: vec.Group, N: a.N}
	for i := 1; i < len(a.V); i += 2 {
		v.Child = append(v.Child, retypeVec(a.V[i], a.Ret.Fields[i/2].Type))
	}
	return v, nil
}

func makeMap(a *Args) (*vec.Vector, error) {
	b := vec.NewBuilder(a.Ret, a.N)
	cmp := comparer(a.Ret.Key)
	if order := cmp; signedZeros(a) {
		cmp = func(x *vec.Vector, i int, y *vec.Vector, j int) int {
			if c := order(x, i, y, j); c != 0 || minusZero(x, i) == minusZero(y, j) {
				return c
			}
			return 1
		}
	}
	last := a.Env.Conf != nil && a.Env.Conf.Keys["spark.sql.mapKeyDedupPolicy"] == "LAST_WIN"
	for i := range a.N {
		n := 0
		for k := 0; k+1 < len(a.V); k += 2 {
			if a.V[k].IsNull(i) {
				return nil, errs.New(errs.Runtime, "NULL_MAP_KEY").At(a.pos())
			}
			value, again := k+1, false // the first of equal keys stays, with the last value
			for j := 0; j < k && !again; j += 2 {
				if again = cmp(a.V[k], i, a.V[j], i) == 0; again && !last {
					return nil, errs.New(errs.Runtime, "DUPLICATED_MAP_KEY", "key", string(AppendText(nil, a.V[k], i, nil)), "mapKeyDedupPolicy", `"spark.sql.mapKeyDedupPolicy"`).At(a.pos())
				}
			}
			if again {
				continue
			}
			for j := k + 2; last && j+1 < len(a.V); j += 2 {
				if !a.V[j].IsNull(i) && cmp(a.V[k], i, a.V[j], i) == 0 {
					value = j + 1
				}
			}
			b.Child(0).AppendVector(a.V[k].Slice(i, i+1))
			if a.V[value].Layout == vec.None {
				b.Child(1).AppendNull()
			} else {
				b.Child(1).AppendVector(a.V[value].Slice(i, i+1))
			}
			n++
		}
		b.EndList(n)
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	m := b.Finish()
	plainZeros(a, m.Child[0])
	return m, nil
}

// arrayItem is a[i] (from 0), get (from 0, null outside) and element_at (from 1, or -1 backwards).
func arrayItem(fromOne, lenient bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		idx := make([]int32, a.N)
		for i, r := range vec.Refs(a.V[0]) {
			idx[i] = -1
			if a.skipped(i) {
				continue
			}
			at := getInt(a.V[1], i)
			k, name := at, "INVALID_ARRAY_INDEX"
			if fromOne {
				name = "INVALID_ARRAY_INDEX_IN_ELEMENT_AT"
				switch {
				case at == 0:
					return nil, errs.New(errs.Runtime, "INVALID_INDEX_OF_ZERO").At(a.pos())
				case at < 0:
					k = int64(r.Len()) + at
				default:
					k = at - 1
				}
			}
			if k < 0 || k >= int64(r.Len()) {
				if !lenient && a.Mode == plan.ANSI {
					return nil, errs.New(errs.ArrayIndex, name, "indexValue", strconv.FormatInt(at, 10), "arraySize", strconv.Itoa(r.Len())).At(a.pos())
				}
				continue
			}
			idx[i] = int32(r.Start()) + int32(k)
		}
		return a.V[0].Child[0].GatherNulls(idx), nil
	}
}

func mapValue(a *Args) (*vec.Vector, error) {
	idx := make([]int32, a.N)
	m := a.V[0]
	cmp := comparer(m.Child[0].Type)
	for i, r := range vec.Refs(m) {
		idx[i] = -1
		if a.skipped(i) {
			continue
		}
		for k := r.Start(); k < r.Start()+r.Len(); k++ {
			if cmp(m.Child[0], k, a.V[1], i) == 0 {
				idx[i] = int32(k)
				break
			}
		}
	}
	return m.Child[1].GatherNulls(idx), nil
}

func structFields(a *Args) (*vec.Vector, error) {
	if a.N == 0 {
		return vec.Make(a.Ret, 0), nil
	}
	v := *a.V[0]
	s := v.Child[0]
	f := *s.Child[a.i32(1, 0)]
	if s.Null != nil && f.Layout != vec.None {
		f.Null = anyNull([]*vec.Vector{s, &f}, f.N)
	}
	v.Type, v.Child = a.Ret, []*vec.Vector{&f}
	return &v, nil
}

func arrayContains(a *Args) (*vec.Vector, error) {
	out := make([]bool, a.N)
	v := vec.FromSlice(types.BoolType, out, nil)
	elem := a.V[0].Child[0]
	cmp := comparer(elem.Type)
	for i, r := range vec.Refs(a.V[0]) {
		if a.skipped(i) {
			continue
		}
		null := false
		for k := r.Start(); k < r.Start()+r.Len(); k++ {
			if elem.IsNull(k) {
				null = true
			} else if cmp(elem, k, a.V[1], i) == 0 {
				out[i] = true
				break
			}
		}
		if null && !out[i] {
			setNull(v, i)
		}
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func retArray(c *plan.Call) (*types.Type, bool, error) {
	elem, null := types.StringType, false
	if len(c.Args) == 0 {
		elem = types.NullType
	}
	for i, e := range c.Args {
		if i == 0 {
			elem = e.Type()
		}
		null = null || e.Nullable()
	}
	return types.NewArray(elem, null), false, nil
}

func retStruct(c *plan.Call) (*types.Type, bool, error) {
	t := &types.Type{Kind: types.Struct}
	for i := 0; i+1 < len(c.Args); i += 2 {
		name := ""
		if l, ok := c.Args[i].(*plan.Literal); ok {
			name, _ = l.Value.(string)
		}
		t.Fields = append(t.Fields, types.Field{Name: name, Type: c.Args[i+1].Type(), Nullable: c.Args[i+1].Nullable()})
	}
	return t, false, nil
}

func retMap(c *plan.Call) (*types.Type, bool, error) {
	if len(c.Args) < 2 {
		return types.NewMap(types.NullType, types.NullType, false), false, nil
	}
	null := false
	for i := 1; i < len(c.Args); i += 2 {
		null = null || c.Args[i].Nullable()
	}
	return types.NewMap(c.Args[0].Type(), c.Args[1].Type(), null), false, nil
}

func retElem(args []*types.Type) (*types.Type, error) { return args[0].Elem, nil }

// valuesCore makes and takes apart arrays, maps and structs.
func valuesCore() []Def {
	def := func(name, since, usage string, nulls NullRule, o Overload, ex ...Example) Def {
		d := Def{Name: name, Since: since, Group: "collection_funcs", Usage: usage, Kind: plan.FnScalar, Nulls: nulls, Overloads: []Overload{o}, Examples: ex}
		if len(ex) == 0 {
			d.Group = "internal"
		}
		return d
	}
	structs := Accept{Name: "ARRAY<STRUCT>", Test: func(t *types.Type) bool { return t.Kind == types.Array && t.Elem.Kind == types.Struct }}
	item := def("get_array_item", "1.0.0", "Gives an element of an array, from 0.", NullMaybe, Overload{Params: params(typedListP, integralP), RetExpr: retItem(0, false), Eval: arrayItem(false, false)})
	item.Ansi = true
	at := def("element_at", "2.4.0", "Gives an element of an array (from 1, or from -1 backwards), or the value of a key of a map.", NullMaybe, Overload{Params: params(typedListP, itemP), RetExpr: retItem(1, false), Eval: arrayItem(true, false)}, Example{"SELECT element_at(array(1, 2, 3), 2)", "2"})
	at.Ansi = true
	at.Overloads = append(at.Overloads, sig(retElem, mapValue, mapP, anyP))
	tryAt := def("try_element_at", "3.3.0", "Is element_at, with NULL for an index that isn't there.", NullMaybe, Overload{Params: params(typedListP, itemP), RetExpr: retItem(1, true), Eval: arrayItem(true, true)}, Example{"SELECT try_element_at(array(1, 2, 3), 4)", "NULL"})
	tryAt.Overloads = append(tryAt.Overloads, sig(retElem, mapValue, mapP, anyP))
	at.Rewrite, tryAt.Rewrite = unifyKey(lossless), unifyKey(lossless)
	size := func(a *Args) (*vec.Vector, error) {
		out := make([]int32, a.N)
		for i, r := range vec.Refs(a.V[0]) {
			out[i] = int32(r.Len())
		}
		return vec.FromSlice(a.Ret, out, nil), nil
	}
	sizeDef := def("size", "1.5.0", "Counts the elements of an array or a map.", NullIn, sig(gives(types.Int32Type), size, Accept{Name: `("ARRAY" or "MAP")`, Untyped: types.NewArray(types.NullType, true), Test: func(t *types.Type) bool { return t.Kind == types.Array || t.Kind == types.Map }}), Example{"SELECT size(array('b', 'd', 'c', 'a'))", "4"})
	sizeDef.Aliases = []string{"cardinality"}
	contains := def("array_contains", "1.5.0", "Is true when the array has the value.", NullMaybe, Overload{Params: params(arrayP, anyP), RetExpr: func(c *plan.Call) (*types.Type, bool, error) {
		return types.BoolType, c.Args[0].Nullable() || c.Args[1].Nullable() || c.Args[0].Type().ElemNulls, nil
	}, Eval: arrayContains}, Example{"SELECT array_contains(array(1, 2, 3), 2)", "true"})
	contains.Rewrite = unifyElem(1, wider)
	return []Def{
		def("array", "1.1.0", "Makes an array of its arguments.", NullNever, Overload{Params: params(anyP), Variadic: true, VarMin0: true, Same: []int{}, RetExpr: retArray, Eval: makeArray}, Example{"SELECT array(1, 2, 3)", "[1,2,3]"}),
		def("named_struct", "1.5.0", "Makes a struct of names and values.", NullNever, Overload{Params: params(anyP), Variadic: true, VarMin0: true, RetExpr: retStruct, Eval: makeStruct}, Example{`SELECT named_struct("a", 1, "b", 2, "c", 3)`, `{"a":1,"b":2,"c":3}`}),
		def("map", "2.0.0", "Makes a map of keys and values.", NullNever, Overload{Params: params(anyP), Variadic: true, VarMin0: true, RetExpr: retMap, Eval: makeMap}, Example{"SELECT map(1.0, '2', 3.0, '4')", `{1.0:"2",3.0:"4"}`}),
		item,
		def("get", "3.4.0", "Gives an element of an array, from 0, or NULL.", NullMaybe, Overload{Params: params(typedListP, int32P), RetExpr: retItem(0, true), Eval: arrayItem(false, true)}, Example{"SELECT get(array(1, 2, 3), 0)", "1"}),
		def("get_map_value", "1.0.0", "Gives the value of a key.", NullMaybe, sig(retElem, mapValue, mapP, anyP)),
		def("get_array_struct_fields", "1.0.0", "Gives a field of each struct of an array.", NullIn, sig(func(args []*types.Type) (*types.Type, error) { return args[0], nil }, structFields, structs, int32P)),
		at, tryAt, sizeDef,
		contains,
	}
}
