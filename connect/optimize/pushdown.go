package optimize

import (
	"neptune/internal/plan"
)

// push moves conditions as far down as they may go. preds hold over n's output
// and must be applied at n or below; they are deterministic. derive also adds
// conditions that follow from others (infer.go).
func (o *optimizer) push(n plan.Node, preds []plan.Expr, derive bool) (plan.Node, error) {
	switch x := n.(type) {
	case *plan.Filter:
		var down, stay []plan.Expr
		for _, c := range split(x.Cond) {
			if deterministic(c) && !hasSubquery(c) {
				down = append(down, c)
			} else {
				stay = append(stay, c)
			}
		}
		if len(stay) > 0 {
			child, err := o.push(x.Child, down, derive)
			if err != nil {
				return nil, err
			}
			return filter(append(stay, preds...), child), nil
		}
		return o.push(x.Child, append(down, preds...), derive)
	case *plan.Project:
		m := defs(x.List)
		var down, stay []plan.Expr
		for _, p := range preds {
			ok := true
			for id := range refs(p) {
				if e, is := m[id]; is && (!deterministic(e) || hasGenerator(e)) {
					ok = false
				}
			}
			if ok {
				down = append(down, replace(p, m))
			} else {
				stay = append(stay, p)
			}
		}
		return o.pushUnary(x, x.Child, down, stay, derive)
	case *plan.Aggregate:
		m := map[plan.ExprID]plan.Expr{}
		groups := map[string]bool{}
		for _, g := range x.Group {
			groups[key(g)] = true
		}
		for _, e := range x.List {
			if in := unalias(e); groups[key(in)] {
				m[plan.ToAttr(e).ID] = in
			}
		}
		var down, stay []plan.Expr
		for _, p := range preds {
			ok := len(x.Group) > 0
			for id := range refs(p) {
				e, is := m[id]
				ok = ok && is && deterministic(e)
			}
			if ok {
				down = append(down, replace(p, m))
			} else {
				stay = append(stay, p)
			}
		}
		return o.pushUnary(x, x.Child, down, stay, derive)
	case *plan.WindowNode:
		part := idSet{}
		for _, e := range x.Partition {
			if a, ok := e.(*plan.Attr); ok {
				part.add(a.ID)
			}
		}
		return o.pushWithin(x, x.Child, preds, part, derive)
	case *plan.Generate:
		return o.pushWithin(x, x.Child, preds, idsOf(x.Child.Output()), derive)
	case *plan.Expand:
		// A column that every projection passes on unchanged.
		pass := idSet{}
		for i, a := range x.Out {
			same := true
			for _, p := range x.Projections {
				at, ok := p[i].(*plan.Attr)
				same = same && ok && at.ID == a.ID
			}
			if same {
				pass.add(a.ID)
			}
		}
		return o.pushWithin(x, x.Child, preds, pass, derive)
	case *plan.Sort:
		return o.pushUnary(x, x.Child, preds, nil, derive)
	case *plan.Repartition:
		return o.pushUnary(x, x.Child, preds, nil, derive)
	case *plan.SetOperation:
		return o.pushUnion(x, preds, derive)
	case *plan.Join:
		return o.pushJoin(x, preds, derive)
	}
	kids := n.Children()
	if len(kids) > 0 {
		fresh := make([]plan.Node, len(kids))
		for i, k := range kids {
			var err error
			if fresh[i], err = o.push(k, nil, derive); err != nil {
				return nil, err
			}
		}
		n = n.WithChildren(fresh)
	}
	return filter(preds, n), nil
}

func hasGenerator(e plan.Expr) bool {
	return contains(e, func(e plan.Expr) bool {
		c, ok := e.(*plan.Call)
		return ok && c.Kind == plan.FnGenerator
	})
}

func (o *optimizer) pushUnary(n, child plan.Node, down, stay []plan.Expr, derive bool) (plan.Node, error) {
	c, err := o.push(child, down, derive)
	if err != nil {
		return nil, err
	}
	if c != child {
		n = n.WithChildren([]plan.Node{c})
	}
	return filter(stay, n), nil
}

// pushWithin pushes the conditions over the columns of ids alone.
func (o *optimizer) pushWithin(n, child plan.Node, preds []plan.Expr, ids idSet, derive bool) (plan.Node, error) {
	var down, stay []plan.Expr
	for _, p := range preds {
		if r := refs(p); len(r) > 0 && r.within(ids) {
			down = append(down, p)
		} else {
			stay = append(stay, p)
		}
	}
	return o.pushUnary(n, child, down, stay, derive)
}

func (o *optimizer) pushUnion(u *plan.SetOperation, preds []plan.Expr, derive bool) (plan.Node, error) {
	c := *u
	c.Inputs = make([]plan.Node, len(u.Inputs))
	for i, in := range u.Inputs {
		m := map[plan.ExprID]plan.Expr{}
		for j, a := range in.Output() {
			m[u.Out[j].ID] = a
		}
		down := make([]plan.Expr, len(preds))
		for j, p := range preds {
			down[j] = replace(p, m)
		}
		var err error
		if c.Inputs[i], err = o.push(in, down, derive); err != nil {
			return nil, err
		}
	}
	return &c, nil
}

