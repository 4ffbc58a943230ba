package types

import (
	"math"
	"strconv"
	"strings"
)

// intervalBody takes INTERVAL '...' FIELDS off an interval's text, if it is written so,
// and a sign. The fields must be those of t.
func intervalBody(s string, t *Type) (body string, neg, ok bool) {
	s = TrimAll(s)
	if len(s) > 8 && strings.EqualFold(s[:8], "interval") {
		s = strings.TrimLeft(s[8:], " ")
		if s != "" && (s[0] == '-' || s[0] == '+') {
			neg = s[0] == '-'
			s = strings.TrimLeft(s[1:], " ")
		}
		end := strings.LastIndexByte(s, '\'')
		if s == "" || s[0] != '\'' || end < 1 {
			return "", false, false
		}
		tail := strings.Join(strings.Fields(strings.ToUpper(s[end+1:])), " ")
		if "INTERVAL "+tail != t.SQL() {
			return "", false, false
		}
		s = s[1:end]
	}
	if s != "" && (s[0] == '-' || s[0] == '+') {
		neg = neg != (s[0] == '-')
		s = s[1:]
	}
	return s, neg, s != ""
}

// ParseYearMonth reads an interval of type t as months: 1-2, 3, or INTERVAL '1-2' YEAR TO MONTH.
func ParseYearMonth(s string, t *Type) (int32, bool) {
	body, neg, ok := intervalBody(s, t)
	if !ok {
		return 0, false
	}
	var months int64
	if t.Start != t.End {
		y, m, ok := strings.Cut(body, "-")
		yy, err1 := strconv.ParseUint(y, 10, 31)
		mm, err2 := strconv.ParseUint(m, 10, 31)
		if !ok || err1 != nil || err2 != nil || mm > 11 {
			return 0, false
		}
		months = int64(yy)*12 + int64(mm)
	} else {
		n, err := strconv.ParseUint(body, 10, 31)
		if err != nil {
			return 0, false
		}
		months = int64(n)
		if t.Start == Year {
			months *= 12
		}
	}
	if neg {
		months = -months
	}
	return int32(months), months == int64(int32(months))
}

// ParseDayTime reads an interval of type t as microseconds: 1 02:03:04.5, or in the INTERVAL '...' form.
func ParseDayTime(s string, t *Type) (int64, bool) {
	body, neg, ok := intervalBody(s, t)
	if !ok {
		return 0, false
	}
	units := [...]int64{MicrosPerDay, MicrosPerHour, MicrosPerMinute, MicrosPerSecond}
	limits := [...]uint64{106751991, 23, 59, 59}
	total := Int128{}
	for f := t.Start; f <= t.End; f++ {
		part := body
		if f < t.End {
			sep := ":"
			if f == Day {
				sep = " "
			}
			var found bool
			part, body, found = strings.Cut(body, sep)
			if !found {
				return 0, false
			}
		}
		frac := int64(0)
		if f == Second {
			whole, digits, _ := strings.Cut(part, ".")
			part = whole
			if len(digits) > 9 {
				return 0, false
			}
			unit := int64(100000)
			for _, d := range []byte(digits) {
				if d-'0' > 9 {
					return 0, false
				}
				frac += int64(d-'0') * unit
				unit /= 10
			}
		}
		n, err := strconv.ParseUint(part, 10, 63)
		if err != nil || f > t.Start && n > limits[f] {
			return 0, false
		}
		total = total.Add(Mul64(int64(n), units[f])).Add(I128(frac))
	}
	if neg {
		total = total.Neg()
	}
	return int64(total.Lo), total.IsInt64()
}

// ParseCalendar reads an interval in words: [interval] 1 year -2 days 3.5 seconds.
func ParseCalendar(s string) (v CalendarValue, ok bool) {
	words := strings.Fields(strings.ToLower(TrimAll(s)))
	if len(words) > 0 && words[0] == "interval" {
		words = words[1:]
	}
	if len(words) == 0 {
		return v, false
	}
	var months, days int64
	micros := Int128{}
	for i := 0; i < len(words); i += 2 {
		num := words[i]
		if (num == "-" || num == "+") && i+1 < len(words) {
			words = append(words[:i:i], append([]string{num + words[i+1]}, words[i+2:]...)...)
			num = words[i]
		}
		if i+1 >= len(words) {
			return v, false
		}
		whole, frac, hasFrac := strings.Cut(num, ".")
		neg := strings.HasPrefix(whole, "-")
		if whole == "" || whole == "-" || whole == "+" {
			whole += "0"
		}
		n, err := strconv.ParseInt(whole, 10, 64)
		unit := strings.TrimSuffix(words[i+1], "s")
		if err != nil || hasFrac && unit != "second" {
			return v, false
		}
		switch unit {
		case "year":
			months += n * 12
		case "month":
			months += n
		case "week":
			days += n * 7
		case "day":
			days += n
		case "hour":
			micros = micros.Add(Mul64(n, MicrosPerHour))
		case "minute":
			micros = micros.Add(Mul64(n, MicrosPerMinute))
		case "second":
			micros = micros.Add(Mul64(n, MicrosPerSecond))
			f, unit := int64(0), int64(100000)
			if len(frac) > 9 {
				return v, false
			}
			for _, d := range []byte(frac) {
				if d-'0' > 9 {
					return v, false
				}
				f += int64(d-'0') * unit
				unit /= 10
			}
			if neg {
				f = -f
			}
			micros = micros.Add(I128(f))
		case "millisecond":
			micros = micros.Add(Mul64(n, MicrosPerMilli))
		case "microsecond":
			micros = micros.Add(I128(n))
		default:
			return v, false
		}
		if months > math.MaxInt32 || months < math.MinInt32 || days > math.MaxInt32 || days < math.MinInt32 {
			return v, false
		}
	}
	v = CalendarValue{Months: int32(months), Days: int32(days), Micros: int64(micros.Lo)}
	return v, micros.IsInt64()
}
