package experiments

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"neptune/conf"
	"neptune/internal/bench"
	"neptune/sidecar"
)

// clients is experiment X12: X1's figures as clients of a whole server see
// them, over loopback. Three clients run batch queries; one has a streaming query with
// a trigger each 100 ms, and another asks a small query that it tagged as stream.
func clients(ctx context.Context, o Options) (*bench.Report, error) {
	span, runs := 5*time.Second, max(1, o.Runs)
	if o.Quick {
		span, runs = 2*time.Second, 1
	}
	names := []string{"iso", "fifo", "fair", "neptune"}
	report := &bench.Report{Name: "x12", Title: "from the client's side: micro-batches, tagged queries, batch throughput", Runs: runs,
		Columns: []string{"mode", "micro-batches", "p50 ms", "p99 ms", "tagged queries", "p50 ms", "p99 ms", "batch M rows/s", "answers"}}
	data := map[string]map[string][]float64{}
	counts := map[string][2]int{}
	same, known := true, true
	answer, types := "", ""
	for range runs {
		for _, mode := range names {
			m, err := overLoopback(ctx, mode, span)
			if err != nil {
				return nil, fmt.Errorf("mode %s: %w", mode, err)
			}
			report.Rig = fmt.Sprintf("server and clients on one machine, %s", rigName(m.slots))
			if answer == "" {
				answer = m.answer
			}
			same = same && m.same && m.answer == answer
			known = known && m.known
			types = m.types
			if data[mode] == nil {
				data[mode] = map[string][]float64{}
			}
			add := func(what string, v float64) { data[mode][what] = append(data[mode][what], v) }
			b, q := sorted(m.batches), sorted(m.tagged)
			add("batch p50", micros(quantile(b, 0.5))/1000)
			add("batch p99", micros(quantile(b, 0.99))/1000)
			add("tagged p50", micros(quantile(q, 0.5))/1000)
			add("tagged p99", micros(quantile(q, 0.99))/1000)
			add("rate", m.rate/1e6)
			c := counts[mode]
			counts[mode] = [2]int{c[0] + len(b), c[1] + len(q)}
		}
	}
	p := &bench.Plot{Title: "Latency as clients see it", Y: "ms", Log: true, Words: names, Series: []bench.Series{{Name: "micro-batch p99"}, {Name: "tagged query p99"}}}
	for i, mode := range names {
		v := func(what string) bench.Stat { return report.Value(mode+" "+what, data[mode][what]) }
		b, q := v("batch p99"), v("tagged p99")
		report.Row(mode, counts[mode][0], v("batch p50"), b, counts[mode][1], v("tagged p50"), q, v("rate"), map[bool]string{true: "equal", false: "DIFFER"}[same])
		p.Series[0].Points = append(p.Series[0].Points, bench.Point{X: float64(i), Y: b.Median, Low: b.Low, High: b.High})
		p.Series[1].Points = append(p.Series[1].Points, bench.Point{X: float64(i), Y: q.Median, Low: q.Low, High: q.High})
	}
	report.Plot = p
	for _, what := range []string{"batch p99", "tagged p99"} {
		iso, fifo, fair, ours := bench.Of(data["iso"][what]), bench.Of(data["fifo"][what]), bench.Of(data["fair"][what]), bench.Of(data["neptune"][what])
		report.Check("NEPTUNE "+what+" <= 1.5 x ISO", ours.Median <= 1.5*iso.Median, "%s and %s ms", ours, iso)
		report.Check("NEPTUNE "+what+" <= 1/3 of FIFO's", 3*ours.Median <= fifo.Median, "%s and %s ms", ours, fifo)
		report.Check("FAIR "+what+" > NEPTUNE's", fair.Median > ours.Median, "%s and %s ms", fair, ours)
	}
	r, f := bench.Of(data["neptune"]["rate"]), bench.Of(data["fifo"]["rate"])
	report.Check("batch throughput >= 90 % of FIFO's", r.Median >= 0.9*f.Median, "%s and %s M rows/s", r, f)
	report.Check("types recognised, with conf and without", known, "%s", types)
	report.Check("answers equal", same, "of all tagged queries")
	return report, nil
}

type clientRun struct {
	batches, tagged []time.Duration
	rate            float64
	same, known     bool
	answer, types   string
	slots           int
}

