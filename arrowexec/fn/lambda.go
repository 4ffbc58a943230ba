package fn

import (
	"iter"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// lambdaRows is how many elements a lambda is evaluated over at once.
const lambdaRows = 8192

// apply evaluates lambda argument k over elements, row[i] being the row of element i.
func (a *Args) apply(k int, args []*vec.Vector, row []int32) (*vec.Vector, error) {
	t := a.Call.Args[k].Type()
	switch {
	case len(row) == 0:
		return vec.Make(t, 0), nil
	case len(row) <= lambdaRows:
		v, err := a.Lambdas[k](args, row)
		if err != nil {
			return nil, err
		}
		return retypeVec(v, t), a.Env.Yield()
	}
	var parts []*vec.Vector
	for from := 0; from < len(row); from += lambdaRows {
		to := min(from+lambdaRows, len(row))
		cut := make([]*vec.Vector, len(args))
		for i, v := range args {
			cut[i] = v.Slice(from, to)
		}
		v, err := a.Lambdas[k](cut, row[from:to])
		if err != nil {
			return nil, err
		}
		parts = append(parts, retypeVec(v, t))
		if err := a.Env.Yield(); err != nil {
			return nil, err
		}
	}
	return vec.ConcatColumn(t, parts, a.Env.Yield)
}

// lambdaArity is how many parameters lambda argument k has.
func (a *Args) lambdaArity(k int) int {
	if l, ok := a.Call.Args[k].(*plan.Lambda); ok {
		return len(l.Args)
	}
	return 0
}

// positions numbers the elements of each row from 0.
func positions(row []int32) *vec.Vector {
	p := make([]int32, len(row))
	for i := 1; i < len(p); i++ {
		if row[i] == row[i-1] {
			p[i] = p[i-1] + 1
		}
	}
	return vec.FromSlice(types.Int32Type, p, nil)
}

// listsOf makes lists of type t of children ordered by row.
func listsOf(t *types.Type, n int, row []int32, child ...*vec.Vector) *vec.Vector {
	refs := make([]vec.Ref, n)
	for from := 0; from < len(row); {
		to := from + 1
		for to < len(row) && row[to] == row[from] {
			to++
		}
		refs[row[from]] = vec.MakeRef(from, to-from)
		from = to
	}
	v := vec.FromSlice(t, refs, nil)
	v.Child = child
	return v
}

// elements are what lambda argument k is evaluated over: the elements (keys and values) of the lists in argument 0.
func (a *Args) elements(k int) (args []*vec.Vector, row []int32) {
	v := a.V[0]
	elem, row := spread(v, a.N, false)
	for _, c := range v.Child {
		args = append(args, c.Gather(elem))
	}
	if a.lambdaArity(k) > len(args) {
		args = append(args, positions(row))
	}
	return args, row
}

func transform(a *Args) (*vec.Vector, error) {
	args, row := a.elements(1)
	v, err := a.apply(1, args, row)
	if err != nil {
		return nil, err
	}
	return listsOf(a.Ret, a.N, row, retypeVec(v, a.Ret.Elem)), nil
}

// keep is filter and map_filter.
func keep(a *Args) (*vec.Vector, error) {
	args, row := a.elements(1)
	v, err := a.apply(1, args, row)
	if err != nil {
		return nil, err
	}
	idx := make([]int32, 0, len(row))
	kept := make([]int32, 0, len(row))
	if v.Layout != vec.None {
		for i, x := range vec.Of[bool](v) {
			if x && !v.IsNull(i) {
				idx, kept = append(idx, int32(i)), append(kept, row[i])
			}
		}
	}
	child := make([]*vec.Vector, len(a.V[0].Child))
	for c := range child {
		child[c] = args[c].Gather(idx)
	}
	return listsOf(a.Ret, a.N, kept, child...), nil
}

// quantify is exists (any true) and forall (all: none false), three-valued.
func quantify(all bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		args, row := a.elements(1)
		v, err := a.apply(1, args, row)
		if _, failed := errs.As(err); failed {
			v, row, err = a.untilDecided(args, row, all)
		}
		if err != nil {
			return nil, err
		}
		out := make([]bool, a.N)
		for i := range out {
			out[i] = all
		}
		res := vec.FromSlice(types.BoolType, out, nil)
		unknown := make([]bool, a.N)
		for i, r := range row {
			switch {
			case v.IsNull(i):
				unknown[r] = true
			case vec.Of[bool](v)[i] != all:
				out[r] = !all
			}
		}
		for i := range out {
			if unknown[i] && out[i] == all {
				setNull(res, i)
			}
		}
		return res, nil
	}
}

