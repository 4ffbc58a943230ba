package sidecar

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"neptune/arrowexec/task"
	"neptune/arrowexec/worker"
	"neptune/conf"
	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/connect/sqlparse"
	"neptune/internal/obs"
	"neptune/internal/types"
)

// Rig is an engine with one session and no server, for experiments.
type Rig struct {
	engine  *Engine
	manager *session.Manager
	session *session.Session
	done    func()
	unpace  func()
	dir     string
	number  atomic.Int64
}

// NewRig starts an engine with the given settings (key=value). Close ends it and
// removes what it wrote.
func NewRig(set ...string) (*Rig, error) {
	dir, err := os.MkdirTemp("", "neptune-rig-")
	if err != nil {
		return nil, err
	}
	r := &Rig{dir: dir}
	c, err := conf.Load(conf.Source{Set: append([]string{"neptune.local.dir=" + dir, "neptune.warehouse.dir=" + dir + "/warehouse"}, set...)})
	if err == nil {
		r.engine, err = NewEngine(c, slog.New(slog.NewTextHandler(io.Discard, nil)), obs.NewMetrics())
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	r.manager = session.NewManager(session.Options{Base: map[string]string{"spark.sql.warehouse.dir": dir + "/warehouse"}, Dir: dir})
	r.session, r.done, err = r.manager.Open(session.Key{User: "rig", ID: "00000000-0000-0000-0000-000000000000"}, "", "")
	if err != nil {
		r.engine.Close()
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	tune(c)
	r.unpace = paceGC()
	return r, nil
}

// Close ends the engine and removes its files.
func (r *Rig) Close() error {
	r.unpace()
	r.done()
	err := r.manager.Shutdown()
	r.engine.Close()
	return errors.Join(err, os.RemoveAll(r.dir))
}

// Slots is the number of slots.
func (r *Rig) Slots() int { return r.engine.conf.Slots }

// Run runs a statement as a batch or stream job and returns the number of its
// rows and a digest of them, the same for rows in any order.
func (r *Rig) Run(ctx context.Context, text string, stream bool) (rows int, digest string, err error) {
	c := r.engine.sessionConf(r.session)
	n, err := sqlparse.ParseStatement(text, c.parser())
	if err != nil {
		return 0, "", err
	}
	job := session.JobType{Priority: session.BatchPriority, Origin: session.FromPlan}
	if stream {
		job.Priority = session.StreamPriority
	}
	q := &server.Query{Session: r.session, OperationID: "rig-" + strconv.FormatInt(r.number.Add(1), 10), Plan: n, Job: job, Text: text}
	resolved, err := r.engine.analyze(ctx, r.session, c, n)
	if err != nil {
		return 0, "", err
	}
	batches, err := r.engine.collect(ctx, q, c, resolved)
	if err != nil {
		return 0, "", err
	}
	var lines []string
	for _, row := range rowsOf(batches) {
		lines = append(lines, fmt.Sprint(row))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return len(lines), hex.EncodeToString(sum[:8]), nil
}

// Exec runs a command.
func (r *Rig) Exec(ctx context.Context, text string) error {
	c := r.engine.sessionConf(r.session)
	n, err := sqlparse.ParseStatement(text, c.parser())
	if err != nil {
		return err
	}
	q := &server.Query{Session: r.session, OperationID: "rig-" + strconv.FormatInt(r.number.Add(1), 10), Plan: n, Text: text,
		Job: session.JobType{Priority: session.BatchPriority, Origin: session.FromPlan}}
	return r.engine.Execute(ctx, q, discard{})
}

// Leaks returns what is held while nothing runs: tasks, and reserved bytes.
func (r *Rig) Leaks() (tasks int, bytes int64) {
	a, b, c, d := r.engine.worker.Counts()
	bytes, _ = r.engine.pool.Used()
	return a + b + c + d, bytes
}

// Latencies are what the executor itself measured of suspensions.
type Latencies struct {
	Suspend, Resume []time.Duration
}

// Interfere lets each slot be asked for by a critical task that does nothing,
// gap after the one before has ended, and gathers how long the batch tasks took
// to give way and to go on. The returned function ends it.
func (r *Rig) Interfere(gap time.Duration) (stop func() Latencies, count func() int) {
	var mu sync.Mutex
	var l Latencies
	watch := func(s worker.Status) {
		if s.Task < 0 || s.Latency <= 0 {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		switch s.State {
		case worker.Suspended:
			l.Suspend = append(l.Suspend, s.Latency)
		case worker.Running:
			l.Resume = append(l.Resume, s.Latency)
		}
	}
	r.engine.watch.Store(&watch)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var ids atomic.Int64
	for range r.Slots() {
		wg.Go(func() {
			for ctx.Err() == nil {
				id := -ids.Add(1)
				account := r.engine.pool.NewAccount("interference")
				ended := make(chan struct{})
				t := task.New(task.Info{Query: "interference", Priority: session.StreamPriority}, &task.Conf{}, account, func(*task.Ctx) error { return nil })
				r.engine.worker.Launch(worker.Launch{ID: id, Task: t, Suspend: true, Done: func(error) { account.Close(); close(ended) }})
				<-ended
				time.Sleep(gap)
			}
		})
	}
	return func() Latencies {
			cancel()
			wg.Wait()
			r.engine.watch.Store(nil)
			mu.Lock()
			defer mu.Unlock()
			return l
		}, func() int {
			mu.Lock()
			defer mu.Unlock()
			return len(l.Suspend)
		}
}

// Spin runs a batch task on each slot that does nothing but pass yield points,
// until ctx is done: what suspension costs where it costs nothing.
func (r *Rig) Spin(ctx context.Context) {
	var wg sync.WaitGroup
	for i := range r.Slots() {
		account := r.engine.pool.NewAccount("spin")
		t := task.New(task.Info{Query: "spin", Partition: i, Priority: session.BatchPriority}, &task.Conf{}, account, func(c *task.Ctx) error {
			for ctx.Err() == nil {
				if err := c.Yield(); err != nil {
					return err
				}
			}
			return nil
		})
		wg.Add(1)
		r.engine.worker.Launch(worker.Launch{ID: int64(1)<<62 + r.number.Add(1), Task: t, Done: func(error) { account.Close(); wg.Done() }})
	}
	wg.Wait()
}

// discard is a sink for statements whose rows nobody wants.
type discard struct{}

func (discard) Schema(*types.Type) error      { return nil }
func (discard) Batch([]byte, int64) error     { return nil }
func (discard) Ready() <-chan struct{}        { return nil }
func (discard) Progress(server.Progress)      {}
func (discard) Metrics(server.Observed) error { return nil }
