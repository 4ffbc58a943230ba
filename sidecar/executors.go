package sidecar

import (
	"fmt"
	"net"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"neptune/arrowexec/shuffle"
	"neptune/arrowexec/state"
	"neptune/conf"
	"neptune/connect/session"
	"neptune/internal/errs"
	"neptune/scheduler/cluster"
	"neptune/scheduler/control"
	"neptune/scheduler/control/controlpb"
	"neptune/scheduler/core"
	"neptune/scheduler/policy"
)

// executors are those in processes of their own, as the driver has them.
type executors struct {
	engine *Engine
	server *control.Server
	beat   time.Duration
	window int

	mu    sync.Mutex
	all   map[policy.ExecutorID]*remoteExecutor
	local *pressure // of the embedded executor
	stop  chan struct{}
	done  sync.WaitGroup
}

// openExchange makes the engine's exchange one that other processes can read from.
func openExchange(e *Engine, c *conf.Conf) error {
	server, client, err := tlsOf(c)
	if err != nil {
		return err
	}
	e.remote, err = shuffle.NewRemote(e.pool, shuffle.RemoteConfig{Executor: string(embedded), Listen: net.JoinHostPort(c.ExchangeBind, strconv.Itoa(c.ExchangePort)),
		Host: c.ExchangeHost, ServerTLS: server, ClientTLS: client})
	if err != nil {
		return fmt.Errorf("the exchange (neptune.exchange.*): %w", err)
	}
	e.shuffle = e.remote
	return nil
}

// settingsOf is what the configuration says to all executors.
func settingsOf(c *conf.Conf) *controlpb.Settings {
	return &controlpb.Settings{Preempt: c.Mode == string(core.Neptune) || c.Mode == string(core.KILL), NoSuspend: c.Mode == string(core.KILL),
		StreamPriority: session.StreamPriority, MaxSuspensions: int32(c.MaxSuspensions), ProtectedRunNs: int64(c.ProtectedRun),
		HeartbeatNs: int64(c.Heartbeat), TimeoutNs: int64(c.LostAfter)}
}

// openExecutors opens the port for executors.
func (e *Engine) openExecutors(c *conf.Conf) error {
	server, _, err := tlsOf(c)
	if err != nil {
		return err
	}
	x := &executors{engine: e, beat: c.Heartbeat, window: c.PressureWindow, all: map[policy.ExecutorID]*remoteExecutor{}, stop: make(chan struct{}),
		local: &pressure{window: policy.Window{Size: c.PressureWindow}}}
	x.server, err = control.NewServer(net.JoinHostPort(c.DriverHost, strconv.Itoa(c.DriverPort)), control.ServerConfig{
		Version: Version, Fingerprint: fingerprint(), Settings: settingsOf(c), TLS: server, Log: e.log,
		Joined: x.joined, Status: x.status, Heartbeat: x.heartbeat, Draining: x.draining, Lost: x.lost})
	if err != nil {
		return fmt.Errorf("the port for executors (neptune.driver.port): %w", err)
	}
	e.executors = x
	x.done.Go(func() {
		newVitals(e.pool, e.worker).watch(x.stop, x.beat, func(h *controlpb.Heartbeat) {
			e.driver.Heartbeat(embedded, x.local.add(h, time.Now(), x.beat))
		})
	})
	x.done.Go(x.release)
	x.metrics()
	e.log.Info("port for executors", "address", x.server.Addr().String(), "tls", server != nil)
	return nil
}

func (x *executors) close() {
	close(x.stop)
	x.server.Close()
	x.done.Wait()
}

func (x *executors) get(id string) *remoteExecutor {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.all[policy.ExecutorID(id)]
}

// others are all executors, but for one.
func (x *executors) others(but string) (out []*remoteExecutor) {
	x.mu.Lock()
	defer x.mu.Unlock()
	for _, r := range x.all {
		if r.x.ID != but {
			out = append(out, r)
		}
	}
	return out
}

func (x *executors) joined(c *control.Executor) {
	r := &remoteExecutor{x: c, engine: x.engine, sent: map[string]*sentQuery{}, pressure: &pressure{window: policy.Window{Size: x.window}}}
	x.mu.Lock()
	x.all[r.ID()] = r
	x.mu.Unlock()
	x.engine.driver.Add(r)
}

func (x *executors) status(c *control.Executor, s *controlpb.Status) {
	st := decodeStatus(policy.ExecutorID(c.ID), s)
	observe(x.engine.metrics, st)
	x.engine.driver.Report(st)
}

