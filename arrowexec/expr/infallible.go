package expr

import (
	"neptune/arrowexec/vec"
	"neptune/internal/plan"
)

// infallible are the functions that raise no error and are the same for the same arguments.
var infallible = map[string]bool{
	"and": true, "or": true, "not": true, "=": true, "==": true, "<=>": true, "<": true, "<=": true, ">": true, ">=": true, "!=": true, "<>": true,
	"in": true, "isnull": true, "isnotnull": true, "startswith": true, "endswith": true, "contains": true,
}

// Infallible reports whether e raises an error for no row at all, so that it may
// be evaluated for rows that another condition would drop.
func Infallible(e plan.Expr) bool {
	ok := true
	plan.Walk(e, func(e plan.Expr) bool {
		switch e := e.(type) {
		case *plan.Literal, *plan.Alias:
		case *plan.Bound:
			switch vec.LayoutOf(e.T) {
			case vec.List, vec.Group:
				ok = false
			}
			ok = ok && !collated(e.T)
		case *plan.Call:
			ok = ok && infallible[e.Name]
		default:
			ok = false
		}
		return ok
	})
	return ok
}
