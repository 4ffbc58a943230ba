package analyze

import (
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// asOfJoin puts to each row of the left the nearest one of the right: a scalar
// subquery that takes, of the rows on the right side in time, the one whose
// distance is least (Spark: RewriteAsOfJoin).
func (r *run) asOfJoin(n *plan.AsOfJoin, outer *scope) (*rel, error) {
	left, err := r.node(n.Left, outer)
	if err != nil {
		return nil, err
	}
	right, err := r.node(n.Right, outer)
	if err != nil {
		return nil, err
	}
	right = r.dedup(left, right)
	both := &rel{out: concat(left.out, right.out), meta: concat(left.meta, right.meta), dfs: concat(left.dfs, right.dfs)}
	side := func(e plan.Expr, x *rel) (plan.Expr, error) {
		e, err := r.expr(e, relScope(x, nil))
		if err != nil {
			return nil, err
		}
		return unalias(e), nil
	}
	at, err := side(n.LeftAsOf, left)
	if err != nil {
		return nil, err
	}
	of, err := side(n.RightAsOf, right)
	if err != nil {
		return nil, err
	}
	var conds []plan.Expr
	test := func(op string, a, b plan.Expr) error {
		x, err := r.call2(op, a, b)
		conds = append(conds, x)
		return err
	}
	for _, name := range n.Using {
		a, err := r.statColumn(name, left)
		if err != nil {
			return nil, err
		}
		b, err := r.statColumn(name, right)
		if err != nil {
			return nil, err
		}
		if err := test("=", a, b); err != nil {
			return nil, err
		}
	}
	if n.Cond != nil {
		c, err := side(n.Cond, both)
		if err != nil {
			return nil, err
		}
		if t := c.Type(); t.Kind != types.Bool {
			return nil, aerr("JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE", "joinCondition", r.quoted(c), "conditionType", errs.Quote(t.SQL())).At(n.Origin)
		}
		conds = append(conds, c)
	}
	var tolerance plan.Expr
	if n.Tolerance != nil {
		if tolerance, err = r.asOfTolerance(n); err != nil {
			return nil, err
		}
	}
	distance, err := r.asOfConditions(n, at, of, tolerance, test)
	if err != nil {
		return nil, err
	}

	// What the subquery takes of the left.
	inside := func(e plan.Expr) (plan.Expr, error) {
		return plan.Transform(e, func(k plan.Expr) (plan.Expr, error) {
			if a, ok := k.(*plan.Attr); ok && hasID(left.out, a.ID) {
				return &plan.OuterRef{At: a.At, Attr: a}, nil
			}
			return k, nil
		})
	}
	used := []*plan.Attr{}
	for _, e := range append([]plan.Expr{distance}, conds...) {
		plan.Walk(e, func(k plan.Expr) bool {
			if a, ok := k.(*plan.Attr); ok && hasID(left.out, a.ID) {
				used = addAttr(used, a)
			}
			return true
		})
	}
	rows := right.node
	for _, c := range conds {
		if c, err = inside(c); err != nil {
			return nil, err
		}
		rows = &plan.Filter{Cond: c, Child: rows}
	}
	if distance, err = inside(distance); err != nil {
		return nil, err
	}
	whole := &plan.Call{Name: "named_struct", Internal: true}
	for _, a := range right.out {
		whole.Args = append(whole.Args, strLit(a.Name), a)
	}
	row, err := r.call(whole, &scope{})
	if err != nil {
		return nil, err
	}
	pre := &plan.Project{Child: rows, List: []plan.Expr{
		&plan.Alias{Child: row, Names: []string{"row"}, ID: plan.NewID()},
		&plan.Alias{Child: distance, Names: []string{"distance"}, ID: plan.NewID()},
	}}
	nearest, err := r.call2("min_by", pre.Output()[0], pre.Output()[1])
	if err != nil {
		return nil, err
	}
	sub := &plan.Subquery{At: plan.At{Origin: n.Origin}, Kind: plan.ScalarSubquery, Outer: used, T: nearest.Type(),
		Plan: &plan.Aggregate{Child: pre, List: []plan.Expr{&plan.Alias{Child: nearest, Names: []string{"nearest"}, ID: plan.NewID()}}}}
	list := make([]plan.Expr, 0, len(left.out)+1)
	for _, a := range left.out {
		list = append(list, a)
	}
	found := &plan.Alias{Child: sub, Names: []string{"nearest"}, ID: plan.NewID()}
	var node plan.Node = &plan.Project{Common: n.Common, List: append(list, found), Child: left.node}
	if n.Kind == plan.Inner {
		node = &plan.Filter{Common: n.Common, Cond: boolCall("isnotnull", nil, false, plan.ToAttr(found)), Child: node}
	}
	list = list[:len(left.out):len(left.out)]
	ids := map[plan.ExprID]plan.ExprID{}
	for i, a := range right.out {
		ids[a.ID] = plan.NewID()
		list = append(list, &plan.Alias{Child: &plan.GetField{Child: plan.ToAttr(found), Index: i, Name: a.Name}, Names: []string{a.Name}, ID: ids[a.ID], Qualifier: a.Qualifier})
	}
	top := &plan.Project{Common: n.Common, List: list, Child: node}
	out := &rel{node: top, out: top.Output(), dfs: left.dfs}
	for _, d := range right.dfs {
		out.dfs = append(out.dfs, dfRef{d.id, mapAttrs(d.out, ids), nil, d.depth})
	}
	return out, nil
}

// asOfConditions adds the conditions of the direction and the tolerance, and gives the distance.
func (r *run) asOfConditions(n *plan.AsOfJoin, at, of, tolerance plan.Expr, test func(op string, a, b plan.Expr) error) (plan.Expr, error) {
	op := func(loose string) string {
		if n.AllowExact {
			return loose + "="
		}
		return loose
	}
	within := func(cmp, shift string) error {
		if tolerance == nil {
			return nil
		}
		edge, err := r.call2(shift, at, tolerance)
		if err != nil {
			return err
		}
		return test(cmp, of, edge)
	}
	before, err := r.call2("-", at, of)
	if err != nil {
		return nil, err
	}
	after, err := r.call2("-", of, at)
	if err != nil {
		return nil, err
	}
	switch n.Direction {
	case "backward":
		if err := test(op(">"), at, of); err != nil {
			return nil, err
		}
		return before, within(">=", "-")
	case "forward":
		if err := test(op("<"), at, of); err != nil {
			return nil, err
		}
		return after, within("<=", "+")
	case "nearest":
		if !n.AllowExact {
			same, err := r.call2("=", at, of)
			if err != nil {
				return nil, err
			}
			if err := test("=", same, &plan.Literal{T: types.BoolType, Value: false}); err != nil {
				return nil, err
			}
		}
		if err := within(">=", "-"); err != nil {
			return nil, err
		}
		if err := within("<=", "+"); err != nil {
			return nil, err
		}
		later, err := r.call2(">", at, of)
		if err != nil {
			return nil, err
		}
		return &plan.Case{If: true, When: []plan.Expr{later}, Then: []plan.Expr{before}, Else: after}, nil
	}
	return nil, aerr("AS_OF_JOIN.UNSUPPORTED_DIRECTION", "direction", n.Direction, "supported", "'forward', 'backward', 'nearest'")
}

// asOfTolerance resolves the tolerance, a constant that isn't negative.
func (r *run) asOfTolerance(n *plan.AsOfJoin) (plan.Expr, error) {
	t, err := r.expr(n.Tolerance, &scope{})
	if err != nil {
		if isUnresolvedColumn(err) {
			return nil, aerr("AS_OF_JOIN.TOLERANCE_IS_UNFOLDABLE").At(n.Origin)
		}
		return nil, err
	}
	t = unalias(t)
	if first(t, random, always) != nil {
		return nil, aerr("AS_OF_JOIN.TOLERANCE_IS_UNFOLDABLE").At(n.Origin)
	}
	zero := plan.Expr(&plan.Literal{T: t.Type(), Value: int64(0)})
	switch t.Type().Kind {
	case types.DayTimeInterval:
	case types.YearMonthInterval:
		zero = &plan.Literal{T: t.Type(), Value: int32(0)}
	default:
		zero = r.implicit(intLit(0), t.Type())
	}
	ok, err := r.call2(">=", t, zero)
	if err != nil {
		return nil, err
	}
	rows, err := r.ask("relation AsOfJoin with a tolerance", &plan.Project{List: []plan.Expr{&plan.Alias{Child: ok, Names: []string{"ok"}, ID: plan.NewID()}}, Child: &plan.OneRow{}})
	if err != nil {
		return nil, err
	}
	if len(rows) != 1 || rows[0][0] != true {
		return nil, aerr("AS_OF_JOIN.TOLERANCE_IS_NON_NEGATIVE").At(n.Origin)
	}
	return t, nil
}
