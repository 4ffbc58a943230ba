package fn

import (
	"math"
	"strconv"
	"strings"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

const (
	nanosPerMicro  = 1000
	nanosPerSecond = 1_000_000_000
	nanosPerDay    = 86400 * nanosPerSecond
	// timePattern is how messages write the form of a time that is read without a pattern.
	timePattern = "HH:mm:ss.SSSSSS"
)

// exact is a parameter that casts nothing but NULL, to its first type.
func exact(name string, test func(*types.Type) bool, t ...*types.Type) Accept {
	return Accept{Name: name, Types: t, Test: test, Exact: true}
}

var (
	onlyTimeP   = exact("TIME", func(t *types.Type) bool { return t.Kind == types.Time }, types.TimeType)
	onlyTextP   = exact("STRING", (*types.Type).IsString, types.StringType)
	onlyDateP   = exact("DATE", func(t *types.Type) bool { return t.Kind == types.Date }, types.DateType)
	onlyInt32P  = exact("INT", func(t *types.Type) bool { return t.Kind == types.Int32 }, types.Int32Type)
	onlyIntP    = exact("INTEGRAL", (*types.Type).IsIntegral, types.Int64Type)
	onlyBinaryP = exact("BINARY", func(t *types.Type) bool { return t.Kind == types.Binary }, types.BinaryType)
	onlyBoolP   = exact("BOOLEAN", func(t *types.Type) bool { return t.Kind == types.Bool }, types.BoolType)
	onlyNumP    = exact("NUMERIC", (*types.Type).IsNumeric, types.Int32Type)
)

func fieldBounds(a *Args, text string) error {
	return errs.New(errs.DateTime, "DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", "rangeMessage", text).At(a.pos())
}

func fieldRange(field string, most, v int64) string {
	return "Invalid value for " + field + " (valid values 0 - " + strconv.FormatInt(most, 10) + "): " + strconv.FormatInt(v, 10)
}

// parseTime reads a time of day, by a pattern if one is given.
func parseTime(try bool) Kernel {
	return longKernel(func(a *Args, s *clockState, i int) (int64, bool, error) {
		in, form := a.V[0].Str(i), timePattern
		x, ok := int64(0), false
		if len(a.V) == 1 {
			x, ok = types.ParseTime(in, types.DefaultTimePrecise)
		} else {
			form = a.V[1].Str(i)
			p, err := s.pattern(a, form, true)
			if err != nil {
				return 0, false, err
			}
			var local int64
			local, _, _, ok = p.Parse(in)
			x = types.FloorMod(local, types.MicrosPerDay) * nanosPerMicro
		}
		switch {
		case ok:
			return x, true, nil
		case try:
			return 0, false, nil
		}
		return 0, false, errs.New(errs.DateTime, "CANNOT_PARSE_TIME", "input", errs.Text(in), "format", errs.Text(form)).At(a.pos())
	})
}

var makeTime = longKernel(func(a *Args, _ *clockState, i int) (int64, bool, error) {
	h, m, us := a.argInt(0, i), a.argInt(1, i), micros6(a.V[2], i)
	sec := types.FloorDiv(us, types.MicrosPerSecond)
	if us < 0 {
		sec = us / types.MicrosPerSecond
	}
	switch {
	case h < 0 || h > 23:
		return 0, false, fieldBounds(a, fieldRange("HourOfDay", 23, h))
	case m < 0 || m > 59:
		return 0, false, fieldBounds(a, fieldRange("MinuteOfHour", 59, m))
	case us < 0 || sec > 59:
		return 0, false, fieldBounds(a, fieldRange("SecondOfMinute", 59, sec))
	}
	return ((h*60+m)*types.MicrosPerMinute + us) * nanosPerMicro, true, nil
})

// timeUnits are the units that times are cut at and counted in, in nanoseconds.
var timeUnits = map[string]int64{"HOUR": 3600 * nanosPerSecond, "MINUTE": 60 * nanosPerSecond, "SECOND": nanosPerSecond, "MILLISECOND": 1_000_000, "MICROSECOND": nanosPerMicro}

func timeUnit(a *Args, i int) (int64, error) {
	name := a.V[0].Str(i)
	if u, ok := timeUnits[name]; ok {
		return u, nil
	}
	if u, ok := timeUnits[strings.ToUpper(name)]; ok {
		return u, nil
	}
	return 0, errs.New(errs.IllegalArgument, "INVALID_PARAMETER_VALUE.TIME_UNIT", "functionName", errs.ID(a.Call.Name), "parameter", errs.ID("unit"), "invalidValue", "'"+name+"'").At(a.pos())
}

var timeTrunc = longKernel(func(a *Args, _ *clockState, i int) (int64, bool, error) {
	u, err := timeUnit(a, i)
	if err != nil {
		return 0, false, err
	}
	x := vec.Of[int64](a.V[1])[i]
	return x - x%u, true, nil
})

var timeDiff = longKernel(func(a *Args, _ *clockState, i int) (int64, bool, error) {
	u, err := timeUnit(a, i)
	if err != nil {
		return 0, false, err
	}
	return (vec.Of[int64](a.V[2])[i] - vec.Of[int64](a.V[1])[i]) / u, true, nil
})

// timeOfNanos checks a number of nanoseconds since midnight.
func timeOfNanos(a *Args, ns types.Int128) (int64, bool, error) {
	if !ns.IsInt64() {
		return 0, false, overflowError(a, "long overflow", "")
	}
	if x := int64(ns.Lo); x >= 0 && x < nanosPerDay {
		return x, true, nil
	}
	return 0, false, fieldBounds(a, "Invalid TIME value: must be between 00:00:00 and 23:59:59.999999999, but got "+strconv.FormatInt(int64(ns.Lo), 10)+" nanoseconds")
}

func timeFrom(unit int64) Kernel {
	return longKernel(func(a *Args, _ *clockState, i int) (int64, bool, error) {
		v := a.V[0]
		switch {
		case v.Type.IsIntegral():
			return timeOfNanos(a, types.Mul64(getInt(v, i), unit))
		case v.Type.Kind == types.Decimal:
			ns, ok := types.MulRound(getDecimal(v, i), types.I128(unit), 0)
			if !ok {
				return 0, false, overflowError(a, "long overflow", "")
			}
			ns, _ = ns.DivMod10(v.Type.Scale)
			return timeOfNanos(a, ns)
		}
		x := getFloat(v, i)
		if math.IsNaN(x) || math.IsInf(x, 0) {
			return 0, false, fieldBounds(a, "Cannot convert NaN or Infinite value to TIME")
		}
		switch y := x * float64(unit); {
		case y >= math.MaxInt64:
			return timeOfNanos(a, types.I128(math.MaxInt64))
		case y <= math.MinInt64:
			return timeOfNanos(a, types.I128(math.MinInt64))
		default:
			return timeOfNanos(a, types.I128(int64(y)))
		}
	})
}

func timeTo(unit int64) Kernel {
	return longKernel(func(a *Args, _ *clockState, i int) (int64, bool, error) {
		return vec.Of[int64](a.V[0])[i] / unit, true, nil
	})
}

// dateAndTime is a timestamp of a date, a time of day and, if given, a zone.
func dateAndTime(zoned bool) Kernel {
	return longKernel(func(a *Args, s *clockState, i int) (int64, bool, error) {
		local := int64(vec.Of[int32](a.V[0])[i]) * types.MicrosPerDay
		if len(a.V) > 1 {
			local += vec.Of[int64](a.V[1])[i] / nanosPerMicro
		}
		if !zoned {
			return local, true, nil
		}
		zone := s.zone
		if len(a.V) > 2 {
			z, err := s.zoneNamed(a, a.V[2].Str(i))
			if err != nil {
				return 0, false, err
			}
			zone = z.cache
		}
		return zone.FromLocal(local), true, nil
	})
}

// dateAndTimeSigs are the overloads of make_timestamp and its kin that take a date and a time; of those only an unknown zone fails, so only there try_ adds NULL.
func dateAndTimeSigs(t *types.Type, zoned, alone, try bool) []Overload {
	k := dateAndTime(zoned)
	two := sigAnsi(t, k, onlyDateP, onlyTimeP)
	if !zoned {
		two.RetExpr = retNullable(t)
	}
	o := []Overload{two}
	if alone {
		o = append(o, sigAnsi(t, k, onlyDateP))
	}
	if zoned {
		zone := sigAnsi(t, k, onlyDateP, onlyTimeP, onlyTextP)
		if try {
			zone = tried(zone)
		}
		o = append(o, zone)
	}
	return o
}

// shortName is the kernel of dayname and monthname.
func shortName(f func(days int64) string) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		z, err := zoneOf(a)
		if err != nil {
			return nil, err
		}
		return textKernel(func(a *Args, i int, dst []byte) []byte { return append(dst, f(dayOf(a.V[0], i, z))...) })(a)
	}
}

