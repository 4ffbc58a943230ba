package types

import (
	"strconv"
	"time"
)

// Microseconds in larger units.
const (
	MicrosPerMilli  = int64(1000)
	MicrosPerSecond = int64(1000000)
	MicrosPerMinute = 60 * MicrosPerSecond
	MicrosPerHour   = 60 * MicrosPerMinute
	MicrosPerDay    = 24 * MicrosPerHour
	SecondsPerDay   = int64(86400)
)

// CivilFromDays turns days since 1970-01-01 into a date of the proleptic
// Gregorian calendar (H. Hinnant, "chrono-compatible low-level date algorithms").
func CivilFromDays(days int64) (year int64, month, day int) {
	z := days + 719468
	era := z / 146097
	if z < 0 {
		era = (z - 146096) / 146097
	}
	doe := uint64(z - era*146097)
	yoe := (doe - doe/1460 + doe/36524 - doe/146096) / 365
	doy := doe - (365*yoe + yoe/4 - yoe/100)
	mp := (5*doy + 2) / 153
	day = int(doy - (153*mp+2)/5 + 1)
	year = int64(yoe) + era*400
	if mp < 10 {
		month = int(mp) + 3
	} else {
		month = int(mp) - 9
		year++
	}
	return year, month, day
}

// DaysFromCivil is the inverse of CivilFromDays; it doesn't check its arguments.
func DaysFromCivil(year int64, month, day int) int64 {
	if month <= 2 {
		year--
	}
	era := year / 400
	if year < 0 {
		era = (year - 399) / 400
	}
	yoe := year - era*400
	mp := int64(month+9) % 12
	doy := (153*mp+2)/5 + int64(day) - 1
	doe := yoe*365 + yoe/4 - yoe/100 + doy
	return era*146097 + doe - 719468
}

// IsLeap reports whether a year has a 29th of February.
func IsLeap(year int64) bool { return year%4 == 0 && (year%100 != 0 || year%400 == 0) }

// DaysInMonth is the number of days of a month (1 to 12).
func DaysInMonth(year int64, month int) int {
	if month == 2 {
		if IsLeap(year) {
			return 29
		}
		return 28
	}
	return 30 + (month+month>>3)&1
}

// FloorDiv divides rounding down.
func FloorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// FloorMod is the remainder of FloorDiv, never negative for b > 0.
func FloorMod(a, b int64) int64 {
	r := a % b
	if r < 0 {
		r += b
	}
	return r
}

// ZoneCache turns instants into local time and back. It remembers the last
// stretch of constant offset, so that rows near each other in time cost no
// look-up. Not safe for concurrent use.
type ZoneCache struct {
	loc    *time.Location
	lo, hi int64 // seconds: lo <= t < hi has offset off
	off    int64
	fixed  bool
}

// NewZoneCache makes a cache; a nil location is UTC.
func NewZoneCache(loc *time.Location) *ZoneCache {
	if loc == nil {
		loc = time.UTC
	}
	return &ZoneCache{loc: loc, fixed: loc == time.UTC, lo: 1, hi: 0}
}

const zoneFar = int64(1) << 55 // beyond every timestamp, in seconds

// Offset is what to add to an instant (seconds since 1970 UTC) to get local time.
func (z *ZoneCache) Offset(sec int64) int64 {
	if z.fixed {
		return 0
	}
	if sec >= z.lo && sec < z.hi {
		return z.off
	}
	t := time.Unix(sec, 0).In(z.loc)
	_, off := t.Zone()
	z.off = int64(off)
	start, end := t.ZoneBounds()
	z.lo, z.hi = -zoneFar, zoneFar
	if !start.IsZero() {
		z.lo = start.Unix()
	}
	if !end.IsZero() {
		z.hi = end.Unix()
	}
	return z.off
}

// ToLocal turns microseconds since 1970 UTC into microseconds on the local clock.
func (z *ZoneCache) ToLocal(us int64) int64 {
	if z.fixed {
		return us
	}
	return us + z.Offset(FloorDiv(us, MicrosPerSecond))*MicrosPerSecond
}

// FromLocal is the inverse of ToLocal: of two instants it takes the earlier,
// and a time that the clock skipped is moved on by the length of the gap.
func (z *ZoneCache) FromLocal(us int64) int64 {
	if z.fixed {
		return us
	}
	local := FloorDiv(us, MicrosPerSecond)
	before := z.Offset(local - SecondsPerDay)
	after := z.Offset(local + SecondsPerDay)
	off := before
	if before != after && z.Offset(local-before) != before && z.Offset(local-after) == after {
		off = after
	}
	return us - off*MicrosPerSecond
}

// AppendDate writes days since 1970-01-01 as yyyy-MM-dd.
func AppendDate(dst []byte, days int32) []byte { return appendCivil(dst, int64(days)) }

func appendCivil(dst []byte, days int64) []byte {
	y, m, d := CivilFromDays(days)
	switch {
	case y < 0:
		dst = append(dst, '-')
		dst = appendPadded(dst, uint64(-y), 4)
	case y > 9999:
		dst = append(dst, '+')
		dst = strconv.AppendInt(dst, y, 10)
	default:
		dst = append(dst, byte('0'+y/1000), byte('0'+y/100%10), byte('0'+y/10%10), byte('0'+y%10))
	}
	return append(dst, '-', byte('0'+m/10), byte('0'+m%10), '-', byte('0'+d/10), byte('0'+d%10))
}

// AppendTimestampNTZ writes microseconds on the local clock as
// yyyy-MM-dd HH:mm:ss[.ffffff], without trailing zeros.
func AppendTimestampNTZ(dst []byte, us int64) []byte {
	days := FloorDiv(us, MicrosPerDay)
	dst = appendCivil(dst, days)
	dst = append(dst, ' ')
	return appendClock(dst, us-days*MicrosPerDay)
}

