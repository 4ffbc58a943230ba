package experiments

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"neptune/internal/bench"
	"neptune/sidecar"
)

// operators are queries in which one operator does most of the work. Each query
// gives few rows, so that its answer is cheap to compare.
var operators = []struct{ name, text string }{
	{"scan, filter", `SELECT count(*) FROM events WHERE v > 100 AND note LIKE '%99%'`},
	{"project", `SELECT max(length(upper(concat(note, '-', cast(v AS string))))) FROM events`},
	{"costly function", `SELECT max(sha2(note, 256)) FROM events`},
	{"aggregate, few groups", `SELECT g, count(*), sum(price), avg(v) FROM events GROUP BY g ORDER BY g LIMIT 10`},
	{"aggregate, many groups", `SELECT count(*), max(c) FROM (SELECT k, note, count(*) c FROM events GROUP BY k, note)`},
	{"distinct", `SELECT count(DISTINCT note), count(DISTINCT k) FROM events`},
	{"join, build of the large side", `SELECT count(*), max(a.v) FROM events a JOIN events b ON a.id = b.id + 1`},
	{"join, probe", `SELECT kind, count(*) FROM events JOIN names ON events.k = names.k GROUP BY kind`},
	{"semi and anti join", `SELECT count(*) FROM events WHERE k IN (SELECT k FROM names WHERE kind < 9) AND NOT EXISTS (SELECT 1 FROM names n WHERE n.k = events.g AND n.kind = 3)`},
	{"nested-loop join", `SELECT count(*) FROM (SELECT * FROM names LIMIT 3000) a JOIN (SELECT * FROM names LIMIT 2000) b ON a.k < b.k`},
	{"sort", `SELECT max(n) FROM (SELECT note, row_number() OVER (ORDER BY note, v) n FROM events)`},
	{"window", `SELECT max(r), max(s) FROM (SELECT rank() OVER (PARTITION BY g ORDER BY v) r, sum(v) OVER (PARTITION BY g ORDER BY id ROWS BETWEEN 10 PRECEDING AND CURRENT ROW) s FROM events)`},
	{"top-k", `SELECT id, note FROM events ORDER BY note DESC, id LIMIT 100`},
	{"shuffle", `SELECT /*+ REPARTITION(8, note) */ note, id FROM events WHERE k % 1000 = 1`},
	{"generate", `SELECT count(*), max(w) FROM events LATERAL VIEW explode(split(note, ' ')) t AS w`},
	{"set operations", `SELECT count(*) FROM (SELECT k FROM events EXCEPT SELECT k FROM names WHERE kind = 1)`},
	{"percentile", `SELECT g % 10, percentile(v, 0.5), collect_set(k % 100)[0] IS NULL FROM events GROUP BY g % 10`},
}

const spin = "nothing but yield points"

// suspension is experiment X3.
func suspension(ctx context.Context, o Options) (_ *bench.Report, err error) {
	want, rows, gap, patience := 10000, 1_000_000, 300*time.Microsecond, 2*time.Minute
	if o.Quick {
		want, rows, patience = 200, 100_000, 10*time.Second
	}
	r, err := sidecar.NewRig()
	if err != nil {
		return nil, err
	}
	defer func() {
		if e := r.Close(); err == nil {
			err = e
		}
	}()
	if err := tables(ctx, r, rows); err != nil {
		return nil, err
	}
	report := &bench.Report{Name: "x3", Title: "time to suspend and to resume a task, microseconds", Rig: rigName(r.Slots()), Runs: 1,
		Columns: []string{"operator", "suspensions", "suspend p50", "p99", "resume p50", "p99", "answers"}}
	report.Notes = append(report.Notes, fmt.Sprintf("%d rows; a critical task asks for each slot %s after the one before", rows, gap))
	equal, slow50, slow99, few := true, "", "", ""
	measure := func(name string, run func(context.Context) (bool, error)) error {
		stop, count := r.Interfere(gap)
		// More copies of the query than slots, so that no slot is free for the asking.
		var wg sync.WaitGroup
		var mu sync.Mutex
		var failed error
		same := true
		limit := time.Now().Add(patience)
		for range r.Slots() + 1 {
			wg.Go(func() {
				for count() < want && time.Now().Before(limit) {
					ok, err := run(ctx)
					mu.Lock()
					same = same && ok
					failed = errors.Join(failed, err)
					mu.Unlock()
					if err != nil {
						return
					}
				}
			})
		}
		wg.Wait()
		l := stop()
		if failed != nil {
			return fmt.Errorf("%s: %w", name, failed)
		}
		s, w := sorted(l.Suspend), sorted(l.Resume)
		if len(s) < want {
			few += name + "; "
		}
		row := []time.Duration{quantile(s, 0.5), quantile(s, 0.99), quantile(w, 0.5), quantile(w, 0.99)}
		answers := "equal"
		if !same {
			answers, equal = "DIFFER", false
		}
		report.Row(name, len(s), micros(row[0]), micros(row[1]), micros(row[2]), micros(row[3]), answers)
		for i, what := range []string{"suspend p50", "suspend p99", "resume p50", "resume p99"} {
			report.Value(name+" "+what+" us", []float64{micros(row[i])})
		}
		if name != spin {
			if max(row[0], row[2]) > 100*time.Microsecond {
				slow50 += name + "; "
			}
			if max(row[1], row[3]) > time.Millisecond {
				slow99 += name + "; "
			}
		}
		return nil
	}
	if err := measure(spin, func(ctx context.Context) (bool, error) {
		part, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
		defer cancel()
		r.Spin(part)
		return true, ctx.Err()
	}); err != nil {
		return nil, err
	}
	for _, q := range operators {
		_, alone, err := r.Run(ctx, q.text, false)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		if err := measure(q.name, func(ctx context.Context) (bool, error) {
			_, digest, err := r.Run(ctx, q.text, false)
			return digest == alone, err
		}); err != nil {
			return nil, err
		}
	}
	tasks, bytes := r.Leaks()
	report.Check(fmt.Sprintf(">= %d suspensions of each", want), few == "", "%s", orAll(few))
	report.Check("suspend and resume p50 <= 100 us in every operator", slow50 == "", "%s", orAll(slow50))
	report.Check("suspend and resume p99 <= 1 ms in every operator", slow99 == "", "%s", orAll(slow99))
	report.Check("answers equal", equal, "each against the undisturbed run")
	report.Check("nothing held at the end", tasks == 0 && bytes == 0, "%d tasks, %d bytes", tasks, bytes)
	return report, nil
}

func orAll(failed string) string {
	if failed == "" {
		return "all"
	}
	return "not in " + failed[:len(failed)-2]
}
