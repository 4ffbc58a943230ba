package optimize

import "neptune/internal/plan"

// prune drops the columns that nobody reads, down to the scans. The result
// outputs at least the columns of need, in the old order.
func prune(n plan.Node, need idSet) plan.Node {
	down := func(child plan.Node, exprs ...plan.Expr) plan.Node {
		want := refs(exprs...)
		want.union(need)
		return prune(child, want)
	}
	switch x := n.(type) {
	case *plan.Relation:
		var out []*plan.Attr
		for _, a := range x.Out {
			if need.has(a.ID) {
				out = append(out, a)
			}
		}
		if len(out) == len(x.Out) {
			return x
		}
		c := *x
		c.Out = append([]*plan.Attr{}, out...)
		return &c
	case *plan.Project:
		list := kept(x.List, need)
		return &plan.Project{Common: x.Common, List: list, Child: narrowTo(prune(x.Child, refs(list...)), nil)}
	case *plan.Filter:
		return &plan.Filter{Common: x.Common, Cond: x.Cond, Having: x.Having, Child: down(x.Child, x.Cond)}
	case *plan.Aggregate:
		c := *x
		c.List = kept(x.List, need)
		if len(c.List) == 0 && len(x.Group) == 0 && len(x.List) > 0 {
			c.List = x.List[:1]
		}
		want := refs(c.List...)
		addRefs(want, x.Group...)
		c.Child = prune(x.Child, want)
		return &c
	case *plan.WindowNode:
		list := kept(x.List, need)
		if len(list) == 0 {
			return prune(x.Child, need)
		}
		exprs := append(append([]plan.Expr{}, list...), x.Partition...)
		for _, o := range x.Order {
			exprs = append(exprs, o.Child)
		}
		c := *x
		c.List, c.Child = list, down(x.Child, exprs...)
		return &c
	case *plan.Generate:
		c := *x
		c.Child = down(x.Child, x.Gen)
		c.Required = []*plan.Attr{}
		for _, a := range c.Child.Output() {
			if need.has(a.ID) {
				c.Required = append(c.Required, a)
			}
		}
		return &c
	case *plan.Expand:
		c := *x
		c.Out, c.Projections = []*plan.Attr{}, make([][]plan.Expr, len(x.Projections))
		for i, a := range x.Out {
			if !need.has(a.ID) {
				continue
			}
			c.Out = append(c.Out, a)
			for j, p := range x.Projections {
				c.Projections[j] = append(c.Projections[j], p[i])
			}
		}
		want := idSet{}
		for _, p := range c.Projections {
			addRefs(want, p...)
		}
		c.Child = prune(x.Child, want)
		return &c
	case *plan.SetOperation:
		if x.Op != plan.UnionOp || !x.All {
			break
		}
		c := *x
		c.Out = nil
		c.Inputs = make([]plan.Node, len(x.Inputs))
		var at []int
		for i, a := range x.Out {
			if need.has(a.ID) {
				at = append(at, i)
				c.Out = append(c.Out, a)
			}
		}
		if c.Out == nil {
			c.Out = []*plan.Attr{}
		}
		for i, in := range x.Inputs {
			all := in.Output()
			sel := make([]*plan.Attr, len(at))
			for j, k := range at {
				sel[j] = all[k]
			}
			c.Inputs[i] = restore(prune(in, idsOf(sel)), sel)
		}
		return &c
	case *plan.Join:
		if x.Kind == plan.Existence && !need.has(x.Exists.ID) {
			return prune(x.Left, need)
		}
		want := refs(x.Cond)
		want.union(need)
		c := *x
		c.Left = narrowTo(prune(x.Left, want), want)
		c.Right = narrowTo(prune(x.Right, want), want)
		return &c
	case *plan.Sort:
		var exprs []plan.Expr
		for _, o := range x.Order {
			exprs = append(exprs, o.Child)
		}
		c := *x
		c.Child = down(x.Child, exprs...)
		return &c
	case *plan.Limit:
		c := *x
		c.Child = down(x.Child)
		return &c
	case *plan.Sample:
		c := *x
		c.Child = down(x.Child)
		return &c
	case *plan.Repartition:
		var exprs []plan.Expr
		for _, o := range x.By {
			exprs = append(exprs, o.Child)
		}
		c := *x
		c.Child = down(x.Child, exprs...)
		return &c
	}
	kids := n.Children()
	if len(kids) == 0 {
		return n
	}
	fresh := make([]plan.Node, len(kids))
	for i, k := range kids {
		out := k.Output()
		fresh[i] = restore(prune(k, idsOf(out)), out)
	}
	return n.WithChildren(fresh)
}

func kept(list []plan.Expr, need idSet) []plan.Expr {
	out := []plan.Expr{}
	for _, e := range list {
		if need.has(plan.ToAttr(e).ID) {
			out = append(out, e)
		}
	}
	return out
}

// narrowTo projects away what a join input has beyond want.
func narrowTo(n plan.Node, want idSet) plan.Node {
	if want == nil {
		return n
	}
	switch n.(type) {
	case *plan.Project, *plan.Relation, *plan.OneRow:
		return n
	}
	out := n.Output()
	var list []plan.Expr
	for _, a := range out {
		if want.has(a.ID) {
			list = append(list, a)
		}
	}
	if len(list) == len(out) {
		return n
	}
	return &plan.Project{List: list, Child: n}
}
