package types

import (
	"math"
	"strconv"
	"strings"
	"time"
)

// ParseDate reads a date as casts do: yyyy, yyyy-[m]m, yyyy-[m]m-[d]d, the
// last perhaps followed by a blank or T and anything; a sign, and years of up to
// seven digits, are allowed.
func ParseDate(s string) (days int32, ok bool) {
	s = TrimAll(s)
	if len(s) == 10 && s[4] == '-' && s[7] == '-' {
		if y, m, d, ok := plainDate(s); ok {
			return int32(DaysFromCivil(int64(y), m, d)), true
		}
	}
	var seg [3]int64
	seg[1], seg[2] = 1, 1
	sign := int64(1)
	j := 0
	if j < len(s) && (s[j] == '-' || s[j] == '+') {
		if s[j] == '-' {
			sign = -1
		}
		j++
	}
	i, digits := 0, 0
	cur := int64(0)
	valid := func() bool {
		return i == 0 && digits >= 4 && digits <= 7 || i != 0 && digits > 0 && digits <= 2
	}
	for ; j < len(s); j++ {
		c := s[j]
		if i == 2 && (c == ' ' || c == 'T') {
			break
		}
		if i < 2 && c == '-' {
			if !valid() {
				return 0, false
			}
			seg[i] = cur
			cur, digits = 0, 0
			i++
			continue
		}
		if c < '0' || c > '9' || digits > 7 {
			return 0, false
		}
		cur = cur*10 + int64(c-'0')
		digits++
	}
	if !valid() {
		return 0, false
	}
	seg[i] = cur
	return civilDate(sign*seg[0], seg[1], seg[2])
}

func civilDate(y, m, d int64) (int32, bool) {
	if m < 1 || m > 12 || d < 1 || d > int64(DaysInMonth(y, int(m))) {
		return 0, false
	}
	n := DaysFromCivil(y, int(m), int(d))
	return int32(n), n == int64(int32(n))
}

func plainDate(s string) (y, m, d int, ok bool) {
	for _, i := range [...]int{0, 1, 2, 3, 5, 6, 8, 9} {
		if s[i]-'0' > 9 {
			return 0, 0, 0, false
		}
	}
	y = int(s[0]-'0')*1000 + int(s[1]-'0')*100 + int(s[2]-'0')*10 + int(s[3]-'0')
	m = int(s[5]-'0')*10 + int(s[6]-'0')
	d = int(s[8]-'0')*10 + int(s[9]-'0')
	return y, m, d, m >= 1 && m <= 12 && d >= 1 && d <= DaysInMonth(int64(y), m)
}

// TimestampParts is a timestamp as written: a local time and perhaps a zone.
type TimestampParts struct {
	Local    int64 // microseconds on the local clock; of JustTime: of the day
	Zone     string
	HasZone  bool
	JustTime bool // no date was written
}

