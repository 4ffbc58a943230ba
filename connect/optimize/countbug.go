package optimize

import (
	"strings"

	"neptune/internal/plan"
)

// A global aggregate gives a row over no rows; grouped by what ties it to the
// outer query it gives none, the "count bug". Session keys bring back the
// answers of older releases of Spark, that had it.

// lostCounts are those answers, where a session asks for them.
type lostCounts struct {
	predicate bool // EXISTS and IN: a binding without rows has no row of an aggregate
	scalar    bool // so too for the aggregates below the top of a scalar subquery
	lateral   bool // and those of a lateral join
	grouped   bool // a scalar subquery that has GROUP BY on top gives, without rows, what it would without GROUP BY
}

func (c Conf) lostCounts() lostCounts {
	is := func(key, value string) bool { return strings.EqualFold(c.Keys[key], value) }
	old := is("spark.sql.optimizer.decorrelateInnerQuery.enabled", "false")
	return lostCounts{
		predicate: old || is("spark.sql.optimizer.decorrelateExistsSubqueryLegacyIncorrectCountHandling.enabled", "true"),
		scalar:    old || is("spark.sql.legacy.scalarSubqueryCountBugBehavior", "true"),
		lateral:   old,
		grouped:   is("spark.sql.optimizer.decorrelateSubqueryLegacyIncorrectCountHandling.enabled", "true"),
	}
}

// lostScalar joins a correlated scalar subquery as an older release would; ok
// is false for one whose value is the same today.
func (o *optimizer) lostScalar(child, inner plan.Node, mine idSet, corr []*plan.Attr) (plan.Node, plan.Expr, bool, error) {
	lost := o.conf.lostCounts()
	value, agg := aggregateOnTop(inner)
	switch {
	case agg == nil:
		if !lost.scalar || !hasGlobalAggregate(inner) {
			return nil, nil, false, nil
		}
	case len(agg.Group) > 0 && !lost.grouped, len(agg.Group) == 0 && !lost.scalar:
		return nil, nil, false, nil
	}
	j := &plan.Join{Kind: plan.LeftSingle, Left: child}
	var empty plan.Expr
	var mark *plan.Alias
	if agg != nil {
		empty = simplifyEmpty(overNoGroup(value, agg))
		mark = newAlias("found", trueLit)
		inner = &plan.Project{List: []plan.Expr{newAlias("value", value), mark}, Child: agg}
	}
	cols := inner.Output()
	right, conds, ok := pullUp(inner, mine, true)
	if ok {
		for i, p := range conds {
			conds[i] = unOuter(p, mine)
		}
	} else {
		var err error
		d := domain{lost: lost.scalar}
		if right, conds, err = d.join(child, inner, corr); err != nil {
			return nil, nil, false, err
		}
	}
	j.Right, j.Cond = right, and(conds)
	at := *cols[0]
	at.Null = true
	if agg == nil || isNull(empty) {
		return j, &at, true, nil
	}
	found := plan.ToAttr(mark)
	found.Null = true
	return j, &plan.Case{When: []plan.Expr{boolCall("isnull", found)}, Then: []plan.Expr{empty}, Else: &at}, true, nil
}

// aggregateOnTop finds the aggregation below projections and conditions, and
// the first column's value in terms of it: null where a condition fails.
func aggregateOnTop(n plan.Node) (plan.Expr, *plan.Aggregate) {
	var walk func(n plan.Node, value plan.Expr, conds []plan.Expr) (plan.Expr, *plan.Aggregate)
	walk = func(n plan.Node, value plan.Expr, conds []plan.Expr) (plan.Expr, *plan.Aggregate) {
		switch x := n.(type) {
		case *plan.Project:
			below := defs(x.List)
			fresh := make([]plan.Expr, len(conds))
			for i, c := range conds {
				fresh[i] = replace(c, below)
			}
			return walk(x.Child, replace(value, below), fresh)
		case *plan.Filter:
			return walk(x.Child, value, append(conds, x.Cond))
		case *plan.Aggregate:
			if len(conds) > 0 {
				value = &plan.Case{When: []plan.Expr{and(conds)}, Then: []plan.Expr{value}, Else: nullLit(value.Type())}
			}
			return value, x
		}
		return nil, nil
	}
	return walk(n, n.Output()[0], nil)
}

// overNoGroup is an expression over an aggregation's columns where there are
// no rows: keys are null, and aggregates what they are over nothing.
func overNoGroup(e plan.Expr, a *plan.Aggregate) plan.Expr {
	nulls := map[plan.ExprID]plan.Expr{}
	for _, c := range a.Child.Output() {
		nulls[c.ID] = nullLit(c.T)
	}
	m := map[plan.ExprID]plan.Expr{}
	for _, l := range a.List {
		m[plan.ToAttr(l).ID] = replace(overNothing(unalias(l)), nulls)
	}
	return replace(e, m)
}
