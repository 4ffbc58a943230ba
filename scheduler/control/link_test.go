package control

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"neptune/scheduler/control/controlpb"
)

// pipe is a connection that breaks after some messages, and may lose those on their way.
type pipe struct {
	mu     sync.Mutex
	left   int
	broken chan struct{}
	once   sync.Once
	up     chan *controlpb.ToDriver
	down   chan *controlpb.ToExecutor
}

func (p *pipe) cut() { p.once.Do(func() { close(p.broken) }) }

var errCut = errors.New("cut")

// pass reports whether one more message may pass.
func (p *pipe) pass() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.left--; p.left < 0 {
		p.cut()
		return false
	}
	return true
}

type end[Out, In any] struct {
	p   *pipe
	out chan Out
	in  chan In
}

func (e *end[Out, In]) Send(m Out) error {
	if !e.p.pass() {
		return errCut
	}
	select {
	case e.out <- m:
		return nil
	case <-e.p.broken:
		return errCut
	}
}

func (e *end[Out, In]) Recv() (m In, err error) {
	select {
	case <-e.p.broken:
		return m, errCut
	default:
	}
	select {
	case m = <-e.in:
		return m, nil
	case <-e.p.broken:
		return m, errCut
	}
}

// TestNothingIsLostOrTwice sends in both directions over connections that break at random.
func TestNothingIsLostOrTwice(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	const n = 2000
	var mu sync.Mutex
	var launched, told []int64
	done := make(chan struct{})
	over := func() {
		if len(launched) == n && len(told) == n {
			close(done)
		}
	}
	driver := newLink(stampToExecutor, func() *controlpb.ToExecutor { return &controlpb.ToExecutor{} }, func(m *controlpb.ToDriver) {
		if s := m.GetStatus(); s != nil {
			mu.Lock()
			told = append(told, s.Task)
			over()
			mu.Unlock()
		}
	})
	executor := newLink(stampToDriver, func() *controlpb.ToDriver { return &controlpb.ToDriver{} }, func(m *controlpb.ToExecutor) {
		if k := m.GetKill(); k != nil {
			mu.Lock()
			launched = append(launched, k.Task)
			over()
			mu.Unlock()
		}
	})
	go func() {
		for i := range int64(n) {
			driver.send(&controlpb.ToExecutor{What: &controlpb.ToExecutor_Kill{Kill: &controlpb.Kill{Task: i}}})
			executor.send(&controlpb.ToDriver{What: &controlpb.ToDriver_Status{Status: &controlpb.Status{Task: i}}})
		}
	}()
	connections := 0
	for open := true; open; connections++ {
		p := &pipe{left: 1 + rnd.IntN(60), broken: make(chan struct{}), up: make(chan *controlpb.ToDriver, 8), down: make(chan *controlpb.ToExecutor, 8)}
		// What each side has is said at the beginning, as Register and Welcome do.
		has, theirs := driver.has(), executor.has()
		var wg sync.WaitGroup
		wg.Go(func() {
			_ = driver.run(context.Background(), &end[*controlpb.ToExecutor, *controlpb.ToDriver]{p, p.down, p.up}, theirs, p.cut)
		})
		wg.Go(func() {
			_ = executor.run(context.Background(), &end[*controlpb.ToDriver, *controlpb.ToExecutor]{p, p.up, p.down}, has, p.cut)
		})
		select {
		case <-p.broken:
		case <-done:
			// The last acknowledgements come too.
			ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
			p.mu.Lock()
			p.left = 1 << 20
			p.mu.Unlock()
			select {
			case <-p.broken:
			default:
				if errors.Join(driver.flushed(ctx), executor.flushed(ctx)) == nil {
					open = false
				}
			}
			cancel()
			p.cut()
		}
		wg.Wait()
	}
	want := make([]int64, n)
	for i := range want {
		want[i] = int64(i)
	}
	if !slices.Equal(launched, want) || !slices.Equal(told, want) {
		t.Errorf("%d and %d messages came, of %d each, in order: %t, %t", len(launched), len(told), n, slices.IsSorted(launched), slices.IsSorted(told))
	}
	if connections < 20 {
		t.Errorf("only %d connections", connections)
	}
	if len(driver.kept)+len(executor.kept) != 0 {
		t.Errorf("%d and %d messages are still kept", len(driver.kept), len(executor.kept))
	}
}
