package analyze

import (
	"neptune/internal/plan"
	"neptune/internal/types"
)

func isTS(t *types.Type) bool { return t.Kind == types.Timestamp || t.Kind == types.TimestampNTZ }

func isInterval(t *types.Type) bool { return t.IsAnsiInterval() || t.Kind == types.CalendarInterval }

// dateArithmetic turns + and - with dates, times and intervals into the calls
// that compute them; nil when neither side is a date or time.
func (r *run) dateArithmetic(c *plan.Call) (plan.Expr, error) {
	a, b := c.Args[0], c.Args[1]
	x, y := a.Type(), b.Type()
	plus := c.Name == "+"
	if plus && (isInterval(x) || !x.IsDatetime() && x.Kind != types.Time) && (y.IsDatetime() || y.Kind == types.Time) {
		a, b, x, y = b, a, y, x
	}
	if !x.IsDatetime() && x.Kind != types.Time && !(y.IsDatetime() && !plus) {
		return nil, nil
	}
	mk := func(name string, t *types.Type, args ...plan.Expr) plan.Expr {
		return r.finish(&plan.Call{At: c.At, Name: name, Args: args, Mode: c.Mode}, t, anyNull(args) || c.Mode == plan.Try)
	}
	// how the call is named: "a + b" without parentheses when an interval is added.
	named := func(e plan.Expr) plan.Expr {
		w := &plan.Call{At: c.At, Name: "datetime " + c.Name, Args: []plan.Expr{a, b}, T: e.Type()}
		return r.note(e, w)
	}
	signed := func() plan.Expr {
		if plus {
			return b
		}
		return r.finish(&plan.Call{At: c.At, Name: "negative", Args: []plan.Expr{b}}, b.Type(), b.Nullable())
	}
	switch {
	case x.Kind == types.Time && y.Kind == types.DayTimeInterval:
		return named(mk("time_add_dt", &types.Type{Kind: types.Time, Precision: max(x.Precision, intervalPrecision(y))}, a, signed())), nil
	case x.Kind == types.Time && y.Kind == types.Time && !plus:
		return r.note(mk("subtract_times", types.NewDayTime(types.Hour, types.Second), a, b), c), nil
	case x.Kind == types.Date && y.Kind == types.DayTimeInterval && y.Start == types.Day && y.End == types.Day:
		days := mk("interval_days", types.Int32Type, b)
		if plus {
			return mk("date_add", types.DateType, a, days), nil
		}
		return mk("date_sub", types.DateType, a, days), nil
	case x.Kind == types.Date && y.Kind == types.DayTimeInterval:
		return named(mk("timestamp_add_dt", types.TimestampType, r.implicit(a, types.TimestampType), signed())), nil
	case x.Kind == types.Date && y.Kind == types.YearMonthInterval:
		return named(mk("add_months", types.DateType, a, signed())), nil
	case isTS(x) && y.Kind == types.YearMonthInterval:
		return named(mk("timestamp_add_ym", x, a, signed())), nil
	case isTS(x) && y.Kind == types.DayTimeInterval:
		return named(mk("timestamp_add_dt", x, a, signed())), nil
	case x.IsDatetime() && y.Kind == types.CalendarInterval:
		return named(mk("time_add_calendar", x, a, signed())), nil
	case x.Kind == types.Date && !plus && y.Kind == types.Date:
		return r.note(mk("subtract_dates", types.NewDayTime(types.Day, types.Day), a, b), c), nil
	case x.IsDatetime() && !plus && y.IsDatetime():
		t := types.Tightest(x, y, r.Conf.ANSI)
		return r.note(mk("subtract_timestamps", types.DayTimeType, r.implicit(a, t), r.implicit(b, t)), c), nil
	case x.Kind == types.Date && !plus && y.IsString():
		return r.note(mk("subtract_dates", types.NewDayTime(types.Day, types.Day), a, r.implicit(b, types.DateType)), c), nil
	case x.IsString() && !plus && y.Kind == types.Date:
		return r.note(mk("subtract_dates", types.NewDayTime(types.Day, types.Day), r.implicit(a, types.DateType), b), c), nil
	case isTS(x) && !plus && y.IsString():
		return r.note(mk("subtract_timestamps", types.DayTimeType, a, r.implicit(b, x)), c), nil
	case x.IsString() && !plus && isTS(y):
		return r.note(mk("subtract_timestamps", types.DayTimeType, r.implicit(a, y), b), c), nil
	case x.Kind == types.Date && (y.Kind == types.Int8 || y.Kind == types.Int16 || y.Kind == types.Int32 || y.Kind == types.Null || y.IsString()):
		name := "date_add"
		if !plus {
			name = "date_sub"
		}
		return mk(name, types.DateType, a, r.implicit(b, types.Int32Type)), nil
	case x.Kind == types.Date && (plus && y.Kind == types.Date || y.IsFractional() || y.Kind == types.Int64):
		name := "date_add"
		if !plus {
			name = "date_sub"
		}
		return nil, r.unexpected(&plan.Call{At: c.At, Name: name, Args: []plan.Expr{a, b}}, 1, `("INT" or "SMALLINT" or "TINYINT")`)
	}
	return nil, nil
}

func intervalPrecision(t *types.Type) int {
	if t.End == types.Second {
		return types.DefaultTimePrecise
	}
	return 0
}

// intervalScale is interval * number and interval / number; nil when neither side is an interval.
func (r *run) intervalScale(c *plan.Call) (plan.Expr, error) {
	a, b := c.Args[0], c.Args[1]
	if c.Name == "*" && !isInterval(a.Type()) && isInterval(b.Type()) {
		a, b = b, a
	}
	x, y := a.Type(), b.Type()
	if !isInterval(x) {
		return nil, nil
	}
	if !y.IsNumeric() && y.Kind != types.Null && !y.IsString() {
		return nil, nil
	}
	if !y.IsNumeric() || x.Kind == types.CalendarInterval {
		b = r.implicit(b, types.Float64Type)
	}
	t := x
	switch x.Kind {
	case types.YearMonthInterval:
		t = types.YearMonthType
	case types.DayTimeInterval:
		t = types.DayTimeType
	}
	n := *c
	n.Args = []plan.Expr{a, b}
	return r.finish(&n, t, anyNull(n.Args) || c.Name == "/" && c.Mode == plan.Try || c.Mode == plan.Try), nil
}
