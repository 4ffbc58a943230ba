// Package optimize turns a resolved logical plan into a better one (Optimize)
// and that into a physical plan (Physical).
//
// Rules are functions over plan.Node, one concern a file. They rely on columns
// being identified by plan.ExprID, and keep one invariant: no two nodes that
// meet in a join produce the same id (prepare and the subquery rules give
// fresh ids to every plan that is used twice).
package optimize

import (
	"context"

	"neptune/arrowexec/fn"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Conf is what planning may know of the session and the cluster.
type Conf struct {
	ANSI, CaseSensitive bool
	Slots               int   // task slots; 0 counts as 1
	ShufflePartitions   int   // upper bound of an exchange's partitions; 0: 200
	BroadcastThreshold  int64 // bytes; a build side estimated below is broadcast; 0: 10 MB, < 0: never by size
	// AdaptiveBroadcast is up to how many bytes a build side that turns out so small
	// at run time is broadcast; 0 or less: never.
	AdaptiveBroadcast int64
	Keys              map[string]string
	// RowScale multiplies the numbers of rows up to which a plan counts as small;
	// 0: 1. Tests plan small tables as if they were large.
	RowScale float64
	// Fold evaluates an expression without columns; nil: nothing is folded.
	// An error leaves the expression as it is: it may never be reached at run time.
	Fold func(plan.Expr) (*plan.Literal, error)
	// AggState gives the types of an aggregate's state columns; nil asks the function table.
	AggState func(*plan.Call) ([]*types.Type, error)
}

// rows is a number of rows, scaled.
func (c Conf) rows(n float64) float64 {
	if c.RowScale > 0 {
		return n * c.RowScale
	}
	return n
}

func (c Conf) slots() int { return max(1, c.Slots) }

func (c Conf) shufflePartitions() int {
	if c.ShufflePartitions <= 0 {
		return 200
	}
	return c.ShufflePartitions
}

func (c Conf) broadcastThreshold() float64 {
	if c.BroadcastThreshold == 0 {
		return 10 << 20
	}
	return float64(c.BroadcastThreshold)
}

func (c Conf) aggState(call *plan.Call) ([]*types.Type, error) {
	if c.AggState != nil {
		return c.AggState(call)
	}
	d := fn.Lookup(call.Name)
	if d == nil || d.Agg == nil || d.Agg.State == nil {
		return nil, errs.NotSupported("aggregate function " + call.Name).At(call.Pos())
	}
	args := make([]*types.Type, len(call.Args))
	for i, a := range call.Args {
		args[i] = a.Type()
	}
	return d.Agg.State(args, call.T), nil
}

// optimizer is one run over one plan.
type optimizer struct {
	ctx   context.Context
	conf  Conf
	stats *estimator
	ctes  map[int64]*cteDef
}

// maxRounds bounds the rewriting to a fixed point; plans settle after two or three.
const maxRounds = 6

// Optimize rewrites a resolved plan. The result has the same output columns
// (ids, names, types, order). The plan must be resolved: every expression
// typed, every attribute produced by an input.
func Optimize(ctx context.Context, n plan.Node, c Conf) (plan.Node, error) {
	o := &optimizer{ctx: ctx, conf: c, ctes: map[int64]*cteDef{}}
	o.stats = newEstimator()
	if w, ok := n.(*plan.Write); ok {
		child, err := Optimize(ctx, w.Child, c)
		if err != nil {
			return nil, err
		}
		return w.WithChildren([]plan.Node{child}), nil
	}
	want := n.Output()
	n, err := o.optimize(n, want)
	if err != nil {
		return nil, err
	}
	return relabel(n, want), nil
}

func (o *optimizer) optimize(n plan.Node, want []*plan.Attr) (plan.Node, error) {
	n, err := fileNames(n)
	if err != nil {
		return nil, err
	}
	if n, err = o.prepare(n); err != nil {
		return nil, err
	}
	if n, err = o.subqueries(n); err != nil {
		return nil, err
	}
	if n, err = o.collations(n); err != nil {
		return nil, err
	}
	for round := range maxRounds {
		if err := o.ctx.Err(); err != nil {
			return nil, err
		}
		before := n
		if n, err = o.simplify(n); err != nil {
			return nil, err
		}
		if n, err = o.push(n, nil, round < 2); err != nil {
			return nil, err
		}
		if n, err = o.tidy(n); err != nil {
			return nil, err
		}
		if round > 0 && sameShape(before, n) {
			break
		}
	}
	if err := o.refuseCrossJoins(n); err != nil {
		return nil, err
	}
	if n, err = o.distinctAggregates(n); err != nil {
		return nil, err
	}
	if n, err = o.collations(n); err != nil {
		return nil, err
	}
	n = prune(n, idsOf(want))
	if n, err = o.tidy(n); err != nil {
		return nil, err
	}
	n = fewerAggregates(n)
	if n, err = o.reorder(n); err != nil {
		return nil, err
	}
	n = prune(n, idsOf(want))
	if n, err = o.tidy(n); err != nil {
		return nil, err
	}
	return n, nil
}

// relabel puts a Project on top when the root's columns are not exactly those wanted.
func relabel(n plan.Node, want []*plan.Attr) plan.Node {
	got := n.Output()
	same := len(got) == len(want)
	for i := 0; same && i < len(got); i++ {
		same = got[i].ID == want[i].ID && got[i].Name == want[i].Name
	}
	if same || want == nil {
		return n
	}
	byID := map[plan.ExprID]*plan.Attr{}
	for _, a := range got {
		byID[a.ID] = a
	}
	if p, ok := n.(*plan.Project); ok {
		// Rename in place: the list's own names are the output's.
		items := map[plan.ExprID]plan.Expr{}
		for _, e := range p.List {
			items[plan.ToAttr(e).ID] = e
		}
		list := make([]plan.Expr, 0, len(want))
		for _, w := range want {
			e, ok := items[w.ID]
			if !ok {
				return n
			}
			list = append(list, named(e, w))
		}
		c := *p
		c.List = list
		return &c
	}
	list := make([]plan.Expr, 0, len(want))
	for _, w := range want {
		a, ok := byID[w.ID]
		if !ok {
			return n
		}
		list = append(list, named(a, w))
	}
	return &plan.Project{Common: *n.Info(), List: list, Child: n}
}

// named gives e the name of w; e makes the column w.ID already.
func named(e plan.Expr, w *plan.Attr) plan.Expr {
	switch x := e.(type) {
	case *plan.Attr:
		if x.Name == w.Name {
			return x
		}
		c := *x
		c.Name = w.Name
		return &c
	case *plan.Alias:
		if len(x.Names) == 1 && x.Names[0] == w.Name {
			return x
		}
		c := *x
		c.Names = []string{w.Name}
		return &c
	}
	return e
}
