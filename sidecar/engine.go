package sidecar

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path"
	"strconv"
	"strings"
	"sync"
	"time"

	"neptune/arrowexec/arrowio"
	"neptune/arrowexec/datasource"
	"neptune/arrowexec/expr"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/shuffle"
	"neptune/arrowexec/state"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/arrowexec/worker"
	"neptune/conf"
	"neptune/connect/analyze"
	"neptune/connect/catalog"
	"neptune/connect/optimize"
	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/connect/sqlparse"
	"neptune/internal/errs"
	"neptune/internal/obs"
	"neptune/internal/plan"
	"neptune/internal/types"
	"neptune/scheduler/cluster"
	"neptune/scheduler/core"
	"neptune/scheduler/eventlog"
	"neptune/scheduler/policy"
	"neptune/scheduler/stagegraph"
)

// Engine runs the plans of a Spark Connect server on the executors of this process.
type Engine struct {
	conf    *conf.Conf
	log     *slog.Logger
	metrics *obs.Metrics
	pool    *mem.Pool
	driver  *cluster.Driver
	worker  *worker.Executor
	shuffle shuffle.Service
	remote  *shuffle.Remote // shuffle, where executors are processes of their own; else nil
	homes   homes
	// executors are those in processes of their own; nil: there can't be any.
	executors *executors
	catalog   *catalog.Catalog
	stored    *store
	cache     *cache
	active    activeStreams
	tuning    tuning
	// metas has a jobMeta for each job under way, by operation id.
	metas    sync.Map
	slotTime slotTime
	events   *eventlog.Log // nil: none
}

// tuning is what tests vary without a change of answers.
type tuning struct {
	batchRows int // rows a batch, 0: the default
	every     int // suspend tasks at each every-th yield point, 0: when asked
	// rowScale makes small tables be planned as large ones, see optimize.Conf.
	rowScale float64
}

// NewEngine starts the driver and the embedded executor.
func NewEngine(c *conf.Conf, log *slog.Logger, m *obs.Metrics) (*Engine, error) {
	pol, err := policy.New(c.Policy, policy.Buckets{MB: float64(c.BucketMB), Percentage: float64(c.BucketPct)})
	if err != nil {
		return nil, err
	}
	e := &Engine{conf: c, log: log, metrics: m, pool: mem.NewPool(c.Memory), catalog: catalog.New(nil)}
	e.cache = newCache(e.pool, m)
	e.stored = newStore(e.cache)
	e.pool.SetParkLimit(c.SuspendMemory)
	state.SetKeepLimit(c.Memory / 4)
	datasource.SetPageCache(c.PageCache)
	e.shuffle = shuffle.NewLocal(e.pool)
	if c.Executors {
		if err := openExchange(e, c); err != nil {
			return nil, err
		}
	}
	e.driver = cluster.NewDriver(schedulerConf(c, pol))
	e.driver.Observe(e.slotTime.note)
	m.Counters("slot_milliseconds_total", "Time that tasks had slots, by the kind of their jobs: the share of batch in it is the batch share.", "kind", e.slotTime.millis)
	x := &localExecutor{host: host{pool: e.pool, shuffle: e.shuffle}, firm: map[int64]func() bool{}, id: embedded, driver: e.driver, metrics: m, remote: e.remote, reserved: e.remote != nil && !c.Embedded}
	e.worker = worker.New(worker.Config{Slots: c.Slots, StreamPriority: session.StreamPriority, BatchNice: c.BatchNice, Mixed: paceMixed, Preempt: c.Mode == string(core.Neptune) || c.Mode == string(core.KILL), NoSuspend: c.Mode == string(core.KILL),
		MaxSuspensions: c.MaxSuspensions, ProtectedRun: c.ProtectedRun, Status: x.status})
	x.worker = e.worker
	e.driver.Add(x)
	m.Gauge("memory_reserved_bytes", "Memory that operators hold.", func() float64 { n, _ := e.pool.Used(); return float64(n) })
	m.Gauge("memory_limit_bytes", "Memory that operators may hold.", func() float64 { return float64(e.pool.Limit()) })
	m.Gauge("memory_suspended_bytes", "Memory that suspended tasks hold beside the reserved.", func() float64 { n, _ := e.pool.Parked(); return float64(n) })
	m.Gauge("memory_suspended_limit_bytes", "Memory that suspended tasks may hold beside the limit.", func() float64 { _, n := e.pool.Parked(); return float64(n) })
	m.Gauge("state_kept_bytes", "Memory of streaming state kept between micro-batches.", func() float64 { return float64(state.Kept()) })
	m.Gauge("page_cache_bytes", "Memory of inflated pages of files that are kept.", func() float64 { n, _ := datasource.PageCache(); return float64(n) })
	m.Gauge("page_cache_hits", "How often a kept page was used again.", func() float64 { _, n := datasource.PageCache(); return float64(n) })
	m.Counters("spilled_bytes_total", "Bytes written to disk for want of memory, by kind of operator.", "operator", e.pool.Spilled)
	m.Gauge("slots", "Tasks that may run at once.", func() float64 { return float64(c.Slots) })
	count := func(i int) func() float64 {
		return func() float64 {
			a, b, c, d := e.worker.Counts()
			return float64([]int{a, b, c, d}[i])
		}
	}
	m.Gauge("tasks_running", "Tasks that hold a slot.", count(0))
	m.Gauge("tasks_waiting", "Tasks that are suspended, or woken, and wait for a slot.", count(1))
	m.Gauge("tasks_blocked", "Tasks that wait for I/O without a slot.", count(2))
	m.Gauge("tasks_queued", "Tasks on the executor that have not begun.", count(3))
	m.Gauge("jobs_active", "Jobs under way.", func() float64 { return float64(e.driver.Active()) })
	if e.remote != nil {
		if err := e.openExecutors(c); err != nil {
			e.Close()
			return nil, err
		}
	}
	return e, nil
}

