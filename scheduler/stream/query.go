package stream

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"neptune/internal/errs"
	"neptune/internal/plan"
)

// Runner plans and runs one micro-batch and delivers its rows to the sink; a
// batch that was delivered before (same id) must not be delivered twice.
type Runner interface {
	RunBatch(ctx context.Context, b Batch) (Result, error)
}

// Batch is one micro-batch.
type Batch struct {
	ID          int64
	Plan        plan.Node // resolved, the streaming relations replaced by batch ones
	WatermarkMs int64     // state below it is given out and dropped
	LateMs      int64     // rows below it are late: the watermark of the batch before
	TimestampMs int64     // what current_timestamp is in it
	Checkpoint  string
	RunID       string
	Mode        string // append, update, complete
	Conf        map[string]string
}

// EventTime are statistics of the event time column below a withWatermark, in ms.
type EventTime struct {
	Operator int // number of the withWatermark in the plan
	Max, Min int64
	Avg      float64
	Count    int64
	DelayMs  int64
}

// Result is what became of a batch.
type Result struct {
	Inputs     map[plan.Source]int64 // rows read of relations that streaming sources gave, where they don't know themselves
	OutputRows int64
	EventTimes []EventTime // one a withWatermark that saw rows
	State      []StateProgress
	Observed   map[string]ObservedRow // by the names of the observations
	PlanningMs int64
	// Suspensions counts those of the batch's tasks.
	Suspensions int64
}

// TriggerKind says when batches start.
type TriggerKind uint8

// The kinds of triggers.
const (
	Asap      TriggerKind = iota // as soon as the last one is done and there is data
	Periodic                     // at multiples of Interval
	Available                    // until all that was there at the start is done
	Single                       // one batch of all that is there
)

// Config starts a query.
type Config struct {
	Name       string
	Plan       plan.Node // resolved; sources are plan.Relation with Streaming and a Def as Handle
	Runner     Runner
	Checkpoint string
	// Temporary: remove the checkpoint folder when the query ends without error.
	Temporary       bool
	FreshID         string // id of the query if the checkpoint is new
	RunID           string
	Mode            string
	Trigger         TriggerKind
	Interval        time.Duration
	SinkDescription string
	JobType         string
	JobOrigin       string
	Conf            map[string]string // logged with the offsets
	// Stateful: batches without data are run when the watermark has moved.
	Stateful bool
	// NoEmptyBatches: not even then (spark.sql.streaming.noDataMicroBatches.enabled is false).
	NoEmptyBatches bool
	// FastestWatermark: of several watermarks the highest counts, not the lowest (spark.sql.streaming.multipleWatermarkPolicy is max).
	FastestWatermark bool
	// KeepProgress is how many progress reports are kept (spark.sql.streaming.numRecentProgressUpdates).
	KeepProgress int
	// KeepBatches is how many entries the logs keep (spark.sql.streaming.minBatchesToRetain).
	KeepBatches int64
	// OnProgress, OnEnd and OnIdle, when not nil, hear of the query; they must not block.
	OnProgress func(Progress)
	OnIdle     func(timestamp string)
	OnEnd      func(err error)
}

// Status is StreamingQueryStatus.
type Status struct {
	Message                      string
	DataAvailable, TriggerActive bool
}

// Query is a running or ended streaming query. It is safe for concurrent use.
type Query struct {
	Config
	ID string

	cp      *checkpoint
	sources []Source
	rels    []*plan.Relation
	cancel  context.CancelCauseFunc
	done    chan struct{}

	mu      sync.Mutex
	status  Status
	recent  []Progress
	err     error
	noMore  chan struct{} // closed and replaced whenever a trigger found nothing new
	looking bool          // a trigger is under way

	// of the loop only
	next      int64 // batch id
	begun     bool  // a batch has been run
	committed []Offset
	watermark int64         // of the next batch, ms
	mark      int64         // of the last batch
	marks     map[int]int64 // of each withWatermark, since this run began
	operators int           // number of withWatermark
	lastStart time.Time
	lastIdle  time.Time
}