// side says which inputs a condition needs: 1 left, 2 right, 3 both, 0 none.
func side(e plan.Expr, left, right idSet) int {
	s := 0
	for id := range refs(e) {
		if left.has(id) {
			s |= 1
		} else if right.has(id) {
			s |= 2
		} else {
			s |= 4 // a column of the join itself (Existence)
		}
	}
	return s
}

func (o *optimizer) pushJoin(j *plan.Join, preds []plan.Expr, derive bool) (plan.Node, error) {
	c := *j
	left, right := idsOf(j.Left.Output()), idsOf(j.Right.Output())
	c.Kind = narrow(j.Kind, preds, left, right)
	cross := c.Kind == plan.Cross
	if cross {
		c.Kind = plan.Inner
	}
	var toLeft, toRight, above, on []plan.Expr
	cond := split(j.Cond)
	switch c.Kind {
	case plan.Inner:
		all := append(append([]plan.Expr{}, preds...), cond...)
		all = dedupe(all)
		if derive {
			all = append(all, inferEqual(all)...)
			all = append(all, impliedBySide(all, left, right)...)
		}
		for _, p := range all {
			switch {
			case !deterministic(p):
				on = append(on, p)
			case side(p, left, right) == 1:
				toLeft = append(toLeft, p)
			case side(p, left, right) == 2:
				toRight = append(toRight, p)
			default:
				on = append(on, p)
			}
		}
	case plan.LeftOuter, plan.LeftSemi, plan.LeftAnti, plan.NullAwareAnti, plan.Existence, plan.LeftSingle:
		for _, p := range preds {
			if s := side(p, left, right); s == 1 || s == 0 && c.Kind != plan.LeftSingle {
				toLeft = append(toLeft, p)
			} else {
				above = append(above, p)
			}
		}
		for _, p := range cond {
			s := side(p, left, right)
			switch {
			case !deterministic(p):
				on = append(on, p)
			case s == 2 && c.Kind != plan.NullAwareAnti:
				toRight = append(toRight, p)
			case s == 1 && c.Kind == plan.LeftSemi:
				toLeft = append(toLeft, p)
			default:
				on = append(on, p)
			}
		}
		if derive && c.Kind != plan.NullAwareAnti {
			// What holds for the left's keys may be demanded of the right's.
			toRight = append(toRight, onSide(inferEqual(append(append(keysOnly(on), constraints(j.Left)...), toLeft...)), left, right, 2)...)
			if c.Kind == plan.LeftSemi {
				toLeft = append(toLeft, onSide(inferEqual(append(append(keysOnly(on), constraints(j.Right)...), toRight...)), left, right, 1)...)
			}
		}
	case plan.RightOuter:
		for _, p := range preds {
			if s := side(p, left, right); s == 2 {
				toRight = append(toRight, p)
			} else {
				above = append(above, p)
			}
		}
		for _, p := range cond {
			if side(p, left, right) == 1 && deterministic(p) {
				toLeft = append(toLeft, p)
			} else {
				on = append(on, p)
			}
		}
		if derive {
			toLeft = append(toLeft, onSide(inferEqual(append(append(keysOnly(on), constraints(j.Right)...), toRight...)), left, right, 1)...)
		}
	default: // FullOuter
		above, on = preds, cond
	}
	var err error
	if derive {
		toLeft, toRight = fresh(toLeft, j.Left), fresh(toRight, j.Right)
	}
	if c.Left, err = o.push(j.Left, toLeft, derive); err != nil {
		return nil, err
	}
	if c.Right, err = o.push(j.Right, toRight, derive); err != nil {
		return nil, err
	}
	if c.Cond = and(dedupe(on)); cross && c.Cond == nil {
		c.Kind = plan.Cross
	}
	return filter(above, &c), nil
}

// fresh drops the conditions that a plan fulfils already.
func fresh(preds []plan.Expr, n plan.Node) []plan.Expr {
	if len(preds) == 0 {
		return nil
	}
	have := map[string]bool{}
	for _, e := range constraints(n) {
		have[key(e)] = true
	}
	var out []plan.Expr
	for _, p := range preds {
		if !have[key(p)] {
			out = append(out, p)
		}
	}
	return out
}

// narrow turns an outer join into a narrower one when the conditions above
// drop the rows that only the wider one makes.
func narrow(k plan.JoinType, preds []plan.Expr, left, right idSet) plan.JoinType {
	rejects := func(ids idSet) bool {
		for _, p := range preds {
			if rejectsNull(p, ids) {
				return true
			}
		}
		return false
	}
	switch k {
	case plan.LeftOuter:
		if rejects(right) {
			return plan.Inner
		}
	case plan.RightOuter:
		if rejects(left) {
			return plan.Inner
		}
	case plan.FullOuter:
		l, r := rejects(left), rejects(right)
		switch {
		case l && r:
			return plan.Inner
		case l:
			return plan.LeftOuter
		case r:
			return plan.RightOuter
		}
	}
	return k
}
