package fn

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// rowRandom is a random source Spark's for uuid and shuffle, seeded as xorShiftOf is.
func rowRandom(a *Args, k int) (*twister, error) {
	return state(a, func() (*twister, error) {
		seed := a.Call.Seed
		if k < len(a.V) && a.N > 0 && !a.V[k].IsNull(0) {
			seed = getInt(a.V[k], 0)
		}
		return newTwister(seed + a.Env.seedShift()), nil
	})
}

// uniqueKeys checks that the maps of m have no null and no repeated keys; of
// repeated ones it keeps the last value where the session says so.
func uniqueKeys(a *Args, m *vec.Vector) (*vec.Vector, error) {
	keys, signed := m.Child[0], signedZeros(a)
	s, err := newElemSet(keys, a.yields)
	if err != nil {
		return nil, err
	}
	last := a.Env.Conf != nil && a.Env.Conf.Keys["spark.sql.mapKeyDedupPolicy"] == "LAST_WIN"
	repeated := false
	for i, r := range vec.Refs(m)[:a.N] {
		if a.skipped(i) || m.IsNull(i) {
			continue
		}
		s.reset()
		for k := r.Start(); k < r.Start()+r.Len(); k++ {
			if keys.IsNull(k) {
				return nil, errs.New(errs.Runtime, "NULL_MAP_KEY").At(a.pos())
			}
			if !s.add(k) && !(signed && firstZero(keys, r.Start(), k)) {
				if !last {
					return nil, errs.New(errs.Runtime, "DUPLICATED_MAP_KEY", "key", string(AppendText(nil, keys, k, nil)), "mapKeyDedupPolicy", `"spark.sql.mapKeyDedupPolicy"`).At(a.pos())
				}
				repeated = true
			}
		}
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	if !repeated {
		return m, nil
	}
	var ki, vi []int32
	order := comparer(keys.Type)
	refs := make([]vec.Ref, a.N)
	for i, r := range vec.Refs(m)[:a.N] {
		from := len(ki)
	entries:
		for k := r.Start(); k < r.Start()+r.Len(); k++ {
			for j := from; j < len(ki); j++ {
				if order(keys, int(ki[j]), keys, k) == 0 && !(signed && minusZero(keys, int(ki[j])) != minusZero(keys, k)) {
					vi[j] = int32(k)
					continue entries
				}
			}
			ki, vi = append(ki, int32(k)), append(vi, int32(k))
		}
		refs[i] = vec.MakeRef(from, len(ki)-from)
	}
	v := vec.FromSlice(m.Type, refs, m.Null)
	v.Child = []*vec.Vector{keys.Gather(ki), m.Child[1].Gather(vi)}
	return v, nil
}

// signedZeros reports whether 0.0 and -0.0 are keys of their own (spark.sql.legacy.disableMapKeyNormalization).
func signedZeros(a *Args) bool {
	return a.Ret.Key != nil && (a.Ret.Key.Kind == types.Float64 || a.Ret.Key.Kind == types.Float32) &&
		a.Env.Conf != nil && strings.EqualFold(a.Env.Conf.Keys["spark.sql.legacy.disableMapKeyNormalization"], "true")
}

func minusZero(keys *vec.Vector, i int) bool {
	x := getFloat(keys, i)
	return x == 0 && math.Signbit(x)
}

// firstZero reports whether key k is a zero, the first of its sign from key start on.
func firstZero(keys *vec.Vector, start, k int) bool {
	if getFloat(keys, k) != 0 {
		return false
	}
	for j := start; j < k; j++ {
		if !keys.IsNull(j) && getFloat(keys, j) == 0 && minusZero(keys, j) == minusZero(keys, k) {
			return false
		}
	}
	return true
}

// plainZeros makes 0.0 of keys that are -0.0, in place: the kernel's own vector.
func plainZeros(a *Args, keys *vec.Vector) *vec.Vector {
	if signedZeros(a) {
		return keys
	}
	switch keys.Type.Kind {
	case types.Float64:
		for i, x := range vec.Of[float64](keys) {
			if x == 0 {
				vec.Of[float64](keys)[i] = 0
			}
		}
	case types.Float32:
		for i, x := range vec.Of[float32](keys) {
			if x == 0 {
				vec.Of[float32](keys)[i] = 0
			}
		}
	}
	return keys
}

// mapSide is map_keys (0) and map_values (1): the lists stay, one child goes.
func mapSide(side int) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		v := *a.V[0]
		v.Type, v.Child = a.Ret, a.V[0].Child[side:side+1:side+1]
		return &v, nil
	}
}

