package op

import (
	"neptune/arrowexec/fn"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// observe passes rows and aggregates them on the side.
type observe struct {
	unary
	node *physical.Observe
	env  *fn.Env
	aggs []aggCall
	eval *aggEval
	core *aggCore
	note func(id string, states *vec.Batch)
}

// NewObserve passes in through; at its end note gets one row: the states of
// the node's aggregates, to be merged over tasks (FinishObserve).
func NewObserve(in Operator, n *physical.Observe, env *fn.Env, note func(id string, states *vec.Batch)) (Operator, error) {
	list := append([]physical.Agg{}, n.Aggs...)
	for i := range list {
		list[i].Mode = physical.Partial
	}
	aggs, err := newAggCalls(list)
	if err != nil {
		return nil, err
	}
	eval, err := newAggEval(nil, aggs, env)
	if err != nil {
		return nil, err
	}
	return &observe{unary: unary{in}, node: n, env: env, aggs: aggs, eval: eval, note: note}, nil
}

func (o *observe) Open(c *task.Ctx) error {
	o.env.Yield = c.Yield
	var err error
	if o.core, err = newAggCore(c, o.env, nil, o.aggs); err != nil {
		return err
	}
	return o.input.Open(c)
}

func (o *observe) Schema() []*types.Type { return o.input.Schema() }

func (o *observe) Next(c *task.Ctx) (*vec.Batch, error) {
	b, err := o.input.Next(c)
	if eof(err) && o.core != nil {
		states, e := o.core.emit(1)
		if e != nil {
			return nil, e
		}
		if states != nil && o.note != nil {
			o.note(o.node.ID, states)
		}
		e = o.core.close()
		o.core = nil
		if e != nil {
			return nil, e
		}
	}
	if err != nil {
		return nil, err
	}
	eb, err := o.eval.eval(b)
	if err != nil {
		return nil, err
	}
	return b, o.core.add(eb)
}

func (o *observe) Close() error {
	var first error
	if o.core != nil {
		first = o.core.close()
		o.core = nil
	}
	if err := o.input.Close(); err != nil {
		return err
	}
	return first
}

// FinishObserve merges the states that the tasks of an observed query noted,
// and returns the node's output row. Without states it is the row over no input.
func FinishObserve(n *physical.Observe, states []*vec.Batch, env *fn.Env) (*vec.Batch, error) {
	row := &vec.Batch{N: 1}
	at := 0
	for i := range n.Aggs {
		call := n.Aggs[i].Call
		acc, err := fn.NewAccumulator(env, call)
		if err != nil {
			return nil, err
		}
		ts, err := fn.AggStateTypes(call)
		if err != nil {
			return nil, err
		}
		acc.Grow(1)
		for _, s := range states {
			if err := acc.Merge([]int32{0}, s.Cols[at:at+len(ts)], 1); err != nil {
				return nil, err
			}
		}
		at += len(ts)
		v, err := acc.Result(0, 1)
		if err != nil {
			return nil, err
		}
		row.Cols = append(row.Cols, v)
	}
	if len(n.Exprs) == 0 {
		return row, nil
	}
	list, err := CompileKeys(n.Exprs, env)
	if err != nil {
		return nil, err
	}
	cols, err := evalAll(list, row, nil)
	return &vec.Batch{N: 1, Cols: cols}, err
}
