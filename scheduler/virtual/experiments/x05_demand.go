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

// demand is X5: micro-batches each 500 ms that need from 0 to 100 % of the
// slots, over batch tasks that would take all the time there is.
func demand(ctx context.Context, o Options) (*bench.Report, error) {
	const slots = 4
	n := pick(o.Quick, 2, 8)
	until := pick(o.Quick, 8*time.Second, 30*time.Second)
	r := report(o, "x5 virtual", "stream demand from 0 to 100 % of the slots", fmt.Sprintf("%d executors x %d slots, stream tasks of 100 ms each 500 ms, batch tasks of 5 s, %v", n, slots, until),
		"demand %", "stream p50 ms", "stream p99 ms", "ISO p99 ms", "slots used %", "batch slots")
	nep, iso := bench.Series{Name: "NEPTUNE p99"}, bench.Series{Name: "ISO p99"}
	p99ok, usedOK := true, true
	worst, least := 0.0, 100.0
	for pct := 0; pct <= 100; pct += 10 {
		var p50s, p99s, isos, used, batch []float64
		for rep := range o.Runs {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			seed := o.Seed + uint64(rep)
			for _, alone := range []bool{rep%2 == 0, rep%2 == 1} { // one after the other, in turns
				g := rand.New(rand.NewPCG(seed, 5))
				var jobs []virtual.Job
				if tasks := n * slots * 5 * pct / 100; tasks > 0 {
					for at := 500 * time.Millisecond; at < until; at += 500 * time.Millisecond {
						j := virtual.Job{Name: "stream", Priority: 1, Arrive: at, Stages: []virtual.Stage{{}}}
						for range tasks {
							j.Stages[0].Tasks = append(j.Stages[0].Tasks, virtual.Task{Work: around(g, 100*time.Millisecond)})
						}
						jobs = append(jobs, j)
					}
				} else if alone {
					continue
				}
				if !alone {
					jobs = append(jobs, long(g, n*slots*int(until/(4*time.Second)+1), 5*time.Second))
				}
				conf := virtual.Config{Core: core.Conf{Mode: core.Neptune, Policy: mustPolicy("lma"), MaxFailures: 4}, Executors: executors(n, slots), Seed: seed, Delay: lan, Yield: yield, Limit: until}
				res, err := virtual.Run(conf, jobs)
				if err != nil {
					return nil, err
				}
				resp := responses(res, "stream")
				if alone {
					isos = append(isos, bench.Quantile(resp, 0.99))
					continue
				}
				p50s, p99s = append(p50s, bench.Quantile(resp, 0.5)), append(p99s, bench.Quantile(resp, 0.99))
				used = append(used, 100*res.Busy.Seconds()/(until.Seconds()*float64(n*slots)))
				batch = append(batch, res.BatchBusy.Seconds()/until.Seconds())
			}
		}
		v := func(what string, x []float64) bench.Stat { return r.Value(fmt.Sprintf("%d%% %s", pct, what), x) }
		a, b, i, u := v("p50 ms", p50s), v("p99 ms", p99s), v("iso p99 ms", isos), v("used %", used)
		r.Row(pct, a, b, i, u, v("batch slots", batch))
		if pct > 0 {
			nep.Points = append(nep.Points, bench.Point{X: float64(pct), Y: b.Median, Low: b.Low, High: b.High})
			iso.Points = append(iso.Points, bench.Point{X: float64(pct), Y: i.Median, Low: i.Low, High: i.High})
			if pct <= 80 {
				p99ok = p99ok && b.Median <= 1.5*i.Median
				worst = max(worst, b.Median/i.Median)
			}
		}
		usedOK = usedOK && u.Median >= 97
		least = min(least, u.Median)
	}
	r.Plot = &bench.Plot{Title: "Stream latency by demand", X: "demand, % of slots", Y: "ms", Series: []bench.Series{nep, iso}}
	r.Check("stream p99 <= 1.5 x ISO p99 up to 80 %", p99ok, "at most %.2f x", worst)
	r.Check("slots used >= 97 % at every point", usedOK, "at least %.1f %%", least)
	return r, nil
}
