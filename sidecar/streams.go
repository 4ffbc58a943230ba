package sidecar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/connect/sqlparse"
	"neptune/connect/translate"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/scheduler/stream"
)

// streams are the streaming queries of one session.
type streams struct {
	mu       sync.Mutex
	all      []*streamQuery
	ended    int // since the last ResetTerminated
	lastErr  error
	changed  chan struct{} // closed and replaced when a query ends
	watchers map[chan server.StreamEvent]context.Context
}

type streamsKey struct{}

func streamsOf(s *session.Session) *streams {
	return s.Value(streamsKey{}, func() any {
		return &streams{changed: make(chan struct{}), watchers: map[chan server.StreamEvent]context.Context{}}
	}).(*streams)
}

// streamQuery is a query as the protocol sees it.
type streamQuery struct {
	q       *stream.Query
	name    string
	started string
	explain func(extended bool) (string, error)
}

// StartStream implements server.Engine.
func (e *Engine) StartStream(ctx context.Context, q *server.Query, spec *translate.StreamSpec) (server.Stream, error) {
	if spec.ForeachBatch != nil {
		return nil, errs.NotSupported("foreachBatch of a streaming query")
	}
	if spec.Foreach != nil {
		return nil, errs.NotSupported("foreach of a streaming query")
	}
	if spec.Table != "" {
		return nil, errs.NotSupported("toTable of a streaming query")
	}
	mode := strings.ToLower(spec.OutputMode)
	switch mode {
	case "":
		mode = "append"
	case "append", "update", "complete":
	default:
		return nil, errs.New(errs.Analysis, "STREAMING_OUTPUT_MODE.INVALID", "outputMode", spec.OutputMode)
	}
	conf := e.sessionConf(q.Session)
	resolved, err := e.analyze(ctx, q.Session, conf, q.Plan)
	if err != nil {
		return nil, err
	}
	shape, err := checkStream(resolved, mode)
	if err != nil {
		return nil, err
	}
	all := streamsOf(q.Session)
	if spec.Name != "" {
		all.mu.Lock()
		for _, o := range all.all {
			if o.name == spec.Name && o.q.Active() {
				all.mu.Unlock()
				e := errs.New(errs.IllegalArgument, "STREAMING_QUERY_NAME_IN_USE", "name", spec.Name)
				e.State, e.Text = "42000", fmt.Sprintf("A streaming query named %s is active in this session already.", spec.Name)
				return nil, e
			}
		}
		all.mu.Unlock()
	}
	options := lowerKeys(spec.Options)
	cfg := stream.Config{Name: spec.Name, Plan: resolved, FreshID: uuid.NewString(), RunID: uuid.NewString(), Mode: mode,
		JobType: q.Job.String(), Conf: stream.SparkConf(conf.keys), Stateful: shape.stateful}
	cfg.Checkpoint = options["checkpointlocation"]
	if cfg.Checkpoint == "" {
		if root := conf.keys["spark.sql.streaming.checkpointLocation"]; root != "" {
			name := spec.Name
			if name == "" {
				name = cfg.RunID
			}
			cfg.Checkpoint = localPath(root) + "/" + name
		} else {
			if cfg.Checkpoint, err = os.MkdirTemp(e.conf.LocalDir, "neptune-checkpoint-"); err != nil {
				return nil, err
			}
			cfg.Temporary = true
		}
	} else {
		cfg.Checkpoint = localPath(cfg.Checkpoint)
	}
	if err := triggerOf(spec.Trigger, &cfg); err != nil {
		return nil, err
	}
	sink, err := e.newSink(q, spec, resolved, mode)
	if err != nil {
		return nil, err
	}
	cfg.SinkDescription = sink.describe()
	cfg.Runner = &batchRunner{engine: e, query: q, conf: conf, sink: sink, mode: mode}
	sq := &streamQuery{name: spec.Name, explain: func(extended bool) (string, error) {
		mode := "simple"
		if extended {
			mode = "extended"
		}
		return e.Explain(context.Background(), q, mode)
	}}
	label := spec.Name
	if label == "" {
		label = "unnamed"
	}
	cfg.OnProgress = func(p stream.Progress) {
		e.metrics.Batches.WithLabelValues(label).Inc()
		e.metrics.BatchSeconds.WithLabelValues(label).Observe(float64(p.BatchDuration) / 1000)
		e.metrics.InputRows.WithLabelValues(label).Add(float64(p.NumInputRows))
		raw, err := json.Marshal(map[string]any{"progress": p})
		if err != nil {
			e.log.Error("progress of a streaming query", "error", err)
			return
		}
		all.tell(server.StreamEvent{Kind: server.StreamProgressed, JSON: string(raw)})
	}
	cfg.OnIdle = func(ts string) {
		raw, _ := json.Marshal(map[string]string{"id": sq.q.ID, "runId": cfg.RunID, "timestamp": ts})
		all.tell(server.StreamEvent{Kind: server.StreamIdle, JSON: string(raw)})
	}
	cfg.OnEnd = func(err error) {
		ev := map[string]any{"id": sq.q.ID, "runId": cfg.RunID, "exception": nil, "errorClassOnException": nil}
		if err != nil {
			ev["exception"] = err.Error()
			if x, ok := errs.As(err); ok {
				ev["errorClassOnException"] = x.Condition
			}
			e.log.Error("streaming query ended", "name", spec.Name, "id", sq.q.ID, "error", err)
		}
		raw, _ := json.Marshal(ev)
		all.mu.Lock()
		all.ended++
		if err != nil {
			all.lastErr = sq.failure(err)
		}
		signal(&all.changed)
		all.mu.Unlock()
		all.tell(server.StreamEvent{Kind: server.StreamTerminated, JSON: string(raw)})
	}
	ready := make(chan struct{})
	inner := cfg.OnEnd
	cfg.OnEnd = func(err error) { <-ready; inner(err) }
	progressed := cfg.OnProgress
	cfg.OnProgress = func(p stream.Progress) { <-ready; progressed(p) }
	sq.q, err = stream.Start(cfg)
	if err != nil {
		return nil, err
	}
	name, _ := json.Marshal(nullable(spec.Name))
	sq.started = fmt.Sprintf(`{"id":%q,"runId":%q,"name":%s,"timestamp":%q}`, sq.q.ID, cfg.RunID, name, time.Now().UTC().Format("2006-01-02T15:04:05.000Z"))
	all.mu.Lock()
	all.all = append(all.all, sq)
	all.mu.Unlock()
	close(ready)
	return sq, nil
}

