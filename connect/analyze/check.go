package analyze

import (
	"math"
	"strconv"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
)

var nan = math.NaN()

// percent reads "25%".
func percent(s string) (float64, bool) {
	p, ok := strings.CutSuffix(s, "%")
	if !ok {
		return 0, false
	}
	v, err := strconv.ParseFloat(p, 64)
	return v / 100, err == nil && v >= 0 && v <= 100
}

// wantsNodeContext: conditions whose query context is the clause, not an expression.
func wantsNodeContext(condition string) bool {
	switch condition {
	case "MISSING_GROUP_BY", "INVALID_WHERE_CONDITION", "NUM_COLUMNS_MISMATCH", "INCOMPATIBLE_COLUMN_TYPE":
		return true
	}
	return false
}

// checkPlan makes sure that a plan is as Analyze promises.
func checkPlan(n plan.Node) error {
	var err error
	plan.WalkNodes(n, func(x plan.Node) bool {
		if err != nil {
			return false
		}
		if x.Output() == nil {
			err = errs.Internalf("relation %s has no output after analysis", nodeName(x))
			return false
		}
		_, window := x.(*plan.WindowNode)
		_, gen := x.(*plan.Generate)
		_, agg := x.(*plan.Aggregate)
		_, obs := x.(*plan.Observe)
		for _, e := range x.Exprs() {
			if err = checkExpr(e, window, gen, agg || obs); err != nil {
				if e, ok := errs.As(err); ok && e.Condition == "UNSUPPORTED_EXPR_FOR_OPERATOR" {
					e.Params["operator"] = operatorName(x)
				}
				return false
			}
		}
		return true
	})
	return err
}

// operatorName is Spark's name for a node that holds what it can't.
func operatorName(n plan.Node) string {
	name := nodeName(n)
	if strings.HasPrefix(name, "Repartition") {
		return "RepartitionByExpression"
	}
	return name
}

func checkExpr(e plan.Expr, window, gen, agg bool) error {
	switch x := e.(type) {
	case *plan.Call:
		switch {
		case x.T == nil:
			return errs.Internalf("function %s is unresolved after analysis", x.Name)
		case x.Kind == plan.FnGenerator && !gen:
			return aerr("UNSUPPORTED_GENERATOR.OUTSIDE_SELECT", "plan", PrettyName(x)).At(x.Origin)
		case x.Kind == plan.FnAggregate && !agg && !window:
			return aerr("UNSUPPORTED_EXPR_FOR_OPERATOR", "invalidExprSqls", errs.Quote(PrettyName(x))).At(x.Origin)
		case x.Kind == plan.FnWindow && !window:
			return aerr("WINDOW_FUNCTION_WITHOUT_OVER_CLAUSE", "funcName", errs.Quote(PrettyName(x))).At(x.Origin)
		case (x.Name == "grouping" || x.Name == "grouping_id"):
			return aerr("UNSUPPORTED_GROUPING_EXPRESSION").At(x.Origin)
		case isTimeWindow(x):
			return errs.NotSupported("function window outside GROUP BY").At(x.Origin)
		}
	case *plan.UnresolvedAttr, *plan.UnresolvedStar, *plan.UnresolvedRegex, *plan.Extract, *plan.UpdateFields, *plan.NamedExprList, *plan.Parameter, *plan.UnresolvedOrdinal:
		return errs.Internalf("expression %s is unresolved after analysis", PrettyName(e))
	case *plan.Window:
		if !window {
			return aerr("UNSUPPORTED_EXPR_FOR_OPERATOR", "invalidExprSqls", errs.Quote(PrettyName(x))).At(x.Origin)
		}
	case *plan.Subquery:
		if err := checkPlan(x.Plan); err != nil {
			return err
		}
	}
	for _, k := range e.Children() {
		if err := checkExpr(k, window, gen, agg); err != nil {
			return err
		}
	}
	return nil
}
