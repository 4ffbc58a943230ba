package sidecar

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strconv"
	"sync"
	"time"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/connect/sqlparse"
	"neptune/internal/types"
	"neptune/scheduler/cluster"
	"neptune/scheduler/core"
	"neptune/scheduler/stagegraph"
)

// Latencies are what was measured of suspensions: from the request to the yield,
// and from the free slot to the first step, as the executor has it; and from an
// event on a socket to the first step of the task that it starts, or, where that runs
// in another process, to the first row that comes from it.
type Latencies struct {
	Suspend, Resume, Start []time.Duration
	// Worked is the CPU time that threads had between request and yield (of the
	// embedded executor): what is the engine's own of Suspend, whoever else uses the machine.
	Worked []time.Duration
}

// Interfere lets each slot be asked for by a critical task that does nothing,
// gap after the one before has ended: a message on a socket makes the driver run
// a job of one task. The functions returned end it, and count suspensions so far.
func (r *Rig) Interfere(gap time.Duration) (stop func() (Latencies, error), count func() int, err error) {
	var mu sync.Mutex
	var l Latencies
	hear := func(ev cluster.Event) {
		if ev.Latency <= 0 {
			return
		}
		mu.Lock()
		defer mu.Unlock()
		switch ev.Kind {
		case cluster.TaskSuspended:
			l.Suspend = append(l.Suspend, ev.Latency)
			if ev.Worked > 0 {
				l.Worked = append(l.Worked, ev.Worked)
			}
		case cluster.TaskResumed:
			l.Resume = append(l.Resume, ev.Latency)
		}
	}
	r.hear.Store(&hear)
	ctx, cancel := context.WithCancel(context.Background())
	var wg sync.WaitGroup
	var failed error
	origin := time.Now()
	fail := func(err error) {
		mu.Lock()
		defer mu.Unlock()
		if ctx.Err() == nil {
			failed = errors.Join(failed, err)
		}
	}
	end := func() {
		cancel()
		wg.Wait()
		r.hear.Store(nil)
	}
	for range r.Slots() {
		in, out, err := sockets()
		if err != nil {
			end()
			return nil, nil, err
		}
		ready := make(chan struct{}, 1)
		ready <- struct{}{}
		wg.Go(func() { // the world outside
			defer func() { _ = out.Close() }()
			var b [8]byte
			for {
				select {
				case <-ready:
				case <-ctx.Done():
					return
				}
				time.Sleep(gap)
				binary.NativeEndian.PutUint64(b[:], uint64(time.Since(origin)))
				if _, err := out.Write(b[:]); err != nil {
					fail(err)
					return
				}
			}
		})
		wg.Go(func() { // what hears of it
			defer func() { _ = in.Close() }()
			var b [8]byte
			for ctx.Err() == nil {
				if _, err := io.ReadFull(in, b[:]); err != nil {
					if ctx.Err() == nil {
						fail(err)
					}
					return
				}
				at := time.Duration(binary.NativeEndian.Uint64(b[:]))
				begin := func() {
					took := time.Since(origin) - at
					mu.Lock()
					l.Start = append(l.Start, took)
					mu.Unlock()
				}
				if err := r.nothing(ctx, begin); err != nil {
					fail(err)
					return
				}
				ready <- struct{}{}
			}
		})
	}
	return func() (Latencies, error) {
			end()
			mu.Lock()
			defer mu.Unlock()
			return l, failed
		}, func() int {
			mu.Lock()
			defer mu.Unlock()
			return len(l.Suspend)
		}, nil
}

// nothing runs a critical job of one task that has nothing to do.
func (r *Rig) nothing(ctx context.Context, begin func()) error {
	id := "interference-" + strconv.FormatInt(r.number.Add(1), 10)
	if r.engine.remote != nil {
		one := &physical.Range{End: 1, Step: 1, Partitions: 1, Out: []physical.Column{{Name: "id", Type: types.Int64Type}}}
		q := &server.Query{Session: r.session, OperationID: id, Job: session.JobType{Priority: session.StreamPriority, Origin: session.FromPlan}}
		return r.engine.job(ctx, q, r.engine.sessionConf(r.session), one, &payload{consume: func(*task.Ctx, int, *vec.Batch) error {
			begin()
			return nil
		}}, nil, nil)
	}
	p := &payload{conf: &task.Conf{}, slots: r.Slots(), begin: func(int) { begin() }}
	return r.engine.driver.Run(ctx, &cluster.Job{Query: id, Graph: stagegraph.Cut(&physical.Local{Data: []*vec.Batch{{N: 1}}}), Priority: session.StreamPriority,
		Sizer: sizer{p.slots}, Payload: p}, nil)
}