func nullable(s string) any {
	if s == "" {
		return nil
	}
	return s
}

func (a *streams) tell(ev server.StreamEvent) {
	a.mu.Lock()
	defer a.mu.Unlock()
	for c, ctx := range a.watchers {
		select {
		case c <- ev:
		case <-ctx.Done():
		default: // a listener that doesn't read loses events rather than stop the query
		}
	}
}

func triggerOf(t translate.Trigger, cfg *stream.Config) error {
	switch t.Kind {
	case translate.DefaultTrigger:
		cfg.Trigger = stream.Asap
	case translate.ProcessingTime:
		cfg.Trigger = stream.Periodic
		v, err := sqlparse.ParseInterval(t.Interval)
		if err != nil {
			return err
		}
		if v.Months != 0 || v.Days < 0 || v.Micros < 0 {
			return errs.New(errs.IllegalArgument, "INVALID_PARAMETER_VALUE.INTERVAL", "parameter", "`processingTime`", "functionName", "`trigger`")
		}
		cfg.Interval = time.Duration(v.Days)*24*time.Hour + time.Duration(v.Micros)*time.Microsecond
	case translate.AvailableNow:
		cfg.Trigger = stream.Available
	case translate.Once:
		cfg.Trigger = stream.Single
	case translate.Continuous:
		return errs.NotSupported("trigger continuous of a streaming query")
	default:
		return errs.NotSupported("real-time mode of a streaming query")
	}
	return nil
}

// Stream implements server.Engine.
func (e *Engine) Stream(s *session.Session, id, runID string) (server.Stream, bool) {
	all := streamsOf(s)
	all.mu.Lock()
	defer all.mu.Unlock()
	for i := len(all.all) - 1; i >= 0; i-- {
		if q := all.all[i]; q.q.ID == id && (runID == "" || q.q.RunID == runID) {
			return q, true
		}
	}
	return nil, false
}

// ActiveStreams implements server.Engine.
func (e *Engine) ActiveStreams(s *session.Session) (out []server.Stream) {
	all := streamsOf(s)
	all.mu.Lock()
	defer all.mu.Unlock()
	for _, q := range all.all {
		if q.q.Active() {
			out = append(out, q)
		}
	}
	return out
}

// AwaitAnyStream implements server.Engine.
func (e *Engine) AwaitAnyStream(ctx context.Context, s *session.Session) (bool, error) {
	all := streamsOf(s)
	for {
		all.mu.Lock()
		ended, err, changed := all.ended, all.lastErr, all.changed
		all.mu.Unlock()
		if err != nil {
			return true, err
		}
		if ended > 0 {
			return true, nil
		}
		select {
		case <-changed:
		case <-ctx.Done():
			return false, nil
		}
	}
}

// ResetTerminated implements server.Engine.
func (e *Engine) ResetTerminated(s *session.Session) {
	all := streamsOf(s)
	all.mu.Lock()
	defer all.mu.Unlock()
	all.ended, all.lastErr = 0, nil
}

// StreamEvents implements server.Engine.
func (e *Engine) StreamEvents(ctx context.Context, s *session.Session) <-chan server.StreamEvent {
	all := streamsOf(s)
	c := make(chan server.StreamEvent, 1024)
	all.mu.Lock()
	all.watchers[c] = ctx
	all.mu.Unlock()
	context.AfterFunc(ctx, func() {
		all.mu.Lock()
		delete(all.watchers, c)
		close(c)
		all.mu.Unlock()
	})
	return c
}

