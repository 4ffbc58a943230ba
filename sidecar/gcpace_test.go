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
		room    gcRoom
		want    int
	}{
		{"idle: as small as may be", 20 * mb, 100, time.Minute, gcBatch, 20},
		{"nothing live", 0, 100, time.Minute, gcBatch, 100},
		{"fast: more room", 20 * mb, 100, 5 * time.Millisecond, gcBatch, 800},
		{"steady: the room stays", 20 * mb, 400, gcApart, gcBatch, 400},
		{"slower: less room", 20 * mb, 800, 2 * gcApart, gcBatch, 400},
		{"much is live: a share of it", 1000 * mb, 100, time.Millisecond, gcBatch, 15},
		{"half the heap is live: what is left of it", 144 * mb, 100, time.Millisecond, gcBatch, 100},
		{"more is live: less is left", 200 * mb, 100, time.Millisecond, gcBatch, 44},
		{"streams: more room", 200 * mb, 100, time.Millisecond, gcMixed, 192},
		{"streams, much is live: a larger share", 1000 * mb, 100, time.Millisecond, gcMixed, 75},
	} {
		if got := gcPercent(c.live, c.percent, c.apart, c.room); got != c.want {
			t.Errorf("%s: %d %%, want %d", c.name, got, c.want)
		}
	}
}