func (x *executors) heartbeat(c *control.Executor, h *controlpb.Heartbeat) {
	if r := x.get(c.ID); r != nil {
		x.engine.driver.Heartbeat(r.ID(), r.pressure.add(h, time.Now(), x.beat))
	}
}

func (x *executors) draining(c *control.Executor) {
	x.engine.log.Info("executor is draining", "executor", c.ID)
	if r := x.get(c.ID); r != nil {
		r.drain.Store(drainAsked)
		x.engine.driver.Drain(r.ID())
	}
}

func (x *executors) lost(c *control.Executor, _ string) {
	x.mu.Lock()
	delete(x.all, policy.ExecutorID(c.ID))
	x.mu.Unlock()
	x.engine.driver.Lost(policy.ExecutorID(c.ID))
	x.engine.remote.Lost(c.ID)
	for _, r := range x.others(c.ID) {
		r.x.Send(&controlpb.ToExecutor{What: &controlpb.ToExecutor_Gone{Gone: &controlpb.Gone{Executor: c.ID}}})
	}
}

// release lets drained executors go whose rows nobody needs any more.
func (x *executors) release() {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-x.stop:
			return
		case <-tick.C:
		}
		for _, r := range x.others("") {
			if r.drain.Load() == drainIdle && !x.engine.driver.Holds(r.ID()) {
				r.drain.Store(drainDone)
				r.x.Send(&controlpb.ToExecutor{What: &controlpb.ToExecutor_Drained{Drained: &controlpb.Drained{}}})
			}
		}
	}
}

// forgetState drops what is kept in memory of a streaming query that has ended.
func (e *Engine) forgetState(checkpoint string) {
	state.Forget(checkpoint)
	e.homes.forget(checkpoint)
	if e.executors == nil {
		return
	}
	for _, r := range e.executors.others("") {
		r.x.Send(&controlpb.ToExecutor{What: &controlpb.ToExecutor_Forget{Forget: &controlpb.Forget{Checkpoint: checkpoint}}})
	}
}

// The steps of a drain.
const (
	drainAsked = 1 + iota
	drainIdle  // it runs nothing
	drainDone  // and may go
)

// remoteExecutor is an executor in a process of its own.
type remoteExecutor struct {
	x        *control.Executor
	engine   *Engine
	pressure *pressure
	drain    atomic.Int32

	mu   sync.Mutex
	sent map[string]*sentQuery
}

// sentQuery is what an executor was told of a query already.
type sentQuery struct {
	stages  map[int]*byte // the encoded plan's first byte tells versions apart
	sources map[int64]bool
}

func (r *remoteExecutor) ID() policy.ExecutorID { return policy.ExecutorID(r.x.ID) }
func (r *remoteExecutor) Host() string          { return r.x.Host }
func (r *remoteExecutor) Slots() int            { return r.x.Slots }

// Addr implements cluster.Exchanger.
func (r *remoteExecutor) Addr() string { return r.x.Exchange }

// Drained implements cluster.Drainer.
func (r *remoteExecutor) Drained() { r.drain.CompareAndSwap(drainAsked, drainIdle) }

// Launch implements cluster.Executor.
func (r *remoteExecutor) Launch(s cluster.TaskSpec) {
	m, err := r.message(s)
	if err != nil {
		// Beside: the driver waits for what carries out its commands.
		go r.engine.driver.Report(cluster.Status{Task: s.ID, State: core.Failed, Err: errs.Internalf("a task can't go to executor %s: %v", r.x.ID, err).Because(err)})
		return
	}
	r.x.Send(&controlpb.ToExecutor{What: &controlpb.ToExecutor_Launch{Launch: m}})
}

func (r *remoteExecutor) message(s cluster.TaskSpec) (*controlpb.Launch, error) {
	p := s.Payload.(*payload)
	plan, err := p.stages.encode(s.Stage)
	if err != nil {
		return nil, err
	}
	m := &controlpb.Launch{Task: s.ID, Query: s.Query, Stage: int32(s.Stage.ID), Partition: int32(s.Index), Partitions: int32(s.Count), Attempt: int32(s.Attempt),
		Priority: int32(s.Priority), Suspend: s.Suspend, Victim: s.Victim}
	r.mu.Lock()
	defer r.mu.Unlock()
	q := r.sent[s.Query]
	if q == nil {
		if m.QueryConf, err = encodeQuery(p); err != nil {
			return nil, err
		}
		q = &sentQuery{stages: map[int]*byte{}, sources: map[int64]bool{}}
		r.sent[s.Query] = q
	}
	if q.stages[s.Stage.ID] != &plan[0] {
		m.StagePlan, q.stages[s.Stage.ID] = plan, &plan[0]
	}
	if s.Sources != nil {
		m.Sources = s.Sources.ID
		if !q.sources[m.Sources] {
			q.sources[m.Sources] = true
			m.NewSources = encodeSources(s.Sources)
		}
	}
	return m, nil
}