// ParseTimestampParts reads a timestamp as casts do: a date as ParseDate has
// it, then perhaps a blank or T and [h]h:[m]m:[s]s[.fraction] and a zone; or a time
// alone, after T or with colons. The fraction is cut at microseconds.
func ParseTimestampParts(text string) (p TimestampParts, ok bool) {
	s := TrimAll(text)
	if s == "" {
		return p, false
	}
	seg := [9]int64{1, 1, 1}
	i, digits, milli := 0, 0, 0
	cur := int64(0)
	j := 0
	sign := int64(0)
	if s[0] == '-' || s[0] == '+' {
		sign = 1
		if s[0] == '-' {
			sign = -1
		}
		j++
	}
	valid := func(seg int) bool {
		switch seg {
		case 0:
			return digits >= 4 && digits <= 6
		case 6:
			return true
		case 7:
			return digits <= 2
		}
		return digits > 0 && digits <= 2
	}
	take := func(at int) bool {
		if !valid(at) {
			return false
		}
		seg[at] = cur
		cur, digits = 0, 0
		return true
	}
scan:
	for ; j < len(s); j++ {
		c := s[j]
		if c >= '0' && c <= '9' {
			if i == 6 {
				milli++
			}
			if i != 6 || digits < 6 {
				if cur = cur*10 + int64(c-'0'); cur > 1e9 {
					return p, false
				}
			}
			digits++
			continue
		}
		switch {
		case j == 0 && c == 'T':
			if text[0] != 'T' { // not behind blanks
				return p, false
			}
			p.JustTime = true
			i += 3
		case i < 2:
			switch {
			case c == '-':
				if !take(i) {
					return p, false
				}
				i++
			case i == 0 && c == ':' && sign == 0:
				p.JustTime = true
				if !take(3) {
					return p, false
				}
				i = 4
			default:
				return p, false
			}
		case i == 2 && (c == ' ' || c == 'T'), (i == 3 || i == 4) && c == ':':
			if !take(i) {
				return p, false
			}
			i++
		case i == 5 && c == '.':
			if !take(i) {
				return p, false
			}
			i++
		case i == 5 || i == 6:
			if !take(i) {
				return p, false
			}
			p.Zone, p.HasZone = TrimAll(s[j:]), true
			i = 7
			break scan
		default:
			return p, false
		}
	}
	if !p.HasZone {
		if !take(i) {
			return p, false
		}
	}
	for ; milli < 6; milli++ {
		seg[6] *= 10
	}
	if seg[3] > 23 || seg[4] > 59 || seg[5] > 59 {
		return p, false
	}
	clock := (seg[3]*3600+seg[4]*60+seg[5])*MicrosPerSecond + seg[6]
	if p.JustTime {
		p.Local = clock
		return p, true
	}
	if sign < 0 {
		seg[0] = -seg[0]
	}
	days, ok := civilDate(seg[0], seg[1], seg[2])
	if !ok {
		return p, false
	}
	// The product may be beyond an int64 where the sum isn't; it wraps, and the sum wraps back.
	const first, last = math.MinInt64/MicrosPerDay - 1, math.MaxInt64 / MicrosPerDay
	p.Local = int64(days)*MicrosPerDay + clock
	switch d := int64(days); {
	case d < first, d > last, d == first && p.Local >= 0, d == last && p.Local < 0:
		return p, false
	}
	return p, true
}

// ParseTimestamp reads an instant in microseconds: the zone written, or else
// zone, tells which. now gives the date of a time without one.
func ParseTimestamp(s string, zone *ZoneCache, now func() time.Time) (int64, bool) {
	p, ok := ParseTimestampParts(s)
	if !ok {
		return 0, false
	}
	if p.HasZone {
		loc, err := LoadZone(p.Zone)
		if err != nil {
			return 0, false
		}
		zone = NewZoneCache(loc)
	}
	if p.JustTime {
		if now == nil {
			now = time.Now
		}
		today := FloorDiv(zone.ToLocal(now().UnixMicro()), MicrosPerDay)
		p.Local += today * MicrosPerDay
	}
	return zone.FromLocal(p.Local), true
}

// ParseTimestampNTZ reads a local time; a zone, if one is written, must be
// well formed and is dropped. A time without a date is refused.
func ParseTimestampNTZ(s string) (int64, bool) {
	p, ok := ParseTimestampParts(s)
	if !ok || p.JustTime {
		return 0, false
	}
	if p.HasZone {
		if _, err := LoadZone(p.Zone); err != nil {
			return 0, false
		}
	}
	return p.Local, true
}

// ParseTime reads [h]h:[m]m[:[s]s[.fraction]], perhaps after T, and perhaps
// with AM or PM behind, as nanoseconds since midnight. The fraction is cut
// at precision digits.
func ParseTime(s string, precision int) (int64, bool) {
	s = TrimAll(s)
	s = strings.TrimPrefix(s, "T")
	half := -1
	if n := len(s); n >= 2 {
		switch strings.ToUpper(s[n-2:]) {
		case "AM":
			half = 0
		case "PM":
			half = 1
		}
		if half >= 0 {
			s = strings.TrimRight(s[:n-2], " ")
		}
	}
	var seg [3]int64
	i, digits := 0, 0
	frac := ""
	for j := 0; j < len(s); j++ {
		c := s[j]
		switch {
		case c >= '0' && c <= '9':
			seg[i] = seg[i]*10 + int64(c-'0')
			if digits++; digits > 2 {
				return 0, false
			}
		case c == ':' && i < 2 && digits > 0:
			i, digits = i+1, 0
		case c == '.' && i == 2 && digits > 0:
			frac = s[j+1:]
			j = len(s)
		default:
			return 0, false
		}
	}
	if i == 0 || digits == 0 || seg[0] > 23 || seg[1] > 59 || seg[2] > 59 {
		return 0, false
	}
	if half >= 0 {
		if seg[0] < 1 || seg[0] > 12 {
			return 0, false
		}
		seg[0] = seg[0]%12 + int64(half)*12
	}
	ns, unit := int64(0), int64(1e8)
	for k := 0; k < len(frac); k++ {
		if frac[k]-'0' > 9 {
			return 0, false
		}
		if k < precision {
			ns += int64(frac[k]-'0') * unit
			unit /= 10
		}
	}
	return (seg[0]*3600+seg[1]*60+seg[2])*1e9 + ns, true
}

