package sidecar

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"sync"
	"time"

	"neptune/arrowexec/datasource"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical/wire"
	"neptune/arrowexec/shuffle"
	"neptune/arrowexec/state"
	"neptune/arrowexec/task"
	"neptune/arrowexec/worker"
	"neptune/conf"
	"neptune/internal/errs"
	"neptune/scheduler/cluster"
	"neptune/scheduler/control"
	"neptune/scheduler/control/controlpb"
	"neptune/scheduler/core"
)

// process is an executor in a process of its own, under one name.
type process struct {
	host
	conf    *conf.Conf
	id      string
	log     *slog.Logger
	remote  *shuffle.Remote
	client  *control.Client
	drained chan struct{}
	end     chan struct{}
	ended   sync.WaitGroup

	mu      sync.Mutex
	queries map[string]*hostedQuery
}

// hostedQuery is what an executor knows of a query. It is used by the one
// goroutine that takes the driver's messages.
type hostedQuery struct {
	settings queryWire
	conf     *task.Conf
	stages   map[int32]*wire.Stage
	sources  map[int64]shuffle.Sources
}

// RunExecutor serves the driver at the address until ctx is done; then it
// finishes what it can and leaves. name begins its name. What it returns is why
// it can't be an executor there.
func RunExecutor(ctx context.Context, c *conf.Conf, driver, name string, log *slog.Logger) error {
	tune(c)
	defer paceGC()()
	if name == "" {
		name, _ = os.Hostname()
	}
	for {
		p, err := newProcess(c, driver, name+"-"+unique(), log)
		if err != nil {
			return err
		}
		err = p.serve(ctx)
		p.close()
		if ctx.Err() != nil || !errors.Is(err, control.ErrForget) {
			return err
		}
		log.Warn("all tasks and rows are forgotten; joining anew", "executor", p.id, "reason", err)
	}
}

// unique is what makes a name one that nobody else has had.
func unique() string {
	b := make([]byte, 4)
	_, _ = rand.Read(b) // never fails
	return hex.EncodeToString(b)
}

func newProcess(c *conf.Conf, driver, id string, log *slog.Logger) (*process, error) {
	server, client, err := tlsOf(c)
	if err != nil {
		return nil, err
	}
	p := &process{conf: c, id: id, log: log, drained: make(chan struct{}), end: make(chan struct{}), queries: map[string]*hostedQuery{}}
	p.pool = mem.NewPool(c.Memory)
	p.pool.SetParkLimit(c.SuspendMemory)
	state.ForgetAll()
	state.SetKeepLimit(c.Memory / 4)
	datasource.SetPageCache(c.PageCache)
	p.remote, err = shuffle.NewRemote(p.pool, shuffle.RemoteConfig{Executor: id, Listen: net.JoinHostPort(c.ExchangeBind, strconv.Itoa(c.ExchangePort)),
		Host: c.ExchangeHost, ServerTLS: server, ClientTLS: client})
	if err != nil {
		return nil, fmt.Errorf("the exchange (--host, --port): %w", err)
	}
	p.shuffle = p.remote
	p.client = control.NewClient(control.ClientConfig{Driver: driver, TLS: client, Log: log, Welcome: p.welcome, Handle: p.handle,
		Register: &controlpb.Register{Version: Version, Fingerprint: fingerprint(), Executor: id, Host: c.ExchangeHost, Exchange: p.remote.Addr(), Slots: int32(c.Slots), Memory: c.Memory}})
	return p, nil
}

// drainSilence is for how long an executor that wants to leave waits for a driver that isn't heard of.
const drainSilence = 5 * time.Second

