package fn

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// clockState is what the functions over patterns and zones keep for a task.
type clockState struct {
	loc      *time.Location
	zone     *types.ZoneCache
	patterns map[string]*types.Pattern
	zones    map[string]*zoneEntry
}

type zoneEntry struct {
	loc   *time.Location
	cache *types.ZoneCache
}

// cacheMost is how many patterns a task keeps: they are nearly always constant.
const cacheMost = 256

func clockStateOf(a *Args) (*clockState, error) {
	return state(a, func() (*clockState, error) {
		s := &clockState{loc: time.UTC, patterns: map[string]*types.Pattern{}, zones: map[string]*zoneEntry{}}
		if a.Env.Conf != nil && a.Env.Conf.TimeZone != nil {
			s.loc = a.Env.Conf.TimeZone
		}
		s.zone = types.NewZoneCache(s.loc)
		return s, nil
	})
}

// pattern compiles a date-time pattern, for reading or for writing.
func (s *clockState) pattern(a *Args, text string, reading bool) (*types.Pattern, error) {
	if p := s.patterns[text]; p != nil {
		return p, nil
	}
	legacy := a.Env.Conf != nil && strings.EqualFold(a.Env.Conf.Keys["spark.sql.legacy.timeParserPolicy"], "LEGACY")
	var p *types.Pattern
	var err error
	if legacy {
		p, err = types.CompileLegacyPattern(text)
	} else {
		if p, err = types.CompilePattern(text); reading {
			p, err = types.CompileReader(text)
		}
	}
	if err != nil {
		var pe *types.PatternError
		switch {
		case errors.As(err, &pe) && pe.Week != 0 && (legacy || !types.LegacyPattern(text)):
			return nil, errs.New(errs.Upgrade, "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_WEEK_BASED_PATTERN", "c", string(pe.Week)).At(a.pos())
		case !legacy && types.LegacyPattern(text):
			return nil, errs.New(errs.Upgrade, "INCONSISTENT_BEHAVIOR_CROSS_VERSION.DATETIME_PATTERN_RECOGNITION", "pattern", errs.Text(text), "config", `"spark.sql.legacy.timeParserPolicy"`, "docroot", "https://spark.apache.org/docs/latest").At(a.pos())
		case pe != nil && pe.Illegal != 0:
			return nil, errs.New(errs.IllegalArgument, "INVALID_DATETIME_PATTERN.ILLEGAL_CHARACTER", "c", string(pe.Illegal), "pattern", text).At(a.pos())
		}
		return nil, errs.New(errs.IllegalArgument, "INVALID_DATETIME_PATTERN.LENGTH", "pattern", text).At(a.pos())
	}
	if len(s.patterns) >= cacheMost {
		clear(s.patterns)
	}
	s.patterns[strings.Clone(text)] = p
	return p, nil
}

func (s *clockState) zoneNamed(a *Args, id string) (*zoneEntry, error) {
	if z := s.zones[id]; z != nil {
		return z, nil
	}
	loc, err := types.LoadZone(id)
	if err != nil {
		return nil, errs.New(errs.DateTime, "INVALID_TIMEZONE", "timeZone", id).Because(err).At(a.pos())
	}
	z := &zoneEntry{loc: loc, cache: types.NewZoneCache(loc)}
	if len(s.zones) >= cacheMost {
		clear(s.zones)
	}
	s.zones[strings.Clone(id)] = z
	return z, nil
}

// defaultPattern is what from_unixtime and unix_timestamp use when none is given.
const defaultPattern = "yyyy-MM-dd HH:mm:ss"

// formatKernel writes timestamps by a pattern; micros gives row i as an instant.
func formatKernel(micros func(a *Args, i int) int64) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		s, err := clockStateOf(a)
		if err != nil {
			return nil, err
		}
		b := newStrings(a.N, 16*a.N)
		for i := range a.N {
			start := len(b.buf)
			if !a.skipped(i) {
				text := defaultPattern
				if len(a.V) > 1 {
					text = a.V[1].Str(i)
				}
				p, err := s.pattern(a, text, false)
				if err != nil {
					return nil, err
				}
				us := micros(a, i)
				local := s.zone.ToLocal(us)
				b.buf = p.Format(b.buf, local, (local-us)/types.MicrosPerSecond, s.loc)
			}
			b.end(start)
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return b.finish(a.Ret), nil
	}
}

