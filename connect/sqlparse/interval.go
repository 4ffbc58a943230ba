package sqlparse

import (
	"math"
	"math/bits"
	"strconv"
	"strings"

	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

const (
	microsPerSecond = 1_000_000
	microsPerMinute = 60 * microsPerSecond
	microsPerHour   = 60 * microsPerMinute
	microsPerDay    = 24 * microsPerHour
)

func intervalError(sub, input string, kv ...string) *errs.Error {
	return errs.New(errs.IllegalArgument, "INVALID_INTERVAL_FORMAT."+sub, append([]string{"input", input}, kv...)...)
}

// ParseInterval reads the text of an interval: "1 day 2 hours", "interval 3
// months", "-1.5 seconds". Errors are INVALID_INTERVAL_FORMAT.*.
func ParseInterval(text string) (types.CalendarValue, error) {
	v, err := parseInterval(text)
	if err != nil {
		return v, err
	}
	return v, nil
}

func parseInterval(input string) (types.CalendarValue, *errs.Error) {
	var v types.CalendarValue
	words := strings.FieldsFunc(strings.ToLower(input), func(r rune) bool { return r <= ' ' || r == 0x7F })
	if len(words) == 0 {
		return v, intervalError("INPUT_IS_EMPTY", input)
	}
	if strings.HasPrefix(words[0], "interval") {
		if words[0] != "interval" {
			return v, intervalError("INVALID_PREFIX", input, "prefix", words[0])
		}
		if words = words[1:]; len(words) == 0 {
			return v, intervalError("INPUT_IS_EMPTY", input)
		}
	}
	for len(words) > 0 {
		rest, err := intervalPair(&v, words, input)
		if err != nil {
			return v, err
		}
		words = rest
	}
	return v, nil
}

// intervalPair reads one number and its unit; the sign may stand apart.
func intervalPair(v *types.CalendarValue, words []string, input string) ([]string, *errs.Error) {
	w := words[0]
	negative := w[0] == '-'
	number := w
	if c := w[0]; c == '-' || c == '+' {
		number = w[1:]
		if number == "" {
			if words = words[1:]; len(words) == 0 {
				return nil, intervalError("MISSING_NUMBER", input, "word", w)
			}
			w = words[0]
			number = w
			if number[0] == '.' {
				return nil, intervalError("INVALID_VALUE", input, "value", w)
			}
		}
	} else if c != '.' && (c < '0' || c > '9') {
		return nil, intervalError("UNRECOGNIZED_NUMBER", input, "number", w)
	}
	whole, fraction, hasFraction, err := intervalNumber(number, w, input)
	if err != nil {
		return nil, err
	}
	if len(words) == 1 {
		return nil, intervalError("MISSING_UNIT", input, "word", w)
	}
	unit := words[1]
	if hasFraction && unit[0] != 's' {
		return nil, intervalError("INVALID_FRACTION", input, "unit", unit)
	}
	if negative {
		whole, fraction = -whole, -fraction
	}
	var ok bool
	switch strings.TrimSuffix(unit, "s") {
	case "year":
		ok = addMonths(v, whole, 12)
	case "month":
		ok = addMonths(v, whole, 1)
	case "week":
		ok = addDays(v, whole, 7)
	case "day":
		ok = addDays(v, whole, 1)
	case "hour":
		ok = addMicros(v, whole, microsPerHour)
	case "minute":
		ok = addMicros(v, whole, microsPerMinute)
	case "second":
		ok = addMicros(v, whole, microsPerSecond) && addMicros(v, fraction, 1)
	case "millisecond":
		ok = addMicros(v, whole, 1000)
	case "microsecond":
		ok = addMicros(v, whole, 1)
	default:
		return nil, intervalError("INVALID_UNIT", input, "unit", unit)
	}
	if !ok {
		return nil, intervalError("ARITHMETIC_EXCEPTION", input)
	}
	return words[2:], nil
}

// intervalNumber reads digits with an optional fraction of up to nine digits, in microseconds.
func intervalNumber(s, word, input string) (whole, fraction int64, hasFraction bool, _ *errs.Error) {
	i := 0
	for ; i < len(s) && s[i] >= '0' && s[i] <= '9'; i++ {
		d := int64(s[i] - '0')
		if whole > (math.MaxInt64-d)/10 {
			return 0, 0, false, intervalError("ARITHMETIC_EXCEPTION", input)
		}
		whole = whole*10 + d
	}
	if i == len(s) {
		return whole, 0, false, nil
	}
	if s[i] != '.' {
		return 0, 0, false, intervalError("INVALID_VALUE", input, "value", word)
	}
	digits := s[i+1:]
	scale := int64(100_000_000)
	for j := 0; j < len(digits); j++ {
		c := digits[j]
		if c < '0' || c > '9' {
			return 0, 0, false, intervalError("INVALID_VALUE", input, "value", word)
		}
		if scale == 0 {
			return 0, 0, false, intervalError("INVALID_PRECISION", input, "value", word)
		}
		fraction += int64(c-'0') * scale
		scale /= 10
	}
	if digits == "" && i == 0 {
		return 0, 0, false, intervalError("INVALID_VALUE", input, "value", word)
	}
	return whole, fraction / 1000, true, nil
}

func mulAdd(sum, a, b int64) (int64, bool) {
	hi, lo := bits.Mul64(uint64(abs64(a)), uint64(b))
	if hi != 0 || lo > math.MaxInt64 {
		return 0, false
	}
	m := int64(lo)
	if a < 0 {
		m = -m
	}
	r := sum + m
	if (r > sum) != (m > 0) && m != 0 {
		return 0, false
	}
	return r, true
}

func abs64(a int64) int64 {
	if a < 0 {
		return -a
	}
	return a
}

func addMonths(v *types.CalendarValue, n, per int64) bool {
	r, ok := mulAdd(int64(v.Months), n, per)
	v.Months = int32(r)
	return ok && int64(v.Months) == r
}

func addDays(v *types.CalendarValue, n, per int64) bool {
	r, ok := mulAdd(int64(v.Days), n, per)
	v.Days = int32(r)
	return ok && int64(v.Days) == r
}

func addMicros(v *types.CalendarValue, n, per int64) bool {
	r, ok := mulAdd(v.Micros, n, per)
	v.Micros = r
	return ok
}

// duration is the microseconds of an interval without months.
func duration(v types.CalendarValue) (int64, bool) {
	return mulAdd(v.Micros, int64(v.Days), microsPerDay)
}

// unitField tells the family (0 none, 1 year-month, 2 day-time) and field of a unit's name.
func unitField(unit string) (family int, field uint8) {
	switch strings.TrimSuffix(strings.ToLower(unit), "s") {
	case "year":
		return 1, types.Year
	case "month":
		return 1, types.Month
	case "week", "day":
		return 2, types.Day
	case "hour":
		return 2, types.Hour
	case "minute":
		return 2, types.Minute
	case "second", "millisecond", "microsecond":
		return 2, types.Second
	}
	return 0, 0
}

func isUnit(k kind) bool {
	switch k {
	case kwNanosecond, kwNanoseconds, kwMicrosecond, kwMicroseconds, kwMillisecond, kwMilliseconds, kwSecond, kwSeconds,
		kwMinute, kwMinutes, kwHour, kwHours, kwDay, kwDays, kwWeek, kwWeeks, kwMonth, kwMonths, kwYear, kwYears:
		return true
	}
	return false
}

// intervalValue reports the number of tokens of [+-] value unit at token n from here, or 0.
func (p *parser) intervalValue(n int) int {
	at := n
	if k := p.la(n); k == tPlus || k == tMinus {
		n++
	}
	switch p.la(n) {
	case tInt, tDecimal:
		n++
	case tString:
		for p.la(n) == tString {
			n++
		}
	default:
		return 0
	}
	if !isUnit(p.la(n)) {
		return 0
	}
	return n + 1 - at
}

// interval parses INTERVAL '1' DAY, INTERVAL 1 DAY 2 HOURS and INTERVAL '1-2'
// YEAR TO MONTH; nil when the word is something else (a column, or the
// literal INTERVAL '1 day').
func (p *parser) interval() plan.Expr {
	if p.intervalValue(1) == 0 {
		return nil
	}
	s := p.i
	p.next()
	p.height = 0
	var (
		units []string
		text  strings.Builder
		first = p.i
	)
	for n := p.intervalValue(0); n > 0; n = p.intervalValue(0) {
		pair := p.i
		if p.la(n) == kwTo {
			if pair == first {
				return p.unitToUnit(s)
			}
			p.i += n + 2
			p.fail(s, "_LEGACY_ERROR_TEMP_0024")
			return bad()
		}
		value := p.intervalNumber(first)
		unit := p.text(p.next())
		units = append(units, unit)
		text.WriteString(" " + value + " " + unit)
	}
	if p.err != nil {
		return bad()
	}
	v, err := parseInterval(text.String())
	if err != nil {
		p.stop(err)
		return bad()
	}
	return p.intervalLiteral(s, v, units)
}

// intervalNumber takes the value of one pair of a multi-unit interval, which began at token first.
func (p *parser) intervalNumber(first int) string {
	sign := p.acceptAny(tPlus, tMinus)
	if p.peek() != tString {
		v := p.text(p.next())
		if sign == tMinus {
			return "-" + v
		}
		return v
	}
	v := p.stringLit()
	for _, r := range v {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
			p.next() // the unit
			p.fail(first, "_LEGACY_ERROR_TEMP_0026", "value", v)
			return ""
		}
	}
	if sign != tMinus {
		return v
	}
	if strings.HasPrefix(v, "-") {
		return v[1:]
	}
	return "-" + v
}

