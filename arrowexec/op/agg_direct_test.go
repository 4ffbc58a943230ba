package op

import (
	"math"
	"math/rand/v2"
	"testing"

	"neptune/arrowexec/physical"
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// TestDirectTable groups keys of ranges that stay, that grow, and that are left again.
func TestDirectTable(t *testing.T) {
	const batches, rows = 40, 3000
	r := rand.New(rand.NewPCG(7, 8))
	for _, c := range []struct {
		name   string
		key    func(batch, row int) int64
		direct bool // in the end
	}{
		{"close", func(int, int) int64 { return int64(r.IntN(100_000)) }, true},
		{"growing a little", func(b, i int) int64 { return int64(r.IntN(30_000 + 1000*b)) }, true},
		{"below zero", func(int, int) int64 { return int64(r.IntN(100_000)) - 50_000 }, true},
		{"all", func(int, int) int64 { return int64(r.Uint64()) }, false},
		{"growing upwards", func(b, i int) int64 { return int64(b*rows + i) }, false},
		{"growing downwards", func(b, i int) int64 { return -int64(b*rows + i) }, false},
		{"far away in the end", func(b, i int) int64 {
			if b == batches-1 && i == 100 {
				return 1 << 50
			}
			return int64(r.IntN(100_000))
		}, false},
		{"least and greatest", func(b, i int) int64 {
			if x := int64(r.IntN(20_000)); i%2 == 0 {
				return math.MinInt64 + x
			} else {
				return math.MaxInt64 - x
			}
		}, false},
		{"at the edge", func(b, i int) int64 { return math.MinInt64 + int64(r.IntN(100_000)) }, false},
		{"few", func(int, int) int64 { return int64(r.IntN(100)) }, false},
	} {
		for _, nulls := range []bool{false, true} {
			tab := newGroupTable([]*types.Type{types.Int64Type}, noYield).directRoom(16 << 20)
			seen, null := map[int64]int32{}, int32(-1)
			groups := 0
			for b := range batches {
				keys, isNull := make([]int64, rows), []bool(nil)
				if nulls {
					isNull = make([]bool, rows)
				}
				for i := range keys {
					keys[i] = c.key(b, i)
					if nulls {
						isNull[i] = r.IntN(50) == 0
					}
				}
				cols := []*vec.Vector{vec.FromSlice(types.Int64Type, keys, isNull)}
				hash, err := tab.hashes(cols, rows)
				if err != nil {
					t.Fatal(err)
				}
				out := make([]int32, rows)
				fresh, err := tab.find(cols, hash, rows, out)
				if err != nil {
					t.Fatal(err)
				}
				was := groups
				for i, k := range keys {
					var want int32
					var ok bool
					if nulls && isNull[i] {
						if want, ok = null, null >= 0; !ok {
							want = int32(groups)
							null = want
						}
					} else if want, ok = seen[k]; !ok {
						want = int32(groups)
						seen[k] = want
					}
					if !ok {
						if fresh[groups-was] != int32(i) {
							t.Fatalf("%s: row %d isn't among the new ones", c.name, i)
						}
						groups++
					}
					if out[i] != want {
						t.Fatalf("%s: key %d is in group %d, want %d", c.name, k, out[i], want)
					}
				}
				if len(fresh) != groups-was || tab.n != groups {
					t.Fatalf("%s: %d new groups, %d in all, want %d and %d", c.name, len(fresh), tab.n, groups-was, groups)
				}
			}
			if (tab.direct != nil) != c.direct {
				t.Fatalf("%s: an array: %v", c.name, tab.direct != nil)
			}
			kept := tab.keyCols(0, tab.n)[0]
			for k, g := range seen {
				if kept.IsNull(int(g)) || vec.Of[int64](kept)[g] != k {
					t.Fatalf("%s: group %d has another key than %d", c.name, g, k)
				}
			}
		}
	}
}

// TestDirectAggregate is the same through the operator, in one phase and in two, with too little memory too.
func TestDirectAggregate(t *testing.T) {
	was := directGroups
	defer func() { directGroups = was }()
	directGroups = 16
	r := rand.New(rand.NewPCG(9, 10))
	schema := []*types.Type{types.Int64Type, types.Int64Type}
	for _, c := range []struct {
		rows, keys int
		limit      int64
	}{{500, 300, 0}, {6000, 5000, 200 << 10}} {
		var in rows
		for i := range c.rows {
			in = append(in, []any{int64(r.IntN(c.keys)), int64(i)})
		}
		oc := aggCase(schema, in, []int{0}, 1, c.limit)
		oc.sizes = []int{512}
		runCase(t, oc)
		oc.build = func(ops []Operator) (Operator, error) {
			o := ops[0]
			for _, mode := range []physical.AggMode{physical.Partial, physical.Final} {
				n := &physical.HashAggregate{Mode: mode, Group: []plan.Expr{col(0, types.Int64Type)}, Aggs: basicCalls(1)}
				at := 1
				for i := range n.Aggs {
					n.Aggs[i].Mode, n.Aggs[i].StateAt = mode, at
					call, err := newAggCalls(n.Aggs[i : i+1])
					if err != nil {
						return nil, err
					}
					at += len(call[0].state)
				}
				var err error
				if o, err = NewHashAggregate(o, n, NewEnv(nil, 0)); err != nil {
					return nil, err
				}
			}
			return o, nil
		}
		if c.limit == 0 {
			runCase(t, oc)
		}
	}
}
