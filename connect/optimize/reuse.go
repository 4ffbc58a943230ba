package optimize

import (
	"fmt"
	"strings"

	"neptune/arrowexec/physical"
	"neptune/internal/plan"
)

// A reuser makes exchanges over equal plans one exchange. Plans are equal when
// they read the same columns of the same source and compute the same from them;
// columns are positions by now, so that names and ids play no part.
func newReuser() *reuser {
	return &reuser{byKey: map[string]*physical.Exchange{}, done: map[physical.Node]physical.Node{}}
}

type reuser struct {
	byKey map[string]*physical.Exchange
	done  map[physical.Node]physical.Node
}

func (r *reuser) node(n physical.Node) physical.Node {
	if d, ok := r.done[n]; ok {
		return d
	}
	out := plan.MapChildren(n, r.node)
	if x, ok := out.(*physical.Exchange); ok {
		if k, ok := physicalKey(x); ok {
			if first, ok := r.byKey[k]; ok {
				out = first
			} else {
				r.byKey[k] = x
			}
		}
	}
	r.done[n] = out
	return out
}

// physicalKey writes what a plan computes; ok is false for plans that may not be shared.
func physicalKey(n physical.Node) (string, bool) {
	w := &keyWriter{ok: true}
	w.node(n)
	return w.b.String(), w.ok
}

type keyWriter struct {
	b  strings.Builder
	ok bool
}

func (w *keyWriter) exprs(list ...plan.Expr) {
	for _, e := range list {
		if e != nil && !deterministic(e) {
			w.ok = false
		}
		writeKey(&w.b, e)
		w.b.WriteByte(';')
	}
}

func (w *keyWriter) orders(list []physical.Order) {
	for _, o := range list {
		fmt.Fprintf(&w.b, "%v%v", o.Desc, o.NullsLast)
		w.exprs(o.Expr)
	}
}

func (w *keyWriter) aggs(list []physical.Agg) {
	for _, a := range list {
		fmt.Fprintf(&w.b, "%d@%d", a.Mode, a.StateAt)
		w.exprs(a.Call, a.Filter)
	}
}

func (w *keyWriter) node(n physical.Node) {
	fmt.Fprintf(&w.b, "%T{", n)
	switch x := n.(type) {
	case *physical.Scan:
		fmt.Fprintf(&w.b, "%p %v %d", x.Source, x.Cols, x.Limit)
		w.exprs(x.Filters...)
		w.ok = w.ok && len(x.RuntimeFilters) == 0
	case *physical.Local:
		fmt.Fprintf(&w.b, "%p", x)
	case *physical.Range:
		fmt.Fprintf(&w.b, "%d %d %d %d", x.Start, x.End, x.Step, x.Partitions)
	case *physical.Filter:
		w.exprs(x.Cond)
	case *physical.Project:
		w.exprs(x.Exprs...)
	case *physical.HashAggregate:
		fmt.Fprintf(&w.b, "%d", x.Mode)
		w.exprs(x.Group...)
		w.aggs(x.Aggs)
	case *physical.HashJoin:
		fmt.Fprintf(&w.b, "%d%v%v", x.Kind, x.BuildRight, x.NullSafe)
		w.exprs(x.LeftKeys...)
		w.exprs(x.RightKeys...)
		w.exprs(x.Cond)
	case *physical.NestedLoopJoin:
		fmt.Fprintf(&w.b, "%d%v", x.Kind, x.BuildRight)
		w.exprs(x.Cond)
	case *physical.Sort:
		w.orders(x.Order)
	case *physical.TopK:
		fmt.Fprintf(&w.b, "%d %d", x.Limit, x.Offset)
		w.orders(x.Order)
	case *physical.Limit:
		fmt.Fprintf(&w.b, "%d %d %v", x.N, x.Offset, x.Tail)
	case *physical.Union, *physical.Coalesce:
		if c, ok := n.(*physical.Coalesce); ok {
			fmt.Fprintf(&w.b, "%d", c.N)
		}
	case *physical.Exchange:
		fmt.Fprintf(&w.b, "%d %d %v %v", x.Kind, x.N, x.UserN, x.Merge)
		w.exprs(x.Keys...)
		w.orders(x.Order)
	case *physical.Expand:
		for _, p := range x.Projections {
			w.exprs(p...)
		}
	default:
		w.ok = false
	}
	for _, k := range n.Children() {
		w.node(k)
	}
	w.b.WriteByte('}')
}
