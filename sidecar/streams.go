package sidecar

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"neptune/connect/optimize"
	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/connect/sqlparse"
	"neptune/connect/translate"
	"neptune/internal/errs"
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
				return nil, errs.Refused(errs.IllegalArgument, "A streaming query named %s is active in this session already.", spec.Name)
			}
		}
		all.mu.Unlock()
	}
	logged := stream.SparkConf(conf.keys)
	// State is divided among as many partitions as the first batch had, whatever the server is later.
	logged["spark.sql.shuffle.partitions"] = strconv.Itoa(optimize.StreamPartitions(e.planner(conf)))
	cfg := stream.Config{Name: spec.Name, Plan: resolved, FreshID: uuid.NewString(), RunID: uuid.NewString(), Mode: mode,
		JobType: q.Job.String(), JobOrigin: q.Job.Origin, Conf: logged, Stateful: shape.stateful,
		NoEmptyBatches:   strings.EqualFold(conf.keys["spark.sql.streaming.noDataMicroBatches.enabled"], "false"),
		FastestWatermark: strings.EqualFold(conf.keys["spark.sql.streaming.multipleWatermarkPolicy"], "max"),
		KeepProgress:     int(number(conf.keys["spark.sql.streaming.numRecentProgressUpdates"])),
		KeepBatches:      number(conf.keys["spark.sql.streaming.minBatchesToRetain"])}
	if err := e.placeCheckpoint(spec, conf, mode, &cfg); err != nil {
		if !strings.EqualFold(spec.Format, "memory") { // what's wrong with the sink goes first
			if _, wrong := e.newSink(q, spec, resolved, mode); wrong != nil {
				return nil, wrong
			}
		}
		return nil, err
	}
	running := false
	defer func() {
		if !running && cfg.Temporary {
			if err := os.RemoveAll(cfg.Checkpoint); err != nil {
				e.log.Warn("removing the checkpoint of a query that didn't start", "error", err)
			}
		}
	}()
	if err := triggerOf(spec.Trigger, &cfg); err != nil {
		return nil, err
	}
	sink, err := e.newSink(q, spec, resolved, mode)
	if err != nil {
		return nil, err
	}
	if err := e.active.displace(ctx, cfg.Checkpoint, !strings.EqualFold(conf.keys["spark.sql.streaming.stopActiveRunOnRestart"], "false")); err != nil {
		return nil, err
	}
	cfg.SinkDescription = sink.describe()
	cfg.Runner = &batchRunner{engine: e, query: q, conf: conf, sink: sink, mode: mode, interval: cfg.Interval}
	sq := &streamQuery{name: spec.Name}
	sq.explain = func(extended bool) (string, error) {
		mode := "simple"
		if extended {
			mode = "extended"
		}
		text, err := e.Explain(context.Background(), q, mode)
		if err != nil {
			return "", err
		}
		n := int64(0)
		recent := sq.q.Recent()
		for _, p := range recent {
			n += p.Suspensions
		}
		return text + fmt.Sprintf("Suspensions: %d in the last %d micro-batches\n", n, len(recent)), nil
	}
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
		all.tell(server.StreamEvent{Kind: server.StreamProgressed, StartID: q.OperationID, JSON: string(raw)})
	}
	cfg.OnIdle = func(ts string) {
		raw, _ := json.Marshal(map[string]string{"id": sq.q.ID, "runId": cfg.RunID, "timestamp": ts})
		all.tell(server.StreamEvent{Kind: server.StreamIdle, StartID: q.OperationID, JSON: string(raw)})
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
		e.active.remove(cfg.Checkpoint, sq.q)
		e.forgetState(cfg.Checkpoint)
		all.mu.Lock()
		all.ended++
		if err != nil {
			all.lastErr = sq.failure(err)
		}
		signal(&all.changed)
		all.mu.Unlock()
		all.tell(server.StreamEvent{Kind: server.StreamTerminated, StartID: q.OperationID, JSON: string(raw)})
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
	running = true
	e.active.add(cfg.Checkpoint, sq.q)
	name, _ := json.Marshal(nullable(spec.Name))
	sq.started = fmt.Sprintf(`{"id":%q,"runId":%q,"name":%s,"timestamp":%q}`, sq.q.ID, cfg.RunID, name, time.Now().UTC().Format("2006-01-02T15:04:05.000Z"))
	all.mu.Lock()
	all.all = append(all.all, sq)
	all.forget()
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

// keepEnded is how many ended queries a session can still ask about.
const keepEnded = 100

// forget drops the oldest of too many ended queries.
func (a *streams) forget() {
	n := 0
	for _, q := range a.all {
		if !q.q.Active() {
			n++
		}
	}
	a.all = slices.DeleteFunc(a.all, func(q *streamQuery) bool {
		if n <= keepEnded || q.q.Active() {
			return false
		}
		n--
		return true
	})
}

// number is a setting that is a number; 0: not set, or none.
func number(s string) int64 {
	n, err := strconv.ParseInt(s, 10, 64)
	if err != nil {
		return 0
	}
	return n
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
			return errs.Refused(errs.IllegalArgument, "requirement failed: the interval of a trigger is not negative, and has no months: %s", t.Interval)
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
		raw, err := json.Marshal(p.Recent())
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
