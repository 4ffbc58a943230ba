package analyze

import (
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Where subqueries, functions of SQL text and expressions that differ each
// time may stand: not in every operator that takes expressions.

// checkPlacement refuses in an operator other than a projection, a filter or
// an aggregation what only those take.
func (r *run) checkPlacement(operator string, list ...plan.Expr) error {
	for _, e := range list {
		var err error
		plan.Walk(e, func(x plan.Expr) bool {
			if name := r.inlined[x]; name != nil && operator != "Join" {
				err = aerr("UNSUPPORTED_SQL_UDF_USAGE", "functionName", errs.ID(name...), "nodeName", operator)
				return false
			}
			q, ok := x.(*plan.Subquery)
			switch {
			case !ok || err != nil:
			case q.Kind == plan.ScalarSubquery && len(q.Outer) > 0:
				err = aerr("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_CORRELATED_SCALAR_SUBQUERY", "treeNode", operator+" "+r.sql(e)).At(q.Origin)
			case q.Kind != plan.ScalarSubquery && operator != "Join":
				err = aerr("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.UNSUPPORTED_IN_EXISTS_SUBQUERY", "treeNode", operator+" "+r.sql(e)).At(q.Origin)
			}
			return err == nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// varies reports whether e may differ each time it is evaluated.
func varies(e plan.Expr) (found bool) {
	plan.Walk(e, func(x plan.Expr) bool {
		switch k := x.(type) {
		case *plan.Call:
			found = found || k.Kind == plan.FnScalar && isRandom(k.Name) && k.Name != "raise_error" && k.Name != "assert_true"
		case *plan.UDF:
			found = found || !k.Deterministic
		}
		return !found
	})
	return found
}

// checkLateral refuses a lateral subquery that differs each time beside more than one row.
func (r *run) checkLateral(left, right plan.Node) error {
	found := false
	plan.WalkNodes(right, func(n plan.Node) bool {
		for _, e := range n.Exprs() {
			found = found || varies(e)
		}
		return !found
	})
	if found && !oneRow(left) {
		return aerr("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.NON_DETERMINISTIC_LATERAL_SUBQUERIES", "treeNode", "LateralJoin")
	}
	return nil
}

// oneRow reports whether n has at most one row, whatever its input.
func oneRow(n plan.Node) bool {
	switch x := n.(type) {
	case *plan.OneRow:
		return true
	case *plan.Aggregate:
		return len(x.Group) == 0
	case *plan.Expand:
		return len(x.Projections) <= 1 && oneRow(x.Child)
	case *plan.Limit:
		if v, ok := intValue(x.N); x.N != nil && ok && v <= 1 {
			return true
		}
		return oneRow(x.Child)
	case *plan.Project, *plan.SubqueryAlias, *plan.Filter, *plan.Sort, *plan.Distinct, *plan.WindowNode, *plan.Hint, *plan.Repartition, *plan.Observe:
		return oneRow(n.Children()[0])
	case *plan.Join:
		return (x.Kind == plan.Inner || x.Kind == plan.Cross) && oneRow(x.Left) && oneRow(x.Right)
	}
	return false
}

// checkFilterClause refuses what FILTER (WHERE ...) of an aggregate function must not hold.
func (r *run) checkFilterClause(c *plan.Call) error {
	bad := func(kind string, kv ...string) error {
		return aerr("INVALID_AGGREGATE_FILTER."+kind, append([]string{"filterExpr", r.quoted(c.Filter)}, kv...)...).At(c.Origin)
	}
	if varies(c.Filter) {
		return bad("NON_DETERMINISTIC")
	}
	if c.Filter.Type().Kind != types.Bool {
		return bad("NOT_BOOLEAN")
	}
	if w := firstWindow(c.Filter); w != nil {
		return bad("CONTAINS_WINDOW_FUNCTION", "windowExpr", r.quoted(w))
	}
	if a := firstAggregate(c.Filter); a != nil {
		return bad("CONTAINS_AGGREGATE", "aggExpr", r.quoted(a))
	}
	return nil
}
