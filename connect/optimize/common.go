package optimize

import "neptune/internal/plan"

// common finds what several expressions of one list share and names it, to be
// computed once below. A part that every row computes anyway is taken out;
// one that only stands in branches (CASE, the right of AND) is left there,
// where it may never be reached. cond marks list items that are themselves
// conditional.
func common(list []plan.Expr, cond map[int]bool) (pre, rest []plan.Expr) {
	type use struct{ total, sure int }
	uses := map[string]*use{}
	var count func(e plan.Expr, sure bool)
	count = func(e plan.Expr, sure bool) {
		if shareable(e) {
			k := key(e)
			u := uses[k]
			if u == nil {
				u = &use{}
				uses[k] = u
			}
			u.total++
			if sure {
				u.sure++
			}
		}
		if opaque(e) {
			return
		}
		for i, k := range e.Children() {
			count(k, sure && always(e, i))
		}
	}
	for i, e := range list {
		count(e, !cond[i])
	}
	found := false
	for _, u := range uses {
		found = found || u.total > 1 && u.sure > 0
	}
	if !found {
		return nil, list
	}
	made := map[string]*plan.Attr{}
	var take func(e plan.Expr, top bool) plan.Expr
	take = func(e plan.Expr, top bool) plan.Expr {
		if shareable(e) {
			k := key(e)
			if u := uses[k]; u.total > 1 && u.sure > 0 {
				at := made[k]
				if at == nil {
					al := newAlias("_common", e)
					at = plan.ToAttr(al)
					made[k] = at
					pre = append(pre, al)
				}
				return at
			}
		}
		if opaque(e) {
			return e
		}
		return plan.MapChildren(e, func(k plan.Expr) plan.Expr { return take(k, false) })
	}
	rest = make([]plan.Expr, len(list))
	for i, e := range list {
		rest[i] = take(e, true)
	}
	return pre, rest
}

// shareable: worth naming, the same each time, and a value of a row.
func shareable(e plan.Expr) bool {
	switch x := e.(type) {
	case *plan.Call:
		if x.Kind != plan.FnScalar {
			return false
		}
	case *plan.Cast, *plan.Case:
	case *plan.UDF:
		return false
	default:
		return false
	}
	if len(refs(e)) == 0 || !deterministic(e) {
		return false
	}
	return !contains(e, func(e plan.Expr) bool {
		switch x := e.(type) {
		case *plan.LambdaVar, *plan.Lambda, *plan.Window, *plan.Subquery:
			return true
		case *plan.Call:
			return x.Kind != plan.FnScalar
		}
		return false
	})
}

// opaque: its inside belongs to other rows or scopes.
func opaque(e plan.Expr) bool {
	switch e.(type) {
	case *plan.Lambda, *plan.Window, *plan.Subquery:
		return true
	}
	return false
}

// always reports whether child i of e is computed for each row that computes e.
func always(e plan.Expr, i int) bool {
	switch x := e.(type) {
	case *plan.Case:
		return i == 0
	case *plan.Call:
		switch x.Name {
		case "and", "or", "coalesce", "nvl", "ifnull", "if", "nanvl", "elt":
			return i == 0
		}
		return x.Filter == nil
	}
	return true
}
