package sidecar

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"time"

	"neptune/arrowexec/datasource"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/vec"
	"neptune/connect/analyze"
	"neptune/connect/catalog"
	"neptune/connect/optimize"
	"neptune/connect/server"
	"neptune/connect/translate"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
	"neptune/scheduler/stream"
)

// sink is where a streaming query's micro-batches go. A batch that was
// delivered before is not delivered again.
type sink interface {
	describe() string
	// wants says whether add needs the rows; without it they are dropped by the tasks.
	wants() bool
	add(ctx context.Context, batch int64, rows []*vec.Batch) error
}

// fileSink is a sink that tasks write to themselves.
type fileSink interface {
	sink
	// write has run write the batch, whose columns are out, to the folder of the plan.Write it is given.
	write(ctx context.Context, batch int64, out []*plan.Attr, run func(*plan.Write) ([]*vec.Batch, error)) error
}

func (e *Engine) newSink(q *server.Query, spec *translate.StreamSpec, resolved plan.Node, mode string) (sink, error) {
	format := strings.ToLower(spec.Format)
	options := lowerKeys(spec.Options)
	switch format {
	case "noop":
		return noopSink{}, nil
	case "console":
		n := 20
		if v, ok := options["numrows"]; ok {
			var err error
			if n, err = strconv.Atoi(v); err != nil || n < 0 {
				return nil, errs.Refused(errs.IllegalArgument, "Invalid value '%s' of option numRows: it must be a number that is not negative", v)
			}
		}
		return &consoleSink{rows: n, truncate: options["truncate"] != "false", plan: resolved, conf: e.sessionConf(q.Session).fn()}, nil
	case "memory":
		if spec.Name == "" {
			return nil, errs.New(errs.Analysis, "_LEGACY_ERROR_TEMP_1194")
		}
		s := &memorySink{name: spec.Name, complete: mode == "complete", out: resolved.Output(), catalog: e.catalogOf(q.Session), last: -1}
		return s, s.publish()
	case "parquet", "csv", "json", "text", "":
		if format == "" {
			format = "parquet"
		}
		if mode != "append" {
			return nil, errs.New(errs.Analysis, "STREAMING_OUTPUT_MODE.UNSUPPORTED_DATASOURCE", "className", format, "outputMode", mode)
		}
		path := spec.Path
		if path == "" {
			path = options["path"]
		}
		if path == "" {
			return nil, errs.New(errs.IllegalArgument, "_LEGACY_ERROR_TEMP_2047")
		}
		w := &plan.Write{Format: format, Path: path, Mode: "append", PartitionBy: spec.Partition, Options: spec.Options}
		return &filesSink{path: localPath(path), spec: w}, nil
	}
	return nil, errs.NotSupported("streaming sink " + spec.Format)
}

type noopSink struct{}

func (noopSink) describe() string {
	return "org.apache.spark.sql.execution.datasources.noop.NoopTable$"
}
func (noopSink) wants() bool                                    { return false }
func (noopSink) add(context.Context, int64, []*vec.Batch) error { return nil }

// consoleSink prints each batch on the server's standard output.
type consoleSink struct {
	rows     int
	truncate bool
	plan     plan.Node
	conf     *fn.Conf
	mu       sync.Mutex
}

func (s *consoleSink) describe() string {
	return fmt.Sprintf("org.apache.spark.sql.execution.streaming.ConsoleTable$[numRows=%d, truncate=%t]", s.rows, s.truncate)
}
func (s *consoleSink) wants() bool { return true }

func (s *consoleSink) add(_ context.Context, batch int64, rows []*vec.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	line := strings.Repeat("-", 43)
	truncate := 0
	if s.truncate {
		truncate = 20
	}
	g, more, err := cells(analyze.Schema(s.plan), rows, s.rows, truncate, s.conf)
	if err == nil {
		_, err = fmt.Fprintf(console, "%s\nBatch: %d\n%s\n%s\n", line, batch, line, g.table(s.truncate, s.rows, more))
	}
	return err
}

// memorySink keeps all rows in a temporary view named like the query.
type memorySink struct {
	name     string
	complete bool
	out      []*plan.Attr
	catalog  *catalog.Session
	mu       sync.Mutex
	rows     []*vec.Batch
	last     int64
}

func (s *memorySink) describe() string { return "MemorySink" }
func (s *memorySink) wants() bool      { return true }

func (s *memorySink) add(_ context.Context, batch int64, rows []*vec.Batch) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if batch <= s.last {
		return nil
	}
	if s.complete {
		s.rows = nil
	}
	s.rows = append(s.rows[:len(s.rows):len(s.rows)], rows...)
	s.last = batch
	return s.publish()
}

func (s *memorySink) publish() error {
	rows := s.rows
	if rows == nil {
		rows = []*vec.Batch{}
	}
	return s.catalog.CreateTempView(&catalog.View{Name: s.name, Plan: &plan.LocalRelation{Out: s.out, Batches: rows}}, false, true)
}

// filesSink appends files to a folder whose log (datasource.SinkLog) has, for
// each batch, which files belong to it, so that a repeated batch leaves no
// second copy and a reader sees whole batches.
type filesSink struct {
	path string
	spec *plan.Write
}