// shortZones are Java's three-letter zone ids (ZoneId.SHORT_IDS).
var shortZones = map[string]string{
	"EST": "-05:00", "HST": "-10:00", "MST": "-07:00", "ACT": "Australia/Darwin", "AET": "Australia/Sydney",
	"AGT": "America/Argentina/Buenos_Aires", "ART": "Africa/Cairo", "AST": "America/Anchorage", "BET": "America/Sao_Paulo",
	"BST": "Asia/Dhaka", "CAT": "Africa/Harare", "CNT": "America/St_Johns", "CST": "America/Chicago", "CTT": "Asia/Shanghai",
	"EAT": "Africa/Addis_Ababa", "ECT": "Europe/Paris", "IET": "America/Indiana/Indianapolis", "IST": "Asia/Kolkata",
	"JST": "Asia/Tokyo", "MIT": "Pacific/Apia", "NET": "Asia/Yerevan", "NST": "Pacific/Auckland", "PLT": "Asia/Karachi",
	"PNT": "America/Phoenix", "PRT": "America/Puerto_Rico", "PST": "America/Los_Angeles", "SST": "Pacific/Guadalcanal",
	"VST": "Asia/Ho_Chi_Minh",
}

type badZone string

func (z badZone) Error() string { return "no time zone: " + string(z) }

// LoadZone finds a zone by a region's name, an offset (+8, -08:00, +083015,
// UTC+1) or one of Java's short names.
func LoadZone(id string) (*time.Location, error) {
	if z, ok := shortZones[id]; ok {
		id = z
	}
	switch id {
	case "", "Local":
		return nil, badZone(id)
	case "Z", "UTC", "GMT", "UT":
		return time.UTC, nil
	}
	off := id
	for _, p := range [...]string{"UTC", "GMT", "UT"} {
		if rest, ok := strings.CutPrefix(id, p); ok && rest != "" && (rest[0] == '+' || rest[0] == '-') {
			off = rest
			break
		}
	}
	if off[0] == '+' || off[0] == '-' {
		sec, ok := parseOffset(off)
		if !ok {
			return nil, badZone(id)
		}
		if sec == 0 {
			return time.UTC, nil
		}
		return time.FixedZone(id, sec), nil
	}
	loc, err := time.LoadLocation(id)
	if err != nil {
		return nil, badZone(id)
	}
	return loc, nil
}

// parseOffset reads +h, +hh, +hh:mm, +h:mm, +hh:m, +hhmm, +hh:mm:ss and +hhmmss, up to 18 hours.
func parseOffset(s string) (int, bool) {
	neg := s[0] == '-'
	s = s[1:]
	var parts []string
	if strings.IndexByte(s, ':') >= 0 {
		parts = strings.Split(s, ":")
		if len(parts) == 3 && (len(parts[0]) != 2 || len(parts[1]) != 2 || len(parts[2]) != 2) {
			return 0, false
		}
	} else {
		switch len(s) {
		case 1, 2:
			parts = []string{s}
		case 4:
			parts = []string{s[:2], s[2:]}
		case 6:
			parts = []string{s[:2], s[2:4], s[4:]}
		}
	}
	if len(parts) == 0 || len(parts) > 3 {
		return 0, false
	}
	total, unit := 0, 3600
	for i, p := range parts {
		if len(p) == 0 || len(p) > 2 {
			return 0, false
		}
		n, err := strconv.ParseUint(p, 10, 8)
		if err != nil || i > 0 && n > 59 || n > 18 && i == 0 {
			return 0, false
		}
		total += int(n) * unit
		unit /= 60
	}
	if total > 18*3600 {
		return 0, false
	}
	if neg {
		total = -total
	}
	return total, true
}
