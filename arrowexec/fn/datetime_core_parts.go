package fn

import (
	"bytes"
	"strconv"
	"strings"
	"time"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// dateFields are the fields of EXTRACT over dates and times, and the functions that give them.
var dateFields = fieldTable(map[string]string{
	"year": "YEAR Y YEARS YR YRS", "year_of_week": "YEAROFWEEK", "quarter": "QUARTER QTR", "month": "MONTH MON MONS MONTHS",
	"weekofyear": "WEEK W WEEKS", "day": "DAY D DAYS", "dayofweek": "DAYOFWEEK DOW", "iso_weekday": "DAYOFWEEK_ISO DOW_ISO",
	"dayofyear": "DOY", "hour": "HOUR H HOURS HR HRS", "minute": "MINUTE M MIN MINS MINUTES", "second_fraction": "SECOND S SEC SECONDS SECS",
})

var intervalFields = fieldTable(map[string]string{
	"interval_year": "YEAR Y YEARS YR YRS", "interval_month": "MONTH MON MONS MONTHS", "interval_day": "DAY D DAYS",
	"interval_hour": "HOUR H HOURS HR HRS", "interval_minute": "MINUTE M MIN MINS MINUTES", "interval_second": "SECOND S SEC SECONDS SECS",
})

func fieldTable(in map[string]string) map[string]string {
	out := map[string]string{}
	for fn, words := range in {
		for _, w := range strings.Fields(words) {
			out[w] = fn
		}
	}
	return out
}

// rewriteExtract turns EXTRACT(field FROM source) into the function of the field.
func rewriteExtract(c *plan.Call) (plan.Expr, error) {
	v, ok := constant(c.Args[0])
	name, isText := v.(string)
	if !ok || !isText {
		return nil, errs.New(errs.Analysis, "NON_FOLDABLE_ARGUMENT", "funcName", errs.ID(c.Name), "paramName", errs.ID("field"), "paramType", `"STRING"`).At(c.Pos())
	}
	fields := dateFields
	src := c.Args[1].Type()
	if isInterval(src) {
		fields = intervalFields
	}
	f := fields[strings.ToUpper(name)]
	if f == "" || src.Kind == types.Time && f != "hour" && f != "minute" && f != "second_fraction" {
		return nil, errs.New(errs.Analysis, "INVALID_EXTRACT_FIELD", "field", errs.ID(name), "expr", errs.Quote(src.SQL())).At(c.Pos())
	}
	return &plan.Call{At: c.At, Name: f, Args: c.Args[1:2:2], Internal: true}, nil
}

func secondFraction(a *Args) (*vec.Vector, error) {
	z, err := zoneOf(a)
	if err != nil {
		return nil, err
	}
	out := make([]int64, a.N)
	for i := range out {
		out[i] = clockOf(a.V[0], i, z) % types.MicrosPerMinute
	}
	return vec.FromSlice(a.Ret, out, nil), nil
}

// intervalParts splits an interval of any family into months, days and microseconds below a day.
func intervalParts(v *vec.Vector, i int) (months, days, micros int64) {
	switch v.Type.Kind {
	case types.YearMonthInterval:
		return int64(vec.Of[int32](v)[i]), 0, 0
	case types.DayTimeInterval:
		x := vec.Of[int64](v)[i]
		return 0, x / types.MicrosPerDay, x % types.MicrosPerDay
	}
	c := vec.Of[types.CalendarValue](v)[i]
	return int64(c.Months), int64(c.Days), c.Micros
}

func intervalPart(f func(months, days, micros int64) int64) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := vec.Make(a.Ret, a.N)
		for i := range a.N {
			m, d, us := intervalParts(a.V[0], i)
			putInt(out, i, f(m, d, us))
		}
		return out, nil
	}
}

// noSuchDay tells of a day that a month lacks; the text is java.time's.
func noSuchDay(y, m, d int) string {
	if m == 2 && d == 29 {
		return "Invalid date 'February 29' as '" + strconv.Itoa(y) + "' is not a leap year"
	}
	return "Invalid date '" + strings.ToUpper(time.Month(m).String()) + " " + strconv.Itoa(d) + "'"
}