func mapEntries(a *Args) (*vec.Vector, error) {
	v := *a.V[0]
	v.Type = a.Ret
	v.Child = []*vec.Vector{{Type: a.Ret.Elem, Layout: vec.Group, N: a.V[0].Child[0].N, Child: a.V[0].Child}}
	return &v, nil
}

func mapFromArrays(a *Args) (*vec.Vector, error) {
	var ki, vi, row []int32
	for i := range a.N {
		if a.skipped(i) {
			continue
		}
		p, q := vec.Refs(a.V[0])[i], vec.Refs(a.V[1])[i]
		if p.Len() != q.Len() {
			return nil, errs.New(errs.Runtime, "_LEGACY_ERROR_TEMP_2128").At(a.pos())
		}
		for k := range p.Len() {
			ki, vi, row = append(ki, int32(p.Start()+k)), append(vi, int32(q.Start()+k)), append(row, int32(i))
		}
	}
	return uniqueKeys(a, listsOf(a.Ret, a.N, row, a.V[0].Child[0].Gather(ki), a.V[1].Child[0].Gather(vi)))
}

func mapFromEntries(a *Args) (*vec.Vector, error) {
	s := a.V[0].Child[0]
	refs := make([]vec.Ref, a.N)
	var idx []int32
	null := make([]bool, a.N)
	for i, r := range vec.Refs(a.V[0])[:a.N] {
		from := len(idx)
		for k := r.Start(); k < r.Start()+r.Len() && !a.skipped(i); k++ {
			if s.IsNull(k) {
				null[i] = true
			}
			idx = append(idx, int32(k))
		}
		if null[i] {
			idx = idx[:from]
		}
		refs[i] = vec.MakeRef(from, len(idx)-from)
	}
	v := vec.FromSlice(a.Ret, refs, null)
	v.Child = []*vec.Vector{plainZeros(a, s.Child[0].Gather(idx)), s.Child[1].Gather(idx)}
	return uniqueKeys(a, v)
}

func mapConcat(a *Args) (*vec.Vector, error) {
	if len(a.V) == 0 {
		v := vec.FromSlice(a.Ret, make([]vec.Ref, a.N), nil)
		v.Child = []*vec.Vector{vec.Make(a.Ret.Key, 0), vec.Make(a.Ret.Elem, 0)}
		return v, nil
	}
	ks, vs := make([]*vec.Vector, len(a.V)), make([]*vec.Vector, len(a.V))
	base := make([]int, len(a.V)+1)
	for k, m := range a.V {
		ks[k], vs[k] = m.Child[0], m.Child[1]
		base[k+1] = base[k] + m.Child[0].N
	}
	var idx, row []int32
	for i := range a.N {
		if a.skipped(i) {
			continue
		}
		for c, m := range a.V {
			r := vec.Refs(m)[i]
			for k := r.Start(); k < r.Start()+r.Len(); k++ {
				idx, row = append(idx, int32(base[c]+k)), append(row, int32(i))
			}
		}
	}
	return uniqueKeys(a, listsOf(a.Ret, a.N, row, plainZeros(a, joined(a.Ret.Key, ks...).Gather(idx)), joined(a.Ret.Elem, vs...).Gather(idx)))
}

func mapContainsKey(a *Args) (*vec.Vector, error) {
	keys := a.V[0].Child[0]
	f := comparer(keys.Type)
	out := make([]bool, a.N)
	for i, r := range vec.Refs(a.V[0])[:a.N] {
		for k := r.Start(); k < r.Start()+r.Len() && !a.skipped(i) && !out[i]; k++ {
			out[i] = f(keys, k, a.V[1], i) == 0
		}
	}
	return vec.FromSlice(types.BoolType, out, nil), nil
}

