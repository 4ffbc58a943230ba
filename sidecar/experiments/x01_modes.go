package experiments

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"neptune/internal/bench"
)

const (
	streamQuery = `SELECT g % 50, count(*), sum(v) FROM names JOIN (SELECT id * 31 % 1000 AS g, id / 7 AS v FROM range(0, 20000, 1, 2)) ON k = g GROUP BY 1`
	batchRows   = 1_000_000
	batchQuery  = `SELECT sum(conv(substr(sha2(cast(id AS string), 256), 1, 6), 16, 10)) FROM range(0, 1000000, 1, 2)`
)

var modeNames = []string{"iso", "static", "fifo", "fair", "kill", "neptune"}

// modeRun is what one run in one mode gave.
type modeRun struct {
	took   []time.Duration // of stream queries
	rate   float64         // batch rows/s of queries that ended
	used   float64         // batch slot time, in slots
	redone float64         // of it, of tasks that were killed, in slots
	same   bool
}

// modes is experiments X1 and X2 on the real engine: a small stream query every
// 100 ms while three clients run long batch queries, in each mode; ISO is the
// stream alone. The modes take turns.
func modes(ctx context.Context, o Options) (*bench.Report, error) {
	span, runs := 4*time.Second, max(1, o.Runs)
	if o.Quick {
		span, runs = 2*time.Second, 1
	}
	report := &bench.Report{Name: o.where("x1"), Title: "stream latency, batch throughput and work done again of the modes", Runs: runs,
		Columns: []string{"mode", "stream queries", "p50 ms", "p95 ms", "p99 ms", "batch M rows/s", "batch slots", "redone slots", "answers"}}
	data := map[string]map[string][]float64{}
	pooled := map[string][]time.Duration{}
	equal := true
	var first string
	for range runs {
		for _, mode := range modeNames {
			m, name, err := inMode(ctx, o, mode, span, &first)
			if err != nil {
				return nil, fmt.Errorf("mode %s: %w", mode, err)
			}
			report.Rig = name
			equal = equal && m.same
			pooled[mode] = append(pooled[mode], m.took...)
			l := sorted(m.took)
			add := func(what string, v float64) {
				if data[mode] == nil {
					data[mode] = map[string][]float64{}
				}
				data[mode][what] = append(data[mode][what], v)
			}
			for what, q := range map[string]float64{"p50 ms": 0.5, "p95 ms": 0.95, "p99 ms": 0.99} {
				add(what, micros(quantile(l, q))/1000)
			}
			add("batch M rows/s", m.rate/1e6)
			add("batch slots", m.used)
			add("redone slots", m.redone)
		}
	}
	p := &bench.Plot{Title: "Stream latency on the real engine", Y: "ms", Log: true, Words: modeNames, Series: []bench.Series{{Name: "p50"}, {Name: "p99"}}}
	for i, mode := range modeNames {
		v := func(what string) bench.Stat { return report.Value(mode+" "+what, data[mode][what]) }
		answers := "equal"
		if !equal {
			answers = "DIFFER"
		}
		p50, p99 := v("p50 ms"), v("p99 ms")
		report.Row(mode, len(pooled[mode]), p50, v("p95 ms"), p99, v("batch M rows/s"), v("batch slots"), v("redone slots"), answers)
		p.Series[0].Points = append(p.Series[0].Points, bench.Point{X: float64(i), Y: p50.Median, Low: p50.Low, High: p50.High})
		p.Series[1].Points = append(p.Series[1].Points, bench.Point{X: float64(i), Y: p99.Median, Low: p99.Low, High: p99.High})
	}
	report.Plot = p
	stat := func(mode, what string) bench.Stat { return bench.Of(data[mode][what]) }
	all := func(mode string) float64 { return micros(quantile(sorted(pooled[mode]), 0.99)) / 1000 }
	report.Check("NEPTUNE p99 <= 1.5 x ISO (medians)", stat("neptune", "p99 ms").Median <= 1.5*stat("iso", "p99 ms").Median, "%s and %s ms; of all queries together %.1f and %.1f",
		stat("neptune", "p99 ms"), stat("iso", "p99 ms"), all("neptune"), all("iso"))
	report.Check("NEPTUNE p99 <= 1/3 of FIFO's", 3*stat("neptune", "p99 ms").Median <= stat("fifo", "p99 ms").Median, "%s and %s ms", stat("neptune", "p99 ms"), stat("fifo", "p99 ms"))
	report.Check("FAIR p99 > NEPTUNE p99", stat("fair", "p99 ms").Median > stat("neptune", "p99 ms").Median, "%s and %s ms", stat("fair", "p99 ms"), stat("neptune", "p99 ms"))
	// What the stream takes in FIFO isn't known apart: batch slots are compared as they are, so that the stream's CPU counts against NEPTUNE.
	report.Check("batch slots used >= 90 % of FIFO's", stat("neptune", "batch slots").Median >= 0.9*stat("fifo", "batch slots").Median, "%s and %s", stat("neptune", "batch slots"), stat("fifo", "batch slots"))
	report.Check("work done again: KILL > 0, NEPTUNE = 0", stat("kill", "redone slots").Low > 0 && stat("neptune", "redone slots").High == 0, "%s and %s slots", stat("kill", "redone slots"), stat("neptune", "redone slots"))
	useful := func(mode string) bench.Stat {
		var out []float64
		for i, v := range data[mode]["batch slots"] {
			out = append(out, v-data[mode]["redone slots"][i])
		}
		return bench.Of(out)
	}
	report.Check("batch work that counts NEPTUNE > KILL, intervals apart", useful("neptune").Low > useful("kill").High, "%s and %s slots", useful("neptune"), useful("kill"))
	report.Check("answers equal", equal, "of all stream queries")
	return report, nil
}

func inMode(ctx context.Context, o Options, mode string, span time.Duration, first *string) (m modeRun, name string, err error) {
	set := "neptune.scheduling.mode=" + mode
	if mode == "iso" {
		set = "neptune.scheduling.mode=neptune"
	}
	r, err := open(ctx, o, set)
	if err != nil {
		return m, "", err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := tables(ctx, r, 200_000); err != nil {
		return m, "", err
	}
	for range 5 { // warm-up
		if _, _, err := r.Run(ctx, streamQuery, true); err != nil {
			return m, "", err
		}
	}
	load, stop := context.WithCancel(ctx)
	defer stop()
	var done atomic.Int64
	var wg sync.WaitGroup
	if mode != "iso" {
		for range 3 {
			wg.Go(func() {
				for load.Err() == nil {
					if _, _, err := r.Run(load, batchQuery, false); err == nil {
						done.Add(1)
					}
				}
			})
		}
		time.Sleep(span / 10)
	}
	m.same = true
	redone := r.Redone()
	start, begun := time.Now(), done.Load()
	_, before := r.SlotTime()
	for at := time.Duration(0); at < span && (len(m.took) < 3 || time.Since(start) < span); at += 100 * time.Millisecond {
		time.Sleep(time.Until(start.Add(at)))
		t := time.Now()
		_, digest, err := r.Run(ctx, streamQuery, true)
		if err != nil {
			return m, "", err
		}
		m.took = append(m.took, time.Since(t))
		if *first == "" {
			*first = digest
		}
		m.same = m.same && digest == *first
	}
	took := time.Since(start).Seconds()
	m.rate = float64(done.Load()-begun) * batchRows / took
	_, after := r.SlotTime()
	m.used = (after - before).Seconds() / took
	m.redone = redone().Seconds() / took
	stop()
	wg.Wait()
	return m, r.name, ctx.Err()
}