// sockets are two ends of a connection over the loopback interface.
func sockets() (in, out net.Conn, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, nil, err
	}
	defer func() { err = errors.Join(err, l.Close()) }()
	if out, err = net.Dial("tcp", l.Addr().String()); err != nil {
		return nil, nil, err
	}
	if in, err = l.Accept(); err != nil {
		return nil, nil, errors.Join(err, out.Close())
	}
	return in, out, nil
}

// SlotTime is for how long stream and batch tasks have had slots so far.
func (r *Rig) SlotTime() (stream, batch time.Duration) { return r.engine.slotTime.total(time.Now()) }

// Redone adds up, from now until the returned function is called, the slot time
// of tasks that were killed: work that is done again.
func (r *Rig) Redone() func() time.Duration {
	var mu sync.Mutex
	since := map[int64]time.Time{}
	var lost time.Duration
	on := true
	r.engine.driver.Observe(func(ev cluster.Event) {
		mu.Lock()
		defer mu.Unlock()
		if !on {
			return
		}
		switch ev.Kind {
		case cluster.TaskLaunched:
			since[ev.Task] = ev.Time
		case cluster.TaskEnded:
			if at, ok := since[ev.Task]; ok && ev.State == core.Killed {
				lost += ev.Time.Sub(at)
			}
			delete(since, ev.Task)
		}
	})
	return func() time.Duration {
		mu.Lock()
		defer mu.Unlock()
		on = false
		return lost
	}
}

// How is a way to run tasks, for experiment X4.
type How string

// The ways: as a coroutine; as a function that is called; as a thread that passes
// a lock at each yield point.
const (
	Coroutine How = "coroutine"
	Plain     How = "plain"
	Threads   How = "thread-sync"
)

// Alone runs a query's tasks one after the other on the calling goroutine,
// without scheduler, and returns what Run does, and the CPU time that the tasks took
// on their thread: on a busy machine the clock says more of others.
func (r *Rig) Alone(ctx context.Context, text string, how How) (rows int, digest string, took time.Duration, err error) {
	out, took, err := r.each(ctx, text, func(info task.Info, conf *task.Conf, account *mem.Account, body func(*task.Ctx) error) error {
		switch how {
		case Coroutine:
			return task.Run(info, conf, account, 0, body)
		case Plain:
			return task.Direct(info, conf, account, nil, body)
		case Threads:
			var lock sync.Mutex
			stands := sync.NewCond(&lock)
			still := false
			return task.Direct(info, conf, account, func() {
				lock.Lock()
				for still {
					stands.Wait()
				}
				lock.Unlock()
			}, body)
		}
		return fmt.Errorf("no way %s to run tasks", how)
	})
	if err != nil {
		return 0, "", 0, err
	}
	rows, digest = digestOf(out)
	return rows, digest, took, nil
}

// YieldPoints is how many a query passes.
func (r *Rig) YieldPoints(ctx context.Context, text string) (n int64, err error) {
	_, _, err = r.each(ctx, text, func(info task.Info, conf *task.Conf, account *mem.Account, body func(*task.Ctx) error) error {
		return task.Direct(info, conf, account, func() { n++ }, body)
	})
	return n, err
}

// each plans a query and has run do the body of each of its tasks, in order.
func (r *Rig) each(ctx context.Context, text string, run func(task.Info, *task.Conf, *mem.Account, func(*task.Ctx) error) error) (out []*vec.Batch, took time.Duration, err error) {
	e := r.engine
	c := e.sessionConf(r.session)
	n, err := sqlparse.ParseStatement(text, c.parser())
	if err != nil {
		return nil, 0, err
	}
	resolved, err := e.analyze(ctx, r.session, c, n)
	if err != nil {
		return nil, 0, err
	}
	root, err := e.physical(ctx, c, resolved)
	if err != nil {
		return nil, 0, err
	}
	query := "alone-" + strconv.FormatInt(r.number.Add(1), 10)
	defer e.shuffle.Release(query)
	conf := c.task(e.conf.LocalDir)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	began := threadTime()
	for _, s := range stagegraph.Cut(root).Stages {
		count := max(1, stagegraph.Tasks(s.Root, sizer{e.conf.Slots}))
		for i := range count {
			if err := ctx.Err(); err != nil {
				return nil, 0, err
			}
			info := task.Info{Query: query, Stage: s.ID, Partition: i, Partitions: count, Priority: session.BatchPriority}
			l := launch{conf: conf, slots: e.conf.Slots, root: s.Root, output: s.Output, service: e.shuffle, info: info,
				consume: func(_ *task.Ctx, b *vec.Batch) error { out = append(out, b); return nil }}
			account := e.pool.NewAccount(query)
			t := &hosted{account: account, notes: &taskNotes{}}
			err := run(info, conf, account, func(c *task.Ctx) error { return l.run(c, t) })
			account.Close()
			if err != nil {
				return nil, 0, err
			}
		}
	}
	return out, threadTime() - began, nil
}