func overLoopback(ctx context.Context, mode string, span time.Duration) (m clientRun, err error) {
	dir, err := os.MkdirTemp("", "neptune-bench-")
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	set := mode
	if mode == "iso" {
		set = "neptune"
	}
	c, err := conf.Load(conf.Source{Set: []string{"neptune.local.dir=" + dir, "neptune.warehouse.dir=" + dir + "/warehouse", "neptune.server.host=127.0.0.1",
		"neptune.server.port=0", "neptune.ui.port=-1", "neptune.scheduling.mode=" + set}})
	if err != nil {
		return m, err
	}
	m.slots = c.Slots
	s, err := sidecar.Start(c, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		return m, err
	}
	defer s.Stop()
	open := func() (*client, error) { return dial(s.Addr.String()) }
	asks, err := open()
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, asks.close(context.WithoutCancel(ctx))) }()
	streams, err := open()
	if err != nil {
		return m, err
	}
	defer func() { err = errors.Join(err, streams.close(context.WithoutCancel(ctx))) }()

	// Types: by default, by the session's configuration, and back.
	const small = `SELECT id % 50 AS k, count(*), sum(id) FROM range(0, 20000, 1, 2) GROUP BY 1 ORDER BY 1`
	byDefault, err := asks.jobType(ctx, small)
	if err != nil {
		return m, err
	}
	if err := asks.set(ctx, "spark.sql.neptune.job.type", "stream"); err != nil {
		return m, err
	}
	bySession, err := asks.jobType(ctx, small)
	if err != nil {
		return m, err
	}
	if err := asks.set(ctx, "spark.sql.neptune.job.type", "batch"); err != nil {
		return m, err
	}
	id, err := streams.startStream(ctx, 10_000, "100 milliseconds")
	if err != nil {
		return m, err
	}
	stopped := false
	defer func() {
		if !stopped {
			err = errors.Join(err, streams.stopStream(context.WithoutCancel(ctx), id))
		}
	}()
	time.Sleep(500 * time.Millisecond) // warm-up
	load, stop := context.WithCancel(ctx)
	defer stop()
	var done atomic.Int64
	var wg sync.WaitGroup
	if mode != "iso" {
		for range 3 {
			b, err := open()
			if err != nil {
				return m, err
			}
			wg.Go(func() {
				for load.Err() == nil {
					if _, err := b.sql(load, batchQuery); err == nil {
						done.Add(1)
					}
				}
				_ = b.close(context.WithoutCancel(ctx)) // the server ends with all its sessions
			})
		}
		time.Sleep(span / 10)
	}
	m.same = true
	old, err := streams.progress(ctx, id)
	if err != nil {
		return m, err
	}
	start, begun := time.Now(), done.Load()
	for at := time.Duration(0); at < span && (len(m.tagged) < 3 || time.Since(start) < span); at += 100 * time.Millisecond {
		time.Sleep(time.Until(start.Add(at)))
		t := time.Now()
		r, err := asks.sql(ctx, small, "neptune.job.type=stream")
		if err != nil {
			return m, err
		}
		m.tagged = append(m.tagged, time.Since(t))
		if m.answer == "" {
			m.answer = string(r.data)
		}
		m.same = m.same && string(r.data) == m.answer
	}
	m.rate = float64(done.Load()-begun) * batchRows / time.Since(start).Seconds()
	list, err := streams.progress(ctx, id)
	if err != nil {
		return m, err
	}
	last := int64(-1)
	kind := ""
	for i, text := range append(old, list...) {
		var p struct {
			BatchID    int64            `json:"batchId"`
			DurationMs map[string]int64 `json:"durationMs"`
			JobType    string           `json:"neptuneJobType"`
		}
		if err := json.Unmarshal([]byte(text), &p); err != nil {
			return m, err
		}
		if i >= len(old) && p.BatchID > last {
			m.batches = append(m.batches, time.Duration(p.DurationMs["triggerExecution"])*time.Millisecond)
		}
		last, kind = max(last, p.BatchID), p.JobType
	}
	m.types = fmt.Sprintf("query %s, with conf %s, streaming query %s", byDefault, bySession, kind)
	m.known = strings.HasPrefix(byDefault, "batch") && strings.HasPrefix(bySession, "stream") && kind == "stream"
	stop()
	wg.Wait()
	stopped = true
	return m, errors.Join(streams.stopStream(ctx, id), ctx.Err())
}
