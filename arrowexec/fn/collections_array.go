package fn

import (
	"slices"
	"strconv"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// maxArray is the most elements an array may have.
const maxArray = 2147483632

// joined is the values of a and then those of b, as type t.
func joined(t *types.Type, vs ...*vec.Vector) *vec.Vector {
	n := 0
	for _, v := range vs {
		n += v.N
	}
	b := vec.NewBuilder(t, n)
	for _, v := range vs {
		b.AppendVector(retypeVec(v, t))
	}
	return b.Finish()
}

// pickLists makes lists of elements of child: f appends to idx the elements of row i (-1 is a null).
func (a *Args) pickLists(child *vec.Vector, f func(i int, idx []int32) []int32) (*vec.Vector, error) {
	idx := make([]int32, 0, child.N)
	refs, next := make([]vec.Ref, a.N), 0
	for i := range a.N {
		from := len(idx)
		if !a.skipped(i) {
			idx = f(i, idx)
			a.grown(&next, 12*len(idx))
			if len(idx)-from > maxArray {
				return nil, tooLong(a, len(idx)-from)
			}
		}
		refs[i] = vec.MakeRef(from, len(idx)-from)
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	v := vec.FromSlice(a.Ret, refs, nil)
	v.Child = []*vec.Vector{child.GatherNulls(idx)}
	return v, nil
}

func tooLong(a *Args, n int) error {
	return errs.New(errs.Runtime, "COLLECTION_SIZE_LIMIT_EXCEEDED.FUNCTION", "numberOfElements", strconv.Itoa(n), "maxRoundedArrayLength", strconv.Itoa(maxArray), "functionName", errs.ID(a.Call.Name)).At(a.pos())
}

// elemSet is a set of elements of one vector, emptied for each row.
type elemSet struct {
	v    *vec.Vector
	hash []uint64
	at   map[uint64][]int32
	few  []int32
	null bool
}

// setFew is up to how many elements a set is searched one by one.
const setFew = 8

func newElemSet(v *vec.Vector, yield func(int) error) (*elemSet, error) {
	v, err := keysOf(v, v.Type, KeyType(v.Type), yield)
	if err != nil {
		return nil, err
	}
	s := &elemSet{v: v, hash: make([]uint64, v.N), at: map[uint64][]int32{}}
	if v.Layout != vec.None {
		vec.Hash([]*vec.Vector{v}, v.N, s.hash)
	}
	return s, nil
}

func (s *elemSet) reset() {
	clear(s.at)
	s.few = s.few[:0]
	s.null = false
}

// has reports whether the set has an element equal to k; null equals null.
func (s *elemSet) has(k int) bool {
	if s.v.IsNull(k) {
		return s.null
	}
	list := s.few
	if len(s.at) > 0 {
		list = s.at[s.hash[k]]
	}
	for _, j := range list {
		if s.hash[j] == s.hash[k] && vec.EqualAt(s.v, int(j), s.v, k) {
			return true
		}
	}
	return false
}

// add puts k into the set; false if it was there.
func (s *elemSet) add(k int) bool {
	if s.has(k) {
		return false
	}
	if s.v.IsNull(k) {
		s.null = true
		return true
	}
	if len(s.at) == 0 && len(s.few) < setFew {
		s.few = append(s.few, int32(k))
		return true
	}
	for _, j := range s.few {
		s.at[s.hash[j]] = append(s.at[s.hash[j]], j)
	}
	s.few = s.few[:0]
	s.at[s.hash[k]] = append(s.at[s.hash[k]], int32(k))
	return true
}

func arrayDistinct(a *Args) (*vec.Vector, error) {
	child, refs := a.V[0].Child[0], vec.Refs(a.V[0])
	s, err := newElemSet(child, a.yields)
	if err != nil {
		return nil, err
	}
	return a.pickLists(child, func(i int, idx []int32) []int32 {
		s.reset()
		for k := refs[i].Start(); k < refs[i].Start()+refs[i].Len(); k++ {
			if s.add(k) {
				idx = append(idx, int32(k))
			}
		}
		return idx
	})
}

// arraySets is array_union, array_intersect and array_except.
func arraySets(op byte) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		x, y := a.V[0], a.V[1]
		child := joined(a.Ret.Elem, x.Child[0], y.Child[0])
		base := x.Child[0].N
		s, err := newElemSet(child, a.yields)
		if err != nil {
			return nil, err
		}
		other, err := newElemSet(child, a.yields)
		if err != nil {
			return nil, err
		}
		return a.pickLists(child, func(i int, idx []int32) []int32 {
			s.reset()
			p, q := vec.Refs(x)[i], vec.Refs(y)[i]
			if op != 'u' {
				other.reset()
				for k := q.Start(); k < q.Start()+q.Len(); k++ {
					other.add(base + k)
				}
			}
			for k := p.Start(); k < p.Start()+p.Len(); k++ {
				if op != 'u' && other.has(k) != (op == 'i') {
					continue
				}
				if s.add(k) {
					idx = append(idx, int32(k))
				}
			}
			for k := q.Start(); op == 'u' && k < q.Start()+q.Len(); k++ {
				if s.add(base + k) {
					idx = append(idx, int32(base+k))
				}
			}
			return idx
		})
	}
}

