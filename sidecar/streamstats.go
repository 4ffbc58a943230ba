package sidecar

import (
	"maps"
	"slices"
	"sync"
	"sync/atomic"

	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/internal/plan"
	"neptune/scheduler/stream"
)

// streamStats gathers what the tasks of a micro-batch note on the side.
type streamStats struct {
	out   atomic.Int64
	away  atomic.Int64 // suspensions of the batch's tasks
	mu    sync.Mutex
	times map[int]*stream.EventTime
	state map[int]*stream.StateProgress
	read  map[plan.Source]*atomic.Int64 // rows of the live relations; the map doesn't change
}

func newStreamStats(batch plan.Node) *streamStats {
	s := &streamStats{times: map[int]*stream.EventTime{}, state: map[int]*stream.StateProgress{}, read: map[plan.Source]*atomic.Int64{}}
	plan.WalkNodes(batch, func(n plan.Node) bool {
		if r, ok := n.(*plan.Relation); ok && r.Live {
			s.read[r.Handle] = &atomic.Int64{}
		}
		return true
	})
	return s
}

func (s *streamStats) inputs() map[plan.Source]int64 {
	out := map[plan.Source]int64{}
	for k, v := range s.read {
		out[k] = v.Load()
	}
	return out
}

// note takes what a task noted; scans are those of its stage.
func (s *streamStats) note(scans []*physical.Scan, n *taskNotes) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.out.Add(n.Rows)
	for i, rows := range n.Scanned {
		if read := s.read[scans[i].Source]; read != nil {
			read.Add(rows)
		}
	}
	for _, x := range n.EventTimes {
		s.eventTime(x.Node, x.Times)
	}
	for _, x := range n.State {
		s.stateOf(x.Operator, x.Stats)
	}
}

func (s *streamStats) eventTime(node int, t op.EventTimes) {
	e := s.times[node]
	if e == nil {
		e = &stream.EventTime{Operator: node, Max: t.Max / 1000, Min: t.Min / 1000, DelayMs: t.Delay / 1000}
		s.times[node] = e
	}
	e.Max, e.Min = max(e.Max, t.Max/1000), min(e.Min, t.Min/1000)
	n := e.Count + t.Count
	e.Avg = (e.Avg*float64(e.Count) + t.Mean/1000*float64(t.Count)) / float64(max(1, n))
	e.Count = n
}

func (s *streamStats) stateOf(operator int, t op.StateStats) {
	p := s.state[operator]
	if p == nil {
		p = &stream.StateProgress{OperatorName: t.Name, CustomMetrics: map[string]int64{}}
		s.state[operator] = p
	}
	p.NumRowsTotal += t.Total
	p.NumRowsUpdated += t.Updated
	p.NumRowsRemoved += t.Removed
	p.DroppedByWatermark += t.Late
	p.MemoryUsedBytes += t.Bytes
	p.AllUpdatesTimeMs += t.Update.Milliseconds()
	p.AllRemovalsTimeMs += t.Evict.Milliseconds()
	p.CommitTimeMs += t.Commit.Milliseconds()
	p.NumShufflePartition++
	p.NumStateStores++
}

// stateOperators are the reports of the stateful operators, in the plan's order.
func (s *streamStats) stateOperators() (out []stream.StateProgress) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(s.state)) {
		out = append(out, *s.state[k])
	}
	return out
}

func (s *streamStats) eventTimes() (out []stream.EventTime) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, k := range slices.Sorted(maps.Keys(s.times)) {
		out = append(out, *s.times[k])
	}
	return out
}
