package op

import (
	"io"

	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// union emits its inputs one after the other. It is the operator of Union's
// tasks and of Coalesce, each of whose tasks reads several partitions.
type union struct {
	inputs []Operator
	schema []*types.Type
	at     int
	open   bool
}

// NewUnion returns an operator that emits all of inputs in turn; an input is
// opened when its turn comes, and closed when it ends.
func NewUnion(inputs []Operator, schema []*types.Type) Operator {
	return &union{inputs: inputs, schema: schema}
}

func (u *union) Open(*task.Ctx) error { return nil }

func (u *union) Next(c *task.Ctx) (*vec.Batch, error) {
	for u.at < len(u.inputs) {
		in := u.inputs[u.at]
		if !u.open {
			if err := in.Open(c); err != nil {
				return nil, err
			}
			u.open = true
		}
		b, err := in.Next(c)
		if err != io.EOF {
			return b, err
		}
		if err := in.Close(); err != nil {
			return nil, err
		}
		u.at++
		u.open = false
	}
	return nil, io.EOF
}

func (u *union) Close() error {
	var first error
	for _, in := range u.inputs {
		if err := in.Close(); err != nil && first == nil {
			first = err
		}
	}
	return first
}

func (u *union) Schema() []*types.Type { return u.schema }

func (u *union) Inputs() []Operator { return u.inputs }
