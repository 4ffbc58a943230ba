package stagegraph

import (
	"fmt"
	"strings"
	"testing"

	"neptune/arrowexec/physical"
	"neptune/internal/plan"
)

func hash(id, n int, in physical.Node) *physical.Exchange {
	return &physical.Exchange{ID: id, Kind: physical.Hash, N: n, Input: in}
}

// given makes Sizes of a graph from what each exchange's writers wrote.
func given(g *Graph, list map[*physical.Exchange][][]int64) Sizes {
	return func(stage int) [][]int64 { return list[g.Stages[stage].Output] }
}

var settings = Adaptive{Coalesce: true, Advisory: 100, MinPartition: 10, MinTasks: 1, Skew: true, SkewThreshold: 150, SkewFactor: 2, Broadcast: -1}

// reads are the pieces that a stage's tasks read, by exchange.
func reads(n physical.Node) string {
	if r, ok := n.(*physical.Read); ok {
		s := fmt.Sprintf("%d:", r.Input.(*physical.Exchange).ID)
		if r.Whole {
			s += " whole"
		}
		for _, p := range r.Pieces {
			s += fmt.Sprintf(" %d-%d", p.From, p.To)
			if p.EndWriter > 0 {
				s += fmt.Sprintf("(%d-%d)", p.Writer, p.EndWriter)
			}
		}
		return s + "\n"
	}
	if x, ok := n.(*physical.Exchange); ok {
		return fmt.Sprintf("%d: as planned\n", x.ID)
	}
	s := ""
	for _, k := range n.Children() {
		s += reads(k)
	}
	return s
}

func TestCoalesce(t *testing.T) {
	scan := &physical.Scan{}
	x, y := hash(1, 4, scan), hash(2, 4, scan)
	ranged := &physical.Exchange{ID: 3, Kind: physical.RangeBy, N: 4, Input: scan}
	by := &physical.Exchange{ID: 4, Kind: physical.Hash, N: 4, UserN: true, Input: scan}
	sizes := map[*physical.Exchange][][]int64{x: {{10, 20, 30, 40}, {0, 0, 60, 10}}, y: {{1, 1, 1, 1}}, ranged: {{120}, {80}}, by: {{1, 1, 1, 1}}}
	join := func(l, r physical.Node) physical.Node { return &physical.HashJoin{Left: l, Right: r} }
	final := func(in physical.Node) physical.Node {
		return &physical.HashAggregate{Mode: physical.Final, Input: in}
	}
	for _, c := range []struct {
		name string
		root physical.Node
		set  func(*Adaptive)
		want string
	}{
		{"one input", final(x), nil, "1: 0-2 2-3 3-4\n"},
		{"many tasks", final(x), func(a *Adaptive) { a.MinTasks = 3 }, "1: 0-2 2-3 3-4\n"},
		{"larger target", final(x), func(a *Adaptive) { a.Advisory = 1000 }, "1: 0-4\n"},
		{"off", final(x), func(a *Adaptive) { a.Coalesce = false }, "1: as planned\n"},
		{"two inputs go together", join(x, y), func(a *Adaptive) { a.Advisory = 124 }, "1: 0-3 3-4\n2: 0-3 3-4\n"},
		{"an input read twice counts once", join(x, x), func(a *Adaptive) { a.Advisory = 170 }, "1: 0-4\n1: 0-4\n"},
		{"ranges", &physical.Sort{Input: ranged}, nil, "3: 0-2 2-4\n"},
		{"the user's number holds", by, nil, "4: as planned\n"},
		{"and with it that of what is joined to it", join(by, y), nil, "4: as planned\n2: as planned\n"},
		{"each input of a union by itself", &physical.Filter{Input: &physical.Union{Inputs: []physical.Node{final(x), by, y, scan}}}, nil, "1: 0-2 2-3 3-4\n4: as planned\n2: 0-4\n"},
		{"below coalesce", &physical.Coalesce{N: 3, Input: y}, nil, "2: 0-4\n"},
		{"sizes aren't known", hash(9, 4, scan), nil, "9: as planned\n"},
		{"state stays", &physical.StateAggregate{Input: y}, nil, "2: as planned\n"},
		{"a broadcast beside it", join(x, &physical.Exchange{ID: 7, Kind: physical.Broadcast, Input: scan}), func(a *Adaptive) { a.Advisory = 1000 }, "1: 0-4\n7: as planned\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := settings
			if c.set != nil {
				c.set(&a)
			}
			g := Cut(c.root)
			last := len(g.Stages) - 1
			note := a.Plan(g, last, given(g, sizes))
			if got := reads(g.Stages[last].Root); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
			if (note != "") != strings.Contains(c.want, "-") {
				t.Errorf("note %q", note)
			}
		})
	}
}