// Close stops the executor and the driver.
func (e *Engine) Close() {
	if e.executors != nil {
		e.executors.close()
	}
	e.worker.Close()
	e.driver.Close()
	if e.remote != nil {
		e.remote.Close()
	}
	if e.events != nil {
		if err := e.events.Close(); err != nil {
			e.log.Error("closing the event log", "error", err)
		}
	}
}

type catalogKey struct{}

func (e *Engine) catalogOf(s *session.Session) *catalog.Session {
	return s.Value(catalogKey{}, func() any { return catalog.NewSession(e.catalog) }).(*catalog.Session)
}

func (e *Engine) analyzer(s *session.Session, c *sessionConf) *analyze.Analyzer {
	a := &analyze.Analyzer{
		Catalog: e.catalogOf(s), Sources: sources{e.slots()},
		Conf:      analyze.Conf{ANSI: c.ansi, CaseSensitive: c.caseSensitive, TimeZone: c.zone, User: s.UserName, Now: c.now, Keys: c.keys},
		ParseSQL:  func(text string) (plan.Node, error) { return sqlparse.ParseStatement(text, c.parser()) },
		ParseType: sqlparse.ParseSchema, ParseDataType: sqlparse.ParseDataType,
		ParseExpr: func(text string) (plan.Expr, error) { return sqlparse.ParseExpression(text, c.parser()) },
		Parsers: func(ansi bool) (func(string) (plan.Node, error), func(string) (plan.Expr, error)) {
			o := c.parser()
			o.ANSI = ansi
			return func(text string) (plan.Node, error) { return sqlparse.ParseStatement(text, o) },
				func(text string) (plan.Expr, error) { return sqlparse.ParseExpression(text, o) }
		},
		ParseName: sqlparse.ParseIdentifier,
		ParseBound: func(text string, positional []plan.Expr, named map[string]plan.Expr) (plan.Node, error) {
			o := c.parser()
			o.Positional, o.Named = positional, named
			return sqlparse.ParseStatement(text, o)
		},
		Markers:   func(text string) (bool, bool, error) { return sqlparse.Markers(text, c.parser()) },
		Fold:      func(x plan.Expr) (*plan.Literal, error) { return expr.Fold(x, c.fn()) },
		Settings:  settings{s.Conf, e.log},
		SessionID: s.ID,
		Cached:    func(key string) plan.Node { return e.stored.checkpoint(s.Key, key) },
	}
	a.RunScalar = func(ctx context.Context, n plan.Node) ([][]any, error) {
		batches, err := e.collect(ctx, &server.Query{Session: s, OperationID: "scalar-" + strconv.FormatInt(int64(plan.NewID()), 10),
			Job: session.JobType{Priority: session.BatchPriority, Origin: session.FromPlan}}, c, n)
		if err != nil {
			return nil, err
		}
		return rowsOf(batches), nil
	}
	return a
}

