package experiments

import (
	"context"
	"errors"
	"fmt"
	"slices"
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

// suspension is experiment X3: while a query runs on all slots, sockets bring
// events that each want a slot for a critical task. Between the queries, as the
// control, batch tasks do nothing but pass yield points: what is slow there is the machine.
func suspension(ctx context.Context, o Options) (_ *bench.Report, err error) {
	want, rows, gap, patience := 1000*max(1, o.Runs), 1_000_000, time.Millisecond, time.Minute // longer than a slot is held for the next
	if o.Quick {
		want, rows, patience = 200, 100_000, 10*time.Second
	}
	r, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := errors.Join(tables(ctx, r, rows), shop(ctx, r, rows)); err != nil {
		return nil, err
	}
	x := &suspensions{r: r, want: want, gap: gap, patience: patience, equal: true,
		report: &bench.Report{Name: o.where("x3"), Title: "time to suspend and to resume a task, and from an event to " + map[bool]string{true: "the first row of its task", false: "its task"}[o.Processes > 0] + ", microseconds", Rig: r.name, Runs: 1,
			Columns: []string{"query", "suspensions", "suspend p50", "p99", "resume p50", "p99", "event to task p50", "p99", "CPU to yield p50", "p99", "answers"}}}
	x.report.Notes = append(x.report.Notes, "CPU to yield: how much CPU time the batch thread had between request and yield, which others' load doesn't lengthen (embedded executor)")
	x.report.Notes = append(x.report.Notes, fmt.Sprintf("%d rows; an event for each slot comes %s after the task of the one before has ended", rows, gap))
	control := func() error {
		return x.measure(ctx, spin, max(100, want/10), func(ctx context.Context) (bool, error) {
			part, cancel := context.WithTimeout(ctx, 100*time.Millisecond)
			defer cancel()
			return true, errors.Join(r.Spin(part), ctx.Err())
		}, &x.spins)
	}
	for i, q := range append(slices.Clone(operators), shapes...) {
		if i%4 == 0 {
			if err := control(); err != nil {
				return nil, err
			}
		}
		_, alone, err := r.Run(ctx, q.text, false)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		all := &x.ops
		if i >= len(operators) {
			all = &x.shapes
		}
		if err := x.measure(ctx, q.name, want, func(ctx context.Context) (bool, error) {
			_, digest, err := r.Run(ctx, q.text, false)
			return digest == alone, err
		}, all); err != nil {
			return nil, err
		}
	}
	tasks, bytes := r.Leaks()
	x.finish(o, tasks, bytes)
	return x.report, nil
}

// suspensions gathers what X3 measures.
type suspensions struct {
	r        *rig
	want     int
	gap      time.Duration
	patience time.Duration
	report   *bench.Report
	equal    bool
	few      string
	slow     [2]string // p50 and p99 of single queries

	ops, shapes, spins sidecar.Latencies
}

// measure runs a query on more clients than there are slots, so that no slot is free for the asking.
func (x *suspensions) measure(ctx context.Context, name string, want int, run func(context.Context) (bool, error), all *sidecar.Latencies) error {
	stop, count, err := x.r.Interfere(x.gap)
	if err != nil {
		return err
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	var failed error
	same := true
	limit := time.Now().Add(x.patience)
	for range x.r.Slots() + 1 {
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
	l, err := stop()
	if err := errors.Join(failed, err); err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	all.Suspend, all.Resume, all.Start = append(all.Suspend, l.Suspend...), append(all.Resume, l.Resume...), append(all.Start, l.Start...)
	all.Worked = append(all.Worked, l.Worked...)
	if name == spin {
		return nil
	}
	row := x.row(name, l, same)
	if len(l.Suspend) < want {
		x.few += name + "; "
	}
	if !same {
		x.equal = false
	}
	if max(row[0], row[2]) > 100*time.Microsecond {
		x.slow[0] += name + "; "
	}
	if max(row[1], row[3]) > time.Millisecond {
		x.slow[1] += name + "; "
	}
	return nil
}

// row adds a row of the table, and returns its figures.
func (x *suspensions) row(name string, l sidecar.Latencies, same bool) (row []time.Duration) {
	for _, list := range [][]time.Duration{l.Suspend, l.Resume, l.Start, l.Worked} {
		s := sorted(slices.Clone(list))
		row = append(row, quantile(s, 0.5), quantile(s, 0.99))
	}
	answers := "equal"
	if !same {
		answers = "DIFFER"
	}
	x.report.Row(name, len(l.Suspend), micros(row[0]), micros(row[1]), micros(row[2]), micros(row[3]), micros(row[4]), micros(row[5]), micros(row[6]), micros(row[7]), answers)
	for i, what := range []string{"suspend p50", "suspend p99", "resume p50", "resume p99", "event to task p50", "event to task p99", "CPU to yield p50", "CPU to yield p99"} {
		x.report.Value(name+" "+what+" us", []float64{micros(row[i])})
	}
	return row
}

func (x *suspensions) finish(o Options, tasks int, bytes int64) {
	spins := x.row("control: "+spin, x.spins, true)
	x.row("all operators", x.ops, x.equal)
	row := x.row("all 22 shapes", x.shapes, x.equal)
	r := x.report
	us := func(d time.Duration) string { return fmt.Sprintf("%.0f us", micros(d)) }
	r.Check(fmt.Sprintf(">= %d suspensions of each", x.want), x.few == "", "%s", orAll(x.few))
	r.Check("suspend and resume p50 <= 100 us in every query", x.slow[0] == "", "%s", orAll(x.slow[0]))
	r.Check("suspend and resume p99 <= 1 ms in every query", x.slow[1] == "", "%s", orAll(x.slow[1]))
	type limit struct {
		what  string
		at    int
		limit time.Duration
	}
	limits := []limit{
		{"suspend p50 <= 60 us over the shapes", 0, 60 * time.Microsecond}, {"suspend p99 <= 0.5 ms over the shapes", 1, 500 * time.Microsecond},
		{"event to first task p50 <= 0.2 ms over the shapes", 4, 200 * time.Microsecond}, {"event to first task p99 <= 1 ms over the shapes", 5, time.Millisecond},
	}
	if o.Processes == 0 {
		limits = append(limits, limit{"CPU time from request to yield p99 <= 0.5 ms over the shapes", 7, 500 * time.Microsecond})
	}
	if o.Processes > 0 {
		limits = append(limits[:2], limit{"event to first row over loopback p99 <= 5 ms over the shapes", 5, 5 * time.Millisecond})
	}
	for _, c := range limits {
		r.Check(c.what, row[c.at] <= c.limit, "%s; control %s", us(row[c.at]), us(spins[c.at]))
	}
	r.Check("answers equal", x.equal, "each against the undisturbed run")
	r.Check("nothing held at the end", tasks == 0 && bytes == 0, "%d tasks, %d bytes", tasks, bytes)
	p := &bench.Plot{Title: "Suspension and start, control and queries", X: "", Y: "us", Log: true, Words: []string{"control", "operators", "shapes"}}
	for i, what := range []string{"suspend p50", "suspend p99", "event to task p50", "event to task p99"} {
		at := []int{0, 1, 4, 5}[i]
		s := bench.Series{Name: what}
		for k, l := range []sidecar.Latencies{x.spins, x.ops, x.shapes} {
			list := sorted(slices.Clone([][]time.Duration{l.Suspend, l.Resume, l.Start}[at/2]))
			s.Points = append(s.Points, bench.Point{X: float64(k), Y: micros(quantile(list, []float64{0.5, 0.99}[at%2]))})
		}
		p.Series = append(p.Series, s)
	}
	r.Plot = p
}

func orAll(failed string) string {
	if failed == "" {
		return "all"
	}
	return "not in " + failed[:len(failed)-2]
}
