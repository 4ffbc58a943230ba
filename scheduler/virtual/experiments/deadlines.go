package experiments

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"neptune/internal/bench"
	"neptune/scheduler/core"
	"neptune/scheduler/virtual"
)

// deadlines compares policy deadline with lma_fork: an urgent stream with small
// micro-batches shares the cluster with a heavy one that may take its time, over batch tasks.
func deadlines(ctx context.Context, o Options) (*bench.Report, error) {
	const slots = 4
	n := pick(o.Quick, 2, 8)
	until := pick(o.Quick, 10*time.Second, 60*time.Second)
	r := report(o, "xdeadline virtual", "policy deadline against lma_fork", fmt.Sprintf("%d executors x %d slots; urgent micro-batches each 500 ms, to be done in 250 ms; heavy ones each 2 s, to be done in 1.9 s; batch tasks of 5 s, %v", n, slots, until),
		"policy", "deadlines missed %", "urgent p99 ms", "heavy p99 ms", "batch slots", "suspensions")
	policies := []string{"lma_fork", "lma", "deadline"}
	data := map[string]map[string][]float64{}
	for rep := range o.Runs {
		seed := o.Seed + uint64(rep)
		for _, name := range policies {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			g := rand.New(rand.NewPCG(seed, 21))
			total := n * slots
			var jobs []virtual.Job
			stream := func(name string, every, target, work time.Duration, tasks int) {
				for at := every / 2; at < until-target; at += every {
					j := virtual.Job{Name: name, Priority: 1, Arrive: at + time.Duration(g.Int64N(int64(every/4))), Target: target, Estimate: work, Stages: []virtual.Stage{{}}}
					for range tasks {
						j.Stages[0].Tasks = append(j.Stages[0].Tasks, virtual.Task{Work: around(g, work)})
					}
					jobs = append(jobs, j)
				}
			}
			stream("urgent", 500*time.Millisecond, 250*time.Millisecond, 100*time.Millisecond, total/4)
			stream("heavy", 2*time.Second, 1900*time.Millisecond, 200*time.Millisecond, total*3)
			jobs = append(jobs, long(g, total*int(until/(4*time.Second)+1), 5*time.Second))
			res, err := virtual.Run(virtual.Config{Core: core.Conf{Mode: core.Neptune, Policy: mustPolicy(name), MaxFailures: 4}, Executors: executors(n, slots), Seed: seed, Delay: lan, Yield: yield, Limit: until}, jobs)
			if err != nil {
				return nil, err
			}
			missed, all := 0, 0
			for i, j := range res.Jobs {
				if jobs[i].Target > 0 {
					all++
					if j.Missed || !j.Done {
						missed++
					}
				}
			}
			if data[name] == nil {
				data[name] = map[string][]float64{}
			}
			d := data[name]
			d["missed"] = append(d["missed"], 100*float64(missed)/float64(all))
			d["urgent"] = append(d["urgent"], bench.Quantile(responses(res, "urgent"), 0.99))
			d["heavy"] = append(d["heavy"], bench.Quantile(responses(res, "heavy"), 0.99))
			d["batch"] = append(d["batch"], work(res).Seconds()/until.Seconds())
			d["suspensions"] = append(d["suspensions"], float64(res.Suspensions))
		}
	}
	s := bench.Series{Name: "missed"}
	for i, name := range policies {
		v := func(what string) bench.Stat { return r.Value(name+" "+what, data[name][what]) }
		m := v("missed")
		r.Row(name, m, v("urgent"), v("heavy"), v("batch"), v("suspensions"))
		s.Points = append(s.Points, bench.Point{X: float64(i), Y: m.Median, Low: m.Low, High: m.High})
	}
	r.Plot = &bench.Plot{Title: "Deadlines missed", X: "policy", Y: "%", Words: policies, Series: []bench.Series{s}}
	a, b := bench.Of(data["deadline"]["missed"]), bench.Of(data["lma_fork"]["missed"])
	r.Check("deadlines missed <= 0.5 x lma_fork", a.Median <= 0.5*b.Median, "%s and %s %%", a, b)
	x, y := bench.Of(data["deadline"]["batch"]), bench.Of(data["lma_fork"]["batch"])
	r.Check("batch throughput equal (within 2 %)", x.Median >= 0.98*y.Median, "%s and %s slots", x, y)
	return r, nil
}
