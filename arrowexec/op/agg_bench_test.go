package op

import (
	"testing"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// BenchmarkGroupBy groups 4e6 rows into 1e6 groups, in one task.
func BenchmarkGroupBy(b *testing.B) {
	const n = 4e6
	var batches []*vec.Batch
	x := uint64(1)
	for at := 0; at < n; at += vec.DefaultRows {
		k, v := make([]int64, vec.DefaultRows), make([]int64, vec.DefaultRows)
		for i := range k {
			x = x*6364136223846793005 + 1442695040888963407
			k[i], v[i] = int64(x>>33)%1e6, int64(i)
		}
		batches = append(batches, &vec.Batch{N: len(k), Cols: []*vec.Vector{vec.FromSlice(types.Int64Type, k, nil), vec.FromSlice(types.Int64Type, v, nil)}})
	}
	schema := []*types.Type{types.Int64Type, types.Int64Type}
	for b.Loop() {
		err := task.Run(task.Info{}, &task.Conf{}, mem.NewPool(0).NewAccount("b"), 0, func(c *task.Ctx) error {
			o, err := NewHashAggregate(NewLocal(schema, batches), &physical.HashAggregate{Mode: physical.Complete, Group: []plan.Expr{col(0, types.Int64Type)},
				Aggs: []physical.Agg{aggOf("sum", types.Int64Type, col(1, types.Int64Type))}}, NewEnv(nil, 0))
			if err != nil {
				return err
			}
			defer o.Close()
			if err := o.Open(c); err != nil {
				return err
			}
			for {
				if _, err := o.Next(c); eof(err) {
					return nil
				} else if err != nil {
					return err
				}
			}
		})
		if err != nil {
			b.Fatal(err)
		}
	}
}
