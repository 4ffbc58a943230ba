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
			r := newRig(t, 2, Config{plain: !allowed})
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
			_, stream := r.launch(1, true, spin(&stopStream))
			wait(19)
			time.Sleep(5 * r.quietAfter)
			wait(19) // it's still there
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
