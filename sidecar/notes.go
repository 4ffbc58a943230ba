package sidecar

import (
	"cmp"
	"slices"
	"sync"

	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/scheduler/stagegraph"
)

// taskNotes is what a task has to say beside its rows. It goes to the driver
// when the task has finished, so that what failed attempts noted doesn't count.
type taskNotes struct {
	Observed   []observedNote
	EventTimes []timesNote
	State      []stateNote
	Scanned    []int64 // rows that each scan of the stage gave, in the order of scansOf; nil: not counted
	Rows       int64   // of a result task
}

type (
	observedNote struct {
		ID     string
		States []*vec.Batch
	}
	timesNote struct {
		Node  int
		Times op.EventTimes
	}
	stateNote struct {
		Operator int
		Stats    op.StateStats
	}
)

// take has the operators of a task note here.
func (n *taskNotes) take(d *op.Deps, root physical.Node, count bool) {
	d.Observed = func(id string, states *vec.Batch) {
		n.Observed = append(n.Observed, observedNote{id, []*vec.Batch{states}})
	}
	d.EventTime = func(node int, t op.EventTimes) { n.EventTimes = append(n.EventTimes, timesNote{node, t}) }
	d.State = func(operator int, s op.StateStats) { n.State = append(n.State, stateNote{operator, s}) }
	if !count {
		return
	}
	scans := scansOf(root)
	n.Scanned = make([]int64, len(scans))
	open := d.Scan
	d.Scan = func(s *physical.Scan, partition, partitions int) (op.Operator, error) {
		o, err := open(s, partition, partitions)
		if i := slices.Index(scans, s); i >= 0 && err == nil {
			o = &countedScan{o, &n.Scanned[i]}
		}
		return o, err
	}
}

// countedScan counts the rows that a scan reads, those that its filters drop included.
type countedScan struct {
	op.Operator
	rows *int64
}

func (s *countedScan) Next(c *task.Ctx) (*vec.Batch, error) {
	before := c.Stats.RowsIn.Load()
	b, err := s.Operator.Next(c)
	*s.rows += c.Stats.RowsIn.Load() - before
	return b, err
}

// scansOf lists the scans of a stage, in an order that is the same in all processes.
func scansOf(root physical.Node) (out []*physical.Scan) {
	var walk func(n physical.Node)
	walk = func(n physical.Node) {
		switch n := n.(type) {
		case *physical.Exchange:
			return
		case *physical.Scan:
			if !slices.Contains(out, n) {
				out = append(out, n)
			}
		}
		for _, k := range n.Children() {
			walk(k)
		}
	}
	walk(root)
	return out
}

// notes gathers those of a job's tasks.
type notes struct {
	mu  sync.Mutex
	all map[[2]int]*taskNotes // by stage and partition
}

// add takes a task's in, and forgets what an earlier attempt noted.
func (n *notes) add(stage, index int, t *taskNotes) {
	n.mu.Lock()
	defer n.mu.Unlock()
	if n.all == nil {
		n.all = map[[2]int]*taskNotes{}
	}
	n.all[[2]int{stage, index}] = t
}

// each visits all notes in order.
func (n *notes) each(f func(stage, index int, t *taskNotes)) {
	n.mu.Lock()
	defer n.mu.Unlock()
	keys := make([][2]int, 0, len(n.all))
	for k := range n.all {
		keys = append(keys, k)
	}
	slices.SortFunc(keys, func(a, b [2]int) int { return cmp.Or(cmp.Compare(a[0], b[0]), cmp.Compare(a[1], b[1])) })
	for _, k := range keys {
		f(k[0], k[1], n.all[k])
	}
}

// apply tells what a job's tasks noted to those who want to know.
func (n *notes) apply(g *stagegraph.Graph, seen *observations, stats *streamStats) {
	n.each(func(stage, index int, t *taskNotes) {
		for _, o := range t.Observed {
			seen.note(o.ID, index, o.States)
		}
		if stats != nil {
			stats.note(scansOf(g.Stages[stage].Root), t)
		}
	})
}