func rowsOf(batches []*vec.Batch) (rows [][]any) {
	for _, b := range batches {
		b = b.Compact()
		for i := range b.N {
			row := make([]any, len(b.Cols))
			for k, col := range b.Cols {
				row[k] = col.Value(i)
			}
			rows = append(rows, row)
		}
	}
	return rows
}

// settings lets SET and RESET change a session's configuration.
type settings struct {
	c   *session.Conf
	log *slog.Logger
}

func (s settings) Get(key string) (string, bool) { return s.c.Get(key) }
func (s settings) Set(key, value string) error {
	if err := s.c.Set(key, value); err != nil {
		return err
	}
	// The protocol has no warnings for statements.
	if w := s.c.Ignored(key, value); w != "" {
		s.log.Warn(w)
	}
	return nil
}
func (s settings) Unset(key string) error { return s.c.Unset(key) }
func (s settings) All() map[string]string { _, m := s.c.All(); return m }

func (e *Engine) analyze(ctx context.Context, s *session.Session, c *sessionConf, n plan.Node) (plan.Node, error) {
	n, err := decodeLocal(n)
	if err != nil {
		return nil, err
	}
	return e.analyzer(s, c).Analyze(ctx, n)
}

// Analyze implements server.Engine.
func (e *Engine) Analyze(ctx context.Context, s *session.Session, n plan.Node) (plan.Node, error) {
	return e.analyze(ctx, s, e.sessionConf(s), n)
}

func (e *Engine) planner(c *sessionConf) optimize.Conf {
	o := optimize.Conf{ANSI: c.ansi, CaseSensitive: c.caseSensitive, Slots: e.slots(), ShufflePartitions: e.slots(), Keys: c.keys, RowScale: e.tuning.rowScale,
		Fold: func(x plan.Expr) (*plan.Literal, error) { return expr.Fold(x, c.fn()) }}
	adaptive := e.adaptive(c)
	for _, key := range []string{"spark.sql.shuffle.partitions", initialPartitions} {
		if key == initialPartitions && (adaptive == nil || !adaptive.Coalesce) {
			continue
		}
		if v, ok := c.keys[key]; ok {
			if n, err := strconv.Atoi(v); err == nil && n > 0 {
				o.ShufflePartitions = min(n, 16*e.slots())
			}
		}
	}
	if v, ok := c.keys["spark.sql.autoBroadcastJoinThreshold"]; ok {
		if n, err := conf.ParseBytes(v); err == nil {
			o.BroadcastThreshold = n
		} else {
			o.BroadcastThreshold = -1
		}
	}
	if adaptive != nil {
		o.AdaptiveBroadcast = adaptive.Broadcast
	}
	return o
}

// plan resolves (unless it is resolved already), optimizes and plans a relation.
func (e *Engine) physical(ctx context.Context, c *sessionConf, resolved plan.Node) (physical.Node, error) {
	if err := notAStream(resolved); err != nil {
		return nil, err
	}
	o := e.planner(c)
	better, err := optimize.Optimize(ctx, resolved, o)
	if err != nil {
		return nil, err
	}
	return optimize.Physical(ctx, better, o)
}

// job runs a physical plan. consume and end are called by the result stage's tasks.
func (e *Engine) job(ctx context.Context, q *server.Query, c *sessionConf, root physical.Node, p *payload, opened func(int), progress func(server.Progress)) error {
	p.conf = c.task(e.conf.LocalDir)
	p.conf.BatchRows, p.every = e.tuning.batchRows, e.tuning.every
	p.slots, p.zone = e.slots(), c.zoneName
	seen := newObservations(root)
	if n := localBytes(root); n > 0 {
		rows := e.hold("rows of a plan")
		defer rows.close()
		if err := rows.add(n); err != nil {
			return err
		}
	}
	root = e.spread(root, p)
	graph := stagegraph.Cut(root)
	target := q.Job.Target
	if target == 0 && q.Job.IsStream() {
		target = e.conf.LatencyTarget
	}
	job := &cluster.Job{Query: q.OperationID, Graph: graph, Priority: q.Job.Priority, Pool: q.Job.Pool, Target: target, Estimate: q.Estimate, Sizer: sizer{p.slots}, Payload: p, ResultTasks: opened, Adaptive: e.adaptive(c),
		Noted: func(stage, index int, by policy.ExecutorID, n any) {
			p.notes.add(stage, index, n.(*taskNotes))
			e.homes.found(graph.Stages[stage].Root, index, by)
		}}
	if e.remote != nil {
		job.Spread, job.Home, job.Prefer = true, p.stages.home, e.homes.prefer
	}
	var report func(cluster.JobInfo, bool)
	if progress != nil || p.stats != nil {
		report = e.reporter(q, p, progress)
	}
	started := time.Now()
	e.metas.Store(q.OperationID, metaOf(q))
	err := e.driver.Run(ctx, job, report)
	e.metas.Delete(q.OperationID)
	if err == nil {
		p.notes.apply(graph, seen, p.stats)
	}
	if err == nil && q.Metrics != nil {
		err = seen.report(p.conf, q.Metrics)
	}
	kind, outcome := q.Job.String(), "ok"
	if err != nil {
		outcome = "failed"
		if ctx.Err() != nil {
			outcome = "cancelled"
		}
	}
	e.metrics.Queries.WithLabelValues(kind, outcome).Inc()
	e.metrics.QuerySeconds.WithLabelValues(kind).Observe(time.Since(started).Seconds())
	return err
}

