package analyze

import (
	"slices"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// subquery resolves a query inside an expression, with s as its outer scope.
func (r *run) subquery(e *plan.Subquery, s *scope) (plan.Expr, error) {
	n := *e
	body := e.Plan
	if body == nil && e.PlanID != nil {
		if body = r.refs[*e.PlanID]; body == nil {
			return nil, errs.New(errs.InvalidPlan, "INTERNAL_ERROR", "message", "a subquery refers to relation "+itoa(int(*e.PlanID))+", which the plan doesn't have")
		}
	}
	if body == nil {
		return nil, errs.Internalf("a subquery without a plan")
	}
	if e.Kind == plan.TableArg {
		return nil, errs.NotSupported("TABLE arguments").At(e.Origin)
	}
	var used []*plan.Attr
	in := *s
	in.outerUsed = &used
	in.missing = nil
	around, below := r.outerCTEs, r.subqueryCTEs
	if isWith(body) {
		r.outerCTEs = below
	}
	x, err := r.node(body, &in)
	r.outerCTEs, r.subqueryCTEs = around, below
	if err != nil {
		return nil, err
	}
	s.missing = append(s.missing, in.missing...)
	if s.outerAgg != nil {
		used = stillUsed(used, x.node)
	}
	n.Plan, n.Outer = x.node, used
	if s.outerUsed != nil && s.outer != nil {
		for _, a := range used {
			if !hasID(s.out, a.ID) && hasID(s.outer.out, a.ID) {
				*s.outerUsed = addAttr(*s.outerUsed, a)
			}
		}
	}
	switch e.Kind {
	case plan.ScalarSubquery:
		if len(x.out) != 1 {
			return nil, aerr("INVALID_SUBQUERY_EXPRESSION.SCALAR_SUBQUERY_RETURN_MORE_THAN_ONE_OUTPUT_COLUMN", "number", itoa(len(x.out))).At(e.Origin)
		}
		n.T = x.out[0].T
		if len(used) > 0 {
			if err := r.checkScalar(&n); err != nil {
				return nil, err
			}
		}
	case plan.InSubquery:
		return r.inSubquery(&n, x, s)
	}
	if len(used) > 0 {
		if err := r.checkCorrelation(n.Plan); err != nil {
			return nil, err
		}
	}
	return &n, nil
}

func (r *run) inSubquery(n *plan.Subquery, x *rel, s *scope) (plan.Expr, error) {
	left, err := r.exprs(n.Values, s)
	if err != nil {
		return nil, err
	}
	for i := range left {
		left[i] = unalias(left[i])
	}
	// (a, b) IN (...) may arrive as one struct.
	if len(left) == 1 && len(x.out) > 1 {
		if c, ok := left[0].(*plan.Call); ok && c.Name == "named_struct" {
			var l []plan.Expr
			for i := 1; i < len(c.Args); i += 2 {
				l = append(l, c.Args[i])
			}
			left = l
		}
	}
	n.Values = left
	if len(left) != len(x.out) {
		cols := make([]string, len(x.out))
		for i, a := range x.out {
			cols[i] = errs.Quote(a.Name)
		}
		lc := make([]string, len(left))
		for i, a := range left {
			lc[i] = r.quoted(a)
		}
		return nil, aerr("DATATYPE_MISMATCH.IN_SUBQUERY_LENGTH_MISMATCH", "sqlExpr", r.quoted(n), "leftLength", itoa(len(left)), "rightLength", itoa(len(x.out)), "leftColumns", strings.Join(lc, ", "), "rightColumns", strings.Join(cols, ", ")).At(n.Origin)
	}
	cols := make([]*types.Type, len(left))
	for i, l := range left {
		t := r.coercion().Wider(l.Type(), x.out[i].T, true)
		if t == nil {
			t = r.comparable(l, x.out[i])
		}
		if t == nil {
			return nil, aerr("DATATYPE_MISMATCH.IN_SUBQUERY_DATA_TYPE_MISMATCH", "sqlExpr", r.quoted(n), "mismatchedColumns", "("+r.quoted(l)+":"+errs.Quote(l.Type().SQL())+", "+errs.Quote(x.out[i].Name)+":"+errs.Quote(x.out[i].T.SQL())+")", "leftType", joinTypes(left, ", "), "rightType", typeList(x.out)).At(n.Origin)
		}
		if t.Kind == types.Null {
			t = types.BoolType
		}
		cols[i] = t
	}
	n.Values = make([]plan.Expr, len(left))
	for i := range left {
		n.Values[i] = r.implicit(left[i], cols[i])
	}
	n.Plan = r.castColumns(x, cols)
	return n, nil
}

// outerAggregates computes, in the query around, the aggregates of its columns
// in a condition of a subquery of its HAVING.
func (r *run) outerAggregates(cond plan.Expr, outer *scope) (plan.Expr, error) {
	return transformDown(cond, func(e plan.Expr) (plan.Expr, error) {
		if !isAgg(e) || !hasOuter(e) {
			return nil, nil
		}
		if !onlyOuter(e) {
			return nil, aerr("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.AGGREGATE_FUNCTION_MIXED_OUTER_LOCAL_REFERENCES", "function", r.qualifiedSQL(e)).At(e.Pos())
		}
		own, err := transformDown(e, func(x plan.Expr) (plan.Expr, error) {
			if o, ok := x.(*plan.OuterRef); ok {
				return o.Attr, nil
			}
			return nil, nil
		})
		if err != nil {
			return nil, err
		}
		a, err := outer.outerAgg(own)
		if err != nil {
			return nil, err
		}
		return outer.outerRef(a), nil
	})
}

// stillUsed are those of the outer columns that a plan refers to.
func stillUsed(used []*plan.Attr, n plan.Node) []*plan.Attr {
	ids := map[plan.ExprID]bool{}
	var node func(plan.Node)
	node = func(n plan.Node) {
		plan.WalkNodes(n, func(n plan.Node) bool {
			for _, e := range n.Exprs() {
				plan.Walk(e, func(x plan.Expr) bool {
					switch x := x.(type) {
					case *plan.OuterRef:
						ids[x.Attr.ID] = true
					case *plan.Subquery:
						if x.Plan != nil {
							node(x.Plan)
						}
					}
					return true
				})
			}
			return true
		})
	}
	node(n)
	return slices.DeleteFunc(slices.Clone(used), func(a *plan.Attr) bool { return !ids[a.ID] })
}

func typeList(out []*plan.Attr) string {
	l := make([]string, len(out))
	for i, a := range out {
		l[i] = errs.Quote(a.T.SQL())
	}
	return strings.Join(l, ", ")
}

// hasOuter reports whether an expression refers to the outer query.
func hasOuter(e plan.Expr) bool {
	return first(e, func(x plan.Expr) bool { _, ok := x.(*plan.OuterRef); return ok }, always) != nil
}

// checkScalar: a correlated scalar subquery need not aggregate (a second row is
// refused when it runs), but what it groups by must be bound to the outer row.
func (r *run) checkScalar(*plan.Subquery) error { return nil }

// checkCorrelation refuses outer references where no rewrite can follow them.
func (r *run) checkCorrelation(n plan.Node) error {
	var err error
	plan.WalkNodes(n, func(x plan.Node) bool {
		switch x := x.(type) {
		case *plan.Aggregate:
			var bad []string
			var at *errs.Origin
			for _, e := range append(slices.Clone(x.Group), x.List...) {
				if hasOuter(e) {
					if bad = append(bad, errs.Quote(r.withoutOuter(e))); at == nil {
						at = e.Pos()
					}
				}
			}
			if bad != nil {
				err = aerr("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE", "sqlExprs", strings.Join(bad, ",")).At(at)
				return false
			}
		case *plan.Sort:
			for _, o := range x.Order {
				if hasOuter(o.Child) {
					err = aerr("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.CORRELATED_REFERENCE", "sqlExprs", errs.Quote(r.orderSQL(o))).At(o.Child.Pos())
					return false
				}
			}
		case *plan.Sample:
			inner := false
			plan.WalkNodes(x.Child, func(y plan.Node) bool {
				for _, e := range y.Exprs() {
					inner = inner || hasOuter(e)
				}
				return true
			})
			if inner {
				err = aerr("UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.ACCESSING_OUTER_QUERY_COLUMN_IS_NOT_ALLOWED", "treeNode", "Sample")
				return false
			}
		}
		return err == nil
	})
	return err
}

// withoutOuter is an expression of an aggregation with outer columns shown as the others are.
func (r *run) withoutOuter(e plan.Expr) string {
	x, err := transformDown(unalias(e), func(x plan.Expr) (plan.Expr, error) {
		if o, ok := x.(*plan.OuterRef); ok {
			return o.Attr, nil
		}
		return nil, nil
	})
	if err != nil {
		x = e
	}
	if a, ok := e.(*plan.Alias); ok {
		return r.sql(x) + " AS " + types.QuoteIfNeeded(a.Names[0])
	}
	return r.sql(x)
}

func onlyOuter(e plan.Expr) bool {
	return first(e, func(x plan.Expr) bool { _, ok := x.(*plan.Attr); return ok }, always) == nil
}
