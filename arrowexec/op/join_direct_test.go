package op

import (
	"math"
	"math/rand/v2"
	"testing"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// Tables over integer keys of any spread find what a map finds.
func TestJoinTableOfIntegers(t *testing.T) {
	rnd := rand.New(rand.NewPCG(5, 6))
	quiet := func() error { return nil }
	for _, c := range []struct {
		name   string
		direct bool
		key    func() int64
	}{
		{"dense", true, func() int64 { return rnd.Int64N(3000) }},
		{"dense around zero", true, func() int64 { return rnd.Int64N(3000) - 1500 }},
		{"dense at the lower end", true, func() int64 { return math.MinInt64 + rnd.Int64N(3000) }},
		{"dense at the upper end", true, func() int64 { return math.MaxInt64 - rnd.Int64N(3000) }},
		{"sparse", false, func() int64 { return rnd.Int64N(1 << 40) }},
		{"both ends", false, func() int64 { return []int64{math.MinInt64, math.MaxInt64, 0}[rnd.IntN(3)] }},
	} {
		for _, typ := range []*types.Type{types.Int64Type, types.Int32Type} {
			const n = 2000
			build, probe := make([]int64, n), make([]int64, 2*n)
			null := make([]bool, n)
			for i := range build {
				build[i], null[i] = c.key(), rnd.IntN(50) == 0
			}
			for i := range probe {
				probe[i] = c.key()
				if i%10 == 0 {
					probe[i] = rnd.Int64() - 1<<62
				}
			}
			column := func(keys []int64, null []bool) *vec.Vector {
				if typ == types.Int64Type {
					return vec.FromSlice(typ, keys, null)
				}
				narrow := make([]int32, len(keys))
				for i, k := range keys {
					narrow[i] = int32(k)
				}
				return vec.FromSlice(typ, narrow, null)
			}
			at := func(k int64) int64 {
				if typ == types.Int32Type {
					return int64(int32(k))
				}
				return k
			}
			want := map[int64]int{}
			for i, k := range build {
				if !null[i] {
					want[at(k)]++
				}
			}
			keys := []*vec.Vector{column(build, null)}
			table, err := newJoinTable(keys, keys, n, []bool{false}, quiet)
			if err != nil {
				t.Fatal(err)
			}
			if typ == types.Int64Type && (table.direct != nil) != c.direct {
				t.Errorf("%s: direct is %t", c.name, table.direct != nil)
			}
			var s probeScratch
			if err := table.lookup([]*vec.Vector{column(probe, nil)}, len(probe), &s, quiet); err != nil {
				t.Fatal(err)
			}
			for i, k := range probe {
				got := 0
				for row := s.head[i]; row != 0; row = table.after(row) {
					if b := build[row-1]; null[row-1] || at(b) != at(k) {
						t.Fatalf("%s: row %d isn't of key %d", c.name, row, k)
					}
					got++
				}
				if got != want[at(k)] {
					t.Fatalf("%s: key %d has %d rows, want %d", c.name, k, got, want[at(k)])
				}
			}
		}
	}
}