// reporter tells a job's progress to the client, and to the micro-batch that it is of.
func (e *Engine) reporter(q *server.Query, p *payload, progress func(server.Progress)) func(cluster.JobInfo, bool) {
	return func(j cluster.JobInfo, ended bool) {
		if ended && p.stats != nil {
			p.stats.away.Add(j.Suspensions)
		}
		if progress != nil {
			out := server.Progress{JobType: q.Job.String(), Origin: q.Job.Origin, Priority: int64(q.Job.Priority), Suspensions: j.Suspensions, Suspended: j.Suspended, Ended: ended}
			for i, s := range j.Stages {
				out.Stages = append(out.Stages, server.StageProgress{ID: int64(i), Tasks: int64(s.Tasks), Completed: int64(s.Completed), InputBytes: s.Bytes, Done: s.Done})
				out.InflightTasks += int64(s.Running)
			}
			progress(out)
		}
	}
}

// sizer counts the tasks of leaves.
type sizer struct{ slots int }

func (s sizer) ScanTasks(n *physical.Scan) int {
	if rows, ok := n.Source.(*cachedSource); ok {
		return rows.partitions(s.slots)
	}
	return datasource.Partitions(n, s.slots)
}

func (s sizer) LocalTasks(*physical.Local) int       { return 1 }
func (s sizer) ExchangeTasks(*physical.Exchange) int { return s.slots }

// stream runs a resolved relation and hands its rows to sink, in order.
func (e *Engine) stream(ctx context.Context, q *server.Query, c *sessionConf, resolved plan.Node, sink server.Sink) error {
	schema := analyze.Schema(resolved)
	resolved, done, err := e.withCache(ctx, q, c, resolved, false)
	defer done()
	if err != nil {
		return err
	}
	root, err := e.physical(ctx, c, resolved)
	if err != nil {
		return err
	}
	if err := sink.Schema(schema); err != nil {
		return err
	}
	enc, err := e.encoder(c, schema)
	if err != nil {
		return err
	}
	res := newResults(e.resultBuffer())
	res.hold = e.conf.Mode == string(core.KILL)
	maxRows := int64(10000)
	if n, err := strconv.ParseInt(c.keys["spark.sql.execution.arrow.maxRecordsPerBatch"], 10, 64); err == nil && n > 0 {
		maxRows = n
	}
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var pending sync.Map // partition -> *gatherer
	emit := func(tc *task.Ctx, p int, b *vec.Batch) error {
		g, _ := pending.LoadOrStore(p, &gatherer{types: physical.Types(root.Schema()), max: maxRows, enc: enc, out: res, partition: p})
		return g.(*gatherer).add(tc, b)
	}
	p := &payload{consume: emit, begin: func(p int) { pending.Delete(p); res.begin(p) }, evict: res.evict, end: func(tc *task.Ctx, p int) error {
		if g, ok := pending.LoadAndDelete(p); ok {
			if err := g.(*gatherer).flush(tc); err != nil {
				return err
			}
		}
		res.end(p)
		return nil
	}}
	ended := make(chan error, 1)
	go func() {
		err := e.job(ctx, q, c, root, p, res.open, sink.Progress)
		if err != nil {
			cancel(err)
		}
		ended <- err
	}()
	total := int64(0)
	derr := res.drain(ctx, func(ipc []byte, rows int64) error {
		total += rows
		return sink.Batch(ipc, rows)
	})
	if derr != nil {
		cancel(derr)
	}
	if err := <-ended; err != nil {
		return err
	}
	if derr != nil {
		return derr
	}
	if total == 0 {
		return sendEmpty(enc, schema, sink)
	}
	return nil
}

