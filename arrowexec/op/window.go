package op

import (
	"io"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// window computes window functions over an input that is sorted by partition
// and order. It keeps input until a partition has ended, and then works on all
// partitions that are complete.
type window struct {
	unary
	node   *physical.Window
	env    *fn.Env
	part   []expr.Evaluator
	order  []expr.Evaluator
	fns    []*windowFn
	schema []*types.Type

	mem  *mem.Reservation
	kept []*vec.Batch // of partitions not yet complete: the input's columns, partition keys, order keys
	size int64
	last bool // the input has ended
	out  *vec.Batch
	sent int
}

// NewWindow computes the node's functions over in. A partition must fit in memory.
func NewWindow(in Operator, n *physical.Window, env *fn.Env) (Operator, error) {
	w := &window{unary: unary{in}, node: n, env: env}
	w.schema = append(w.schema, in.Schema()...)
	var err error
	if w.part, err = CompileKeys(n.Partition, env); err != nil {
		return nil, err
	}
	for _, o := range n.Order {
		e, err := Compile(o.Expr, env)
		if err != nil {
			return nil, err
		}
		w.order = append(w.order, e)
	}
	for _, f := range n.Fns {
		wf, err := newWindowFn(f, n.Order, env)
		if err != nil {
			return nil, err
		}
		w.fns = append(w.fns, wf)
		w.schema = append(w.schema, f.Func.T)
	}
	return w, nil
}

func (w *window) Open(c *task.Ctx) error {
	w.env.Yield = c.Yield
	w.mem = c.Mem.Reserve("Window", nil)
	return w.input.Open(c)
}

func (w *window) Schema() []*types.Type { return w.schema }

func (w *window) Close() error {
	w.kept, w.out = nil, nil
	if w.mem != nil {
		w.mem.Release()
		w.mem = nil
	}
	return w.input.Close()
}

func (w *window) Next(c *task.Ctx) (*vec.Batch, error) {
	for {
		if w.out != nil {
			from, to := w.sent, min(w.sent+batchRows(c.Conf), w.out.N)
			b := w.out.Slice(from, to)
			if w.sent = to; to == w.out.N {
				w.out = nil
				if err := w.mem.Resize(w.size); err != nil {
					return nil, err
				}
			}
			return b, c.Yield()
		}
		if w.last {
			return nil, io.EOF
		}
		b, err := w.input.Next(c)
		if eof(err) {
			w.last = true
			if err := w.compute(c); err != nil {
				return nil, err
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		if err := w.take(c, b); err != nil {
			return nil, err
		}
	}
}

// take adds a batch, and computes the partitions that it completes.
func (w *window) take(c *task.Ctx, b *vec.Batch) error {
	d := b.Compact()
	wide := &vec.Batch{N: d.N, Cols: append([]*vec.Vector{}, d.Cols...)}
	for _, e := range append(append([]expr.Evaluator{}, w.part...), w.order...) {
		v, err := e.Eval(d)
		if err != nil {
			return err
		}
		wide.Cols = append(wide.Cols, v)
	}
	// The last place in the batch where a partition begins.
	cut := -1
	keys := wide.Cols[len(d.Cols) : len(d.Cols)+len(w.part)]
	for i := d.N - 1; i > 0 && cut < 0; i-- {
		if !sameRow(keys, i-1, keys, i) {
			cut = i
		}
	}
	if cut < 0 && len(w.kept) > 0 {
		p := w.kept[len(w.kept)-1]
		if !sameRow(p.Cols[len(d.Cols):len(d.Cols)+len(w.part)], p.N-1, keys, 0) {
			cut = 0
		}
	}
	if cut < 0 {
		return w.keep(c, wide)
	}
	if cut > 0 {
		if err := w.keep(c, wide.Slice(0, cut)); err != nil {
			return err
		}
	}
	if err := w.compute(c); err != nil {
		return err
	}
	return w.keep(c, wide.Slice(cut, wide.N))
}

func (w *window) keep(c *task.Ctx, b *vec.Batch) error {
	n := b.LiveSize()
	if err := w.mem.Grow(n); err != nil {
		return err
	}
	w.size += n
	w.kept = append(w.kept, b)
	return c.Yield()
}

// chunk is complete partitions side by side.
type chunk struct {
	b     *vec.Batch // the input's columns
	start []int      // of partitions; and the end
	of    []int32    // by row, its partition
	peer  []bool     // by row, it equals the one before in the order, in the same partition
	order []*vec.Vector
	yield func() error
}

func (w *window) compute(c *task.Ctx) error {
	if len(w.kept) == 0 {
		return nil
	}
	width := len(w.kept[0].Cols) - len(w.part) - len(w.order)
	schema := append([]*types.Type{}, w.input.Schema()...)
	for _, v := range w.kept[0].Cols[width:] {
		schema = append(schema, v.Type)
	}
	n := 0
	for _, b := range w.kept {
		n += b.N
	}
	cols, err := concatAll(schema, w.kept, c.Yield)
	if err != nil {
		return err
	}
	w.kept, w.size = nil, 0
	keys := cols[width : width+len(w.part)]
	k := &chunk{b: &vec.Batch{N: n, Cols: cols[:width]}, order: cols[width+len(w.part):], of: make([]int32, n), peer: make([]bool, n), yield: c.Yield}
	k.start = append(k.start, 0)
	for i := 1; i < n; i++ {
		if !sameRow(keys, i-1, keys, i) {
			k.start = append(k.start, i)
		} else {
			k.peer[i] = sameRow(k.order, i-1, k.order, i)
		}
		k.of[i] = int32(len(k.start) - 1)
		if i%4096 == 0 {
			if err := c.Yield(); err != nil {
				return err
			}
		}
	}
	k.start = append(k.start, n)
	out := &vec.Batch{N: n, Cols: append([]*vec.Vector{}, k.b.Cols...)}
	for _, f := range w.fns {
		v, err := f.eval(k)
		if err != nil {
			return err
		}
		v2 := *v
		v2.Type = f.Func.T
		out.Cols = append(out.Cols, &v2)
	}
	w.out, w.sent = out, 0
	return nil
}
