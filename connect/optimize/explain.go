package optimize

import (
	"fmt"
	"strings"

	"neptune/arrowexec/physical"
	"neptune/internal/plan"
)

// ExplainLogical prints a logical plan as EXPLAIN EXTENDED shows it, one node a
// line, without a heading.
func ExplainLogical(n plan.Node) string {
	var b strings.Builder
	writeLogical(&b, n, "", "")
	return b.String()
}

func writeLogical(b *strings.Builder, n plan.Node, first, rest string) {
	b.WriteString(first + logicalLine(n) + "\n")
	kids := n.Children()
	if w, ok := n.(*plan.With); ok {
		for i, c := range w.CTEs {
			writeLogical(b, c.Plan, rest+fmt.Sprintf(":- CTE %d %s: ", i, c.Name), rest+":  ")
		}
	}
	for _, e := range n.Exprs() {
		plan.Walk(e, func(e plan.Expr) bool {
			if s, ok := e.(*plan.Subquery); ok && s.Plan != nil {
				writeLogical(b, s.Plan, rest+":  Subquery ", rest+":    ")
			}
			return true
		})
	}
	for i, k := range kids {
		if i < len(kids)-1 {
			writeLogical(b, k, rest+":- ", rest+":  ")
		} else {
			writeLogical(b, k, rest+"+- ", rest+"   ")
		}
	}
}

func exprsString(list []plan.Expr) string {
	s := make([]string, len(list))
	for i, e := range list {
		s[i] = physical.ExprString(e)
	}
	return "[" + strings.Join(s, ", ") + "]"
}

func logicalLine(n plan.Node) string {
	out := func() string { return exprsString(asExprs(n.Output())) }
	switch x := n.(type) {
	case *plan.Relation:
		return "Relation " + strings.TrimSpace(x.Name+out())
	case *plan.LocalRelation:
		if isEmpty(x) {
			return "LocalRelation <empty>, " + out()
		}
		return "LocalRelation " + out()
	case *plan.OneRow:
		return "OneRowRelation"
	case *plan.Range:
		return fmt.Sprintf("Range (%d, %d, step=%d)", x.Start, x.End, x.Step)
	case *plan.CTERef:
		return fmt.Sprintf("CTERelationRef %d, %v, %s", x.ID, x.Recursive, out())
	case *shared:
		return fmt.Sprintf("CTERelationRef %d, %s", x.ID, out())
	case *plan.Project:
		return "Project " + exprsString(x.List)
	case *plan.Filter:
		return "Filter " + physical.ExprString(x.Cond)
	case *plan.Aggregate:
		return "Aggregate " + exprsString(x.Group) + ", " + exprsString(x.List)
	case *plan.Sort:
		return fmt.Sprintf("Sort [%s], %v", physical.SortString(x.Order), x.Global)
	case *plan.Limit:
		s := "GlobalLimit " + physical.ExprString(x.N)
		if x.Tail {
			s = "Tail " + physical.ExprString(x.N)
		}
		if x.Offset != nil {
			s += ", offset " + physical.ExprString(x.Offset)
		}
		return s
	case *plan.SubqueryAlias:
		return "SubqueryAlias " + x.Name
	case *plan.WindowNode:
		return "Window " + exprsString(x.List) + ", " + exprsString(x.Partition) + ", [" + physical.SortString(x.Order) + "]"
	case *plan.Generate:
		return fmt.Sprintf("Generate %s, %v, %s", physical.ExprString(x.Gen), x.Outer, exprsString(asExprs(x.Out)))
	case *plan.Expand:
		return "Expand " + out()
	case *plan.Join:
		s := "Join " + physical.JoinName(x.Kind)
		if x.Cond != nil {
			s += ", " + physical.ExprString(x.Cond)
		}
		return s
	case *plan.SetOperation:
		name := [...]string{"Union", "Intersect", "Except"}[x.Op]
		if x.All && x.Op != plan.UnionOp {
			name += " All"
		}
		return name
	case *plan.Repartition:
		if !x.Shuffle {
			return fmt.Sprintf("Repartition %d, false", x.N)
		}
		by := make([]plan.Expr, len(x.By))
		for i, o := range x.By {
			by[i] = o.Child
		}
		s := "RepartitionByExpression " + exprsString(by)
		switch {
		case x.Rebalance:
			s = "RebalancePartitions " + exprsString(by)
		case len(x.By) == 0:
			return fmt.Sprintf("Repartition %d, true", x.N)
		case x.Range:
			s = "RepartitionByExpression [" + physical.SortString(x.By) + "]"
		}
		if x.N > 0 {
			s += fmt.Sprintf(", %d", x.N)
		}
		return s
	case *plan.Hint:
		return "ResolvedHint " + x.Name
	case *plan.WithWatermark:
		return "EventTimeWatermark " + x.Column + ", " + x.Delay
	case *plan.Observe:
		return "CollectMetrics " + x.Name
	case *plan.ScriptTransform:
		return "ScriptTransformation " + x.Script
	case *plan.Sample:
		return fmt.Sprintf("Sample %v, %v, %v", x.Lower, x.Upper, x.WithReplacement)
	}
	return nodeName(n)
}
