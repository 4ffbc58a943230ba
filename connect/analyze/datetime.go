package analyze

import (
	"neptune/internal/plan"
	"neptune/internal/types"
)

func isTS(t *types.Type) bool { return t.Kind == types.Timestamp || t.Kind == types.TimestampNTZ }

func isInterval(t *types.Type) bool { return t.IsAnsiInterval() || t.Kind == types.CalendarInterval }

// wantTimestamp is what messages say that timestamp arithmetic takes.
const wantTimestamp = `("(TIMESTAMP OR TIMESTAMP WITHOUT TIME ZONE)" or "(TIMESTAMP_LTZ(P) OR TIMESTAMP_NTZ(P) WITH P IN [7, 9])")`

func isClock(t *types.Type) bool { return t.IsDatetime() || t.Kind == types.Time }

// longInterval is an interval that may hold time below a day, or of unknown length.
func longInterval(t *types.Type) bool {
	return t.Kind == types.DayTimeInterval || t.Kind == types.CalendarInterval
}

// dateArithmetic turns + and - with dates, times and intervals into the calls
// that compute them; nil when they are plain arithmetic, or none.
func (r *run) dateArithmetic(c *plan.Call) (plan.Expr, error) {
	x, y := c.Args[0].Type(), c.Args[1].Type()
	if !isClock(x) && !isClock(y) && !isInterval(x) && !isInterval(y) {
		return nil, nil
	}
	switch {
	case x.Kind == types.Null && y.IsAnsiInterval():
		c.Args = []plan.Expr{r.implicit(c.Args[0], y), c.Args[1]}
		return nil, nil
	case x.IsAnsiInterval() && y.Kind == types.Null:
		c.Args = []plan.Expr{c.Args[0], r.implicit(c.Args[1], x)}
		return nil, nil
	case x.Kind == types.CalendarInterval && y.Kind == types.CalendarInterval, x.Kind == types.DayTimeInterval && y.Kind == types.DayTimeInterval:
		return nil, nil
	}
	d := &dateCall{r: r, c: c, a: c.Args[0], b: c.Args[1]}
	if c.Name == "+" {
		return d.plus()
	}
	return d.minus()
}

// dateCall is a sum or difference with a date, a time or an interval in it.
type dateCall struct {
	r    *run
	c    *plan.Call
	a, b plan.Expr
}

func (d *dateCall) make(name string, t *types.Type, args ...plan.Expr) plan.Expr {
	return d.r.finish(&plan.Call{At: d.c.At, Name: name, Args: args, Mode: d.c.Mode}, t, anyNull(args) || d.c.Mode == plan.Try)
}

// written is how the call is named: "a + b" without parentheses.
func (d *dateCall) written() *plan.Call {
	return &plan.Call{At: d.c.At, Name: "datetime " + d.c.Name, Args: []plan.Expr{d.a, d.b}, T: types.NullType}
}

func (d *dateCall) named(e plan.Expr) plan.Expr {
	w := d.written()
	w.T = e.Type()
	return d.r.note(e, w)
}

// signed is the interval to add: the right side, with the sign of the operator.
func (d *dateCall) signed() plan.Expr {
	if d.c.Name == "+" {
		return d.b
	}
	return d.r.finish(&plan.Call{At: d.c.At, Name: "negative", Infix: true, Args: []plan.Expr{d.b}}, d.b.Type(), d.b.Nullable())
}

// shift adds an interval, the right side, to what stands on the left; nil when neither has a rule for that.
func (d *dateCall) shift() (plan.Expr, error) {
	r, a := d.r, d.a
	x, y := a.Type(), d.b.Type()
	switch {
	case x.Kind == types.Time && y.Kind == types.DayTimeInterval:
		return d.named(d.make("time_add_dt", &types.Type{Kind: types.Time, Precision: max(x.Precision, intervalPrecision(y))}, a, d.signed())), nil
	case x.Kind == types.Date && y.Kind == types.DayTimeInterval && y.Start == types.Day && y.End == types.Day:
		days := d.make("interval_days", types.Int32Type, d.b)
		if d.c.Name == "-" {
			days = r.finish(&plan.Call{At: d.c.At, Name: "negative", Infix: true, Args: []plan.Expr{days}}, types.Int32Type, days.Nullable())
		}
		return d.make("date_add", types.DateType, a, days), nil
	case x.Kind == types.Date && y.Kind == types.DayTimeInterval:
		return d.named(d.make("timestamp_add_dt", types.TimestampType, r.implicit(a, types.TimestampType), d.signed())), nil
	case x.Kind == types.Date && y.Kind == types.YearMonthInterval:
		return d.named(d.make("add_months", types.DateType, a, d.signed())), nil
	case isTS(x) && y.Kind == types.YearMonthInterval:
		return d.named(d.make("timestamp_add_ym", x, a, d.signed())), nil
	case x.Kind == types.Date && y.Kind == types.CalendarInterval:
		return d.named(d.make("time_add_calendar", x, a, d.signed())), nil
	case !longInterval(y):
		return nil, nil
	}
	name := "timestamp_add_dt"
	if y.Kind == types.CalendarInterval {
		name = "time_add_calendar"
	}
	switch {
	case isTS(x):
		return d.named(d.make(name, x, a, d.signed())), nil
	case x.IsString(): // read as a timestamp, and written again
		t := d.make(name, types.TimestampType, r.implicit(a, types.TimestampType), d.signed())
		return d.named(r.implicit(t, types.StringType)), nil
	case x.Kind == types.Null:
		return nil, aerr("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION", "sqlExpr", r.quoted(d.written()), "srcType", `"TIMESTAMP"`, "targetType", `"VOID"`).At(d.c.Origin)
	}
	return nil, r.unexpected(d.written(), 0, wantTimestamp)
}

