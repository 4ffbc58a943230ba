package op

import (
	"fmt"
	"math/rand/v2"
	std "slices"
	"testing"

	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// lessThan is the predicate column 0 < column 1 of int32 columns.
type lessThan struct{ not bool }

func (p lessThan) Select(b *vec.Batch) (*vec.Batch, error) {
	d := b.Compact()
	var sel []int32
	for i := range d.N {
		if d.Cols[0].IsNull(i) || d.Cols[1].IsNull(i) {
			continue
		}
		if (vec.Of[int32](d.Cols[0])[i] < vec.Of[int32](d.Cols[1])[i]) != p.not {
			sel = append(sel, int32(i))
		}
	}
	return &vec.Batch{N: len(sel), Cols: d.Cols, Sel: sel}, nil
}

// joinRef joins by comparing all rows. A pair's match is 1 true, 0 false, -1 unknown.
func joinRef(kind plan.JoinType, l, r table, match func(i, j int) int) (out rows, tooMany bool) {
	nulls := func(n int) []any { return make([]any, n) }
	seenRight := make([]bool, len(r.rows))
	for i, a := range l.rows {
		hits, unknown := 0, false
		for k, b := range r.rows {
			switch match(i, k) {
			case -1:
				unknown = true
			case 1:
				hits++
				seenRight[k] = true
				switch kind {
				case plan.Inner, plan.LeftOuter, plan.RightOuter, plan.FullOuter, plan.LeftSingle, plan.Cross:
					out = append(out, append(append([]any{}, a...), b...))
				}
			}
		}
		switch {
		case kind == plan.LeftSingle && hits > 1:
			return nil, true
		case hits == 0 && (kind == plan.LeftOuter || kind == plan.FullOuter || kind == plan.LeftSingle):
			out = append(out, append(append([]any{}, a...), nulls(len(r.schema))...))
		case kind == plan.LeftSemi && hits > 0, kind == plan.LeftAnti && hits == 0, kind == plan.NullAwareAnti && hits == 0 && !unknown:
			out = append(out, a)
		case kind == plan.Existence:
			out = append(out, append(append([]any{}, a...), hits > 0))
		}
	}
	if kind == plan.RightOuter || kind == plan.FullOuter {
		for k, b := range r.rows {
			if !seenRight[k] {
				out = append(out, append(nulls(len(l.schema)), b...))
			}
		}
	}
	return out, false
}

// keyMatch compares the first n columns.
func keyMatch(l, r table, n int, safe []bool, cond bool) func(i, j int) int {
	lb, rb := batchOf(l.schema, l.rows), batchOf(r.schema, r.rows)
	return func(i, j int) int {
		res := 1
		for k := range n {
			x, y := lb.Cols[k], rb.Cols[k]
			switch {
			case (x.IsNull(i) || y.IsNull(j)) && !(len(safe) > 0 && safe[k]):
				res = min(res, -1)
			case !vec.EqualAt(x, i, y, j):
				return 0
			}
		}
		if cond {
			x, y := l.rows[i][len(l.schema)-1], r.rows[j][len(r.schema)-1]
			if x == nil || y == nil {
				return min(res, -1)
			}
			if x.(int32) >= y.(int32) {
				return 0
			}
		}
		return res
	}
}

var allKinds = []plan.JoinType{plan.Inner, plan.LeftOuter, plan.RightOuter, plan.FullOuter, plan.LeftSemi, plan.LeftAnti, plan.NullAwareAnti, plan.Existence, plan.LeftSingle}

func TestHashJoin(t *testing.T) {
	r := rand.New(rand.NewPCG(5, 6))
	str, i32, i64 := types.StringType, types.Int32Type, types.Int64Type
	for _, keys := range []struct {
		name string
		ts   []*types.Type
		safe []bool
	}{
		{"int64", []*types.Type{i64}, nil},
		{"two ints", []*types.Type{i32, i32}, nil},
		{"string", []*types.Type{str}, nil},
		{"null-safe", []*types.Type{i64, str}, []bool{true, false}},
		{"double", []*types.Type{types.Float64Type}, nil},
		{"wide", []*types.Type{types.NewDecimal(30, 0), i64}, nil},
	} {
		n := len(keys.ts)
		schema := append(append([]*types.Type{}, keys.ts...), str, i32)
		for k, kind := range allKinds {
			for _, right := range []bool{true, false} {
				for _, cond := range []bool{false, true} {
					if kind == plan.NullAwareAnti && (!right || cond || n != 1) {
						continue
					}
					t.Run(fmt.Sprint(keys.name, " ", kind, right, cond), func(t *testing.T) {
						l, rt := table{schema: schema}, table{schema: schema}
						l.rows = randomRows(r, schema, 80, 30)
						rt.rows = randomRows(r, schema, 60, 30)
						if kind == plan.NullAwareAnti && keys.name == "string" {
							rt.rows = std.DeleteFunc(rt.rows, func(r []any) bool { return r[0] == nil })
						}
						if kind == plan.LeftSingle && k%2 == 0 { // one match at most
							seen := map[string]bool{}
							rt.rows = std.DeleteFunc(rt.rows, func(r []any) bool {
								s := fmt.Sprint(r[:n]...)
								dup := seen[s]
								seen[s] = true
								return dup
							})
						}
						want, tooMany := joinRef(kind, l, rt, keyMatch(l, rt, n, keys.safe, cond))
						oc := opCase{inputs: []table{l, rt}, want: want, sizes: []int{3, 8192}, limit: 3200,
							build: func(in []Operator) (Operator, error) {
								var idx []int
								for k := range n {
									idx = append(idx, k)
								}
								ks, err := CompileKeys(keyExprs(schema, idx), nil)
								if err != nil {
									return nil, err
								}
								cfg := JoinConfig{Kind: kind, BuildRight: right, LeftKeys: ks, RightKeys: ks, NullSafe: keys.safe}
								if cond {
									cfg.Cond = &Condition{Left: []int{n + 1}, Right: []int{n + 1}, Pred: lessThan{}}
								}
								return NewHashJoin(in[0], in[1], cfg)
							}}
						oc.sizes = []int{8}
						if kind == plan.LeftSingle || keys.name != "int64" && keys.name != "null-safe" {
							oc.limit = 0
						}
						if tooMany {
							oc.err = "SCALAR_SUBQUERY_TOO_MANY_ROWS"
						}
						runCase(t, oc)
					})
				}
			}
		}
	}
}

func TestLoopJoin(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	schema := []*types.Type{types.StringType, types.Int32Type}
	for _, kind := range append(allKinds, plan.Cross) {
		for _, right := range []bool{true, false} {
			for _, cond := range []bool{false, true} {
				for _, n := range []int{0, 25} {
					t.Run(fmt.Sprint(kind, right, cond, n), func(t *testing.T) {
						l, rt := table{schema: schema}, table{schema: schema}
						l.rows = randomRows(r, schema, 30, 10)
						rt.rows = randomRows(r, schema, n, 10)
						want, tooMany := joinRef(kind, l, rt, keyMatch(l, rt, 0, nil, cond))
						oc := opCase{inputs: []table{l, rt}, want: want, sizes: []int{1, 3, 100},
							build: func(in []Operator) (Operator, error) {
								cfg := JoinConfig{Kind: kind, BuildRight: right}
								if cond {
									cfg.Cond = &Condition{Left: []int{1}, Right: []int{1}, Pred: lessThan{kind == plan.NullAwareAnti}, Negated: kind == plan.NullAwareAnti}
								}
								return NewLoopJoin(in[0], in[1], cfg)
							}}
						if n > 0 { // once more, in blocks
							oc.sizes, oc.limit = []int{4}, 500
						}
						if tooMany {
							oc.err = "SCALAR_SUBQUERY_TOO_MANY_ROWS"
						}
						runCase(t, oc)
					})
				}
			}
		}
	}
}

// TestJoinOfOneKey: rows that all have the same key can't be divided by hash,
// and are joined in blocks.
func TestJoinOfOneKey(t *testing.T) {
	schema := []*types.Type{types.Int64Type, types.StringType}
	for _, kind := range []plan.JoinType{plan.Inner, plan.FullOuter, plan.LeftSemi, plan.LeftAnti} {
		l, rt := table{schema: schema}, table{schema: schema}
		for i := range 60 {
			l.rows = append(l.rows, []any{int64(7 + i%40/39), fmt.Sprint("left", i)})
			rt.rows = append(rt.rows, []any{int64(7), fmt.Sprint("right", i)})
		}
		want, _ := joinRef(kind, l, rt, keyMatch(l, rt, 1, nil, false))
		runCase(t, opCase{inputs: []table{l, rt}, want: want, sizes: []int{8}, limit: 2500, build: func(in []Operator) (Operator, error) {
			keys, err := CompileKeys(keyExprs(schema, []int{0}), nil)
			if err != nil {
				return nil, err
			}
			return NewHashJoin(in[0], in[1], JoinConfig{Kind: kind, BuildRight: true, LeftKeys: keys, RightKeys: keys})
		}})
	}
}

func TestSharedTable(t *testing.T) {
	schema := []*types.Type{types.Int64Type, types.StringType}
	l := table{schema, rows{{int64(1), "a"}, {int64(2), "b"}, {nil, "c"}}}
	r := table{schema, rows{{int64(2), "x"}, {int64(2), "y"}, {int64(3), "z"}}}
	want, _ := joinRef(plan.LeftOuter, l, r, keyMatch(l, r, 1, nil, false))
	var shared *SharedTable
	runCase(t, opCase{inputs: []table{l}, want: want, build: func(in []Operator) (Operator, error) {
		keys, err := CompileKeys(keyExprs(schema, []int{0}), nil)
		return mustJoin(NewHashJoin(in[0], nil, JoinConfig{Kind: plan.LeftOuter, BuildRight: true, LeftKeys: keys, RightKeys: keys, SharedTypes: schema,
			Shared: func(c *task.Ctx) (*SharedTable, error) {
				if shared == nil {
					var err error
					if shared, err = NewSharedTable(c, schema, []*vec.Batch{batchOf(schema, r.rows)}, keys, nil); err != nil {
						return nil, err
					}
				}
				return shared, nil
			}})), err
	}})
	if shared.Rows() != 3 || shared.Size() == 0 {
		t.Errorf("%d rows, %d bytes", shared.Rows(), shared.Size())
	}
}

func mustJoin(o Operator, err error) Operator {
	if err != nil {
		panic(err)
	}
	return o
}
