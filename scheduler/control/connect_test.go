package control

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"sync"
	"testing"
	"time"

	"neptune/scheduler/control/controlpb"
)

// rig is a driver whose calls go to channels.
type rig struct {
	*Server
	joined chan *Executor
	status chan int64
}

func newRig(t *testing.T) *rig {
	r := &rig{joined: make(chan *Executor, 10), status: make(chan int64, 100)}
	var err error
	r.Server, err = NewServer("127.0.0.1:0", ServerConfig{
		Version: "1", Log: slog.New(slog.DiscardHandler),
		Settings:  &controlpb.Settings{HeartbeatNs: int64(50 * time.Millisecond), TimeoutNs: int64(time.Minute)},
		Joined:    func(x *Executor) { r.joined <- x },
		Status:    func(_ *Executor, s *controlpb.Status) { r.status <- s.Task },
		Heartbeat: func(*Executor, *controlpb.Heartbeat) {},
		Draining:  func(*Executor) {},
		Lost:      func(*Executor, string) {},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r
}

// join connects an executor to the driver's address, or what stands before it, until the test ends.
func (r *rig) join(t *testing.T, address string) *Client {
	exchange, err := net.Listen("tcp", "127.0.0.1:0") // what the driver knocks at to see whether the executor lives
	if err != nil {
		t.Fatal(err)
	}
	c := NewClient(ClientConfig{
		Driver: address, Log: slog.New(slog.DiscardHandler), Welcome: func(*controlpb.Settings) {}, Handle: func(*controlpb.ToExecutor) {},
		Register: &controlpb.Register{Executor: "x", Version: "1", Slots: 1, Exchange: exchange.Addr().String()},
	})
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	wg.Go(func() {
		if err := c.Run(ctx); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
	wg.Go(func() {
		for ctx.Err() == nil {
			c.Heartbeat(&controlpb.Heartbeat{})
			time.Sleep(50 * time.Millisecond)
		}
	})
	t.Cleanup(func() { cancel(); wg.Wait(); exchange.Close() })
	return c
}

// slow is a proxy that hands everything on with a delay.
func slow(t *testing.T, to string, delay time.Duration) string {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	pass := func(from, to net.Conn) {
		type piece struct {
			due  time.Time
			data []byte
		}
		pieces := make(chan piece, 1000)
		wg.Go(func() {
			for p := range pieces {
				time.Sleep(time.Until(p.due))
				if _, err := to.Write(p.data); err != nil {
					from.Close()
				}
			}
			to.Close()
		})
		for {
			data := make([]byte, 4096)
			n, err := from.Read(data)
			if err != nil {
				close(pieces)
				return
			}
			pieces <- piece{time.Now().Add(delay), data[:n]}
		}
	}
	wg.Go(func() {
		for {
			in, err := l.Accept()
			if err != nil {
				return
			}
			out, err := net.Dial("tcp", to)
			if err != nil {
				in.Close()
				continue
			}
			wg.Go(func() { pass(in, out) })
			wg.Go(func() { pass(out, in) })
		}
	})
	t.Cleanup(func() { l.Close(); wg.Wait() })
	return l.Addr().String()
}

// A driver that answers later than a connection may usually be silent is reached all the same.
func TestSlowDriver(t *testing.T) {
	r := newRig(t)
	c := r.join(t, slow(t, r.Addr().String(), 600*time.Millisecond))
	x := <-r.joined
	for id := range int64(3) {
		c.Status(&controlpb.Status{Task: id})
		select {
		case got := <-r.status:
			if got != id {
				t.Errorf("task %d, want %d", got, id)
			}
		case <-time.After(time.Minute):
			t.Fatal("the driver hears nothing")
		}
		x.disconnect()
	}
}

// A connection that ends after another has taken its place doesn't count as the end of that.
func TestLateEndOfAConnection(t *testing.T) {
	x := &Executor{}
	var first, second bool
	over := x.connected(func() { first = true })
	x.disconnect()
	again := x.connected(func() { second = true })
	over()
	if !x.Connected() {
		t.Error("the second connection isn't there")
	}
	x.disconnect()
	if !first || !second {
		t.Errorf("broken: %t, %t", first, second)
	}
	again()
	if x.Connected() {
		t.Error("a connection is left")
	}
}