// timeBucket is the start of the bucket that a timestamp falls in.
var timeBucket = longKernel(func(a *Args, s *clockState, i int) (int64, bool, error) {
	x := vec.Of[int64](a.V[1])[i]
	zoned := a.V[1].Type.Kind == types.Timestamp
	local := func(x int64) int64 {
		if zoned {
			return s.zone.ToLocal(x)
		}
		return x
	}
	instant := func(x int64) int64 {
		if zoned {
			return s.zone.FromLocal(x)
		}
		return x
	}
	origin := instant(0)
	if len(a.V) > 2 {
		origin = vec.Of[int64](a.V[2])[i]
	}
	n := getInt(a.V[0], i)
	if n <= 0 { // of a constant that the analyzer doesn't compute
		return 0, false, errs.New(errs.Analysis, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE", "sqlExpr", errs.Quote("time_bucket"), "exprName", errs.ID("bucketSize"), "valueRange", "(0, inf)", "currentValue", SQLValue(a.V[0], i, s.loc)).At(a.pos())
	}
	if a.V[0].Type.Kind == types.YearMonthInterval {
		lx, lo := local(x), local(origin)
		dx, do := types.FloorDiv(lx, types.MicrosPerDay), types.FloorDiv(lo, types.MicrosPerDay)
		clock := lo - do*types.MicrosPerDay
		yx, mx, _ := types.CivilFromDays(dx)
		yo, mo, _ := types.CivilFromDays(do)
		k := types.FloorDiv((yx-yo)*12+int64(mx-mo), n)
		for {
			d, ok := addMonths(do, k*n)
			if !ok {
				return 0, false, datetimeOverflow(a, "make a time bucket")
			}
			if start := d*types.MicrosPerDay + clock; start <= lx {
				return instant(start), true, nil
			}
			k--
		}
	}
	if n%types.MicrosPerDay == 0 && zoned { // whole days are those of the session's calendar
		lx, lo := local(x), local(origin)
		return instant(lo + types.FloorDiv(lx-lo, n)*n), true, nil
	}
	p := types.I128(x).Sub(types.I128(origin))
	if !p.IsInt64() {
		return 0, false, overflowError(a, "long overflow", "")
	}
	return origin + types.FloorDiv(int64(p.Lo), n)*n, true, nil
})

// timeLike gives TIME of a precision that the argument has.
func timeLike(i int) retFn { return givesArg(i) }

func timeFunctions() []Def {
	tm, big := types.TimeType, gives(types.Int64Type)
	def := func(name, since, usage string, ex []Example, o ...Overload) Def {
		return Def{Name: name, Since: since, Group: "datetime_funcs", Usage: usage, Kind: plan.FnScalar, Overloads: o, Examples: ex}
	}
	maybe := func(d Def) Def { d.Nulls = NullMaybe; return d }
	ex := func(kv ...string) []Example {
		var out []Example
		for k := 0; k < len(kv); k += 2 {
			out = append(out, Example{kv[k], kv[k+1]})
		}
		return out
	}
	sec6 := Accept{Types: []*types.Type{types.NewDecimal(16, 6)}}
	tryTime := maybe(def("try_to_time", "4.1.0", "Is to_time, with NULL for what is no time.", ex("SELECT try_to_time('foo', 'HH:mm:ss')", "NULL", "SELECT try_to_time('00:12:00.001')", "00:12:00.001"),
		sig(gives(tm), parseTime(true), onlyTextP), sig(gives(tm), parseTime(true), onlyTextP, onlyTextP)))
	tryTime.Pretty = func(args []string) string { return "try_to_time(to_time(" + strings.Join(args, ", ") + "))" }
	names := func(k Kernel) []Overload {
		str := gives(types.StringType)
		return []Overload{sig(str, k, dateP), sig(str, k, tsP), sig(str, k, ntzP)}
	}
	bucketP := Accept{Name: `("INTERVAL DAY TO SECOND" or "INTERVAL YEAR TO MONTH")`, Test: (*types.Type).IsAnsiInterval}
	return []Def{
		def("to_time", "4.1.0", "Reads a time of day, by a pattern if one is given.", ex("SELECT to_time('00:12:00')", "00:12:00", "SELECT to_time('12.10.05', 'HH.mm.ss')", "12:10:05"),
			sig(gives(tm), parseTime(false), onlyTextP), sig(gives(tm), parseTime(false), onlyTextP, onlyTextP)),
		tryTime,
		def("make_time", "4.1.0", "Makes a time of day of hour, minute and seconds.", ex("SELECT make_time(6, 30, 45.887)", "06:30:45.887"), sig(gives(tm), makeTime, int32P, int32P, sec6)),
		def("time_trunc", "4.1.0", "Cuts a time of day at a unit.", ex("SELECT time_trunc('HOUR', TIME'09:32:05.359')", "09:00:00", "SELECT time_trunc('MILLISECOND', TIME'09:32:05.123456')", "09:32:05.123"), sig(timeLike(1), timeTrunc, stringP, timeP)),
		maybe(def("time_diff", "4.1.0", "Counts the whole units between two times of day.", ex("SELECT time_diff('HOUR', TIME'20:30:29', TIME'21:30:28')", "0", "SELECT time_diff('HOUR', TIME'20:30:29', TIME'12:00:00')", "-8"), sig(big, timeDiff, stringP, timeP, timeP))),
		maybe(def("time_from_seconds", "4.2.0", "Gives the time of day so many seconds after midnight.", ex("SELECT time_from_seconds(52200.5)", "14:30:00.5"), sig(gives(tm), timeFrom(nanosPerSecond), onlyNumP))),
		maybe(def("time_from_millis", "4.2.0", "Gives the time of day so many milliseconds after midnight.", ex("SELECT time_from_millis(52200500)", "14:30:00.5"), sig(gives(tm), timeFrom(1_000_000), onlyIntP))),
		maybe(def("time_from_micros", "4.2.0", "Gives the time of day so many microseconds after midnight.", ex("SELECT time_from_micros(86399999999)", "23:59:59.999999"), sig(gives(tm), timeFrom(nanosPerMicro), onlyIntP))),
		def("time_to_seconds", "4.2.0", "Gives the seconds since midnight, with their fraction.", ex("SELECT time_to_seconds(TIME'14:30:00.5')", "52200.500000"), sig(gives(types.NewDecimal(14, 6)), timeTo(nanosPerMicro), onlyTimeP)),
		def("time_to_millis", "4.2.0", "Counts the milliseconds since midnight.", ex("SELECT time_to_millis(TIME'14:30:00.5')", "52200500"), sig(big, timeTo(1_000_000), onlyTimeP)),
		def("time_to_micros", "4.2.0", "Counts the microseconds since midnight.", ex("SELECT time_to_micros(TIME'14:30:00.5')", "52200500000"), sig(big, timeTo(nanosPerMicro), onlyTimeP)),
		def("dayname", "4.0.0", "Gives the short name of the day of the week.", ex("SELECT dayname(DATE('2008-02-20'))", "Wed"), names(shortName(func(d int64) string {
			return types.DayName(d)[:3]
		}))...),
		def("monthname", "4.0.0", "Gives the short name of the month.", ex("SELECT monthname('2008-02-20')", "Feb"), names(shortName(func(d int64) string {
			return types.MonthName(int(monthOf(d)))[:3]
		}))...),
		def("time_bucket", "4.2.0", "Gives the start of the bucket, of a size counted from an origin, that a timestamp falls in.",
			ex("SELECT time_bucket(INTERVAL '1' HOUR, TIMESTAMP '2024-01-01 11:27:00')", "2024-01-01 11:00:00", "SELECT time_bucket(INTERVAL '1' MONTH, TIMESTAMP '2024-07-20 14:30:00', TIMESTAMP '2024-06-15 09:00:00')", "2024-07-15 09:00:00"),
			sig(givesArg(1), timeBucket, bucketP, tsP), sig(givesArg(1), timeBucket, bucketP, ntzP), sig(givesArg(1), timeBucket, bucketP, tsP, tsP), sig(givesArg(1), timeBucket, bucketP, ntzP, ntzP)),
	}
}