func makeDate(a *Args) (*vec.Vector, error) {
	out := make([]int32, a.N)
	v := vec.FromSlice(a.Ret, out, nil)
	for i := range out {
		if a.skipped(i) {
			continue
		}
		y, m, d := a.i32(0, i), a.i32(1, i), a.i32(2, i)
		text := ""
		switch {
		case m < 1 || m > 12:
			text = "Invalid value for MonthOfYear (valid values 1 - 12): " + strconv.Itoa(m)
		case d < 1 || d > 31:
			text = "Invalid value for DayOfMonth (valid values 1 - 28/31): " + strconv.Itoa(d)
		case d > types.DaysInMonth(int64(y), m):
			text = noSuchDay(y, m, d)
		}
		if text != "" {
			if a.Mode == plan.ANSI {
				return nil, errs.New(errs.DateTime, "DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", "rangeMessage", text).At(a.pos())
			}
			setNull(v, i)
			continue
		}
		out[i] = int32(types.DaysFromCivil(int64(y), m, d))
	}
	return v, nil
}

var weekdays = map[string]int64{"MO": 0, "MON": 0, "MONDAY": 0, "TU": 1, "TUE": 1, "TUESDAY": 1, "WE": 2, "WED": 2, "WEDNESDAY": 2,
	"TH": 3, "THU": 3, "THURSDAY": 3, "FR": 4, "FRI": 4, "FRIDAY": 4, "SA": 5, "SAT": 5, "SATURDAY": 5, "SU": 6, "SUN": 6, "SUNDAY": 6}

func nextDay(a *Args) (*vec.Vector, error) {
	out := make([]int32, a.N)
	v := vec.FromSlice(a.Ret, out, nil)
	for i, d := range vec.Of[int32](a.V[0]) {
		if a.skipped(i) {
			continue
		}
		w, ok := weekdays[strings.ToUpper(a.V[1].Str(i))]
		if !ok {
			if a.Mode == plan.ANSI {
				return nil, errs.New(errs.IllegalArgument, "ILLEGAL_DAY_OF_WEEK", "string", a.V[1].Str(i)).At(a.pos())
			}
			setNull(v, i)
			continue
		}
		out[i] = d + 1 + int32(types.FloorMod(w-int64(d)-1-3, 7))
	}
	return v, nil
}

