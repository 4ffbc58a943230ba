package experiments

import (
	"slices"
	"time"

	"neptune/scheduler/virtual"
)

func sortFloats(x []float64) { slices.Sort(x) }

// work is the batch work done by the limit, that of tasks still under way too,
// without what was thrown away.
func work(res *virtual.Result) time.Duration {
	return res.BatchBusy - res.Redone
}

// once reports whether no partition was committed twice.
func once(res *virtual.Result) bool {
	for _, n := range res.Outputs {
		if n != 1 {
			return false
		}
	}
	return true
}
