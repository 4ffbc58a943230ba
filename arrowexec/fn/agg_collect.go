package fn

import (
	"math"
	"slices"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// valueLog keeps all values of all groups in the order of arrival, chained by
// group: flat columns, no allocation a group. State: one array a column.
type valueLog struct {
	types      []*types.Type
	cols       []*vec.Builder
	head, tail []int32 // by group, index+1 of its first and last value
	count      []int32
	next       []int32 // by value, index+1 of the group's next
	skip       int     // rows where one of the first skip columns is null aren't kept
	// set keeps one of equal values of a group.
	set   bool
	zeros bool    // 0.0 is kept for -0.0
	table []int32 // open addressing over values, index+1
	owner []int32 // by value, its group; only with set
	cmp   []compareFn
	yield func() error
}

// logStep is how many values are moved between two yield points.
const logStep = 2048

func newLog(env *Env, t []*types.Type, skip int, set bool) valueLog {
	l := valueLog{types: t, skip: skip, set: set, yield: env.Yield}
	for _, c := range t {
		l.cmp = append(l.cmp, comparer(c))
	}
	l.Reset()
	return l
}

func (l *valueLog) Grow(g int) {
	l.head, l.tail, l.count = aggGrow(l.head, g), aggGrow(l.tail, g), aggGrow(l.count, g)
}

func (l *valueLog) Reset() {
	l.head, l.tail, l.count, l.next, l.owner = l.head[:0], l.tail[:0], l.count[:0], l.next[:0], l.owner[:0]
	clear(l.table)
	l.cols = l.cols[:0]
	for _, t := range l.types {
		l.cols = append(l.cols, vec.NewBuilder(t, 0))
	}
}

func (l *valueLog) Size() int64 {
	n := int64(cap(l.head)+cap(l.tail)+cap(l.count)+cap(l.next)+cap(l.table)+cap(l.owner)) * 4
	for _, b := range l.cols {
		n += b.Size()
	}
	return n
}

// views are the columns so far.
func (l *valueLog) views() []*vec.Vector {
	out := make([]*vec.Vector, len(l.cols))
	for i, b := range l.cols {
		out[i] = b.View()
		out[i].Type = l.types[i]
	}
	return out
}

func (l *valueLog) Update(group []int32, args []*vec.Vector, n int) error {
	var null []bool
	if l.skip > 0 {
		null = anyNull(args[:l.skip], n)
	}
	if null == nil {
		return l.add(group[:n], args[:len(l.cols)], nil, n)
	}
	idx, grp := make([]int32, 0, n), make([]int32, 0, n)
	for i := 0; i < n; i++ {
		if !null[i] {
			idx, grp = append(idx, int32(i)), append(grp, group[i])
		}
	}
	return l.add(grp, args[:len(l.cols)], idx, len(idx))
}

// add appends rows idx (nil: all n) to their groups.
func (l *valueLog) add(group []int32, args []*vec.Vector, idx []int32, n int) error {
	if len(l.next)+n >= 1<<31-2 {
		return errs.NotSupported("an aggregate that keeps more than 2^31 values in a task")
	}
	if l.set || l.zeros {
		args = slices.Clone(args)
		for i, v := range args {
			args[i] = positiveZeros(v)
		}
	}
	if l.set {
		return l.addSet(group, args, idx, n)
	}
	for c, b := range l.cols {
		v := args[c]
		if idx == nil {
			v = v.Slice(0, n)
		}
		if err := b.Room(v, idx, l.yield); err != nil {
			return err
		}
		if idx == nil {
			b.AppendVector(v)
		} else {
			b.AppendRows(v, idx)
		}
	}
	for _, g := range group {
		l.link(g)
	}
	return nil
}

// positiveZeros is v with 0.0 for -0.0, which is the same value: sets and mode keep the former.
func positiveZeros(v *vec.Vector) *vec.Vector {
	switch v.Layout {
	case vec.F64:
		return zerosOf[float64](v)
	case vec.F32:
		return zerosOf[float32](v)
	}
	w := v
	for k, c := range v.Child {
		if d := positiveZeros(c); d != c {
			if w == v {
				shared := *v
				w, shared.Child = &shared, slices.Clone(v.Child)
			}
			w.Child[k] = d
		}
	}
	return w
}

func zerosOf[T float32 | float64](v *vec.Vector) *vec.Vector {
	src := vec.Of[T](v)[:v.N]
	if !slices.ContainsFunc(src, func(x T) bool { return x == 0 && math.Signbit(float64(x)) }) {
		return v
	}
	out := slices.Clone(src)
	for i, x := range out {
		if x == 0 {
			out[i] = 0
		}
	}
	return vec.FromSlice(v.Type, out, v.Null)
}

func (l *valueLog) link(g int32) {
	l.next = append(l.next, 0)
	at := int32(len(l.next))
	if l.tail[g] == 0 {
		l.head[g] = at
	} else {
		l.next[l.tail[g]-1] = at
	}
	l.tail[g] = at
	l.count[g]++
}

func (l *valueLog) addSet(group []int32, args []*vec.Vector, idx []int32, n int) error {
	if need := (len(l.next) + n) * 2; need > len(l.table) {
		size := 64
		for size < need {
			size *= 2
		}
		var err error
		if l.table, err = vec.Zeroed[int32](size, l.yield); err != nil {
			return err
		}
		kept := l.views()
		for k := range l.next {
			if k%logStep == logStep-1 {
				if err := l.yield(); err != nil {
					return err
				}
			}
			l.table[l.slot(kept, k, l.owner[k], nil)] = int32(k + 1)
		}
	}
	// Values that are new among the kept ones, and among this call's.
	kept := l.views()
	base := len(l.next)
	var fresh []int32
	for i, g := range group {
		if i%logStep == logStep-1 {
			if err := l.yield(); err != nil {
				return err
			}
		}
		row := i
		if idx != nil {
			row = int(idx[i])
		}
		mask := uint64(len(l.table) - 1)
		at := l.hash(args, row, g) & mask
		for ; l.table[at] != 0; at = (at + 1) & mask {
			k := int(l.table[at] - 1)
			if l.owner[k] != g {
				continue
			}
			other, j := kept, k
			if k >= base {
				other, j = args, int(fresh[k-base])
			}
			if l.same(args, row, other, j) {
				break
			}
		}
		if l.table[at] != 0 {
			continue
		}
		fresh = append(fresh, int32(row))
		l.owner = append(l.owner, g)
		l.link(g)
		l.table[at] = int32(len(l.next))
	}
	for c, b := range l.cols {
		if err := b.Room(args[c], fresh, l.yield); err != nil {
			return err
		}
		b.AppendRows(args[c], fresh)
	}
	return nil
}

func (l *valueLog) hash(v []*vec.Vector, i int, g int32) uint64 {
	h := uint64(g) + 1
	for _, c := range v[:len(l.cols)] {
		h = hashValue(c, i, h)
	}
	return h ^ h>>29
}

// slot is a free place for kept value k.
func (l *valueLog) slot(kept []*vec.Vector, k int, g int32, _ []int32) uint64 {
	mask := uint64(len(l.table) - 1)
	at := l.hash(kept, k, g) & mask
	for l.table[at] != 0 {
		at = (at + 1) & mask
	}
	return at
}

func (l *valueLog) same(a []*vec.Vector, i int, b []*vec.Vector, j int) bool {
	for c, f := range l.cmp {
		if compareNulls(f, a[c], i, b[c], j) != 0 {
			return false
		}
	}
	return true
}

// rows appends the value indexes of group g, in order of arrival.
func (l *valueLog) rows(g int, idx []int32) ([]int32, error) {
	idx = slices.Grow(idx, int(l.count[g]))
	for at := l.head[g]; at != 0; at = l.next[at-1] {
		if idx = append(idx, at-1); len(idx)%logStep == 0 {
			if err := l.yield(); err != nil {
				return nil, err
			}
		}
	}
	return idx, nil
}

func (l *valueLog) State(from, to int) ([]*vec.Vector, error) {
	var idx []int32
	refs := make([]vec.Ref, to-from)
	for g := from; g < to; g++ {
		start := len(idx)
		var err error
		if idx, err = l.rows(g, idx); err != nil {
			return nil, err
		}
		refs[g-from] = vec.MakeRef(start, len(idx)-start)
	}
	out := make([]*vec.Vector, len(l.cols))
	for c, v := range l.views() {
		var parts []*vec.Vector
		for at := 0; at < max(len(idx), 1); at += logStep {
			parts = append(parts, v.Gather(idx[at:min(len(idx), at+logStep)]))
			if err := l.yield(); err != nil {
				return nil, err
			}
		}
		elems, err := vec.ConcatColumn(l.types[c], parts, l.yield)
		if err != nil {
			return nil, err
		}
		out[c] = listVec(types.NewArray(l.types[c], true), refs, elems)
	}
	return out, nil
}

func listVec(t *types.Type, refs []vec.Ref, elems *vec.Vector) *vec.Vector {
	v := vec.FromSlice(t, refs, nil)
	v.Layout = vec.List
	v.Child = []*vec.Vector{elems}
	return v
}

func (l *valueLog) Merge(group []int32, state []*vec.Vector, n int) error {
	// The columns' lists are of the same lengths, but may start elsewhere.
	idx := make([][]int32, len(l.cols))
	var grp []int32
	add := func() error {
		args := make([]*vec.Vector, len(l.cols))
		for c := range args {
			args[c] = state[c].Child[0].Gather(idx[c])
			idx[c] = idx[c][:0]
		}
		err := l.add(grp, args, nil, len(grp))
		if err == nil {
			err = l.yield()
		}
		grp = grp[:0]
		return err
	}
	for i := range n {
		if state[0].IsNull(i) {
			continue
		}
		size := vec.Refs(state[0])[i].Len()
		for k := range size {
			for c := range idx {
				idx[c] = append(idx[c], int32(vec.Refs(state[c])[i].Start()+k))
			}
			if grp = append(grp, group[i]); len(grp) == logStep {
				if err := add(); err != nil {
					return err
				}
			}
		}
	}
	if len(grp) == 0 {
		return nil
	}
	return add()
}

func logState(t []*types.Type) []*types.Type {
	out := make([]*types.Type, len(t))
	for i, c := range t {
		out[i] = types.NewArray(c, true)
	}
	return out
}

// collectAcc is collect_list and collect_set.
type collectAcc struct {
	valueLog
	ret *types.Type
}

func (a *collectAcc) Result(from, to int) (*vec.Vector, error) {
	s, err := a.State(from, to)
	if err != nil {
		return nil, err
	}
	s[0].Type = a.ret
	return s[0], nil
}

// finishAcc is an aggregate over all values of a group, computed at the end.
type finishAcc struct {
	valueLog
	ret *types.Type
	// finish adds the result of the values at idx to out (idx is its own to reorder).
	finish func(out *vec.Builder, vals []*vec.Vector, idx []int32) error
}

func (a *finishAcc) Result(from, to int) (*vec.Vector, error) {
	b := vec.NewBuilder(a.ret, to-from)
	vals := a.views()
	var idx []int32
	for g := from; g < to; g++ {
		var err error
		if idx, err = a.rows(g, idx[:0]); err != nil {
			return nil, err
		}
		if err := a.finish(b, vals, idx); err != nil {
			return nil, err
		}
	}
	v := b.Finish()
	v.Type = a.ret
	return v, nil
}

// unorderedKind names, as the JVM does, what keeps values of t from being ordered; "" where nothing does.
func unorderedKind(t *types.Type) string {
	switch {
	case t.Has(types.Variant):
		return "PhysicalVariantType"
	case t.Has(types.CalendarInterval):
		return "PhysicalCalendarIntervalType"
	}
	return ""
}

// newMode is mode(x [, deterministic]) and mode() WITHIN GROUP (ORDER BY x): the
// most frequent value. Of equally frequent ones the least (the greatest with
// DESC); mode(x) alone gives the one that comes first in Spark's hash table.
func newMode(a AggArgs) (Accumulator, error) {
	t := a.Args[0]
	desc := a.Call != nil && len(a.Call.Order) > 0 && a.Call.Order[0].Desc
	hashed := a.Call != nil && len(a.Call.Order) == 0
	if hashed && len(a.Call.Args) == 2 {
		d, _ := constant(a.Call.Args[1])
		hashed = d != true
	}
	cmp := comparer(t)
	f := &finishAcc{valueLog: newLog(a.Env, []*types.Type{t}, 1, false), ret: a.Ret}
	f.zeros = true
	unordered := ""
	if !hashed {
		unordered = unorderedKind(t)
	}
	f.finish = func(out *vec.Builder, vals []*vec.Vector, idx []int32) error {
		if len(idx) == 0 {
			out.AppendNull()
			return nil
		}
		if unordered != "" {
			return errs.New(errs.Runtime, "DATATYPE_CANNOT_ORDER", "dataType", unordered)
		}
		v := vals[0]
		if err := sortSteps(idx, func(x, y int32) int { return cmp(v, int(x), v, int(y)) }, a.Env.Yield); err != nil {
			return err
		}
		best, bestN := 0, 0
		var tied, heads []int32
		for i := 0; i < len(idx); {
			j := i + 1
			for j < len(idx) && cmp(v, int(idx[i]), v, int(idx[j])) == 0 {
				j++
			}
			if hashed {
				heads = append(heads, idx[i])
				if j-i > bestN {
					tied = tied[:0]
				}
				if j-i >= bestN {
					tied = append(tied, idx[i])
				}
			}
			if j-i > bestN || desc && j-i == bestN {
				best, bestN = i, j-i
			}
			i = j
		}
		if len(tied) > 1 {
			out.AppendRows(v, []int32{firstHashed(v, heads, tied)})
			return nil
		}
		out.AppendRows(v, idx[best:best+1])
		return nil
	}
	return f, nil
}

// newListagg is listagg(x [, delimiter]) [WITHIN GROUP (ORDER BY ...)].
func newListagg(a AggArgs) (Accumulator, error) {
	nArgs := len(a.Call.Args)
	var delim []byte
	if nArgs > 1 {
		v, ok := constant(a.Call.Args[1])
		if !ok {
			return nil, foldable(a.Call, "delimiter", a.Args[1], a.Call.Args[1])
		}
		switch d := v.(type) {
		case string:
			delim = []byte(d)
		case []byte:
			delim = d
		}
	}
	keep := append([]*types.Type{a.Args[0]}, a.Args[nArgs:]...)
	f := &listaggAcc{finishAcc{valueLog: newLog(a.Env, keep, 1, false), ret: a.Ret}, nArgs}
	order := sorter(a.Env, a.Call.Order, keep[1:])
	var buf []byte
	f.finish = func(out *vec.Builder, vals []*vec.Vector, idx []int32) error {
		if len(idx) == 0 {
			out.AppendNull()
			return nil
		}
		if err := order(vals[1:], idx); err != nil {
			return err
		}
		buf = buf[:0]
		for k, i := range idx {
			if k > 0 {
				buf = append(buf, delim...)
			}
			buf = append(buf, vals[0].Bytes(int(i))...)
		}
		out.AppendBytes(buf)
		return nil
	}
	return f, nil
}

// listaggAcc leaves the delimiter out of what is kept.
type listaggAcc struct {
	finishAcc
	args int
}

func (a *listaggAcc) Update(group []int32, args []*vec.Vector, n int) error {
	keep := append([]*vec.Vector{args[0]}, args[a.args:]...)
	return a.valueLog.Update(group, keep, n)
}

// sorter sorts row indexes by the keys of a WITHIN GROUP clause, stably.
func sorter(env *Env, order []plan.SortOrder, t []*types.Type) func(keys []*vec.Vector, idx []int32) error {
	if len(order) == 0 {
		return func([]*vec.Vector, []int32) error { return nil }
	}
	cmps := make([]compareFn, len(order))
	for i := range order {
		cmps[i] = comparer(t[i])
	}
	return func(keys []*vec.Vector, idx []int32) error {
		return sortSteps(idx, func(x, y int32) int {
			for k, f := range cmps {
				v := keys[k]
				xn, yn := v.IsNull(int(x)), v.IsNull(int(y))
				if xn || yn {
					if xn == yn {
						continue
					}
					if xn != order[k].NullsLast {
						return -1
					}
					return 1
				}
				if d := f(v, int(x), v, int(y)); d != 0 {
					if order[k].Desc {
						return -d
					}
					return d
				}
			}
			return 0
		}, env.Yield)
	}
}

// foldable is the error for an argument that must be constant.
func foldable(c *plan.Call, name string, t *types.Type, e plan.Expr) error {
	er := errs.New(errs.Analysis, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "inputName", errs.ID(name),
		"inputType", errs.Quote(t.SQL()), "inputExpr", errs.Quote(c.Name), "sqlExpr", errs.Quote(c.Name))
	er.State = "42K09"
	er.Text = "The argument " + name + " of " + c.Name + " must be a constant of type " + t.SQL() + "."
	if a, ok := e.(*plan.Attr); ok {
		er.Params["inputExpr"] = errs.Quote(a.Name)
	}
	return er.At(c.Pos())
}
