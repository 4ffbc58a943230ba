package experiments

import (
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"neptune/internal/bench"
	"neptune/scheduler/core"
	"neptune/scheduler/virtual"
)

// starvation is X7: stream tasks that would take every slot for 60 s, and a
// batch stage that wants to end meanwhile.
func starvation(ctx context.Context, o Options) (*bench.Report, error) {
	const (
		slots     = 4
		guardK    = 3
		guardRun  = 500 * time.Millisecond
		batchTask = 2 * time.Second
		task      = 100 * time.Millisecond
	)
	n := pick(o.Quick, 1, 4)
	until := 60 * time.Second
	// On each executor there are as many batch tasks as slots. If they had to take turns, each would
	// need so many protected runs, and before each run wait until it was passed over guardK+1 times,
	// a stream task ended, and one more did.
	runs := math.Ceil(1.2 * batchTask.Seconds() / guardRun.Seconds())
	bound := time.Duration(float64(slots) * runs * float64(guardRun+(guardK+3)*task*12/10))
	r := report(o, "x7 virtual", "starvation under 100 % stream load", fmt.Sprintf("%d executors x %d slots, stream tasks of 100 ms for every slot all the time, a batch stage of %d tasks of 2 s; guard: %d suspensions, %v", n, slots, n*slots, guardK, guardRun),
		"guard", "batch stage s", "most suspensions of a task between protected runs", "batch share of the first 10 s %", "stream tasks p99 ms")
	type row struct{ end, most, share, p99 []float64 }
	rows := map[string]*row{}
	names := []string{"off", "on", "batch share 10 %"}
	worst := 0.0
	for rep := range o.Runs {
		seed := o.Seed + uint64(rep)
		for _, name := range names {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			g := rand.New(rand.NewPCG(seed, 7))
			jobs := []virtual.Job{long(g, n*slots, batchTask)}
			if name == names[2] { // there is always batch work
				jobs[0] = long(g, 4*n*slots, 20*time.Second)
			}
			for at := 50 * time.Millisecond; at < until; at += task {
				j := virtual.Job{Name: "stream", Priority: 1, Arrive: at, Stages: []virtual.Stage{{}}}
				for range n * slots {
					j.Stages[0].Tasks = append(j.Stages[0].Tasks, virtual.Task{Work: task})
				}
				jobs = append(jobs, j)
			}
			c := core.Conf{Mode: core.Neptune, Policy: mustPolicy("lma"), MaxFailures: 4}
			switch name {
			case "on":
				c.MaxSuspensions, c.ProtectedRun = guardK, guardRun
			case names[2]:
				c.BatchMinShare = 0.1
			}
			res, err := virtual.Run(virtual.Config{Core: c, Executors: executors(n, slots), Seed: seed, Delay: lan, Yield: yield, Limit: until}, jobs)
			if err != nil {
				return nil, err
			}
			x := rows[name]
			if x == nil {
				x = &row{}
				rows[name] = x
			}
			end := until.Seconds() * 10
			if b := res.Jobs[0]; b.Done {
				end = b.Response().Seconds()
			}
			x.end, x.most = append(x.end, end), append(x.most, float64(res.MostSuspended))
			if len(res.Share) > 0 {
				x.share = append(x.share, 100*res.Share[0])
			}
			if name == names[2] {
				for _, s := range res.Share {
					worst = max(worst, math.Abs(100*s-10))
				}
			}
			x.p99 = append(x.p99, bench.Quantile(responses(res, "stream"), 0.99))
		}
	}
	s := bench.Series{Name: "batch stage"}
	for i, name := range names {
		x := rows[name]
		end := r.Value(name+" batch s", x.end)
		show := any(end)
		if end.Low > until.Seconds() {
			show = "not within 60"
		}
		r.Row(name, show, r.Value(name+" suspensions", x.most), r.Value(name+" share %", x.share), r.Value(name+" stream p99 ms", x.p99))
		s.Points = append(s.Points, bench.Point{X: float64(i), Y: min(end.Median, 60), Low: min(60, end.Low), High: min(60, end.High)})
	}
	r.Plot = &bench.Plot{Title: "End of the batch stage (60: not ended)", X: "guard", Y: "s", Words: names, Series: []bench.Series{s}}
	on, off := rows["on"], rows["off"]
	r.Check("no task is suspended more than K + 1 times without its protected run", bench.Of(on.most).High <= guardK+1, "at most %.0f; K is %d", bench.Of(on.most).High, guardK)
	r.Check("the batch stage ends within the bound", bench.Of(on.end).High <= bound.Seconds(), "%s s of %.1f s", bench.Of(on.end), bound.Seconds())
	r.Check("with the guard off it doesn't", bench.Of(off.end).Low > bound.Seconds(), "not within %.1f s", bound.Seconds())
	r.Check("batch share within 2 points of 10 % in each 10 s window", worst <= 2, "at most %.2f points off", worst)
	return r, nil
}
