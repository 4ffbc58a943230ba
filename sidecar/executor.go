package sidecar

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/shuffle"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/arrowexec/worker"
	"neptune/internal/errs"
	"neptune/internal/obs"
	"neptune/scheduler/cluster"
	"neptune/scheduler/core"
	"neptune/scheduler/policy"
	"neptune/scheduler/stagegraph"
)

// payload is what the tasks of a query in this process share.
type payload struct {
	conf *task.Conf
	// consume takes the batches of the result stage; nil drops them.
	consume func(c *task.Ctx, partition int, b *vec.Batch) error
	// end is called when a result task has consumed its last batch.
	end func(c *task.Ctx, partition int) error
	// begin is called when a result task starts, once for each attempt: what an
	// earlier one consumed is to be forgotten.
	begin func(partition int)
	// evict reports whether a result task can start again (mode kill). nil: only if nobody consumes its rows.
	evict func(partition int) bool
	// build adds to what operators may use (sources, metrics, state).
	deps func(*op.Deps)
	// every is tuning.every.
	every int
}

// localExecutor is the embedded executor: the worker of this process as the driver sees it.
type localExecutor struct {
	id      policy.ExecutorID
	worker  *worker.Executor
	pool    *mem.Pool
	shuffle shuffle.Service
	driver  *cluster.Driver
	metrics *obs.Metrics
	watch   *atomic.Pointer[func(worker.Status)]

	mu   sync.Mutex
	firm map[int64]func() bool // result tasks: whether they can start again
}

func (x *localExecutor) ID() policy.ExecutorID { return x.id }
func (x *localExecutor) Host() string          { return "localhost" }
func (x *localExecutor) Slots() int            { return x.worker.Slots() }
func (x *localExecutor) Kill(id int64)         { x.worker.Kill(id) }
func (x *localExecutor) Release(query string)  { x.shuffle.Release(query) }

// Spent implements cluster.Spender: nothing of this process is lost but with all of it.
func (x *localExecutor) Spent(query string, s *stagegraph.Stage) {
	if l, ok := x.shuffle.(*shuffle.Local); ok && s.Output != nil {
		l.Spent(query, s.Output)
	}
}

// Launch implements cluster.Executor.
func (x *localExecutor) Launch(s cluster.TaskSpec) {
	p := s.Payload.(*payload)
	info := task.Info{Query: s.Query, Stage: s.Stage.ID, Partition: s.Index, Partitions: s.Count, Attempt: s.Attempt, Priority: s.Priority}
	account := x.pool.NewAccount(fmt.Sprintf("%s/%d.%d", s.Query, s.Stage.ID, s.Index))
	t := task.New(info, p.conf, account, func(c *task.Ctx) error {
		c.Every = p.every
		size := sizer{x.worker.Slots()}
		deps := op.Deps{Conf: p.conf, Query: s.Query, Partition: s.Index, Partitions: s.Count, Shuffle: x.shuffle,
			Tasks: func(n physical.Node) int { return max(1, stagegraph.Tasks(n, size)) }}
		p.deps(&deps)
		st := worker.Stage{Root: s.Stage.Root, Output: s.Stage.Output, Deps: deps, Shuffle: x.shuffle}
		if s.Stage.Output != nil {
			st.Parts = max(1, stagegraph.Tasks(s.Stage.Output, size))
		} else {
			st.Consume = func(c *task.Ctx, b *vec.Batch) error {
				if p.consume == nil {
					return nil
				}
				return p.consume(c, s.Index, b)
			}
		}
		if s.Stage.Output == nil && p.begin != nil {
			p.begin(s.Index)
		}
		if err := st.Run(c); err != nil {
			return err
		}
		if s.Stage.Output == nil && p.end != nil {
			return p.end(c, s.Index)
		}
		return nil
	})
	if s.Stage.Output == nil {
		x.mu.Lock()
		x.firm[s.ID] = func() bool {
			if p.evict == nil {
				return p.consume == nil
			}
			return p.evict(s.Index)
		}
		x.mu.Unlock()
	}
	x.worker.Launch(worker.Launch{ID: s.ID, Task: t, Suspend: s.Suspend, Victim: s.Victim, Done: func(error) {
		account.Close()
		x.mu.Lock()
		delete(x.firm, s.ID)
		x.mu.Unlock()
	}})
}

// Protect implements cluster.Protecter.
func (x *localExecutor) Protect(id int64, d time.Duration) { x.worker.Protect(id, d) }

// Evict implements cluster.Evicter.
func (x *localExecutor) Evict(id int64) {
	x.mu.Lock()
	again := x.firm[id]
	x.mu.Unlock()
	if again == nil || again() {
		x.worker.Kill(id)
	}
}

// status passes what the worker says on to the driver and the metrics.
func (x *localExecutor) status(s worker.Status) {
	if w := x.watch.Load(); w != nil {
		(*w)(s)
	}
	r := cluster.Status{Task: s.Task, Err: s.Err, Latency: s.Latency, By: s.By}
	if s.Stats != nil {
		r.Bytes = s.Stats.BytesIn.Load()
	}
	switch s.State {
	case worker.Running:
		r.State = core.Running
		x.metrics.ResumeSeconds.Observe(s.Latency.Seconds())
	case worker.Suspended:
		r.State = core.Suspended
		x.metrics.Suspensions.Inc()
		x.metrics.SuspendSeconds.Observe(s.Latency.Seconds())
	case worker.Blocked:
		r.State = core.Blocked
	case worker.Finished:
		r.State = core.Finished
	case worker.Failed:
		r.State = core.Failed
		if errors.Is(s.Err, task.ErrKilled) {
			r.State = core.Killed
		}
		if _, ok := errs.As(s.Err); !ok && r.State == core.Failed {
			r.Err = errs.Internalf("%v", s.Err).Because(s.Err)
		}
	}
	x.driver.Report(r)
}
