// Package sidecar is the composition root: it wires the server, the driver and
// the embedded executor into one process.
package sidecar

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"strconv"
	"time"

	"neptune/conf"
	"neptune/connect/server"
	"neptune/connect/session"
	"neptune/internal/obs"
)

// Server is a running server.
type Server struct {
	store  io.Closer // of the catalog; nil: none
	engine *Engine
	// unfollow ends followMemory, unpace paceGC.
	unfollow, unpace func()
	grpc             *server.Server
	status           *statusPort
	log              *slog.Logger
	// Addr is where Spark Connect listens.
	Addr net.Addr
}

// Start opens the ports and returns.
func Start(c *conf.Conf, log *slog.Logger) (*Server, error) {
	tune(c)
	m := obs.NewMetrics()
	e, err := NewEngine(c, log, m)
	if err != nil {
		return nil, err
	}
	store, err := e.openCatalog(c.CatalogFile)
	if err != nil {
		e.Close()
		return nil, err
	}
	base := map[string]string{"spark.app.name": "Neptune", "spark.master": fmt.Sprintf("local[%d]", c.Slots), "spark.sql.warehouse.dir": c.Warehouse}
	for k, v := range c.Spark {
		base[k] = v
	}
	own := map[string]session.OwnKey{}
	for _, k := range conf.Keys() {
		own[k.Name] = session.OwnKey{Session: k.Session, Check: k.Check}
	}
	opt := server.Options{Engine: e, Log: log, Conf: base, Own: own, Token: c.Token, ArtifactDir: c.LocalDir, SessionTimeout: c.SessionTimeout}
	if v, ok := c.Spark["spark.connect.execute.manager.detachedTimeout"]; ok {
		if opt.DetachedTimeout, err = conf.ParseDuration(v); err != nil || opt.DetachedTimeout <= 0 {
			e.Close()
			return nil, fmt.Errorf("spark.connect.execute.manager.detachedTimeout: %q is no duration", v)
		}
	}
	if c.JobType != "" {
		p, err := session.ParseJobType("neptune.job.type", c.JobType)
		if err != nil {
			e.Close()
			return nil, err
		}
		opt.DefaultJob = &session.JobType{Priority: p, Origin: session.FromServer}
	}
	g := server.New(opt)
	m.Gauge("sessions", "Client sessions that are open.", func() float64 { return float64(len(g.Sessions())) })
	m.Gauge("operations", "Executions that run, or whose results are kept for a client.", func() float64 { return float64(g.Operations()) })
	if err := e.openEventLog(c, log); err != nil {
		e.Close()
		return nil, err
	}
	l, err := net.Listen("tcp", net.JoinHostPort(c.Host, strconv.Itoa(c.Port)))
	if err != nil {
		e.Close()
		return nil, fmt.Errorf("%w; is another server running? --port chooses another port", err)
	}
	s := &Server{engine: e, store: store, grpc: g, log: log, Addr: l.Addr(), unfollow: followMemory(c, e.pool), unpace: paceGC()}
	if c.UIPort >= 0 {
		if s.status, err = openStatus(c.UIHost, c.UIPort, m, e.serveStatus(), log); err != nil {
			log.Warn("no status port", "error", err)
		} else {
			log.Info("status port", "metrics", "http://"+s.status.addr.String()+"/metrics")
		}
	}
	go func() {
		if err := g.Serve(l); err != nil {
			log.Error("server", "error", err)
		}
	}()
	return s, nil
}

// Stop ends all sessions and closes the ports.
func (s *Server) Stop() {
	if err := s.grpc.Close(); err != nil {
		s.log.Warn("closing the server", "error", err)
	}
	if s.status != nil {
		if err := s.status.close(); err != nil {
			s.log.Warn("closing the status port", "error", err)
		}
	}
	s.engine.Close()
	if s.store != nil {
		if err := s.store.Close(); err != nil {
			s.log.Warn("closing the catalog", "error", err)
		}
	}
	s.unfollow()
	s.unpace()
}

// tune sets the Go run time: two spare Ps beside the slots, one for the control
// plane and one for its planning of queries (one alone made the tail of
// micro-batches longer; batch slots are at low priority, so it costs them little).
func tune(c *conf.Conf) {
	runtime.MemProfileRate = 8 << 20 // vectors are large: by default most would be sampled, and each time the stack walked
	if n := c.Slots + 2; runtime.GOMAXPROCS(0) < n {
		runtime.GOMAXPROCS(n)
	}
}

// Serve runs a server until ctx is done.
func Serve(ctx context.Context, c *conf.Conf) error {
	log := obs.NewLog(os.Stderr, c.LogLevel, c.LogFormat)
	started := time.Now()
	s, err := Start(c, log)
	if err != nil {
		return err
	}
	log.Info("neptune server", "version", Version, "address", "sc://"+s.Addr.String(), "slots", c.Slots, "mode", c.Mode, "policy", c.Policy,
		"memory", fmt.Sprintf("%d MiB", c.Memory>>20), "ready_ms", time.Since(started).Milliseconds())
	<-ctx.Done()
	log.Info("stopping")
	s.Stop()
	return nil
}
