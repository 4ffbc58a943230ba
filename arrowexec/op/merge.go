package op

import (
	"bytes"
	"io"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// merger merges sorted streams of batches into one, a batch of output at a time.
type merger struct {
	schema []*types.Type
	keys   []expr.Evaluator
	order  []vec.KeyOrder
	heap   []*mergeInput // the smallest first
	rows   int
	only   func(*task.Ctx) (*vec.Batch, error) // one stream: passed through
	// Of the batch being made: where each row comes from.
	from []*vec.Batch
	src  []int32
	row  []int32
}

type mergeInput struct {
	next  func(*task.Ctx) (*vec.Batch, error)
	batch *vec.Batch
	keys  *vec.SortKeys
	at    int
	slot  int32 // of batch in merger.from, -1: not there yet
	no    int   // ties go to the first input
}

func (m *mergeInput) key() []byte { return m.keys.Key(m.at) }

func newMerger(c *task.Ctx, schema []*types.Type, in []func(*task.Ctx) (*vec.Batch, error), keys []expr.Evaluator, order []vec.KeyOrder) (*merger, error) {
	m := &merger{schema: schema, keys: keys, order: order, rows: batchRows(c.Conf)}
	if len(in) == 1 {
		m.only = in[0]
		return m, nil
	}
	for i, next := range in {
		x := &mergeInput{next: next, no: i}
		ok, err := m.advance(c, x)
		if err != nil {
			return nil, err
		}
		if ok {
			m.heap = append(m.heap, x)
		}
	}
	for i := len(m.heap)/2 - 1; i >= 0; i-- {
		m.down(i)
	}
	return m, nil
}

// advance reads an input's next batch.
func (m *merger) advance(c *task.Ctx, x *mergeInput) (bool, error) {
	b, err := x.next(c)
	if err == io.EOF {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	b = b.Compact()
	cols, err := evalAll(m.keys, b, nil)
	if err != nil {
		return false, err
	}
	x.batch, x.at, x.slot = b, 0, -1
	x.keys = vec.EncodeSortKeys(cols, m.order, nil, b.N)
	return true, c.Yield()
}

func (m *merger) less(a, b *mergeInput) bool {
	d := bytes.Compare(a.key(), b.key())
	return d < 0 || d == 0 && a.no < b.no
}

func (m *merger) down(i int) {
	h := m.heap
	for {
		k := 2*i + 1
		if k >= len(h) {
			return
		}
		if k+1 < len(h) && m.less(h[k+1], h[k]) {
			k++
		}
		if !m.less(h[k], h[i]) {
			return
		}
		h[i], h[k] = h[k], h[i]
		i = k
	}
}

func (m *merger) next(c *task.Ctx) (*vec.Batch, error) {
	if m.only != nil {
		return m.only(c)
	}
	for len(m.heap) > 0 && len(m.row) < m.rows {
		x := m.heap[0]
		if x.slot < 0 {
			x.slot = int32(len(m.from))
			m.from = append(m.from, x.batch)
		}
		m.src = append(m.src, x.slot)
		m.row = append(m.row, int32(x.at))
		x.at++
		if x.at >= x.batch.N {
			ok, err := m.advance(c, x)
			if err != nil {
				return nil, err
			}
			if !ok {
				last := len(m.heap) - 1
				m.heap[0] = m.heap[last]
				m.heap = m.heap[:last]
			}
		}
		m.down(0)
		if len(m.row)%1024 == 0 {
			if err := c.Yield(); err != nil {
				return nil, err
			}
		}
	}
	if len(m.row) == 0 {
		return nil, io.EOF
	}
	out := &vec.Batch{N: len(m.row), Cols: make([]*vec.Vector, len(m.schema))}
	vs := make([]*vec.Vector, len(m.from))
	for k, t := range m.schema {
		for i, b := range m.from {
			vs[i] = b.Cols[k]
		}
		out.Cols[k] = vec.GatherMany(t, vs, m.src, m.row)
		if err := c.Yield(); err != nil {
			return nil, err
		}
	}
	m.from, m.src, m.row = m.from[:0], m.src[:0], m.row[:0]
	for _, x := range m.heap {
		x.slot = -1
	}
	return out, nil
}

// mergeOp merges sorted inputs (the reading side of a merging exchange).
type mergeOp struct {
	inputs []Operator
	keys   []expr.Evaluator
	order  []vec.KeyOrder
	m      *merger
}

// NewMerge returns an operator that merges inputs, each sorted by keys.
func NewMerge(inputs []Operator, keys []expr.Evaluator, order []vec.KeyOrder) Operator {
	return &mergeOp{inputs: inputs, keys: keys, order: order}
}

func (m *mergeOp) Open(c *task.Ctx) error {
	for _, in := range m.inputs {
		if err := in.Open(c); err != nil {
			return err
		}
	}
	return nil
}

func (m *mergeOp) Next(c *task.Ctx) (*vec.Batch, error) {
	if len(m.inputs) == 0 {
		return nil, io.EOF
	}
	if m.m == nil {
		next := make([]func(*task.Ctx) (*vec.Batch, error), len(m.inputs))
		for i, in := range m.inputs {
			next[i] = in.Next
		}
		var err error
		if m.m, err = newMerger(c, m.Schema(), next, m.keys, m.order); err != nil {
			return nil, err
		}
	}
	return m.m.next(c)
}

func (m *mergeOp) Close() error {
	var first error
	for _, in := range m.inputs {
		if err := in.Close(); err != nil && first == nil {
			first = err
		}
	}
	m.m = nil
	return first
}

func (m *mergeOp) Schema() []*types.Type {
	if len(m.inputs) == 0 {
		return nil
	}
	return m.inputs[0].Schema()
}

func (m *mergeOp) Inputs() []Operator { return m.inputs }
