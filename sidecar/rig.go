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
	"sync/atomic"
	"time"

	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/conf"
	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/connect/sqlparse"
	"neptune/internal/obs"
	"neptune/internal/types"
	"neptune/scheduler/cluster"
	"neptune/scheduler/stagegraph"
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
	hear    atomic.Pointer[func(cluster.Event)] // nil: nobody
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
	r.engine.driver.Observe(func(ev cluster.Event) {
		if f := r.hear.Load(); f != nil {
			(*f)(ev)
		}
	})
	r.engine.worker.Measure()
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

// Slots is the number of slots, of all executors that take any task.
func (r *Rig) Slots() int { return r.engine.slots() }

// Run runs a statement as a batch or stream job and returns the number of its
// rows and a digest of them, the same for rows in any order.
func (r *Rig) Run(ctx context.Context, text string, stream bool) (rows int, digest string, err error) {
	job := session.JobType{Priority: session.BatchPriority, Origin: session.FromPlan}
	if stream {
		job.Priority = session.StreamPriority
	}
	return r.run(ctx, text, job)
}

// RunBy is Run as a stream job that should be done within target.
func (r *Rig) RunBy(ctx context.Context, text string, target time.Duration) (rows int, digest string, err error) {
	return r.run(ctx, text, session.JobType{Priority: session.StreamPriority, Origin: session.FromPlan, Target: target})
}

func (r *Rig) run(ctx context.Context, text string, job session.JobType) (rows int, digest string, err error) {
	c := r.engine.sessionConf(r.session)
	n, err := sqlparse.ParseStatement(text, c.parser())
	if err != nil {
		return 0, "", err
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
	rows, digest = digestOf(batches)
	return rows, digest, nil
}

// digestOf counts rows, and sums them up in any order.
func digestOf(batches []*vec.Batch) (int, string) {
	var lines []string
	for _, row := range rowsOf(batches) {
		lines = append(lines, fmt.Sprint(row))
	}
	slices.Sort(lines)
	sum := sha256.Sum256([]byte(strings.Join(lines, "\n")))
	return len(lines), hex.EncodeToString(sum[:8])
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

// Spin runs a batch job with a task for each slot that does nothing but pass
// yield points, until ctx is done: what suspension costs where it costs nothing.
func (r *Rig) Spin(ctx context.Context) error {
	if r.engine.remote != nil { // closures don't cross: a scan that keeps nothing does next to nothing, too
		_, _, err := r.Run(ctx, "SELECT count(*) FROM range(0, 4000000000000000, 1, "+strconv.Itoa(r.Slots())+") WHERE id < 0", false)
		if ctx.Err() != nil {
			return nil
		}
		return err
	}
	slots := r.Slots()
	p := &payload{conf: &task.Conf{}, slots: slots, consume: func(c *task.Ctx, _ int, _ *vec.Batch) error {
		for ctx.Err() == nil {
			if err := c.Yield(); err != nil {
				return err
			}
		}
		return nil
	}}
	rows := &physical.Range{End: int64(slots), Step: 1, Partitions: slots, Out: []physical.Column{{Name: "id", Type: types.Int64Type}}}
	return r.engine.driver.Run(context.WithoutCancel(ctx), &cluster.Job{Query: "spin-" + strconv.FormatInt(r.number.Add(1), 10), Graph: stagegraph.Cut(rows),
		Priority: session.BatchPriority, Sizer: sizer{slots}, Payload: p}, nil)
}

// discard is a sink for statements whose rows nobody wants.
type discard struct{}

func (discard) Schema(*types.Type) error      { return nil }
func (discard) Batch([]byte, int64) error     { return nil }
func (discard) Ready() <-chan struct{}        { return nil }
func (discard) Progress(server.Progress)      {}
func (discard) Metrics(server.Observed) error { return nil }
