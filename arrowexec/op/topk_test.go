package op

import (
	"fmt"
	"math/rand/v2"
	"testing"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

func TestTopK(t *testing.T) {
	r := rand.New(rand.NewPCG(9, 10))
	for _, typ := range []*types.Type{types.Int64Type, types.StringType, types.Float64Type} {
		for _, k := range []struct{ limit, offset int64 }{{0, 0}, {1, 0}, {10, 5}, {500, 0}, {5, 500}} {
			for _, desc := range []bool{false, true} {
				tb := table{schema: []*types.Type{typ, types.Int32Type}}
				for i, row := range randomRows(r, tb.schema[:1], 200, 60) {
					tb.rows = append(tb.rows, append(row, int32(i)))
				}
				order := []vec.KeyOrder{{Desc: desc}, {}}
				cols := []int{0, 1}
				want := sortedRows(tb, cols, order)
				from := min(int(k.offset), len(want))
				want = want[from:min(len(want), from+int(k.limit))]
				t.Run(fmt.Sprint(typ, k, desc), func(t *testing.T) {
					little := int64(0)
					if k.limit == 500 { // all rows: a sort that spills takes over
						little = 2500
					}
					runCase(t, opCase{inputs: []table{tb}, ordered: true, want: want, sizes: []int{16, 64}, limit: little,
						build: func(in []Operator) (Operator, error) {
							keys, err := CompileKeys(keyExprs(tb.schema, cols), nil)
							return NewTopK(in[0], keys, order, k.limit, k.offset), err
						}})
				})
			}
		}
	}
}

func TestLimits(t *testing.T) {
	tb := table{schema: []*types.Type{types.Int64Type}}
	for i := range 50 {
		tb.rows = append(tb.rows, []any{int64(i)})
	}
	for _, l := range []struct {
		n, offset int64
		want      rows
	}{{-1, 0, tb.rows}, {7, 0, tb.rows[:7]}, {7, 46, tb.rows[46:]}, {0, 3, nil}, {-1, 49, tb.rows[49:]}, {5, 60, nil}} {
		runCase(t, opCase{inputs: []table{tb}, ordered: true, want: l.want, build: func(in []Operator) (Operator, error) { return NewLimit(in[0], l.n, l.offset), nil }})
	}
	for _, n := range []int64{0, 1, 13, 50, 80} {
		runCase(t, opCase{inputs: []table{tb}, ordered: true, want: tb.rows[50-min(n, 50):], build: func(in []Operator) (Operator, error) { return NewTail(in[0], n), nil }})
	}
	runCase(t, opCase{inputs: []table{tb, tb}, ordered: true, want: append(append(rows{}, tb.rows...), tb.rows...),
		build: func(in []Operator) (Operator, error) { return NewUnion(in, tb.schema), nil }})
	var double rows
	for _, r := range tb.rows {
		double = append(double, r, r)
	}
	runCase(t, opCase{inputs: []table{tb, tb}, ordered: true, want: double, build: func(in []Operator) (Operator, error) {
		keys, err := CompileKeys(keyExprs(tb.schema, []int{0}), nil)
		return NewMerge(in, keys, make([]vec.KeyOrder, 1)), err
	}})
}

func TestRange(t *testing.T) {
	for _, c := range []struct {
		start, end, step int64
		parts            int
	}{{0, 10, 1, 3}, {10, 0, -3, 2}, {0, 0, 1, 2}, {5, 4, 1, 1}, {-1 << 63, 1<<63 - 1, 1 << 61, 4}, {1<<63 - 3, 1<<63 - 1, 1, 5}} {
		var want rows
		n := rangeCount(c.start, c.end, c.step).Int64()
		for i, x := int64(0), c.start; i < n; i, x = i+1, x+c.step {
			want = append(want, []any{x})
		}
		runCase(t, opCase{ordered: true, want: want, build: func([]Operator) (Operator, error) {
			var parts []Operator
			for p := range c.parts {
				parts = append(parts, NewRange(c.start, c.end, c.step, p, c.parts, nil))
			}
			return NewUnion(parts, []*types.Type{types.Int64Type}), nil
		}})
	}
}
