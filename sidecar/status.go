package sidecar

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"time"

	"github.com/prometheus/client_golang/prometheus/promhttp"

	"neptune/internal/obs"
)

// statusPort serves /metrics, /api/v1/neptune, /healthz and /debug/pprof.
type statusPort struct {
	server *http.Server
	addr   net.Addr
}

// openStatus listens on port or, where it is taken, one of the next 16 (as Spark's UI does). Port 0 takes any.
func openStatus(host string, port int, m *obs.Metrics, status http.HandlerFunc, log *slog.Logger) (*statusPort, error) {
	var l net.Listener
	var err error
	for i := range 17 {
		p := port
		if port != 0 {
			p += i
		}
		if l, err = net.Listen("tcp", net.JoinHostPort(host, fmt.Sprint(p))); err == nil || port == 0 {
			break
		}
	}
	if err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(m.Registry, promhttp.HandlerOpts{}))
	mux.HandleFunc("/api/v1/neptune", status)
	mux.HandleFunc("/healthz", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "ok") })
	mux.HandleFunc("/debug/pprof/", pprof.Index)
	mux.HandleFunc("/debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("/debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("/debug/pprof/trace", pprof.Trace)
	s := &statusPort{server: &http.Server{Handler: mux, ReadHeaderTimeout: 10 * time.Second}, addr: l.Addr()}
	go func() {
		if err := s.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			log.Error("status port", "error", err)
		}
	}()
	return s, nil
}

func (s *statusPort) close() error {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	return s.server.Shutdown(ctx)
}
