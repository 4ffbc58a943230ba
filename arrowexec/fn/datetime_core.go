package fn

import (
	"math"
	"strings"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// zoneOf is the session's time zone, with a cache of its own for this call.
func zoneOf(a *Args) (*types.ZoneCache, error) {
	return state(a, func() (*types.ZoneCache, error) {
		if a.Env.Conf == nil {
			return types.NewZoneCache(nil), nil
		}
		return types.NewZoneCache(a.Env.Conf.TimeZone), nil
	})
}

// dayOf is the date of row i of a date or timestamp argument, in the session's time zone.
func dayOf(v *vec.Vector, i int, z *types.ZoneCache) int64 {
	switch v.Type.Kind {
	case types.Date:
		return int64(vec.Of[int32](v)[i])
	case types.Timestamp:
		return types.FloorDiv(z.ToLocal(vec.Of[int64](v)[i]), types.MicrosPerDay)
	}
	return types.FloorDiv(vec.Of[int64](v)[i], types.MicrosPerDay)
}

// clockOf is the microseconds of the day of row i of a timestamp or time.
func clockOf(v *vec.Vector, i int, z *types.ZoneCache) int64 {
	x := vec.Of[int64](v)[i]
	switch v.Type.Kind {
	case types.Time:
		return x / 1000
	case types.Timestamp:
		x = z.ToLocal(x)
	}
	return types.FloorMod(x, types.MicrosPerDay)
}

func dayPart(f func(days int64) int64) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		z, err := zoneOf(a)
		if err != nil {
			return nil, err
		}
		out := make([]int32, a.N)
		for i := range out {
			out[i] = int32(f(dayOf(a.V[0], i, z)))
		}
		return vec.FromSlice(a.Ret, out, nil), nil
	}
}

func clockPart(unit, mod int64) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		z, err := zoneOf(a)
		if err != nil {
			return nil, err
		}
		out := make([]int32, a.N)
		for i := range out {
			out[i] = int32(clockOf(a.V[0], i, z) / unit % mod)
		}
		return vec.FromSlice(a.Ret, out, nil), nil
	}
}

func yearOf(d int64) int64  { y, _, _ := types.CivilFromDays(d); return y }
func monthOf(d int64) int64 { _, m, _ := types.CivilFromDays(d); return int64(m) }
func mdayOf(d int64) int64  { _, _, m := types.CivilFromDays(d); return int64(m) }
func ydayOf(d int64) int64  { return d - types.DaysFromCivil(yearOf(d), 1, 1) + 1 }

// weekOf is the ISO week of the year.
func weekOf(d int64) int64 {
	thursday := d - types.FloorMod(d+3, 7) + 3
	return (ydayOf(thursday)-1)/7 + 1
}

// addMonths moves a day by months; a day that the month doesn't have becomes its last. ok is false outside of int32.
func addMonths(day, months int64) (int64, bool) {
	y, m, d := types.CivilFromDays(day)
	n := y*12 + int64(m-1) + months
	y, m = types.FloorDiv(n, 12), int(types.FloorMod(n, 12))+1
	r := types.DaysFromCivil(y, m, min(d, types.DaysInMonth(y, m)))
	return r, r == int64(int32(r))
}

func datetimeOverflow(a *Args, what string) error {
	return errs.New(errs.Arithmetic, "DATETIME_OVERFLOW", "operation", what).At(a.pos())
}

// dayCountP is a number of days.
var dayCountP = exact(`("INT" or "SMALLINT" or "TINYINT")`, func(t *types.Type) bool {
	return t.Kind == types.Int32 || t.Kind == types.Int16 || t.Kind == types.Int8
}, types.Int32Type)

func dateAdd(sign int64) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := make([]int32, a.N)
		days := vec.Of[int32](a.V[0])
		for i := range out {
			out[i] = days[i] + int32(sign*getInt(a.V[1], i)) // wraps, as Spark's does
		}
		return vec.FromSlice(a.Ret, out, nil), nil
	}
}