// AppendTimestamp writes an instant as AppendTimestampNTZ does, in that time zone.
func AppendTimestamp(dst []byte, us int64, loc *time.Location) []byte {
	if loc == nil || loc == time.UTC {
		return AppendTimestampNTZ(dst, us)
	}
	_, off := time.Unix(FloorDiv(us, MicrosPerSecond), 0).In(loc).Zone()
	return AppendTimestampNTZ(dst, us+int64(off)*MicrosPerSecond)
}

func append2(dst []byte, v int64) []byte { return append(dst, byte('0'+v/10), byte('0'+v%10)) }

// appendClock writes microseconds of a day.
func appendClock(dst []byte, us int64) []byte {
	s := us / MicrosPerSecond
	dst = append2(dst, s/3600)
	dst = append(dst, ':')
	dst = append2(dst, s/60%60)
	dst = append(dst, ':')
	dst = append2(dst, s%60)
	return appendFraction(dst, uint64(us%MicrosPerSecond), 6)
}

// appendFraction writes .digits without trailing zeros, nothing for 0.
func appendFraction(dst []byte, frac uint64, width int) []byte {
	if frac == 0 {
		return dst
	}
	dst = append(dst, '.')
	dst = appendPadded(dst, frac, width)
	for dst[len(dst)-1] == '0' {
		dst = dst[:len(dst)-1]
	}
	return dst
}

// AppendTime writes nanoseconds since midnight as HH:mm:ss[.fffffffff].
func AppendTime(dst []byte, ns int64) []byte {
	s := ns / 1e9
	dst = append2(dst, s/3600)
	dst = append(dst, ':')
	dst = append2(dst, s/60%60)
	dst = append(dst, ':')
	dst = append2(dst, s%60)
	return appendFraction(dst, uint64(ns%1e9), 9)
}

var fieldNames = [2][4]string{{"YEAR", "MONTH"}, {"DAY", "HOUR", "MINUTE", "SECOND"}}

func appendIntervalTail(dst []byte, names []string, start, end uint8) []byte {
	dst = append(dst, "' "...)
	dst = append(dst, names[start]...)
	if start != end {
		dst = append(dst, " TO "...)
		dst = append(dst, names[end]...)
	}
	return dst
}

// AppendYearMonth writes months as INTERVAL '1-2' YEAR TO MONTH does.
func AppendYearMonth(dst []byte, months int32, t *Type) []byte {
	dst = append(dst, "INTERVAL '"...)
	m := int64(months)
	if m < 0 {
		dst = append(dst, '-')
		m = -m
	}
	switch {
	case t.Start == t.End && t.Start == Year:
		dst = strconv.AppendInt(dst, m/12, 10)
	case t.Start == Month:
		dst = strconv.AppendInt(dst, m, 10)
	default:
		dst = strconv.AppendInt(dst, m/12, 10)
		dst = append(dst, '-')
		dst = strconv.AppendInt(dst, m%12, 10)
	}
	return appendIntervalTail(dst, fieldNames[0][:], t.Start, t.End)
}

// AppendDayTime writes microseconds as INTERVAL '1 02:03:04.5' DAY TO SECOND does, by the fields of t.
func AppendDayTime(dst []byte, us int64, t *Type) []byte {
	dst = append(dst, "INTERVAL '"...)
	rest := uint64(us)
	if us < 0 {
		dst = append(dst, '-')
		rest = -rest
	}
	units := [...]uint64{uint64(MicrosPerDay), uint64(MicrosPerHour), uint64(MicrosPerMinute), uint64(MicrosPerSecond)}
	for f := t.Start; f <= t.End; f++ {
		v := rest / units[f]
		rest %= units[f]
		switch {
		case f == Day:
			dst = strconv.AppendUint(dst, v, 10)
		case f == t.Start:
			dst = appendPadded(dst, v, 2)
		case f == Hour:
			dst = append(dst, ' ')
			dst = appendPadded(dst, v, 2)
		default:
			dst = append(dst, ':')
			dst = appendPadded(dst, v, 2)
		}
		if f == Second {
			dst = appendFraction(dst, rest, 6)
		}
	}
	return appendIntervalTail(dst, fieldNames[1][:], t.Start, t.End)
}

// AppendCalendar writes an interval in words: "1 years 2 months 3 days 4 hours 5.6 seconds", "0 seconds" when all is zero.
func AppendCalendar(dst []byte, v CalendarValue) []byte {
	from := len(dst)
	unit := func(n int64, name string) {
		if n == 0 {
			return
		}
		if len(dst) > from {
			dst = append(dst, ' ')
		}
		dst = strconv.AppendInt(dst, n, 10)
		dst = append(dst, ' ')
		dst = append(dst, name...)
	}
	unit(int64(v.Months/12), "years")
	unit(int64(v.Months%12), "months")
	unit(int64(v.Days), "days")
	rest := v.Micros
	unit(rest/MicrosPerHour, "hours")
	rest %= MicrosPerHour
	unit(rest/MicrosPerMinute, "minutes")
	rest %= MicrosPerMinute
	if rest != 0 {
		if len(dst) > from {
			dst = append(dst, ' ')
		}
		if rest < 0 {
			dst = append(dst, '-')
			rest = -rest
		}
		dst = strconv.AppendInt(dst, rest/MicrosPerSecond, 10)
		dst = appendFraction(dst, uint64(rest%MicrosPerSecond), 6)
		dst = append(dst, " seconds"...)
	}
	if len(dst) == from {
		return append(dst, "0 seconds"...)
	}
	return dst
}
