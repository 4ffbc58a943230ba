package op

import (
	"io"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
)

// Exchanges is what operators need of a shuffle: the reading side.
type Exchanges interface {
	// Reader makes the operator that emits a piece of an exchange (all rows of a
	// Single or Broadcast one, whatever the piece), writer by writer.
	Reader(conf *task.Conf, query string, x *physical.Exchange, piece physical.Piece) (Operator, error)
	// Shared returns a thing made of an exchange once for all tasks of this
	// process, under a name; the first to ask builds it, and says how many
	// bytes it holds, while the others wait without a slot.
	Shared(c *task.Ctx, query string, x *physical.Exchange, name string, build func(*task.Ctx) (any, int64, error)) (any, error)
}

// CompileOrder makes the evaluators of sort keys.
func CompileOrder(list []physical.Order, env *fn.Env) ([]expr.Evaluator, []vec.KeyOrder, error) {
	keys := make([]expr.Evaluator, len(list))
	order := make([]vec.KeyOrder, len(list))
	for i, o := range list {
		var err error
		if keys[i], err = Compile(o.Expr, env); err != nil {
			return nil, nil, err
		}
		order[i] = vec.KeyOrder{Desc: o.Desc, NullsLast: o.NullsLast}
	}
	return keys, order, nil
}

// readAll drains an operator into memory that a join table is to be made of.
func readAll(c *task.Ctx, o Operator, held *mem.Reservation) (out []*vec.Batch, err error) {
	defer func() {
		if e := o.Close(); e != nil && err == nil {
			err = e
		}
	}()
	if err := o.Open(c); err != nil {
		return nil, err
	}
	for {
		b, err := o.Next(c)
		if err == io.EOF {
			return out, nil
		}
		if err != nil {
			return nil, err
		}
		if err := held.Grow(b.LiveSize() + tableBytes(int64(b.N))); err != nil {
			return nil, err
		}
		out = append(out, b)
	}
}