// sendEmpty sends a batch of no rows: clients want at least one.
func sendEmpty(enc *arrowio.Encoder, schema *types.Type, sink server.Sink) error {
	b := &vec.Batch{}
	for _, f := range schema.Fields {
		b.Cols = append(b.Cols, vec.Make(f.Type, 0))
	}
	ipc, err := enc.Stream(b)
	if err != nil {
		return err
	}
	return sink.Batch(ipc, 0)
}

func (e *Engine) encoder(c *sessionConf, schema *types.Type) (*arrowio.Encoder, error) {
	o := arrowio.Options{TimeZone: c.zoneName, LargeVar: c.flag("spark.sql.execution.arrow.useLargeVarTypes")}
	switch strings.ToLower(c.keys["spark.sql.execution.arrow.compression.codec"]) {
	case "lz4":
		o.Codec = arrowio.LZ4
	case "zstd":
		o.Codec, o.Level = arrowio.Zstd, 3
		if n, err := strconv.Atoi(c.keys["spark.sql.execution.arrow.compression.zstd.level"]); err == nil {
			o.Level = max(1, n) // levels below 1 are faster ones, which this encoder hasn't
		}
	}
	return arrowio.NewEncoder(schema, o)
}

// gatherer puts small batches together before they are encoded.
type gatherer struct {
	types     []*types.Type
	max       int64
	held      []*vec.Batch
	rows      int64
	enc       *arrowio.Encoder
	out       *results
	partition int
}

func (g *gatherer) add(c *task.Ctx, b *vec.Batch) error {
	for from := 0; from < b.N; {
		n := min(b.N-from, int(g.max-g.rows))
		g.held = append(g.held, b.Slice(from, from+n))
		g.rows += int64(n)
		from += n
		if g.rows >= min(g.max, vec.DefaultRows) {
			if err := g.flush(c); err != nil {
				return err
			}
		}
	}
	return nil
}

func (g *gatherer) flush(c *task.Ctx) error {
	if g.rows == 0 {
		return nil
	}
	b := g.held[0].Compact()
	if len(g.held) > 1 {
		b = vec.Concat(g.types, g.held)
	}
	ipc, err := g.enc.Stream(b)
	if err != nil {
		return err
	}
	rows := g.rows
	g.held, g.rows = nil, 0
	if err := c.Yield(); err != nil {
		return err
	}
	c.Stats.RowsOut.Add(rows)
	c.Stats.BytesOut.Add(int64(len(ipc)))
	return g.out.put(c, g.partition, ipc, rows)
}

// collect runs a resolved relation and returns its rows as batches, in order.
func (e *Engine) collect(ctx context.Context, q *server.Query, c *sessionConf, resolved plan.Node) ([]*vec.Batch, error) {
	resolved, done, err := e.withCache(ctx, q, c, resolved, false)
	defer done()
	if err != nil {
		return nil, err
	}
	root, err := e.physical(ctx, c, resolved)
	if err != nil {
		return nil, err
	}
	return e.collectPhysical(ctx, q, c, root, nil)
}

func (e *Engine) collectPhysical(ctx context.Context, q *server.Query, c *sessionConf, root physical.Node, stats *streamStats) ([]*vec.Batch, error) {
	var mu sync.Mutex
	var parts [][]*vec.Batch
	rows := e.hold("gathered rows")
	defer rows.close()
	begin := func(p int) {
		mu.Lock()
		defer mu.Unlock()
		parts[p] = nil
	}
	err := e.job(ctx, q, c, root, &payload{stats: stats, begin: begin, evict: func(int) bool { return true }, consume: func(_ *task.Ctx, p int, b *vec.Batch) error {
		if err := rows.add(b.LiveSize()); err != nil {
			return err
		}
		mu.Lock()
		defer mu.Unlock()
		parts[p] = append(parts[p], b)
		return nil
	}}, func(n int) { parts = make([][]*vec.Batch, n) }, nil)
	if err != nil {
		return nil, err
	}
	var out []*vec.Batch
	for _, p := range parts {
		out = append(out, p...)
	}
	return out, nil
}

