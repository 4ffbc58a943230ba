package experiments

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"neptune/internal/bench"
	"neptune/scheduler/cluster"
	"neptune/sidecar"
)

// oneTask is a stream query of one task: two at once would need both executors, whatever their memory. Its answer
// is exact: sums of fractions differ in their last digit by how often memory makes the aggregate begin anew.
const oneTask = `SELECT id * 31 % 50, count(*), sum(id * 7) FROM range(0, 20000, 1, 1) GROUP BY 1`

// pressure is experiment X6 on executor processes: the same sorts run on one
// with little memory, which they fill, and on one with much. Stream tasks that prefer
// no place should go to the latter.
func pressure(ctx context.Context, o Options) (*bench.Report, error) {
	span, runs := 6*time.Second, max(1, o.Runs)
	if o.Quick {
		span, runs = 3*time.Second, 1
	}
	policies := []string{"random", "load_balance", "lma_fork", "lma", "deadline"}
	report := &bench.Report{Name: o.where("x6"), Title: "where stream tasks go when executors differ in memory", Rig: "2 executor processes x 1 slot, 48 MiB and 1 GiB", Runs: runs,
		Columns: []string{"policy", "stream tasks", "on the less pressured %", "stream p99 ms", "answers"}}
	data := map[string]map[string][]float64{}
	counts := map[string]int{}
	equal := true
	for range runs {
		for _, name := range policies {
			m, err := underPressure(ctx, name, span)
			if err != nil {
				return nil, fmt.Errorf("policy %s: %w", name, err)
			}
			equal = equal && m.same
			if data[name] == nil {
				data[name] = map[string][]float64{}
			}
			counts[name] += m.placed[0] + m.placed[1]
			data[name]["place"] = append(data[name]["place"], 100*float64(m.placed[1])/float64(max(1, m.placed[0]+m.placed[1])))
			data[name]["p99"] = append(data[name]["p99"], micros(quantile(sorted(m.took), 0.99))/1000)
		}
	}
	s := bench.Series{Name: "on the less pressured"}
	for i, name := range policies {
		p := report.Value(name+" less pressured %", data[name]["place"])
		report.Row(name, counts[name], p, report.Value(name+" p99 ms", data[name]["p99"]), map[bool]string{true: "equal", false: "DIFFER"}[equal])
		s.Points = append(s.Points, bench.Point{X: float64(i), Y: p.Median, Low: p.Low, High: p.High})
	}
	report.Plot = &bench.Plot{Title: "Stream tasks on the less pressured executor", Y: "%", Words: policies, Series: []bench.Series{s}}
	l, r := bench.Of(data["lma"]["place"]), bench.Of(data["random"]["place"])
	report.Check("lma places >= 90 % on the less pressured executor", l.Median >= 90, "%s %%; random %s", l, r)
	report.Check("answers equal", equal, "of all stream queries")
	report.Notes = append(report.Notes, "what is spilled is the sorts' own here, whatever the policy; the virtual experiment has the bytes that stream tasks cause")
	return report, nil
}

type pressureRun struct {
	placed [2]int // stream tasks on the executor with little memory, and on the other
	took   []time.Duration
	same   bool
}

func underPressure(ctx context.Context, policy string, span time.Duration) (m pressureRun, err error) {
	c, err := sidecar.NewCluster(sidecar.Self, "neptune.scheduling.policy="+policy)
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, c.Close()) }()
	for i, memory := range []string{"48m", "1g"} {
		if _, err := c.Join(ctx, []string{"little", "much"}[i], "--slots", "1", "--memory", memory); err != nil {
			return m, err
		}
	}
	if err := tables(ctx, &rig{Rig: c.Rig}, 1_000_000); err != nil {
		return m, err
	}
	_, want, err := c.Run(ctx, oneTask, true)
	if err != nil {
		return m, err
	}
	var mu sync.Mutex
	counting := false
	c.Observe(func(ev cluster.Event) {
		if ev.Kind != cluster.TaskLaunched || ev.Priority > 1 {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		switch {
		case !counting:
		case strings.HasPrefix(string(ev.Executor), "little"):
			m.placed[0]++
		case strings.HasPrefix(string(ev.Executor), "much"):
			m.placed[1]++
		}
	})
	load, stop := context.WithCancel(ctx)
	defer stop()
	var wg sync.WaitGroup
	for range 3 {
		wg.Go(func() {
			for load.Err() == nil {
				if _, _, err := c.Run(load, `SELECT max(n) FROM (SELECT row_number() OVER (PARTITION BY g % 2 ORDER BY note, v) n FROM events)`, false); err != nil {
					return // stopped
				}
			}
		})
	}
	time.Sleep(2 * time.Second) // until the sorts have grown
	mu.Lock()
	counting = true
	mu.Unlock()
	m.same = true
	start := time.Now()
	for at := time.Duration(0); at < span && (len(m.took) < 3 || time.Since(start) < span); at += 100 * time.Millisecond {
		time.Sleep(time.Until(start.Add(at)))
		t := time.Now()
		_, digest, err := c.Run(ctx, oneTask, true)
		if err != nil {
			return m, err
		}
		m.took = append(m.took, time.Since(t))
		m.same = m.same && digest == want
	}
	mu.Lock()
	counting = false
	mu.Unlock()
	stop()
	wg.Wait()
	return m, ctx.Err()
}