func (d *dateCall) plus() (plan.Expr, error) {
	r := d.r
	x, y := d.a.Type(), d.b.Type()
	swap := func() { d.a, d.b = d.b, d.a }
	if isClock(y) && (x.Kind == types.Null || isInterval(x)) {
		swap()
		x, y = y, x
	}
	if isClock(x) && y.Kind == types.Null { // NULL is an interval here
		d.b = r.implicit(d.b, types.DayTimeType)
		return d.shift()
	}
	e, err := d.shift()
	if e != nil || err != nil {
		return e, err
	}
	if longInterval(x) {
		swap()
		return d.shift()
	}
	switch {
	case x.Kind == types.Date:
		return d.addDays("date_add", d.a, d.b)
	case y.Kind == types.Date:
		return d.addDays("date_add", d.b, d.a)
	}
	return nil, nil
}

// addDays is a date and a number of days.
func (d *dateCall) addDays(name string, date, days plan.Expr) (plan.Expr, error) {
	switch days.Type().Kind {
	case types.Int8, types.Int16, types.Int32:
		return d.make(name, types.DateType, date, d.r.implicit(days, types.Int32Type)), nil
	}
	return nil, d.r.unexpected(&plan.Call{At: d.c.At, Name: name, Args: []plan.Expr{date, days}}, 1, `("INT" or "SMALLINT" or "TINYINT")`)
}

func (d *dateCall) minus() (plan.Expr, error) {
	r := d.r
	// Under ANSI a text is what it is taken from, or what is taken from it.
	if r.Conf.ANSI {
		switch x, y := d.a.Type(), d.b.Type(); {
		case x.IsString() && isClock(y):
			d.a = r.implicit(d.a, y)
		case isClock(x) && y.IsString():
			d.b = r.implicit(d.b, x)
		}
	}
	x, y := d.a.Type(), d.b.Type()
	e, err := d.shift()
	if e != nil || err != nil {
		return e, err
	}
	difference := func(name string, in, out *types.Type) plan.Expr {
		if r.legacyIntervals() && in.IsDatetime() {
			name, out = name+"_calendar", types.CalendarType
		}
		return d.make(name, out, r.implicit(d.a, in), r.implicit(d.b, in))
	}
	some := func(t *types.Type, ok func(*types.Type) bool) bool { return t.Kind == types.Null || ok(t) }
	isTime := func(t *types.Type) bool { return t.Kind == types.Time }
	switch {
	case (isTime(x) || isTime(y)) && some(x, isTime) && some(y, isTime):
		t := x
		if !isTime(t) || isTime(y) && y.Precision > t.Precision {
			t = y
		}
		return d.named(difference("subtract_times", t, types.NewDayTime(types.Hour, types.Second))), nil
	case isTS(x) || isTS(y):
		for i, e := range []plan.Expr{d.a, d.b} {
			if !some(e.Type(), (*types.Type).IsDatetime) {
				return nil, r.unexpected(d.c, i, wantTimestamp)
			}
		}
		t := r.coercion().Tightest(x, y)
		if !types.SameType(x, y) && x.Kind != types.Null && y.Kind != types.Null { // each by its clock
			t = types.TimestampNTZType
		}
		return r.note(difference("subtract_timestamps", t, types.DayTimeType), d.c), nil
	case y.Kind == types.Date, x.Kind == types.Date && y.Kind == types.Null:
		if x.Kind == types.Time {
			return nil, r.checkCast(&plan.Cast{At: d.c.At, Child: d.a, To: types.DateType, Mode: r.mode()})
		}
		if x.Kind != types.Date && x.Kind != types.Null && !x.IsString() {
			return nil, r.unexpected(d.c, 0, `"DATE"`)
		}
		return r.note(difference("subtract_dates", types.DateType, types.NewDayTime(types.Day, types.Day)), d.c), nil
	case x.Kind == types.Date:
		return d.addDays("date_sub", d.a, d.b)
	}
	return nil, nil
}

// legacyIntervals is spark.sql.legacy.interval.enabled: intervals are those of the calendar.
func (r *run) legacyIntervals() bool {
	return r.Conf.flag("spark.sql.legacy.interval.enabled", false)
}

// legacyInterval makes an interval of the user's text one of the calendar where the session wants that.
func (r *run) legacyInterval(l *plan.Literal) *plan.Literal {
	if !l.T.IsAnsiInterval() || l.Value == nil || !r.legacyIntervals() {
		return l
	}
	n := *l
	n.T, n.Text = types.CalendarType, ""
	switch v := l.Value.(type) {
	case int32:
		n.Value = types.CalendarValue{Months: v}
	case int64:
		c := types.CalendarValue{Micros: v}
		if l.T.Start == types.Day {
			c.Days, c.Micros = int32(v/types.MicrosPerDay), v%types.MicrosPerDay
		}
		n.Value = c
	}
	return &n
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
	if x.Kind == types.CalendarInterval && c.Mode != plan.Try {
		w := plan.Call{At: c.At, Name: map[string]string{"*": "multiply_interval", "/": "divide_interval"}[c.Name], Args: n.Args}
		return r.note(r.finish(&n, t, anyNull(n.Args)), &w), nil
	}
	return r.finish(&n, t, anyNull(n.Args) || c.Name == "/" && c.Mode == plan.Try || c.Mode == plan.Try), nil
}