func encodeSources(s *cluster.Sources) *controlpb.Sources {
	out := &controlpb.Sources{Number: s.ID}
	for id, places := range s.Exchanges {
		x := &controlpb.Exchange{Id: int32(id)}
		for _, p := range places {
			x.Places = append(x.Places, &controlpb.Place{Writer: int32(p.Writer), Executor: string(p.Executor), Address: p.Addr})
		}
		out.Exchanges = append(out.Exchanges, x)
	}
	return out
}

// Kill implements cluster.Executor. Tasks there can always start again: their rows wait for all of them.
func (r *remoteExecutor) Kill(id int64) {
	r.x.Send(&controlpb.ToExecutor{What: &controlpb.ToExecutor_Kill{Kill: &controlpb.Kill{Task: id}}})
}

// Protect implements cluster.Protecter.
func (r *remoteExecutor) Protect(id int64, d time.Duration) {
	r.x.Send(&controlpb.ToExecutor{What: &controlpb.ToExecutor_Protect{Protect: &controlpb.Protect{Task: id, ForNs: int64(d)}}})
}

// Reprioritize implements cluster.Executor.
func (r *remoteExecutor) Reprioritize(id int64, priority int) {
	r.x.Send(&controlpb.ToExecutor{What: &controlpb.ToExecutor_Reprioritize{Reprioritize: &controlpb.Reprioritize{Task: id, Priority: int32(priority)}}})
}

// Release implements cluster.Executor.
func (r *remoteExecutor) Release(query string) {
	r.mu.Lock()
	_, known := r.sent[query]
	delete(r.sent, query)
	r.mu.Unlock()
	if known {
		r.x.Send(&controlpb.ToExecutor{What: &controlpb.ToExecutor_Release{Release: &controlpb.Release{Query: query}}})
	}
}

// describe adds what an executor last said of itself.
func (x *executors) describe(out *executorJSON) {
	r := x.get(out.ID)
	if r == nil {
		return
	}
	heard := r.x.Heard()
	out.Heard, out.Exchange, out.Draining = &heard, r.x.Exchange, r.drain.Load() > 0
	if h := r.pressure.latest(); h != nil {
		out.Memory = &memoryJSON{h.Reserved, h.Limit, h.Suspended, h.SuspendedLimit}
		out.Spilled, out.GC, out.Tasks = h.SpilledTotal, h.GcShare, &[4]int32{h.Running, h.Waiting, h.Blocked, h.Queued}
	}
}

// metrics registers those that each executor has one of.
func (x *executors) metrics() {
	of := func(get func(*controlpb.Heartbeat) float64) func() map[string]float64 {
		return func() map[string]float64 {
			out := map[string]float64{}
			for _, r := range x.others("") {
				if h := r.pressure.latest(); h != nil {
					out[r.x.ID] = get(h)
				}
			}
			return out
		}
	}
	m := x.engine.metrics
	m.Gauges("executor_memory_reserved_bytes", "Memory that operators hold, by executor process.", "executor", of(func(h *controlpb.Heartbeat) float64 { return float64(h.Reserved) }))
	m.Gauges("executor_memory_limit_bytes", "Memory that operators may hold, by executor process.", "executor", of(func(h *controlpb.Heartbeat) float64 { return float64(h.Limit) }))
	m.Gauges("executor_memory_suspended_bytes", "Memory that suspended tasks hold beside, by executor process.", "executor", of(func(h *controlpb.Heartbeat) float64 { return float64(h.Suspended) }))
	m.Gauges("executor_spilled_bytes", "Bytes written to disk for want of memory, by executor process.", "executor", of(func(h *controlpb.Heartbeat) float64 { return float64(h.SpilledTotal) }))
	m.Gauges("executor_gc_share", "Share of the CPU time that the garbage collector takes, by executor process.", "executor", of(func(h *controlpb.Heartbeat) float64 { return h.GcShare }))
	m.Gauges("executor_tasks_running", "Tasks that hold a slot, by executor process.", "executor", of(func(h *controlpb.Heartbeat) float64 { return float64(h.Running) }))
	m.Gauges("executor_tasks_waiting", "Tasks that are suspended, or woken, and wait for a slot, by executor process.", "executor", of(func(h *controlpb.Heartbeat) float64 { return float64(h.Waiting) }))
}
