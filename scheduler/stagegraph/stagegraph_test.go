package stagegraph

import (
	"fmt"
	"testing"

	"neptune/arrowexec/physical"
)

type fixed struct{}

func (fixed) ScanTasks(*physical.Scan) int         { return 5 }
func (fixed) LocalTasks(*physical.Local) int       { return 1 }
func (fixed) ExchangeTasks(*physical.Exchange) int { return 3 }

func TestSharedExchangeIsOneStage(t *testing.T) {
	x := &physical.Exchange{Kind: physical.Hash, Input: &physical.Scan{}}
	join := &physical.HashJoin{Left: x, Right: &physical.Exchange{Kind: physical.Broadcast, Input: &physical.Filter{Input: x}}}
	g := Cut(&physical.Exchange{Kind: physical.Single, Input: join})
	got := ""
	for _, s := range g.Stages {
		got += fmt.Sprintf("%d %s %v; ", s.ID, s.Root.Name(), s.Parents)
	}
	want := "0 Scan []; 1 Filter [0]; 2 HashJoin [0 1]; 3 Exchange [2]; "
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	if g.Stages[3].Output != nil || g.Stages[0].Output != x {
		t.Error("outputs are wrong")
	}
}

func TestTasks(t *testing.T) {
	scan, hash := &physical.Scan{}, &physical.Exchange{Kind: physical.Hash, N: 7}
	broadcast := &physical.Exchange{Kind: physical.Broadcast, Input: scan}
	for i, c := range []struct {
		n    physical.Node
		want int
	}{
		{scan, 5}, {hash, 7}, {&physical.Exchange{Kind: physical.Hash}, 3}, {&physical.Exchange{Kind: physical.Single, N: 9}, 1},
		{&physical.HashJoin{Left: hash, Right: broadcast}, 7}, {&physical.NestedLoopJoin{Left: scan, Right: broadcast}, 5},
		{&physical.Union{Inputs: []physical.Node{scan, hash, &physical.Local{}}}, 13}, {&physical.Coalesce{N: 2, Input: scan}, 2},
		{&physical.Coalesce{N: 8, Input: scan}, 5}, {&physical.Range{Partitions: 4}, 4},
	} {
		if got := Tasks(c.n, fixed{}); got != c.want {
			t.Errorf("%d: %d tasks, want %d", i, got, c.want)
		}
	}
}
