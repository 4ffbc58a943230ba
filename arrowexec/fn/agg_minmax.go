package fn

import (
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

type ordFixed interface {
	~int8 | ~uint8 | ~int16 | ~int32 | ~int64 | ~float32 | ~float64
	vec.Fixed
}

// extremeAcc is min or max of fixed-width values.
type extremeAcc[T ordFixed] struct {
	t   *types.Type
	val []T
	has []bool
	max bool
}

func (a *extremeAcc[T]) Grow(g int) { a.val, a.has = aggGrow(a.val, g), aggGrow(a.has, g) }

func (a *extremeAcc[T]) Update(group []int32, args []*vec.Vector, n int) error {
	v := args[0]
	if v.Layout == vec.None {
		return nil
	}
	src := vec.Of[T](v)[:n]
	group = group[:len(src)]
	val, has := a.val, a.has
	if a.max {
		for i, x := range src {
			if v.Null != nil && v.Null[i] {
				continue
			}
			g := group[i]
			if !has[g] || x > val[g] || x != x { // NaN is the greatest
				val[g], has[g] = x, true
			}
		}
		return nil
	}
	for i, x := range src {
		if v.Null != nil && v.Null[i] {
			continue
		}
		g := group[i]
		if cur := val[g]; !has[g] || x < cur || cur != cur {
			val[g], has[g] = x, true
		}
	}
	return nil
}

func (a *extremeAcc[T]) Merge(group []int32, state []*vec.Vector, n int) error {
	return a.Update(group, state, n)
}

func (a *extremeAcc[T]) State(from, to int) ([]*vec.Vector, error) {
	v, err := a.Result(from, to)
	return []*vec.Vector{v}, err
}

func (a *extremeAcc[T]) Result(from, to int) (*vec.Vector, error) {
	return fixedVec(a.t, a.val[from:to], a.has[from:to]), nil
}

func (a *extremeAcc[T]) Size() int64 { return int64(cap(a.val))*8 + int64(cap(a.has)) }
func (a *extremeAcc[T]) Reset()      { a.val, a.has = a.val[:0], a.has[:0] }

// rowStore keeps one chosen row a group, of one or more columns, by pointing
// into the batches it came from. When those have many more rows than are
// pointed at, the chosen rows are copied together.
type rowStore struct {
	types  []*types.Type
	chunks [][]*vec.Vector
	at     []int64 // chunk<<32 | row; valid where has
	has    []bool
	rows   int // of all chunks
	bytes  int64
	open   bool // the last chunk is the batch that is being looked at
}

func (s *rowStore) Grow(g int) { s.at, s.has = aggGrow(s.at, g), aggGrow(s.has, g) }

// begin starts a batch: choose keeps its rows only if one is chosen.
func (s *rowStore) begin() { s.open = false }

func (s *rowStore) choose(g int32, cols []*vec.Vector, row int) {
	if !s.open {
		s.chunks = append(s.chunks, cols)
		s.rows += cols[0].N
		for _, c := range cols {
			s.bytes += c.Size()
		}
		s.open = true
	}
	s.at[g] = int64(len(s.chunks)-1)<<32 | int64(row)
	s.has[g] = true
}

// get returns column c of the row of g: a vector and an index into it.
func (s *rowStore) get(g int32, c int) (*vec.Vector, int) {
	at := s.at[g]
	return s.chunks[at>>32][c], int(uint32(at))
}

// end closes a batch, and copies when too much is kept for too little.
func (s *rowStore) end() {
	s.open = false
	if s.rows > 2*len(s.at)+4*vec.DefaultRows {
		cols := s.gather(0, len(s.at))
		s.chunks, s.rows, s.bytes = [][]*vec.Vector{cols}, cols[0].N, 0
		for _, c := range cols {
			s.bytes += c.Size()
		}
		for g := range s.at {
			s.at[g] = int64(g)
		}
	}
}

// gather copies the rows of groups from..to; null where a group has none.
func (s *rowStore) gather(from, to int) []*vec.Vector {
	out := make([]*vec.Vector, len(s.types))
	if len(s.chunks) == 0 {
		for c, t := range s.types {
			out[c] = vec.MakeNull(t, to-from)
		}
		return out
	}
	// Rows by chunk, then one permutation to the groups' order.
	start := make([]int32, len(s.chunks)+1)
	for g := from; g < to; g++ {
		if s.has[g] {
			start[s.at[g]>>32+1]++
		}
	}
	for k := 1; k < len(start); k++ {
		start[k] += start[k-1]
	}
	total := int(start[len(s.chunks)])
	rows := make([]int32, total)
	perm := make([]int32, to-from)
	fill := append([]int32{}, start...)
	for g := from; g < to; g++ {
		if !s.has[g] {
			perm[g-from] = -1
			continue
		}
		k := s.at[g] >> 32
		rows[fill[k]] = int32(uint32(s.at[g]))
		perm[g-from] = fill[k]
		fill[k]++
	}
	for c, t := range s.types {
		b := vec.NewBuilder(t, total)
		for k, chunk := range s.chunks {
			if idx := rows[start[k]:start[k+1]]; len(idx) > 0 {
				b.AppendRows(chunk[c], idx)
			}
		}
		v := b.Finish()
		v.Type = t
		out[c] = v.GatherNulls(perm)
	}
	return out
}

func (s *rowStore) Size() int64 { return s.bytes + int64(cap(s.at))*8 + int64(cap(s.has)) }

func (s *rowStore) Reset() {
	s.at, s.has, s.chunks, s.rows, s.bytes, s.open = s.at[:0], s.has[:0], nil, 0, 0, false
}

// pickAcc is min, max (one column), min_by and max_by (value, key): the row
// whose last column is the least or the greatest; of equals the first stays.
type pickAcc struct {
	rowStore
	cmp compareFn
	max bool
	by  bool
}

func newPick(args []*types.Type, max, by bool) *pickAcc {
	key := args[len(args)-1]
	return &pickAcc{rowStore: rowStore{types: args}, cmp: comparer(key), max: max, by: by}
}

func (a *pickAcc) Update(group []int32, args []*vec.Vector, n int) error {
	last := len(args) - 1
	key := args[last]
	if key.Layout == vec.None {
		return nil
	}
	a.begin()
	for i := 0; i < n; i++ {
		if key.Null != nil && key.Null[i] {
			continue
		}
		g := group[i]
		if a.has[g] {
			cur, at := a.get(g, last)
			if d := a.cmp(key, i, cur, at); a.max && d <= 0 || !a.max && d >= 0 {
				if !a.by || d != 0 {
					continue
				}
				// min_by and max_by take the last of equal keys, as Spark's update expression does
			}
		}
		a.choose(g, args, i)
	}
	a.end()
	return nil
}

func (a *pickAcc) Merge(group []int32, state []*vec.Vector, n int) error {
	return a.Update(group, state, n)
}

func (a *pickAcc) State(from, to int) ([]*vec.Vector, error) { return a.gather(from, to), nil }

func (a *pickAcc) Result(from, to int) (*vec.Vector, error) { return a.gather(from, to)[0], nil }

// firstAcc is first, last and any_value. State: the value, and whether there is one.
type firstAcc struct {
	rowStore
	last, skipNulls bool
}

func (a *firstAcc) Update(group []int32, args []*vec.Vector, n int) error {
	v := args[:1]
	a.begin()
	for i := 0; i < n; i++ {
		g := group[i]
		if a.has[g] && !a.last || a.skipNulls && v[0].IsNull(i) {
			continue
		}
		a.choose(g, v, i)
	}
	a.end()
	return nil
}

func (a *firstAcc) Merge(group []int32, state []*vec.Vector, n int) error {
	set := vec.Of[bool](state[1])
	v := state[:1]
	a.begin()
	for i := 0; i < n; i++ {
		g := group[i]
		if !set[i] || a.has[g] && !a.last {
			continue
		}
		a.choose(g, v, i)
	}
	a.end()
	return nil
}

func (a *firstAcc) State(from, to int) ([]*vec.Vector, error) {
	return []*vec.Vector{a.gather(from, to)[0], fixedVec(types.BoolType, a.has[from:to], nil)}, nil
}

func (a *firstAcc) Result(from, to int) (*vec.Vector, error) { return a.gather(from, to)[0], nil }

// bitAcc is bit_and, bit_or, bit_xor.
type bitAcc[T interface {
	aggInt
	vec.Fixed
}] struct {
	t   *types.Type
	val []T
	has []bool
	op  byte // '&', '|', '^'
}

func (a *bitAcc[T]) Grow(g int) { a.val, a.has = aggGrow(a.val, g), aggGrow(a.has, g) }

func (a *bitAcc[T]) Update(group []int32, args []*vec.Vector, n int) error {
	v := args[0]
	if v.Layout == vec.None {
		return nil
	}
	for i, x := range vec.Of[T](v)[:n] {
		if v.Null != nil && v.Null[i] {
			continue
		}
		g := group[i]
		switch {
		case !a.has[g]:
			a.val[g], a.has[g] = x, true
		case a.op == '&':
			a.val[g] &= x
		case a.op == '|':
			a.val[g] |= x
		default:
			a.val[g] ^= x
		}
	}
	return nil
}

func (a *bitAcc[T]) Merge(group []int32, state []*vec.Vector, n int) error {
	return a.Update(group, state, n)
}

func (a *bitAcc[T]) State(from, to int) ([]*vec.Vector, error) {
	v, err := a.Result(from, to)
	return []*vec.Vector{v}, err
}

func (a *bitAcc[T]) Result(from, to int) (*vec.Vector, error) {
	return fixedVec(a.t, a.val[from:to], a.has[from:to]), nil
}

func (a *bitAcc[T]) Size() int64 { return int64(cap(a.val))*8 + int64(cap(a.has)) }
func (a *bitAcc[T]) Reset()      { a.val, a.has = a.val[:0], a.has[:0] }

// newExtreme makes min or max over values of t.
func newExtreme(t *types.Type, max bool) Accumulator {
	switch vec.LayoutOf(t) {
	case vec.Byte:
		return &extremeAcc[uint8]{t: t, max: max}
	case vec.I8:
		return &extremeAcc[int8]{t: t, max: max}
	case vec.I16:
		return &extremeAcc[int16]{t: t, max: max}
	case vec.I32:
		return &extremeAcc[int32]{t: t, max: max}
	case vec.I64:
		return &extremeAcc[int64]{t: t, max: max}
	case vec.F32:
		return &extremeAcc[float32]{t: t, max: max}
	case vec.F64:
		return &extremeAcc[float64]{t: t, max: max}
	}
	return newPick([]*types.Type{t}, max, false)
}

func newBits(t *types.Type, op byte) Accumulator {
	switch vec.LayoutOf(t) {
	case vec.I8:
		return &bitAcc[int8]{t: t, op: op}
	case vec.I16:
		return &bitAcc[int16]{t: t, op: op}
	case vec.I32:
		return &bitAcc[int32]{t: t, op: op}
	}
	return &bitAcc[int64]{t: t, op: op}
}

// newSum makes sum in one of its modes.
func newSum(a AggArgs, mode plan.EvalMode) Accumulator {
	t := a.Args[0]
	if t.Kind == types.Null {
		return &sumFloatAcc{}
	}
	if t.Kind == types.Decimal {
		return &sumDecAcc{arg: t, ret: a.Ret, sumType: a.Ret, mode: mode, call: a.Call, name: "sum"}
	}
	switch vec.LayoutOf(t) {
	case vec.I8:
		return &sumIntAcc[int8]{ret: a.Ret, mode: mode, call: a.Call, name: "sum"}
	case vec.I16:
		return &sumIntAcc[int16]{ret: a.Ret, mode: mode, call: a.Call, name: "sum"}
	case vec.I32:
		return &sumIntAcc[int32]{ret: a.Ret, mode: mode, call: a.Call, name: "sum", limit32: t.Kind == types.YearMonthInterval}
	case vec.I64:
		return &sumIntAcc[int64]{ret: a.Ret, mode: mode, call: a.Call, name: "sum"}
	}
	return &sumFloatAcc{}
}

// newAvg makes avg in one of its modes.
func newAvg(a AggArgs, mode plan.EvalMode) Accumulator {
	t := a.Args[0]
	switch {
	case t.Kind == types.Decimal:
		return &sumDecAcc{arg: t, ret: a.Ret, avg: true, mode: mode, call: a.Call, name: "avg",
			sumType: types.NewDecimal(min(t.Precision+10, types.MaxPrecision), t.Scale)}
	case t.IsAnsiInterval():
		return &sumDecAcc{arg: t, ret: a.Ret, avg: true, mode: mode, call: a.Call, name: "avg"}
	}
	return &sumFloatAcc{avg: true}
}

// NewSliding makes an accumulator that can retract, for frames that slide: of
// sums, averages and counts of exact types. nil: the function has none, and
// frames are computed anew or by a segment tree.
func NewSliding(env *Env, c *plan.Call) (Accumulator, error) {
	acc, err := NewAccumulator(env, c)
	if err != nil || acc == nil {
		return nil, err
	}
	if _, ok := acc.(Retractor); ok {
		return acc, nil
	}
	if len(c.Args) == 1 && c.T != nil {
		t := c.Args[0].Type()
		mode := c.Mode
		if c.Name == "try_sum" {
			mode = plan.Try
		}
		exact := t.IsIntegral() || t.IsAnsiInterval()
		if exact && (c.Name == "sum" || c.Name == "try_sum") && mode != plan.Legacy {
			return &sumDecAcc{arg: t, ret: c.T, mode: mode, call: c, name: "sum"}, nil
		}
	}
	return nil, nil
}
