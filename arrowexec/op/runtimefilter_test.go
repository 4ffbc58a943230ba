package op

import (
	"math/rand/v2"
	"testing"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

func noYield() error { return nil }

func TestRuntimeFilterHasItsKeys(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	for _, c := range []struct {
		n      int
		spread int64
	}{{0, 1}, {1, 1}, {1000, 3000}, {1000, 1 << 40}, {50000, 60000}, {20000, 1 << 62}} {
		keys, null := make([]int64, c.n), make([]bool, c.n)
		have := map[int64]bool{}
		for i := range keys {
			keys[i] = r.Int64N(c.spread) - c.spread/2
			if null[i] = r.IntN(10) == 0; !null[i] {
				have[keys[i]] = true
			}
		}
		half := c.n / 2
		v := vec.FromSlice(types.Int64Type, keys, null)
		f, err := NewRuntimeFilter([]*vec.Vector{v.Slice(0, half), v.Slice(half, c.n)}, noYield)
		if err != nil {
			t.Fatal(err)
		}
		if f.Empty() != (len(have) == 0) {
			t.Errorf("%d keys of %d: empty is %v", len(have), c.spread, f.Empty())
		}
		probe := append([]int64{}, keys...)
		for range 20000 {
			probe = append(probe, r.Int64N(c.spread)-c.spread/2, int64(r.Uint64()))
		}
		pn := make([]bool, len(probe))
		copy(pn, null)
		all := make([]int32, len(probe))
		for i := range all {
			all[i] = int32(i)
		}
		for _, nulls := range [][]bool{nil, pn} {
			for _, sel := range [][]int32{nil, all} {
				kept := map[int32]bool{}
				for _, i := range f.Select(vec.FromSlice(types.Int64Type, probe, nulls), sel, make([]int32, 0, len(probe))) {
					kept[i] = true
				}
				wrong := 0
				for i, k := range probe {
					isNull := nulls != nil && nulls[i]
					switch {
					case isNull && kept[int32(i)]:
						t.Fatalf("null was kept")
					case !isNull && have[k] && !kept[int32(i)]:
						t.Fatalf("key %d was lost", k)
					case !isNull && !have[k] && kept[int32(i)]:
						wrong++
					}
				}
				if exact := f.bits != nil || f.Empty(); exact && wrong > 0 || wrong > len(probe)/20 {
					t.Errorf("%d keys of %d: %d of %d rows were kept for nothing", c.n, c.spread, wrong, len(probe))
				}
			}
		}
	}
}

func TestRuntimeFilterOfDates(t *testing.T) {
	v := vec.FromSlice(types.DateType, []int32{5, -7, 5, 100}, nil)
	f, err := NewRuntimeFilter([]*vec.Vector{v}, noYield)
	if err != nil {
		t.Fatal(err)
	}
	got := f.Select(vec.FromSlice(types.DateType, []int32{-8, -7, 6, 100, 101, 5}, nil), nil, make([]int32, 0, 6))
	if len(got) != 3 || got[0] != 1 || got[1] != 3 || got[2] != 5 {
		t.Errorf("kept %v, want [1 3 5]", got)
	}
	if lo, hi := f.Range(); lo != -7 || hi != 100 {
		t.Errorf("range is %d to %d", lo, hi)
	}
}