// intervalLiteral makes an ANSI interval of the fields that were written.
func (p *parser) intervalLiteral(s int, v types.CalendarValue, units []string) plan.Expr {
	var lo, hi [3]int
	lo[1], lo[2] = 9, 9
	hi[1], hi[2] = -1, -1
	for _, u := range units {
		f, field := unitField(u)
		if f != 0 {
			lo[f], hi[f] = min(lo[f], int(field)), max(hi[f], int(field))
		}
	}
	if hi[1] >= 0 {
		if hi[2] >= 0 {
			p.fail(s, "_LEGACY_ERROR_TEMP_0029", "literal", p.textFrom(s))
			return bad()
		}
		return &plan.Literal{At: p.from(s), T: types.NewYearMonth(uint8(lo[1]), uint8(hi[1])), Value: v.Months}
	}
	micros, ok := duration(v)
	if !ok || hi[2] < 0 {
		p.stop(errs.New(errs.Arithmetic, "INTERVAL_ARITHMETIC_OVERFLOW.WITHOUT_SUGGESTION"))
		return bad()
	}
	return &plan.Literal{At: p.from(s), T: types.NewDayTime(uint8(lo[2]), uint8(hi[2])), Value: micros}
}

// unitToUnit parses 'value' FROM TO to; the word INTERVAL, token s, was taken.
func (p *parser) unitToUnit(s int) plan.Expr {
	body := p.i
	sign := p.acceptAny(tPlus, tMinus)
	if p.peek() != tString {
		p.i += 4 // the number, from TO to
		p.i = min(p.i, len(p.toks)-1)
		p.fail(body, "_LEGACY_ERROR_TEMP_0027")
		return bad()
	}
	v := p.stringLit()
	if sign == tMinus {
		if strings.HasPrefix(v, "-") {
			v = v[1:]
		} else {
			v = "-" + v
		}
	}
	fromTok := p.next()
	p.next()
	toTok := p.next()
	from, to := strings.ToLower(p.text(fromTok)), strings.ToLower(p.text(toTok))
	if !isUnit(toTok.kind) {
		p.i--
		p.syntax()
		return bad()
	}
	if n := p.intervalValue(0); n > 0 {
		for n > 0 {
			p.i += n
			n = p.intervalValue(0)
		}
		if p.peek() == kwTo {
			p.i += 2
		}
		p.fail(s, "_LEGACY_ERROR_TEMP_0024")
		return bad()
	}
	t := types.Interval(from, to)
	if t == nil || from == to {
		p.fail(body, "INVALID_INTERVAL_FORMAT.UNSUPPORTED_FROM_TO_EXPRESSION", "input", v, "from", from, "to", to)
		return bad()
	}
	value, err := parseFields(v, t)
	if err != nil {
		err.Class = errs.Parse
		p.stop(err.At(p.origin(body)))
		return bad()
	}
	if t.Kind == types.YearMonthInterval {
		return &plan.Literal{At: p.from(s), T: t, Value: int32(value)}
	}
	return &plan.Literal{At: p.from(s), T: t, Value: value}
}