func stopStreams(s *session.Session) error {
	all := streamsOf(s)
	all.mu.Lock()
	qs := append([]*streamQuery(nil), all.all...)
	all.mu.Unlock()
	var err error
	for _, q := range qs {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		err = errors.Join(err, q.q.Stop(ctx))
		cancel()
	}
	return err
}

// The methods of server.Stream.

func (s *streamQuery) ID() string           { return s.q.ID }
func (s *streamQuery) RunID() string        { return s.q.RunID }
func (s *streamQuery) Name() string         { return s.name }
func (s *streamQuery) StartedEvent() string { return s.started }

func (s *streamQuery) Status() server.StreamStatus {
	st := s.q.Status()
	return server.StreamStatus{Message: st.Message, DataAvailable: st.DataAvailable, TriggerActive: st.TriggerActive, Active: s.q.Active()}
}

func (s *streamQuery) RecentProgress() (out []string) {
	for _, p := range s.q.Recent() {
		raw, err := json.Marshal(p)
		if err == nil {
			out = append(out, string(raw))
		}
	}
	return out
}

func (s *streamQuery) Explain(extended bool) (string, error) { return s.explain(extended) }
func (s *streamQuery) Stop(ctx context.Context) error        { return s.q.Stop(ctx) }

func (s *streamQuery) ProcessAllAvailable(ctx context.Context) error {
	return s.failure(s.q.ProcessAllAvailable(ctx))
}

func (s *streamQuery) Await(ctx context.Context) (bool, error) {
	select {
	case <-s.q.Done():
		return true, s.Err()
	case <-ctx.Done():
		return false, nil
	}
}

func (s *streamQuery) Err() error { return s.failure(s.q.Err()) }

// failure wraps what ended a query as Spark does: STREAM_FAILED, with the cause.
func (s *streamQuery) failure(err error) error {
	if err == nil {
		return nil
	}
	var x *errs.Error
	if errors.As(err, &x) && x.Condition == "STREAM_FAILED" {
		return err
	}
	return errs.New(errs.StreamingQuery, "STREAM_FAILED", "id", s.q.ID, "runId", s.q.RunID, "message", err.Error()).Because(err)
}

// console is where the console sink prints.
var console io.Writer = os.Stdout

// shape is what checkStream found in a streaming plan.
type shape struct{ stateful bool }

// checkStream refuses what a streaming query can't do (Spark: UnsupportedOperationChecker).
func checkStream(n plan.Node, mode string) (shape, error) {
	var s shape
	var err error
	refuse := func(what string) {
		if err == nil {
			err = errs.NotSupported(what)
		}
	}
	streaming := map[plan.Node]bool{}
	watermarked := false
	var walk func(n plan.Node) bool
	walk = func(n plan.Node) bool {
		is := false
		for _, k := range n.Children() {
			is = walk(k) || is
		}
		if r, ok := n.(*plan.Relation); ok && r.Streaming {
			is = true
		}
		streaming[n] = is
		if !is {
			return false
		}
		switch n := n.(type) {
		case *plan.WithWatermark:
			watermarked = true
		case *plan.Aggregate:
			if s.stateful {
				refuse("several stateful operators in one streaming query")
			}
			s.stateful = true
			if mode == "append" && !watermarked && err == nil {
				err = errs.New(errs.Analysis, "UNSUPPORTED_STREAMING_OPERATOR_WITHOUT_WATERMARK", "outputMode", "append", "statefulOperator", "aggregation")
			}
		case *plan.Distinct:
			if s.stateful {
				refuse("several stateful operators in one streaming query")
			}
			s.stateful = true
		case *plan.Join:
			if streaming[n.Left] && streaming[n.Right] {
				refuse("stream-stream join")
			}
			if streaming[n.Right] && n.Kind == plan.LeftOuter || streaming[n.Left] && n.Kind == plan.RightOuter || n.Kind == plan.FullOuter ||
				streaming[n.Right] && (n.Kind == plan.LeftSemi || n.Kind == plan.LeftAnti) {
				refuse("outer, semi or anti join whose preserved side is static, in a streaming query")
			}
		case *plan.Sort:
			if mode != "complete" {
				refuse("sorting of a streaming DataFrame in output mode " + mode)
			}
		case *plan.Limit:
			refuse("limit of a streaming DataFrame")
		case *plan.WindowNode:
			refuse("window functions over a streaming DataFrame")
		case *plan.SetOperation:
			if n.Op != plan.UnionOp {
				refuse("INTERSECT or EXCEPT of a streaming DataFrame")
			}
		}
		return true
	}
	if !walk(n) {
		return s, errs.New(errs.Analysis, "WRITE_STREAM_NOT_ALLOWED")
	}
	if err == nil && mode == "complete" && !s.stateful {
		err = errs.New(errs.Analysis, "STREAMING_OUTPUT_MODE.UNSUPPORTED_OPERATION", "outputMode", "complete", "operation", "a streaming query without aggregation")
	}
	return s, err
}
