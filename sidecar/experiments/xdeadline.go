package experiments

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"neptune/internal/bench"
)

const (
	urgentQuery = streamQuery
	heavyQuery  = `SELECT count(*), max(sha2(concat(id, 'x'), 256)) FROM range(0, 400000, 1, 4)`
)

// deadlines compares policy deadline with lma_fork and lma on the real engine:
// urgent small queries and heavy ones, each with its deadline, over batch queries.
func deadlines(ctx context.Context, o Options) (*bench.Report, error) {
	span, runs := 6*time.Second, max(1, o.Runs)
	if o.Quick {
		span, runs = 3*time.Second, 1
	}
	names := []string{"lma_fork", "lma", "deadline"}
	report := &bench.Report{Name: "xdeadline real", Title: "policy deadline against lma_fork", Runs: runs,
		Columns: []string{"policy", "urgent", "missed %", "p99 ms", "heavy", "missed %", "p99 ms", "batch slots", "answers"}}
	data := map[string]map[string][]float64{}
	count := map[string][2]int{}
	equal := true
	var targets [2]time.Duration
	for range runs {
		for _, name := range names {
			m, slots, err := withDeadlines(ctx, name, span, &targets)
			if err != nil {
				return nil, fmt.Errorf("policy %s: %w", name, err)
			}
			report.Rig = rigName(slots)
			equal = equal && m.same
			if data[name] == nil {
				data[name] = map[string][]float64{}
			}
			for k, what := range []string{"urgent", "heavy"} {
				missed := 0
				for _, d := range m.took[k] {
					if d > targets[k] {
						missed++
					}
				}
				data[name][what+" missed"] = append(data[name][what+" missed"], 100*float64(missed)/float64(max(1, len(m.took[k]))))
				data[name][what+" p99"] = append(data[name][what+" p99"], micros(quantile(sorted(m.took[k]), 0.99))/1000)
				c := count[name]
				c[k] += len(m.took[k])
				count[name] = c
			}
			data[name]["batch"] = append(data[name]["batch"], m.used)
		}
	}
	report.Notes = append(report.Notes, fmt.Sprintf("urgent queries each 100 ms, to be done in %v; heavy ones each 1 s, in %v (4 and 2 times what each took alone)", targets[0].Round(time.Millisecond), targets[1].Round(time.Millisecond)))
	p := &bench.Plot{Title: "Deadlines missed on the real engine", Y: "%", Words: names, Series: []bench.Series{{Name: "urgent"}, {Name: "heavy"}}}
	for i, name := range names {
		v := func(what string) bench.Stat { return report.Value(name+" "+what, data[name][what]) }
		u, h := v("urgent missed"), v("heavy missed")
		report.Row(name, count[name][0], u, v("urgent p99"), count[name][1], h, v("heavy p99"), v("batch"), map[bool]string{true: "equal", false: "DIFFER"}[equal])
		p.Series[0].Points = append(p.Series[0].Points, bench.Point{X: float64(i), Y: u.Median, Low: u.Low, High: u.High})
		p.Series[1].Points = append(p.Series[1].Points, bench.Point{X: float64(i), Y: h.Median, Low: h.Low, High: h.High})
	}
	report.Plot = p
	both := func(name string) bench.Stat {
		var out []float64
		for i := range data[name]["urgent missed"] {
			n, h := float64(count[name][0]), float64(count[name][1])
			out = append(out, (data[name]["urgent missed"][i]*n+data[name]["heavy missed"][i]*h)/(n+h))
		}
		return bench.Of(out)
	}
	a, b := both("deadline"), both("lma_fork")
	report.Check("deadlines missed <= 0.5 x lma_fork", a.Median <= 0.5*b.Median, "%s and %s %%", a, b)
	x, y := bench.Of(data["deadline"]["batch"]), bench.Of(data["lma_fork"]["batch"])
	report.Check("batch slots equal (within 5 %)", x.Median >= 0.95*y.Median, "%s and %s", x, y)
	report.Check("answers equal", equal, "of all urgent and heavy queries")
	return report, nil
}

type deadlineRun struct {
	took [2][]time.Duration
	used float64
	same bool
}

func withDeadlines(ctx context.Context, policy string, span time.Duration, targets *[2]time.Duration) (m deadlineRun, slots int, err error) {
	r, err := open(ctx, Options{}, "neptune.scheduling.policy="+policy)
	if err != nil {
		return m, 0, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := tables(ctx, r, 200_000); err != nil {
		return m, 0, err
	}
	texts := [2]string{urgentQuery, heavyQuery}
	every := [2]time.Duration{100 * time.Millisecond, time.Second}
	var want [2]string
	m.same = true
	for k, text := range texts {
		least := time.Hour
		for range 5 {
			at := time.Now()
			if _, want[k], err = r.Run(ctx, text, true); err != nil {
				return m, 0, err
			}
			least = min(least, time.Since(at))
		}
		if targets[k] == 0 { // the same for all policies
			targets[k] = least * time.Duration(4-2*k)
		}
	}
	load, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for load.Err() == nil {
				if _, _, err := r.Run(load, batchQuery, false); err != nil {
					return // stopped
				}
			}
		})
	}
	time.Sleep(span / 10)
	var mu sync.Mutex
	var failed error
	start := time.Now()
	_, before := r.SlotTime()
	var asked sync.WaitGroup
	for k := range texts {
		asked.Go(func() {
			for at := time.Duration(0); at < span; at += every[k] {
				time.Sleep(time.Until(start.Add(at)))
				asked.Go(func() {
					t := time.Now()
					_, digest, err := r.RunBy(ctx, texts[k], targets[k])
					mu.Lock()
					defer mu.Unlock()
					m.took[k] = append(m.took[k], time.Since(t))
					m.same = m.same && digest == want[k]
					failed = errors.Join(failed, err)
				})
			}
		})
	}
	asked.Wait()
	_, after := r.SlotTime()
	m.used = (after - before).Seconds() / time.Since(start).Seconds()
	stop()
	wg.Wait()
	return m, r.Slots(), errors.Join(failed, ctx.Err())
}
