package op

import (
	"errors"
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

	mem     *mem.Reservation // of out, and of what computing it takes
	c       *task.Ctx
	wide    []*types.Type // the input's columns, partition keys, order keys
	kept    *rowBuffer    // rows of the partition that hasn't ended, wide
	lastKey *vec.Batch    // a wide row, the last of kept
	pending *vec.Batch    // wide rows after run's partition
	run     *windowRun
	last    bool // the input has ended
	out     *vec.Batch
	sent    int
}

// NewWindow computes the node's functions over in. A partition that doesn't fit
// in memory is computed from a file if all functions can be: all but those whose
// frames go from near a row to the partition's end, or are RANGE by an offset,
// and those that pass over nulls.
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
	w.c = c
	w.mem = c.Mem.Reserve("window", nil)
	w.wide = append([]*types.Type{}, w.input.Schema()...)
	for _, e := range append(append([]expr.Evaluator{}, w.part...), w.order...) {
		w.wide = append(w.wide, e.Type())
	}
	w.kept = newRowBuffer(c, "window", w.wide)
	return w.input.Open(c)
}

func (w *window) Schema() []*types.Type { return w.schema }

func (w *window) Close() error {
	first := w.run.close()
	if err := w.kept.close(); err != nil && first == nil {
		first = err
	}
	w.kept, w.run, w.out, w.pending, w.lastKey = nil, nil, nil, nil, nil
	if w.mem != nil {
		w.mem.Release()
		w.mem = nil
	}
	if err := w.input.Close(); err != nil {
		return err
	}
	return first
}

func (w *window) Next(c *task.Ctx) (*vec.Batch, error) {
	for {
		if w.out != nil {
			from, to := w.sent, min(w.sent+batchRows(c.Conf), w.out.N)
			b := w.out.Slice(from, to)
			if w.sent = to; to == w.out.N {
				w.out = nil
				if err := w.mem.Resize(0); err != nil {
					return nil, err
				}
			}
			return b, c.Yield()
		}
		if w.run != nil {
			b, err := w.run.next(c)
			if !eof(err) {
				return b, err
			}
			err = w.run.close()
			w.run = nil
			if err == nil {
				err = w.mem.Resize(0)
			}
			if err != nil {
				return nil, err
			}
		}
		if p := w.pending; p != nil {
			w.pending = nil
			if err := w.take(c, p); err != nil {
				return nil, err
			}
			continue
		}
		if w.last {
			return nil, io.EOF
		}
		b, err := w.input.Next(c)
		if eof(err) {
			w.last = true
			if w.kept.rows > 0 {
				if err := w.complete(c, nil); err != nil {
					return nil, err
				}
			}
			continue
		}
		if err != nil {
			return nil, err
		}
		d := b.Compact()
		wide := &vec.Batch{N: d.N, Cols: append([]*vec.Vector{}, d.Cols...)}
		for _, e := range append(append([]expr.Evaluator{}, w.part...), w.order...) {
			v, err := e.Eval(d)
			if err != nil {
				return nil, err
			}
			wide.Cols = append(wide.Cols, v)
		}
		if err := w.take(c, wide); err != nil {
			return nil, err
		}
	}
}

// take adds rows, and computes the partitions that they complete.
func (w *window) take(c *task.Ctx, b *vec.Batch) error {
	keys := w.keys(b)
	first, cut := -1, -1 // the first and the last place where a partition begins
	if w.lastKey != nil && !sameRow(w.keys(w.lastKey), 0, keys, 0) {
		first, cut = 0, 0
	}
	for i := b.N - 1; i > max(cut, 0); i-- {
		if !sameRow(keys, i-1, keys, i) {
			cut = i
			break
		}
	}
	for i := 1; first < 0 && i <= cut; i++ {
		if !sameRow(keys, i-1, keys, i) {
			first = i
		}
	}
	if cut < 0 {
		return w.keep(b)
	}
	if first > 0 {
		if err := w.keep(b.Slice(0, first)); err != nil {
			return err
		}
	}
	var more *vec.Batch // whole partitions
	if first < cut {
		more = b.Slice(first, cut)
	}
	w.lastKey = nil
	w.pending = b.Slice(cut, b.N)
	return w.complete(c, more)
}

func (w *window) keys(b *vec.Batch) []*vec.Vector {
	n := len(w.input.Schema())
	return b.Cols[n : n+len(w.part)]
}

func (w *window) keep(b *vec.Batch) error {
	w.lastKey = b.Slice(b.N-1, b.N).Compact()
	return w.kept.add(b)
}

// complete computes the partition kept, and the whole ones in more (or nil).
// The first may go to a file; the others are no more than a batch.
func (w *window) complete(c *task.Ctx, more *vec.Batch) error {
	kept := w.kept
	w.kept = newRowBuffer(c, "window", w.wide)
	if held, ok := kept.take(); ok {
		if more != nil {
			held = append(held, more)
		}
		need := w.cost(held)
		if w.mem.Try(need) || len(held) == 0 {
			if err := kept.close(); err != nil {
				return err
			}
			return w.compute(c, held)
		}
		if more != nil {
			held = held[:len(held)-1]
		}
		for _, h := range held { // back
			kept.held, kept.rows = append(kept.held, h), kept.rows+int64(h.N)
		}
	}
	if kept.rows == 0 { // a batch's partitions, and no memory for them: one by one
		end := 1
		for keys := w.keys(more); end < more.N && sameRow(keys, end-1, keys, end); end++ {
		}
		if err := kept.add(more.Slice(0, end)); err != nil {
			return errors.Join(err, kept.close())
		}
		if more = more.Slice(end, more.N); more.N == 0 {
			more = nil
		}
	}
	if _, err := kept.Spill(); err != nil {
		return errors.Join(err, kept.close())
	}
	if err := kept.finish(); err != nil {
		return errors.Join(err, kept.close())
	}
	if more != nil {
		// They come between the partition in the file and what is pending.
		if w.pending != nil {
			more = vec.Concat(w.wide, []*vec.Batch{more, w.pending})
		}
		w.pending = more
	}
	run, err := w.newWindowRun(c, kept)
	if err != nil {
		return errors.Join(err, kept.close())
	}
	if w.run = run; run != nil {
		return nil
	}
	// Some function needs all rows at once: they fit after all, or the query fails.
	var held []*vec.Batch
	in := kept.reader()
	for {
		b, err := in.next(c)
		if eof(err) {
			break
		}
		if err == nil {
			err = w.mem.Grow(w.cost([]*vec.Batch{b}))
		}
		if err != nil {
			return errors.Join(err, kept.close())
		}
		held = append(held, b)
	}
	if err := kept.close(); err != nil {
		return err
	}
	return w.compute(c, held)
}

// cost is the memory that computing over batches takes: their rows, and for
// each row its partition, and for each function a frame and a value.
func (w *window) cost(batches []*vec.Batch) int64 {
	n := int64(0)
	for _, b := range batches {
		n += b.LiveSize() + int64(b.N)*int64(5+24*len(w.fns))
	}
	return n
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

func (w *window) compute(c *task.Ctx, held []*vec.Batch) error {
	if len(held) == 0 {
		return nil
	}
	width := len(w.input.Schema())
	n := 0
	for _, b := range held {
		n += b.N
	}
	cols, err := concatAll(w.wide, held, c.Yield)
	if err != nil {
		return err
	}
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
