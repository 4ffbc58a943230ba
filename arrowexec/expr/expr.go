// Package expr compiles resolved, bound expressions into evaluators over
// batches.
//
// Kernels only ever see dense vectors. A selection is applied where a column
// is read: Eval over rows Sel gathers the columns it needs and nothing else, so
// that a filter's later conjuncts, CASE branches and the right side of AND
// touch (and raise errors for) only the rows that reach them.
package expr

import (
	"neptune/arrowexec/fn"
	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// Evaluator computes one expression. It belongs to one task (it keeps scratch
// memory), and isn't safe for concurrent use.
type Evaluator interface {
	// Eval returns a dense vector of b.N values: one a selected row.
	Eval(b *vec.Batch) (*vec.Vector, error)
	Type() *types.Type
}

// NewEnv makes the environment that kernels see.
func NewEnv(conf *fn.Conf, partition int, yield func() error) *fn.Env {
	if yield == nil {
		yield = func() error { return nil }
	}
	return &fn.Env{Conf: conf, Partition: partition, Yield: yield, Fits: fn.Within(vec.MaxBuf)}
}

// Temporary is what evaluators can do beside: EvalTemp is Eval, and own says
// that the vector's memory is of the environment's pool and used by nobody but
// the caller, who may recycle it.
type Temporary interface {
	EvalTemp(b *vec.Batch) (v *vec.Vector, own bool, err error)
}

// EvalTemp evaluates e; see Temporary.
func EvalTemp(e Evaluator, b *vec.Batch) (v *vec.Vector, own bool, err error) {
	if t, ok := e.(Temporary); ok {
		return t.EvalTemp(b)
	}
	v, err = e.Eval(b)
	return v, false, err
}
