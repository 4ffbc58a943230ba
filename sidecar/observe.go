package sidecar

import (
	"sync"

	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/connect/server"
)

// observations gather the metrics of a job's Observe nodes.
type observations struct {
	mu    sync.Mutex
	nodes []*physical.Observe // one a name, in the plan's order
	// states are by name and partition: what a task that ran again noted replaces what it noted before,
	// and a node that several branches of the plan read counts once.
	states map[string]map[int]*vec.Batch
}

func newObservations(root physical.Node) *observations {
	o := &observations{states: map[string]map[int]*vec.Batch{}}
	seen := map[physical.Node]bool{}
	var walk func(n physical.Node)
	walk = func(n physical.Node) {
		if seen[n] {
			return
		}
		seen[n] = true
		if x, ok := n.(*physical.Observe); ok && o.states[x.ID] == nil {
			o.nodes = append(o.nodes, x)
			o.states[x.ID] = map[int]*vec.Batch{}
		}
		for _, k := range n.Children() {
			walk(k)
		}
	}
	walk(root)
	return o
}

// note takes the states of a task.
func (o *observations) note(id string, partition int, states []*vec.Batch) {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, s := range states {
		o.states[id][partition] = s
	}
}

// report gives each node's metrics to send.
func (o *observations) report(conf *task.Conf, send func(server.Observed) error) error {
	o.mu.Lock()
	defer o.mu.Unlock()
	for _, n := range o.nodes {
		var states []*vec.Batch
		for _, s := range o.states[n.ID] {
			states = append(states, s)
		}
		row, err := op.FinishObserve(n, states, op.NewEnv(conf, 0))
		if err != nil {
			return err
		}
		out := server.Observed{Name: n.ID, PlanID: n.PlanID}
		for i, c := range n.Out {
			out.Keys, out.Types = append(out.Keys, c.Name), append(out.Types, c.Type)
			out.Nulls = append(out.Nulls, c.Null)
			out.Values = append(out.Values, row.Cols[i].Value(0))
		}
		if err := send(out); err != nil {
			return err
		}
	}
	return nil
}