// Execute implements server.Engine.
func (e *Engine) Execute(ctx context.Context, q *server.Query, sink server.Sink) error {
	c := e.sessionConf(q.Session)
	if q.Metrics == nil {
		with := *q
		with.Metrics = sink.Metrics
		q = &with
	}
	e.log.Debug("execute", "operation", q.OperationID, "job_type", q.Job.String(), "origin", q.Job.Origin, "text", q.Text)
	switch n := q.Plan.(type) {
	case *plan.Command:
		return e.command(ctx, q, c, n, sink)
	case *plan.Write:
		return e.write(ctx, q, c, n)
	}
	resolved, err := e.analyze(ctx, q.Session, c, q.Plan)
	if err != nil {
		return err
	}
	return e.relation(ctx, q, c, resolved, sink)
}

// relation runs what the analyzer made, texts that are made of rows included.
func (e *Engine) relation(ctx context.Context, q *server.Query, c *sessionConf, resolved plan.Node, sink server.Sink) error {
	if na, ok := resolved.(*plan.NA); ok {
		return e.text(ctx, q, c, na, sink)
	}
	if rows, ok := resolved.(*plan.LocalRelation); ok {
		if batches, ok := rows.Batches.([]*vec.Batch); ok {
			return e.local(c, analyze.Schema(resolved), batches, sink)
		}
	}
	return e.stream(ctx, q, c, resolved, sink)
}

// local sends rows that are there already, without a job.
func (e *Engine) local(c *sessionConf, schema *types.Type, batches []*vec.Batch, sink server.Sink) error {
	enc, err := e.encoder(c, schema)
	if err != nil {
		return err
	}
	if err := sink.Schema(schema); err != nil {
		return err
	}
	sent := false
	for _, b := range batches {
		for from := 0; from < b.N; from += vec.DefaultRows {
			part := b.Slice(from, min(b.N, from+vec.DefaultRows)).Compact()
			ipc, err := enc.Stream(part)
			if err != nil {
				return err
			}
			if err := sink.Batch(ipc, int64(part.N)); err != nil {
				return err
			}
			sent = true
		}
	}
	if sent {
		return nil
	}
	return sendEmpty(enc, schema, sink)
}

func (e *Engine) command(ctx context.Context, q *server.Query, c *sessionConf, cmd *plan.Command, sink server.Sink) error {
	if cmd.Kind == "explain" {
		if inner, ok := cmd.Query.(*plan.Command); ok && inner.Kind != "execute_immediate" {
			return e.rows(c, sink, []string{"plan"}, [][]any{{analyze.ExplainCommand(inner, cmd.Mode)}})
		}
		text, err := e.Explain(ctx, &server.Query{Session: q.Session, OperationID: q.OperationID, Plan: cmd.Query, Job: q.Job, Text: q.Text}, cmd.Mode)
		if err != nil {
			rows := [][]any{{"Error occurred during query planning: "}}
			for line := range strings.Lines(err.Error()) {
				rows = append(rows, []any{strings.TrimSuffix(line, "\n")})
			}
			return e.rows(c, sink, []string{"plan"}, rows)
		}
		return e.rows(c, sink, []string{"plan"}, [][]any{{text}})
	}
	if cmd.Kind == "list_resources" {
		var rows [][]any
		for _, name := range q.Session.Artifacts.List(cmd.Args["type"] + "s/") {
			if cmd.Text == "" || strings.Contains(cmd.Text, path.Base(name)) {
				rows = append(rows, []any{name})
			}
		}
		return e.rows(c, sink, []string{"Results"}, rows)
	}
	if cmd.Query != nil {
		var err error
		if cmd.Query, err = decodeLocal(cmd.Query); err != nil {
			return err
		}
	}
	a := e.statements(q, c)
	n, handled, err := a.RunCommand(ctx, cmd)
	if err != nil {
		return err
	}
	if !handled {
		return errs.NotSupported("statement " + cmd.Kind).At(cmd.Origin)
	}
	if n == nil {
		return nil
	}
	return e.relation(ctx, q, c, n, sink)
}

