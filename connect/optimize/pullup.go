package optimize

import "neptune/internal/plan"

// Lifting correlated conditions out of a subquery's plan.

// correlated reports whether a plan takes any of these columns from outside.
func correlated(n plan.Node, mine idSet) bool { return len(own(outerRefs(n), mine)) > 0 }

func takes(mine idSet, list ...plan.Expr) bool {
	for _, e := range list {
		if contains(e, func(e plan.Expr) bool {
			x, ok := e.(*plan.OuterRef)
			return ok && mine.has(x.Attr.ID)
		}) {
			return true
		}
	}
	return false
}

// pullUp takes the conditions that mention outer columns (of mine) out of a
// plan, which then also outputs the columns that they need. A global aggregate
// becomes one grouped by the inner sides of the equalities when aggregate is
// true. It gives up, changing nothing, where a condition can't pass.
func pullUp(n plan.Node, mine idSet, aggregate bool) (plan.Node, []plan.Expr, bool) {
	if !correlated(n, mine) {
		return n, nil, true
	}
	switch x := n.(type) {
	case *plan.Filter:
		child, preds, ok := pullUp(x.Child, mine, aggregate)
		if !ok {
			return nil, nil, false
		}
		var stay []plan.Expr
		for _, c := range split(pushNot(x.Cond)) {
			if takes(mine, c) {
				preds = append(preds, c)
			} else {
				stay = append(stay, c)
			}
		}
		return filter(stay, child), preds, true
	case *plan.Project:
		if takes(mine, x.List...) {
			return nil, nil, false
		}
		child, preds, ok := pullUp(x.Child, mine, aggregate)
		if !ok {
			return nil, nil, false
		}
		list, ok := carry(x.List, preds, child)
		if !ok {
			return nil, nil, false
		}
		return &plan.Project{Common: x.Common, List: list, Child: child}, preds, true
	case *plan.Sort:
		return pullUp(x.Child, mine, aggregate)
	case *plan.Join:
		return pullJoin(x, mine, aggregate)
	case *plan.Aggregate:
		return pullAggregate(x, mine, aggregate)
	}
	return nil, nil, false
}

// carry adds to a list the columns of child that preds need.
func carry(list, preds []plan.Expr, child plan.Node) ([]plan.Expr, bool) {
	have := idSet{}
	for _, e := range list {
		have.add(plan.ToAttr(e).ID)
	}
	need := refs(preds...)
	out := append([]plan.Expr{}, list...)
	below := idSet{}
	for _, a := range child.Output() {
		below.add(a.ID)
		if need.has(a.ID) && !have.has(a.ID) {
			have.add(a.ID)
			out = append(out, a)
		}
	}
	return out, need.within(below)
}

func pullJoin(j *plan.Join, mine idSet, aggregate bool) (plan.Node, []plan.Expr, bool) {
	c := *j
	if j.Lateral || aggregate {
		return nil, nil, false
	}
	switch j.Kind {
	case plan.Inner, plan.Cross:
		l, lp, ok := pullUp(j.Left, mine, false)
		if !ok {
			return nil, nil, false
		}
		r, rp, ok := pullUp(j.Right, mine, false)
		if !ok {
			return nil, nil, false
		}
		preds := append(lp, rp...)
		var stay []plan.Expr
		for _, e := range split(j.Cond) {
			if takes(mine, e) {
				preds = append(preds, e)
			} else {
				stay = append(stay, e)
			}
		}
		c.Left, c.Right, c.Cond = l, r, and(stay)
		return &c, preds, true
	case plan.LeftOuter, plan.LeftSemi, plan.LeftAnti, plan.Existence, plan.LeftSingle, plan.NullAwareAnti:
		if correlated(j.Right, mine) || j.Cond != nil && takes(mine, j.Cond) {
			return nil, nil, false
		}
		l, lp, ok := pullUp(j.Left, mine, false)
		if !ok {
			return nil, nil, false
		}
		c.Left = l
		return &c, lp, true
	}
	return nil, nil, false
}

