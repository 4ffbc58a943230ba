package worker

import (
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.uber.org/goleak"

	"neptune/arrowexec/mem"
	"neptune/arrowexec/task"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

type rig struct {
	*Executor
	pool *mem.Pool
	next atomic.Int64
	mu   sync.Mutex
	seen []string
}

func newRig(t *testing.T, slots int, conf Config) *rig {
	r := &rig{pool: mem.NewPool(0)}
	conf.Slots, conf.StreamPriority, conf.BatchNice, conf.Preempt = slots, 1, 19, true
	conf.Status = func(s Status) {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.seen = append(r.seen, fmt.Sprintf("%d:%d", s.Task, s.State))
	}
	r.Executor = New(conf)
	t.Cleanup(r.Close)
	return r
}

func (r *rig) launch(priority int, suspend bool, body func(*task.Ctx) error) (int64, chan error) {
	id := r.next.Add(1)
	done := make(chan error, 1)
	a := r.pool.NewAccount("t")
	r.Launch(Launch{ID: id, Suspend: suspend, Task: task.New(task.Info{Priority: priority}, &task.Conf{}, a, body),
		Done: func(err error) { a.Close(); done <- err }})
	return id, done
}

func spin(stop *atomic.Bool) func(*task.Ctx) error {
	return func(c *task.Ctx) error {
		for !stop.Load() {
			if err := c.Yield(); err != nil {
				return err
			}
		}
		return nil
	}
}

func TestStreamTaskTakesTheSlotAndBatchGoesOn(t *testing.T) {
	r := newRig(t, 1, Config{})
	var stop atomic.Bool
	_, batch := r.launch(2, false, spin(&stop))
	_, stream := r.launch(1, true, func(*task.Ctx) error { return nil })
	if err := <-stream; err != nil {
		t.Fatal(err)
	}
	select {
	case <-batch:
		t.Fatal("the batch task ended before it was told to")
	default:
	}
	stop.Store(true)
	if err := <-batch; err != nil {
		t.Fatal(err)
	}
}

func TestWithoutSuspendItWaits(t *testing.T) {
	r := newRig(t, 1, Config{})
	var stop atomic.Bool
	_, batch := r.launch(2, false, spin(&stop))
	_, stream := r.launch(1, false, func(*task.Ctx) error { return nil })
	select {
	case <-stream:
		t.Fatal("the stream task ran while a batch task held the only slot")
	case <-time.After(20 * time.Millisecond):
	}
	stop.Store(true)
	<-batch
	<-stream
}

func TestSlotsAreNeverShared(t *testing.T) {
	const slots = 2
	r := newRig(t, slots, Config{})
	var holding, most atomic.Int64
	body := func(c *task.Ctx) error {
		enter := func() {
			n := holding.Add(1)
			for m := most.Load(); n > m && !most.CompareAndSwap(m, n); m = most.Load() {
			}
		}
		for range 200 {
			enter()
			for x := range 2000 {
				_ = x
			}
			holding.Add(-1)
			if err := c.Yield(); err != nil {
				return err
			}
			if c.Info.Priority == 1 {
				ready := make(chan struct{})
				go close(ready)
				if err := c.Await(ready); err != nil {
					return err
				}
			}
		}
		return nil
	}
	var all []chan error
	for i := range 40 {
		_, d := r.launch(1+i%3, i%2 == 0, body)
		all = append(all, d)
	}
	for _, d := range all {
		if err := <-d; err != nil {
			t.Fatal(err)
		}
	}
	if most.Load() > slots {
		t.Errorf("%d tasks ran at once on %d slots", most.Load(), slots)
	}
	if run, wait, block, queued := r.Counts(); run+wait+block+queued != 0 {
		t.Errorf("left over: %d %d %d %d", run, wait, block, queued)
	}
}

func TestBlockedTaskGivesItsSlotBack(t *testing.T) {
	r := newRig(t, 1, Config{})
	ready := make(chan struct{})
	_, waiting := r.launch(2, false, func(c *task.Ctx) error { return c.Await(ready) })
	_, other := r.launch(2, false, func(*task.Ctx) error { return nil })
	if err := <-other; err != nil {
		t.Fatal(err)
	}
	close(ready)
	if err := <-waiting; err != nil {
		t.Fatal(err)
	}
}

func TestKillInEveryState(t *testing.T) {
	r := newRig(t, 1, Config{})
	var stop atomic.Bool
	running, d1 := r.launch(2, false, spin(&stop))
	queued, d2 := r.launch(2, false, spin(&stop))
	r.Kill(queued)
	r.Kill(running)
	for _, d := range []chan error{d1, d2} {
		if err := <-d; !errors.Is(err, task.ErrKilled) {
			t.Errorf("got %v", err)
		}
	}
	blocked, d3 := r.launch(2, false, func(c *task.Ctx) error {
		return c.Await(c.Stop.Done())
	})
	r.Kill(blocked)
	if err := <-d3; !errors.Is(err, task.ErrKilled) {
		t.Errorf("got %v", err)
	}
	var hold atomic.Bool
	suspended, d4 := r.launch(2, false, spin(&stop))
	_, d5 := r.launch(1, true, spin(&hold))
	for {
		if _, waiting, _, _ := r.Counts(); waiting == 1 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	r.Kill(suspended)
	hold.Store(true)
	<-d5
	if err := <-d4; !errors.Is(err, task.ErrKilled) {
		t.Errorf("got %v", err)
	}
}

func TestProtectedTaskIsNoVictim(t *testing.T) {
	r := newRig(t, 1, Config{MaxSuspensions: 2, ProtectedRun: time.Hour})
	var stop atomic.Bool
	_, batch := r.launch(2, false, spin(&stop))
	for range 3 {
		_, d := r.launch(1, true, func(*task.Ctx) error { return nil })
		<-d
	}
	_, d := r.launch(1, true, func(*task.Ctx) error { return nil })
	select {
	case <-d:
		t.Fatal("a protected task was suspended")
	case <-time.After(20 * time.Millisecond):
	}
	stop.Store(true)
	<-batch
	<-d
}

// A task protected while it is suspended is no victim once it goes on; who is queued for it gets the slot when that is over.
func TestProtectFromResumption(t *testing.T) {
	r := newRig(t, 1, Config{})
	var stop, hold atomic.Bool
	id, batch := r.launch(2, false, spin(&stop))
	_, first := r.launch(1, true, spin(&hold))
	for {
		if _, waiting, _, _ := r.Counts(); waiting == 1 {
			break
		}
		time.Sleep(time.Millisecond)
	}
	r.Protect(id, 50*time.Millisecond)
	began := time.Now()
	hold.Store(true)
	<-first
	_, second := r.launch(1, true, func(*task.Ctx) error { return nil })
	if err := <-second; err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took < 50*time.Millisecond {
		t.Errorf("the protected run was cut short after %v", took)
	}
	stop.Store(true)
	<-batch
}

// Between two stream tasks that follow each other the batch task doesn't go on, and afterwards it does.
func TestSlotIsHeldForTheNextStreamTask(t *testing.T) {
	r := newRig(t, 1, Config{})
	r.Executor.mu.Lock()
	r.holdFor = 200 * time.Millisecond
	r.Executor.mu.Unlock()
	var stop atomic.Bool
	_, batch := r.launch(2, false, spin(&stop))
	second := make(chan error, 1)
	a := r.pool.NewAccount("t")
	defer a.Close()
	r.Launch(Launch{ID: 100, Suspend: true, Task: task.New(task.Info{Priority: 1}, &task.Conf{}, a, func(*task.Ctx) error { return nil }),
		Done: func(error) {
			_, queued := r.launch(2, false, func(*task.Ctx) error { return nil }) // another batch task has to wait, too
			go func() { second <- <-queued }()
			_, done := r.launch(1, true, func(*task.Ctx) error { return nil })
			go func() {
				if err := <-done; err != nil {
					t.Error(err)
				}
				stop.Store(true)
			}()
		}})
	for _, done := range []chan error{batch, second} {
		if err := <-done; err != nil {
			t.Fatal(err)
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	// suspended once, and not resumed before both stream tasks (100 and 3) had ended
	want := []string{fmt.Sprintf("1:%d", Suspended), fmt.Sprintf("100:%d", Finished), fmt.Sprintf("3:%d", Finished), fmt.Sprintf("1:%d", Running), fmt.Sprintf("1:%d", Finished)}
	if len(r.seen) < len(want) || !slices.Equal(r.seen[:len(want)], want) {
		t.Errorf("%v, want %v", r.seen, want)
	}
}
