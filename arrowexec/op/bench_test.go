package op

import (
	"io"
	"math/rand/v2"
	"testing"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

func benchBatches(n int, next func(i int) int64) []*vec.Batch {
	var out []*vec.Batch
	for from := 0; from < n; from += vec.DefaultRows {
		k := make([]int64, min(vec.DefaultRows, n-from))
		p := make([]int64, len(k))
		for i := range k {
			k[i], p[i] = next(from+i), int64(from+i)
		}
		out = append(out, &vec.Batch{N: len(k), Cols: []*vec.Vector{vec.FromSlice(types.Int64Type, k, nil), vec.FromSlice(types.Int64Type, p, nil)}})
	}
	return out
}

var benchSchema = []*types.Type{types.Int64Type, types.Int64Type}

func benchRun(b *testing.B, o Operator) {
	account := mem.NewPool(0).NewAccount("b")
	defer account.Close()
	err := task.Run(task.Info{}, &task.Conf{BatchRows: vec.DefaultRows}, account, 0, func(c *task.Ctx) error {
		defer o.Close()
		if err := o.Open(c); err != nil {
			return err
		}
		for {
			if _, err := o.Next(c); err == io.EOF {
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

func BenchmarkSortInt64(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	in := benchBatches(1_000_000, func(int) int64 { return int64(r.Uint64()) })
	keys, _ := CompileKeys(keyExprs(benchSchema, []int{0}), nil)
	b.ResetTimer()
	for range b.N {
		benchRun(b, NewSort(NewLocal(benchSchema, in), keys, make([]vec.KeyOrder, 1)))
	}
	b.ReportMetric(float64(b.N)*1e6/b.Elapsed().Seconds()/1e6, "Mrows/s")
}

func BenchmarkHashJoinInt64(b *testing.B) {
	r := rand.New(rand.NewPCG(1, 1))
	build := benchBatches(500_000, func(i int) int64 { return int64(4 * i) })
	probe := benchBatches(2_000_000, func(int) int64 { return 4 * r.Int64N(500_000) })
	keys, _ := CompileKeys(keyExprs(benchSchema, []int{0}), nil)
	b.ResetTimer()
	for range b.N {
		j, err := NewHashJoin(NewLocal(benchSchema, probe), NewLocal(benchSchema, build), JoinConfig{Kind: plan.Inner, BuildRight: true, LeftKeys: keys, RightKeys: keys})
		if err != nil {
			b.Fatal(err)
		}
		benchRun(b, j)
	}
	b.ReportMetric(float64(b.N)*2e6/b.Elapsed().Seconds()/1e6, "Mrows/s")
}
