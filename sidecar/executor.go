package sidecar

import (
	"errors"
	"sync"
	"time"

	"neptune/arrowexec/mem"
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

// payload is what the tasks of a query share.
type payload struct {
	conf *task.Conf
	zone string // the name of conf.TimeZone
	// consume takes the batches of the result stage; nil drops them.
	consume func(c *task.Ctx, partition int, b *vec.Batch) error
	// end is called when a result task has consumed its last batch.
	end func(c *task.Ctx, partition int) error
	// begin is called when a result task starts, once for each attempt: what an
	// earlier one consumed is to be forgotten.
	begin func(partition int)
	// evict reports whether a result task can start again (mode kill). nil: only if nobody consumes its rows.
	evict func(partition int) bool
	// every is tuning.every.
	every int
	// slots is how many slots all executors had when the query began: the number of tasks of stages follows from it.
	slots int
	// stats, of micro-batches, takes what their tasks note.
	stats *streamStats
	notes notes
	// Of jobs whose tasks may be in other processes:
	gathers *gathers
	stages  *wireStages
}

// localExecutor is the embedded executor: the worker of this process as the driver sees it.
type localExecutor struct {
	host
	id       policy.ExecutorID
	remote   *shuffle.Remote // nil: all rows are in this process
	reserved bool
	driver   *cluster.Driver
	metrics  *obs.Metrics

	mu   sync.Mutex
	firm map[int64]func() bool // result tasks: whether they can start again
}

func (x *localExecutor) ID() policy.ExecutorID               { return x.id }
func (x *localExecutor) Host() string                        { return "localhost" }
func (x *localExecutor) Slots() int                          { return x.worker.Slots() }
func (x *localExecutor) Kill(id int64)                       { x.worker.Kill(id) }
func (x *localExecutor) Release(query string)                { x.shuffle.Release(query) }
func (x *localExecutor) Reprioritize(id int64, priority int) { x.worker.Reprioritize(id, priority) }
func (x *localExecutor) Protect(id int64, d time.Duration)   { x.worker.Protect(id, d) }

// Reserved implements cluster.Reserved.
func (x *localExecutor) Reserved() bool { return x.reserved }

// Addr implements cluster.Exchanger.
func (x *localExecutor) Addr() string {
	if x.remote == nil {
		return ""
	}
	return x.remote.Addr()
}

// Spent implements cluster.Spender: nothing of this process is lost but with all of it.
func (x *localExecutor) Spent(query string, s *stagegraph.Stage) {
	if l, ok := x.shuffle.(*shuffle.Local); ok && s.Output != nil {
		l.Spent(query, s.Output)
	}
}

// Launch implements cluster.Executor.
func (x *localExecutor) Launch(s cluster.TaskSpec) {
	p := s.Payload.(*payload)
	l := launch{id: s.ID, suspend: s.Suspend, victim: s.Victim, conf: p.conf, every: p.every, slots: p.slots, root: s.Stage.Root, output: s.Stage.Output,
		count: p.stats != nil, service: x.shuffle,
		info: task.Info{Query: s.Query, Stage: s.Stage.ID, Partition: s.Index, Partitions: s.Count, Attempt: s.Attempt, Priority: s.Priority}}
	if s.Sources != nil {
		l.service = x.remote.With(sourcesOf(s.Sources))
	}
	result := s.Stage.Output == nil
	switch {
	case result && p.gathers != nil && s.Stage.Root == physical.Node(p.gathers.exchange):
		l.body = func(c *task.Ctx) error { return p.gathers.run(c, x.remote, s, p) }
	case result:
		l.consume = func(c *task.Ctx, b *vec.Batch) error {
			if p.consume == nil {
				return nil
			}
			return p.consume(c, s.Index, b)
		}
		l.around = func(c *task.Ctx, run func() error) error {
			if p.begin != nil {
				p.begin(s.Index)
			}
			if err := run(); err != nil || p.end == nil {
				return err
			}
			return p.end(c, s.Index)
		}
	}
	if result {
		x.mu.Lock()
		x.firm[s.ID] = func() bool {
			if p.evict == nil {
				return p.consume == nil
			}
			return p.evict(s.Index)
		}
		x.mu.Unlock()
		l.done = func() {
			x.mu.Lock()
			delete(x.firm, s.ID)
			x.mu.Unlock()
		}
	}
	x.launch(l)
}

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
	r := x.report(s)
	if x.remote == nil {
		r.Retry = false // rows of the result may be with the client already
	}
	observe(x.metrics, r)
	x.driver.Report(r)
}

// observe counts a suspension or a resumption.
func observe(m *obs.Metrics, s cluster.Status) {
	switch {
	case s.State == core.Suspended:
		m.Suspensions.Inc()
		m.SuspendSeconds.Observe(s.Latency.Seconds())
		m.SuspendedBytes.Observe(s.RetainedMB * (1 << 20))
	case s.State == core.Running && s.Latency > 0:
		m.ResumeSeconds.Observe(s.Latency.Seconds())
	}
}

// host runs tasks in this process: those of the embedded executor, and of one
// that is a process of its own.
type host struct {
	worker  *worker.Executor
	pool    *mem.Pool
	shuffle shuffle.Service
	tasks   sync.Map // id -> *hosted
}

// launch is a task for a host.
type launch struct {
	id      int64
	suspend bool
	victim  int64
	info    task.Info
	conf    *task.Conf
	every   int
	slots   int
	root    physical.Node
	output  *physical.Exchange // nil: the rows go to consume
	count   bool               // the rows of each scan
	service shuffle.Service
	consume func(c *task.Ctx, b *vec.Batch) error // nil drops
	around  func(c *task.Ctx, run func() error) error
	body    func(c *task.Ctx) error // in the place of all this
	done    func()
}

// hosted is what a host knows of a task.
type hosted struct {
	account *mem.Account
	notes   *taskNotes
	sizes   []int64
}

// report is what a worker's status says to the driver.
func (h *host) report(s worker.Status) cluster.Status {
	r := cluster.Status{Task: s.Task, Err: s.Err, Latency: s.Latency, Worked: s.Worked, By: s.By}
	if s.Stats != nil {
		r.Bytes = s.Stats.BytesIn.Load()
	}
	var t *hosted
	if v, ok := h.tasks.Load(s.Task); ok {
		t = v.(*hosted)
	}
	switch s.State {
	case worker.Running:
		r.State = core.Running
	case worker.Suspended:
		r.State = core.Suspended
		if t != nil {
			r.RetainedMB = float64(t.account.Used()) / (1 << 20)
		}
	case worker.Blocked:
		r.State = core.Blocked
	case worker.Finished:
		r.State = core.Finished
		if t != nil {
			r.Notes, r.Sizes = t.notes, t.sizes
		}
	case worker.Failed:
		r.State = core.Failed
		var fetch *shuffle.FetchError
		switch _, ok := errs.As(s.Err); {
		case errors.Is(s.Err, task.ErrKilled):
			r.State = core.Killed
		case errors.As(s.Err, &fetch):
			r.Fetch = &cluster.FetchFailure{Exchange: fetch.Exchange, Executor: policy.ExecutorID(fetch.Executor)}
			r.Retry = true
		case !ok:
			r.Err = errs.Internalf("%v", s.Err).Because(s.Err)
		}
		r.Retry = r.Retry || mayPass(s.Err)
	}
	if r.State.Over() {
		h.tasks.Delete(s.Task)
	}
	return r
}
