package datasource

import (
	"fmt"
	"slices"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
)

// condition is one of a scan's filters.
type condition struct {
	expr.Predicate
	cols []int // that it reads
	// again: equal values give it equal results.
	again bool
	// coded: it may be evaluated once for each value of a dictionary, and that pays.
	coded bool
	// safe: it raises no error, so that it may see rows that others would have dropped.
	safe    bool
	cost    float64
	in, out int64 // rows seen and passed, of late
}

func newCondition(e plan.Expr, env *fn.Env) (*condition, error) {
	p, err := expr.CompilePredicate(e, env)
	if err != nil {
		return nil, err
	}
	k := &condition{Predicate: p, safe: expr.Infallible(e), cost: 1}
	again, calls := true, 0
	plan.Walk(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.Bound:
			if !slices.Contains(k.cols, e.Index) {
				k.cols = append(k.cols, e.Index)
			}
			if vec.LayoutOf(e.T) == vec.Bytes {
				calls += 2
			}
		case *plan.Call:
			if d := fn.Lookup(e.Name); d == nil || d.Random {
				again = false
			}
			calls++
		case *plan.UDF:
			again = false
		default:
			if _, lit := e.(*plan.Literal); !lit {
				calls++
			}
		}
		return true
	})
	k.cost += float64(calls)
	// One comparison of a number costs no more than looking into a table.
	k.again = again
	k.coded = again && len(k.cols) == 1 && calls > 1
	return k, nil
}

// reorder puts the conditions first that drop the most rows for their cost, as
// far as those pass that raise no error.
func reorder(list []*condition) {
	rank := func(k *condition) float64 {
		if k.in == 0 {
			return 0
		}
		return (1 - float64(k.out)/float64(k.in)) / k.cost
	}
	n := 0
	for n < len(list) && list[n].safe {
		n++
	}
	slices.SortStableFunc(list[:n], func(a, b *condition) int {
		switch x, y := rank(a), rank(b); {
		case x > y:
			return -1
		case x < y:
			return 1
		}
		return 0
	})
	for _, k := range list {
		k.in, k.out = k.in/2, k.out/2
	}
}

// window is the next rows of a scan while their columns are read one after the
// other, each only for the rows that are left by then.
type window struct {
	s     *scan
	n     int
	b     *vec.Batch // over the rows at
	at    []int32    // positions in the window; nil: all
	codes [][]int32  // by column: of the whole window, when read as codes
}

// window reads the next rows: the columns that filters need first, the others
// only for rows that are left. more is false at the unit's end; b is nil when no row is left.
func (s *scan) window(c *task.Ctx, limit int) (b *vec.Batch, more bool, err error) {
	defer func() { // arrow-go's codecs panic on broken input
		if p := recover(); p != nil {
			b, err = nil, fmt.Errorf("%w: %v", errCorrupt, p)
		}
	}()
	n, err := s.src.rows(c, limit)
	if err != nil || n == 0 {
		return nil, false, err
	}
	c.Stats.RowsIn.Add(int64(n))
	w := &window{s: s, n: n, b: &vec.Batch{N: n, Cols: make([]*vec.Vector, len(s.types))}}
	defer func() { vec.RecycleSlice(s.pool, w.at) }()
	for _, k := range s.preds {
		before := w.b.N
		if err := w.filter(c, k); err != nil {
			return nil, false, err
		}
		k.in += int64(before)
		k.out += int64(w.b.N)
		if w.b.N == 0 {
			break
		}
	}
	for _, k := range s.keys {
		if w.b.N == 0 {
			break
		}
		set, err := k.Set(c)
		if err != nil {
			return nil, false, err
		}
		if set == nil {
			continue
		}
		if err := w.need(c, k.Col); err != nil {
			return nil, false, err
		}
		if err := w.keep(k.Select(c, w.b, s.pool)); err != nil {
			return nil, false, err
		}
	}
	if w.b.N == 0 {
		return nil, true, w.drop(c)
	}
	for i := range s.types {
		if err := w.need(c, i); err != nil {
			return nil, false, err
		}
	}
	// A few rows of many: let go of the rest.
	if b := w.b; b.Sel != nil && b.N < b.Cols[0].N/8 {
		w.compact()
	}
	return w.b, true, nil
}

// drop passes over the columns that haven't been read.
func (w *window) drop(c *task.Ctx) error {
	for i, v := range w.b.Cols {
		if v == nil && (w.codes == nil || w.codes[i] == nil) {
			if err := w.s.src.skip(c, i, w.n); err != nil {
				return err
			}
		}
	}
	w.b.Free()
	return nil
}