func (s *filesSink) describe() string                               { return "FileSink[" + s.path + "]" }
func (s *filesSink) wants() bool                                    { return false }
func (s *filesSink) add(context.Context, int64, []*vec.Batch) error { return nil }

func (s *filesSink) write(ctx context.Context, batch int64, out []*plan.Attr, run func(*plan.Write) ([]*vec.Batch, error)) error {
	sinkLog := datasource.OpenSinkLog(s.path)
	last, err := sinkLog.Last()
	if err != nil || batch <= last {
		return err
	}
	job, err := prepareWrite(ctx, s.spec, out)
	if err != nil {
		return err
	}
	target := *s.spec
	target.Path = job.Staging
	results, err := run(&target)
	if err == nil {
		err = job.Keep(results)
	}
	if err != nil {
		job.Abort()
		return err
	}
	files, err := job.Written()
	if err != nil {
		job.Abort()
		return err
	}
	if err := job.Commit(ctx); err != nil {
		return err
	}
	return sinkLog.Add(batch, files)
}

// batchRunner plans and runs micro-batches.
type batchRunner struct {
	engine *Engine
	query  *server.Query
	conf   *sessionConf
	sink   sink
	mode   string
	// interval is that of the trigger, 0: none: the latency target of who has no other.
	interval time.Duration
	// takes is about how long a batch takes; batches come one after the other.
	takes time.Duration
}

// took learns how long batches take: quickly when they get faster, for what
// made one slow may have been others.
func (r *batchRunner) took(d time.Duration) {
	if r.takes == 0 || d < r.takes {
		r.takes = d
		return
	}
	r.takes += (d - r.takes) / 8
}

// RunBatch implements stream.Runner.
func (r *batchRunner) RunBatch(ctx context.Context, b stream.Batch) (stream.Result, error) {
	res := stream.Result{OutputRows: -1}
	began := time.Now()
	node, err := refresh(ctx, b.Plan)
	if err == nil {
		node, err = reseed(node, b.ID)
	}
	if err != nil {
		return res, err
	}
	e := r.engine
	q := &server.Query{Session: r.query.Session, OperationID: fmt.Sprintf("%s-batch-%d", b.RunID, b.ID), Job: r.query.Job, Estimate: r.takes}
	if q.Job.Target == 0 && e.conf.LatencyTarget == 0 {
		q.Job.Target = r.interval
	}
	c := *r.conf
	res.Observed = map[string]stream.ObservedRow{}
	q.Metrics = func(m server.Observed) error {
		row := &types.Type{Kind: types.Struct}
		for i, name := range m.Keys {
			row.Fields = append(row.Fields, types.Field{Name: name, Type: m.Types[i], Nullable: m.Nulls[i]})
		}
		res.Observed[m.Name] = stream.ObservedRow{Type: row, Values: m.Values, Zone: c.zone}
		return nil
	}
	c.now = time.UnixMilli(b.TimestampMs)
	o := e.planner(&c)
	o.AdaptiveBroadcast = 0 // one side after the other takes longer, and batches are small
	better, err := optimize.OptimizeStream(ctx, node, o)
	if err != nil {
		return res, err
	}
	info := optimize.StreamInfo{Checkpoint: b.Checkpoint, RunID: b.RunID, Batch: b.ID, Mode: r.mode, Watermark: map[string]int64{"": b.WatermarkMs * 1000}, Late: map[string]int64{"": b.LateMs * 1000}}
	if strings.EqualFold(c.keys["spark.sql.streaming.statefulOperator.allowMultiple"], "false") {
		info.Late = info.Watermark
	}
	if n, err := strconv.Atoi(b.Conf["spark.sql.shuffle.partitions"]); err == nil && n > 0 {
		info.Partitions = n
	}
	var collected []*vec.Batch
	stats := newStreamStats(b.Plan)
	run := func(n plan.Node, keep bool) error {
		root, err := optimize.PhysicalStream(ctx, n, o, info)
		if err != nil {
			return err
		}
		res.PlanningMs = time.Since(began).Milliseconds()
		if keep {
			collected, err = e.collectPhysical(ctx, q, &c, root, stats)
			return err
		}
		return e.job(ctx, q, &c, root, &payload{stats: stats}, nil, nil)
	}
	switch s := r.sink.(type) {
	case fileSink:
		err = s.write(ctx, b.ID, better.Output(), func(target *plan.Write) ([]*vec.Batch, error) {
			err := run(target.WithChildren([]plan.Node{better}), true)
			return collected, err
		})
	default:
		if err = run(better, s.wants()); err == nil {
			err = s.add(ctx, b.ID, collected)
		}
		res.OutputRows = stats.out.Load()
		if s.wants() {
			res.OutputRows = 0
			for _, x := range collected {
				res.OutputRows += int64(x.N)
			}
		}
	}
	if err != nil {
		return res, err
	}
	r.took(time.Since(began))
	res.Suspensions = stats.away.Load()
	res.EventTimes, res.State, res.Inputs = stats.eventTimes(), stats.stateOperators(), stats.inputs()
	return res, nil
}
