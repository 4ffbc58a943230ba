package op

import (
	"io"
	"math/bits"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

const (
	// A run is sorted by int32 row numbers, and its strings are addressed by 32 bits.
	maxRunRows  = 1 << 30
	maxRunBytes = 2 << 30
	// perRow is what sorting takes beside the rows: two entries and the order.
	perRow = 2*16 + 4
	// mergeWays is how many runs are merged at once.
	mergeWays = 64
)

// sortOp sorts its input. Rows are kept as they came, until memory is short or
// they end; then the keys are encoded and sorted, and the rows gathered one
// output batch at a time. What doesn't fit goes to disk in sorted runs, merged at the end.
type sortOp struct {
	unary
	keys  []expr.Evaluator
	order []vec.KeyOrder

	mem   *mem.Reservation
	c     *task.Ctx
	rows  run
	spill []*Spill
	state sortState
	out   *runCursor // the only run
	last  *runCursor // the run in memory that is merged with those in files
	moved *SpillReader
	merge *merger
}

type sortState uint8

const (
	sortReading sortState = iota
	sortBusy              // between runs: Spill can do nothing
	sortEmitting
	sortMerging
	sortDone
)

// run is unsorted rows with their keys.
type run struct {
	schema  []*types.Type
	batches []*vec.Batch
	keys    [][]*vec.Vector
	n       int
	bytes   int64
}

// NewSort returns an operator that sorts in's rows by keys. Sorting is not stable.
func NewSort(in Operator, keys []expr.Evaluator, order []vec.KeyOrder) Operator {
	return &sortOp{unary: unary{in}, keys: keys, order: order}
}

func (s *sortOp) Open(c *task.Ctx) error {
	s.mem = c.Mem.Reserve("sort", s)
	s.c = c
	s.rows.schema = s.input.Schema()
	return s.input.Open(c)
}

func (s *sortOp) Schema() []*types.Type { return s.input.Schema() }

func (s *sortOp) Next(c *task.Ctx) (*vec.Batch, error) {
	if s.state == sortReading {
		if err := s.consume(c); err != nil {
			return nil, err
		}
	}
	if s.out != nil {
		b, err := s.out.next(c)
		if err == io.EOF {
			if e := s.free(); e != nil {
				return nil, e
			}
		}
		return b, err
	}
	if s.merge != nil {
		b, err := s.merge.next(c)
		if err == io.EOF {
			if e := s.free(); e != nil {
				return nil, e
			}
		}
		return b, err
	}
	return nil, io.EOF
}

// consume reads all of the input and prepares for output.
func (s *sortOp) consume(c *task.Ctx) error {
	for {
		b, err := s.input.Next(c)
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		if err := s.add(c, b); err != nil {
			return err
		}
		if err := c.Yield(); err != nil {
			return err
		}
	}
	if err := s.input.Close(); err != nil {
		return err
	}
	s.state = sortBusy
	if s.rows.n > 0 {
		cur, err := s.rows.sort(s.order, batchRows(c.Conf), c.Yield)
		if err != nil {
			return err
		}
		s.out = cur
	}
	if len(s.spill) == 0 {
		s.state = sortEmitting
		return nil
	}
	s.last, s.out = s.out, nil
	for len(s.spill) > mergeWays {
		m, err := s.mergerOf(c, s.spill[:mergeWays], false)
		if err != nil {
			return err
		}
		f, err := s.write(c, m.next)
		if err != nil {
			return err
		}
		for _, old := range s.spill[:mergeWays] {
			if err := old.Close(); err != nil {
				f.Close()
				return err
			}
		}
		s.spill = append(s.spill[mergeWays:], f)
	}
	m, err := s.mergerOf(c, s.spill, s.last != nil)
	s.merge = m
	s.state = sortMerging
	return err
}

// nextLast reads the run that was in memory when the input ended, and may have moved to a file since.
func (s *sortOp) nextLast(c *task.Ctx) (*vec.Batch, error) {
	if s.moved != nil {
		return s.moved.Next(c)
	}
	return s.last.next(c)
}

func (s *sortOp) mergerOf(c *task.Ctx, files []*Spill, last bool) (*merger, error) {
	var in []func(*task.Ctx) (*vec.Batch, error)
	for _, f := range files {
		in = append(in, f.Reader().Next)
	}
	if last {
		in = append(in, s.nextLast)
	}
	return newMerger(c, s.rows.schema, in, s.keys, s.order)
}

// add keeps one batch, making room on disk when memory is short.
func (s *sortOp) add(c *task.Ctx, b *vec.Batch) error {
	b, live, err := owned(s.rows.schema, b, c.Yield)
	if err != nil {
		return err
	}
	keys, err := evalAll(s.keys, b, nil)
	if err != nil {
		return err
	}
	need := live + perRow*int64(b.N)
	for i, k := range keys {
		if e, ok := s.keys[i].(bound); !ok || e.t.IsNested() {
			need += (&vec.Batch{N: b.N, Cols: []*vec.Vector{k}}).LiveSize()
		}
		need += int64(b.N) * 9 // encoded
		if k.Layout == vec.Bytes {
			need += (&vec.Batch{N: b.N, Cols: []*vec.Vector{k}}).LiveSize()
		}
	}
	full := s.rows.n+b.N > maxRunRows || s.rows.bytes+need > maxRunBytes
	if full || !s.mem.Try(need) {
		if s.rows.n > 0 {
			if err := s.spillRun(c); err != nil {
				return err
			}
		}
		if err := s.mem.Grow(need); short(err) && b.N > 1 { // less at a time
			if err := s.add(c, b.Slice(0, b.N/2)); err != nil {
				return err
			}
			return s.add(c, b.Slice(b.N/2, b.N))
		} else if err != nil {
			return err
		}
	}
	s.rows.batches = append(s.rows.batches, b)
	s.rows.keys = append(s.rows.keys, keys)
	s.rows.n += b.N
	s.rows.bytes += need
	return nil
}

// spillRun sorts what is in memory and writes it out.
func (s *sortOp) spillRun(c *task.Ctx) error {
	s.state = sortBusy
	cur, err := s.rows.sort(s.order, batchRows(c.Conf), c.Yield)
	if err != nil {
		return err
	}
	f, err := s.write(c, cur.next)
	if err != nil {
		return err
	}
	s.spill = append(s.spill, f)
	s.rows = run{schema: s.rows.schema}
	s.state = sortReading
	return s.mem.Resize(0)
}

// write drains next into a file.
func (s *sortOp) write(c *task.Ctx, next func(*task.Ctx) (*vec.Batch, error)) (*Spill, error) {
	f := NewSpill(c, "sort", s.rows.schema)
	for {
		b, err := next(c)
		if err == nil {
			err = f.Add(c, b)
		} else if err == io.EOF {
			if err = f.Flush(c); err == nil {
				return f, nil
			}
		}
		if err != nil {
			f.Close()
			return nil, err
		}
	}
}

// Spill implements mem.Spiller: another operator of the task needs memory.
// Rows not yet emitted are written out in order.
func (s *sortOp) Spill() (int64, error) {
	var cur *runCursor
	var err error
	switch {
	case s.state == sortReading && s.rows.n > 0:
		if cur, err = s.rows.sort(s.order, batchRows(s.c.Conf), func() error { return nil }); err != nil {
			return 0, err
		}
	case s.state == sortEmitting && s.out != nil:
		cur = s.out
	case s.state == sortMerging && s.last != nil && s.moved == nil:
		cur = s.last
	default:
		return 0, nil
	}
	f := NewSpill(s.c, "sort", s.rows.schema)
	for {
		b := cur.take()
		if b == nil {
			break
		}
		if err := f.AddNow(b); err != nil {
			f.Close()
			return 0, err
		}
	}
	if err := f.write(); err != nil {
		f.Close()
		return 0, err
	}
	s.spill = append(s.spill, f)
	s.rows = run{schema: s.rows.schema}
	if s.state == sortEmitting {
		s.out = nil
		s.state = sortDone
		s.merge = &merger{only: f.Reader().Next}
	}
	if s.state == sortMerging {
		s.last, s.moved = nil, f.Reader()
	}
	freed := s.mem.Size()
	return freed, s.mem.Resize(0)
}

// free gives back memory and files, once all is emitted.
func (s *sortOp) free() error {
	s.state = sortDone
	s.rows = run{}
	s.out, s.last, s.moved, s.merge = nil, nil, nil, nil
	var first error
	for _, f := range s.spill {
		if err := f.Close(); err != nil && first == nil {
			first = err
		}
	}
	s.spill = nil
	if s.mem != nil {
		s.mem.Release()
	}
	return first
}

func (s *sortOp) Close() error {
	err := s.free()
	if e := s.input.Close(); e != nil {
		err = e
	}
	return err
}

// runCursor emits a sorted run: columns and the order of their rows.
type runCursor struct {
	cols  []*vec.Vector
	order []int32
	at    int
	rows  int // of a batch
}

func (r *runCursor) take() *vec.Batch {
	if r.at >= len(r.order) {
		return nil
	}
	to := min(len(r.order), r.at+r.rows)
	idx := r.order[r.at:to]
	r.at = to
	b := &vec.Batch{N: len(idx), Cols: make([]*vec.Vector, len(r.cols))}
	for i, v := range r.cols {
		b.Cols[i] = v.Gather(idx)
	}
	return b
}

func (r *runCursor) next(c *task.Ctx) (*vec.Batch, error) {
	b := r.take()
	if b == nil {
		return nil, io.EOF
	}
	return b, c.Yield()
}

// sort orders the run. The run's batches are let go column by column.
func (r *run) sort(order []vec.KeyOrder, rows int, yield func() error) (*runCursor, error) {
	keys := make([]*vec.Vector, len(order))
	of := make([]int, len(order)) // the column that a key is, -1: none
	for k := range keys {
		of[k] = r.columnOf(k)
		parts := make([]*vec.Vector, len(r.keys))
		for i := range r.keys {
			parts[i] = r.keys[i][k]
		}
		var err error
		if keys[k], err = vec.ConcatColumn(parts[0].Type, parts, yield); err != nil {
			return nil, err
		}
	}
	idx, err := sortRows(keys, order, r.n, yield)
	if err != nil {
		return nil, err
	}
	r.keys = nil
	made := make([]*vec.Vector, len(r.schema))
	for k, c := range of {
		if c >= 0 {
			made[c] = keys[k]
		}
	}
	cols, err := concatRest(r.schema, r.batches, made, yield)
	if err != nil {
		return nil, err
	}
	return &runCursor{cols: cols, order: idx, rows: rows}, nil
}

// columnOf finds the column that is key k itself; -1: none.
func (r *run) columnOf(k int) int {
	for c := range r.schema {
		same := true
		for i, b := range r.batches {
			same = same && b.Cols[c] == r.keys[i][k]
		}
		if same {
			return c
		}
	}
	return -1
}

// concatAll makes one column of each of the batches' columns, letting the batches go.
func concatAll(schema []*types.Type, batches []*vec.Batch, yield func() error) ([]*vec.Vector, error) {
	return concatRest(schema, batches, make([]*vec.Vector, len(schema)), yield)
}

// concatRest is concatAll but for the columns in cols, which are made already.
func concatRest(schema []*types.Type, batches []*vec.Batch, cols []*vec.Vector, yield func() error) ([]*vec.Vector, error) {
	own := make([]*vec.Batch, len(batches))
	for i, b := range batches {
		own[i] = &vec.Batch{N: b.N, Cols: append([]*vec.Vector(nil), b.Cols...)}
		batches[i] = nil
	}
	parts := make([]*vec.Vector, len(own))
	for k, t := range schema {
		for i, b := range own {
			parts[i] = b.Cols[k]
			b.Cols[k] = nil
		}
		if cols[k] != nil {
			continue
		}
		if len(parts) == 0 {
			cols[k] = vec.Make(t, 0)
			continue
		}
		var err error
		if cols[k], err = vec.ConcatColumn(t, parts, yield); err != nil {
			return nil, err
		}
	}
	return cols, nil
}

// sortRows returns the rows 0..n in the order of their keys.
func sortRows(keys []*vec.Vector, order []vec.KeyOrder, n int, yield func() error) ([]int32, error) {
	s := &sorter{yield: yield}
	fields, width, packs, err := packedKeys(keys, yield)
	if err != nil {
		return nil, err
	}
	if rowBits := bits.Len(uint(n)); packs && width+rowBits <= 64 {
		words, err := packRows(keys, order, fields, rowBits, n, yield)
		if err != nil {
			return nil, err
		}
		return sortPacked(words, rowBits, yield)
	}
	var entries []entry
	var nulls []int32
	switch {
	case packs:
		entries, err = packEntries(keys, order, fields, n, yield)
	case len(keys) == 1 && singleWord(keys[0].Layout):
		entries, nulls, err = wordEntries(keys[0], order[0].Desc, vec.Uncleared[entry](n)[:0], yield)
	default:
		entries = vec.Uncleared[entry](n)[:0]
		if s.keys, err = encodeKeys(keys, order, n, yield); err != nil {
			return nil, err
		}
		for i := range n {
			entries = append(entries, entry{row: int32(i)})
			if i%sortStep == sortStep-1 {
				if err := yield(); err != nil {
					return nil, err
				}
			}
		}
	}
	if err != nil {
		return nil, err
	}
	if len(entries) > 1 {
		if err := s.sortFresh(entries); err != nil {
			return nil, err
		}
	}
	out := vec.Uncleared[int32](n)[:0]
	if nulls != nil && !order[0].NullsLast {
		out = append(out, nulls...)
	}
	for from := 0; from < len(entries); from += sortStep {
		for _, e := range entries[from:min(len(entries), from+sortStep)] {
			out = append(out, e.row)
		}
		if err := yield(); err != nil {
			return nil, err
		}
	}
	if nulls != nil && order[0].NullsLast {
		out = append(out, nulls...)
	}
	return out, nil
}

// encodeKeys encodes n rows, a step at a time, into one SortKeys.
func encodeKeys(cols []*vec.Vector, order []vec.KeyOrder, n int, yield func() error) (*vec.SortKeys, error) {
	nulls := make([]bool, len(cols))
	ts := make([]*types.Type, len(cols))
	for i, v := range cols {
		nulls[i] = v.Null != nil || v.Layout == vec.None
		ts[i] = v.Type
	}
	out := &vec.SortKeys{Width: vec.SortKeyWidth(ts, nulls)}
	if out.Width > 0 {
		out.Buf = vec.Uncleared[byte](n * out.Width)[:0]
	} else {
		out.Off = vec.Uncleared[int](n + 1)[:1]
		out.Off[0] = 0
	}
	const step = 1024
	var parts [][]byte
	part := make([]*vec.Vector, len(cols))
	for from := 0; from < n; from += step {
		to := min(n, from+step)
		for i, v := range cols {
			part[i] = v.Slice(from, to)
		}
		k := vec.EncodeSortKeys(part, order, nulls, to-from)
		if out.Off == nil {
			out.Buf = append(out.Buf, k.Buf...)
		} else {
			base := out.Off[len(out.Off)-1]
			for _, o := range k.Off[1:] {
				out.Off = append(out.Off, base+o)
			}
			parts = append(parts, k.Buf)
		}
		if err := yield(); err != nil {
			return nil, err
		}
	}
	if out.Off != nil {
		out.Buf = vec.Uncleared[byte](out.Off[len(out.Off)-1])[:0]
		for i, p := range parts {
			out.Buf = append(out.Buf, p...)
			parts[i] = nil
			if err := yield(); err != nil {
				return nil, err
			}
		}
	}
	return out, nil
}
