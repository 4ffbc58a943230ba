package op

import (
	"fmt"
	std "slices"

	"neptune/arrowexec/expr"
	"neptune/arrowexec/fn"
	"neptune/arrowexec/mem"
	"neptune/arrowexec/physical"
	"neptune/arrowexec/physical/wire"
	"neptune/arrowexec/task"
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Deps is what building a task's operators needs beside the plan.
type Deps struct {
	Conf                  *task.Conf
	Query                 string
	Partition, Partitions int // of the stage
	Shuffle               Exchanges
	// Scan makes the reader of a task's share of a source.
	Scan func(s *physical.Scan, partition, partitions int) (Operator, error)
	// Write makes the operator that writes in's rows to files.
	Write func(w *physical.Write, in Operator, partition int) (Operator, error)
	// Tasks is the number of partitions of a node inside the stage (the
	// scheduler's own count); only plans with Union or Coalesce need it.
	Tasks func(physical.Node) int
	// Observed takes an Observe's states, EventTime a Watermark's statistics; nil drops them.
	Observed  func(id string, states *vec.Batch)
	EventTime func(node int, t EventTimes)
	// State takes what a task of a stateful operator did to its partition; nil drops it.
	State func(operator int, s StateStats)

	// Env is what the task's expressions see; Build makes it.
	Env *fn.Env

	// loops are the rows of the last round of the recursions around a node.
	loops map[int64]*rowBuffer
}

// Build makes the operators of one task from a stage's plan. Exchanges are
// leaves: they stand for reading what another stage wrote. A node without an
// operator is refused by name.
func Build(n physical.Node, d Deps) (Operator, error) {
	top := d.Env == nil
	if top {
		d.Env = NewEnv(d.Conf, d.Partition)
	}
	o, err := build(n, d)
	if err != nil || !top {
		return o, err
	}
	return &root{Operator: o, env: d.Env}, nil
}

// root ties the expressions' yield points to the task.
type root struct {
	Operator
	env     *fn.Env
	results *mem.Reservation
}

// fits reports whether n bytes are free, without making operators spill: the one that asks may be among them, with
// half a batch done. It doesn't keep them: results live for one batch, and who keeps them accounts for them.
func (r *root) fits(n int) error {
	if n > vec.MaxBuf {
		return fn.Within(vec.MaxBuf)(n)
	}
	if !r.results.Try(int64(n)) {
		return r.results.Refused(int64(n))
	}
	return r.results.Resize(0)
}

func (r *root) Open(c *task.Ctx) error {
	r.env.Yield = c.Yield
	if c.Mem != nil {
		r.results = c.Mem.Reserve("results of functions", nil)
		r.env.Fits = r.fits
	}
	return r.Operator.Open(c)
}

func build(n physical.Node, d Deps) (Operator, error) {
	switch n := n.(type) {
	case *physical.Scan:
		if d.Scan == nil {
			return nil, errs.NotSupported("scans in this context")
		}
		in, err := d.Scan(n, d.Partition, d.Partitions)
		if err != nil {
			return nil, err
		}
		return restrict(in, n, d), nil
	case *physical.Local:
		batches, ok := n.Data.([]*vec.Batch)
		if !ok && n.Data != nil {
			return nil, errs.Internalf("rows of a plan as %T", n.Data)
		}
		return NewLocal(physical.Types(n.Out), Share(batches, d.Partition, d.Partitions)), nil
	case *physical.Range:
		return NewRange(n.Start, n.End, n.Step, d.Partition, max(d.Partitions, 1), d.Env.Pool), nil
	case *physical.Exchange:
		if d.Shuffle == nil {
			return nil, errs.Internalf("an exchange without a shuffle service")
		}
		return d.Shuffle.Reader(d.Conf, d.Query, n, physical.One(d.Partition))
	case *physical.Read:
		x, ok := n.Input.(*physical.Exchange)
		if !ok || d.Shuffle == nil {
			return nil, errs.Internalf("a piece of %T is to be read", n.Input)
		}
		if n.Whole {
			return d.Shuffle.Reader(d.Conf, d.Query, x, physical.Piece{To: max(1, x.N)})
		}
		if d.Partition >= len(n.Pieces) {
			return nil, errs.Internalf("task %d reads an exchange in %d pieces", d.Partition, len(n.Pieces))
		}
		return d.Shuffle.Reader(d.Conf, d.Query, x, n.Pieces[d.Partition])
	case *physical.Filter:
		in, err := Build(n.Input, d)
		if err != nil {
			return nil, err
		}
		p, err := CompilePredicate(n.Cond, d.Env)
		return NewFilter(in, p), err
	case *physical.Project:
		return buildProject(n, d)
	case *physical.Sort:
		in, err := Build(n.Input, d)
		if err != nil {
			return nil, err
		}
		keys, order, err := CompileOrder(n.Order, d.Env)
		return NewSort(in, keys, order), err
	case *physical.TopK:
		in, err := Build(n.Input, d)
		if err != nil {
			return nil, err
		}
		keys, order, err := CompileOrder(n.Order, d.Env)
		if err != nil {
			return nil, err
		}
		limit, offset := max(n.Limit, 0), max(n.Offset, 0)
		if limit > TopKMax || offset > TopKMax {
			return NewLimit(NewSort(in, keys, order), limit, offset), nil
		}
		return NewTopK(in, keys, order, limit, offset), nil
	case *physical.Limit:
		in, err := Build(n.Input, d)
		if err != nil {
			return nil, err
		}
		if n.Tail {
			return NewTail(in, n.N), nil
		}
		return NewLimit(in, n.N, n.Offset), nil
	case *physical.Union:
		return buildUnion(n, d)
	case *physical.Coalesce:
		return buildCoalesce(n, d)
	case *physical.HashJoin:
		return buildHashJoin(n, d)
	case *physical.RecursiveLoop:
		return newLoop(n, d)
	case *physical.LoopRef:
		rows, ok := d.loops[n.ID]
		if !ok {
			return nil, errs.Internalf("recursion %d is read outside its step", n.ID)
		}
		return &stored{r: rows}, nil
	case *physical.NestedLoopJoin:
		return buildLoopJoin(n, d)
	case *physical.Write:
		in, err := Build(n.Input, d)
		if err != nil {
			return nil, err
		}
		if d.Write == nil {
			return nil, errs.NotSupported("writing files in this context")
		}
		return d.Write(n, in, d.Partition)
	}
	return buildAgg(n, d)
}

func buildProject(n *physical.Project, d Deps) (Operator, error) {
	in, err := Build(n.Input, d)
	if err != nil {
		return nil, err
	}
	evals := make([]expr.Evaluator, len(n.Exprs))
	var rest []plan.Expr // those that share what they have in common
	var at []int
	for i, e := range n.Exprs {
		if b, ok := e.(*plan.Bound); ok {
			evals[i] = bound{b.Index, b.T, d.Env.Pool}
			continue
		}
		rest, at = append(rest, e), append(at, i)
	}
	list, err := expr.CompileAll(rest, d.Env)
	if err != nil {
		return nil, err
	}
	for i, e := range list {
		evals[at[i]] = e
	}
	return newProject(in, evals, physical.Types(n.Out), d.Env.Pool), nil
}

// tasks is the number of partitions of a node.
func (d Deps) tasks(n physical.Node) (int, error) {
	switch n := n.(type) {
	case *physical.Range:
		return max(n.Partitions, 1), nil
	case *physical.Exchange:
		if n.Kind == physical.Single {
			return 1, nil
		}
		if n.Kind != physical.Broadcast && n.N > 0 {
			return n.N, nil
		}
	case *physical.Read:
		if !n.Whole {
			return len(n.Pieces), nil
		}
	}
	if d.Tasks == nil {
		return 0, errs.Internalf("the number of partitions of %s isn't known", n.Name())
	}
	return max(d.Tasks(n), 1), nil
}

// buildUnion finds the input, and its partition, that this task emits.
func buildUnion(n *physical.Union, d Deps) (Operator, error) {
	schema := physical.Types(n.Out)
	p := d.Partition
	for _, in := range n.Inputs {
		k, err := d.tasks(in)
		if err != nil {
			return nil, err
		}
		if p >= k {
			p -= k
			continue
		}
		sub := d
		sub.Partition, sub.Partitions = p, k
		o, err := Build(in, sub)
		return NewUnion([]Operator{o}, schema), err
	}
	return NewUnion(nil, schema), nil
}

// buildCoalesce reads this task's share of the input's partitions.
func buildCoalesce(n *physical.Coalesce, d Deps) (Operator, error) {
	k, err := d.tasks(n.Input)
	if err != nil {
		return nil, err
	}
	var inputs []Operator
	parts := max(d.Partitions, 1)
	for p := k * d.Partition / parts; p < k*(d.Partition+1)/parts; p++ {
		sub := d
		sub.Partition, sub.Partitions = p, k
		o, err := Build(n.Input, sub)
		if err != nil {
			return nil, err
		}
		inputs = append(inputs, o)
	}
	return NewUnion(inputs, physical.Types(n.Schema())), nil
}

func buildHashJoin(n *physical.HashJoin, d Deps) (Operator, error) {
	cfg := JoinConfig{Kind: n.Kind, BuildRight: n.BuildRight, NullSafe: n.NullSafe}
	var err error
	if cfg.LeftKeys, err = CompileKeys(n.LeftKeys, d.Env); err != nil {
		return nil, err
	}
	if cfg.RightKeys, err = CompileKeys(n.RightKeys, d.Env); err != nil {
		return nil, err
	}
	if cfg.Cond, err = condition(n.Cond, len(n.Left.Schema()), false, d.Env); err != nil {
		return nil, err
	}
	keys, exprs := cfg.RightKeys, n.RightKeys
	if !n.BuildRight {
		keys, exprs = cfg.LeftKeys, n.LeftKeys
	}
	left, right, err := joinInputs(n.Left, n.Right, n.BuildRight, &cfg, d, keys, exprs)
	if err != nil {
		return nil, err
	}
	return NewHashJoin(left, right, cfg)
}

func buildLoopJoin(n *physical.NestedLoopJoin, d Deps) (Operator, error) {
	cfg := JoinConfig{Kind: n.Kind, BuildRight: n.BuildRight}
	var err error
	if cfg.Cond, err = condition(n.Cond, len(n.Left.Schema()), n.Kind == plan.NullAwareAnti, d.Env); err != nil {
		return nil, err
	}
	left, right, err := joinInputs(n.Left, n.Right, n.BuildRight, &cfg, d, nil, nil)
	if err != nil {
		return nil, err
	}
	return NewLoopJoin(left, right, cfg)
}

// joinInputs builds a join's inputs; a broadcast build side becomes a table
// that the tasks share, when the kind of join allows.
func joinInputs(l, r physical.Node, buildRight bool, cfg *JoinConfig, d Deps, keys []expr.Evaluator, exprs []plan.Expr) (left, right Operator, err error) {
	side := r
	if !buildRight {
		side = l
	}
	x, broadcast := physical.ReadWhole(side)
	whole := modeOf(cfg.Kind, buildRight).needsAllProbes()
	if broadcast && whole && d.Partitions > 1 {
		return nil, nil, errs.Internalf("a broadcast of the side whose unmatched rows the join keeps, in %d tasks", d.Partitions)
	}
	share := broadcast && !whole && d.Shuffle != nil
	if share {
		cfg.SharedTypes = physical.Types(x.Schema())
		name := "loop"
		if keys != nil {
			name = "hash " + keyName(exprs) + fmt.Sprint(cfg.NullSafe)
		}
		safe := cfg.NullSafe
		all := func() (Operator, error) { return build(side, d) }
		cfg.Unshared = all
		cfg.Shared = func(c *task.Ctx) (*SharedTable, error) {
			v, err := d.Shuffle.Shared(c, d.Query, x, name, func(c *task.Ctx) (any, int64, error) {
				in, err := all()
				if err != nil {
					return nil, 0, err
				}
				held := c.Mem.Reserve("broadcast", nil)
				defer held.Release()
				batches, err := readAll(c, in, held)
				if err != nil {
					return nil, 0, err
				}
				t, err := NewSharedTable(c, physical.Types(x.Schema()), batches, keys, safe)
				if err != nil {
					return nil, 0, err
				}
				held.Release() // from here on it is the exchange's
				return t, t.Size(), nil
			})
			if err != nil {
				return nil, err
			}
			return v.(*SharedTable), nil
		}
	}
	if !share || buildRight {
		if left, err = Build(l, d); err != nil {
			return nil, nil, err
		}
	}
	if !share || !buildRight {
		if right, err = Build(r, d); err != nil {
			return nil, nil, err
		}
	}
	return left, right, nil
}

// keyName tells tables over different keys of one broadcast apart. Stages that
// came from another process have their own copies of an expression, so that it
// goes by what it says; one that can't be written down is known by its address.
func keyName(keys []plan.Expr) string {
	s := ""
	for _, k := range keys {
		if b, ok := k.(*plan.Bound); ok {
			s += fmt.Sprintf("#%d ", b.Index)
		} else if text, err := wire.Marshal(&k); err == nil {
			s += string(text) + " "
		} else {
			s += fmt.Sprintf("%p ", k)
		}
	}
	return s
}

// condition compiles a join's condition over only the columns it reads; not
// compiles its negation.
func condition(e plan.Expr, left int, not bool, env *fn.Env) (*Condition, error) {
	if e == nil {
		return nil, nil
	}
	if not {
		e = &plan.Call{Name: "not", Args: []plan.Expr{e}, T: types.BoolType, Null: true, Kind: plan.FnScalar}
	}
	var used []int
	plan.Walk(e, func(x plan.Expr) bool {
		if b, ok := x.(*plan.Bound); ok && !std.Contains(used, b.Index) {
			used = append(used, b.Index)
		}
		return true
	})
	std.Sort(used)
	c := &Condition{Negated: not}
	to := map[int]int{}
	for i, k := range used {
		to[k] = i
		if k < left {
			c.Left = append(c.Left, k)
		} else {
			c.Right = append(c.Right, k-left)
		}
	}
	var err error
	c.Pred, err = CompilePredicate(rebind(e, to), env)
	return c, err
}

// rebind moves bound columns to other positions.
func rebind(e plan.Expr, to map[int]int) plan.Expr {
	if b, ok := e.(*plan.Bound); ok {
		n := *b
		n.Index = to[b.Index]
		return &n
	}
	kids := e.Children()
	if len(kids) == 0 {
		return e
	}
	moved := make([]plan.Expr, len(kids))
	for i, k := range kids {
		moved[i] = rebind(k, to)
	}
	return e.WithChildren(moved)
}
