// Package stagegraph cuts a physical plan at its exchanges into stages. It is
// pure: a plan in, a graph out.
package stagegraph

import (
	"slices"

	"neptune/arrowexec/physical"
)

// Stage is a part of the plan that runs without moving rows between tasks.
// Its leaves are sources and Exchange nodes, which stand for reading what
// another stage wrote.
type Stage struct {
	ID      int
	Root    physical.Node
	Output  *physical.Exchange // where the rows go; nil: to the client
	Parents []int              // stages whose output this one reads, each once
	// Waits are earlier stages that are to end before this one begins, though it
	// doesn't read them: their sizes decide how it is run.
	Waits []int
	// TakenBy is the stage that does this one's work too; nil: none. This one then has no tasks.
	TakenBy *Stage
}

// Graph is the stages of a plan in an order in which parents come first. The
// last one is the result stage.
type Graph struct{ Stages []*Stage }

// Cut makes the graph. An Exchange that is reached twice (the same pointer)
// becomes one stage that both readers share.
func Cut(root physical.Node) *Graph {
	c := &cutter{made: map[*physical.Exchange]int{}}
	c.stage(root, nil)
	return &c.graph
}

type cutter struct {
	graph Graph
	made  map[*physical.Exchange]int
}

func (c *cutter) stage(root physical.Node, out *physical.Exchange) int {
	s := &Stage{Root: root, Output: out}
	seen := map[int]bool{}
	c.parents(root, func(id int) {
		if !seen[id] {
			seen[id] = true
			s.Parents = append(s.Parents, id)
		}
	})
	s.ID = len(c.graph.Stages)
	c.graph.Stages = append(c.graph.Stages, s)
	return s.ID
}

func (c *cutter) parents(n physical.Node, found func(int)) {
	if x, ok := n.(*physical.Exchange); ok {
		id, ok := c.made[x]
		if !ok {
			id = c.stage(x.Input, x)
			c.made[x] = id
		}
		found(id)
		return
	}
	kids := n.Children()
	j, _ := n.(*physical.HashJoin)
	if j != nil && j.BuildFirst && j.BuildRight {
		kids = []physical.Node{kids[1], kids[0]}
	}
	for _, k := range kids {
		c.parents(k, found)
	}
	if j == nil || !j.BuildFirst {
		return
	}
	first, ok1 := kids[0].(*physical.Exchange)
	then, ok2 := kids[1].(*physical.Exchange)
	if ok1 && ok2 && c.made[first] < c.made[then] {
		s := c.graph.Stages[c.made[then]]
		if !slices.Contains(s.Waits, c.made[first]) && !slices.Contains(s.Parents, c.made[first]) {
			s.Waits = append(s.Waits, c.made[first])
		}
	}
}
