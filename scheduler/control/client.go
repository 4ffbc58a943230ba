package control

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"

	"neptune/scheduler/control/controlpb"
)

// ClientConfig fixes an executor's side, for one name.
type ClientConfig struct {
	Driver   string // host:port
	Register *controlpb.Register
	TLS      *tls.Config
	Log      *slog.Logger
	// Welcome is called once, when the driver has taken the executor in.
	Welcome func(*controlpb.Settings)
	// Handle takes what the driver says, in order. It must not block for long.
	Handle func(*controlpb.ToExecutor)
}

// ErrForget ends a Client whose executor the driver has declared lost, or whose
// driver is gone: the executor forgets all it has, and joins under another name.
var ErrForget = errors.New("the driver doesn't know this executor any more")

// RefusedError is the error of an executor that can't join, and never will as it is.
type RefusedError struct{ Message string }

func (e *RefusedError) Error() string { return e.Message }

// Client is an executor's side of the control stream.
type Client struct {
	conf    ClientConfig
	link    *link[*controlpb.ToDriver, *controlpb.ToExecutor]
	heard   atomic.Int64
	timeout atomic.Int64
	beat    atomic.Int64
	joined  bool
	// slack is how many times as long as usual a silence may be: twice as long
	// after each connection that was given up for one, so that a driver or a
	// network that is slow, but there, is reached in the end.
	slack int
}

// NewClient makes a Client; Run connects it.
func NewClient(conf ClientConfig) *Client {
	c := &Client{conf: conf, slack: 1}
	c.beat.Store(int64(time.Second))
	c.timeout.Store(int64(30 * time.Second))
	c.link = newLink(stampToDriver, func() *controlpb.ToDriver { return &controlpb.ToDriver{} }, func(m *controlpb.ToExecutor) {
		c.heard.Store(time.Now().UnixNano())
		if m.What != nil {
			conf.Handle(m)
		}
	})
	return c
}

// Status tells the driver of a task. It arrives, once, unless the driver is gone.
func (c *Client) Status(s *controlpb.Status) {
	c.link.send(&controlpb.ToDriver{What: &controlpb.ToDriver_Status{Status: s}})
}

// Heartbeat tells the driver how the executor is.
func (c *Client) Heartbeat(h *controlpb.Heartbeat) {
	c.link.sendLoose(&controlpb.ToDriver{What: &controlpb.ToDriver_Heartbeat{Heartbeat: h}})
}

// Drain asks the driver for nothing new, and for word when the executor may go.
func (c *Client) Drain() {
	c.link.send(&controlpb.ToDriver{What: &controlpb.ToDriver_Draining{Draining: &controlpb.Draining{}}})
}

// Leave tells the driver that the executor ends, and waits until it knows or ctx is done.
func (c *Client) Leave(ctx context.Context) error {
	c.link.send(&controlpb.ToDriver{What: &controlpb.ToDriver_Leaving{Leaving: &controlpb.Leaving{}}})
	return c.link.flushed(ctx)
}

// Silent is for how long the driver hasn't been heard of.
func (c *Client) Silent() time.Duration { return time.Since(time.Unix(0, c.heard.Load())) }

