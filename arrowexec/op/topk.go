package op

import (
	"bytes"
	"io"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// TopKMax is the most rows (limit and offset) for which NewTopK is the right
// operator; beyond it sort and limit.
const TopKMax = 1 << 16

// topK keeps the first k rows of an order. Candidates gather until there are
// several times k; then the worst are dropped, and the k-th key is the bar that later
// rows must get under before they are looked at again.
type topK struct {
	unary
	keys   []expr.Evaluator
	order  []vec.KeyOrder
	k      int
	offset int

	mem     *mem.Reservation
	held    []*vec.Batch
	enc     []*vec.SortKeys
	n       int
	bar     []byte // key of the k-th row; nil until there are k
	out     *vec.Batch
	at      int
	started bool
	sorted  Operator // instead of all that, when the first k rows don't fit in memory
}

// NewTopK returns an operator that emits rows offset .. offset+limit of in's
// rows in order. Ties are cut anywhere.
func NewTopK(in Operator, keys []expr.Evaluator, order []vec.KeyOrder, limit, offset int64) Operator {
	return &topK{unary: unary{in}, keys: keys, order: order, k: int(limit + offset), offset: int(offset)}
}

func (t *topK) Open(c *task.Ctx) error {
	t.mem = c.Mem.Reserve("topk", nil)
	return t.input.Open(c)
}

func (t *topK) Schema() []*types.Type { return t.input.Schema() }

func (t *topK) Next(c *task.Ctx) (*vec.Batch, error) {
	if !t.started {
		if err := t.consume(c); err != nil {
			return nil, err
		}
		t.started = true
		t.at = t.offset
	}
	if t.sorted != nil {
		return t.sorted.Next(c)
	}
	if t.out == nil || t.at >= t.out.N {
		return nil, io.EOF
	}
	to := min(t.out.N, t.at+batchRows(c.Conf))
	b := t.out.Slice(t.at, to)
	t.at = to
	return b, c.Yield()
}

func (t *topK) consume(c *task.Ctx) error {
	if t.k <= 0 {
		return nil
	}
	for {
		b, err := t.input.Next(c)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := t.add(c, b); short(err) {
			return t.spill(c, b)
		} else if err != nil {
			return err
		}
		if err := c.Yield(); err != nil {
			return err
		}
	}
	if t.n == 0 {
		return nil
	}
	return t.cut(c)
}

// spill hands the candidates, b and the rest of the input to a sort, which can
// write them to disk.
func (t *topK) spill(c *task.Ctx, b *vec.Batch) error {
	in := &after{Operator: t.input, first: append(t.held, b)}
	t.held, t.enc, t.bar, t.n = nil, nil, nil, 0
	if err := t.mem.Resize(0); err != nil {
		return err
	}
	s := &sortOp{unary: unary{in}, keys: t.keys, order: t.order}
	t.sorted = NewLimit(s, int64(t.k-t.offset), int64(t.offset))
	return t.sorted.Open(c)
}

// after emits batches, and then an operator that is open already.
type after struct {
	Operator
	first []*vec.Batch
}

func (a *after) Open(*task.Ctx) error { return nil }

func (a *after) Next(c *task.Ctx) (*vec.Batch, error) {
	if len(a.first) > 0 {
		b := a.first[0]
		a.first = a.first[1:]
		return b, c.Yield()
	}
	return a.Operator.Next(c)
}

// add keeps the rows of b that may be among the first k.
func (t *topK) add(c *task.Ctx, b *vec.Batch) error {
	cols, err := evalAll(t.keys, b, nil)
	if err != nil {
		return err
	}
	if t.bar == nil {
		return t.keep(c, b, vec.EncodeSortKeys(cols, t.order, nil, b.N), nil)
	}
	// Few rows get under the bar: their keys are made in steps, and kept only then.
	var sel []int32
	enc := &vec.SortKeys{}
	for from := 0; from < b.N; from += topKStep {
		to := min(b.N, from+topKStep)
		part := make([]*vec.Vector, len(cols))
		for i, v := range cols {
			part[i] = v.Slice(from, to)
		}
		k := vec.EncodeSortKeys(part, t.order, nil, to-from)
		enc.Width = k.Width
		if k.Off != nil && enc.Off == nil {
			enc.Off = make([]int, 1, 16)
		}
		for i := range to - from {
			if key := k.Key(i); bytes.Compare(key, t.bar) < 0 {
				sel = append(sel, int32(from+i))
				enc.Buf = append(enc.Buf, key...)
				if enc.Off != nil {
					enc.Off = append(enc.Off, len(enc.Buf))
				}
			}
		}
		if err := c.Yield(); err != nil {
			return err
		}
	}
	return t.keep(c, b, enc, sel)
}

// topKStep is how many rows' keys are made between two yield points.
const topKStep = 512

// keep adds rows of b to the candidates: those of sel, or all if that is nil. enc has their keys.
func (t *topK) keep(c *task.Ctx, b *vec.Batch, enc *vec.SortKeys, sel []int32) error {
	if sel == nil && t.bar == nil {
		sel = make([]int32, b.N)
		for i := range sel {
			sel[i] = int32(i)
		}
	}
	if len(sel) == 0 {
		return nil
	}
	if len(sel) < b.N {
		if b.Sel != nil {
			for i, s := range sel {
				sel[i] = b.Sel[s]
			}
		}
		b = &vec.Batch{N: len(sel), Cols: b.Cols, Sel: sel}
	}
	if b.Sel != nil { // own the rows: a few of a batch must not keep all of it
		var err error
		if b, err = vec.ConcatSteps(t.Schema(), []*vec.Batch{b}, c.Yield); err != nil {
			return err
		}
	}
	if err := t.mem.Grow(b.LiveSize() + enc.Size()); err != nil {
		return err
	}
	t.held, t.enc, t.n = append(t.held, b), append(t.enc, enc), t.n+b.N
	if t.n >= 2*t.k+4*vec.DefaultRows || t.bar == nil && t.n >= 2*t.k {
		return t.cut(c)
	}
	return nil
}

// pickKeys copies the keys of some rows.
func pickKeys(k *vec.SortKeys, rows []int32) *vec.SortKeys {
	out := &vec.SortKeys{Width: k.Width}
	if k.Off != nil {
		out.Off = make([]int, 1, len(rows)+1)
	}
	for _, i := range rows {
		out.Buf = append(out.Buf, k.Key(int(i))...)
		if out.Off != nil {
			out.Off = append(out.Off, len(out.Buf))
		}
	}
	return out
}

// cut sorts the candidates and keeps the first k.
func (t *topK) cut(c *task.Ctx) error {
	all := &vec.SortKeys{Width: t.enc[0].Width}
	size := 0
	for _, e := range t.enc {
		size += len(e.Buf)
	}
	all.Buf = make([]byte, 0, size)
	if t.enc[0].Off != nil {
		all.Off = make([]int, 1, t.n+1)
	}
	entries := make([]entry, 0, t.n)
	for _, e := range t.enc {
		base := len(all.Buf)
		all.Buf = append(all.Buf, e.Buf...)
		if e.Off != nil {
			for _, o := range e.Off[1:] {
				all.Off = append(all.Off, base+o)
			}
		}
		if err := c.Yield(); err != nil {
			return err
		}
	}
	for i := range t.n {
		entries = append(entries, entry{row: int32(i)})
	}
	s := &sorter{keys: all, yield: c.Yield}
	if err := s.sortFresh(entries); err != nil {
		return err
	}
	n := min(t.k, t.n)
	idx := make([]int32, n)
	for i := range idx {
		idx[i] = entries[i].row
	}
	cols, err := concatAll(t.Schema(), t.held, c.Yield)
	if err != nil {
		return err
	}
	if t.out, err = vec.ConcatSteps(t.Schema(), []*vec.Batch{{N: n, Cols: cols, Sel: idx}}, c.Yield); err != nil {
		return err
	}
	enc := pickKeys(all, idx)
	t.held, t.enc, t.n = []*vec.Batch{t.out}, []*vec.SortKeys{enc}, n
	if n == t.k {
		t.bar = enc.Key(n - 1)
	}
	return t.mem.Resize(t.out.LiveSize() + enc.Size())
}

func (t *topK) Close() error {
	t.held, t.enc, t.out = nil, nil, nil
	if t.sorted != nil {
		err := t.sorted.Close()
		t.sorted = nil
		if err != nil {
			return err
		}
	}
	if t.mem != nil {
		t.mem.Release()
	}
	return t.input.Close()
}