var fieldFormats = map[string]string{
	"interval year to month": "y-m", "interval day to hour": "d h", "interval day to minute": "d h:m", "interval day to second": "d h:m:s.n",
	"interval hour to minute": "h:m", "interval hour to second": "h:m:s.n", "interval minute to second": "m:s.n",
}

// parseFields reads '1-2' as YEAR TO MONTH, '1 2:3:4.5' as DAY TO SECOND ...;
// the whole text may be the literal INTERVAL '...' from TO to itself.
func parseFields(input string, t *types.Type) (int64, *errs.Error) {
	ym := t.Kind == types.YearMonthInterval
	format := fieldFormats[t.String()]
	units := strings.ToUpper(strings.TrimPrefix(t.String(), "interval "))
	mismatch := func() *errs.Error {
		sub, family := "UNMATCHED_FORMAT_STRING_WITH_NOTICE", "day-time"
		if ym {
			sub, family = "UNMATCHED_FORMAT_STRING", "year-month"
		}
		return intervalError(sub, input, "intervalStr", family,
			"supportedFormat", "`[+|-]"+format+"`, `INTERVAL [+|-]'[+|-]"+format+"' "+units+"`", "typeName", t.String())
	}
	s := strings.TrimFunc(input, func(r rune) bool { return r <= ' ' || r == 0x7F })
	negative := false
	if f := strings.Fields(strings.ToUpper(s)); len(f) > 0 && f[0] == "INTERVAL" {
		s = strings.TrimSpace(s[len("INTERVAL"):])
		if s != "" && (s[0] == '-' || s[0] == '+') {
			negative = s[0] == '-'
			s = s[1:]
		}
		end := strings.LastIndexByte(s, '\'')
		if s == "" || s[0] != '\'' || end == 0 || strings.Join(strings.Fields(strings.ToUpper(s[end+1:])), " ") != units {
			return 0, mismatch()
		}
		s = s[1:end]
	}
	if s != "" && (s[0] == '-' || s[0] == '+') {
		if s[0] == '-' {
			negative = !negative
		}
		s = s[1:]
	}
	nums, micros, ok := splitFields(s, format)
	if !ok {
		return 0, mismatch()
	}
	sign := int64(1)
	if negative {
		sign = -1
	}
	names := []string{"year", "month"}
	if !ym {
		names = []string{"day", "hour", "minute", "second"}
	}
	limits := []int64{math.MaxInt32 / 12, 11}
	if !ym {
		limits = []int64{106751991, 23, 59, 59}
		switch t.Start {
		case types.Hour:
			limits[1] = 2562047788
		case types.Minute:
			limits[2] = 153722867280
		}
	}
	per := []int64{12, 1}
	if !ym {
		per = []int64{microsPerDay, microsPerHour, microsPerMinute, microsPerSecond}
	}
	var sum int64
	for i, n := range nums {
		f := int(t.Start) + i
		if n > limits[f] {
			if ym {
				return 0, intervalError("INTERVAL_PARSING", strings.TrimSpace(input), "interval", "year-month")
			}
			return 0, rangeError(names[f], n, limits[f])
		}
		if sum, ok = mulAdd(sum, sign*n, per[f]); !ok {
			return 0, intervalError("ARITHMETIC_EXCEPTION", input)
		}
	}
	if sum, ok = mulAdd(sum, sign*micros, 1); !ok || ym && (sum > math.MaxInt32 || sum < math.MinInt32) {
		return 0, intervalError("INTERVAL_PARSING", strings.TrimSpace(input), "interval", "year-month")
	}
	return sum, nil
}

