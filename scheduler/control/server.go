package control

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/peer"

	"neptune/scheduler/control/controlpb"
)

// ServerConfig fixes the driver's side.
type ServerConfig struct {
	Version     string
	Fingerprint uint64 // of the types that cross
	Settings    *controlpb.Settings
	TLS         *tls.Config // nil: plain text
	Log         *slog.Logger

	// The driver hears of its executors by these, for each executor one call at a
	// time: Joined first, Lost last. They must not block for long.
	Joined    func(*Executor)
	Status    func(*Executor, *controlpb.Status)
	Heartbeat func(*Executor, *controlpb.Heartbeat)
	Draining  func(*Executor)
	Lost      func(x *Executor, why string)
}

// Server is the driver's side of all control streams.
type Server struct {
	controlpb.UnimplementedControlServer
	conf ServerConfig
	grpc *grpc.Server
	addr net.Addr
	stop chan struct{}
	done sync.WaitGroup

	mu        sync.Mutex
	executors map[string]*Executor
}

// Executor is an executor process, as the driver sees it.
type Executor struct {
	ID, Host, Exchange string
	Slots              int
	Memory             int64

	link    *link[*controlpb.ToExecutor, *controlpb.ToDriver]
	server  *Server
	heard   atomic.Int64 // unix nanoseconds
	gone    atomic.Bool
	mu      sync.Mutex
	breaks  *context.CancelFunc // ends the present connection; nil: there is none
	serving sync.Mutex          // held while a connection is served
	calls   sync.Mutex          // of the driver's functions
}

// NewServer listens for executors. Close ends it.
func NewServer(listen string, conf ServerConfig) (*Server, error) {
	l, err := net.Listen("tcp", listen)
	if err != nil {
		return nil, err
	}
	opts := []grpc.ServerOption{grpc.MaxRecvMsgSize(math.MaxInt32), grpc.MaxSendMsgSize(math.MaxInt32)}
	if conf.TLS != nil {
		opts = append(opts, grpc.Creds(credentials.NewTLS(conf.TLS)))
	}
	s := &Server{conf: conf, grpc: grpc.NewServer(opts...), addr: l.Addr(), stop: make(chan struct{}), executors: map[string]*Executor{}}
	controlpb.RegisterControlServer(s.grpc, s)
	s.done.Go(func() {
		if err := s.grpc.Serve(l); err != nil {
			conf.Log.Error("the port for executors", "error", err)
		}
	})
	s.done.Go(s.watch)
	return s, nil
}

// Addr is where executors connect.
func (s *Server) Addr() net.Addr { return s.addr }

// Close ends all connections. Executors look for another driver then.
func (s *Server) Close() {
	close(s.stop)
	s.grpc.Stop()
	s.done.Wait()
}

// Send tells an executor something. It is sent again until it has arrived, unless the executor is lost.
func (x *Executor) Send(m *controlpb.ToExecutor) {
	if !x.gone.Load() {
		x.link.send(m)
	}
}

// Heard is when the executor was last heard of.
func (x *Executor) Heard() time.Time { return time.Unix(0, x.heard.Load()) }

// Connected reports whether there is a connection at this moment.
func (x *Executor) Connected() bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	return x.breaks != nil
}

// connected makes a connection the present one, until the returned function is
// called or there is another.
func (x *Executor) connected(breaks context.CancelFunc) (over func()) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.breaks = &breaks
	return func() {
		x.mu.Lock()
		defer x.mu.Unlock()
		if x.breaks == &breaks {
			x.breaks = nil
		}
	}
}

// disconnect ends the present connection, if there is one.
func (x *Executor) disconnect() {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.breaks != nil {
		(*x.breaks)()
	}
}

// lose ends an executor for the driver, once.
func (s *Server) lose(x *Executor, why string) {
	if x.gone.Swap(true) {
		return
	}
	s.mu.Lock()
	delete(s.executors, x.ID)
	s.mu.Unlock()
	s.conf.Log.Warn("executor lost", "executor", x.ID, "host", x.Host, "reason", why)
	x.disconnect()
	x.calls.Lock()
	s.conf.Lost(x, why)
	x.calls.Unlock()
}

func (s *Server) list() []*Executor {
	s.mu.Lock()
	defer s.mu.Unlock()
	out := make([]*Executor, 0, len(s.executors))
	for _, x := range s.executors {
		out = append(out, x)
	}
	return out
}

// probeEvery is how often an executor without a connection is looked for.
const probeEvery = 200 * time.Millisecond

// watch finds executors that are gone: those that were silent for too long and,
// much sooner, those whose process has ended. When a connection breaks either
// may be the cause; a port that refuses connections tells which.
func (s *Server) watch() {
	timeout := time.Duration(s.conf.Settings.GetTimeoutNs())
	tick := time.NewTicker(min(probeEvery, max(timeout/8, time.Millisecond)))
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		var wg sync.WaitGroup
		for _, x := range s.list() {
			if silent := time.Since(x.Heard()); silent > timeout {
				s.lose(x, fmt.Sprintf("not heard of for %s", silent.Round(time.Millisecond)))
				continue
			}
			if x.Connected() {
				continue
			}
			wg.Go(func() {
				c, err := net.DialTimeout("tcp", x.Exchange, probeEvery)
				switch {
				case err == nil:
					_ = c.Close() // it lives, and will be back
				case errors.Is(err, syscall.ECONNREFUSED):
					s.lose(x, "its process has ended")
				}
			})
		}
		wg.Wait()
	}
}

