package experiments

import (
	"context"
	"math/rand/v2"
	"time"

	"neptune/internal/bench"
	"neptune/scheduler/core"
	"neptune/scheduler/virtual"
)

// decisions is X11: how long the core takes for a decision on a large cluster.
func decisions(ctx context.Context, o Options) (*bench.Report, error) {
	n := pick(o.Quick, 10, 75)
	r := report(o, "x11 virtual", "time to decide", "75 executors x 4 slots, 10,000 batch tasks, 5 sets of 1,000 stream tasks; wall time of each step of the core", "policy", "steps", "p50 us", "p99 us", "max us")
	s := bench.Series{Name: "p99"}
	names := []string{"lma", "lma_fork", "load_balance", "cache_local_balance", "cache_bucket_balance", "random", "deadline"}
	ok, worst := true, 0.0
	p50, p99, most, steps := map[string][]float64{}, map[string][]float64{}, map[string][]float64{}, map[string][]float64{}
	for rep := range o.Runs {
		for _, name := range names {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			seed := o.Seed + uint64(rep)
			g := rand.New(rand.NewPCG(seed, 11))
			jobs := []virtual.Job{long(g, pick(o.Quick, 500, 10_000), 20*time.Second)}
			for i := range 5 {
				j := virtual.Job{Name: "stream", Priority: 1, Arrive: time.Duration(1+i) * time.Second, Stages: []virtual.Stage{{}}}
				for range pick(o.Quick, 50, 1000) {
					j.Stages[0].Tasks = append(j.Stages[0].Tasks, virtual.Task{Work: around(g, 100*time.Millisecond)})
				}
				jobs = append(jobs, j)
			}
			res, err := virtual.Run(virtual.Config{Core: core.Conf{Mode: core.Neptune, Policy: mustPolicy(name), MaxFailures: 4}, Executors: executors(n, 4), Seed: seed, Delay: lan, Yield: yield, Limit: 8 * time.Second}, jobs)
			if err != nil {
				return nil, err
			}
			var us []float64
			for _, d := range res.Decisions {
				us = append(us, float64(d)/1000)
			}
			sortFloats(us)
			p50[name], p99[name] = append(p50[name], bench.Quantile(us, 0.5)), append(p99[name], bench.Quantile(us, 0.99))
			most[name], steps[name] = append(most[name], us[len(us)-1]), append(steps[name], float64(len(us)))
		}
	}
	for i, name := range names {
		v := r.Value(name+" p99 us", p99[name])
		r.Row(name, r.Value(name+" steps", steps[name]), r.Value(name+" p50 us", p50[name]), v, r.Value(name+" max us", most[name]))
		s.Points = append(s.Points, bench.Point{X: float64(i), Y: v.Median, Low: v.Low, High: v.High})
		ok = ok && v.Median <= 5000
		worst = max(worst, v.Median)
	}
	r.Plot = &bench.Plot{Title: "Time of a decision", X: "policy", Y: "us", Words: names, Series: []bench.Series{s}}
	r.Check("decision p99 <= 5 ms", ok, "at most %.2f ms", worst/1000)
	return r, nil
}