func arraysOverlap(a *Args) (*vec.Vector, error) {
	x, y := a.V[0], a.V[1]
	child := joined(widest(x.Child[0], y.Child[0]), x.Child[0], y.Child[0])
	base := x.Child[0].N
	s, err := newElemSet(child, a.yields)
	if err != nil {
		return nil, err
	}
	out := make([]bool, a.N)
	v := vec.FromSlice(types.BoolType, out, nil)
	for i := range out {
		if a.skipped(i) {
			continue
		}
		s.reset()
		p, q := vec.Refs(x)[i], vec.Refs(y)[i]
		null := false
		for k := p.Start(); k < p.Start()+p.Len(); k++ {
			null = null || child.IsNull(k)
			s.add(k)
		}
		for k := base + q.Start(); k < base+q.Start()+q.Len() && !out[i]; k++ {
			if child.IsNull(k) {
				null = true
			} else {
				out[i] = s.has(k)
			}
		}
		if !out[i] && null && p.Len() > 0 && q.Len() > 0 {
			setNull(v, i)
		}
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return v, nil
}

func widest(x, y *vec.Vector) *types.Type {
	if x.Layout == vec.None {
		return y.Type
	}
	return x.Type
}

// sortLists sorts arrays; nulls are last, or else first upwards and last downwards.
func sortLists(nullsLast bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		child, refs := a.V[0].Child[0], vec.Refs(a.V[0])
		f := comparer(child.Type)
		return a.pickLists(child, func(i int, idx []int32) []int32 {
			asc := len(a.V) < 2 || vec.Of[bool](a.V[1])[i]
			last := nullsLast || !asc
			from := len(idx)
			for k := refs[i].Start(); k < refs[i].Start()+refs[i].Len(); k++ {
				idx = append(idx, int32(k))
			}
			slices.SortStableFunc(idx[from:], func(p, q int32) int {
				switch x, y := child.IsNull(int(p)), child.IsNull(int(q)); {
				case x && y:
					return 0
				case x || y:
					if x == last {
						return 1
					}
					return -1
				}
				if asc {
					return f(child, int(p), child, int(q))
				}
				return f(child, int(q), child, int(p))
			})
			return idx
		})
	}
}

func reverseLists(a *Args) (*vec.Vector, error) {
	refs := vec.Refs(a.V[0])
	return a.pickLists(a.V[0].Child[0], func(i int, idx []int32) []int32 {
		for k := refs[i].Start() + refs[i].Len() - 1; k >= refs[i].Start(); k-- {
			idx = append(idx, int32(k))
		}
		return idx
	})
}

