package shuffle

import (
	"bytes"
	"slices"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

const (
	// sampleKeys is how many keys each writer of a RangeBy exchange offers.
	sampleKeys = 1024
	// gatherRows: a partition's share of a batch that is at least so large goes out
	// as it is; smaller ones are gathered first.
	gatherRows = 512
)

// writer is the sink of one task.
type writer struct {
	l      *Local
	query  string
	x      *physical.Exchange
	id     int
	parts  int
	schema []*types.Type
	keys   []expr.Evaluator
	order  []vec.KeyOrder
	rows   int // of a batch

	out    *output
	disk   *op.Spill // the first block's; the others share its file
	part   []int32   // of each row
	sel    [][]int32 // rows of each partition
	build  [][]*vec.Builder
	fill   []int
	turn   int // of RoundRobin
	closed bool
}

// Writer implements Service.
func (l *Local) Writer(c *task.Ctx, query string, x *physical.Exchange, id, parts int) (Writer, error) {
	w := &writer{l: l, query: query, x: x, id: id, parts: max(parts, 1), schema: physical.Types(x.Schema()), rows: vec.DefaultRows, turn: id}
	if c.Conf != nil && c.Conf.BatchRows > 0 {
		w.rows = c.Conf.BatchRows
	}
	env := op.NewEnv(c.Conf, id)
	env.Yield = c.Yield
	var err error
	stored := w.parts
	switch x.Kind {
	case physical.Single, physical.Broadcast:
		w.parts, stored = 1, 1
	case physical.Hash:
		w.keys, err = op.CompileKeys(x.Keys, env)
	case physical.RangeBy:
		w.keys, w.order, err = op.CompileOrder(x.Order, env)
		stored = 1 // dealt when the bounds are known, by the readers
	case physical.RoundRobin:
	default:
		err = errs.Internalf("an exchange of kind %d", x.Kind)
	}
	if err != nil {
		return nil, err
	}
	w.out = &output{parts: make([]*block, stored), sizes: make([]int64, stored), keys: sample{Parts: w.parts}, of: c.Info.Partitions}
	w.sel = make([][]int32, w.parts)
	w.build = make([][]*vec.Builder, w.parts)
	w.fill = make([]int, w.parts)
	return w, nil
}

func (w *writer) Write(c *task.Ctx, b *vec.Batch) error {
	if b.N == 0 {
		return nil
	}
	c.Stats.RowsOut.Add(int64(b.N))
	if w.x.Kind == physical.RangeBy {
		if err := w.sample(c, b); err != nil {
			return err
		}
		return w.put(c, 0, b.Compact())
	}
	if w.parts == 1 {
		return w.put(c, 0, b.Compact())
	}
	if cap(w.part) < b.N {
		w.part = make([]int32, b.N)
	}
	part := w.part[:b.N]
	if w.x.Kind == physical.Hash {
		keys := make([]*vec.Vector, len(w.keys))
		for i, k := range w.keys {
			var err error
			if keys[i], err = k.Eval(b); err != nil {
				return err
			}
		}
		vec.SparkPartition(keys, b.N, w.parts, part)
	} else {
		for i := range part {
			part[i] = int32((w.turn + i) % w.parts)
		}
		w.turn = (w.turn + b.N) % w.parts
	}
	if err := c.Yield(); err != nil {
		return err
	}
	for i := range w.sel {
		w.sel[i] = w.sel[i][:0]
	}
	for i, p := range part {
		row := int32(i)
		if b.Sel != nil {
			row = b.Sel[i]
		}
		w.sel[p] = append(w.sel[p], row)
	}
	for p, rows := range w.sel {
		if len(rows) == 0 {
			continue
		}
		if err := w.deal(c, p, b, rows); err != nil {
			return err
		}
	}
	return c.Yield()
}

// deal gives rows of a batch to a partition.
func (w *writer) deal(c *task.Ctx, p int, b *vec.Batch, rows []int32) error {
	if len(rows) >= gatherRows {
		if err := w.flush(c, p); err != nil {
			return err
		}
		out := &vec.Batch{N: len(rows), Cols: make([]*vec.Vector, len(b.Cols))}
		for i, v := range b.Cols {
			out.Cols[i] = v.Gather(rows)
		}
		return w.put(c, p, out)
	}
	if w.build[p] == nil {
		for _, t := range w.schema {
			w.build[p] = append(w.build[p], vec.NewBuilder(t, len(rows)))
		}
	}
	for i, v := range b.Cols {
		w.build[p][i].AppendRows(v, rows)
	}
	w.fill[p] += len(rows)
	if w.fill[p] < w.rows {
		return nil
	}
	return w.flush(c, p)
}

// flush puts the rows gathered for a partition.
func (w *writer) flush(c *task.Ctx, p int) error {
	if w.fill[p] == 0 {
		return nil
	}
	b := &vec.Batch{N: w.fill[p], Cols: make([]*vec.Vector, len(w.schema))}
	for i, bl := range w.build[p] {
		b.Cols[i] = bl.Finish()
	}
	w.fill[p], w.build[p] = 0, nil
	return w.put(c, p, b)
}

// put keeps a dense batch in memory, or writes it out when there is no room.
// A block that has begun to go to disk goes on there, so that order is kept.
func (w *writer) put(c *task.Ctx, p int, b *vec.Batch) error {
	k := w.out.parts[p]
	if k == nil {
		k = &block{}
		w.out.parts[p] = k
	}
	size := b.LiveSize()
	w.out.sizes[p] += size
	if k.file == nil && w.l.reserve(w.query, w.x, size) {
		w.out.bytes += size
		k.held = append(k.held, b)
		return c.Yield()
	}
	switch {
	case k.file != nil:
	case w.disk == nil:
		w.disk = op.NewSpill(c, "exchange", w.schema)
		k.file = w.disk
	default:
		k.file = w.disk.Sibling(w.schema)
	}
	return k.file.Add(c, b)
}

// sample keeps a uniform sample of the keys seen (reservoir sampling).
func (w *writer) sample(c *task.Ctx, b *vec.Batch) error {
	enc, err := encode(w.keys, w.order, b)
	if err != nil {
		return err
	}
	o := &w.out.keys
	for i := range b.N {
		o.Seen++
		if len(o.Keys) < sampleKeys {
			o.Keys = append(o.Keys, bytes.Clone(enc.Key(i)))
		} else if k := c.Rand.Int64N(o.Seen); k < sampleKeys {
			o.Keys[k] = bytes.Clone(enc.Key(i))
		}
	}
	return c.Yield()
}

func encode(keys []expr.Evaluator, order []vec.KeyOrder, b *vec.Batch) (*vec.SortKeys, error) {
	cols := make([]*vec.Vector, len(keys))
	for i, k := range keys {
		var err error
		if cols[i], err = k.Eval(b); err != nil {
			return nil, err
		}
	}
	return vec.EncodeSortKeys(cols, order, nil, b.N), nil
}

// samples are those of the writers, in their order.
func (e *exchange) samples() (out []sample) {
	for _, w := range e.ids() {
		out = append(out, e.writers[w].keys)
	}
	return out
}

// rangeBounds picks keys that divide the rows evenly, each writer's sample
// counting for as many rows as it stands for. Equal samples in equal order give
// equal bounds, so that readers in several processes agree.
func rangeBounds(samples []sample) [][]byte {
	type key struct {
		bytes  []byte
		weight float64
	}
	var all []key
	total, parts := 0.0, 1
	for _, o := range samples {
		for _, s := range o.Keys {
			all = append(all, key{s, float64(o.Seen) / float64(len(o.Keys))})
		}
		total += float64(o.Seen)
		parts = max(parts, o.Parts)
	}
	slices.SortStableFunc(all, func(a, b key) int { return bytes.Compare(a.bytes, b.bytes) })
	bounds := [][]byte{}
	sum := 0.0
	for _, k := range all {
		sum += k.weight
		if len(bounds) < parts-1 && sum >= total*float64(len(bounds)+1)/float64(parts) {
			if n := len(bounds); n == 0 || !bytes.Equal(bounds[n-1], k.bytes) {
				bounds = append(bounds, k.bytes)
			}
		}
	}
	return bounds
}

// inRange selects the rows of the reader's partitions: those above bound
// From-1 and not above bound To-1.
func (r *reader) inRange(b *vec.Batch) (*vec.Batch, error) {
	from, last := r.piece.From, r.piece.To-1
	if from == 0 && last >= len(r.bounds) {
		return b, nil
	}
	if from > len(r.bounds) {
		return &vec.Batch{Cols: b.Cols, Sel: []int32{}}, nil
	}
	enc, err := encode(r.keys, r.order, b)
	if err != nil {
		return nil, err
	}
	sel := make([]int32, 0, b.N/(len(r.bounds)+1)+1)
	for i := range b.N {
		k := enc.Key(i)
		if from > 0 && bytes.Compare(k, r.bounds[from-1]) <= 0 || last < len(r.bounds) && bytes.Compare(k, r.bounds[last]) > 0 {
			continue
		}
		sel = append(sel, int32(i))
	}
	return &vec.Batch{N: len(sel), Cols: b.Cols, Sel: sel}, nil
}

func (w *writer) Commit(c *task.Ctx) error {
	for p := range w.fill {
		if err := w.flush(c, p); err != nil {
			return err
		}
	}
	for _, k := range w.out.parts {
		if k != nil && k.file != nil {
			if err := k.file.Flush(c); err != nil {
				return err
			}
		}
	}
	w.l.mu.Lock()
	defer w.l.mu.Unlock()
	_, e := w.l.find(w.query, w.x)
	e.parts = w.parts
	e.bounds = nil
	old := e.writers[w.id]
	e.writers[w.id] = w.out
	w.closed = true
	if old != nil {
		return w.l.drop(w.query, old)
	}
	return nil
}

func (w *writer) Close() error {
	if w.closed {
		return nil
	}
	w.closed = true
	w.l.mu.Lock()
	defer w.l.mu.Unlock()
	return w.l.drop(w.query, w.out)
}
