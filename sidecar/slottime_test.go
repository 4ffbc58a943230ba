package sidecar

import (
	"testing"
	"time"

	"neptune/scheduler/cluster"
)

func TestSlotTime(t *testing.T) {
	var s slotTime
	at := time.Unix(1000, 0)
	for _, ev := range []struct {
		kind     cluster.EventKind
		task     int64
		priority int
		after    time.Duration
	}{
		{cluster.TaskLaunched, 1, 2, 0}, {cluster.TaskSuspended, 1, 2, 3}, {cluster.TaskLaunched, 2, 1, 3}, {cluster.TaskEnded, 2, 1, 5},
		{cluster.TaskResumed, 1, 2, 5}, {cluster.TaskBlocked, 1, 2, 6}, {cluster.TaskEnded, 1, 2, 8}, {cluster.TaskLaunched, 3, 1, 8},
	} {
		s.note(cluster.Event{Kind: ev.kind, Task: ev.task, Priority: ev.priority, Time: at.Add(ev.after)})
	}
	if stream, batch := s.total(at.Add(18)); stream != 12 || batch != 4 {
		t.Errorf("stream %d, batch %d, want 12 and 4", stream, batch)
	}
}
