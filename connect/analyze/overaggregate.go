package analyze

import (
	"slices"

	"neptune/internal/errs"
	"neptune/internal/plan"
)

type overAgg struct {
	expr plan.Expr
	rel  *rel
}

// overAggregate resolves e above the aggregation that child is; the
// aggregation is extended by what e needs. ok is false when e is none of its business.
// check, where it isn't nil, may refuse e after it is resolved.
func (r *run) overAggregate(e plan.Expr, child *rel, outer *scope, check func(plan.Expr) error) (*overAgg, bool, error) {
	s := r.underScope(child.agg, child.out, child.dfs, outer)
	if child.agg.closed {
		s = r.closedScope(child, outer)
	}
	x, err := r.expr(e, s)
	if err != nil {
		if isUnresolvedColumn(err) && !child.agg.closed {
			return nil, false, nil
		}
		return nil, false, err
	}
	if check != nil {
		if err := check(x); err != nil {
			return nil, false, err
		}
	}
	x, extra, err := r.aboveAggregate(unalias(x), child.agg, child.agg.agg.List, child.out)
	if err != nil && isUnresolvedColumn(err) && outer != nil { // a column below that isn't grouped by hides none of the outer query
		o := relScope(child, outer)
		o.outerUsed = outerUsed(outer)
		if y, e2 := r.expr(e, o); e2 == nil {
			return &overAgg{unalias(y), child}, true, nil
		}
	}
	if err != nil {
		return nil, false, err
	}
	if len(extra) == 0 {
		var missing []*plan.Attr
		plan.Walk(x, func(k plan.Expr) bool {
			if a, ok := k.(*plan.Attr); ok && !hasID(child.out, a.ID) {
				missing = addAttr(missing, a)
			}
			return true
		})
		c := *child
		c.node = pull(child.node, missing)
		return &overAgg{x, &c}, true, nil
	}
	wide := *child.agg.agg
	wide.Child = pull(wide.Child, s.under.missing)
	wide.List = append(slices.Clone(wide.List), extra...)
	node := replaceNode(child.node, child.agg.agg, &wide)
	var missing []*plan.Attr
	plan.Walk(x, func(k plan.Expr) bool {
		if a, ok := k.(*plan.Attr); ok && !hasID(child.out, a.ID) {
			missing = addAttr(missing, a)
		}
		return true
	})
	c := *child
	g := *child.agg
	g.agg = &wide
	c.agg = &g
	c.node = pull(node, missing)
	return &overAgg{x, &c}, true, nil
}

// closedScope has the columns of a list and, as hidden ones, those that are grouped by.
func (r *run) closedScope(child *rel, outer *scope) *scope {
	s := &scope{out: child.out, dfs: child.dfs, outer: outer, outerUsed: outerUsed(outer), under: &scope{}}
	for _, g := range child.agg.agg.Group {
		if a, ok := g.(*plan.Attr); ok && !hasID(child.out, a.ID) {
			s.meta = addAttr(s.meta, a)
		}
	}
	return s
}

func replaceNode(n plan.Node, old, fresh plan.Node) plan.Node {
	if n == old {
		return fresh
	}
	k := n.Children()
	if len(k) != 1 {
		return n
	}
	c := replaceNode(k[0], old, fresh)
	if c == k[0] {
		return n
	}
	return n.WithChildren([]plan.Node{c})
}

// sortAggregate is ORDER BY right above an aggregation.
func (r *run) sortAggregate(n *plan.Sort, order []plan.SortOrder, child *rel, outer *scope) (*rel, bool, error) {
	if child.agg == nil {
		return nil, false, nil
	}
	out := child.out
	cur := child
	keys := make([]plan.SortOrder, len(order))
	var check func(plan.Expr) error
	if child.agg.closed {
		check = func(x plan.Expr) error {
			for _, bad := range []plan.Expr{firstAggregate(x), firstWindow(x)} {
				if bad != nil {
					return aerr("UNSUPPORTED_EXPR_FOR_OPERATOR", "operator", "Sort", "invalidExprSqls", r.quoted(bad)).At(bad.Pos())
				}
			}
			return nil
		}
	}
	for i, o := range order {
		if ord, ok := o.Child.(*plan.UnresolvedOrdinal); ok {
			e, err := r.ordinalKey(ord, out)
			if err != nil {
				return nil, false, err
			}
			o.Child = e
			keys[i] = o
			continue
		}
		x, ok, err := r.overAggregate(o.Child, &rel{node: cur.node, out: out, meta: cur.meta, dfs: cur.dfs, agg: cur.agg}, outer, check)
		if err != nil {
			return nil, false, err
		}
		if !ok {
			s := relScope(child, outer)
			s.outerUsed = outerUsed(outer)
			_, err := r.expr(o.Child, s)
			if err == nil {
				err = errs.Internalf("an ORDER BY key resolved only once")
			}
			return nil, false, err
		}
		cur = x.rel
		o.Child = x.expr
		if err := r.checkOrder(o); err != nil {
			return nil, false, err
		}
		keys[i] = o
	}
	list := make([]plan.Expr, len(keys))
	for i := range keys {
		list[i] = keys[i].Child
	}
	if err := r.checkPlacement("Sort", list...); err != nil {
		return nil, false, err
	}
	list, base, err := r.extractWindows(list, cur.node)
	if err != nil {
		return nil, false, err
	}
	for i := range keys {
		keys[i].Child = list[i]
	}
	var node plan.Node = &plan.Sort{Common: n.Common, Order: keys, Global: n.Global, Child: base}
	if len(base.Output()) != len(out) {
		node = projectTo(out, node)
	}
	return &rel{node: node, out: out, meta: child.meta, dfs: child.dfs}, true, nil
}

// filterAggregate is df.groupBy().agg().filter(): the condition may name what lies below.
func (r *run) filterAggregate(n *plan.Filter, child *rel, _ *plan.Aggregate, outer *scope) (*rel, bool, error) {
	if child.agg == nil {
		return nil, false, nil
	}
	s := relScope(child, outer)
	probe, err := r.expr(n.Cond, s)
	if err == nil && firstAggregate(probe) == nil || err != nil && !isUnresolvedColumn(err) {
		return nil, false, nil
	}
	x, ok, err := r.overAggregate(n.Cond, child, outer, nil)
	if err != nil || !ok {
		return nil, false, err
	}
	cond, err := r.mustBool(x.expr, "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN", n.Common)
	if err != nil {
		return nil, false, err
	}
	var node plan.Node = &plan.Filter{Common: n.Common, Cond: cond, Child: x.rel.node}
	if len(x.rel.node.Output()) != len(child.out) {
		node = projectTo(child.out, node)
	}
	return &rel{node: node, out: child.out, dfs: child.dfs}, true, nil
}