// untilDecided evaluates the predicate, argument 1, element by element, and leaves out those of a row behind the one
// that decides: what they raise is never met. row is that of the elements looked at.
func (a *Args) untilDecided(args []*vec.Vector, row []int32, all bool) (*vec.Vector, []int32, error) {
	b := vec.NewBuilder(types.BoolType, len(row))
	var seen []int32
	decided := int32(-1)
	one := make([]*vec.Vector, len(args))
	for k, r := range row {
		if r == decided {
			continue
		}
		for i, v := range args {
			one[i] = v.Slice(k, k+1)
		}
		v, err := a.apply(1, one, row[k:k+1])
		if err != nil {
			return nil, nil, err
		}
		b.AppendVector(v)
		seen = append(seen, r)
		if !v.IsNull(0) && vec.Of[bool](v)[0] != all {
			decided = r
		}
	}
	return b.Finish(), seen, nil
}

// aggregateList folds the elements of arrays; step k is done for all rows that have an element k at once.
func aggregateList(a *Args) (*vec.Vector, error) {
	arr := a.V[0]
	t := a.Call.Args[1].Type()
	done := vec.NewBuilder(t, a.N)
	at := make([]int32, a.N) // where in done a row's result is
	length := func(i int32) int {
		if arr.IsNull(int(i)) {
			return 0
		}
		return vec.Refs(arr)[i].Len()
	}
	active := make([]int32, a.N)
	for i := range active {
		active[i] = int32(i)
	}
	acc := retypeVec(a.V[1], t)
	for k := 0; len(active) > 0; k++ {
		var over, on, elem []int32 // positions in acc of rows at their end, and of the others
		next := make([]int32, 0, len(active))
		for i, r := range active {
			if length(r) <= k {
				at[r] = int32(done.Len() + len(over))
				over = append(over, int32(i))
				continue
			}
			on, next = append(on, int32(i)), append(next, r)
			elem = append(elem, int32(vec.Refs(arr)[r].Start()+k))
		}
		if len(over) > 0 {
			done.AppendRows(acc, over)
		}
		active = next
		if len(active) == 0 {
			break
		}
		v, err := a.apply(2, []*vec.Vector{acc.Gather(on), arr.Child[0].Gather(elem)}, active)
		if err != nil {
			return nil, err
		}
		acc = retypeVec(v, t)
	}
	res := done.Finish().Gather(at)
	if len(a.V) > 3 {
		row := make([]int32, a.N)
		for i := range row {
			row[i] = int32(i)
		}
		v, err := a.apply(3, []*vec.Vector{res}, row)
		if err != nil {
			return nil, err
		}
		res = retypeVec(v, a.Ret)
	}
	if arr.Null == nil {
		return res, nil
	}
	o := *res
	o.Null = make([]bool, a.N)
	for i := range o.Null {
		o.Null[i] = arr.Null[i] || res.IsNull(i)
	}
	return &o, nil
}

func zipWith(a *Args) (*vec.Vector, error) {
	var x, y, row []int32
	for i := range a.N {
		if a.skipped(i) {
			continue
		}
		p, q := vec.Refs(a.V[0])[i], vec.Refs(a.V[1])[i]
		for k := range max(p.Len(), q.Len()) {
			xi, yi := int32(-1), int32(-1)
			if k < p.Len() {
				xi = int32(p.Start() + k)
			}
			if k < q.Len() {
				yi = int32(q.Start() + k)
			}
			x, y, row = append(x, xi), append(y, yi), append(row, int32(i))
		}
	}
	v, err := a.apply(2, []*vec.Vector{a.V[0].Child[0].GatherNulls(x), a.V[1].Child[0].GatherNulls(y)}, row)
	if err != nil {
		return nil, err
	}
	return listsOf(a.Ret, a.N, row, retypeVec(v, a.Ret.Elem)), nil
}