func (w *window) filter(c *task.Ctx, k *condition) error {
	if k.coded && w.b.Cols[k.cols[0]] == nil {
		if g, ok := w.s.src.(*group); ok {
			table, err := g.table(k)
			if err != nil {
				return err
			}
			if table != nil {
				return w.look(g, k.cols[0], table)
			}
		}
	}
	for _, i := range k.cols {
		if err := w.need(c, i); err != nil {
			return err
		}
	}
	return w.keep(k.Select(w.b))
}

// keep takes what a filter has made of the batch.
func (w *window) keep(b *vec.Batch, err error) error {
	if err != nil {
		return err
	}
	b.OwnAll(w.b)
	w.b = b
	return nil
}

// look filters by the codes of column i: the rows stay whose code has a 1 in table.
func (w *window) look(g *group, i int, table []uint8) error {
	if w.codes == nil {
		w.codes = make([][]int32, len(w.b.Cols))
	}
	codes := w.codes[i]
	if codes == nil {
		var err error
		if codes, err = g.cols[i].codesOf(w.n); err != nil {
			return err
		}
		w.codes[i] = codes
	}
	out := vec.Scratch[int32](w.s.pool, w.b.N)
	n := 0
	switch {
	case w.b.Sel == nil && w.at == nil:
		for r, k := range codes {
			out[n] = int32(r)
			n += int(table[k])
		}
	case w.b.Sel == nil:
		for r, p := range w.at {
			out[n] = int32(r)
			n += int(table[codes[p]])
		}
	case w.at == nil:
		for _, r := range w.b.Sel {
			out[n] = r
			n += int(table[codes[r]])
		}
	default:
		for _, r := range w.b.Sel {
			out[n] = r
			n += int(table[codes[w.at[r]]])
		}
	}
	if n == w.b.N {
		vec.RecycleSlice(w.s.pool, out)
		return nil
	}
	b := &vec.Batch{N: n, Cols: w.b.Cols, Sel: out[:n]}
	b.OwnSel(w.s.pool)
	return w.keep(b, nil)
}

// need reads column i, unless that has been done.
func (w *window) need(c *task.Ctx, i int) error {
	if w.b.Cols[i] != nil {
		return nil
	}
	rows := w.n
	if w.at != nil {
		rows = len(w.at)
	}
	if w.b.Sel != nil && w.b.N < rows/2 {
		w.compact()
	}
	var v *vec.Vector
	var err error
	own := true
	switch g, ok := w.s.src.(*group); {
	case w.codes != nil && w.codes[i] != nil:
		codes := w.codes[i]
		if w.at != nil {
			some := make([]int32, len(w.at))
			for k, r := range w.at {
				some[k] = codes[r]
			}
			codes = some
		}
		v = g.cols[i].decode(codes)
	case w.at == nil:
		own = ok && g.cols[i] != nil
		v, err = w.s.src.column(c, i, w.n)
	default:
		own = ok && g.cols[i] != nil
		v, err = w.s.src.pick(c, i, w.n, w.at)
	}
	if err != nil {
		return err
	}
	w.b.Cols[i] = v
	if own {
		w.b.Own(w.s.pool, v)
	}
	return c.Yield()
}

// compact leaves only the rows at hand in the columns that have been read.
func (w *window) compact() {
	sel := w.b.Sel
	b := &vec.Batch{N: w.b.N, Cols: make([]*vec.Vector, len(w.b.Cols))}
	for i, v := range w.b.Cols {
		if v != nil {
			b.Cols[i] = v.GatherPool(w.s.pool, sel)
			b.Own(w.s.pool, b.Cols[i])
		}
	}
	at := vec.Scratch[int32](w.s.pool, len(sel))
	if w.at == nil {
		copy(at, sel)
	} else {
		for k, r := range sel {
			at[k] = w.at[r]
		}
		vec.RecycleSlice(w.s.pool, w.at)
	}
	w.at = at
	w.b.Free()
	w.b = b
}

// table says for each code of the chunk's dictionary whether k holds; nil if that can't be said.
func (g *group) table(k *condition) ([]uint8, error) {
	if t, ok := g.tables[k]; ok {
		return t, nil
	}
	var table []uint8
	i := k.cols[0]
	if col := g.cols[i]; col != nil {
		dict, err := col.dictionary()
		if err != nil {
			return nil, err
		}
		if dict != nil && dict.N <= max(g.left/4, 256) {
			b := &vec.Batch{N: dict.N, Cols: make([]*vec.Vector, len(g.cols))}
			b.Cols[i] = dict
			// A value that fails here may be in none of the rows that are left.
			if yes, err := k.Select(b); err == nil {
				table = tableOf(yes, dict.N)
			}
		}
	}
	g.tables[k] = table
	return table, nil
}

func tableOf(yes *vec.Batch, n int) []uint8 {
	table := make([]uint8, n)
	if yes.Sel == nil && yes.N == n {
		for i := range table {
			table[i] = 1
		}
		return table
	}
	for _, r := range yes.Sel[:yes.N] {
		table[r] = 1
	}
	return table
}