func shuffleLists(a *Args) (*vec.Vector, error) {
	refs := vec.Refs(a.V[0])
	r, err := rowRandom(a, 1)
	if err != nil {
		return nil, err
	}
	return a.pickLists(a.V[0].Child[0], func(i int, idx []int32) []int32 {
		from := len(idx)
		idx = append(idx, make([]int32, refs[i].Len())...)
		r.shuffle(idx[from:], refs[i].Start())
		return idx
	})
}

func arrayCompact(a *Args) (*vec.Vector, error) {
	child, refs := a.V[0].Child[0], vec.Refs(a.V[0])
	return a.pickLists(child, func(i int, idx []int32) []int32 {
		for k := refs[i].Start(); k < refs[i].Start()+refs[i].Len(); k++ {
			if !child.IsNull(k) {
				idx = append(idx, int32(k))
			}
		}
		return idx
	})
}

func arrayRemove(a *Args) (*vec.Vector, error) {
	child, refs := a.V[0].Child[0], vec.Refs(a.V[0])
	f := comparer(child.Type)
	return a.pickLists(child, func(i int, idx []int32) []int32 {
		for k := refs[i].Start(); k < refs[i].Start()+refs[i].Len(); k++ {
			if child.IsNull(k) || f(child, k, a.V[1], i) != 0 {
				idx = append(idx, int32(k))
			}
		}
		return idx
	})
}

func arrayPosition(a *Args) (*vec.Vector, error) {
	child := a.V[0].Child[0]
	f := comparer(child.Type)
	out := make([]int64, a.N)
	for i, r := range vec.Refs(a.V[0])[:a.N] {
		for k := 0; k < r.Len() && !a.skipped(i); k++ {
			if !child.IsNull(r.Start()+k) && f(child, r.Start()+k, a.V[1], i) == 0 {
				out[i] = int64(k + 1)
				break
			}
		}
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return vec.FromSlice(a.Ret, out, nil), nil
}

// arrayAdd is array_append and array_prepend; the element may be null.
func arrayAdd(front bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		child := joined(a.Ret.Elem, a.V[0].Child[0], a.V[1])
		base, refs := a.V[0].Child[0].N, vec.Refs(a.V[0])
		a.Skip = a.V[0].Null
		v, err := a.pickLists(child, func(i int, idx []int32) []int32 {
			if front {
				idx = append(idx, int32(base+i))
			}
			for k := refs[i].Start(); k < refs[i].Start()+refs[i].Len(); k++ {
				idx = append(idx, int32(k))
			}
			if !front {
				idx = append(idx, int32(base+i))
			}
			return idx
		})
		a.Skip = nil
		if err == nil {
			v.Null = a.V[0].Null
		}
		return v, err
	}
}

// arrayInsert puts an element at a position, from 1, or from -1 backwards; a gap is filled with nulls.
func arrayInsert(a *Args) (*vec.Vector, error) {
	child := joined(a.Ret.Elem, a.V[0].Child[0], a.V[2])
	base, refs := a.V[0].Child[0].N, vec.Refs(a.V[0])
	legacy := 0 // once -1 was the place before the last element
	if a.legacy("spark.sql.legacy.negativeIndexInArrayInsert") {
		legacy = 1
	}
	a.Skip = anyNull(a.V[:2], a.N)
	defer func() { a.Skip = nil }()
	for i := range a.N {
		if p := a.i32(1, i); !a.skipped(i) {
			if p == 0 {
				return nil, errs.New(errs.Runtime, "INVALID_INDEX_OF_ZERO").At(a.pos())
			}
			if p > maxArray || p < -maxArray {
				return nil, tooLong(a, max(p, -p))
			}
		}
	}
	v, err := a.pickLists(child, func(i int, idx []int32) []int32 {
		n, p := refs[i].Len(), a.i32(1, i)
		elem := func(k int) { idx = append(idx, int32(refs[i].Start()+k)) }
		switch {
		case p > 0:
			for k := 0; k < min(p-1, n); k++ {
				elem(k)
			}
			for k := n; k < p-1; k++ {
				idx = append(idx, -1)
			}
			idx = append(idx, int32(base+i))
			for k := p - 1; k < n; k++ {
				elem(k)
			}
		case -p <= n+1-legacy:
			at := n + p + 1 - legacy
			for k := 0; k < at; k++ {
				elem(k)
			}
			idx = append(idx, int32(base+i))
			for k := at; k < n; k++ {
				elem(k)
			}
		default:
			idx = append(idx, int32(base+i))
			for k := n + 1 - legacy; k < -p; k++ {
				idx = append(idx, -1)
			}
			for k := 0; k < n; k++ {
				elem(k)
			}
		}
		return idx
	})
	if err == nil {
		v.Null = a.Skip
	}
	return v, err
}

