package analyze

import (
	"slices"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// modeCall checks what is peculiar to mode: its value is either its argument or the key of WITHIN GROUP,
// and its second argument must be a constant.
func modeCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args) > 2 {
		return nil, r.wrongNumArgs(c, "0")
	}
	if c.Distinct {
		return nil, aerr("INVALID_WITHIN_GROUP_EXPRESSION.DISTINCT_UNSUPPORTED", "funcName", errs.ID("mode")).At(c.Origin)
	}
	want := 1
	if len(c.Args) > 0 {
		want = 0
	}
	switch {
	case want == 1 && len(c.Order) == 0:
		return nil, aerr("INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING", "funcName", errs.ID("mode")).At(c.Origin)
	case len(c.Order) != want:
		return nil, aerr("INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS", "funcName", errs.ID("mode"), "expectedNum", itoa(want), "actualNum", itoa(len(c.Order))).At(c.Origin)
	}
	for _, o := range c.Order {
		if err := r.checkOrder(o); err != nil {
			return nil, err
		}
	}
	if len(c.Args) < 2 {
		return nil, nil
	}
	d := c.Args[1]
	l, ok := d.(*plan.Literal)
	switch {
	case !ok && !foldable(d):
		return nil, aerr("NON_FOLDABLE_ARGUMENT", "funcName", errs.ID("mode"), "paramName", errs.ID("deterministic"), "paramType", errs.Quote("BOOLEAN")).At(c.Origin)
	case ok && l.Value == nil:
		return nil, aerr("DATATYPE_MISMATCH.UNEXPECTED_NULL", "exprName", errs.ID("deterministic"), "sqlExpr", r.quoted(d)).At(c.Origin)
	case d.Type().Kind != types.Bool:
		return nil, aerr("UNEXPECTED_INPUT_TYPE", "paramIndex", "second", "functionName", errs.ID("mode"), "requiredType", errs.Quote("BOOLEAN"),
			"inputSql", r.quoted(d), "inputType", errs.Quote(d.Type().SQL())).At(c.Origin)
	}
	return nil, nil
}

// listaggCall casts the values of listagg to text, so that the type of its delimiter doesn't decide it. With
// DISTINCT and an order by the values themselves the order is that of the values before the cast.
func listaggCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args) == 0 || len(c.Args) > 2 {
		return nil, nil
	}
	t := c.Args[0].Type()
	delim := types.StringType
	if len(c.Args) == 2 {
		delim = c.Args[1].Type()
	}
	c.Args = slices.Clone(c.Args)
	if t.Kind == types.Binary && delim.IsString() && len(c.Args) == 2 || t.IsString() && delim.Kind == types.Binary ||
		len(c.Args) == 2 && t.IsString() && delim.IsString() && t.Collation != delim.Collation {
		shown := *c
		shown.Distinct = false
		return nil, aerr("DATATYPE_MISMATCH.DATA_DIFF_TYPES", "functionName", errs.ID("listagg"), "dataType", "("+joinTypes(c.Args, " or ")+")", "sqlExpr", r.quoted(&shown)).At(c.Origin)
	}
	if !t.IsString() && t.Kind != types.Binary && !t.IsNested() && castable(t, types.StringType, true) {
		c.Args[0] = r.implicit(c.Args[0], types.StringType)
	}
	text := delim
	if !delim.IsString() && delim.Kind != types.Binary {
		text = types.StringType
	}
	if len(c.Args) == 2 && !foldable(c.Args[1]) && !delim.IsNested() {
		return nil, aerr("DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", r.quoted(c), "inputName", "`delimiter`", "inputType", errs.Quote(text.SQL()), "inputExpr", r.quoted(c.Args[1])).At(c.Origin)
	}
	return nil, nil
}

// checkWindowOrder refuses an order of the window where the function has one of its own.
func (r *run) checkWindowOrder(w *plan.Window, c *plan.Call) error {
	whole := w.Frame != nil && w.Frame.Rows && w.Frame.Lower.Kind == plan.UnboundedPreceding && w.Frame.Upper.Kind == plan.UnboundedFollowing
	shown := ""
	switch c.Name {
	case "listagg":
		if len(c.Order) == 0 || len(w.Order) == 0 {
			return nil
		}
		args := append(r.sqls(c.Args), "NULL")[:2]
		shown = "listagg(" + strings.Join(append(args, r.orderSQLs(c.Order)...), ", ") + ")"
	case "percentile_cont", "percentile_disc", "median":
		if len(w.Order) == 0 && whole {
			return nil
		}
		shown = r.sql(c)
	default:
		return nil
	}
	return aerr("INVALID_WINDOW_SPEC_FOR_AGGREGATION_FUNC", "aggFunc", errs.Quote(shown)).At(w.Origin)
}

// summed casts timestamps to doubles: sums and averages take them as numbers.
func summed(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args) == 1 && c.Args[0].Type().Kind == types.Timestamp {
		c.Args = []plan.Expr{r.implicit(c.Args[0], types.Float64Type)}
	}
	return nil, nil
}