// statements is the analyzer for statements that change something.
func (e *Engine) statements(q *server.Query, c *sessionConf) *analyze.Analyzer {
	a := e.analyzer(q.Session, c)
	a.Tables = &tables{e, q, c}
	a.Cache = &cacheTables{e, q, c}
	a.Execute = func(ctx context.Context, n plan.Node) (plan.Node, error) {
		part := *q
		part.OperationID += "-" + strconv.FormatInt(int64(plan.NewID()), 10)
		batches, err := e.collect(ctx, &part, c, n)
		if err != nil {
			return nil, err
		}
		schema := analyze.Schema(n)
		out := &plan.LocalRelation{Schema: schema, Out: []*plan.Attr{}, Batches: batches}
		if out.Batches == nil {
			out.Batches = []*vec.Batch{}
		}
		for _, f := range schema.Fields {
			out.Out = append(out.Out, &plan.Attr{ID: plan.NewID(), Name: f.Name, T: f.Type, Null: f.Nullable, Metadata: f.Metadata})
		}
		return out, nil
	}
	a.Reload = func() *analyze.Analyzer { return e.statements(q, e.sessionConf(q.Session)) }
	return a
}

// rows sends a table of strings and nulls.
func (e *Engine) rows(c *sessionConf, sink server.Sink, names []string, rows [][]any) error {
	schema := &types.Type{Kind: types.Struct}
	cols := make([]*vec.Vector, len(names))
	for i, name := range names {
		schema.Fields = append(schema.Fields, types.Field{Name: name, Type: types.StringType, Nullable: true})
		b := vec.NewBuilder(types.StringType, len(rows))
		for _, r := range rows {
			if err := b.AppendValue(r[i]); err != nil {
				return errs.Internalf("%v", err)
			}
		}
		cols[i] = b.Finish()
	}
	return e.local(c, schema, []*vec.Batch{{N: len(rows), Cols: cols}}, sink)
}

// Explain implements server.Engine.
func (e *Engine) Explain(ctx context.Context, q *server.Query, mode string) (string, error) {
	c := e.sessionConf(q.Session)
	resolved, err := e.analyze(ctx, q.Session, c, q.Plan)
	if err != nil {
		return "", err
	}
	head := fmt.Sprintf("Job type: %s (%s)\n", q.Job, q.Job.Origin)
	o := e.planner(c)
	with, done, err := e.withCache(ctx, q, c, resolved, true)
	defer done()
	if err != nil {
		return "", err
	}
	better, err := optimize.Optimize(ctx, with, o)
	if err != nil {
		return "", err
	}
	root, err := optimize.Physical(ctx, better, o)
	if err != nil {
		return "", err
	}
	text := physical.Explain(root, mode)
	if e.adaptive(c) != nil {
		text = physical.ExplainAdaptive(root, mode)
	}
	if mode == "extended" || mode == "cost" || mode == "codegen" {
		text = "== Analyzed Logical Plan ==\n" + optimize.ExplainLogical(resolved) + "\n== Optimized Logical Plan ==\n" + optimize.ExplainLogical(better) + "\n" + text
	}
	return text + "\n" + head, nil
}

// InputFiles implements server.Engine.
func (e *Engine) InputFiles(ctx context.Context, s *session.Session, n plan.Node) ([]string, error) {
	resolved, err := e.Analyze(ctx, s, n)
	if err != nil {
		return nil, err
	}
	var out []string
	plan.WalkNodes(resolved, func(n plan.Node) bool {
		if r, ok := n.(*plan.Relation); ok {
			if f, ok := r.Handle.(datasource.FileSource); ok {
				list, e := f.List(ctx)
				if e != nil {
					err = errors.Join(err, e)
				}
				for _, x := range list {
					out = append(out, "file://"+x.Path)
				}
			}
		}
		return true
	})
	return out, err
}

// RegisterFunction implements server.Engine.
func (e *Engine) RegisterFunction(context.Context, *session.Session, *plan.UDF) error {
	return errs.NotSupported("user-defined functions")
}

// CloneSession implements server.Engine.
func (e *Engine) CloneSession(_ context.Context, from, to *session.Session) error {
	copied := e.catalogOf(from).Clone()
	to.Value(catalogKey{}, func() any { return copied })
	return nil
}

// CloseSession implements server.Engine.
func (e *Engine) CloseSession(s *session.Session) {
	if err := stopStreams(s); err != nil {
		e.log.Warn("stopping the streaming queries of a session", "session", s.ID, "error", err)
	}
	e.stored.dropSession(s.Key)
	e.cache.remove(s.Key, func(*cached) bool { return true })
}

var _ server.Engine = (*Engine)(nil)
