package sidecar

import (
	"testing"
	"time"
)

func TestGCPercent(t *testing.T) {
	const mb = 1 << 20
	for _, c := range []struct {
		name    string
		live    int64
		percent int
		apart   time.Duration
		want    int
	}{
		{"idle: as small as may be", 20 * mb, 100, time.Minute, 40},
		{"nothing live", 0, 100, time.Minute, 100},
		{"fast: more room", 20 * mb, 100, 5 * time.Millisecond, 800},
		{"steady: the room stays", 20 * mb, 400, gcApart, 400},
		{"slower: less room", 20 * mb, 800, 2 * gcApart, 400},
		{"much is live: a share of it", 1000 * mb, 100, time.Millisecond, 40},
	} {
		if got := gcPercent(c.live, c.percent, c.apart, gcRoom, gcShare); got != c.want {
			t.Errorf("%s: %d %%, want %d", c.name, got, c.want)
		}
	}
}