// firstCall checks the second argument of first, last and any_value, whether nulls are passed over: TRUE or FALSE, as written.
func firstCall(_ *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args) == 2 {
		if l, ok := c.Args[1].(*plan.Literal); !ok || l.T.Kind != types.Bool || l.Value == nil {
			return nil, aerr("_LEGACY_ERROR_TEMP_1210", "funcName", firstName(c.Name)).At(c.Origin)
		}
	}
	return nil, nil
}

// firstName is the name of first_value and last_value in messages.
func firstName(name string) string {
	if name == "first_value" || name == "last_value" {
		return strings.TrimSuffix(name, "_value")
	}
	return name
}

// quantiled is what median, percentile and their like demand of the values.
const quantiled = `(("NUMERIC" or "INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH") or "TIME")`

// quantileOf casts e to a type whose values can be interpolated; nil where it has none. Dates and times of a day
// are cast to TIME, which no date can be.
func (r *run) quantileOf(e plan.Expr) (plan.Expr, error) {
	switch t := e.Type(); {
	case t.IsNumeric(), t.IsAnsiInterval(), t.Kind == types.Time, t.Kind == types.Null:
		return e, nil
	case t.IsString():
		return r.implicit(e, types.Float64Type), nil
	case t.IsDatetime():
		if !r.Conf.flag("spark.sql.timeType.enabled", false) {
			return nil, aerr("UNSUPPORTED_TIME_TYPE").At(e.Pos())
		}
		if t.Kind == types.Date {
			return nil, aerr("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "sqlExpr", r.quoted(e), "srcType", errs.Quote(t.SQL()), "targetType", errs.Quote(types.TimeType.SQL())).At(e.Pos())
		}
		return r.implicit(e, types.TimeType), nil
	}
	return nil, nil
}

// percentage refuses a second argument of percentile that is no number, nor a list of numbers without NULL.
func (r *run) percentage(shown *plan.Call) error {
	if len(shown.Args) < 2 {
		return nil
	}
	switch t := shown.Args[1].Type(); {
	case t.Kind == types.Array:
		if e := t.Elem; t.ElemNulls || !e.IsNumeric() && !e.IsString() && e.Kind != types.Null {
			return r.unexpected(shown, 1, `"ARRAY<DOUBLE>"`)
		}
	case !t.IsNumeric() && !t.IsString() && t.Kind != types.Null:
		return r.unexpected(shown, 1, `"DOUBLE"`)
	}
	return nil
}

// quantileCall checks the arguments of median and percentile.
func quantileCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args) == 0 || len(c.Args) > 3 || len(c.Order) > 0 {
		return nil, nil
	}
	x, err := r.quantileOf(c.Args[0])
	if err == nil && x == nil {
		err = r.unexpected(c, 0, quantiled)
	}
	if err == nil && c.Name == "percentile" {
		err = r.percentage(c)
	}
	if err != nil {
		return nil, err
	}
	c.Args = slices.Clone(c.Args)
	c.Args[0] = x
	return nil, nil
}

// percentileCall checks the one key of WITHIN GROUP. Errors show it as the first argument.
func percentileCall(r *run, c *plan.Call, _ *scope) (plan.Expr, error) {
	if len(c.Args) != 1 {
		return nil, nil
	}
	id := errs.ID(c.Name)
	switch {
	case c.Distinct:
		return nil, aerr("INVALID_WITHIN_GROUP_EXPRESSION.DISTINCT_UNSUPPORTED", "funcName", id).At(c.Origin)
	case len(c.Order) == 0:
		return nil, aerr("INVALID_WITHIN_GROUP_EXPRESSION.WITHIN_GROUP_MISSING", "funcName", id).At(c.Origin)
	case len(c.Order) != 1:
		return nil, aerr("INVALID_WITHIN_GROUP_EXPRESSION.WRONG_NUM_ORDERINGS", "funcName", id, "expectedNum", "1", "actualNum", itoa(len(c.Order))).At(c.Origin)
	}
	if err := r.checkOrder(c.Order[0]); err != nil {
		return nil, err
	}
	shown := *c
	shown.Args, shown.Order = []plan.Expr{c.Order[0].Child, c.Args[0]}, nil
	x, err := r.quantileOf(c.Order[0].Child)
	if err == nil && x == nil {
		err = r.unexpected(&shown, 0, quantiled)
	}
	if err == nil {
		err = r.percentage(&shown)
	}
	if err != nil {
		return nil, err
	}
	c.Order = slices.Clone(c.Order)
	c.Order[0].Child = x
	written := r.quoted(c)
	out, err := r.function(c)
	if e, ok := errs.As(err); ok && e.Params["sqlExpr"] == written {
		e.Params["sqlExpr"] = r.quoted(&shown)
	}
	return out, err
}