// splitPart is part n (from 1, or from the end when negative) of a text cut at a delimiter.
func splitPart(a *Args) (*vec.Vector, error) {
	b := newStrings(a.N, 0)
	for i := range a.N {
		if a.skipped(i) {
			b.addNull(a.N)
			continue
		}
		n := a.i32(2, i)
		if n == 0 {
			return nil, errs.New(errs.Runtime, "INVALID_INDEX_OF_ZERO").At(a.pos())
		}
		parts := [][]byte{a.V[0].Bytes(i)}
		if sep := a.V[1].Bytes(i); searched(a.V[0].Type) != nil {
			parts = splitCollated(a, parts[0], sep)
		} else if len(sep) > 0 {
			parts = bytes.Split(parts[0], sep)
		}
		if n < 0 {
			n += len(parts) + 1
		}
		if n >= 1 && n <= len(parts) {
			b.add(parts[n-1])
		} else {
			b.add(nil)
		}
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return b.finish(a.Ret), nil
}

// splitCollated cuts s at what equals sep under the collation.
func splitCollated(a *Args, s, sep []byte) (parts [][]byte) {
	for at := 0; ; {
		k, end := indexOf(a, a.V[0].Type, s, sep, at)
		if k < 0 || end == k {
			return append(parts, s[at:])
		}
		parts, at = append(parts, s[at:k]), end
	}
}

// dayParts are the overloads of a function of a date. It takes timestamps as they are, rather than cast
// to dates; that such a cast may give NULL shows in what it returns.
func dayParts(k Kernel) []Overload {
	ret := func(c *plan.Call) (*types.Type, bool, error) {
		t := c.Args[0].Type()
		return types.Int32Type, c.Args[0].Nullable() || t.Kind == types.TimestampNTZ, nil
	}
	p := Accept{Name: "DATE", Types: []*types.Type{types.DateType}, Test: (*types.Type).IsDatetime}
	return []Overload{{Params: params(p), RetExpr: ret, Eval: k}}
}

func datetimeParts() []Def {
	i32 := gives(types.Int32Type)
	internal := func(name, usage string, o ...Overload) Def {
		return Def{Name: name, Since: "3.0.0", Group: "internal", Usage: usage, Kind: plan.FnScalar, Overloads: o}
	}
	seconds := gives(types.NewDecimal(8, 6))
	sourceP := Accept{Name: `("DATE" or "TIMESTAMP" or "INTERVAL")`, Types: []*types.Type{types.TimestampType},
		Test: func(t *types.Type) bool { return t.IsDatetime() || t.Kind == types.Time || isInterval(t) }}
	extract := func(name string, ex Example) Def {
		return Def{Name: name, Since: "3.0.0", Group: "datetime_funcs", Usage: "Gives a field of a date, a timestamp, a time or an interval.", Kind: plan.FnScalar,
			Overloads: []Overload{sig(i32, nil, stringP, sourceP)}, Rewrite: rewriteExtract, Examples: []Example{ex}}
	}
	datePart := extract("date_part", Example{"SELECT date_part('doy', DATE'2019-08-12')", "224"})
	datePart.Aliases = []string{"datepart"}
	return []Def{
		extract("extract", Example{"SELECT extract(YEAR FROM TIMESTAMP '2019-08-12 01:00:00.123456')", "2019"}), datePart,
		internal("year_of_week", "Gives the year that the ISO week belongs to.", dayParts(dayPart(func(d int64) int64 { return yearOf(d - types.FloorMod(d+3, 7) + 3) }))...),
		internal("iso_weekday", "Gives the day of the week, 1 for Monday.", dayParts(dayPart(func(d int64) int64 { return types.FloorMod(d+3, 7) + 1 }))...),
		internal("second_fraction", "Gives the seconds with their fraction.", sig(seconds, secondFraction, tsP), sig(seconds, secondFraction, ntzP), sig(seconds, secondFraction, timeP)),
		internal("interval_year", "Gives the years of an interval.", sig(i32, intervalPart(func(m, _, _ int64) int64 { return m / 12 }), intervalP)),
		internal("interval_month", "Gives the months beside the years.", sig(gives(types.Int8Type), intervalPart(func(m, _, _ int64) int64 { return m % 12 }), intervalP)),
		internal("interval_day", "Gives the days.", sig(i32, intervalPart(func(_, d, _ int64) int64 { return d }), intervalP)),
		internal("interval_hour", "Gives the hours.", sig(gives(types.Int8Type), intervalPart(func(_, _, us int64) int64 { return us / types.MicrosPerHour }), intervalP)),
		internal("interval_minute", "Gives the minutes.", sig(gives(types.Int8Type), intervalPart(func(_, _, us int64) int64 { return us / types.MicrosPerMinute % 60 }), intervalP)),
		internal("interval_second", "Gives the seconds with their fraction.", sig(seconds, intervalPart(func(_, _, us int64) int64 { return us % types.MicrosPerMinute }), intervalP)),
		{Name: "make_date", Since: "3.0.0", Group: "datetime_funcs", Usage: "Makes a date of year, month and day.", Kind: plan.FnScalar, Nulls: NullMaybe, Ansi: true,
			Overloads: []Overload{sigAnsi(types.DateType, makeDate, int32P, int32P, int32P)}, Examples: []Example{{"SELECT make_date(2013, 7, 15)", "2013-07-15"}}},
		{Name: "next_day", Since: "1.5.0", Group: "datetime_funcs", Usage: "Gives the first date after a date that is a certain day of the week.", Kind: plan.FnScalar, Nulls: NullMaybe, Ansi: true,
			Overloads: []Overload{sig(gives(types.DateType), nextDay, dateP, stringP)}, Examples: []Example{{"SELECT next_day('2015-01-14', 'TU')", "2015-01-20"}}},
		{Name: "split_part", Since: "3.3.0", Group: "string_funcs", Usage: "Cuts a text at a delimiter and gives one part.", Kind: plan.FnScalar, Nulls: NullMaybe,
			Overloads: []Overload{sig(gives(types.StringType), splitPart, stringP, stringP, int32P)}, Examples: []Example{{"SELECT split_part('11.12.13', '.', 3)", "13"}}},
	}
}