func addMonthsKernel(a *Args) (*vec.Vector, error) {
	out := make([]int32, a.N)
	for i, d := range vec.Of[int32](a.V[0]) {
		if a.skipped(i) {
			continue
		}
		r, ok := addMonths(int64(d), getInt(a.V[1], i))
		if !ok {
			return nil, datetimeOverflow(a, "add months to a date")
		}
		out[i] = int32(r)
	}
	return vec.FromSlice(a.Ret, out, nil), nil
}

// timestampAdd adds an interval to timestamps: months and days on the local clock, micros to the instant.
func timestampAdd(part func(v *vec.Vector, i int) types.CalendarValue) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		z, err := zoneOf(a)
		if err != nil {
			return nil, err
		}
		date, zoned := a.V[0].Type.Kind == types.Date, a.V[0].Type.Kind == types.Timestamp
		out := vec.Make(a.Ret, a.N)
		for i := range a.N {
			if a.skipped(i) {
				continue
			}
			iv := part(a.V[1], i)
			if date {
				if iv.Micros != 0 && a.Mode == plan.ANSI {
					return nil, errs.New(errs.IllegalArgument, "INVALID_INTERVAL_WITH_MICROSECONDS_ADDITION", "ansiConfig", ansiKey).At(a.pos())
				}
				d, ok := addMonths(int64(vec.Of[int32](a.V[0])[i]), int64(iv.Months))
				d += int64(iv.Days) + types.FloorDiv(iv.Micros, types.MicrosPerDay)
				if !ok || d != int64(int32(d)) {
					return nil, datetimeOverflow(a, "add an interval to a date")
				}
				vec.Of[int32](out)[i] = int32(d)
				continue
			}
			x := vec.Of[int64](a.V[0])[i]
			for _, step := range [2][2]int64{{int64(iv.Months), 0}, {0, int64(iv.Days)}} {
				if step == [2]int64{} {
					continue
				}
				local := x
				if zoned {
					local = z.ToLocal(x)
				}
				day := types.FloorDiv(local, types.MicrosPerDay)
				d, ok := addMonths(day, step[0])
				d += step[1]
				if !ok || d > 106751990 || d < -106751990 {
					return nil, datetimeOverflow(a, "add an interval to a timestamp")
				}
				offset := local - x
				local += (d - day) * types.MicrosPerDay
				x = local - offset // of two instants with this local time, that with the old offset
				if zoned && z.ToLocal(x) != local {
					x = z.FromLocal(local)
				}
			}
			if overflows(opAdd, x, iv.Micros) {
				return nil, datetimeOverflow(a, "add an interval to a timestamp")
			}
			vec.Of[int64](out)[i] = x + iv.Micros
		}
		return out, nil
	}
}

func ymPart(v *vec.Vector, i int) types.CalendarValue {
	return types.CalendarValue{Months: vec.Of[int32](v)[i]}
}

// dtPart parts an interval into whole days, which are added in local time, and the rest.
func dtPart(v *vec.Vector, i int) types.CalendarValue {
	us := vec.Of[int64](v)[i]
	return types.CalendarValue{Days: int32(us / types.MicrosPerDay), Micros: us % types.MicrosPerDay}
}

func microsPart(v *vec.Vector, i int) types.CalendarValue {
	return types.CalendarValue{Micros: vec.Of[int64](v)[i]}
}

func calPart(v *vec.Vector, i int) types.CalendarValue { return vec.Of[types.CalendarValue](v)[i] }

// sinceMidnight is how many seconds after the start of its day an instant is: where the clock is put forward or
// back on that day, not what the clock shows.
func sinceMidnight(z *types.ZoneCache, us, day int64) int64 {
	return (us - z.FromLocal(day*types.MicrosPerDay)) / types.MicrosPerSecond
}

