package experiments

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"neptune/internal/bench"
	"neptune/scheduler/core"
	"neptune/scheduler/policy"
	"neptune/scheduler/virtual"
)

// pressure is X6: one executor holds large sorters, which keep their memory
// while they are suspended; stream tasks that prefer no place should go to the other.
func pressure(ctx context.Context, o Options) (*bench.Report, error) {
	until := pick(o.Quick, 10*time.Second, 40*time.Second)
	r := report(o, "x6 virtual", "memory-limited executors", fmt.Sprintf("2 executors x 4 slots, 1,000 MB each, sorters of 245 MB on one, tasks of 20 MB on the other, 3 stream tasks of 40 MB each 500 ms, heartbeat 50 ms, %v", until),
		"policy", "on the less pressured %", "spilled MB", "stream p99 ms", "suspensions")
	policies := []string{"random", "load_balance", "lma_fork", "lma", "deadline"}
	place, spill, p99, susp := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	for rep := range o.Runs {
		seed := o.Seed + uint64(rep)
		for _, name := range policies {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			g := rand.New(rand.NewPCG(seed, 6))
			ex := executors(2, 4)
			ex[0].MemoryMB, ex[1].MemoryMB = 1000, 1000
			jobs := micro(g, 500*time.Millisecond, until, 3, 0, 100*time.Millisecond)
			for i := range jobs {
				jobs[i].Stages = jobs[i].Stages[:1]
				for k := range jobs[i].Stages[0].Tasks {
					jobs[i].Stages[0].Tasks[k].MemoryMB = 40
				}
			}
			for i, mb := range []float64{245, 20} {
				b := long(g, 4, 2*until)
				for k := range b.Stages[0].Tasks {
					b.Stages[0].Tasks[k].MemoryMB, b.Stages[0].Tasks[k].Prefer = mb, []policy.ExecutorID{ex[i].ID}
				}
				jobs = append(jobs, b)
			}
			conf := virtual.Config{Core: core.Conf{Mode: core.Neptune, Policy: mustPolicy(name), MaxFailures: 4, LocalityWait: time.Hour}, Executors: ex,
				Seed: seed, Delay: lan, Yield: yield, Limit: until, Heartbeat: 50 * time.Millisecond}
			res, err := virtual.Run(conf, jobs)
			if err != nil {
				return nil, err
			}
			all := 0
			for _, k := range res.Placed {
				all += k
			}
			place[name] = append(place[name], 100*float64(res.Placed[ex[1].ID])/float64(max(1, all)))
			spill[name] = append(spill[name], res.SpilledMB)
			p99[name] = append(p99[name], bench.Quantile(responses(res, "stream"), 0.99))
			susp[name] = append(susp[name], float64(res.Suspensions))
		}
	}
	s := bench.Series{Name: "spilled"}
	for i, name := range policies {
		sp := r.Value(name+" spilled MB", spill[name])
		r.Row(name, r.Value(name+" less pressured %", place[name]), sp, r.Value(name+" p99 ms", p99[name]), r.Value(name+" suspensions", susp[name]))
		s.Points = append(s.Points, bench.Point{X: float64(i), Y: sp.Median, Low: sp.Low, High: sp.High})
	}
	r.Plot = &bench.Plot{Title: "Spilled by policy", X: "policy", Y: "MB", Words: policies, Series: []bench.Series{s}}
	l := bench.Of(place["lma"])
	r.Check("lma places >= 90 % on the less pressured executor", l.Median >= 90, "%s %%", l)
	a, b := bench.Of(spill["lma"]), bench.Of(spill["random"])
	r.Check("lma spills <= 0.5 x random", a.Median <= 0.5*b.Median, "%s and %s MB", a, b)
	return r, nil
}
