package sidecar

import (
	"io"
	"sync"

	"neptune/arrowexec/op"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/physical/wire"
	"neptune/arrowexec/shuffle"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/scheduler/cluster"
	"neptune/scheduler/policy"
	"neptune/scheduler/stagegraph"
)

// embedded is the name of the executor in the driver's own process.
const embedded policy.ExecutorID = "driver"

// largeStage is how many bytes a stage may have that goes to other processes.
// Above it are those with many rows of the plan's own, which stay where they are.
const largeStage = 1 << 20

// slots is how many tasks can run at once on the executors that take any.
func (e *Engine) slots() int {
	if e.remote == nil {
		return e.conf.Slots
	}
	n := 0
	for _, x := range e.driver.Executors() {
		if !x.Reserved {
			n += x.Slots
		}
	}
	if n == 0 {
		return e.conf.Slots // nobody has joined yet
	}
	return n
}

// spread prepares a plan whose tasks may run in other processes: its rows, if
// anybody wants them, come to this process over an exchange of its own.
func (e *Engine) spread(root physical.Node, p *payload) physical.Node {
	if e.remote == nil {
		return root
	}
	p.stages = &wireStages{made: map[*stagegraph.Stage]*wireStage{}}
	if p.consume == nil {
		return root
	}
	x := &physical.Exchange{ID: 1 + lastExchange(root), Kind: physical.Single, N: 1, Input: root}
	p.gathers = &gathers{exchange: x}
	p.stages.gather = x
	// It holds few rows and goes on where it was: there is nothing to gain from starting it again.
	p.evict = func(int) bool { return false }
	return x
}

// lastExchange is the greatest number of an exchange in a plan.
func lastExchange(n physical.Node) (id int) {
	if x, ok := n.(*physical.Exchange); ok {
		id = x.ID
	}
	for _, k := range n.Children() {
		id = max(id, lastExchange(k))
	}
	return id
}

// wireStages are the stages of a job as bytes.
type wireStages struct {
	gather *physical.Exchange
	mu     sync.Mutex
	made   map[*stagegraph.Stage]*wireStage
}

type wireStage struct {
	root physical.Node // that data is of
	data []byte
	err  error
}

// encode returns a stage as bytes, or why it can't go to another process.
func (w *wireStages) encode(s *stagegraph.Stage) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	x := w.made[s]
	if x == nil || x.root != s.Root {
		x = &wireStage{root: s.Root}
		x.data, x.err = wire.Encode(&wire.Stage{ID: s.ID, Root: s.Root, Output: s.Output})
		w.made[s] = x
	}
	return x.data, x.err
}

// home is the embedded executor for stages that can't go elsewhere, or had better not.
func (w *wireStages) home(s *stagegraph.Stage) policy.ExecutorID {
	if w.gather != nil && s.Root == physical.Node(w.gather) {
		return embedded
	}
	if data, err := w.encode(s); err != nil || len(data) > largeStage {
		return embedded
	}
	return ""
}

// gathers is the last stage of a job whose rows are wanted in this process: one
// task, that takes them writer by writer from the executors that made them. A
// writer's rows are passed on when all of them are here, so that when an executor
// is lost the next attempt goes on with the first writer that wasn't complete.
type gathers struct {
	exchange *physical.Exchange
	begun    bool
	taken    int // writers whose rows were passed on
}

func (g *gathers) run(c *task.Ctx, r *shuffle.Remote, s cluster.TaskSpec, p *payload) error {
	if s.Sources == nil {
		return errs.Internalf("nobody said where the rows of a result are")
	}
	if !g.begun && p.begin != nil {
		p.begin(s.Index)
	}
	g.begun = true
	rows, err := r.Gather(c, s.Query, g.exchange, sourcesOf(s.Sources)[g.exchange.ID], g.taken)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.More() {
		if err := g.writer(c, rows, s.Index, p); err != nil {
			return err
		}
		g.taken++
	}
	if p.end == nil {
		return nil
	}
	return p.end(c, s.Index)
}

// writer passes on the rows of one writer.
func (g *gathers) writer(c *task.Ctx, rows *shuffle.Gathered, index int, p *payload) error {
	if rows.Here() { // can't be lost
		for {
			b, err := rows.Next(c)
			if err == io.EOF {
				return nil
			}
			if err == nil {
				err = p.consume(c, index, b)
			}
			if err != nil {
				return err
			}
		}
	}
	held := op.NewQueue(c, "result", physical.Types(g.exchange.Schema()))
	defer held.Close()
	for {
		b, err := rows.Next(c)
		if err == io.EOF {
			break
		}
		if err == nil {
			err = held.Add(b)
		}
		if err != nil {
			return err
		}
	}
	return held.Drain(func(b *vec.Batch) error { return p.consume(c, index, b) })
}

// homes remembers which executor has the state of a streaming query's operators
// in memory, by partition.
type homes struct {
	mu sync.Mutex
	at map[string]map[[2]int]policy.ExecutorID // by checkpoint, then operator and partition
}

func stateOf(root physical.Node) (out []physical.StateInfo) {
	var walk func(n physical.Node)
	walk = func(n physical.Node) {
		switch n := n.(type) {
		case *physical.Exchange:
			return
		case *physical.StateAggregate:
			out = append(out, n.State)
		case *physical.StateDedup:
			out = append(out, n.State)
		}
		for _, k := range n.Children() {
			walk(k)
		}
	}
	walk(root)
	return out
}

// found notes that an executor ran a task of a stage.
func (h *homes) found(root physical.Node, index int, by policy.ExecutorID) {
	for _, s := range stateOf(root) {
		h.mu.Lock()
		if h.at == nil {
			h.at = map[string]map[[2]int]policy.ExecutorID{}
		}
		if h.at[s.Checkpoint] == nil {
			h.at[s.Checkpoint] = map[[2]int]policy.ExecutorID{}
		}
		h.at[s.Checkpoint][[2]int{s.Operator, index}] = by
		h.mu.Unlock()
	}
}

// prefer is where a task's state is. Any other executor reads it from the checkpoint.
func (h *homes) prefer(s *stagegraph.Stage, index, _ int) (out []policy.ExecutorID) {
	for _, x := range stateOf(s.Root) {
		h.mu.Lock()
		if id, ok := h.at[x.Checkpoint][[2]int{x.Operator, index}]; ok {
			out = append(out, id)
		}
		h.mu.Unlock()
	}
	return out
}

// forget drops what is known of a query that has ended.
func (h *homes) forget(checkpoint string) {
	h.mu.Lock()
	defer h.mu.Unlock()
	delete(h.at, checkpoint)
}