// Run keeps the executor connected until ctx is done, whose error it returns
// then; or a RefusedError; or ErrForget.
func (c *Client) Run(ctx context.Context) error {
	told := ""
	wait := 50 * time.Millisecond
	for {
		connected, err := c.connect(ctx)
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var no *RefusedError
		if errors.As(err, &no) || errors.Is(err, ErrForget) {
			return err
		}
		if connected {
			wait, told = 50*time.Millisecond, ""
		}
		if c.joined && time.Since(time.Unix(0, c.heard.Load())) > time.Duration(c.timeout.Load()) {
			return fmt.Errorf("%w: it wasn't heard of for %s", ErrForget, time.Duration(c.timeout.Load()))
		}
		if text := err.Error(); text != told {
			told = text
			c.conf.Log.Warn("no connection to the driver; trying again", "driver", c.conf.Driver, "error", err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return ctx.Err()
		}
		wait = min(2*wait, time.Second)
	}
}

// patience is how long a connection may be silent: four heartbeats, times slack,
// and far enough from the driver's own that others can be tried in that time.
func (c *Client) patience(slack int) time.Duration {
	usual := max(time.Second, 4*time.Duration(c.beat.Load()))
	return max(usual, min(usual*time.Duration(slack), time.Duration(c.timeout.Load())/4))
}

// connect makes one connection and stays on it.
func (c *Client) connect(ctx context.Context) (connected bool, err error) {
	if err := c.greet(ctx); err != nil {
		return false, err
	}
	creds := insecure.NewCredentials()
	if c.conf.TLS != nil {
		creds = credentials.NewTLS(c.conf.TLS)
	}
	conn, err := grpc.NewClient("passthrough:///"+c.conf.Driver, grpc.WithTransportCredentials(creds),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(math.MaxInt32), grpc.MaxCallSendMsgSize(math.MaxInt32)))
	if err != nil {
		return false, err
	}
	defer conn.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	// The driver answers each heartbeat: a connection without a word is none.
	opened := time.Now()
	slack := c.slack
	var silent atomic.Bool
	defer func() {
		switch {
		case silent.Load():
			c.slack = min(2*c.slack, 1<<10)
		case time.Since(opened) > time.Minute:
			c.slack = 1
		}
	}()
	go func() {
		tick := time.NewTicker(50 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case now := <-tick.C:
				last := time.Unix(0, max(c.heard.Load(), opened.UnixNano()))
				if now.Sub(last) > c.patience(slack) {
					silent.Store(true)
					cancel()
					return
				}
			}
		}
	}()
	s, err := controlpb.NewControlClient(conn).Connect(ctx)
	if err != nil {
		return false, err
	}
	r := c.conf.Register
	r.Again, r.Received = c.joined, c.link.has()
	if err := s.Send(&controlpb.ToDriver{What: &controlpb.ToDriver_Register{Register: r}}); err != nil {
		if errors.Is(err, io.EOF) {
			_, err = s.Recv()
		}
		return false, err
	}
	first, err := s.Recv()
	if err != nil {
		return false, err
	}
	if no := first.GetRefused(); no != nil {
		if no.Reason == controlpb.Refused_UNKNOWN {
			return false, fmt.Errorf("%w: %s", ErrForget, no.Message)
		}
		return false, &RefusedError{fmt.Sprintf("the driver at %s refuses this executor: %s", c.conf.Driver, no.Message)}
	}
	w := first.GetWelcome()
	if w == nil {
		return false, errors.New("the driver didn't answer as one does")
	}
	c.heard.Store(time.Now().UnixNano())
	c.beat.Store(w.Settings.GetHeartbeatNs())
	c.timeout.Store(w.Settings.GetTimeoutNs())
	if !c.joined {
		c.joined = true
		c.conf.Welcome(w.Settings)
	}
	return true, c.link.run(ctx, s, w.Received, cancel)
}

// greet makes sure, before gRPC hides it, that who answers speaks as we do and
// that each side trusts the other's certificate. Where that isn't so, trying again is no use.
func (c *Client) greet(ctx context.Context) error {
	if c.joined {
		return nil
	}
	d := net.Dialer{Timeout: 5 * time.Second}
	raw, err := d.DialContext(ctx, "tcp", c.conf.Driver)
	if err != nil {
		return err
	}
	defer raw.Close()
	if err := raw.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		return err
	}
	var conn net.Conn = raw
	if c.conf.TLS != nil {
		t := c.conf.TLS.Clone()
		if t.ServerName == "" {
			t.ServerName, _, _ = net.SplitHostPort(c.conf.Driver)
		}
		t.NextProtos = []string{"h2"}
		tc := tls.Client(raw, t)
		if err := tc.HandshakeContext(ctx); err != nil {
			return c.untrusted(err)
		}
		conn = tc // the driver speaks first; that it doesn't trust us comes in the place of that
	} else if _, err := conn.Write([]byte("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00")); err != nil {
		return err
	}
	head := make([]byte, 9)
	if _, err := io.ReadFull(conn, head); err != nil {
		return c.untrusted(err)
	}
	if head[3] != 4 { // SETTINGS
		return &RefusedError{fmt.Sprintf("what answers at %s is no driver", c.conf.Driver)}
	}
	return nil
}

// untrusted tells failures of trust from those that pass.
func (c *Client) untrusted(err error) error {
	text := err.Error()
	switch {
	case c.conf.TLS == nil:
		if c.speaksTLS() {
			return &RefusedError{fmt.Sprintf("the driver at %s wants TLS: neptune.tls.cert is set there, and not for this executor", c.conf.Driver)}
		}
		return err
	case strings.Contains(text, "tls: first record does not look like a TLS handshake"):
		return &RefusedError{fmt.Sprintf("the driver at %s doesn't speak TLS, and this executor has neptune.tls.cert set", c.conf.Driver)}
	case strings.Contains(text, "x509:") || strings.Contains(text, "tls: failed to verify"):
		return &RefusedError{fmt.Sprintf("the certificate of the driver at %s isn't trusted: %v", c.conf.Driver, err)}
	case strings.Contains(text, "remote error: tls:"):
		return &RefusedError{fmt.Sprintf("the driver at %s doesn't trust this executor's certificate: %v", c.conf.Driver, err)}
	}
	return err
}

// speaksTLS reports whether the driver does, whatever it thinks of us.
func (c *Client) speaksTLS() bool {
	d := tls.Dialer{NetDialer: &net.Dialer{Timeout: 5 * time.Second}, Config: &tls.Config{InsecureSkipVerify: true}} //nolint:gosec // nothing is said over it
	conn, err := d.Dial("tcp", c.conf.Driver)
	if err == nil {
		_ = conn.Close()
		return true
	}
	return strings.Contains(err.Error(), "remote error: tls:")
}
