package experiments

import (
	"context"
	"time"

	"neptune/internal/bench"
	"neptune/scheduler/virtual"
)

// chaos is X9: 10,000 random schedules a repetition (1e6 with --runs 100).
func chaos(ctx context.Context, o Options) (*bench.Report, error) {
	each := pick(o.Quick, 50, 10_000)
	r := report(o, "x9 virtual", "random schedules with delayed, duplicated, reordered messages", "1-4 executors, all modes and policies, losses, cancellations, gangs, shared stages; every step audited", "schedules", "seconds a thousand", "broken rules")
	var took []float64
	broken := 0
	var first error
	for rep := range o.Runs {
		began := time.Now()
		for k := range each {
			if k%100 == 0 && ctx.Err() != nil {
				return nil, ctx.Err()
			}
			if err := virtual.Soak(o.Seed*1_000_000 + uint64(rep*each+k)); err != nil {
				broken++
				if first == nil {
					first = err
				}
			}
		}
		took = append(took, time.Since(began).Seconds()*1000/float64(each))
	}
	r.Row(o.Runs*each, r.Value("seconds a thousand", took), broken)
	r.Check("no double offer, no negative slots, nothing lost, every job ends", broken == 0, "%d of %d schedules broke a rule (%v)", broken, o.Runs*each, first)
	return r, nil
}
