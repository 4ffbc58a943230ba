package optimize

import (
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Subqueries become joins here. Where the correlated conditions can be lifted
// out of the inner plan they simply become the join's condition (pullup.go);
// otherwise the inner plan is computed for each distinct binding of the outer
// columns at once, by joining it with their domain (domain.go; the method is
// that of Neumann and Kemper, "Unnesting Arbitrary Queries", BTW 2015).

// subqueries removes every Subquery and OuterRef that a node's own inputs can satisfy.
func (o *optimizer) subqueries(n plan.Node) (plan.Node, error) {
	return plan.TransformUp(n, func(n plan.Node) (plan.Node, error) {
		if j, ok := n.(*plan.Join); ok && j.Lateral {
			return o.lateral(j)
		}
		has := false
		for _, e := range n.Exprs() {
			has = has || hasSubquery(e)
		}
		if !has {
			return n, nil
		}
		switch x := n.(type) {
		case *plan.Filter:
			return o.filterSubqueries(x)
		case *plan.Join:
			return o.joinSubqueries(x)
		}
		kids := n.Children()
		if len(kids) != 1 {
			return nil, errs.NotSupported("subquery in this place")
		}
		if a, ok := n.(*plan.Aggregate); ok {
			return o.aggregateSubqueries(a)
		}
		child := kids[0]
		want := n.Output()
		m, err := plan.TransformExprs(n, func(e plan.Expr) (plan.Expr, error) {
			s, ok := e.(*plan.Subquery)
			if !ok {
				return e, nil
			}
			var repl plan.Expr
			var err error
			child, repl, err = o.attach(child, s, false)
			return repl, err
		})
		if err != nil {
			return nil, err
		}
		return restore(m.WithChildren([]plan.Node{child}), want), nil
	})
}

// aggregateSubqueries computes each subquery below and, where it stands
// outside aggregate calls and its value is the same for all rows, passes it
// through the aggregation.
func (o *optimizer) aggregateSubqueries(a *plan.Aggregate) (plan.Node, error) {
	child := a.Child
	repl := map[string]plan.Expr{}
	var pass []*plan.Attr
	one := func(s *plan.Subquery) (plan.Expr, error) {
		k := key(s)
		if r, ok := repl[k]; ok {
			return r, nil
		}
		var r plan.Expr
		var err error
		if child, r, err = o.attach(child, s, false); err != nil {
			return nil, err
		}
		repl[k] = r
		return r, nil
	}
	group := make([]plan.Expr, len(a.Group))
	byKey := map[string]plan.Expr{}
	for i, g := range a.Group {
		e, err := plan.Transform(g, func(e plan.Expr) (plan.Expr, error) {
			if s, ok := e.(*plan.Subquery); ok {
				return one(s)
			}
			return e, nil
		})
		if err != nil {
			return nil, err
		}
		group[i] = e
		byKey[key(g)] = e
	}
	var rewrite func(e plan.Expr, inside bool) (plan.Expr, error)
	rewrite = func(e plan.Expr, inside bool) (plan.Expr, error) {
		if s, ok := e.(*plan.Subquery); ok {
			r, err := one(s)
			if err != nil {
				return nil, err
			}
			if !inside && byKey[key(s)] == nil {
				for id := range refs(r) {
					for _, at := range child.Output() {
						if at.ID == id {
							pass = append(pass, at)
						}
					}
				}
			}
			return r, nil
		}
		inside = inside || isAggregate(e)
		kids := e.Children()
		if len(kids) == 0 {
			return e, nil
		}
		fresh := make([]plan.Expr, len(kids))
		for i, k := range kids {
			var err error
			if fresh[i], err = rewrite(k, inside); err != nil {
				return nil, err
			}
		}
		return e.WithChildren(fresh), nil
	}
	list := make([]plan.Expr, len(a.List))
	for i, e := range a.List {
		var err error
		if list[i], err = rewrite(e, false); err != nil {
			return nil, err
		}
	}
	have := refs(group...)
	global := len(group) == 0
	for _, p := range pass {
		if have.has(p.ID) {
			continue
		}
		have.add(p.ID)
		if global {
			// No groups: over no rows there must still be one row. first() keeps that.
			for i := range list {
				list[i] = replaceOutside(list[i], p.ID, firstOf(p))
			}
			continue
		}
		group = append(group, p)
	}
	c := *a
	c.Group, c.List, c.Child = group, list, child
	return &c, nil
}

// replaceOutside replaces a column where it stands outside aggregate calls.
func replaceOutside(e plan.Expr, id plan.ExprID, by plan.Expr) plan.Expr {
	if a, ok := e.(*plan.Attr); ok && a.ID == id {
		return by
	}
	kids := e.Children()
	if isAggregate(e) || len(kids) == 0 {
		return e
	}
	fresh := make([]plan.Expr, len(kids))
	for i, k := range kids {
		fresh[i] = replaceOutside(k, id, by)
	}
	return e.WithChildren(fresh)
}

// filterSubqueries handles WHERE and HAVING, conjunct by conjunct.
func (o *optimizer) filterSubqueries(f *plan.Filter) (plan.Node, error) {
	want := f.Child.Output()
	var plainConds, rest []plan.Expr
	for _, c := range split(f.Cond) {
		c = pushNot(c)
		for _, p := range split(c) {
			if hasSubquery(p) {
				rest = append(rest, p)
			} else {
				plainConds = append(plainConds, p)
			}
		}
	}
	child := filter(plainConds, f.Child)
	// Scalar subqueries first: they only add columns, and their conditions filter.
	var direct, above []plan.Expr
	for _, c := range rest {
		if s, _ := asTest(c); s != nil && !anySubquery(s.Values) {
			direct = append(direct, c)
			continue
		}
		r, err := o.replaceSubqueries(&child, c, true)
		if err != nil {
			return nil, err
		}
		above = append(above, r)
	}
	child = filter(above, child)
	for _, c := range direct {
		s, negated := asTest(c)
		var err error
		if child, err = o.testJoin(child, s, negated, nil); err != nil {
			return nil, err
		}
	}
	return restore(child, want), nil
}

func anySubquery(list []plan.Expr) bool {
	for _, e := range list {
		if hasSubquery(e) {
			return true
		}
	}
	return false
}

// asTest recognises [NOT] EXISTS and [NOT] IN.
func asTest(e plan.Expr) (s *plan.Subquery, negated bool) {
	for {
		if c, ok := isCall(e, "not"); ok {
			e, negated = c.Args[0], !negated
			continue
		}
		s, ok := e.(*plan.Subquery)
		if !ok || s.Kind != plan.ExistsSubquery && s.Kind != plan.InSubquery {
			return nil, false
		}
		return s, negated != s.Not
	}
}

// replaceSubqueries puts columns in the place of the subqueries of a condition,
// joining what they stand for to child. positive: a null result counts as false here.
func (o *optimizer) replaceSubqueries(child *plan.Node, e plan.Expr, positive bool) (plan.Expr, error) {
	if c, ok := e.(*plan.Call); ok && (c.Name == "and" || c.Name == "or") {
		fresh := make([]plan.Expr, len(c.Args))
		for i, a := range c.Args {
			var err error
			if fresh[i], err = o.replaceSubqueries(child, a, positive); err != nil {
				return nil, err
			}
		}
		return c.WithChildren(fresh), nil
	}
	if s, negated := asTest(e); s != nil && positive && !anySubquery(s.Values) {
		ex := &plan.Attr{ID: plan.NewID(), Name: "exists", T: types.BoolType}
		var err error
		if *child, err = o.testJoin(*child, s, negated, ex); err != nil {
			return nil, err
		}
		if negated {
			return not(ex), nil
		}
		return ex, nil
	}
	return plan.Transform(e, func(e plan.Expr) (plan.Expr, error) {
		s, ok := e.(*plan.Subquery)
		if !ok {
			return e, nil
		}
		c, r, err := o.attach(*child, s, false)
		*child = c
		return r, err
	})
}

// attach joins a subquery's value to child and returns the expression that holds it.
func (o *optimizer) attach(child plan.Node, s *plan.Subquery, _ bool) (plan.Node, plan.Expr, error) {
	switch s.Kind {
	case plan.ScalarSubquery:
		return o.scalar(child, s)
	case plan.ExistsSubquery:
		ex := &plan.Attr{ID: plan.NewID(), Name: "exists", T: types.BoolType}
		n, err := o.testJoin(child, s, false, ex)
		if s.Not {
			return n, not(ex), err
		}
		return n, ex, err
	case plan.InSubquery:
		// true where a row equals; else null where a comparison is null; else false.
		ex := &plan.Attr{ID: plan.NewID(), Name: "exists", T: types.BoolType}
		n, err := o.testJoin(child, s, false, ex)
		if err != nil {
			return nil, nil, err
		}
		maybe := &plan.Attr{ID: plan.NewID(), Name: "exists", T: types.BoolType}
		if n, err = o.testJoin(n, s, true, maybe); err != nil {
			return nil, nil, err
		}
		var e plan.Expr = &plan.Case{When: []plan.Expr{ex, maybe}, Then: []plan.Expr{trueLit, nullLit(types.BoolType)}, Else: falseLit}
		if s.Not {
			e = not(e)
		}
		return n, e, nil
	}
	return nil, nil, errs.NotSupported("table argument in this place").At(s.Pos())
}

// testJoin makes the join of [NOT] EXISTS or [NOT] IN. exists nil: a semi or
// anti join that keeps the rows that pass. Otherwise an Existence join that adds
// the column: whether a row matches or, with negated, whether one may match
// (equal or unknown): the caller negates.
func (o *optimizer) testJoin(child plan.Node, s *plan.Subquery, negated bool, exists *plan.Attr) (plan.Node, error) {
	inner, err := o.subqueries(freshen(s.Plan, nil))
	if err != nil {
		return nil, err
	}
	inner = dropLimit(inner)
	mine := idsOf(child.Output())
	corr := own(outerRefs(inner), mine)
	cols := inner.Output()
	var conds []plan.Expr
	if len(corr) > 0 {
		lost := o.conf.lostCounts().predicate
		pulled, preds, ok := pullUp(inner, mine, lost)
		if ok {
			inner = pulled
			for _, p := range preds {
				conds = append(conds, unOuter(p, mine))
			}
		} else if inner, conds, err = (&domain{lost: lost}).join(child, inner, corr); err != nil {
			return nil, err
		}
	}
	j := &plan.Join{Kind: plan.LeftSemi, Left: child, Right: inner, Exists: exists}
	switch {
	case exists != nil:
		j.Kind = plan.Existence
	case negated:
		j.Kind = plan.LeftAnti
	}
	if s.Kind == plan.InSubquery {
		if len(s.Values) > len(cols) {
			return nil, errs.Internalf("IN with %d values over %d columns", len(s.Values), len(cols))
		}
		var eqs []plan.Expr
		plain := true
		for i, v := range s.Values {
			eq := boolCall("=", v, cols[i])
			if negated && (v.Nullable() || cols[i].Nullable()) {
				plain = false
			}
			eqs = append(eqs, eq)
		}
		switch {
		case plain:
			conds = append(eqs, conds...)
		case exists == nil && len(eqs) == 1 && len(conds) == 0:
			j.Kind = plan.NullAwareAnti
			conds = eqs
		default:
			for i, eq := range eqs {
				eqs[i] = boolCall("or", eq, boolCall("isnull", eq))
			}
			conds = append(conds, eqs...)
		}
	}
	j.Cond = and(conds)
	return j, nil
}

// dropLimit takes away what doesn't matter to whether there are rows.
func dropLimit(n plan.Node) plan.Node {
	if s, ok := n.(*plan.Sort); ok {
		return dropLimit(s.Child)
	}
	return n
}

// own are those of the attributes that a set has.
func own(attrs []*plan.Attr, ids idSet) []*plan.Attr {
	var out []*plan.Attr
	for _, a := range attrs {
		if ids.has(a.ID) {
			out = append(out, a)
		}
	}
	return out
}

// unOuter makes plain columns of the outer references that ids has.
func unOuter(e plan.Expr, ids idSet) plan.Expr {
	return mapOuterExpr(e, func(a *plan.Attr) plan.Expr {
		if ids.has(a.ID) {
			return a
		}
		return nil
	})
}

// scalar joins a scalar subquery's one value.
func (o *optimizer) scalar(child plan.Node, s *plan.Subquery) (plan.Node, plan.Expr, error) {
	inner, err := o.subqueries(freshen(s.Plan, nil))
	if err != nil {
		return nil, nil, err
	}
	mine := idsOf(child.Output())
	corr := own(outerRefs(inner), mine)
	value := inner.Output()[0]
	nullableValue := *value
	nullableValue.Null = true
	if len(corr) == 0 {
		if len(outerRefs(inner)) == 0 {
			if e, ok := constantRow(inner); ok {
				return child, e, nil
			}
		}
		j := &plan.Join{Kind: plan.LeftSingle, Left: child, Right: inner}
		switch lo, hi := rowBounds(inner); {
		case lo == 1 && hi == 1:
			j.Kind = plan.Cross
			return j, value, nil
		case hi <= 1:
			j.Kind = plan.LeftOuter
		}
		return j, &nullableValue, nil
	}
	if e, ok := constantRow(inner); ok {
		return child, unOuter(e, mine), nil
	}
	if n, e, ok, err := o.lostScalar(child, inner, mine, corr); ok || err != nil {
		return n, e, err
	}
	if empty, ok := valueOverNothing(inner); ok {
		if pulled, preds, ok := pullUp(inner, mine, true); ok {
			conds := make([]plan.Expr, len(preds))
			for i, p := range preds {
				conds[i] = unOuter(p, mine)
			}
			j := &plan.Join{Kind: plan.LeftOuter, Left: child, Right: pulled, Cond: and(conds)}
			if isNull(empty) {
				return j, &nullableValue, nil
			}
			// The group may not exist: then the value is the aggregate's over no rows.
			mark := newAlias("found", trueLit)
			j.Right = &plan.Project{List: append(asExprs(pulled.Output()), mark), Child: pulled}
			found := plan.ToAttr(mark)
			found.Null = true
			e := &plan.Case{When: []plan.Expr{boolCall("isnull", found)}, Then: []plan.Expr{empty}, Else: &nullableValue}
			return j, e, nil
		}
	} else if !hasGlobalAggregate(inner) {
		if pulled, preds, ok := pullUp(inner, mine, false); ok {
			conds := make([]plan.Expr, len(preds))
			for i, p := range preds {
				conds[i] = unOuter(p, mine)
			}
			j := &plan.Join{Kind: plan.LeftSingle, Left: child, Right: pulled, Cond: and(conds)}
			return j, &nullableValue, nil
		}
	}
	_, hi := rowBounds(inner)
	inner, conds, err := o.domainJoin(child, inner, corr)
	if err != nil {
		return nil, nil, err
	}
	j := &plan.Join{Kind: plan.LeftSingle, Left: child, Right: inner, Cond: and(conds)}
	if hi <= 1 {
		j.Kind = plan.LeftOuter // one row a binding
	}
	return j, &nullableValue, nil
}

// constantRow recognises SELECT e without FROM: the value is e itself.
func constantRow(n plan.Node) (plan.Expr, bool) {
	p, ok := n.(*plan.Project)
	if !ok || len(p.List) == 0 || !deterministic(p.List...) {
		return nil, false
	}
	if _, ok := p.Child.(*plan.OneRow); ok {
		return unalias(p.List[0]), true
	}
	if below, ok := p.Child.(*plan.Project); ok {
		if _, ok := below.Child.(*plan.OneRow); ok && deterministic(below.List...) {
			return replace(unalias(p.List[0]), defs(below.List)), true
		}
	}
	return nil, false
}

// rowBounds is how many rows a plan gives at least and at most.
func rowBounds(n plan.Node) (lo, hi int64) {
	const many = int64(1) << 60
	switch x := n.(type) {
	case *plan.OneRow:
		return 1, 1
	case *plan.Project:
		return rowBounds(x.Child)
	case *plan.Sort:
		return rowBounds(x.Child)
	case *plan.WindowNode:
		return rowBounds(x.Child)
	case *plan.Filter:
		_, hi := rowBounds(x.Child)
		return 0, hi
	case *plan.Aggregate:
		if len(x.Group) == 0 {
			return 1, 1
		}
		lo, hi := rowBounds(x.Child)
		return min(lo, 1), hi
	case *plan.Limit:
		lo, hi := rowBounds(x.Child)
		if l, ok := x.N.(*plan.Literal); ok {
			if v, ok := asInt(l.Value); ok {
				if x.Offset != nil {
					lo = 0
				}
				return min(lo, v), min(hi, v)
			}
		}
		return 0, hi
	case *plan.Join:
		if x.Kind == plan.Cross || x.Kind == plan.Inner && x.Cond == nil {
			ll, lh := rowBounds(x.Left)
			rl, rh := rowBounds(x.Right)
			if lh <= 1 && rh <= 1 {
				return ll * rl, lh * rh
			}
			return 0, many
		}
		if x.Kind == plan.LeftSingle || x.Kind == plan.Existence {
			return rowBounds(x.Left)
		}
		if x.Kind == plan.LeftSemi || x.Kind == plan.LeftAnti || x.Kind == plan.NullAwareAnti {
			_, hi := rowBounds(x.Left)
			return 0, hi
		}
	}
	return 0, many
}

// joinSubqueries handles ON conditions with subqueries.
func (o *optimizer) joinSubqueries(j *plan.Join) (plan.Node, error) {
	want := j.Output()
	var plainConds, rest []plan.Expr
	for _, c := range split(j.Cond) {
		if hasSubquery(c) {
			rest = append(rest, c)
		} else {
			plainConds = append(plainConds, c)
		}
	}
	c := *j
	left, right := idsOf(j.Left.Output()), idsOf(j.Right.Output())
	if j.Kind == plan.Inner || j.Kind == plan.Cross {
		c.Kind = plan.Inner
		c.Cond = and(plainConds)
		f, err := o.filterSubqueries(&plan.Filter{Cond: and(rest), Child: &c})
		if err != nil {
			return nil, err
		}
		return restore(f, want), nil
	}
	for _, e := range rest {
		used := refs(e)
		for _, a := range outsideOf(e) {
			used.add(a.ID)
		}
		switch {
		case !used.meets(left) && j.Kind != plan.RightOuter && j.Kind != plan.FullOuter:
			f, err := o.filterSubqueries(&plan.Filter{Cond: e, Child: c.Right})
			if err != nil {
				return nil, err
			}
			c.Right = f
		case !used.meets(right):
			// Computed on the left, and tested by the join.
			var n = c.Left
			r, err := o.replaceSubqueries(&n, e, false)
			if err != nil {
				return nil, err
			}
			c.Left = n
			plainConds = append(plainConds, r)
		case !used.meets(left):
			var n = c.Right
			r, err := o.replaceSubqueries(&n, e, false)
			if err != nil {
				return nil, err
			}
			c.Right = n
			plainConds = append(plainConds, r)
		default:
			return nil, errs.NotSupported("subquery over both sides in the condition of an outer join").At(e.Pos())
		}
	}
	c.Cond = and(plainConds)
	return restore(&c, want), nil
}

// outsideOf lists the outer references of the subqueries in an expression.
func outsideOf(e plan.Expr) []*plan.Attr {
	var out []*plan.Attr
	plan.Walk(e, func(e plan.Expr) bool {
		if s, ok := e.(*plan.Subquery); ok && s.Plan != nil {
			out = append(out, outerRefs(s.Plan)...)
		}
		return true
	})
	return out
}

// lateral removes a LATERAL join.
func (o *optimizer) lateral(j *plan.Join) (plan.Node, error) {
	want := j.Output()
	c := *j
	c.Lateral = false
	mine := idsOf(j.Left.Output())
	right := j.Right
	corr := own(outerRefs(right), mine)
	if len(corr) == 0 {
		return o.subqueries(&c)
	}
	if j.Kind == plan.Inner || j.Kind == plan.Cross {
		if n, ok := graft(right, j.Left, mine); ok {
			return restore(filter(split(j.Cond), n), want), nil
		}
	}
	var conds []plan.Expr
	lost := o.conf.lostCounts().lateral
	if pulled, preds, ok := pullUp(right, mine, lost); ok {
		c.Right = pulled
		for _, p := range preds {
			conds = append(conds, unOuter(p, mine))
		}
	} else {
		inner, eqs, err := (&domain{lost: lost}).join(j.Left, right, corr)
		if err != nil {
			return nil, err
		}
		c.Right, conds = inner, eqs
	}
	c.Cond = and(append(conds, split(j.Cond)...))
	if c.Kind == plan.Cross {
		c.Kind = plan.Inner
	}
	return restore(&c, want), nil
}

// graft puts the left plan in the place of the one row that a lateral plan of
// projections, filters and generators starts from.
func graft(n, left plan.Node, mine idSet) (plan.Node, bool) {
	at := func(e plan.Expr) plan.Expr { return unOuter(e, mine) }
	switch x := n.(type) {
	case *plan.OneRow:
		return left, true
	case *plan.Project:
		child, ok := graft(x.Child, left, mine)
		if !ok {
			return nil, false
		}
		list := asExprs(left.Output())
		for _, e := range x.List {
			list = append(list, at(e))
		}
		return &plan.Project{Common: x.Common, List: list, Child: child}, true
	case *plan.Filter:
		child, ok := graft(x.Child, left, mine)
		if !ok {
			return nil, false
		}
		return &plan.Filter{Common: x.Common, Cond: at(x.Cond), Child: child}, true
	case *plan.Generate:
		child, ok := graft(x.Child, left, mine)
		if !ok {
			return nil, false
		}
		c := *x
		c.Gen, c.Child = at(x.Gen), child
		if x.Required != nil {
			c.Required = append(slicesClone(left.Output()), x.Required...)
		}
		return &c, true
	}
	return nil, false
}

func slicesClone(l []*plan.Attr) []*plan.Attr { return append([]*plan.Attr{}, l...) }
