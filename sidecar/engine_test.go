package sidecar

import (
	"context"
	"io"
	"log/slog"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"

	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/conf"
	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/internal/obs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

func testEngine(t testing.TB, set ...string) *Engine {
	t.Helper()
	c, err := conf.Load(conf.Source{Set: append([]string{"neptune.executor.slots=2"}, set...)})
	if err != nil {
		t.Fatal(err)
	}
	e, err := NewEngine(c, slog.New(slog.NewTextHandler(io.Discard, nil)), obs.NewMetrics())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(e.Close)
	return e
}

// rangeRows is a physical plan of that many rows in 2 tasks.
func rangeRows(n int64) physical.Node {
	return &physical.Range{End: n, Step: 1, Partitions: 2, Out: []physical.Column{{Name: "id", Type: types.Int64Type}}}
}

func runRows(e *Engine, priority int, name string, n int64, each func(*vec.Batch)) error {
	q := &server.Query{OperationID: name, Job: session.JobType{Priority: priority, Origin: session.FromPlan}}
	return e.job(context.Background(), q, &sessionConf{zone: time.UTC}, rangeRows(n), &payload{consume: func(_ *task.Ctx, _ int, b *vec.Batch) error {
		each(b)
		return nil
	}}, nil, nil)
}

// A stream job ends while batch tasks hold all slots, the batch loses no row, and its tasks were suspended, not repeated.
func TestStreamRunsWhileBatchHoldsAllSlots(t *testing.T) {
	e := testEngine(t)
	var rows, live atomic.Int64
	var stop atomic.Bool
	const total = 400 * vec.DefaultRows
	batch := make(chan error, 1)
	go func() {
		batch <- runRows(e, session.BatchPriority, "batch", total, func(b *vec.Batch) {
			rows.Add(int64(b.N))
			if !stop.Load() {
				time.Sleep(time.Millisecond) // slow until the streams are done
			}
		})
	}()
	for rows.Load() == 0 {
		time.Sleep(time.Millisecond)
	}
	for range 5 {
		before := rows.Load()
		if err := runRows(e, session.StreamPriority, "stream", 100, func(b *vec.Batch) { live.Add(int64(b.N)) }); err != nil {
			t.Fatal(err)
		}
		if before == total {
			t.Fatal("the batch job ended before the stream jobs")
		}
	}
	stop.Store(true)
	if err := <-batch; err != nil {
		t.Fatal(err)
	}
	if rows.Load() != total || live.Load() != 500 {
		t.Errorf("batch saw %d rows of %d, streams %d of 500", rows.Load(), total, live.Load())
	}
	if now, _ := e.pool.Used(); now != 0 {
		t.Errorf("%d bytes still reserved", now)
	}
}

// In FIFO mode nobody is suspended: a stream job waits for a slot.
func TestFifoSuspendsNobody(t *testing.T) {
	e := testEngine(t, "neptune.scheduling.mode=fifo")
	batch := make(chan error, 1)
	started := make(chan struct{})
	var once sync.Once
	go func() {
		batch <- runRows(e, session.BatchPriority, "batch", 40*vec.DefaultRows, func(*vec.Batch) {
			once.Do(func() { close(started) })
			time.Sleep(time.Millisecond)
		})
	}()
	<-started
	if err := runRows(e, session.StreamPriority, "stream", 10, func(*vec.Batch) {}); err != nil {
		t.Fatal(err)
	}
	if err := <-batch; err != nil {
		t.Fatal(err)
	}
	var m dto.Metric
	if err := e.metrics.Suspensions.Write(&m); err != nil {
		t.Fatal(err)
	}
	if n := m.GetCounter().GetValue(); n != 0 {
		t.Errorf("%v suspensions", n)
	}
}

// A cancelled query gives its memory and slots back, and says why it ended.
func TestCancel(t *testing.T) {
	e := testEngine(t)
	ctx, cancel := context.WithCancelCause(context.Background())
	q := &server.Query{OperationID: "q", Job: session.JobType{Priority: 2}}
	why := io.ErrUnexpectedEOF
	err := e.job(ctx, q, &sessionConf{zone: time.UTC}, rangeRows(1<<40), &payload{consume: func(*task.Ctx, int, *vec.Batch) error {
		cancel(why)
		return nil
	}}, nil, nil)
	if err != why {
		t.Errorf("got %v, want the cause", err)
	}
	if a, b, c, d := e.worker.Counts(); a+b+c+d != 0 {
		t.Errorf("tasks left: %d %d %d %d", a, b, c, d)
	}
}

func TestEmptyLocalRelationKeepsItsTypes(t *testing.T) {
	n, err := decodeLocal(&plan.LocalRelation{Schema: types.NewStruct(types.Field{Name: "a", Type: types.DateType, Nullable: true})})
	if err != nil {
		t.Fatal(err)
	}
	l := n.(*plan.LocalRelation)
	if l.Schema.DDL() != "a DATE" || l.Batches == nil {
		t.Errorf("%+v", l)
	}
}
