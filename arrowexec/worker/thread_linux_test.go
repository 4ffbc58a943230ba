package worker

import (
	"slices"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"neptune/arrowexec/task"
)

// niceOf asks the kernel for a thread's nice value.
func niceOf(t *testing.T, th *thread) int {
	n, err := unix.Getpriority(unix.PRIO_PROCESS, th.tid)
	if err != nil {
		t.Fatal(err)
	}
	return 20 - n
}

// The slots' own threads have a lower priority while stream tasks come, and only then.
func TestThreadsAreLoweredBesideStreamTasks(t *testing.T) {
	usual := niceOf(t, &thread{}) // of this thread
	for name, allowed := range map[string]bool{"may be raised again": true, "may not": false} {
		t.Run(name, func(t *testing.T) {
			if allowed && privilege() == nil {
				t.Skip("there is no privilege to raise a thread's priority")
			}
			var mixed atomic.Int32
			r := newRig(t, 2, Config{plain: !allowed, Mixed: func(yes bool) {
				if yes {
					mixed.Add(1)
				} else {
					mixed.Add(-1)
				}
			}})
			nices := func() (out []int) {
				r.mu.Lock()
				defer r.mu.Unlock()
				r.Executor.mu.Lock()
				defer r.Executor.mu.Unlock()
				for _, s := range r.slots {
					if s.thread == nil {
						return nil
					}
					out = append(out, niceOf(t, s.thread))
				}
				return out
			}
			wait := func(want int) {
				t.Helper()
				for end := time.Now().Add(20 * time.Second); !slices.Equal(nices(), []int{want, want}); time.Sleep(time.Millisecond) {
					if time.Now().After(end) {
						t.Fatalf("nice %v, want %d", nices(), want)
					}
				}
			}
			wait(usual)
			first := map[int]bool{}
			r.Executor.mu.Lock()
			r.quietAfter = 20 * time.Millisecond
			for _, s := range r.slots {
				first[s.thread.tid] = true
			}
			r.Executor.mu.Unlock()

			var stop, stopStream atomic.Bool
			_, batch := r.launch(2, false, spin(&stop))
			for running := 0; running == 0; running, _, _, _ = r.Counts() {
			}
			if n := nices(); !slices.Equal(n, []int{usual, usual}) {
				t.Errorf("nice %v beside batch tasks alone", n)
			}
			if mixed.Load() != 0 {
				t.Error("mixed beside batch tasks alone")
			}
			_, stream := r.launch(1, true, spin(&stopStream))
			wait(19)
			time.Sleep(5 * r.quietAfter)
			wait(19) // it's still there
			if mixed.Load() != 1 {
				t.Error("not mixed beside a stream task")
			}
			stopStream.Store(true)
			if err := <-stream; err != nil {
				t.Fatal(err)
			}
			if allowed {
				wait(usual)
			} else { // the one with a task keeps its thread
				time.Sleep(5 * r.quietAfter)
			}
			stop.Store(true)
			if err := <-batch; err != nil {
				t.Fatal(err)
			}
			wait(usual)
			if mixed.Load() != 0 {
				t.Error("mixed after the last stream task")
			}
			for _, s := range r.slots {
				if first[s.thread.tid] != allowed {
					t.Errorf("thread anew: %t, want %t", !first[s.thread.tid], !allowed)
				}
			}
			// The new threads serve, too.
			var all []chan error
			for range 4 {
				_, done := r.launch(2, false, func(*task.Ctx) error { return nil })
				all = append(all, done)
			}
			for _, done := range all {
				if err := <-done; err != nil {
					t.Error(err)
				}
			}
		})
	}
}

// A batch task's thread lends the CPU at yield points while stream tasks come, and only then.
func TestThreadsLendTheCPUBesideStreamTasks(t *testing.T) {
	r := newRig(t, 1, Config{})
	lent := func(stream bool) (times int) {
		var stop atomic.Bool
		_, batch := r.launch(2, false, func(c *task.Ctx) error {
			th := r.slots[0].thread // the task runs on it
			before := th.lent
			for end := time.Now().Add(time.Minute); times < 3 && time.Now().Before(end) && !stop.Load(); {
				if err := c.Yield(); err != nil {
					return err
				}
				if th.lent != before {
					times++
					before = th.lent
				}
			}
			return nil
		})
		if stream {
			for running := 0; running == 0; running, _, _, _ = r.Counts() {
			}
			_, done := r.launch(1, true, func(*task.Ctx) error { return nil })
			if err := <-done; err != nil {
				t.Error(err)
			}
		} else {
			time.Sleep(20 * time.Millisecond)
			stop.Store(true)
		}
		if err := <-batch; err != nil {
			t.Error(err)
		}
		return times
	}
	if n := lent(false); n != 0 {
		t.Errorf("lent %d times beside batch tasks alone", n)
	}
	if n := lent(true); n != 3 {
		t.Errorf("lent %d times within a minute beside stream tasks", n)
	}
}

// Who keeps a lent CPU is asked less often.
func TestNextLend(t *testing.T) {
	d := lendEach
	for range 20 {
		d = nextLend(d, 3*time.Millisecond)
	}
	if d != lendMost {
		t.Errorf("%v if others keep the CPU, want %v", d, lendMost)
	}
	for range 20 {
		d = nextLend(d, time.Microsecond)
	}
	if d != lendEach {
		t.Errorf("%v if nobody wants it, want %v", d, lendEach)
	}
}
