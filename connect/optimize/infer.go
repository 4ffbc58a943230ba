package optimize

import "neptune/internal/plan"

// Conditions that follow from others.

// keysOnly are the column-to-column equalities of a condition.
func keysOnly(conds []plan.Expr) []plan.Expr {
	var out []plan.Expr
	for _, c := range conds {
		if _, _, ok := attrEquality(c); ok {
			out = append(out, c)
		}
	}
	return out
}

func attrEquality(e plan.Expr) (a, b *plan.Attr, ok bool) {
	c, is := isCall(e, "=")
	if !is {
		return nil, nil, false
	}
	a, ok1 := c.Args[0].(*plan.Attr)
	b, ok2 := c.Args[1].(*plan.Attr)
	return a, b, ok1 && ok2
}

// inferEqual carries conditions on one column over to the columns equal to it.
func inferEqual(conds []plan.Expr) []plan.Expr {
	parent := map[plan.ExprID]plan.ExprID{}
	attrs := map[plan.ExprID]*plan.Attr{}
	var find func(x plan.ExprID) plan.ExprID
	find = func(x plan.ExprID) plan.ExprID {
		if p, ok := parent[x]; ok && p != x {
			r := find(p)
			parent[x] = r
			return r
		}
		return x
	}
	have := map[string]bool{}
	for _, c := range conds {
		have[key(c)] = true
		if a, b, ok := attrEquality(c); ok && a.T.Kind == b.T.Kind {
			attrs[a.ID], attrs[b.ID] = a, b
			if x, y := find(a.ID), find(b.ID); x != y {
				parent[x] = y
			}
		}
	}
	if len(attrs) == 0 {
		return nil
	}
	var out []plan.Expr
	for _, c := range conds {
		r := refs(c)
		if len(r) != 1 || !deterministic(c) || hasOuter(c) {
			continue
		}
		var id plan.ExprID
		for x := range r {
			id = x
		}
		if attrs[id] == nil || !total(c) {
			continue
		}
		// The classes are small: walk them in the order of the conditions for stable plans.
		for _, d := range conds {
			a, b, ok := attrEquality(d)
			if !ok {
				continue
			}
			for _, to := range []*plan.Attr{a, b} {
				if to.ID == id || attrs[to.ID] == nil || find(to.ID) != find(id) {
					continue
				}
				e := replace(c, map[plan.ExprID]plan.Expr{id: to})
				if k := key(e); !have[k] {
					have[k] = true
					out = append(out, e)
				}
			}
		}
	}
	return out
}

// total: conditions that can't raise errors and are worth repeating.
func total(e plan.Expr) bool {
	c, ok := e.(*plan.Call)
	if !ok {
		return false
	}
	switch c.Name {
	case "=", "<", "<=", ">", ">=", "<=>", "in", "like", "startswith", "endswith", "contains", "isnotnull":
		for _, a := range c.Args {
			if !cheap(a) {
				return false
			}
		}
		return true
	case "and", "or", "not":
		for _, a := range c.Args {
			if !total(a) {
				return false
			}
		}
		return true
	}
	return false
}

// impliedBySide finds, for an OR over both sides, what it implies for one
// alone: (l1 and r1) or (l2 and r2) implies l1 or l2.
func impliedBySide(conds []plan.Expr, left, right idSet) []plan.Expr {
	have := map[string]bool{}
	for _, c := range conds {
		have[key(c)] = true
	}
	var out []plan.Expr
	for _, c := range conds {
		if _, ok := isCall(c, "or"); !ok || !deterministic(c) {
			continue
		}
		for _, ids := range []idSet{left, right} {
			if e := implied(c, ids); e != nil {
				if k := key(e); !have[k] {
					have[k] = true
					out = append(out, e)
				}
			}
		}
	}
	return out
}

func implied(or plan.Expr, ids idSet) plan.Expr {
	if refs(or).within(ids) {
		return nil
	}
	var parts []plan.Expr
	for _, d := range splitBy(or, "or", nil) {
		var mine []plan.Expr
		for _, e := range split(d) {
			if r := refs(e); len(r) > 0 && r.within(ids) && total(e) {
				mine = append(mine, e)
			}
		}
		if len(mine) == 0 {
			return nil
		}
		parts = append(parts, and(mine))
	}
	s := &simplifier{never: idSet{}}
	e := fold2("or", parts)
	if c, ok := e.(*plan.Call); ok && c.Name == "or" {
		return s.logic(c)
	}
	return e
}

func onSide(conds []plan.Expr, left, right idSet, want int) []plan.Expr {
	var out []plan.Expr
	for _, c := range conds {
		if side(c, left, right) == want {
			out = append(out, c)
		}
	}
	return out
}

// constraints are conditions that every row of a plan fulfils, over its output.
func constraints(n plan.Node) []plan.Expr {
	switch x := n.(type) {
	case *plan.Filter:
		var out []plan.Expr
		for _, c := range split(x.Cond) {
			if deterministic(c) {
				out = append(out, c)
			}
		}
		return append(out, constraints(x.Child)...)
	case *plan.Project:
		return visible(constraints(x.Child), x.List)
	case *plan.Aggregate:
		if len(x.Group) == 0 {
			return nil
		}
		groups := map[string]bool{}
		for _, g := range x.Group {
			groups[key(g)] = true
		}
		var list []plan.Expr
		for _, e := range x.List {
			if groups[key(unalias(e))] {
				list = append(list, e)
			}
		}
		return visible(constraints(x.Child), list)
	case *plan.Sort:
		return constraints(x.Child)
	case *plan.Limit:
		return constraints(x.Child)
	case *plan.WindowNode:
		return constraints(x.Child)
	case *plan.Repartition:
		return constraints(x.Child)
	case *plan.Join:
		switch x.Kind {
		case plan.Inner, plan.Cross:
			out := append(constraints(x.Left), constraints(x.Right)...)
			return append(out, split(x.Cond)...)
		case plan.LeftOuter, plan.LeftSemi, plan.LeftAnti, plan.NullAwareAnti, plan.Existence, plan.LeftSingle:
			return constraints(x.Left)
		case plan.RightOuter:
			return constraints(x.Right)
		}
	}
	return nil
}

// visible keeps the conditions that can be said in terms of a list's columns.
func visible(conds, list []plan.Expr) []plan.Expr {
	if len(conds) == 0 {
		return nil
	}
	m := map[plan.ExprID]plan.Expr{}
	for _, e := range list {
		if a, ok := unalias(e).(*plan.Attr); ok {
			m[a.ID] = plan.ToAttr(e)
		}
	}
	var out []plan.Expr
	for _, c := range conds {
		ok := true
		for id := range refs(c) {
			if _, is := m[id]; !is {
				ok = false
			}
		}
		if ok {
			out = append(out, replace(c, m))
		}
	}
	return out
}
