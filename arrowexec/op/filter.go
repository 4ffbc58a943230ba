package op

import (
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// unary is what operators with one input share.
type unary struct{ input Operator }

func (u *unary) Inputs() []Operator { return []Operator{u.input} }

// filter keeps the rows where a condition is true; it narrows the selection
// and copies nothing.
type filter struct {
	unary
	cond Predicate
}

// NewFilter returns an operator that keeps the rows of in for which cond is true.
func NewFilter(in Operator, cond Predicate) Operator { return &filter{unary{in}, cond} }

func (f *filter) Open(c *task.Ctx) error { return f.input.Open(c) }

func (f *filter) Next(c *task.Ctx) (*vec.Batch, error) {
	for {
		b, err := f.input.Next(c)
		if err != nil {
			return nil, err
		}
		b, err = f.cond.Select(b)
		if err != nil {
			return nil, err
		}
		if err := c.Yield(); err != nil {
			return nil, err
		}
		if b != nil && b.N > 0 {
			return b, nil
		}
		if b != nil {
			b.Free()
		}
	}
}

func (f *filter) Close() error { return f.input.Close() }

func (f *filter) Schema() []*types.Type { return f.input.Schema() }
