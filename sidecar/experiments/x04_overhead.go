package experiments

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"neptune/internal/bench"
	"neptune/sidecar"
)

// overhead is experiment X4: what it costs that tasks can be suspended, when
// none is. The same tasks run one after the other as functions, as coroutines,
// and as threads that pass a lock at each yield point; the ways take turns.
func overhead(ctx context.Context, o Options) (_ *bench.Report, err error) {
	rows, runs := 1_000_000, max(3, o.Runs)
	if o.Quick {
		rows, runs = 100_000, 3
	}
	r, err := open(ctx, Options{})
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := tables(ctx, r, rows); err != nil {
		return nil, err
	}
	ways := []sidecar.How{sidecar.Plain, sidecar.Coroutine, sidecar.Threads}
	report := &bench.Report{Name: "x4", Title: "the cost of being suspendable, without suspensions", Rig: "one thread, no scheduler", Runs: runs,
		Columns: []string{"query", "yield points", "plain CPU ms", "coroutine +%", "thread-sync +%", "a yield point each us", "answers"}}
	report.Notes = append(report.Notes, fmt.Sprintf("%d rows; CPU time of the thread; the least of each way's, since others' work only makes it longer", rows))
	equal := true
	var ratios [3][]float64
	for _, q := range operators {
		points, err := r.YieldPoints(ctx, q.text)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		var times [3][]time.Duration
		digest := ""
		for run := range runs {
			for k := range ways {
				k = (k + run) % len(ways)
				_, d, took, err := r.Alone(ctx, q.text, ways[k])
				if err != nil {
					return nil, fmt.Errorf("%s: %w", q.name, err)
				}
				if digest == "" {
					digest = d
				}
				equal = equal && d == digest
				times[k] = append(times[k], took)
			}
		}
		var least [3]float64
		for k := range ways {
			least[k] = micros(slices.Min(times[k])) / 1000
			var all []float64
			for _, t := range times[k] {
				all = append(all, micros(t)/1000)
			}
			report.Value(fmt.Sprintf("%s %s ms", q.name, ways[k]), all)
		}
		for k := range ways {
			ratios[k] = append(ratios[k], 100*(least[k]/least[0]-1))
		}
		report.Row(q.name, points, least[0], ratios[1][len(ratios[1])-1], ratios[2][len(ratios[2])-1], 1000*least[0]/float64(max(1, points)), map[bool]string{true: "equal", false: "DIFFER"}[equal])
	}
	c, t := report.Value("coroutine overhead %", ratios[1]), report.Value("thread-sync overhead %", ratios[2])
	report.Check("coroutine overhead <= 1 % (median over the queries)", c.Median <= 1, "%s %%", c)
	report.Check("its upper bound <= 2 %", c.High <= 2, "%s %%", c)
	report.Check("no more than that of thread-sync, within 1 %", c.Median <= t.Median+1, "%s and %s %%", c, t)
	report.Check("answers equal", equal, "in all ways")
	p := &bench.Plot{Title: "Overhead without suspensions", Y: "%", Words: []string{"coroutine", "thread-sync"}, Series: []bench.Series{{Name: "median of the queries"}}}
	for i, s := range []bench.Stat{c, t} {
		p.Series[0].Points = append(p.Series[0].Points, bench.Point{X: float64(i), Y: s.Median, Low: s.Low, High: s.High})
	}
	report.Plot = p
	return report, nil
}