func monthsBetween(a *Args) (*vec.Vector, error) {
	z, err := zoneOf(a)
	if err != nil {
		return nil, err
	}
	out := make([]float64, a.N)
	for i := range out {
		x, y := z.ToLocal(vec.Of[int64](a.V[0])[i]), z.ToLocal(vec.Of[int64](a.V[1])[i])
		d1, d2 := types.FloorDiv(x, types.MicrosPerDay), types.FloorDiv(y, types.MicrosPerDay)
		y1, m1, k1 := types.CivilFromDays(d1)
		y2, m2, k2 := types.CivilFromDays(d2)
		months := float64(y1*12 + int64(m1) - y2*12 - int64(m2))
		if k1 == k2 || k1 == types.DaysInMonth(y1, m1) && k2 == types.DaysInMonth(y2, m2) {
			out[i] = months
			continue
		}
		s1, s2 := sinceMidnight(z, vec.Of[int64](a.V[0])[i], d1), sinceMidnight(z, vec.Of[int64](a.V[1])[i], d2)
		sec := int64(k1-k2)*types.SecondsPerDay + s1 - s2
		out[i] = months + float64(sec)/float64(31*types.SecondsPerDay)
		if len(a.V) < 3 || vec.Of[bool](a.V[2])[i] {
			out[i] = math.Round(out[i]*1e8) / 1e8
		}
	}
	return vec.FromSlice(a.Ret, out, nil), nil
}

// truncDay is the first day of the unit that a day is in; ok is false for units below a day or unknown.
func truncDay(unit string, d int64) (int64, bool) {
	y, m, _ := types.CivilFromDays(d)
	switch strings.ToUpper(unit) {
	case "YEAR", "YYYY", "YY":
		return types.DaysFromCivil(y, 1, 1), true
	case "QUARTER":
		return types.DaysFromCivil(y, (m-1)/3*3+1, 1), true
	case "MONTH", "MM", "MON":
		return types.DaysFromCivil(y, m, 1), true
	case "WEEK":
		return d - types.FloorMod(d+3, 7), true
	}
	return 0, false
}

func truncDate(a *Args) (*vec.Vector, error) {
	out := make([]int32, a.N)
	v := vec.FromSlice(a.Ret, out, nil)
	for i, d := range vec.Of[int32](a.V[0]) {
		if a.skipped(i) {
			continue
		}
		r, ok := truncDay(a.V[1].Str(i), int64(d))
		if !ok {
			setNull(v, i)
		}
		out[i] = int32(r)
	}
	return v, nil
}

func truncTimestamp(a *Args) (*vec.Vector, error) {
	z, err := zoneOf(a)
	if err != nil {
		return nil, err
	}
	out := make([]int64, a.N)
	v := vec.FromSlice(a.Ret, out, nil)
	for i, x := range vec.Of[int64](a.V[1]) {
		if a.skipped(i) {
			continue
		}
		local := x
		zoned := a.V[1].Type.Kind == types.Timestamp
		if zoned {
			local = z.ToLocal(x)
		}
		unit := strings.ToUpper(a.V[0].Str(i))
		step := map[string]int64{"MICROSECOND": 1, "MILLISECOND": 1000, "SECOND": types.MicrosPerSecond, "MINUTE": types.MicrosPerMinute, "HOUR": types.MicrosPerHour, "DAY": types.MicrosPerDay, "DD": types.MicrosPerDay}[unit]
		if step > 0 {
			local -= types.FloorMod(local, step)
		} else {
			d, ok := truncDay(unit, types.FloorDiv(local, types.MicrosPerDay))
			if !ok {
				setNull(v, i)
				continue
			}
			local = d * types.MicrosPerDay
		}
		if zoned && step > 0 && step <= types.MicrosPerSecond {
			local = x - types.FloorMod(x, step)
		} else if zoned {
			local = z.FromLocal(local)
		}
		out[i] = local
	}
	return v, nil
}

// long64 makes a kernel of one 64-bit result from one integer-like argument, with an overflow check.
func long64(f func(x int64) (int64, bool)) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := make([]int64, a.N)
		for i := range out {
			if a.skipped(i) {
				continue
			}
			var ok bool
			if out[i], ok = f(getInt(a.V[0], i)); !ok {
				return nil, overflowError(a, "long overflow", "")
			}
		}
		return vec.FromSlice(a.Ret, out, nil), nil
	}
}

