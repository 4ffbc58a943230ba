package optimize

import (
	"fmt"

	"neptune/arrowexec/fn"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// The general way out of correlation: D, the distinct bindings of the outer
// columns, is joined into the inner plan, which then is no longer correlated
// and has D's columns in its output; the outer plan joins it on them, null
// equal to null.

// domainJoin returns the inner plan over the domain, and the conditions that tie it to child.
func (o *optimizer) domainJoin(child, inner plan.Node, corr []*plan.Attr) (plan.Node, []plan.Expr, error) {
	return new(domain).join(child, inner, corr)
}

func (d *domain) join(child, inner plan.Node, corr []*plan.Attr) (plan.Node, []plan.Expr, error) {
	d.attrs = corr
	copied := map[plan.ExprID]plan.ExprID{}
	for _, a := range corr {
		copied[a.ID] = plan.NewID()
	}
	src := freshen(&plan.Project{List: asExprs(corr), Child: child}, nil)
	// freshen renamed what child makes; corr's copies are at the same positions.
	got := src.Output()
	list := make([]plan.Expr, len(corr))
	for i, a := range corr {
		list[i] = &plan.Alias{Child: got[i], Names: []string{a.Name}, ID: copied[a.ID]}
	}
	d.node = distinct(&plan.Project{List: list, Child: src})
	n, cols, err := d.push(inner)
	if err != nil {
		return nil, nil, err
	}
	conds := make([]plan.Expr, len(corr))
	for i, a := range corr {
		op := "<=>"
		if !a.Null {
			op = "="
		}
		conds[i] = boolCall(op, a, cols[i])
	}
	return n, conds, nil
}

type domain struct {
	attrs []*plan.Attr // outer columns
	node  plan.Node    // their distinct bindings, in that order
	used  bool
	lost  bool // see lostCounts
}

// copy gives the domain under ids of its own.
func (d *domain) copy() (plan.Node, []*plan.Attr) {
	if !d.used {
		d.used = true
		return d.node, d.node.Output()
	}
	n := freshen(d.node, nil)
	return n, n.Output()
}

func (d *domain) ids() idSet { return idsOf(d.attrs) }

// bind puts the domain's columns in the place of the outer references.
func (d *domain) bind(e plan.Expr, cols []*plan.Attr) plan.Expr {
	return mapOuterExpr(e, func(a *plan.Attr) plan.Expr {
		for i, x := range d.attrs {
			if x.ID == a.ID {
				return cols[i]
			}
		}
		return nil
	})
}

func (d *domain) bindAll(list []plan.Expr, cols []*plan.Attr) []plan.Expr {
	out := make([]plan.Expr, len(list))
	for i, e := range list {
		out[i] = d.bind(e, cols)
	}
	return out
}

func (d *domain) bindOrder(list []plan.SortOrder, cols []*plan.Attr) []plan.SortOrder {
	out := append([]plan.SortOrder{}, list...)
	for i := range out {
		out[i].Child = d.bind(out[i].Child, cols)
	}
	return out
}

// push returns the plan joined with the domain and the columns there that hold the binding.
func (d *domain) push(n plan.Node) (plan.Node, []*plan.Attr, error) {
	if !correlated(n, d.ids()) {
		dn, cols := d.copy()
		return &plan.Join{Kind: plan.Cross, Left: dn, Right: n}, cols, nil
	}
	switch x := n.(type) {
	case *plan.Filter:
		child, cols, err := d.push(x.Child)
		if err != nil {
			return nil, nil, err
		}
		return &plan.Filter{Common: x.Common, Cond: d.bind(x.Cond, cols), Child: child}, cols, nil
	case *plan.Project:
		child, cols, err := d.push(x.Child)
		if err != nil {
			return nil, nil, err
		}
		return &plan.Project{Common: x.Common, List: append(d.bindAll(x.List, cols), asExprs(cols)...), Child: child}, cols, nil
	case *plan.Sort:
		return d.push(x.Child) // without a limit, order means nothing here
	case *plan.Aggregate:
		return d.pushAggregate(x)
	case *plan.Limit:
		return d.pushLimit(x)
	case *plan.Join:
		return d.pushJoin(x)
	case *plan.WindowNode:
		child, cols, err := d.push(x.Child)
		if err != nil {
			return nil, nil, err
		}
		part := append(d.bindAll(x.Partition, cols), asExprs(cols)...)
		list := d.bindAll(x.List, cols)
		for i, e := range list {
			a, ok := e.(*plan.Alias)
			if !ok {
				continue
			}
			if w, ok := a.Child.(*plan.Window); ok {
				c := *w
				c.Partition = append(append([]plan.Expr{}, w.Partition...), asExprs(cols)...)
				list[i] = a.WithChildren([]plan.Expr{&c})
			}
		}
		return &plan.WindowNode{Common: x.Common, List: list, Partition: part, Order: d.bindOrder(x.Order, cols), Child: child}, cols, nil
	case *plan.Generate:
		child, cols, err := d.push(x.Child)
		if err != nil {
			return nil, nil, err
		}
		c := *x
		c.Gen, c.Child = d.bind(x.Gen, cols), child
		if x.Required != nil {
			c.Required = append(slicesClone(x.Required), cols...)
		}
		return &c, cols, nil
	case *plan.Expand:
		child, cols, err := d.push(x.Child)
		if err != nil {
			return nil, nil, err
		}
		c := *x
		c.Projections = make([][]plan.Expr, len(x.Projections))
		for i, p := range x.Projections {
			c.Projections[i] = append(d.bindAll(p, cols), asExprs(cols)...)
		}
		c.Out, c.Child = append(slicesClone(x.Out), cols...), child
		return &c, cols, nil
	case *plan.SetOperation:
		if x.Op == plan.UnionOp && x.All {
			return d.pushUnion(x)
		}
	}
	return nil, nil, errs.NotSupported(fmt.Sprintf("correlated subquery over %s", nodeName(n)))
}

func (d *domain) pushUnion(u *plan.SetOperation) (plan.Node, []*plan.Attr, error) {
	c := *u
	c.Inputs = make([]plan.Node, len(u.Inputs))
	for i, in := range u.Inputs {
		n, cols, err := d.push(in)
		if err != nil {
			return nil, nil, err
		}
		c.Inputs[i] = restore(n, append(slicesClone(in.Output()), cols...))
	}
	var out []*plan.Attr
	for _, a := range d.attrs {
		out = append(out, &plan.Attr{ID: plan.NewID(), Name: a.Name, T: a.T, Null: true})
	}
	c.Out = append(slicesClone(u.Out), out...)
	return &c, out, nil
}

func (d *domain) pushAggregate(a *plan.Aggregate) (plan.Node, []*plan.Attr, error) {
	child, cols, err := d.push(a.Child)
	if err != nil {
		return nil, nil, err
	}
	list := d.bindAll(a.List, cols)
	group := append(d.bindAll(a.Group, cols), asExprs(cols)...)
	if len(a.Group) > 0 || d.lost {
		return &plan.Aggregate{Common: a.Common, Group: group, List: append(list, asExprs(cols)...), Child: child}, cols, nil
	}
	// A binding without rows has a result too: bring the domain back.
	mark := newAlias("found", trueLit)
	inner := &plan.Aggregate{Common: a.Common, Group: group, Child: child}
	found := plan.ToAttr(mark)
	found.Null = true
	outerNode, outerCols := d.copy()
	top := asExprs(outerCols)
	for _, e := range list {
		at := plan.ToAttr(e)
		al := newAlias(at.Name, unalias(e))
		inner.List = append(inner.List, al)
		v := plan.ToAttr(al)
		v.Null = true
		empty := replaceCols(simplifyEmpty(overNothing(unalias(e))), cols, outerCols)
		var val plan.Expr = v
		if !isNull(empty) {
			val = &plan.Case{When: []plan.Expr{boolCall("isnull", found)}, Then: []plan.Expr{empty}, Else: v}
		}
		top = append(top, &plan.Alias{Child: val, Names: []string{at.Name}, ID: at.ID, Qualifier: at.Qualifier})
	}
	inner.List = append(inner.List, asExprs(cols)...)
	marked := &plan.Project{List: append(asExprs(inner.Output()), mark), Child: inner}
	conds := make([]plan.Expr, len(cols))
	for i := range cols {
		conds[i] = boolCall("<=>", outerCols[i], cols[i])
	}
	j := &plan.Join{Kind: plan.LeftOuter, Left: outerNode, Right: marked, Cond: and(conds)}
	return &plan.Project{List: top, Child: j}, outerCols, nil
}

func replaceCols(e plan.Expr, from, to []*plan.Attr) plan.Expr {
	m := map[plan.ExprID]plan.Expr{}
	for i := range from {
		m[from[i].ID] = to[i]
	}
	return replace(e, m)
}

// pushLimit keeps the first rows of each binding.
func (d *domain) pushLimit(l *plan.Limit) (plan.Node, []*plan.Attr, error) {
	if l.Tail {
		return nil, nil, errs.NotSupported("correlated subquery over Tail")
	}
	var order []plan.SortOrder
	input := l.Child
	var proj *plan.Project
	if p, ok := input.(*plan.Project); ok {
		if _, ok := p.Child.(*plan.Sort); ok {
			proj, input = p, p.Child
		}
	}
	if s, ok := input.(*plan.Sort); ok {
		order, input = s.Order, s.Child
	}
	child, cols, err := d.push(input)
	if err != nil {
		return nil, nil, err
	}
	n, rn := rowNumber(child, asExprs(cols), d.bindOrder(order, cols))
	var conds []plan.Expr
	if l.N != nil {
		top := l.N
		if l.Offset != nil {
			top = call("+", types.Int32Type, l.N, l.Offset)
		}
		conds = append(conds, boolCall("<=", rn, top))
	}
	if l.Offset != nil {
		conds = append(conds, boolCall(">", rn, l.Offset))
	}
	n = filter(conds, n)
	if proj != nil {
		return &plan.Project{List: append(d.bindAll(proj.List, cols), asExprs(cols)...), Child: n}, cols, nil
	}
	return restore(n, append(slicesClone(l.Output()), cols...)), cols, nil
}

func (d *domain) pushJoin(j *plan.Join) (plan.Node, []*plan.Attr, error) {
	ids := d.ids()
	lc, rc := correlated(j.Left, ids), correlated(j.Right, ids)
	c := *j
	switch j.Kind {
	case plan.Inner, plan.Cross:
		if c.Kind == plan.Cross {
			c.Kind = plan.Inner
		}
		if lc && rc {
			break
		}
		if rc {
			r, cols, err := d.push(j.Right)
			if err != nil {
				return nil, nil, err
			}
			c.Right, c.Cond = r, bindCond(d, j.Cond, cols)
			return &c, cols, nil
		}
		l, cols, err := d.push(j.Left)
		if err != nil {
			return nil, nil, err
		}
		c.Left, c.Cond = l, bindCond(d, j.Cond, cols)
		return &c, cols, nil
	case plan.LeftOuter, plan.LeftSemi, plan.LeftAnti, plan.Existence, plan.LeftSingle:
		if rc {
			break
		}
		l, cols, err := d.push(j.Left)
		if err != nil {
			return nil, nil, err
		}
		c.Left, c.Cond = l, bindCond(d, j.Cond, cols)
		return &c, cols, nil
	case plan.RightOuter:
		if lc {
			break
		}
		r, cols, err := d.push(j.Right)
		if err != nil {
			return nil, nil, err
		}
		c.Right, c.Cond = r, bindCond(d, j.Cond, cols)
		return &c, cols, nil
	case plan.FullOuter:
		return nil, nil, errs.NotSupported("correlated subquery over a full outer join")
	case plan.NullAwareAnti:
		// As an anti join over comparisons that are true or null.
		c.Kind = plan.LeftAnti
		conds := split(j.Cond)
		for i, e := range conds {
			conds[i] = boolCall("or", e, boolCall("isnull", e))
		}
		c.Cond = and(conds)
		return d.pushJoin(&c)
	}
	// Both sides over the domain, tied to each other.
	l, lcols, err := d.push(j.Left)
	if err != nil {
		return nil, nil, err
	}
	r, rcols, err := d.push(j.Right)
	if err != nil {
		return nil, nil, err
	}
	cols := lcols
	if j.Kind == plan.RightOuter {
		cols = rcols
	}
	conds := split(bindCond(d, j.Cond, cols))
	for i := range lcols {
		conds = append(conds, boolCall("<=>", lcols[i], rcols[i]))
	}
	c.Left, c.Right, c.Cond = l, r, and(conds)
	return &c, cols, nil
}

func bindCond(d *domain, e plan.Expr, cols []*plan.Attr) plan.Expr {
	if e == nil {
		return nil
	}
	return d.bind(e, cols)
}

// emptyValue is an aggregate call's result over no rows.
func emptyValue(e plan.Expr) plan.Expr {
	c, ok := e.(*plan.Call)
	if !ok {
		return nullLit(e.Type())
	}
	d := fn.Lookup(c.Name)
	if d != nil && d.Agg != nil && d.Agg.EmptyOf != nil {
		return &plan.Literal{T: c.T, Value: d.Agg.EmptyOf(c)}
	}
	if d != nil && d.Agg != nil && d.Agg.Empty != nil {
		return &plan.Literal{T: c.T, Value: d.Agg.Empty}
	}
	switch c.Name {
	case "count", "count_if", "regr_count", "approx_count_distinct":
		return &plan.Literal{T: c.T, Value: int64(0)}
	}
	return nullLit(e.Type())
}

// nodeName is a logical node's name for messages: its Go type's.
func nodeName(n plan.Node) string {
	s := fmt.Sprintf("%T", n)
	for i := len(s) - 1; i >= 0; i-- {
		if s[i] == '.' {
			return s[i+1:]
		}
	}
	return s
}
