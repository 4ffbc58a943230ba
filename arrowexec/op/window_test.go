package op

import (
	"math/rand/v2"
	"slices"
	"testing"

	"neptune/arrowexec/physical"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// TestWindowFrames compares every kind of frame with a direct computation over
// partitions of (p, o, v, keep), o ascending with nulls first.
func TestWindowFrames(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	i64 := types.Int64Type
	schema := []*types.Type{i64, i64, i64, types.BoolType}
	in := randomRows(r, schema, 260, 7)
	for i := range in {
		if i < 200 {
			in[i][0] = int64(1) // one long partition
		}
	}
	num := func(x any) int64 {
		if x == nil {
			return -1 << 40
		}
		return x.(int64)
	}
	slices.SortStableFunc(in, func(a, b []any) int {
		for k := range 2 {
			if d := num(a[k]) - num(b[k]); d != 0 {
				return int(max(min(d, 1), -1))
			}
		}
		return 0
	})
	end := func(kind plan.BoundKind, n int64) plan.FrameEnd {
		e := plan.FrameEnd{Kind: kind}
		if kind == plan.Preceding || kind == plan.Following {
			e.Offset = &plan.Literal{T: i64, Value: n}
		}
		return e
	}
	ends := []plan.FrameEnd{end(plan.UnboundedPreceding, 0), end(plan.Preceding, 100), end(plan.Preceding, 2), end(plan.CurrentRow, 0), end(plan.Following, 1), end(plan.UnboundedFollowing, 0)}
	for _, byRows := range []bool{true, false} {
		for a, lower := range ends[:5] {
			for b, upper := range ends[1:] {
				if b+1 < a {
					continue
				}
				inFrame := func(i, j int) bool {
					if num(in[i][0]) != num(in[j][0]) {
						return false
					}
					for side, e := range []plan.FrameEnd{lower, upper} {
						var d int64 // how far j is past the end's own place
						null := false
						if byRows {
							d = int64(j - i)
						} else {
							d = num(in[j][1]) - num(in[i][1])
							null = in[i][1] == nil || in[j][1] == nil
						}
						switch e.Kind {
						case plan.UnboundedPreceding, plan.UnboundedFollowing:
							continue
						case plan.Preceding:
							d += e.Offset.(*plan.Literal).Value.(int64)
						case plan.Following:
							d -= e.Offset.(*plan.Literal).Value.(int64)
						}
						if null {
							d = 0
							if (in[i][1] == nil) != (in[j][1] == nil) {
								d = 1
								if in[j][1] == nil {
									d = -1
								}
							}
						}
						if side == 0 && d < 0 || side == 1 && d > 0 {
							return false
						}
					}
					return true
				}
				var want rows
				for i, row := range in {
					var sum, least, first, last, keptSum, keptFirst any
					n, kept := int64(0), int64(0)
					for j, other := range in {
						if !inFrame(i, j) {
							continue
						}
						if n == 0 {
							first = other[2]
						}
						n++
						last = other[2]
						if other[3] == true {
							if kept == 0 {
								keptFirst = other[2]
							}
							kept++
						}
						if other[2] == nil {
							continue
						}
						v := other[2].(int64)
						if other[3] == true {
							if keptSum == nil {
								keptSum = int64(0)
							}
							keptSum = keptSum.(int64) + v
						}
						if sum == nil {
							sum = int64(0)
						}
						sum = sum.(int64) + v
						if least == nil || v < least.(int64) {
							least = v
						}
					}
					want = append(want, append(append([]any{}, row...), n, sum, least, first, last, kept, keptSum, keptFirst))
				}
				frame := &plan.Frame{Rows: byRows, Lower: lower, Upper: upper}
				v := col(2, i64)
				call := func(name string, args ...plan.Expr) physical.WindowFn {
					return physical.WindowFn{Func: aggOf(name, i64, args...).Call, Frame: frame}
				}
				filtered := func(name string, args ...plan.Expr) physical.WindowFn {
					f := call(name, args...)
					c := *f.Func
					c.Filter = col(3, types.BoolType)
					f.Func = &c
					return f
				}
				limit := int64(6000) // less than the long partition takes
				if byRows && a > 0 && b == 4 || !byRows && (a > 0 || b != 2 && b != 4) || a == 1 || b == 0 {
					limit = 0 // frames that can't be computed from a file, or reach far
				}
				runCase(t, opCase{inputs: []table{{schema, in}}, want: want, ordered: true, sizes: []int{7, 300}, limit: limit, build: func(ops []Operator) (Operator, error) {
					return NewWindow(ops[0], &physical.Window{Partition: []plan.Expr{col(0, i64)}, Order: []physical.Order{{Expr: col(1, i64)}},
						Fns: []physical.WindowFn{call("count"), call("sum", v), call("min", v), call("first", v), call("last", v),
							filtered("count"), filtered("sum", v), filtered("first", v)}}, NewEnv(nil, 0))
				}})
				if t.Failed() {
					t.Fatalf("rows %v, %d to %d", byRows, a, b+1)
				}
			}
		}
	}
}

// TestWindowRanksSpill has one partition, and pools that it doesn't fit.
func TestWindowRanksSpill(t *testing.T) {
	i64, i32, f64 := types.Int64Type, types.Int32Type, types.Float64Type
	fn := func(name string, ret *types.Type, args ...plan.Expr) physical.WindowFn {
		return physical.WindowFn{Func: &plan.Call{Name: name, Args: args, T: ret, Kind: plan.FnWindow}}
	}
	var in, want rows
	const n = 400
	for i := range n {
		o := int64(i / 3)
		in = append(in, []any{int64(1), o})
		rank, peers := i/3*3+1, min(n, (i/3+1)*3)
		lag := any(nil)
		if i > 1 {
			lag = int64((i - 2) / 3)
		}
		bucket := int32(i/58 + 1) // 400 = 1 of 58 and 6 of 57
		if i >= 58 {
			bucket = int32((i-58)/57) + 2
		}
		want = append(want, []any{int64(1), o, int32(i + 1), int32(rank), int32(i/3 + 1), float64(rank-1) / (n - 1), float64(peers) / n, bucket, lag})
	}
	for _, name := range []string{"fits", "spills"} {
		oc := opCase{inputs: []table{{[]*types.Type{i64, i64}, in}}, want: want, ordered: true, sizes: []int{50}, build: func(ops []Operator) (Operator, error) {
			v := col(1, i64)
			return NewWindow(ops[0], &physical.Window{Partition: []plan.Expr{col(0, i64)}, Order: []physical.Order{{Expr: v}},
				Fns: []physical.WindowFn{fn("row_number", i32), fn("rank", i32), fn("dense_rank", i32), fn("percent_rank", f64), fn("cume_dist", f64),
					fn("ntile", i32, &plan.Literal{T: i32, Value: int32(7)}), fn("lag", i64, v, &plan.Literal{T: i32, Value: int32(2)})}}, NewEnv(nil, 0))
		}}
		if name == "spills" {
			oc.limit = 7000
		}
		t.Run(name, func(t *testing.T) { runCase(t, oc) })
	}
}

func TestWindowRanks(t *testing.T) {
	i64, i32, f64 := types.Int64Type, types.Int32Type, types.Float64Type
	in := rows{{int64(1), int64(5)}, {int64(1), int64(5)}, {int64(1), int64(7)}, {int64(2), int64(1)}}
	fn := func(name string, ret *types.Type, args ...plan.Expr) physical.WindowFn {
		return physical.WindowFn{Func: &plan.Call{Name: name, Args: args, T: ret, Kind: plan.FnWindow}}
	}
	runCase(t, opCase{inputs: []table{{[]*types.Type{i64, i64}, in}}, ordered: true,
		want: rows{
			{int64(1), int64(5), int32(1), int32(1), int32(1), 0.0, 2. / 3, int32(1), nil, int64(5)},
			{int64(1), int64(5), int32(2), int32(1), int32(1), 0.0, 2. / 3, int32(1), int64(5), int64(7)},
			{int64(1), int64(7), int32(3), int32(3), int32(2), 1.0, 1.0, int32(2), int64(5), int64(-1)},
			{int64(2), int64(1), int32(1), int32(1), int32(1), 0.0, 1.0, int32(1), nil, int64(-1)},
		},
		build: func(ops []Operator) (Operator, error) {
			v := col(1, i64)
			return NewWindow(ops[0], &physical.Window{Partition: []plan.Expr{col(0, i64)}, Order: []physical.Order{{Expr: v}},
				Fns: []physical.WindowFn{fn("row_number", i32), fn("rank", i32), fn("dense_rank", i32), fn("percent_rank", f64), fn("cume_dist", f64),
					fn("ntile", i32, &plan.Literal{T: i32, Value: int32(2)}), fn("lag", i64, v),
					fn("lead", i64, v, &plan.Literal{T: i32, Value: int32(1)}, &plan.Literal{T: i64, Value: int64(-1)})}}, NewEnv(nil, 0))
		}})
}