var errStopped = errors.New("query stopped")

// Start opens the checkpoint and the sources, and begins. The query goes on until Stop, an
// error, or, by trigger, the end of the data.
func Start(conf Config) (*Query, error) {
	cp, err := openCheckpoint(conf.Checkpoint, conf.FreshID)
	if err != nil {
		return nil, err
	}
	cp.offsets.volatile, cp.commits.volatile = conf.Temporary, conf.Temporary
	q := &Query{Config: conf, ID: cp.id, cp: cp, done: make(chan struct{}), noMore: make(chan struct{}), marks: map[int]int64{},
		status: Status{Message: "Initializing sources"}}
	if q.KeepProgress <= 0 {
		q.KeepProgress = 100
	}
	if q.KeepBatches <= 0 {
		q.KeepBatches = 100
	}
	if q.Plan, err = markLive(conf.Plan); err != nil {
		return nil, err
	}
	plan.WalkNodes(q.Plan, func(n plan.Node) bool {
		if r, ok := n.(*plan.Relation); ok && r.Streaming && !slices.Contains(q.rels, r) {
			q.rels = append(q.rels, r)
		}
		if w, ok := n.(*plan.WithWatermark); ok && w.Live {
			q.operators++
		}
		return true
	})
	for i, r := range q.rels {
		def, ok := r.Handle.(Def)
		if !ok {
			return nil, errs.NotSupported("streaming reads of " + r.Name)
		}
		s, err := def.Start(filepath.Join(conf.Checkpoint, "sources", fmt.Sprint(i)))
		if err != nil {
			return nil, err
		}
		q.sources = append(q.sources, s)
	}
	if err := q.recover(); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithCancelCause(context.Background())
	q.cancel = cancel
	go q.run(ctx)
	return q, nil
}

// markLive sets Live on each node that rows of a streaming source reach.
func markLive(n plan.Node) (plan.Node, error) {
	return plan.TransformUp(n, func(n plan.Node) (plan.Node, error) {
		if r, ok := n.(*plan.Relation); ok {
			c := *r
			c.Live = r.Streaming
			return &c, nil
		}
		kids := n.Children()
		for _, k := range kids {
			if k.Info().Live {
				n = n.WithChildren(kids)
				n.Info().Live = true
				break
			}
		}
		return n, nil
	})
}

// recover finds where the last run ended. A batch with offsets but without a
// commit is left for the loop to repeat with the same offsets.
func (q *Query) recover() error {
	q.committed = make([]Offset, len(q.sources))
	commits, err := q.cp.commits.batches()
	if err != nil || len(commits) == 0 {
		return err
	}
	last := commits[len(commits)-1]
	meta, offsets, err := q.cp.getOffsets(last, len(q.sources))
	if err != nil {
		return err
	}
	q.keep(meta.Conf)
	lines, err := q.cp.commits.get(last)
	if err != nil {
		return err
	}
	var m commitMeta
	if len(lines) > 0 {
		if err := json.Unmarshal([]byte(lines[0]), &m); err != nil {
			return damaged(filepath.Join(q.cp.commits.dir, fmt.Sprint(last)), "its second line is no JSON", err)
		}
	}
	q.committed, q.next, q.watermark, q.mark = offsets, last+1, m.NextWatermarkMs, meta.WatermarkMs
	return nil
}

// keep lets settings that state depends on stay as they were when the query first ran.
func (q *Query) keep(logged map[string]string) {
	c := maps.Clone(q.Conf)
	if c == nil {
		c = map[string]string{}
	}
	maps.Copy(c, logged)
	q.Conf = c
}