func pullAggregate(a *plan.Aggregate, mine idSet, aggregate bool) (plan.Node, []plan.Expr, bool) {
	if len(a.Group) == 0 && !aggregate || takes(mine, a.Group...) || takes(mine, a.List...) {
		return nil, nil, false
	}
	child, preds, ok := pullUp(a.Child, mine, false)
	if !ok {
		return nil, nil, false
	}
	c := *a
	c.Child = child
	c.Group = append([]plan.Expr{}, a.Group...)
	c.List = append([]plan.Expr{}, a.List...)
	grouped := map[string]*plan.Attr{}
	for _, e := range a.List {
		if at := plan.ToAttr(e); at != nil {
			grouped[key(e)] = at
		}
	}
	groups := map[string]bool{}
	for _, g := range a.Group {
		groups[key(g)] = true
	}
	var out []plan.Expr
	for _, p := range preds {
		q, ok := p.(*plan.Call)
		if !ok || q.Name != "=" && q.Name != "<=>" {
			return nil, nil, false
		}
		side := -1
		for i, e := range q.Args {
			if !hasOuter(e) && len(refs(q.Args[1-i])) == 0 && len(refs(e)) > 0 && deterministic(e) {
				side = i
			}
		}
		if side < 0 {
			return nil, nil, false
		}
		inner := q.Args[side]
		k := key(inner)
		if !groups[k] {
			groups[k] = true
			c.Group = append(c.Group, inner)
		}
		at, ok := grouped[k]
		if !ok {
			if x, isAttr := inner.(*plan.Attr); isAttr {
				at = x
				c.List = append(c.List, x)
			} else {
				al := newAlias("key", inner)
				at = plan.ToAttr(al)
				c.List = append(c.List, al)
			}
			grouped[k] = at
		}
		args := append([]plan.Expr{}, q.Args...)
		args[side] = at
		out = append(out, q.WithChildren(args))
	}
	return &c, out, true
}

// valueOverNothing is the first column's value when the global aggregate at
// the bottom of projections sees no row; ok is false for other plans.
func valueOverNothing(n plan.Node) (plan.Expr, bool) {
	switch x := n.(type) {
	case *plan.Project:
		a, ok := projected(x)
		if !ok {
			return nil, false
		}
		m := map[plan.ExprID]plan.Expr{}
		for _, e := range a.List {
			m[plan.ToAttr(e).ID] = overNothing(unalias(e))
		}
		e := replace(unalias(x.List[0]), projections(x, m))
		return simplifyEmpty(e), true
	case *plan.Aggregate:
		if len(x.Group) > 0 || len(x.List) == 0 {
			return nil, false
		}
		return simplifyEmpty(overNothing(unalias(x.List[0]))), true
	}
	return nil, false
}

// projected finds the global aggregate below a chain of projections.
func projected(p *plan.Project) (*plan.Aggregate, bool) {
	switch c := p.Child.(type) {
	case *plan.Aggregate:
		return c, len(c.Group) == 0
	case *plan.Project:
		return projected(c)
	}
	return nil, false
}

// projections resolves the columns of a chain of projections against the aggregate's values.
func projections(p *plan.Project, bottom map[plan.ExprID]plan.Expr) map[plan.ExprID]plan.Expr {
	c, ok := p.Child.(*plan.Project)
	if !ok {
		return bottom
	}
	below := projections(c, bottom)
	m := map[plan.ExprID]plan.Expr{}
	for _, e := range c.List {
		m[plan.ToAttr(e).ID] = replace(unalias(e), below)
	}
	return m
}

// overNothing puts the value over no rows in the place of each aggregate call.
func overNothing(e plan.Expr) plan.Expr {
	if isAggregate(e) {
		return emptyValue(e)
	}
	kids := e.Children()
	if len(kids) == 0 {
		return e
	}
	fresh := make([]plan.Expr, len(kids))
	for i, k := range kids {
		fresh[i] = overNothing(k)
	}
	return e.WithChildren(fresh)
}

// simplifyEmpty makes null of what is null by strictness.
func simplifyEmpty(e plan.Expr) plan.Expr {
	out, _ := plan.Transform(e, func(e plan.Expr) (plan.Expr, error) { return propagateNull(e), nil })
	return out
}

// hasGlobalAggregate: a plan whose row exists even over no input.
func hasGlobalAggregate(n plan.Node) bool {
	found := false
	plan.WalkNodes(n, func(n plan.Node) bool {
		if a, ok := n.(*plan.Aggregate); ok && len(a.Group) == 0 {
			found = true
		}
		return !found
	})
	return found
}