func timesMicros(unit int64) func(int64) (int64, bool) {
	return func(x int64) (int64, bool) {
		p := types.Mul64(x, unit)
		return int64(p.Lo), p.IsInt64()
	}
}

func overMicros(unit int64) func(int64) (int64, bool) {
	return func(x int64) (int64, bool) { return types.FloorDiv(x, unit), true }
}

func subtractInts(scale int64) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := make([]int64, a.N)
		for i := range out {
			x, y := getInt(a.V[0], i), getInt(a.V[1], i)
			p := types.Mul64(x-y, scale)
			if !a.skipped(i) && (overflows(opSub, x, y) || !p.IsInt64()) {
				return nil, overflowError(a, "long overflow", "")
			}
			out[i] = int64(p.Lo)
		}
		return vec.FromSlice(a.Ret, out, nil), nil
	}
}

// secondsToTimestamp takes decimals, which must not be finer than microseconds, and floats.
var secondsToTimestamp = longKernel(func(a *Args, _ *clockState, i int) (int64, bool, error) {
	v := a.V[0]
	if v.Type.Kind == types.Decimal {
		p, ok := types.MulRound(getDecimal(v, i), types.I128(types.MicrosPerSecond), 0)
		q, rest := p.DivMod10(v.Type.Scale)
		switch {
		case rest.Sign() != 0:
			return 0, false, overflowError(a, "Rounding necessary", "")
		case !ok || !q.IsInt64():
			return 0, false, overflowError(a, "long overflow", "")
		}
		return int64(q.Lo), true, nil
	}
	x := getFloat(v, i)
	if math.IsNaN(x) || math.IsInf(x, 0) {
		return 0, false, nil
	}
	switch x *= 1e6; {
	case x >= math.MaxInt64:
		return math.MaxInt64, true, nil
	case x <= math.MinInt64:
		return math.MinInt64, true, nil
	}
	return int64(x), true, nil
})

// calendarOf makes a kernel of microseconds one of intervals of the calendar.
func calendarOf(k Kernel) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		b := *a
		b.Ret = types.DayTimeType
		v, err := k(&b)
		if err != nil {
			return nil, err
		}
		out := make([]types.CalendarValue, a.N)
		for i, us := range vec.Of[int64](v) {
			out[i].Micros = us
		}
		return vec.FromSlice(a.Ret, out, nil), nil
	}
}

// subtractDates gives the whole months and the days from the second date to the first.
func subtractDates(a *Args) (*vec.Vector, error) {
	out := make([]types.CalendarValue, a.N)
	to, from := vec.Of[int32](a.V[0]), vec.Of[int32](a.V[1])
	for i := range out {
		if a.skipped(i) {
			continue
		}
		y1, m1, d1 := types.CivilFromDays(int64(from[i]))
		y2, m2, d2 := types.CivilFromDays(int64(to[i]))
		months, days := (y2-y1)*12+int64(m2-m1), int64(d2-d1)
		switch {
		case months > 0 && days < 0:
			months--
			d, _ := addMonths(int64(from[i]), months)
			days = int64(to[i]) - d
		case months < 0 && days > 0:
			months++
			days -= int64(types.DaysInMonth(y2, m2))
		}
		out[i] = types.CalendarValue{Months: int32(months), Days: int32(days)}
	}
	return vec.FromSlice(a.Ret, out, nil), nil
}