func arrayRepeat(a *Args) (*vec.Vector, error) {
	a.Skip = a.V[1].Null
	defer func() { a.Skip = nil }()
	child := retypeVec(a.V[0], a.Ret.Elem)
	size, next := 0, 0 // of values of variable length: each is copied
	v, err := a.pickLists(child, func(i int, idx []int32) []int32 {
		n := max(a.i32(1, i), 0)
		a.listRoom(len(idx), n)
		if n > yieldEach {
			one := vec.Batch{N: 1, Cols: []*vec.Vector{child.Slice(i, i+1)}}
			size += n * int(one.LiveSize()-(&vec.Batch{}).LiveSize())
			a.grown(&next, size)
		}
		for range n {
			idx = append(idx, int32(i))
		}
		return idx
	})
	if err == nil {
		v.Null = a.V[1].Null
	}
	return v, err
}

// sliceLists is slice(array, start, length).
func sliceLists(a *Args) (*vec.Vector, error) {
	for i := range a.N {
		if a.skipped(i) {
			continue
		}
		if a.i32(1, i) == 0 {
			return nil, errs.New(errs.Runtime, "INVALID_PARAMETER_VALUE.START", "parameter", errs.ID("start"), "functionName", errs.ID("slice")).At(a.pos())
		}
		if n := a.i32(2, i); n < 0 {
			return nil, errs.New(errs.Runtime, "INVALID_PARAMETER_VALUE.LENGTH", "parameter", errs.ID("length"), "functionName", errs.ID("slice"), "length", strconv.Itoa(n)).At(a.pos())
		}
	}
	out := make([]vec.Ref, a.N)
	for i, r := range vec.Refs(a.V[0])[:a.N] {
		if a.skipped(i) {
			continue
		}
		start := a.i32(1, i) - 1
		if start < 0 {
			start += r.Len() + 1
		}
		if start < 0 || start >= r.Len() {
			continue
		}
		out[i] = vec.MakeRef(r.Start()+start, min(a.i32(2, i), r.Len()-start))
	}
	v := vec.FromSlice(a.Ret, out, nil)
	v.Child = a.V[0].Child
	return v, nil
}

func flattenLists(a *Args) (*vec.Vector, error) {
	inner := a.V[0].Child[0]
	refs := vec.Refs(a.V[0])
	lens := make([]bool, a.N)
	v, err := a.pickLists(inner.Child[0], func(i int, idx []int32) []int32 {
		n := 0
		for k := refs[i].Start(); k < refs[i].Start()+refs[i].Len(); k++ {
			if inner.IsNull(k) {
				lens[i] = true
				return idx
			}
			n += vec.Refs(inner)[k].Len()
		}
		a.listRoom(len(idx), n)
		for k := refs[i].Start(); k < refs[i].Start()+refs[i].Len(); k++ {
			r := vec.Refs(inner)[k]
			for j := r.Start(); j < r.Start()+r.Len(); j++ {
				idx = append(idx, int32(j))
			}
		}
		return idx
	})
	if err == nil {
		v.Null = lens
	}
	return v, err
}