func refused(reason controlpb.Refused_Reason, format string, args ...any) *controlpb.ToExecutor {
	return &controlpb.ToExecutor{What: &controlpb.ToExecutor_Refused{Refused: &controlpb.Refused{Reason: reason, Message: fmt.Sprintf(format, args...)}}}
}

// Connect implements the service.
func (s *Server) Connect(in grpc.BidiStreamingServer[controlpb.ToDriver, controlpb.ToExecutor]) error {
	first, err := in.Recv()
	if err != nil {
		return err
	}
	r := first.GetRegister()
	if r == nil {
		return in.Send(refused(controlpb.Refused_OTHER, "the first message isn't a Register"))
	}
	from := "?"
	if p, ok := peer.FromContext(in.Context()); ok {
		from = p.Addr.String()
	}
	if r.Version != s.conf.Version || r.Fingerprint != s.conf.Fingerprint {
		s.conf.Log.Warn("executor of another version refused", "executor", r.Executor, "from", from, "version", r.Version)
		how := fmt.Sprintf("the executor is of version %s, the driver of version %s", r.Version, s.conf.Version)
		if r.Version == s.conf.Version {
			how = fmt.Sprintf("the executor and the driver are of different builds of version %s", s.conf.Version)
		}
		return in.Send(refused(controlpb.Refused_VERSION, "%s: both must be of the same build", how))
	}
	x, joins, refusal := s.admit(r)
	if refusal != nil {
		return in.Send(refusal)
	}
	// One connection at a time: the one before is over, whether it knows or not.
	x.disconnect()
	x.serving.Lock()
	if x.gone.Load() {
		x.serving.Unlock()
		return in.Send(refused(controlpb.Refused_UNKNOWN, "executor %s was declared lost", r.Executor))
	}
	ctx, cancel := context.WithCancel(in.Context())
	defer cancel()
	defer x.connected(cancel)()
	x.heard.Store(time.Now().UnixNano())
	if err := in.Send(&controlpb.ToExecutor{What: &controlpb.ToExecutor_Welcome{Welcome: &controlpb.Welcome{Received: x.link.has(), Settings: s.conf.Settings}}}); err != nil {
		x.serving.Unlock()
		return err
	}
	if joins {
		s.conf.Log.Info("executor joined", "executor", x.ID, "host", x.Host, "slots", x.Slots, "memory", fmt.Sprintf("%d MiB", x.Memory>>20), "exchange", x.Exchange)
		x.calls.Lock()
		s.conf.Joined(x)
		x.calls.Unlock()
	} else {
		s.conf.Log.Info("executor reconnected", "executor", x.ID, "from", from)
	}
	// The handler has to return for the stream to end: listening goes on beside.
	ended := make(chan error, 1)
	go func() {
		defer x.serving.Unlock()
		ended <- x.link.run(ctx, in, r.Received, cancel)
	}()
	select {
	case err = <-ended:
	case <-ctx.Done():
		err = ctx.Err()
	case <-s.stop:
		err = errors.New("the driver is stopping")
	}
	if !x.gone.Load() {
		s.conf.Log.Info("connection to an executor ended", "executor", x.ID, "error", err)
	}
	return nil
}

// admit finds or makes the executor that registers.
func (s *Server) admit(r *controlpb.Register) (x *Executor, joins bool, refusal *controlpb.ToExecutor) {
	s.mu.Lock()
	defer s.mu.Unlock()
	x = s.executors[r.Executor]
	switch {
	case x != nil && !r.Again && x.link.has() > 0:
		return nil, false, refused(controlpb.Refused_OTHER, "there is an executor %s already", r.Executor)
	case x != nil:
		return x, false, nil
	case r.Again:
		return nil, false, refused(controlpb.Refused_UNKNOWN, "executor %s was declared lost", r.Executor)
	case r.Slots < 1 || r.Exchange == "" || r.Executor == "":
		return nil, false, refused(controlpb.Refused_OTHER, "an executor needs a name, a slot and an exchange")
	}
	x = &Executor{ID: r.Executor, Host: r.Host, Exchange: r.Exchange, Slots: int(r.Slots), Memory: r.Memory, server: s}
	x.link = newLink(stampToExecutor, func() *controlpb.ToExecutor { return &controlpb.ToExecutor{} }, x.deliver)
	x.heard.Store(time.Now().UnixNano())
	s.executors[r.Executor] = x
	return x, true, nil
}

// deliver takes what an executor says.
func (x *Executor) deliver(m *controlpb.ToDriver) {
	x.heard.Store(time.Now().UnixNano())
	if x.gone.Load() {
		return
	}
	conf := &x.server.conf
	leaving := false
	x.calls.Lock()
	switch w := m.What.(type) {
	case *controlpb.ToDriver_Heartbeat:
		conf.Heartbeat(x, w.Heartbeat)
		x.link.sendLoose(&controlpb.ToExecutor{}) // so that it knows that we live
	case *controlpb.ToDriver_Status:
		conf.Status(x, w.Status)
	case *controlpb.ToDriver_Draining:
		conf.Draining(x)
	case *controlpb.ToDriver_Leaving:
		leaving = true
	}
	x.calls.Unlock()
	if leaving {
		// Beside: it still hears that its message came.
		time.AfterFunc(20*time.Millisecond, func() { x.server.lose(x, "it left") })
	}
}