func datetimeCore() []Def {
	i32, date := gives(types.Int32Type), gives(types.DateType)
	def := func(name, usage string, ex Example, o ...Overload) Def {
		d := Def{Name: name, Since: "1.5.0", Group: "datetime_funcs", Usage: usage, Kind: plan.FnScalar, Overloads: o}
		if ex.SQL != "" {
			d.Examples = []Example{ex}
		} else {
			d.Group = "internal"
		}
		return d
	}
	alias := func(d Def, names ...string) Def { d.Aliases = names; return d }
	maybe := func(d Def) Def { d.Nulls = NullMaybe; return d }
	part := func(name, usage string, f func(int64) int64, sql, want string) Def {
		k := dayPart(f)
		return def(name, usage, Example{sql, want}, dayParts(k)...)
	}
	clock := func(name, usage string, unit, mod int64, sql, want string) Def {
		k := clockPart(unit, mod)
		return def(name, usage, Example{sql, want}, sig(i32, k, tsP), sig(i32, k, ntzP), Overload{Params: params(timeP), Eval: k, RetExpr: func(*plan.Call) (*types.Type, bool, error) {
			return types.Int32Type, true, nil
		}})
	}
	bigint, ts := gives(types.Int64Type), gives(types.TimestampType)
	dayInterval := types.NewDayTime(types.Day, types.Day)
	// The time between two timestamps is that between their clocks in the session's time zone.
	subtractStamps := func(a *Args) (*vec.Vector, error) {
		z, err := zoneOf(a)
		if err != nil {
			return nil, err
		}
		out := make([]int64, a.N)
		for i := range out {
			x, y := getInt(a.V[0], i), getInt(a.V[1], i)
			if a.V[0].Type.Kind == types.Timestamp && !a.skipped(i) {
				x, y = z.ToLocal(x), z.ToLocal(y)
			}
			if !a.skipped(i) && overflows(opSub, x, y) {
				return nil, overflowError(a, "long overflow", "")
			}
			out[i] = x - y
		}
		return vec.FromSlice(a.Ret, out, nil), nil
	}
	return []Def{
		part("year", "Gives the year.", yearOf, "SELECT year('2016-07-30')", "2016"),
		part("quarter", "Gives the quarter, from 1.", func(d int64) int64 { return (monthOf(d)-1)/3 + 1 }, "SELECT quarter('2016-08-31')", "3"),
		part("month", "Gives the month, from 1.", monthOf, "SELECT month('2016-07-30')", "7"),
		alias(part("day", "Gives the day of the month.", mdayOf, "SELECT day('2009-07-30')", "30"), "dayofmonth"),
		part("dayofweek", "Gives the day of the week, 1 for Sunday.", func(d int64) int64 { return types.FloorMod(d+4, 7) + 1 }, "SELECT dayofweek('2009-07-30')", "5"),
		part("weekday", "Gives the day of the week, 0 for Monday.", func(d int64) int64 { return types.FloorMod(d+3, 7) }, "SELECT weekday('2009-07-30')", "3"),
		part("dayofyear", "Gives the day of the year.", ydayOf, "SELECT dayofyear('2016-04-09')", "100"),
		part("weekofyear", "Gives the ISO week of the year.", weekOf, "SELECT weekofyear('2008-02-20')", "8"),
		clock("hour", "Gives the hour.", types.MicrosPerHour, 24, "SELECT hour('2009-07-30 12:58:59')", "12"),
		clock("minute", "Gives the minute.", types.MicrosPerMinute, 60, "SELECT minute('2009-07-30 12:58:59')", "58"),
		clock("second", "Gives the second.", types.MicrosPerSecond, 60, "SELECT second('2009-07-30 12:58:59')", "59"),
		alias(def("date_add", "Adds days to a date.", Example{"SELECT date_add('2016-07-30', 1)", "2016-07-31"}, sig(date, dateAdd(1), dateP, dayCountP)), "dateadd"),
		def("date_sub", "Takes days off a date.", Example{"SELECT date_sub('2016-07-30', 1)", "2016-07-29"}, sig(date, dateAdd(-1), dateP, dayCountP)),
		alias(def("datediff", "Counts the days from the second date to the first.", Example{"SELECT datediff('2009-07-31', '2009-07-30')", "1"}, sig(i32, func(a *Args) (*vec.Vector, error) {
			out := make([]int32, a.N)
			x, y := vec.Of[int32](a.V[0]), vec.Of[int32](a.V[1])
			for i := range out {
				out[i] = x[i] - y[i]
			}
			return vec.FromSlice(a.Ret, out, nil), nil
		}, dateP, dateP)), "date_diff"),
		def("add_months", "Adds months to a date.", Example{"SELECT add_months('2016-08-31', 1)", "2016-09-30"}, sig(date, addMonthsKernel, dateP, int32P), sig(date, addMonthsKernel, dateP, yearMonthP)),
		def("months_between", "Gives the months from the second timestamp to the first, with a fraction.", Example{"SELECT months_between('1997-02-28 10:30:00', '1996-10-30')", "3.94959677"}, sig(gives(types.Float64Type), monthsBetween, tsP, tsP), sig(gives(types.Float64Type), monthsBetween, tsP, tsP, boolP)),
		def("last_day", "Gives the last day of the month.", Example{"SELECT last_day('2009-01-12')", "2009-01-31"}, sig(date, dayPart(func(d int64) int64 {
			y, m, k := types.CivilFromDays(d)
			return d + int64(types.DaysInMonth(y, m)-k)
		}), dateP)),
		maybe(def("trunc", "Gives the first day of the year, quarter, month or week that a date is in.", Example{"SELECT trunc('2019-08-04', 'week')", "2019-07-29"}, sig(date, truncDate, dateP, stringP))),
		maybe(def("date_trunc", "Cuts a timestamp at a unit.", Example{"SELECT date_trunc('YEAR', '2015-03-05T09:32:05.359')", "2015-01-01 00:00:00"}, sig(ts, truncTimestamp, stringP, tsP))),
		def("interval_days", "Gives the whole days of an interval.", Example{}, sig(i32, func(a *Args) (*vec.Vector, error) {
			out := make([]int32, a.N)
			for i, x := range vec.Of[int64](a.V[0]) {
				out[i] = int32(x / types.MicrosPerDay)
			}
			return vec.FromSlice(a.Ret, out, nil), nil
		}, dayTimeP)),
		def("timestamp_add_ym", "Adds months to a timestamp.", Example{}, sig(givesArg(0), timestampAdd(ymPart), tsP, yearMonthP), sig(givesArg(0), timestampAdd(ymPart), ntzP, yearMonthP)),
		def("timestamp_add_dt", "Adds time to a timestamp.", Example{}, sig(givesArg(0), timestampAdd(dtPart), tsP, dayTimeP), sig(givesArg(0), timestampAdd(dtPart), ntzP, dayTimeP)),
		def("time_add_calendar", "Adds an interval to a timestamp or a date.", Example{}, sig(givesArg(0), timestampAdd(calPart), tsP, calendarP), sig(givesArg(0), timestampAdd(calPart), ntzP, calendarP), sig(givesArg(0), timestampAdd(calPart), dateP, calendarP)),
		def("time_add_dt", "Adds an interval to a time of day.", Example{}, sig(givesArg(0), func(a *Args) (*vec.Vector, error) {
			out := make([]int64, a.N)
			for i, x := range vec.Of[int64](a.V[0]) {
				p := types.Mul64(vec.Of[int64](a.V[1])[i], 1000).Add(types.I128(x))
				if !a.skipped(i) && (!p.IsInt64() || int64(p.Lo) < 0 || int64(p.Lo) >= 86400e9) {
					return nil, datetimeOverflow(a, "add an interval to a time")
				}
				out[i] = int64(p.Lo)
			}
			return vec.FromSlice(a.Ret, out, nil), nil
		}, timeP, dayTimeP)),
		def("subtract_dates", "Gives the days between two dates as an interval.", Example{}, sig(gives(dayInterval), subtractInts(types.MicrosPerDay), dateP, dateP)),
		def("subtract_dates_calendar", "Gives the months and days between two dates.", Example{}, sig(gives(types.CalendarType), subtractDates, dateP, dateP)),
		def("subtract_timestamps_calendar", "Gives the time between two instants, as an interval of the calendar.", Example{}, sig(gives(types.CalendarType), calendarOf(subtractInts(1)), tsP, tsP), sig(gives(types.CalendarType), calendarOf(subtractInts(1)), ntzP, ntzP)),
		def("subtract_timestamps", "Gives the time between two timestamps as an interval.", Example{}, sig(gives(types.DayTimeType), subtractStamps, tsP, tsP), sig(gives(types.DayTimeType), subtractStamps, ntzP, ntzP)),
		def("subtract_times", "Gives the time between two times of day as an interval.", Example{}, sig(gives(types.NewDayTime(types.Hour, types.Second)), func(a *Args) (*vec.Vector, error) {
			v, err := subtractInts(1)(a)
			if err == nil {
				for i, x := range vec.Of[int64](v) {
					vec.Of[int64](v)[i] = x / 1000
				}
			}
			return v, err
		}, timeP, timeP)),
		def("timestamp_add_micros", "Adds microseconds to a timestamp, whatever the time zone.", Example{}, sig(givesArg(0), timestampAdd(microsPart), tsP, int64P), sig(givesArg(0), timestampAdd(microsPart), ntzP, int64P)),
		def("window_start", "Gives the start of a time window.", Example{}, sig(givesArg(0), windowStart, tsP, int64P, int64P, int64P, int32P), sig(givesArg(0), windowStart, ntzP, int64P, int64P, int64P, int32P)),
		def("unix_date", "Counts the days since 1970-01-01.", Example{"SELECT unix_date(DATE('1970-01-02'))", "1"}, sig(i32, identity, onlyDateP)),
		def("date_from_unix_date", "Gives the date so many days after 1970-01-01.", Example{"SELECT date_from_unix_date(1)", "1970-01-02"}, sig(date, identity, int32P)),
		def("unix_micros", "Counts the microseconds since 1970-01-01 00:00:00 UTC.", Example{"SELECT unix_micros(TIMESTAMP('1970-01-01 00:00:01Z'))", "1000000"}, sig(bigint, identity, stampP)),
		def("unix_millis", "Counts the milliseconds since 1970-01-01 00:00:00 UTC.", Example{"SELECT unix_millis(TIMESTAMP('1970-01-01 00:00:01Z'))", "1000"}, sig(bigint, long64(overMicros(1000)), stampP)),
		def("unix_seconds", "Counts the seconds since 1970-01-01 00:00:00 UTC.", Example{"SELECT unix_seconds(TIMESTAMP('1970-01-01 00:00:01Z'))", "1"}, sig(bigint, long64(overMicros(types.MicrosPerSecond)), stampP)),
		def("timestamp_micros", "Gives the timestamp so many microseconds after 1970-01-01 00:00:00 UTC.", Example{"SELECT timestamp_micros(1230219000123123)", "2008-12-25 15:30:00.123123"}, sig(ts, long64(timesMicros(1)), integralP)),
		def("timestamp_millis", "Gives the timestamp so many milliseconds after 1970-01-01 00:00:00 UTC.", Example{"SELECT timestamp_millis(1230219000123)", "2008-12-25 15:30:00.123"}, sig(ts, long64(timesMicros(1000)), integralP)),
		maybe(def("timestamp_seconds", "Gives the timestamp so many seconds after 1970-01-01 00:00:00 UTC.", Example{"SELECT timestamp_seconds(1230219000)", "2008-12-25 15:30:00"}, Overload{Params: params(onlyIntP), RetExpr: retAnyNull(ts), Eval: long64(timesMicros(types.MicrosPerSecond))}, Overload{Params: params(onlyNumP), RetExpr: func(c *plan.Call) (*types.Type, bool, error) {
			x := c.Args[0]
			return types.TimestampType, x.Nullable() || x.Type().Kind == types.Float32 || x.Type().Kind == types.Float64, nil // NaN gives NULL
		}, Eval: secondsToTimestamp}, sig(ts, secondsToTimestamp, doubleP))),
	}
}

// windowStart is the start of the i-th window (0 is the latest) that a timestamp is in.
func windowStart(a *Args) (*vec.Vector, error) {
	out := make([]int64, a.N)
	for i, t := range vec.Of[int64](a.V[0]) {
		slide, offset := vec.Of[int64](a.V[2])[i], vec.Of[int64](a.V[3])[i]
		if a.skipped(i) || slide <= 0 {
			continue
		}
		out[i] = t - types.FloorMod(t-offset, slide) - int64(a.i32(4, i))*slide
	}
	return vec.FromSlice(a.Ret, out, nil), nil
}
