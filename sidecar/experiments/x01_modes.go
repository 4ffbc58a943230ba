package experiments

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"neptune/internal/bench"
	"neptune/sidecar"
)

const (
	streamQuery = `SELECT g % 50, count(*), sum(v) FROM names JOIN (SELECT id * 31 % 1000 AS g, id / 7 AS v FROM range(0, 20000, 1, 2)) ON k = g GROUP BY 1`
	batchRows   = 4_000_000
	batchQuery  = `SELECT sum(conv(substr(sha2(cast(id AS string), 256), 1, 6), 16, 10)) FROM range(0, 4000000, 1, 2)`
)

// modes is experiment X1 on the real engine: a small stream query every 100 ms
// while three clients run long batch queries, in each mode; ISO is the stream alone.
func modes(ctx context.Context, o Options) (*bench.Report, error) {
	span := 15 * time.Second
	if o.Quick {
		span = 2 * time.Second
	}
	report := &bench.Report{Name: "x1 real", Title: "stream latency and batch throughput of the modes", Runs: 1,
		Columns: []string{"mode", "stream queries", "p50 ms", "p95 ms", "p99 ms", "batch M rows/s", "answers"}}
	type outcome struct {
		p99  time.Duration
		rate float64
	}
	got := map[string]outcome{}
	equal := true
	var first string
	for _, mode := range []string{"iso", "static", "fifo", "fair", "kill", "neptune"} {
		set := "neptune.scheduling.mode=" + mode
		if mode == "iso" {
			set = "neptune.scheduling.mode=neptune"
		}
		err := func() (err error) {
			r, err := sidecar.NewRig(set)
			if err != nil {
				return err
			}
			defer func() { err = errors.Join(err, r.Close()) }()
			report.Rig = rigName(r.Slots())
			if err := tables(ctx, r, 200_000); err != nil {
				return err
			}
			for range 5 { // warm-up
				if _, _, err := r.Run(ctx, streamQuery, true); err != nil {
					return err
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
			var took []time.Duration
			same := true
			start, begun := time.Now(), done.Load()
			for at := time.Duration(0); at < span; at += 100 * time.Millisecond {
				time.Sleep(time.Until(start.Add(at)))
				t := time.Now()
				_, digest, err := r.Run(ctx, streamQuery, true)
				if err != nil {
					return err
				}
				took = append(took, time.Since(t))
				if first == "" {
					first = digest
				}
				same = same && digest == first
			}
			rate := float64(done.Load()-begun) * batchRows / time.Since(start).Seconds() / 1e6
			stop()
			wg.Wait()
			l := sorted(took)
			got[mode] = outcome{quantile(l, 0.99), rate}
			ms := func(q float64) float64 { return micros(quantile(l, q)) / 1000 }
			answers := "equal"
			if !same {
				answers, equal = "DIFFER", false
			}
			report.Row(mode, len(l), ms(0.5), ms(0.95), ms(0.99), rate, answers)
			report.Value(mode+" stream p99 ms", []float64{ms(0.99)})
			report.Value(mode+" batch rows/s", []float64{rate * 1e6})
			return ctx.Err()
		}()
		if err != nil {
			return nil, fmt.Errorf("mode %s: %w", mode, err)
		}
	}
	ratio := func(a, b string) float64 { return float64(got[a].p99) / float64(max(1, got[b].p99)) }
	report.Check("NEPTUNE p99 <= 2 x ISO", ratio("neptune", "iso") <= 2, "%.2f x", ratio("neptune", "iso"))
	report.Check("NEPTUNE p99 <= 1/3 of FIFO's", 3*got["neptune"].p99 <= got["fifo"].p99, "1/%.0f", ratio("fifo", "neptune"))
	report.Check("batch work >= 90 % of FIFO's", got["neptune"].rate >= 0.9*got["fifo"].rate, "%.2f and %.2f M rows/s", got["neptune"].rate, got["fifo"].rate)
	report.Check("answers equal", equal, "of all stream queries")
	return report, nil
}
