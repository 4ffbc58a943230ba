package op

import (
	"neptune/arrowexec/expr"
	"neptune/arrowexec/vec"
)

// temp evaluates e over b, and notes whether the result's memory is ours.
func (a *aggBatch) temp(e expr.Evaluator, b *vec.Batch) (*vec.Vector, error) {
	v, own, err := expr.EvalTemp(e, b)
	if own {
		a.temps = append(a.temps, v)
	}
	return v, err
}

// letGo gives memory back once the groups have taken the rows: tables of groups
// copy their keys, rows that wait for their partition have been gathered, and
// accumulators that keep hold of what they are shown say so (fn.ReadsOnly).
func (a *aggBatch) letGo(b *vec.Batch, keeps bool, pool *vec.Pool) {
	if keeps {
		return
	}
	for _, v := range a.temps {
		pool.Recycle(v)
	}
	a.temps = nil
	b.Free()
}
