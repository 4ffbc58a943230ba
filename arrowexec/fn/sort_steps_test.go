package fn

import (
	"cmp"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
)

func TestSortSteps(t *testing.T) {
	rnd := rand.New(rand.NewPCG(3, 4))
	for _, n := range []int{0, 1, sortRun, sortRun + 1, 3*sortRun - 1, 100_000} {
		keys := make([]int, n)
		idx := make([]int32, n)
		for i := range keys {
			keys[i], idx[i] = rnd.IntN(n/3+1), int32(i)
		}
		want := slices.Clone(idx)
		by := func(x, y int32) int { return cmp.Compare(keys[x], keys[y]) }
		slices.SortStableFunc(want, by)
		yields := 0
		if err := sortSteps(idx, by, func() error { yields++; return nil }); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(idx, want) {
			t.Errorf("%d rows: not in order, or not stable", n)
		}
		if yields < n/sortRun {
			t.Errorf("%d rows: %d yield points", n, yields)
		}
	}
	stop := errors.New("stop")
	if err := sortSteps(make([]int32, 10_000), func(int32, int32) int { return 0 }, func() error { return stop }); err != stop {
		t.Error(err)
	}
}