// formatTime is date_format of a TIME, whose patterns name no parts of dates and no zones.
func formatTime(a *Args) (*vec.Vector, error) {
	s, err := clockStateOf(a)
	if err != nil {
		return nil, err
	}
	b := newStrings(a.N, 16*a.N)
	for i := range a.N {
		start := len(b.buf)
		if !a.skipped(i) {
			text := a.V[1].Str(i)
			p, err := s.pattern(a, text, false)
			if err != nil {
				return nil, err
			}
			if !ofTime(text) {
				return nil, errs.New(errs.Runtime, "INVALID_PARAMETER_VALUE.PATTERN", "parameter", errs.ID("format"), "functionName", errs.ID(a.Call.Name), "value", errs.Text(text)).At(a.pos())
			}
			b.buf = p.Format(b.buf, vec.Of[int64](a.V[0])[i]/1000, 0, s.loc)
		}
		b.end(start)
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return b.finish(a.Ret), nil
}

// ofTime reports whether a pattern has letters of the time of day alone, outside of quotes.
func ofTime(pattern string) bool {
	quoted := false
	for _, c := range pattern {
		switch {
		case c == '\'':
			quoted = !quoted
		case !quoted && (c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z') && !strings.ContainsRune("HhKkmsSa", c):
			return false
		}
	}
	return true
}

// longKernel makes a kernel of 64-bit results; ok false makes the row null.
func longKernel(f func(a *Args, s *clockState, i int) (x int64, ok bool, err error)) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		s, err := clockStateOf(a)
		if err != nil {
			return nil, err
		}
		out := vec.Make(a.Ret, a.N)
		for i := range a.N {
			if a.skipped(i) {
				continue
			}
			x, ok, err := f(a, s, i)
			if err != nil {
				return nil, err
			}
			if !ok {
				setNull(out, i)
			} else {
				putInt(out, i, x)
			}
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
}

// parseAs says what parsing by a pattern gives.
type parseAs uint8

const (
	asTimestamp parseAs = iota
	asNTZ
	asDate
	asSeconds
)

// parsePattern reads texts by a pattern. instead is the function that messages advise; "" for a try_ function.
func parsePattern(as parseAs, instead string) Kernel {
	return longKernel(func(a *Args, s *clockState, i int) (int64, bool, error) {
		text := defaultPattern
		if len(a.V) > 1 {
			text = a.V[1].Str(i)
		}
		p, err := s.pattern(a, text, true)
		if err != nil {
			return 0, false, err
		}
		in := a.V[0].Str(i)
		local, loc, at, ok := p.Parse(in)
		if !ok {
			if instead != "" && a.Mode == plan.ANSI {
				return 0, false, errs.New(errs.DateTime, "CANNOT_PARSE_TIMESTAMP", "message", "Text '"+in+"' could not be parsed at index "+strconv.Itoa(at), "func", errs.ID(instead)).At(a.pos())
			}
			return 0, false, nil
		}
		if as == asNTZ {
			return local, true, nil
		}
		if loc != nil {
			us := types.NewZoneCache(loc).FromLocal(local)
			if as == asDate {
				local = s.zone.ToLocal(us)
			} else {
				local = us
			}
		} else if as != asDate {
			local = s.zone.FromLocal(local)
		}
		switch as {
		case asDate:
			return types.FloorDiv(local, types.MicrosPerDay), true, nil
		case asSeconds:
			return types.FloorDiv(local, types.MicrosPerSecond), true, nil
		}
		return local, true, nil
	})
}

// secondsOf is unix_timestamp of a date or a timestamp.
var secondsOf = longKernel(func(a *Args, s *clockState, i int) (int64, bool, error) {
	if a.V[0].Type.Kind == types.Date {
		return types.FloorDiv(s.zone.FromLocal(int64(vec.Of[int32](a.V[0])[i])*types.MicrosPerDay), types.MicrosPerSecond), true, nil
	}
	return types.FloorDiv(vec.Of[int64](a.V[0])[i], types.MicrosPerSecond), true, nil // without a time zone as if in UTC
})

// micros6 is a decimal of row i in millionths.
func micros6(v *vec.Vector, i int) int64 {
	x := int64(0)
	if v.Layout == vec.I64 {
		x = vec.Of[int64](v)[i]
	} else {
		x = int64(vec.Of[types.Int128](v)[i].Lo)
	}
	if v.Type.Scale != 6 {
		r, _ := types.Rescale(types.I128(x), v.Type.Scale, 6)
		return int64(r.Lo)
	}
	return x
}

// makeTimestamp makes a timestamp of fields. zoned: the result is an instant; a seventh argument names its zone.
func makeTimestamp(zoned, try bool) Kernel {
	return longKernel(func(a *Args, s *clockState, i int) (int64, bool, error) {
		y, m, d, h, mi := a.i32(0, i), a.i32(1, i), a.i32(2, i), a.i32(3, i), a.i32(4, i)
		us := micros6(a.V[5], i)
		zone := s.zone
		if zoned && len(a.V) > 6 {
			z, err := s.zoneNamed(a, a.V[6].Str(i))
			if err != nil {
				return 0, false, err
			}
			zone = z.cache
		}
		fail := func(name string, kv ...string) (int64, bool, error) {
			if try || a.Mode != plan.ANSI {
				return 0, false, nil
			}
			return 0, false, errs.New(errs.DateTime, name, kv...).At(a.pos())
		}
		bounds := func(field string, from, to, v int) (int64, bool, error) {
			return fail("DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", "rangeMessage", "Invalid value for "+field+" (valid values "+strconv.Itoa(from)+" - "+strconv.Itoa(to)+"): "+strconv.Itoa(v))
		}
		switch {
		case m < 1 || m > 12:
			return bounds("MonthOfYear", 1, 12, m)
		case d < 1 || d > types.DaysInMonth(int64(y), m):
			if d >= 1 && d <= 31 {
				return fail("DATETIME_FIELD_OUT_OF_BOUNDS.WITHOUT_SUGGESTION", "rangeMessage", noSuchDay(y, m, d))
			}
			return bounds("DayOfMonth", 1, 31, d)
		case h < 0 || h > 23:
			return bounds("HourOfDay", 0, 23, h)
		case mi < 0 || mi > 59:
			return bounds("MinuteOfHour", 0, 59, mi)
		case us > 60*types.MicrosPerSecond && us < 61*types.MicrosPerSecond:
			return fail("INVALID_FRACTION_OF_SECOND", "secAndMicros", string(types.AppendDecimal(nil, types.I128(us), 6)))
		case us < 0 || us > 60*types.MicrosPerSecond:
			return bounds("SecondOfMinute", 0, 59, int(us/types.MicrosPerSecond))
		}
		day := types.DaysFromCivil(int64(y), m, d)
		if day > 106751990 || day < -106751990 {
			return fail("DATETIME_OVERFLOW", "operation", "make a timestamp")
		}
		local := day*types.MicrosPerDay + int64(h)*types.MicrosPerHour + int64(mi)*types.MicrosPerMinute + us
		if !zoned {
			return local, true, nil
		}
		return zone.FromLocal(local), true, nil
	})
}

// utcShift is from_utc_timestamp (from true) and to_utc_timestamp.
func utcShift(from bool) Kernel {
	return longKernel(func(a *Args, s *clockState, i int) (int64, bool, error) {
		z, err := s.zoneNamed(a, a.V[1].Str(i))
		if err != nil {
			return 0, false, err
		}
		x := vec.Of[int64](a.V[0])[i]
		if from {
			return z.cache.ToLocal(x), true, nil
		}
		return z.cache.FromLocal(x), true, nil
	})
}

var convertTimezone = longKernel(func(a *Args, s *clockState, i int) (int64, bool, error) {
	n := len(a.V)
	src := s.zone
	if n == 3 {
		z, err := s.zoneNamed(a, a.V[0].Str(i))
		if err != nil {
			return 0, false, err
		}
		src = z.cache
	}
	to, err := s.zoneNamed(a, a.V[n-2].Str(i))
	if err != nil {
		return 0, false, err
	}
	return to.cache.ToLocal(src.FromLocal(vec.Of[int64](a.V[n-1])[i])), true, nil
})

// units are what TIMESTAMPADD and TIMESTAMPDIFF count: months, or days, or microseconds.
var units = map[string]types.CalendarValue{"YEAR": {Months: 12}, "QUARTER": {Months: 3}, "MONTH": {Months: 1}, "WEEK": {Days: 7}, "DAY": {Days: 1}, "DAYOFYEAR": {Days: 1},
	"HOUR": {Micros: types.MicrosPerHour}, "MINUTE": {Micros: types.MicrosPerMinute}, "SECOND": {Micros: types.MicrosPerSecond}, "MILLISECOND": {Micros: 1000}, "MICROSECOND": {Micros: 1}}

func unitOf(a *Args, i int) (types.CalendarValue, error) {
	name := a.V[0].Str(i)
	u, ok := units[name]
	if !ok {
		if u, ok = units[strings.ToUpper(name)]; !ok {
			return u, errs.New(errs.IllegalArgument, "INVALID_PARAMETER_VALUE.DATETIME_UNIT", "functionName", errs.ID(a.Call.Name), "parameter", errs.ID("unit"), "invalidValue", "'"+name+"'").At(a.pos())
		}
	}
	return u, nil
}

var unitAdd = longKernel(func(a *Args, s *clockState, i int) (int64, bool, error) {
	u, err := unitOf(a, i)
	if err != nil {
		return 0, false, err
	}
	n, x := vec.Of[int64](a.V[1])[i], vec.Of[int64](a.V[2])[i]
	over := func() (int64, bool, error) {
		return 0, false, errs.New(errs.Arithmetic, "DATETIME_OVERFLOW", "operation", "add "+strconv.FormatInt(n, 10)+" "+strings.ToUpper(a.V[0].Str(i))+" to a timestamp").At(a.pos())
	}
	if u.Micros != 0 {
		p := types.Mul64(n, u.Micros)
		if !p.IsInt64() || overflows(opAdd, x, int64(p.Lo)) {
			return over()
		}
		return x + int64(p.Lo), true, nil
	}
	if n > 1<<40 || n < -1<<40 {
		return over()
	}
	zoned := a.V[2].Type.Kind == types.Timestamp
	local := x
	if zoned {
		local = s.zone.ToLocal(x)
	}
	day := types.FloorDiv(local, types.MicrosPerDay)
	clock := local - day*types.MicrosPerDay
	ok := true
	if u.Months != 0 {
		if n > 1<<31 || n < -1<<31 {
			return over()
		}
		day, ok = addMonths(day, n*int64(u.Months))
	} else {
		day += n * int64(u.Days)
	}
	if !ok || day > 106751990 || day < -106751990 {
		return over()
	}
	local = day*types.MicrosPerDay + clock
	if zoned {
		local = s.zone.FromLocal(local)
	}
	return local, true, nil
})

var unitDiff = longKernel(func(a *Args, s *clockState, i int) (int64, bool, error) {
	u, err := unitOf(a, i)
	if err != nil {
		return 0, false, err
	}
	x, y := vec.Of[int64](a.V[1])[i], vec.Of[int64](a.V[2])[i]
	if a.V[1].Type.Kind == types.Timestamp {
		x, y = s.zone.ToLocal(x), s.zone.ToLocal(y)
	}
	if u.Months == 0 {
		return (y - x) / (u.Micros + int64(u.Days)*types.MicrosPerDay), true, nil
	}
	at := func(t int64) (months, rest int64) {
		d := types.FloorDiv(t, types.MicrosPerDay)
		yy, mm, dd := types.CivilFromDays(d)
		return yy*12 + int64(mm-1), int64(dd)*types.MicrosPerDay + t - d*types.MicrosPerDay
	}
	m1, r1 := at(x)
	m2, r2 := at(y)
	n := m2 - m1
	if n > 0 && r2 < r1 {
		n--
	} else if n < 0 && r2 > r1 {
		n++
	}
	return n / int64(u.Months), true, nil
})

func rangeOfInterval(a *Args, instead string) error {
	if instead != "" {
		return errs.New(errs.Arithmetic, "INTERVAL_ARITHMETIC_OVERFLOW.WITH_SUGGESTION", "functionName", errs.ID(instead)).At(a.pos())
	}
	return errs.New(errs.Arithmetic, "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION").At(a.pos())
}

// sumMicros adds products to us; ok is false beyond 64 bits.
func sumMicros(us int64, terms ...[2]int64) (int64, bool) {
	sum := types.I128(us)
	for _, t := range terms {
		sum = sum.Add(types.Mul64(t[0], t[1]))
	}
	return int64(sum.Lo), sum.IsInt64()
}

// argInt is integer argument k of row i, 0 if there is none.
func (a *Args) argInt(k, i int) int64 {
	if k >= len(a.V) {
		return 0
	}
	return int64(a.i32(k, i))
}

func makeInterval(try bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := make([]types.CalendarValue, a.N)
		v := vec.FromSlice(a.Ret, out, nil)
		for i := range out {
			if a.skipped(i) {
				continue
			}
			us := int64(0)
			if len(a.V) > 6 {
				us = micros6(a.V[6], i)
			}
			months := a.argInt(0, i)*12 + a.argInt(1, i)
			days := a.argInt(2, i)*7 + a.argInt(3, i)
			us, ok := sumMicros(us, [2]int64{a.argInt(4, i), types.MicrosPerHour}, [2]int64{a.argInt(5, i), types.MicrosPerMinute})
			if !ok || months != int64(int32(months)) || days != int64(int32(days)) {
				if !try && a.Mode == plan.ANSI {
					return nil, rangeOfInterval(a, "try_make_interval")
				}
				setNull(v, i)
				continue
			}
			out[i] = types.CalendarValue{Months: int32(months), Days: int32(days), Micros: us}
		}
		return v, nil
	}
}

var makeDayTime = longKernel(func(a *Args, _ *clockState, i int) (int64, bool, error) {
	us := int64(0)
	if len(a.V) > 3 {
		us = micros6(a.V[3], i)
	}
	us, ok := sumMicros(us, [2]int64{a.argInt(0, i), types.MicrosPerDay}, [2]int64{a.argInt(1, i), types.MicrosPerHour}, [2]int64{a.argInt(2, i), types.MicrosPerMinute})
	if !ok {
		return 0, false, rangeOfInterval(a, "")
	}
	return us, true, nil
})

var makeYearMonth = longKernel(func(a *Args, _ *clockState, i int) (int64, bool, error) {
	m := a.argInt(0, i)*12 + a.argInt(1, i)
	if m != int64(int32(m)) {
		return 0, false, rangeOfInterval(a, "")
	}
	return m, true, nil
})

// retAnsi is the result of a function that fails under ANSI where it gives null otherwise.
func retAnsi(t *types.Type) func(c *plan.Call) (*types.Type, bool, error) {
	return func(c *plan.Call) (*types.Type, bool, error) {
		null := c.Mode != plan.ANSI
		for _, e := range c.Args {
			null = null || e.Nullable()
		}
		return t, null, nil
	}
}

// sigAnsi makes an overload with retAnsi.
func sigAnsi(t *types.Type, k Kernel, a ...Accept) Overload {
	return Overload{Params: a, RetExpr: retAnsi(t), Eval: k}
}

// asInstant is a timestamp beside a pattern that isn't needed: its microseconds count from 1970 in UTC, be it with a
// time zone or without, and become a timestamp of the other kind, or the date of that instant.
func asInstant(to *types.Type, in ...Accept) Overload {
	return sigAnsi(to, func(a *Args) (*vec.Vector, error) {
		if to.Kind != types.Date {
			return vec.FromSlice(to, vec.Of[int64](a.V[0]), a.V[0].Null), nil
		}
		c, err := state(a, func() (*Caster, error) { return NewCaster(types.TimestampType, to, a.Mode, a.Env, a.pos()) })
		if err != nil {
			return nil, err
		}
		return c.Cast(vec.FromSlice(types.TimestampType, vec.Of[int64](a.V[0]), a.V[0].Null))
	}, in...)
}

// castFirst makes the overload that is a cast of the first argument.
func castFirst(to *types.Type, in ...Accept) Overload {
	k := func(a *Args) (*vec.Vector, error) {
		c, err := state(a, func() (*Caster, error) { return NewCaster(a.V[0].Type, to, a.Mode, a.Env, a.pos()) })
		if err != nil {
			return nil, err
		}
		return c.Cast(a.V[0])
	}
	o := sigAnsi(to, k, in...)
	ret := o.RetExpr
	o.RetExpr = func(c *plan.Call) (*types.Type, bool, error) {
		t, null, err := ret(c)
		return t, null || types.ForcesNulls(c.Args[0].Type(), to), err
	}
	return o
}

// tried is an overload that gives null instead of an error.
func tried(o Overload) Overload {
	k, t := o.Eval, o.RetExpr
	o.Eval = func(a *Args) (*vec.Vector, error) {
		b := *a
		b.Mode = plan.Try
		return k(&b)
	}
	o.RetExpr = func(c *plan.Call) (*types.Type, bool, error) {
		ty, _, err := t(c)
		return ty, true, err
	}
	return o
}

func datetimePatterns() []Def {
	str, ts, ntz, date, big := types.StringType, types.TimestampType, types.TimestampNTZType, types.DateType, types.Int64Type
	def := func(name, since, usage, sql, want string, o ...Overload) Def {
		return Def{Name: name, Since: since, Group: "datetime_funcs", Usage: usage, Kind: plan.FnScalar, Nulls: NullMaybe, Ansi: true, Overloads: o, Examples: []Example{{sql, want}}}
	}
	whole := func(d Def) Def { d.Nulls = NullIn; return d } // null only where an argument is
	dateOf := func() []Overload {
		return []Overload{castFirst(date, stringP), castFirst(date, dateP), castFirst(date, tsP), castFirst(date, ntzP)}
	}
	stamp := func(t *types.Type, as parseAs, instead string) []Overload {
		return []Overload{castFirst(t, stringP), castFirst(t, dateP), castFirst(t, tsP), castFirst(t, ntzP), castFirst(t, numericP),
			sigAnsi(t, parsePattern(as, instead), stringP, stringP), castFirst(t, dateP, stringP), asInstant(t, tsP, stringP), asInstant(t, ntzP, stringP)}
	}
	all := func(l []Overload) []Overload {
		for i := range l {
			l[i] = tried(l[i])
		}
		return l
	}
	pairs := func() []Overload {
		return []Overload{sigAnsi(big, parsePattern(asSeconds, "try_to_timestamp"), stringP), sigAnsi(big, secondsOf, dateP), sigAnsi(big, secondsOf, tsP), sigAnsi(big, secondsOf, ntzP),
			sigAnsi(big, parsePattern(asSeconds, "try_to_timestamp"), stringP, stringP), sigAnsi(big, secondsOf, dateP, stringP), sigAnsi(big, secondsOf, tsP, stringP), sigAnsi(big, secondsOf, ntzP, stringP)}
	}
	sec6, sec8 := Accept{Types: []*types.Type{types.NewDecimal(16, 6)}}, Accept{Types: []*types.Type{types.NewDecimal(18, 6)}}
	fields := params(int32P, int32P, int32P, int32P, int32P, sec6)
	make6 := func(t *types.Type, zoned, try, alone bool) []Overload {
		o := []Overload{{Params: fields, RetExpr: retAnsi(t), Eval: makeTimestamp(zoned, try)}}
		if zoned {
			o = append(o, Overload{Params: append(append([]Accept{}, fields...), stringP), RetExpr: retAnsi(t), Eval: makeTimestamp(zoned, try)})
		}
		if try {
			o = all(o)
		}
		return append(o, dateAndTimeSigs(t, zoned, alone, try)...)
	}
	upTo := func(list []Accept, from int, make1 func(p []Accept) Overload) []Overload {
		var out []Overload
		for n := from; n <= len(list); n++ {
			out = append(out, make1(list[:n]))
		}
		return out
	}
	calendar := params(int32P, int32P, int32P, int32P, int32P, int32P, sec8)
	interval := func(try bool) []Overload {
		o := upTo(calendar, 0, func(p []Accept) Overload {
			return Overload{Params: p, RetExpr: retAnsi(types.CalendarType), Eval: makeInterval(try)}
		})
		if try {
			o = all(o)
		}
		return o
	}
	// Of a date and a time Spark names what the call becomes.
	clockName := func(d Def, as string) Def {
		d.Pretty = func(args []string) string {
			list := strings.Join(args, ", ")
			switch len(args) {
			case 1, 2, 3:
				return strings.ReplaceAll(as, "@", list)
			case 7:
				if d.Name == "try_make_timestamp" {
					list = strings.Join(args[:6], ", ")
				}
			}
			return d.Name + "(" + list + ")"
		}
		return d
	}
	pretty := func(d Def, most int, defaults ...string) Def {
		d.Pretty = withDefaults(d.Name, most-len(defaults), defaults...)
		return d
	}
	unix := def("unix_timestamp", "1.5.0", "Counts the seconds since 1970-01-01 00:00:00 UTC, of now or of a text, a date or a timestamp.", "SELECT unix_timestamp('2016-04-08', 'yyyy-MM-dd')", "1460073600", append([]Overload{{Ret: gives(big)}}, pairs()...)...)
	unix.Rewrite = func(c *plan.Call) (plan.Expr, error) {
		if len(c.Args) > 0 {
			return c, nil
		}
		return &plan.Call{At: c.At, Name: "unix_seconds", Args: []plan.Expr{&plan.Call{At: c.At, Name: "now"}}}, nil
	}
	micros := func(a *Args, i int) int64 { return vec.Of[int64](a.V[0])[i] }
	seconds := func(a *Args, i int) int64 { return vec.Of[int64](a.V[0])[i] * types.MicrosPerSecond }
	return []Def{
		whole(def("date_format", "1.5.0", "Writes a timestamp by a pattern.", "SELECT date_format('2016-04-08', 'y')", "2016", sig(gives(str), formatKernel(micros), tsP, stringP), sig(gives(str), formatTime, onlyTimeP, stringP))),
		(def("from_unixtime", "1.5.0", "Writes the time so many seconds after 1970-01-01 00:00:00 UTC by a pattern.", "SELECT from_unixtime(0, 'yyyy-MM-dd HH:mm:ss')", "1970-01-01 00:00:00", sig(gives(str), formatKernel(seconds), int64P), sig(gives(str), formatKernel(seconds), int64P, stringP))),
		unix,
		def("to_unix_timestamp", "1.6.0", "Counts the seconds since 1970-01-01 00:00:00 UTC, of a text, a date or a timestamp.", "SELECT to_unix_timestamp('2016-04-08', 'yyyy-MM-dd')", "1460073600", pairs()...),
		def("to_date", "1.5.0", "Reads a date, by a pattern if one is given.", "SELECT to_date('2016-12-31', 'yyyy-MM-dd')", "2016-12-31",
			append(dateOf(), sigAnsi(date, parsePattern(asDate, "try_to_date"), stringP, stringP), castFirst(date, dateP, stringP), castFirst(date, tsP, stringP), asInstant(date, ntzP, stringP))...),
		def("try_to_date", "4.0.0", "Is to_date, with NULL for what is no date.", "SELECT try_to_date('foo', 'yyyy-MM-dd')", "NULL",
			all(append(dateOf(), sigAnsi(date, parsePattern(asDate, ""), stringP, stringP), castFirst(date, dateP, stringP), castFirst(date, tsP, stringP), asInstant(date, ntzP, stringP)))...),
		def("to_timestamp", "2.2.0", "Reads a timestamp, by a pattern if one is given.", "SELECT to_timestamp('2016-12-31', 'yyyy-MM-dd')", "2016-12-31 00:00:00", stamp(ts, asTimestamp, "try_to_timestamp")...),
		def("to_timestamp_ltz", "3.4.0", "Reads a timestamp with the session's time zone.", "SELECT to_timestamp_ltz('2016-12-31 00:12:00')", "2016-12-31 00:12:00", stamp(ts, asTimestamp, "try_to_timestamp")...),
		def("to_timestamp_ntz", "3.4.0", "Reads a timestamp without time zone.", "SELECT to_timestamp_ntz('2016-12-31 00:12:00')", "2016-12-31 00:12:00", stamp(ntz, asNTZ, "try_to_timestamp")...),
		{Name: "try_to_timestamp_ntz", Since: "3.4.0", Group: "internal", Usage: "Is try_to_timestamp where timestamps have no time zone.", Kind: plan.FnScalar, Nulls: NullMaybe, Overloads: all(stamp(ntz, asNTZ, ""))},
		def("try_to_timestamp", "3.3.0", "Is to_timestamp, with NULL for what is no timestamp.", "SELECT try_to_timestamp('foo', 'yyyy-MM-dd')", "NULL", all(stamp(ts, asTimestamp, ""))...),
		def("make_timestamp", "3.0.0", "Makes a timestamp of year, month, day, hour, minute, seconds and, if given, a time zone.", "SELECT make_timestamp(2014, 12, 28, 6, 30, 45.887)", "2014-12-28 06:30:45.887", make6(ts, true, false, true)...),
		clockName(def("make_timestamp_ltz", "3.4.0", "Makes a timestamp with the session's time zone of its fields.", "SELECT make_timestamp_ltz(2014, 12, 28, 6, 30, 45.887)", "2014-12-28 06:30:45.887", make6(ts, true, false, false)...), "make_timestamp(@)"),
		def("make_timestamp_ntz", "3.4.0", "Makes a timestamp without time zone of its fields.", "SELECT make_timestamp_ntz(2014, 12, 28, 6, 30, 45.887)", "2014-12-28 06:30:45.887", make6(ntz, false, false, false)...),
		clockName(def("try_make_timestamp", "4.0.0", "Is make_timestamp, with NULL for fields out of bounds.", "SELECT try_make_timestamp(2019, 13, 1, 10, 11, 12)", "NULL", make6(ts, true, true, true)...), "try_make_timestamp(@)"),
		clockName(def("try_make_timestamp_ltz", "4.0.0", "Is make_timestamp_ltz, with NULL for fields out of bounds.", "SELECT try_make_timestamp_ltz(2019, 13, 1, 10, 11, 12)", "NULL", make6(ts, true, true, false)...), "make_timestamp(@)"),
		clockName(def("try_make_timestamp_ntz", "4.0.0", "Is make_timestamp_ntz, with NULL for fields out of bounds.", "SELECT try_make_timestamp_ntz(2019, 13, 1, 10, 11, 12)", "NULL", make6(ntz, false, true, false)...), "try_make_timestamp_ntz(make_timestamp_ntz(@))"),
		whole(def("from_utc_timestamp", "1.5.0", "Reads a time on UTC's clock as one on a zone's clock.", "SELECT from_utc_timestamp('2016-08-31', 'Asia/Seoul')", "2016-08-31 09:00:00", sig(gives(ts), utcShift(true), tsP, stringP))),
		whole(def("to_utc_timestamp", "1.5.0", "Reads a time on a zone's clock as one on UTC's clock.", "SELECT to_utc_timestamp('2016-08-31', 'Asia/Seoul')", "2016-08-30 15:00:00", sig(gives(ts), utcShift(false), tsP, stringP))),
		whole(def("convert_timezone", "3.4.0", "Turns a time on one zone's clock into that on another's.", "SELECT convert_timezone('Europe/Brussels', 'America/Los_Angeles', timestamp_ntz'2021-12-06 00:00:00')", "2021-12-05 15:00:00",
			sig(gives(ntz), convertTimezone, stringP, ntzP), sig(gives(ntz), convertTimezone, stringP, stringP, ntzP))),
		whole(def("timestampadd", "3.3.0", "Adds a number of units to a timestamp.", "SELECT timestampadd(MONTH, -1, TIMESTAMP'2022-03-31 00:00:00')", "2022-02-28 00:00:00", sig(givesArg(2), unitAdd, stringP, int64P, tsP), sig(givesArg(2), unitAdd, stringP, int64P, ntzP))),
		whole(def("timestampdiff", "3.3.0", "Counts the whole units between two timestamps.", "SELECT timestampdiff(MONTH, TIMESTAMP'2022-02-28', TIMESTAMP'2022-03-28')", "1", sig(gives(big), unitDiff, stringP, tsP, tsP), sig(gives(big), unitDiff, stringP, ntzP, ntzP))),
		pretty(def("make_interval", "3.0.0", "Makes an interval of years, months, weeks, days, hours, minutes and seconds.", "SELECT make_interval(100, 11, 1, 1, 12, 30, 01.001001)", "100 years 11 months 8 days 12 hours 30 minutes 1.001001 seconds", interval(false)...), 7, "0", "0", "0", "0", "0", "0", "0.000000"),
		pretty(def("try_make_interval", "4.0.0", "Is make_interval, with NULL beyond its range.", "SELECT try_make_interval(2147483647)", "NULL", interval(true)...), 7, "0", "0", "0", "0", "0", "0", "0.000000"),
		pretty(whole(def("make_dt_interval", "3.2.0", "Makes an interval of days, hours, minutes and seconds.", "SELECT make_dt_interval(1, 12, 30, 01.001001)", "1 12:30:01.001001000", upTo(params(int32P, int32P, int32P, sec8), 0, func(p []Accept) Overload {
			return sig(gives(types.DayTimeType), makeDayTime, p...)
		})...)), 4, "0", "0", "0", "0.000000"),
		pretty(whole(def("make_ym_interval", "3.2.0", "Makes an interval of years and months.", "SELECT make_ym_interval(1, 2)", "1-2", upTo(params(int32P, int32P), 0, func(p []Accept) Overload {
			return sig(gives(types.YearMonthType), makeYearMonth, p...)
		})...)), 2, "0", "0"),
	}
}