// serve stays with the driver until it is no use any more, or ctx is done and all is in order.
func (p *process) serve(ctx context.Context) error {
	defer followMemory(p.conf, p.pool)()
	run, stop := context.WithCancel(context.Background())
	defer stop()
	ended := make(chan error, 1)
	go func() { ended <- p.client.Run(run) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	p.log.Info("draining", "executor", p.id, "for_at_most", p.conf.DrainTimeout.String())
	p.client.Drain()
	late := time.NewTimer(p.conf.DrainTimeout)
	defer late.Stop()
	look := time.NewTicker(100 * time.Millisecond)
	defer look.Stop()
	for waiting := true; waiting; {
		select {
		case <-p.drained:
			waiting = false
		case <-late.C:
			p.log.Warn("not all was done in time: the rest is done elsewhere", "executor", p.id)
			waiting = false
		case <-look.C:
			if p.client.Silent() > drainSilence {
				p.log.Warn("there is no driver to wait for", "executor", p.id)
				return nil
			}
		case err := <-ended:
			if errors.Is(err, control.ErrForget) {
				return nil
			}
			return err
		}
	}
	bye, cancel := context.WithTimeout(context.Background(), time.Second)
	defer cancel()
	if err := p.client.Leave(bye); err != nil {
		p.log.Warn("the driver doesn't answer", "error", err)
	}
	stop()
	<-ended
	return nil
}

// close ends all tasks and drops all rows.
func (p *process) close() {
	close(p.end)
	p.ended.Wait()
	if p.worker != nil {
		p.worker.Close()
	}
	p.remote.Close()
}

// welcome begins, as the driver wants it.
func (p *process) welcome(s *controlpb.Settings) {
	p.worker = worker.New(worker.Config{Slots: p.conf.Slots, StreamPriority: int(s.StreamPriority), BatchNice: p.conf.BatchNice, Mixed: paceMixed, Preempt: s.Preempt, NoSuspend: s.NoSuspend,
		MaxSuspensions: int(s.MaxSuspensions), ProtectedRun: time.Duration(s.ProtectedRunNs), Status: func(st worker.Status) { p.client.Status(encodeStatus(p.report(st))) }})
	p.log.Info("neptune executor", "version", Version, "executor", p.id, "slots", p.conf.Slots, "memory", fmt.Sprintf("%d MiB", p.conf.Memory>>20), "exchange", p.remote.Addr())
	v := newVitals(p.pool, p.worker)
	p.ended.Go(func() { v.watch(p.end, time.Duration(s.HeartbeatNs), p.client.Heartbeat) })
}

// handle does what the driver says.
func (p *process) handle(m *controlpb.ToExecutor) {
	switch w := m.What.(type) {
	case *controlpb.ToExecutor_Launch:
		if err := p.start(w.Launch); err != nil {
			p.client.Status(encodeStatus(cluster.Status{Task: w.Launch.Task, State: core.Failed, Err: errs.Internalf("a task can't start on executor %s: %v", p.id, err).Because(err)}))
		}
	case *controlpb.ToExecutor_Kill:
		p.worker.Kill(w.Kill.Task)
	case *controlpb.ToExecutor_Protect:
		p.worker.Protect(w.Protect.Task, time.Duration(w.Protect.ForNs))
	case *controlpb.ToExecutor_Reprioritize:
		p.worker.Reprioritize(w.Reprioritize.Task, int(w.Reprioritize.Priority))
	case *controlpb.ToExecutor_Release:
		delete(p.queries, w.Release.Query)
		p.remote.Release(w.Release.Query)
	case *controlpb.ToExecutor_Forget:
		state.Forget(w.Forget.Checkpoint)
	case *controlpb.ToExecutor_Gone:
		p.remote.Lost(w.Gone.Executor)
	case *controlpb.ToExecutor_Drained:
		close(p.drained)
	}
}

// start runs a task.
func (p *process) start(m *controlpb.Launch) error {
	q := p.queries[m.Query]
	if q == nil {
		q = &hostedQuery{stages: map[int32]*wire.Stage{}, sources: map[int64]shuffle.Sources{}}
		p.queries[m.Query] = q
	}
	if m.QueryConf != nil {
		var err error
		if q.settings, q.conf, err = decodeQuery(m.QueryConf, p.conf.LocalDir); err != nil {
			return err
		}
	}
	if m.StagePlan != nil {
		st, err := wire.Decode(m.StagePlan, datasource.WireSources())
		if err != nil {
			return err
		}
		q.stages[m.Stage] = st
	}
	if n := m.NewSources; n != nil {
		s := shuffle.Sources{}
		for _, x := range n.Exchanges {
			list := make([]shuffle.Location, len(x.Places))
			for i, at := range x.Places {
				list[i] = shuffle.Location{Writer: int(at.Writer), Executor: at.Executor, Addr: at.Address}
			}
			s[int(x.Id)] = list
		}
		q.sources[n.Number] = s
	}
	st, sources := q.stages[m.Stage], q.sources[m.Sources]
	if q.conf == nil || st == nil || sources == nil {
		return fmt.Errorf("it wasn't told of query %s, its stage %d, or where its inputs are", m.Query, m.Stage)
	}
	p.launch(launch{id: m.Task, suspend: m.Suspend, victim: m.Victim, conf: q.conf, every: q.settings.Every, slots: q.settings.Slots, count: q.settings.Count,
		root: st.Root, output: st.Output, service: p.remote.With(sources),
		info: task.Info{Query: m.Query, Stage: int(m.Stage), Partition: int(m.Partition), Partitions: int(m.Partitions), Attempt: int(m.Attempt), Priority: int(m.Priority)}})
	return nil
}