func transformValues(a *Args) (*vec.Vector, error) {
	args, row := a.elements(1)
	v, err := a.apply(1, args, row)
	if err != nil {
		return nil, err
	}
	return listsOf(a.Ret, a.N, row, args[0], retypeVec(v, a.Ret.Elem)), nil
}

func transformKeys(a *Args) (*vec.Vector, error) {
	args, row := a.elements(1)
	v, err := a.apply(1, args, row)
	if err != nil {
		return nil, err
	}
	return uniqueKeys(a, listsOf(a.Ret, a.N, row, retypeVec(v, a.Ret.Key), args[1]))
}

func mapZipWith(a *Args) (*vec.Vector, error) {
	m, o := a.V[0], a.V[1]
	keys := joined(a.Ret.Key, m.Child[0], o.Child[0])
	base, order := m.Child[0].N, comparer(keys.Type)
	var key, x, y, row []int32
	for i := range a.N {
		if a.skipped(i) {
			continue
		}
		p, q := vec.Refs(m)[i], vec.Refs(o)[i]
		from := len(key)
		for k := p.Start(); k < p.Start()+p.Len(); k++ {
			key, x, y, row = append(key, int32(k)), append(x, int32(k)), append(y, -1), append(row, int32(i))
		}
	other:
		for k := q.Start(); k < q.Start()+q.Len(); k++ {
			for j := from; j < len(key); j++ {
				if order(keys, int(key[j]), keys, base+k) == 0 {
					y[j] = int32(k)
					continue other
				}
			}
			key, x, y, row = append(key, int32(base+k)), append(x, -1), append(y, int32(k)), append(row, int32(i))
		}
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	ks := keys.Gather(key)
	v, err := a.apply(2, []*vec.Vector{ks, m.Child[1].GatherNulls(x), o.Child[1].GatherNulls(y)}, row)
	if err != nil {
		return nil, err
	}
	return listsOf(a.Ret, a.N, row, ks, retypeVec(v, a.Ret.Elem)), nil
}

// sortsAtOnce is how many arrays are sorted side by side.
const sortsAtOnce = 1024

// arraySorting is the sort of one row's array, which stops at each comparison that it needs.
type arraySorting struct {
	row  int32
	next func() ([2]int32, bool)
	stop func()
	c    int // the comparison's result
}

// sortByLambda sorts arrays by a comparison, in Java's way; each step makes the next comparison of many rows at once.
func sortByLambda(a *Args) (*vec.Vector, error) {
	arr := a.V[0]
	order, row := spread(arr, a.N, false)
	elem := arr.Child[0]
	illegal := false
	var live []*arraySorting
	defer func() {
		for _, s := range live {
			s.stop()
		}
	}()
	var x, y, at []int32
	for from := 0; from < len(row) || len(live) > 0; {
		for from < len(row) && len(live) < sortsAtOnce {
			to := from + 1
			for to < len(row) && row[to] == row[from] {
				to++
			}
			part := order[from:to]
			s := &arraySorting{row: row[from]}
			s.next, s.stop = iter.Pull(func(ask func([2]int32) bool) {
				going := true
				legal := sortAsJava(part, func(x, y int32) int {
					if going = going && ask([2]int32{x, y}); !going {
						return 0
					}
					return s.c
				})
				illegal = illegal || !legal
			})
			live = append(live, s)
			from = to
		}
		x, y, at = x[:0], y[:0], at[:0]
		waiting := live[:0]
		for _, s := range live {
			if pair, ok := s.next(); ok {
				waiting = append(waiting, s)
				x, y, at = append(x, pair[0]), append(y, pair[1]), append(at, s.row)
			}
		}
		live = waiting
		if illegal {
			return nil, (&errs.Error{Class: errs.IllegalArgument, Text: "Comparison method violates its general contract!"}).At(a.pos())
		}
		ex, ey := elem.Gather(x), elem.Gather(y)
		c, err := a.apply(1, []*vec.Vector{ex, ey}, at)
		if err != nil {
			return nil, err
		}
		for k, s := range live {
			if c.IsNull(k) {
				return nil, errs.New(errs.Runtime, "COMPARATOR_RETURNS_NULL", "firstValue", string(AppendText(nil, ex, k, nil)), "secondValue", string(AppendText(nil, ey, k, nil))).At(a.pos())
			}
			s.c = int(getInt(c, k))
		}
	}
	return listsOf(a.Ret, a.N, row, elem.Gather(order)), nil
}

// lambdaResult is the type of lambda argument k's body.
func lambdaResult(c *plan.Call, k int) (*types.Type, bool) {
	return c.Args[k].Type(), c.Args[k].Nullable()
}

// bodyNull reports whether lambda k's body can be null.
func bodyNull(c *plan.Call, k int) bool {
	if l, ok := c.Args[k].(*plan.Lambda); ok {
		return l.Body.Nullable()
	}
	return true
}

// LambdaText stands for the text of a lambda, which the function table can't write.
const LambdaText = "lambdafunction"

// needBool refuses a predicate that isn't one.
func needBool(c *plan.Call, k int) error {
	t, _ := lambdaResult(c, k)
	if t.Kind == types.Bool || t.Kind == types.Null {
		return nil
	}
	return errs.New(errs.Analysis, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE", "paramIndex", "second", "requiredType", `"BOOLEAN"`,
		"inputSql", LambdaText, "inputType", errs.Quote(t.SQL()), "sqlExpr", errs.Quote(c.Name)).At(c.Pos())
}

func lambdaFunctions() []Def {
	fnP := func(from, to int) Accept { return Accept{Name: "FUNCTION", Lambda: from, LambdaMax: to} }
	nullOf := func(c *plan.Call, args ...int) bool {
		for _, i := range args {
			if c.Args[i].Nullable() {
				return true
			}
		}
		return false
	}
	def := func(name, since, usage, sql, want string, ret func(c *plan.Call) (*types.Type, bool, error), k Kernel, p ...Accept) Def {
		return Def{Name: name, Since: since, Group: "lambda_funcs", Usage: usage, Kind: plan.FnScalar, Nulls: NullMaybe,
			Overloads: []Overload{{Params: p, RetExpr: ret, Eval: k}}, Examples: []Example{{sql, want}}}
	}
	alias := func(d Def, n ...string) Def { d.Aliases = n; return d }
	same := func(c *plan.Call) (*types.Type, bool, error) {
		return c.Args[0].Type(), nullOf(c, 0), needBool(c, 1)
	}
	truth := func(c *plan.Call) (*types.Type, bool, error) {
		return types.BoolType, nullOf(c, 0) || bodyNull(c, 1), needBool(c, 1)
	}
	array := func(k int, from ...int) func(c *plan.Call) (*types.Type, bool, error) {
		return func(c *plan.Call) (*types.Type, bool, error) {
			t, _ := lambdaResult(c, k)
			return types.NewArray(t, bodyNull(c, k)), nullOf(c, from...), nil
		}
	}
	fold := func(c *plan.Call) (*types.Type, bool, error) {
		if len(c.Args) > 3 {
			t, _ := lambdaResult(c, 3)
			return t, nullOf(c, 0) || bodyNull(c, 3), nil
		}
		return c.Args[1].Type(), true, nil
	}
	agg := def("aggregate", "2.4.0", "Folds the elements of an array from a start value on, and finishes the result.", "SELECT aggregate(array(1, 2, 3), 0, (acc, x) -> acc + x)", "6", fold, aggregateList, arrayP, anyP, fnP(2, 2))
	agg.Overloads = append(agg.Overloads, Overload{Params: params(arrayP, anyP, fnP(2, 2), fnP(1, 1)), RetExpr: fold, Eval: aggregateList})
	agg.Nulls = NullKernel
	sortDef := def("array_sort", "2.4.0", "Sorts an array upwards with nulls last, or by a comparison.", "SELECT array_sort(array('bc', 'ab', 'dc'), (left, right) -> case when left < right then -1 when left > right then 1 else 0 end)", `["ab","bc","dc"]`,
		func(c *plan.Call) (*types.Type, bool, error) {
			if t, _ := lambdaResult(c, 1); t.Kind != types.Int32 {
				return nil, false, errs.New(errs.Analysis, "DATATYPE_MISMATCH.UNEXPECTED_RETURN_TYPE", "sqlExpr", "", "functionName", errs.ID("lambdafunction"), "expectedType", `"INT"`, "actualType", errs.Quote(t.SQL()))
			}
			return c.Args[0].Type(), nullOf(c, 0), nil
		}, sortByLambda, arrayP, fnP(2, 2))
	sortDef.Group = "collection_funcs"
	sortDef.Examples = append(sortDef.Examples, Example{"SELECT array_sort(array('b', 'd', null, 'c', 'a'))", `["a","b","c","d",null]`})
	sortDef.Overloads = append([]Overload{{Params: params(arrayP), RetExpr: func(c *plan.Call) (*types.Type, bool, error) { return c.Args[0].Type(), nullOf(c, 0), nil }, Eval: sortLists(true)}}, sortDef.Overloads...)
	return []Def{
		def("transform", "2.4.0", "Makes an array of what a function gives for each element.", "SELECT transform(array(1, 2, 3), (x, i) -> x + i)", "[1,3,5]", array(1, 0), transform, arrayP, fnP(1, 2)),
		def("filter", "2.4.0", "Keeps the elements for which a predicate is true.", "SELECT filter(array(1, 2, 3), x -> x % 2 == 1)", "[1,3]", same, keep, arrayP, fnP(1, 2)),
		def("exists", "2.4.0", "Is true when a predicate is true of an element.", "SELECT exists(array(1, 2, 3), x -> x % 2 == 0)", "true", truth, quantify(false), arrayP, fnP(1, 1)),
		def("forall", "3.0.0", "Is true when a predicate is true of all elements.", "SELECT forall(array(2, 4, 8), x -> x % 2 == 0)", "true", truth, quantify(true), arrayP, fnP(1, 1)),
		alias(agg, "reduce"), sortDef,
		def("zip_with", "2.4.0", "Joins two arrays element by element; the shorter is filled with nulls.", "SELECT zip_with(array(1, 2), array(3, 4), (x, y) -> x + y)", "[4,6]", array(2, 0, 1), zipWith, arrayP, arrayP, fnP(2, 2)),
		def("map_filter", "3.0.0", "Keeps the entries for which a predicate is true.", "SELECT map_filter(map(1, 0, 2, 2, 3, -1), (k, v) -> k > v)", "{1:0,3:-1}", same, keep, mapP, fnP(2, 2)),
		def("transform_values", "3.0.0", "Makes new values for the keys of a map.", "SELECT transform_values(map(1, 1, 2, 2), (k, v) -> k + v)", "{1:2,2:4}", func(c *plan.Call) (*types.Type, bool, error) {
			t, _ := lambdaResult(c, 1)
			return types.NewMap(c.Args[0].Type().Key, t, bodyNull(c, 1)), nullOf(c, 0), nil
		}, transformValues, mapP, fnP(2, 2)),
		def("transform_keys", "3.0.0", "Makes new keys for the values of a map.", "SELECT transform_keys(map(1, 1, 2, 2), (k, v) -> k + 1)", "{2:1,3:2}", func(c *plan.Call) (*types.Type, bool, error) {
			t, _ := lambdaResult(c, 1)
			if t.Has(types.Map) {
				return nil, false, errs.New(errs.Analysis, "DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE", "sqlExpr", "", "keyType", errs.Quote(t.SQL()))
			}
			m := c.Args[0].Type()
			return types.NewMap(t, m.Elem, m.ElemNulls), nullOf(c, 0), nil
		}, transformKeys, mapP, fnP(2, 2)),
		def("map_zip_with", "3.0.0", "Joins two maps by key; a key that one lacks has null for its value.", "SELECT map_zip_with(map(1, 'a', 2, 'b'), map(1, 'x', 2, 'y'), (k, v1, v2) -> concat(v1, v2))", `{1:"ax",2:"by"}`, func(c *plan.Call) (*types.Type, bool, error) {
			t, _ := lambdaResult(c, 2)
			return types.NewMap(c.Args[0].Type().Key, t, bodyNull(c, 2)), nullOf(c, 0, 1), nil
		}, mapZipWith, mapP, mapP, fnP(3, 3)),
	}
}