func TestSkewedJoin(t *testing.T) {
	scan := &physical.Scan{}
	x, y := hash(1, 4, scan), hash(2, 4, scan)
	sizes := map[*physical.Exchange][][]int64{x: {{10, 90, 10, 20}, {10, 80, 10, 10}, {0, 90, 0, 0}}, y: {{5, 5, 5, 5}}}
	plan1 := func(kind plan.JoinType) physical.Node { return &physical.HashJoin{Kind: kind, Left: x, Right: y} }
	split := "1: 0-1 1-2(0-1) 1-2(1-2) 1-2(2-3) 2-4\n2: 0-1 1-2 1-2 1-2 2-4\n"
	whole := "1: 0-1 1-2 2-4\n2: 0-1 1-2 2-4\n"
	for _, c := range []struct {
		name string
		root physical.Node
		want string
	}{
		{"inner", plan1(plan.Inner), split},
		{"left rows may be divided", plan1(plan.LeftOuter), split},
		{"left rows may not", plan1(plan.RightOuter), whole},
		{"nor here", plan1(plan.FullOuter), whole},
		{"below what is done to each row", &physical.Project{Input: &physical.HashAggregate{Mode: physical.Partial, Input: plan1(plan.LeftSemi)}}, split},
		{"below what wants equal keys together", &physical.HashAggregate{Mode: physical.Complete, Input: plan1(plan.Inner)}, whole},
		{"below a window", &physical.Window{Input: plan1(plan.Inner)}, whole},
		{"one of three inputs", &physical.HashJoin{Left: plan1(plan.Inner), Right: y}, "1: 0-1 1-2 2-4\n2: 0-1 1-2 2-4\n2: 0-1 1-2 2-4\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			g := Cut(c.root)
			last := len(g.Stages) - 1
			settings.Plan(g, last, given(g, sizes))
			if got := reads(g.Stages[last].Root); got != c.want {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
		})
	}
}

func TestBroadcastLate(t *testing.T) {
	scan, facts := &physical.Scan{}, hash(9, 4, &physical.Scan{})
	small := hash(1, 4, scan)
	large := hash(2, 4, &physical.Filter{Input: facts})
	join := func(kind plan.JoinType, first bool) *physical.HashJoin {
		return &physical.HashJoin{Kind: kind, Left: large, Right: small, BuildRight: true, BuildFirst: first}
	}
	sizes := map[*physical.Exchange][][]int64{small: {{20, 20, 20, 20}}, facts: {{20, 20, 20, 20}, {20, 20, 20, 20}}}
	over := func(n physical.Node) physical.Node {
		return &physical.HashAggregate{Mode: physical.Partial, Input: n}
	}
	for _, c := range []struct {
		name  string
		root  physical.Node
		limit int64
		want  string // what the last stage reads; "": the exchange stays
	}{
		{"small enough", over(join(plan.Inner, true)), 80, "9: as planned\n1: whole\n"},
		{"too large", over(join(plan.Inner, true)), 79, ""},
		{"not asked for", over(join(plan.Inner, false)), 80, ""},
		{"equal keys are wanted together", &physical.HashAggregate{Mode: physical.Complete, Input: join(plan.Inner, true)}, 80, ""},
		{"read twice", over(&physical.Union{Inputs: []physical.Node{join(plan.Inner, true), large}}), 80, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			a := settings
			a.Broadcast = c.limit
			g := Cut(c.root)
			at := func(x *physical.Exchange) int {
				for _, s := range g.Stages {
					if s.Output == x {
						return s.ID
					}
				}
				return -1
			}
			id, last := at(large), len(g.Stages)-1
			if first := fmt.Sprint(g.Stages[id].Waits); first != fmt.Sprint([]int{at(small)}) && strings.Contains(c.name, "small") {
				t.Errorf("waits for %s", first)
			}
			a.Plan(g, id, given(g, sizes))
			if c.want == "" {
				if g.Stages[id].TakenBy != nil {
					t.Error("was taken over")
				}
				return
			}
			s := g.Stages[last]
			if got := reads(s.Root); got != c.want || g.Stages[id].TakenBy != s {
				t.Errorf("got\n%swant\n%s", got, c.want)
			}
			if got := fmt.Sprint(s.Parents); got != fmt.Sprint([]int{at(small), at(facts)}) {
				t.Errorf("reads stages %s", got)
			}
			a.Coalesce = true
			if a.Plan(g, last, given(g, sizes)); reads(s.Root) == reads(g.Stages[last].Root) {
				t.Error("what it reads now isn't coalesced")
			}
		})
	}
}
