package sidecar

import (
	"sync"
	"sync/atomic"

	"neptune/arrowexec/op"
	"neptune/scheduler/stream"
)

// streamStats gathers what the tasks of a micro-batch note on the side.
type streamStats struct {
	out   atomic.Int64
	mu    sync.Mutex
	times map[int]*stream.EventTime
}

func newStreamStats() *streamStats { return &streamStats{times: map[int]*stream.EventTime{}} }

func (s *streamStats) deps(d *op.Deps) {
	d.EventTime = func(node int, t op.EventTimes) {
		s.mu.Lock()
		defer s.mu.Unlock()
		e := s.times[node]
		if e == nil {
			e = &stream.EventTime{Max: t.Max / 1000, Min: t.Min / 1000, DelayMs: t.Delay / 1000}
			s.times[node] = e
		}
		e.Max, e.Min = max(e.Max, t.Max/1000), min(e.Min, t.Min/1000)
		n := e.Count + t.Count
		e.Avg = (e.Avg*float64(e.Count) + t.Mean/1000*float64(t.Count)) / float64(max(1, n))
		e.Count = n
	}
}

func (s *streamStats) eventTimes() (out []stream.EventTime) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := range len(s.times) {
		if t := s.times[i]; t != nil {
			out = append(out, *t)
		}
	}
	return out
}
