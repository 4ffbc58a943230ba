package optimize

import (
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
)

// refuseCrossJoins fails for joins that have no condition over both sides and
// weren't written as cross joins, if spark.sql.crossJoin.enabled is false.
func (o *optimizer) refuseCrossJoins(n plan.Node) error {
	if !strings.EqualFold(o.conf.Keys["spark.sql.crossJoin.enabled"], "false") {
		return nil
	}
	var err error
	plan.WalkNodes(n, func(n plan.Node) bool {
		j, ok := n.(*plan.Join)
		if !ok || err != nil {
			return err == nil
		}
		kind := map[plan.JoinType]string{plan.Inner: "INNER", plan.LeftOuter: "LEFT OUTER", plan.RightOuter: "RIGHT OUTER", plan.FullOuter: "FULL OUTER"}[j.Kind]
		if kind == "" || joins(j) {
			return true
		}
		err = errs.New(errs.Analysis, "_LEGACY_ERROR_TEMP_1211", "joinType", kind, "leftPlan", nodeName(j.Left), "rightPlan", nodeName(j.Right)).At(j.Origin)
		return false
	})
	return err
}

// joins reports whether a part of the condition is over both sides.
func joins(j *plan.Join) bool {
	left, right := idsOf(j.Left.Output()), idsOf(j.Right.Output())
	for _, c := range split(j.Cond) {
		l, r := false, false
		plan.Walk(c, func(e plan.Expr) bool {
			if a, ok := e.(*plan.Attr); ok {
				l, r = l || left.has(a.ID), r || right.has(a.ID)
			}
			return true
		})
		if l && r {
			return true
		}
	}
	return false
}