func (q *Query) run(ctx context.Context) {
	err := func() (err error) {
		defer func() {
			if p := recover(); p != nil {
				err = errs.Internalf("%v", p).Because(fmt.Errorf("%s", debug.Stack()))
			}
		}()
		return q.loop(ctx)
	}()
	if ctx.Err() != nil || errors.Is(err, errStopped) {
		err = nil // stopped by its owner
	}
	q.cancel(errStopped)
	if err == nil && q.Temporary {
		err = os.RemoveAll(q.Checkpoint)
	}
	q.mu.Lock()
	q.err = err
	q.status = Status{Message: "Stopped"}
	if err != nil {
		q.status.Message = "Terminated with exception: " + err.Error()
	}
	q.mu.Unlock()
	close(q.done)
	if q.OnEnd != nil {
		q.OnEnd(err)
	}
}

func (q *Query) loop(ctx context.Context) error {
	if q.Trigger == Available {
		for i, s := range q.sources {
			if err := s.Freeze(ctx, q.committed[i]); err != nil {
				return err
			}
		}
	}
	for {
		if ctx.Err() != nil {
			return errStopped
		}
		started := time.Now()
		q.look(true)
		ran, err := q.trigger(ctx, started)
		q.look(false)
		if err != nil {
			return err
		}
		switch q.Trigger {
		case Single:
			return nil
		case Available:
			if !ran {
				return nil
			}
		case Periodic:
			if q.Interval > 0 {
				next := started.Truncate(q.Interval).Add(q.Interval)
				if wait := time.Until(next); wait > 0 {
					if !ran {
						q.say("Waiting for data to arrive", false, false)
					} else {
						q.say("Waiting for next trigger", false, false)
					}
					sleep(ctx, wait)
				}
				continue
			}
			fallthrough
		case Asap:
			if !ran {
				q.say("Waiting for data to arrive", false, false)
				sleep(ctx, 10*time.Millisecond) // Spark: spark.sql.streaming.pollingDelay
			}
		}
	}
}

func (q *Query) look(on bool) {
	q.mu.Lock()
	q.looking = on
	q.mu.Unlock()
}

