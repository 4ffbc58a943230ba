package analyze

import (
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// arrayCall is array(...): one type for all elements.
func arrayCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	t := r.common(c.Args)
	if t == nil {
		return nil, aerr("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "functionName", "`array`", "dataType", "("+joinTypes(c.Args, " or ")+")", "sqlExpr", r.quoted(c)).At(c.Origin)
	}
	c.Args = r.implicitAll(c.Args, t)
	return r.finish(c, types.NewArray(t, anyNull(c.Args)), false), nil
}

// mapCall is map(k, v, ...).
func mapCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args)%2 != 0 {
		return nil, r.wrongNumArgs(c, "2n (n > 0)")
	}
	var keys, values []plan.Expr
	for i := 0; i < len(c.Args); i += 2 {
		keys, values = append(keys, c.Args[i]), append(values, c.Args[i+1])
	}
	for _, l := range []*[]plan.Expr{&keys, &values} {
		var err error
		if *l, err = r.oneCollationOf(*l, false, func() error { return nil }); err != nil {
			return nil, err
		}
	}
	k, v := r.common(keys), r.common(values)
	switch {
	case k == nil:
		return nil, aerr("DATATYPE_MISMATCH.CREATE_MAP_KEY_DIFF_TYPES", "sqlExpr", r.quoted(c), "functionName", "`map`", "dataType", "["+joinTypes(keys, ", ")+"]").At(c.Origin)
	case v == nil:
		return nil, aerr("DATATYPE_MISMATCH.CREATE_MAP_VALUE_DIFF_TYPES", "sqlExpr", r.quoted(c), "functionName", "`map`", "dataType", "["+joinTypes(values, ", ")+"]").At(c.Origin)
	case k.Has(types.Map):
		return nil, aerr("DATATYPE_MISMATCH.INVALID_MAP_KEY_TYPE", "sqlExpr", r.quoted(c), "keyType", errs.Quote(k.SQL())).At(c.Origin)
	}
	keys, values = r.implicitAll(keys, k), r.implicitAll(values, v)
	out := make([]plan.Expr, 0, len(c.Args))
	for i := range keys {
		out = append(out, keys[i], values[i])
	}
	c.Args = out
	return r.finish(c, types.NewMap(k, v, anyNull(values)), false), nil
}