// arrayEnd is array_min and array_max.
func arrayEnd(sign int) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		child := a.V[0].Child[0]
		f := comparer(child.Type)
		idx := make([]int32, a.N)
		for i, r := range vec.Refs(a.V[0])[:a.N] {
			idx[i] = -1
			for k := r.Start(); k < r.Start()+r.Len() && !a.skipped(i); k++ {
				if !child.IsNull(k) && (idx[i] < 0 || sign*f(child, k, child, int(idx[i])) < 0) {
					idx[i] = int32(k)
				}
			}
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return child.GatherNulls(idx), nil
	}
}

func arrayJoin(a *Args) (*vec.Vector, error) {
	child := a.V[0].Child[0]
	return textKernel(func(a *Args, i int, dst []byte) []byte {
		r, first := vec.Refs(a.V[0])[i], true
		for k := r.Start(); k < r.Start()+r.Len(); k++ {
			null := child.IsNull(k)
			if null && len(a.V) < 3 {
				continue
			}
			if !first {
				dst = append(dst, a.V[1].Bytes(i)...)
			}
			first = false
			if null {
				dst = append(dst, a.V[2].Bytes(i)...)
			} else {
				dst = append(dst, child.Bytes(k)...)
			}
		}
		return dst
	})(a)
}

func arraysZip(a *Args) (*vec.Vector, error) {
	idx := make([][]int32, len(a.V))
	refs := make([]vec.Ref, a.N)
	total := 0
	for i := range a.N {
		n := 0
		if !a.skipped(i) {
			for _, v := range a.V {
				n = max(n, vec.Refs(v)[i].Len())
			}
		}
		for c, v := range a.V {
			if n == 0 {
				break // or null: then v may be no list at all
			}
			r := vec.Refs(v)[i]
			for k := range n {
				if k < r.Len() {
					idx[c] = append(idx[c], int32(r.Start()+k))
				} else {
					idx[c] = append(idx[c], -1)
				}
			}
		}
		refs[i] = vec.MakeRef(total, n)
		total += n
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	s := &vec.Vector{Type: a.Ret.Elem, Layout: vec.Group, N: total}
	for c, v := range a.V {
		if v.Layout != vec.List { // NULL without a type: all rows are null
			s.Child = append(s.Child, vec.MakeNull(a.Ret.Elem.Fields[c].Type, total))
			continue
		}
		s.Child = append(s.Child, retypeVec(v.Child[0].GatherNulls(idx[c]), a.Ret.Elem.Fields[c].Type))
	}
	out := vec.FromSlice(a.Ret, refs, nil)
	out.Child = []*vec.Vector{s}
	return out, nil
}

// retAdd is the type of an array with an element added.
func retAdd(elem int, gap bool) func(c *plan.Call) (*types.Type, bool, error) {
	return func(c *plan.Call) (*types.Type, bool, error) {
		t := c.Args[0].Type()
		if t.Kind != types.Array {
			return nil, false, nil // NULL, which the analyzer refuses
		}
		null := c.Args[0].Nullable()
		if gap {
			null = null || c.Args[1].Nullable()
		}
		e := t.Elem
		if e.Kind == types.Null {
			e = c.Args[elem].Type()
		}
		return types.NewArray(e, true), null, nil
	}
}

func arrayFunctions() []Def {
	def := func(name, since, usage, sql, want string, nulls NullRule, o ...Overload) Def {
		return Def{Name: name, Since: since, Group: "array_funcs", Usage: usage, Kind: plan.FnScalar, Nulls: nulls, Overloads: o, Examples: []Example{{sql, want}}}
	}
	rewrite := func(d Def, elem int) Def { d.Rewrite = unifyElem(elem, lossless); return d }
	first := givesArg(0)
	sets := func(d Def) Def { d.Rewrite = unifyArrays; return d }
	two := func(ret func(c *plan.Call) (*types.Type, bool, error), k Kernel) Overload {
		return Overload{Params: params(anyP, anyP), RetExpr: ret, Eval: k}
	}
	either := retArrays(func(a, b bool) bool { return a || b })
	both := retArrays(func(a, b bool) bool { return a && b })
	left := retArrays(func(a, _ bool) bool { return a })
	nested := Accept{Name: "ARRAY<ARRAY>", Test: func(t *types.Type) bool { return t.Kind == types.Array && t.Elem.Kind == types.Array }}
	texts := Accept{Name: "ARRAY<STRING>", Types: []*types.Type{types.NewArray(types.StringType, true)}}
	shuffle := def("shuffle", "2.4.0", "Puts the elements in a random order.", "SELECT size(shuffle(array(1, 20, 3, 5)))", "4", NullIn, sig(first, shuffleLists, arrayP), sig(first, shuffleLists, arrayP, int64P))
	shuffle.Random = true
	add := func(name, usage, want string, front bool) Def {
		return rewrite(def(name, "3.4.0", usage, "SELECT "+name+"(array('b', 'd', 'c', 'a'), 'd')", want, NullKernel, Overload{Params: params(typedListP, anyP), RetExpr: retAdd(1, false), Eval: arrayAdd(front)}), 1)
	}
	return []Def{
		def("array_distinct", "2.4.0", "Takes repeated elements out.", "SELECT array_distinct(array(1, 2, 3, null, 3))", "[1,2,3,null]", NullIn, sig(first, arrayDistinct, arrayP)),
		sets(def("array_union", "2.4.0", "Gives the elements of either array, each once.", "SELECT array_union(array(1, 2, 3), array(1, 3, 5))", "[1,2,3,5]", NullIn, two(either, arraySets('u')))),
		sets(def("array_intersect", "2.4.0", "Gives the elements of both arrays, each once.", "SELECT array_intersect(array(1, 2, 3), array(1, 3, 5))", "[1,3]", NullIn, two(both, arraySets('i')))),
		sets(def("array_except", "2.4.0", "Gives the elements of the first array that the second lacks, each once.", "SELECT array_except(array(1, 2, 3), array(1, 3, 5))", "[2]", NullIn, two(left, arraySets('e')))),
		sets(def("arrays_overlap", "2.4.0", "Is true when two arrays have an element in common.", "SELECT arrays_overlap(array(1, 2, 3), array(3, 4, 5))", "true", NullMaybe,
			two(func(c *plan.Call) (*types.Type, bool, error) {
				w, null, err := either(c)
				return types.BoolType, null || err == nil && w.ElemNulls, err
			}, arraysOverlap))),
		def("sort_array", "1.5.0", "Sorts an array, upwards with nulls first, or downwards with nulls last.", "SELECT sort_array(array('b', 'd', null, 'c', 'a'), true)", `[null,"a","b","c","d"]`, NullIn, sig(first, sortLists(false), arrayP), sig(first, sortLists(false), arrayP, onlyBoolP)),
		def("array_join", "2.4.0", "Joins the texts of an array with a delimiter; nulls are left out, or replaced.", "SELECT array_join(array('hello', null, 'world'), ' ', ',')", "hello , world", NullIn,
			sig(gives(types.StringType), arrayJoin, texts, onlyTextP), sig(gives(types.StringType), arrayJoin, texts, onlyTextP, onlyTextP)),
		rewrite(def("array_position", "2.4.0", "Gives the position of an element, from 1; 0 if it isn't there.", "SELECT array_position(array(312, 773, 708, 708), 708)", "3", NullIn, sig(gives(types.Int64Type), arrayPosition, arrayP, anyP)), 1),
		rewrite(def("array_remove", "2.4.0", "Takes all elements equal to a value out.", "SELECT array_remove(array(1, 2, 3, null, 3), 3)", "[1,2,null]", NullIn, sig(first, arrayRemove, arrayP, anyP)), 1),
		def("array_repeat", "2.4.0", "Makes an array of a value so many times.", "SELECT array_repeat('123', 2)", `["123","123"]`, NullKernel, Overload{Params: params(anyP, onlyInt32P), RetExpr: func(c *plan.Call) (*types.Type, bool, error) {
			return types.NewArray(c.Args[0].Type(), c.Args[0].Nullable()), c.Args[1].Nullable(), nil
		}, Eval: arrayRepeat}),
		def("array_min", "2.4.0", "Gives the least element that isn't null.", "SELECT array_min(array(1, 20, null, 3))", "1", NullMaybe, sig(retElem, arrayEnd(1), arrayP)),
		def("array_max", "2.4.0", "Gives the greatest element.", "SELECT array_max(array(1, 20, null, 3))", "20", NullMaybe, sig(retElem, arrayEnd(-1), arrayP)),
		add("array_append", "Adds an element at the end of an array.", `["b","d","c","a","d"]`, false),
		add("array_prepend", "Adds an element at the start of an array.", `["d","b","d","c","a"]`, true),
		rewrite(def("array_insert", "3.4.0", "Puts an element at a position, from 1, or from -1 backwards; a gap becomes nulls.", "SELECT array_insert(array(5, 4, 3, 2), -1, 1)", "[5,4,3,2,1]", NullKernel, Overload{Params: params(arrayP, int32P, anyP), RetExpr: retAdd(2, true), Eval: arrayInsert}), 2),
		def("array_compact", "3.4.0", "Takes nulls out.", "SELECT array_compact(array(1, 2, 3, null))", "[1,2,3]", NullIn, sig(func(args []*types.Type) (*types.Type, error) { return types.NewArray(args[0].Elem, false), nil }, arrayCompact, arrayP)),
		def("flatten", "2.4.0", "Makes one array of an array of arrays.", "SELECT flatten(array(array(1, 2), array(3, 4)))", "[1,2,3,4]", NullMaybe, Overload{Params: params(nested), RetExpr: func(c *plan.Call) (*types.Type, bool, error) {
			t := c.Args[0].Type()
			if t.Kind != types.Array || t.Elem.Kind != types.Array {
				return nil, false, errs.Internalf("flatten of %s", t)
			}
			return t.Elem, c.Args[0].Nullable() || t.ElemNulls, nil
		}, Eval: flattenLists}),
		def("slice", "2.4.0", "Gives the part of an array from a position (from 1, or from -1 backwards) on, of a length.", "SELECT slice(array(1, 2, 3, 4), 2, 2)", "[2,3]", NullIn, sig(first, sliceLists, arrayP, int32P, int32P)),
		def("arrays_zip", "2.4.0", "Makes an array of structs of the elements at the same positions.", "SELECT arrays_zip(array(1, 2, 3), array(2, 3, 4))", `[{"0":1,"1":2},{"0":2,"1":3},{"0":3,"1":4}]`, NullIn, Overload{Params: params(arrayP), Variadic: true, VarMin0: true, RetExpr: retZip, Eval: arraysZip}),
		def("array_size", "3.3.0", "Counts the elements of an array.", "SELECT array_size(array('b', 'd', 'c', 'a'))", "4", NullIn, sig(gives(types.Int32Type), func(a *Args) (*vec.Vector, error) {
			out := make([]int32, a.N)
			for i, r := range vec.Refs(a.V[0])[:a.N] {
				out[i] = int32(r.Len())
			}
			return vec.FromSlice(a.Ret, out, nil), nil
		}, arrayP)),
		shuffle,
	}
}

func retZip(c *plan.Call) (*types.Type, bool, error) {
	s := &types.Type{Kind: types.Struct}
	null := false
	for i, e := range c.Args {
		name := strconv.Itoa(i)
		switch x := e.(type) {
		case *plan.Attr:
			name = x.Name
		case *plan.GetField:
			name = x.Name
		case *plan.Alias:
			name = x.Names[0]
		}
		elem := e.Type().Elem
		if elem == nil { // NULL without a type
			elem = types.NullType
		}
		s.Fields = append(s.Fields, types.Field{Name: name, Type: elem, Nullable: true})
		null = null || e.Nullable()
	}
	return types.NewArray(s, false), null, nil
}