func sleep(ctx context.Context, d time.Duration) {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

func (q *Query) say(message string, data, active bool) {
	q.mu.Lock()
	q.status = Status{message, data, active}
	q.mu.Unlock()
}

// trigger runs one micro-batch if there is something to do.
func (q *Query) trigger(ctx context.Context, started time.Time) (ran bool, err error) {
	took := map[string]int64{}
	timed := func(what string, f func() error) error {
		t := time.Now()
		err := f()
		took[what] += time.Since(t).Milliseconds()
		return err
	}
	id := q.next
	ends := make([]Offset, len(q.sources))
	meta := offsetMeta{WatermarkMs: q.watermark, TimestampMs: started.UnixMilli(), Conf: q.Conf}
	if meta.Conf == nil {
		meta.Conf = map[string]string{}
	}
	var logged []string
	if !q.begun { // only the first batch can be in the log already
		if logged, err = q.cp.offsets.get(id); err != nil {
			return false, err
		}
	}
	if logged != nil {
		// A run before this one logged the batch, and didn't commit it.
		if meta, ends, err = q.cp.getOffsets(id, len(q.sources)); err != nil {
			return false, err
		}
		q.keep(meta.Conf)
	} else {
		q.say("Getting offsets from sources", false, true)
		fresh := false
		err := timed("latestOffset", func() error {
			for i, s := range q.sources {
				end, err := s.Latest(ctx, q.committed[i], q.Trigger == Single)
				if err != nil {
					return err
				}
				ends[i] = end
				fresh = fresh || end != q.committed[i]
			}
			return nil
		})
		if err != nil {
			return false, err
		}
		if !fresh && !q.pendingWatermark() {
			q.idle(started)
			return false, nil
		}
		if err := timed("walCommit", func() error { return q.cp.addOffsets(id, meta, ends) }); err != nil {
			return false, err
		}
	}
	q.say("Processing new data", true, true)

	rows := make([]int64, len(q.sources))
	node := q.Plan
	handles := make([]plan.Source, len(q.sources))
	err = timed("getBatch", func() error {
		fresh := map[*plan.Relation]plan.Node{}
		for i, s := range q.sources {
			var n plan.Node = &plan.LocalRelation{Out: q.rels[i].Out}
			if ends[i] != q.committed[i] {
				var err error
				if n, rows[i], err = s.Batch(ctx, q.committed[i], ends[i], q.rels[i].Out); err != nil {
					return err
				}
				if r, ok := n.(*plan.Relation); ok {
					handles[i] = r.Handle
				}
			}
			fresh[q.rels[i]] = n
		}
		var err error
		node, err = plan.TransformUp(q.Plan, func(n plan.Node) (plan.Node, error) {
			if r, ok := n.(*plan.Relation); ok && fresh[r] != nil {
				return fresh[r], nil
			}
			return n, nil
		})
		return err
	})
	if err != nil {
		return false, err
	}
	var res Result
	err = timed("addBatch", func() error {
		var err error
		res, err = q.Runner.RunBatch(ctx, Batch{ID: id, Plan: node, WatermarkMs: meta.WatermarkMs, LateMs: q.mark, TimestampMs: meta.TimestampMs,
			Checkpoint: q.Checkpoint, RunID: q.RunID, Mode: q.Mode, Conf: q.Conf})
		return err
	})
	if err != nil {
		return false, err
	}
	for i := range rows {
		if rows[i] < 0 {
			rows[i] = 0
			if res.Inputs != nil && handles[i] != nil {
				rows[i] = res.Inputs[handles[i]]
			}
		}
	}
	took["queryPlanning"] = res.PlanningMs
	took["addBatch"] -= res.PlanningMs
	next := q.advance(meta.WatermarkMs, res.EventTimes)
	err = timed("commitOffsets", func() error {
		raw, err := json.Marshal(commitMeta{next})
		if err != nil {
			return err
		}
		if err := q.cp.commits.add(id, string(raw)); err != nil {
			return err
		}
		for i, s := range q.sources {
			if err := s.Commit(ends[i]); err != nil {
				return err
			}
		}
		if id%16 == 0 { // a folder listing is not for every batch
			if err := q.cp.offsets.purge(id - q.KeepBatches); err != nil {
				return err
			}
			return q.cp.commits.purge(id - q.KeepBatches)
		}
		return nil
	})
	if err != nil {
		return false, err
	}
	took["triggerExecution"] = time.Since(started).Milliseconds()
	q.report(id, started, ends, rows, res, meta.WatermarkMs, took)
	q.begun = true
	q.committed, q.mark, q.watermark, q.next = ends, meta.WatermarkMs, next, id+1
	return true, nil
}

// advance is the watermark after a batch, in ms: of several withWatermark the
// slowest counts (or the fastest, if so configured), and it never goes back.
func (q *Query) advance(now int64, stats []EventTime) int64 {
	for _, s := range stats {
		if s.Count > 0 {
			q.marks[s.Operator] = max(q.marks[s.Operator], s.Max-s.DelayMs)
		}
	}
	if len(q.marks) == 0 || !q.FastestWatermark && len(q.marks) < q.operators {
		return now
	}
	all := slices.Collect(maps.Values(q.marks))
	if q.FastestWatermark {
		return max(now, slices.Max(all))
	}
	return max(now, slices.Min(all))
}

// pendingWatermark: the watermark has moved since the last batch was planned,
// so that state may have rows to give out.
func (q *Query) pendingWatermark() bool {
	return q.Stateful && !q.NoEmptyBatches && q.Trigger != Single && q.next > 0 && q.mark < q.watermark
}

func (q *Query) idle(now time.Time) {
	q.mu.Lock()
	close(q.noMore)
	q.noMore = make(chan struct{})
	q.mu.Unlock()
	if q.OnIdle != nil && now.Sub(q.lastIdle) > 10*time.Second { // Spark: noDataProgressEventInterval
		if !q.lastIdle.IsZero() {
			q.OnIdle(stamp(now))
		}
		q.lastIdle = now
	}
}

func (q *Query) report(id int64, started time.Time, ends []Offset, rows []int64, res Result, watermark int64, took map[string]int64) {
	p := Progress{ID: q.ID, RunID: q.RunID, Timestamp: stamp(started), BatchID: id, BatchDuration: took["triggerExecution"], DurationMs: took,
		EventTime: map[string]string{}, StateOperators: res.State, ObservedMetrics: res.Observed, JobType: q.JobType, JobOrigin: q.JobOrigin, Suspensions: res.Suspensions,
		Sink: SinkProgress{Description: q.SinkDescription, NumOutputRows: res.OutputRows}}
	if q.Name != "" {
		p.Name = &q.Name
	}
	if p.StateOperators == nil {
		p.StateOperators = []StateProgress{}
	}
	if p.ObservedMetrics == nil {
		p.ObservedMetrics = map[string]ObservedRow{}
	}
	input := started.Sub(q.lastStart).Seconds()
	if q.lastStart.IsZero() {
		input = 0
	}
	q.lastStart = started
	busy := max(time.Since(started).Seconds(), 1e-3)
	rate := func(n int64, s float64) float64 {
		if s <= 0 {
			return 0
		}
		return float64(n) / s
	}
	for i, s := range q.sources {
		p.NumInputRows += rows[i]
		p.Sources = append(p.Sources, SourceProgress{Description: s.Description(), StartOffset: offsetJSON(q.committed[i]), EndOffset: offsetJSON(ends[i]),
			LatestOffset: offsetJSON(ends[i]), NumInputRows: rows[i], InputRate: rate(rows[i], input), ProcessedRate: rate(rows[i], busy)})
	}
	p.InputRate, p.ProcessedRate = rate(p.NumInputRows, input), rate(p.NumInputRows, busy)
	for _, e := range res.EventTimes {
		if e.Count > 0 {
			p.EventTime["max"], p.EventTime["min"], p.EventTime["avg"] = stampMs(e.Max), stampMs(e.Min), stampMs(int64(e.Avg))
		}
	}
	if q.Stateful || len(res.EventTimes) > 0 {
		p.EventTime["watermark"] = stampMs(watermark)
	}
	q.mu.Lock()
	q.recent = append(q.recent, p)
	if n := len(q.recent) - q.KeepProgress; n > 0 {
		q.recent = slices.Delete(q.recent, 0, n)
	}
	q.lastIdle = started
	q.mu.Unlock()
	if q.OnProgress != nil {
		q.OnProgress(p)
	}
}

// Status is what the query does now.
func (q *Query) Status() Status {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.status
}

// Recent returns the progress of the last batches, oldest first.
func (q *Query) Recent() []Progress {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Clone(q.recent)
}

// Active reports whether the query runs.
func (q *Query) Active() bool {
	select {
	case <-q.done:
		return false
	default:
		return true
	}
}

// Done is closed when the query has ended.
func (q *Query) Done() <-chan struct{} { return q.done }

// Err is why the query ended, nil while it runs and when it was stopped.
func (q *Query) Err() error {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.err
}

// Stop ends the query and waits until its batch, if one runs, has unwound.
func (q *Query) Stop(ctx context.Context) error {
	q.cancel(errStopped)
	select {
	case <-q.done:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}

// ProcessAllAvailable waits until a trigger that began after the call found nothing new.
func (q *Query) ProcessAllAvailable(ctx context.Context) error {
	q.mu.Lock()
	waits := 1
	if q.looking {
		waits = 2 // the trigger under way may have looked before the call
	}
	q.mu.Unlock()
	for range waits {
		q.mu.Lock()
		wait := q.noMore
		q.mu.Unlock()
		select {
		case <-wait:
		case <-q.done:
			return q.Err()
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// SparkConf picks of a session's settings those that Spark logs with the offsets.
func SparkConf(all map[string]string) map[string]string {
	out := map[string]string{}
	for _, k := range []string{"spark.sql.shuffle.partitions", "spark.sql.streaming.stateStore.providerClass", "spark.sql.session.timeZone"} {
		if v, ok := all[k]; ok {
			out[k] = v
		}
	}
	maps.DeleteFunc(out, func(_, v string) bool { return v == "" })
	return out
}
