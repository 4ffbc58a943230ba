package sidecar

import (
	"sync"
	"time"

	"neptune/connect/session"
	"neptune/scheduler/cluster"
)

// slotTime adds up for how long tasks of stream and of batch jobs had slots. A
// task that waits for its victim to give way counts from its launch on.
type slotTime struct {
	mu      sync.Mutex
	since   map[int64]holding
	streams time.Duration // of tasks that have none now
	batches time.Duration
}

type holding struct {
	from  time.Time
	batch bool
}

// note takes an event of the driver.
func (s *slotTime) note(ev cluster.Event) {
	switch ev.Kind {
	case cluster.TaskLaunched, cluster.TaskResumed:
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.since == nil {
			s.since = map[int64]holding{}
		}
		if _, ok := s.since[ev.Task]; !ok {
			s.since[ev.Task] = holding{ev.Time, ev.Priority > session.StreamPriority}
		}
	case cluster.TaskSuspended, cluster.TaskBlocked, cluster.TaskEnded:
		s.mu.Lock()
		defer s.mu.Unlock()
		h, ok := s.since[ev.Task]
		if !ok {
			return
		}
		delete(s.since, ev.Task)
		if h.batch {
			s.batches += ev.Time.Sub(h.from)
		} else {
			s.streams += ev.Time.Sub(h.from)
		}
	}
}

// total is the sums as of now.
func (s *slotTime) total(now time.Time) (stream, batch time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	stream, batch = s.streams, s.batches
	for _, h := range s.since {
		if h.batch {
			batch += now.Sub(h.from)
		} else {
			stream += now.Sub(h.from)
		}
	}
	return stream, batch
}

func (s *slotTime) millis() map[string]int64 {
	a, b := s.total(time.Now())
	return map[string]int64{"stream": a.Milliseconds(), "batch": b.Milliseconds()}
}
