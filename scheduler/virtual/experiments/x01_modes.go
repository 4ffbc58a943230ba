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

// modes is X1 (and X2) on the virtual rig: batch tasks hold every slot, and a
// micro-batch comes every 500 ms. ISO is the stream alone.
func modes(ctx context.Context, o Options) (*bench.Report, error) {
	const slots = 4
	n := pick(o.Quick, 2, 8)
	until := pick(o.Quick, 10*time.Second, 60*time.Second)
	r := report(o, "x1 virtual", "stream latency and batch throughput", fmt.Sprintf("%d executors x %d slots, batch tasks of 5 s, a micro-batch each 500 ms for %v", n, slots, until),
		"mode", "stream p50 ms", "stream p99 ms", "batch slot-s a s", "redone slot-s", "suspensions", "slots used %")
	samples := map[string]map[string][]float64{}
	add := func(mode, what string, v float64) {
		if samples[mode] == nil {
			samples[mode] = map[string][]float64{}
		}
		samples[mode][what] = append(samples[mode][what], v)
	}
	equal := true
	for rep := range o.Runs {
		seed := o.Seed + uint64(rep)
		jobs := func() (all []virtual.Job) {
			g := rand.New(rand.NewPCG(seed, 1))
			all = micro(g, 500*time.Millisecond, until, n*slots/2, n*slots/4, 100*time.Millisecond)
			return append(all, long(g, n*slots*int(until/(4*time.Second)), 5*time.Second))
		}
		for _, mode := range append([]core.Mode{"iso"}, allModes...) {
			if err := ctx.Err(); err != nil {
				return nil, err
			}
			conf := virtual.Config{Core: core.Conf{Mode: mode, Policy: mustPolicy("lma"), MaxFailures: 4}, Executors: executors(n, slots), Seed: seed, Delay: lan, Yield: yield, Limit: until}
			all := jobs()
			streams := len(all) - 1
			if mode == "iso" {
				conf.Core.Mode = core.Neptune
				all = all[:streams]
			}
			res, err := virtual.Run(conf, all)
			if err != nil {
				return nil, err
			}
			resp := responses(res, "stream")
			// A micro-batch without an answer by the end has waited at least until then.
			for i, j := range res.Jobs[:streams] {
				if !j.Done {
					resp = append(resp, ms(until-all[i].Arrive))
				}
			}
			name := string(mode)
			sortFloats(resp)
			add(name, "p50", bench.Quantile(resp, 0.5))
			add(name, "p99", bench.Quantile(resp, 0.99))
			batch := work(res)
			add(name, "batch", batch.Seconds()/until.Seconds())
			add(name, "redone", res.Redone.Seconds())
			add(name, "suspensions", float64(res.Suspensions))
			add(name, "used", 100*res.Busy.Seconds()/(until.Seconds()*float64(n*slots)))
			stream := time.Duration(0)
			for _, j := range all[:streams] {
				for _, st := range j.Stages {
					for _, t := range st.Tasks {
						stream += t.Work
					}
				}
			}
			add(name, "stream cpu", stream.Seconds()/until.Seconds())
			equal = equal && once(res)
		}
	}
	var words []string
	p99 := bench.Series{Name: "stream p99"}
	p50 := bench.Series{Name: "stream p50"}
	for i, mode := range append([]core.Mode{"iso"}, allModes...) {
		name := string(mode)
		v := func(what string) bench.Stat { return r.Value(name+" "+what, samples[name][what]) }
		a, b := v("p50"), v("p99")
		r.Row(name, a, b, v("batch"), v("redone"), v("suspensions"), v("used"))
		words = append(words, name)
		p50.Points = append(p50.Points, bench.Point{X: float64(i), Y: a.Median, Low: a.Low, High: a.High})
		p99.Points = append(p99.Points, bench.Point{X: float64(i), Y: b.Median, Low: b.Low, High: b.High})
	}
	r.Plot = &bench.Plot{Title: "Stream latency by mode", X: "mode", Y: "ms", Log: true, Words: words, Series: []bench.Series{p50, p99}}
	m := func(mode, what string) bench.Stat { return bench.Of(samples[mode][what]) }
	nep, iso, fifo, fair, kill := m("neptune", "p99").Median, m("iso", "p99").Median, m("fifo", "p99").Median, m("fair", "p99").Median, m("kill", "redone")
	r.Check("NEPTUNE p99 <= 1.5 x ISO p99", nep <= 1.5*iso, "%.0f of %.0f ms", nep, iso)
	r.Check("NEPTUNE p99 <= FIFO p99 / 3", nep <= fifo/3, "%.0f of %.0f ms", nep, fifo)
	r.Check("FAIR p99 > NEPTUNE p99", fair > nep, "%.0f and %.0f ms", fair, nep)
	// FIFO keeps every slot at batch work while it lasts: what it does in all is what there is.
	left := float64(n*slots)*m("fifo", "used").Median/100 - m("neptune", "stream cpu").Median
	r.Check("batch work >= 97 % of (what FIFO's slots did - the stream's)", m("neptune", "batch").Median >= 0.97*left, "%.2f of %.2f slots", m("neptune", "batch").Median, left)
	r.Check("work redone: KILL > 0, NEPTUNE = 0 (X2)", kill.Low > 0 && m("neptune", "redone").High == 0, "%.1f and %.1f slot-s", kill.Median, m("neptune", "redone").Median)
	r.Check("batch throughput: NEPTUNE > KILL, intervals apart (X2)", m("neptune", "batch").Low > m("kill", "batch").High, "%s and %s slots", m("neptune", "batch"), m("kill", "batch"))
	r.Check("no output is made twice", equal, "every mode, every repetition")
	return r, nil
}
