package experiments

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"neptune/internal/bench"
)

// sources are queries in which reading or writing in another format than Snappy Parquet does most of the work.
var sources = []struct{ name, make, text string }{
	{"Parquet, zstd", `CREATE TABLE events_zstd USING parquet OPTIONS (compression 'zstd') AS SELECT * FROM events`, `SELECT max(id), max(v), max(length(note)) FROM events_zstd`},
	{"Parquet, gzip", `CREATE TABLE events_gzip USING parquet OPTIONS (compression 'gzip') AS SELECT * FROM events`, `SELECT max(id), max(v), max(length(note)) FROM events_gzip`},
	{"Parquet, lz4", `CREATE TABLE events_lz4 USING parquet OPTIONS (compression 'lz4_raw') AS SELECT * FROM events`, `SELECT max(id), max(v), max(length(note)) FROM events_lz4`},
	{"Parquet, uncompressed", `CREATE TABLE events_plain USING parquet OPTIONS (compression 'none') AS SELECT * FROM events`, `SELECT max(id), max(v), max(length(note)) FROM events_plain`},
	{"Parquet, nested", `CREATE TABLE events_nested USING parquet AS SELECT id, array(k, g, id) a, named_struct('v', v, 'note', note) s FROM events`, `SELECT max(id), max(a[1]), max(s.note) FROM events_nested`},
	{"CSV", `CREATE TABLE events_csv USING csv AS SELECT * FROM events WHERE id < 200000`, `SELECT max(id), max(v), max(length(note)) FROM events_csv`},
	{"JSON", `CREATE TABLE events_json USING json AS SELECT * FROM events WHERE id < 200000`, `SELECT max(id), max(v), max(length(note)) FROM events_json`},
}

// sections finds where batch tasks work longest between two yield points, which
// is what a critical task may have to wait for. Tasks run one after the other, and what
// is measured is CPU time, so that the figures hold on a machine that others use.
func sections(ctx context.Context, o Options) (_ *bench.Report, err error) {
	const limit, rest = 300 * time.Microsecond, 400 * time.Microsecond
	rows, runs := 1_000_000, max(1, o.Runs/3)
	if o.Quick {
		rows, runs = 100_000, 1
	}
	r, err := open(ctx, o)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, r.Close()) }()
	if err := errors.Join(tables(ctx, r, rows), shop(ctx, r, rows)); err != nil {
		return nil, err
	}
	report := &bench.Report{Name: "xsections", Title: "CPU time of tasks between two yield points, microseconds", Rig: r.name + ", tasks one after the other", Runs: runs,
		Columns: []string{"query", "CPU ms", "yield points", "rest p50", "rest p99", "longest", "over 300 us"}}
	report.Notes = append(report.Notes, "rest: from a moment chosen by chance to the next yield point")
	queries := append(slices.Clone(operators), shapes...)
	for _, s := range sources {
		if err := r.Exec(ctx, s.make); err != nil {
			return nil, fmt.Errorf("%s: %w", s.name, err)
		}
		queries = append(queries, struct{ name, text string }{s.name, s.text})
	}
	slow, worst := "", time.Duration(0)
	for _, q := range queries {
		if _, _, err := r.Run(ctx, q.text, false); err != nil { // so that what is made once has been made
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		s, err := r.Sections(ctx, q.text, runs, limit)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", q.name, err)
		}
		p99 := s.Rest(0.99)
		report.Row(q.name, micros(s.CPU)/1e3/float64(runs), s.Points/runs, micros(s.Rest(0.5)), micros(p99), micros(s.Longest), s.Over/runs)
		report.Value(q.name+" rest p99 us", []float64{micros(p99)})
		report.Value(q.name+" longest us", []float64{micros(s.Longest)})
		worst = max(worst, p99)
		if p99 > rest {
			slow += q.name + "; "
		}
		for _, at := range s.Sites[:min(len(s.Sites), 12)] {
			report.Notes = append(report.Notes, fmt.Sprintf("%s: %d over 300 us, at most %.0f, in all %.1f ms, before %s", q.name, at.N, micros(at.Max), micros(at.Total)/1e3, at.Where))
		}
	}
	report.Check("rest p99 <= 0.4 ms in every query", slow == "", "%s; worst %.0f us", orAll(slow), micros(worst))
	return report, nil
}