func rangeError(field string, n, limit int64) *errs.Error {
	return errs.New(errs.Parse, "_LEGACY_ERROR_TEMP_0063", "msg",
		"requirement failed: "+field+" "+strconv.FormatInt(n, 10)+" outside range [0, "+strconv.FormatInt(limit, 10)+"]")
}

// splitFields reads the numbers that stand where format has its letters; .n is an optional fraction of a second, in microseconds.
func splitFields(s, format string) (nums []int64, micros int64, ok bool) {
	i := 0
	first := true
	for j := 0; j < len(format); j++ {
		c := format[j]
		if c == '.' {
			if i == len(s) {
				return nums, 0, true
			}
			if s[i] != '.' {
				return nil, 0, false
			}
			frac := s[i+1:]
			if len(frac) == 0 || len(frac) > 9 {
				return nil, 0, false
			}
			n, err := strconv.ParseUint(frac+strings.Repeat("0", 9-len(frac)), 10, 32)
			return nums, int64(n / 1000), err == nil
		}
		if c < 'a' {
			if i >= len(s) || s[i] != c {
				return nil, 0, false
			}
			i++
			continue
		}
		e := digits(s, i)
		width := 2
		if first {
			width = map[byte]int{'y': 9, 'd': 9, 'h': 10, 'm': 12}[c]
		}
		if e == i || e-i > width {
			return nil, 0, false
		}
		n, err := strconv.ParseInt(s[i:e], 10, 64)
		if err != nil {
			return nil, 0, false
		}
		nums = append(nums, n)
		i = e
		first = false
	}
	return nums, 0, i == len(s)
}