// strToMap cuts a text into pairs and each pair into a key and a value, at regular expressions.
func strToMap(a *Args) (*vec.Vector, error) {
	pairs, kv := ",", ":"
	cache := map[string]*Regexp{}
	split := func(s, p string, limit int) ([]string, error) {
		re := cache[p]
		if re == nil {
			var err error
			src := p
			if c := collationOf(a.V[0].Type); c != nil && c.Lower() {
				src = "(?i)" + p
			}
			if re, err = CompileRegexp(src); err != nil {
				return nil, badPattern(a, "pairDelim", p, err)
			}
			cache[p] = re
		}
		return re.split(s, limit)
	}
	ks, vs := vec.NewBuilder(types.StringType, a.N), vec.NewBuilder(types.StringType, a.N)
	var row []int32
	for i := range a.N {
		if a.skipped(i) {
			continue
		}
		if len(a.V) > 1 {
			pairs = a.V[1].Str(i)
		}
		if len(a.V) > 2 {
			kv = a.V[2].Str(i)
		}
		parts, err := split(string(a.V[0].Bytes(i)), pairs, -1)
		if err != nil {
			return nil, err
		}
		for _, p := range parts {
			f, err := split(p, kv, 2)
			if err != nil {
				return nil, err
			}
			ks.AppendString(f[0])
			if len(f) > 1 {
				vs.AppendString(f[1])
			} else {
				vs.AppendNull()
			}
			row = append(row, int32(i))
		}
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return uniqueKeys(a, listsOf(a.Ret, a.N, row, ks.Finish(), vs.Finish()))
}

// sequence counts from start to stop. The step is 1 or -1 (a day for dates and timestamps) if none is given.
func sequence(a *Args) (*vec.Vector, error) {
	b := vec.NewBuilder(a.Ret, a.N)
	out := b.Child(0)
	s, err := clockStateOf(a)
	if err != nil {
		return nil, err
	}
	kind := a.Ret.Elem.Kind
	one := vec.Make(a.Ret.Elem, 1)
	for i := range a.N {
		if a.skipped(i) {
			b.EndList(0)
			continue
		}
		from, to := getInt(a.V[0], i), getInt(a.V[1], i)
		n := 0
		put := func(x int64) error {
			putInt(one, 0, x)
			out.AppendVector(one)
			if n++; n > maxArray {
				return tooLong(a, n)
			}
			return a.yields(n)
		}
		var step types.CalendarValue
		whole := int64(1)
		if to < from {
			whole = -1
		}
		dates := kind == types.Date || kind == types.Timestamp || kind == types.TimestampNTZ
		switch {
		case len(a.V) == 2:
			step.Days = int32(whole)
		case dates:
			m, d, us := intervalParts(a.V[2], i)
			step = types.CalendarValue{Months: int32(m), Days: int32(d), Micros: us}
			whole = m*30*types.MicrosPerDay + d*types.MicrosPerDay + us
		default:
			whole = getInt(a.V[2], i)
		}
		if whole == 0 && from != to || whole > 0 && from > to || whole < 0 && from < to {
			return nil, errs.New(errs.Runtime, "_LEGACY_ERROR_TEMP_3243", "start", strconv.FormatInt(from, 10), "stop", strconv.FormatInt(to, 10), "step", strconv.FormatInt(whole, 10)).At(a.pos())
		}
		var most int64
		if dates { // months of 28 days, so that the length is not underrated
			m, scale := int64(step.Months), int64(1)
			if kind == types.Date {
				scale = types.MicrosPerDay
			}
			most, err = sequenceFits(a, out.Len(), from, to, scale, m*28*types.MicrosPerDay+int64(step.Days)*types.MicrosPerDay+step.Micros)
			most += 2 // days that clocks made shorter
		} else {
			most, err = sequenceFits(a, out.Len(), from, to, 1, whole)
		}
		if err != nil {
			return nil, err
		}
		if from == to || whole == 0 {
			if err := put(from); err != nil {
				return nil, err
			}
			b.EndList(n)
			continue
		}
		local, clock := from, int64(0)
		switch kind {
		case types.Timestamp:
			local = s.zone.ToLocal(from)
			fallthrough
		case types.TimestampNTZ:
			clock = types.FloorMod(local, types.MicrosPerDay)
			local = types.FloorDiv(local, types.MicrosPerDay)
		}
		for k := int64(0); k < most; k++ { // the step behind the last may be out of the type's range
			x := from + k*whole
			if dates {
				day, ok := addMonths(local, k*int64(step.Months))
				if !ok {
					return nil, datetimeOverflow(a, "count by an interval")
				}
				day += k * int64(step.Days)
				switch x = day*types.MicrosPerDay + clock; kind {
				case types.Date:
					x = day + types.FloorDiv(k*step.Micros, types.MicrosPerDay)
				case types.Timestamp:
					x = s.zone.FromLocal(x) + k*step.Micros
				default:
					x += k * step.Micros
				}
			}
			if whole > 0 && (x > to || x < from) || whole < 0 && (x < to || x > from) {
				break
			}
			if err := put(x); err != nil {
				return nil, err
			}
		}
		b.EndList(n)
	}
	return b.Finish(), nil
}

// sequenceFits refuses a sequence that is too long for an array, or for the
// memory there is, before any of it is made. scale is what from and to are multiplied with to be in the unit of step.
// some is how many elements the result has before. It gives the length, which is the most that there can be where steps are months.
func sequenceFits(a *Args, some int, from, to, scale, step int64) (int64, error) {
	if step == 0 {
		return 1, nil
	}
	if d := to - from; scale == 1 && (d > 0) == (to > from) && max(d, -d) < 1<<20 && d != math.MinInt64 {
		return d/step + 1, nil
	}
	n := new(big.Int).Sub(big.NewInt(to), big.NewInt(from))
	n.Mul(n, big.NewInt(scale)).Quo(n, big.NewInt(step)).Add(n, big.NewInt(1))
	if n.Cmp(big.NewInt(maxArray)) > 0 {
		return 0, errs.New(errs.Runtime, "COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER", "numberOfElements", n.String(), "maxRoundedArrayLength", strconv.Itoa(maxArray),
			"functionName", errs.ID(a.Call.Name), "parameter", errs.ID("count")).At(a.pos())
	}
	a.listRoom(some, int(n.Int64()))
	return n.Int64(), nil
}

func mapFunctions() []Def {
	def := func(name, since, usage, sql, want string, nulls NullRule, o ...Overload) Def {
		return Def{Name: name, Since: since, Group: "map_funcs", Usage: usage, Kind: plan.FnScalar, Nulls: nulls, Overloads: o, Examples: []Example{{sql, want}}}
	}
	entry := func(t *types.Type) *types.Type {
		return types.NewArray(types.NewStruct(types.Field{Name: "key", Type: t.Key}, types.Field{Name: "value", Type: t.Elem, Nullable: t.ElemNulls}), false)
	}
	pairP := Accept{Name: "ARRAY<STRUCT<KEY, VALUE>>", Test: func(t *types.Type) bool {
		return t.Kind == types.Array && t.Elem.Kind == types.Struct && len(t.Elem.Fields) == 2
	}}
	text := types.NewMap(types.StringType, types.StringType, true)
	contains := def("map_contains_key", "3.3.0", "Is true when the map has the key.", "SELECT map_contains_key(map(1, 'a', 2, 'b'), 1)", "true", NullMaybe, sig(gives(types.BoolType), mapContainsKey, mapP, anyP))
	contains.Rewrite = func(c *plan.Call) (plan.Expr, error) {
		if c.Args[1].Type().Kind == types.Null {
			return nil, errs.New(errs.Analysis, "DATATYPE_MISMATCH.NULL_TYPE", "functionName", errs.ID(c.Name), "sqlExpr", "")
		}
		return unifyKey(wider)(c)
	}
	seqRet := func(args []*types.Type) (*types.Type, error) { return types.NewArray(args[0], false), nil }
	seq := func(p ...Accept) Overload {
		o := sig(seqRet, sequence, p...)
		if len(p) < 3 || p[2].Name != intervalP.Name {
			o.Same = []int{}
		} else {
			o.Same = []int{0, 1}
		}
		return o
	}
	sequenceDef := def("sequence", "2.4.0", "Makes an array that counts from a start to an end by a step.", "SELECT sequence(to_date('2018-01-01'), to_date('2018-03-01'), interval 1 month)", "[2018-01-01,2018-02-01,2018-03-01]", NullIn,
		seq(integralP, integralP), seq(integralP, integralP, integralP), seq(dateP, dateP), seq(tsP, tsP), seq(ntzP, ntzP), seq(dateP, dateP, intervalP), seq(tsP, tsP, intervalP), seq(ntzP, ntzP, intervalP))
	sequenceDef.Group = "array_funcs"
	sequenceDef.Examples = append(sequenceDef.Examples, Example{"SELECT sequence(5, 1)", "[5,4,3,2,1]"})
	return []Def{
		def("map_keys", "2.0.0", "Gives the keys of a map.", "SELECT map_keys(map(1, 'a', 2, 'b'))", "[1,2]", NullIn, sig(func(a []*types.Type) (*types.Type, error) { return types.NewArray(a[0].Key, true), nil }, mapSide(0), mapP)),
		def("map_values", "2.0.0", "Gives the values of a map.", "SELECT map_values(map(1, 'a', 2, 'b'))", `["a","b"]`, NullIn, sig(func(a []*types.Type) (*types.Type, error) { return types.NewArray(a[0].Elem, true), nil }, mapSide(1), mapP)),
		def("map_entries", "3.0.0", "Gives the entries of a map as structs.", "SELECT map_entries(map(1, 'a', 2, 'b'))", `[{"key":1,"value":"a"},{"key":2,"value":"b"}]`, NullIn, sig(func(a []*types.Type) (*types.Type, error) { return entry(a[0]), nil }, mapEntries, mapP)),
		def("map_from_arrays", "2.4.0", "Makes a map of an array of keys and one of values.", "SELECT map_from_arrays(array(1.0, 3.0), array('2', '4'))", `{1.0:"2",3.0:"4"}`, NullIn, sig(func(a []*types.Type) (*types.Type, error) {
			return types.NewMap(a[0].Elem, a[1].Elem, a[1].ElemNulls), nil
		}, mapFromArrays, arrayP, arrayP)),
		def("map_from_entries", "2.4.0", "Makes a map of structs of key and value.", "SELECT map_from_entries(array(struct(1, 'a'), struct(2, 'b')))", `{1:"a",2:"b"}`, NullMaybe, Overload{Params: params(pairP), RetExpr: func(c *plan.Call) (*types.Type, bool, error) {
			t := c.Args[0].Type()
			if !pairP.Test(t) {
				return nil, false, errs.Internalf("map_from_entries of %s", t)
			}
			f := t.Elem.Fields
			return types.NewMap(f[0].Type, f[1].Type, f[1].Nullable), c.Args[0].Nullable() || t.ElemNulls, nil
		}, Eval: mapFromEntries}),
		def("map_concat", "2.4.0", "Makes one map of several.", "SELECT map_concat(map(1, 'a', 2, 'b'), map(3, 'c'))", `{1:"a",2:"b",3:"c"}`, NullIn, Overload{Params: params(mapP), Variadic: true, VarMin0: true, Same: []int{}, Ret: func(a []*types.Type) (*types.Type, error) {
			if len(a) == 0 {
				return types.NewMap(types.StringType, types.StringType, false), nil
			}
			null := false
			for _, t := range a {
				null = null || t.ElemNulls
			}
			return types.NewMap(a[0].Key, a[0].Elem, null), nil
		}, Eval: mapConcat}),
		contains,
		def("str_to_map", "2.0.1", "Cuts a text into the entries of a map.", "SELECT str_to_map('a:1,b:2,c:3', ',', ':')", `{"a":"1","b":"2","c":"3"}`, NullIn, sig(gives(text), strToMap, onlyTextP), sig(gives(text), strToMap, onlyTextP, onlyTextP), sig(gives(text), strToMap, onlyTextP, onlyTextP, onlyTextP)),
		sequenceDef,
	}
}
