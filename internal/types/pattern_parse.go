package types

import (
	"strings"
	"time"
)

// patternParse is what parsing has found: -1 for fields that don't occur.
type patternParse struct {
	y, m, d, yday, quarter, weekday int64
	hour, clock, half               int64 // 0-23; 0-11 of the half day; 0 or 1
	min, sec, us                    int64
	bc                              bool
	zone                            *time.Location
}

// Parse reads a text by the pattern: the local time in microseconds, with the
// zone if the text names one. What the pattern lacks is that of 1970-01-01
// 00:00. Without ok, at is the byte where reading stopped.
func (p *Pattern) Parse(s string) (local int64, zone *time.Location, at int, ok bool) {
	if p.legacy {
		return p.readLegacy(s)
	}
	f := newPatternParse()
	end, ok := f.read(p.items, s, 0)
	if !ok || end != len(s) {
		return 0, nil, end, false
	}
	local, ok = f.resolve()
	return local, f.zone, 0, ok
}

func newPatternParse() patternParse {
	return patternParse{y: noYear, m: -1, d: -1, yday: -1, quarter: -1, weekday: -1, hour: -1, clock: -1, half: -1, min: -1, sec: -1, us: -1}
}

const noYear = -1 << 62

func (f *patternParse) resolve() (int64, bool) {
	y := f.y
	if y == noYear {
		y = 1970
	} else if f.bc {
		y = 1 - y
	}
	var day int64
	if f.yday >= 0 {
		n := int64(365)
		if IsLeap(y) {
			n++
		}
		if f.yday < 1 || f.yday > n {
			return 0, false
		}
		day = DaysFromCivil(y, 1, 1) + f.yday - 1
		if _, m, d := CivilFromDays(day); f.m >= 0 && f.m != int64(m) || f.d >= 0 && f.d != int64(d) {
			return 0, false // the day of the year is another than that of the month
		}
	} else {
		m, d := f.m, f.d
		if m < 0 {
			m = 1
			if f.quarter > 0 {
				m = 3*f.quarter - 2
			}
		}
		if d < 0 {
			d = 1
		}
		if m < 1 || m > 12 || d < 1 || d > int64(DaysInMonth(y, int(m))) || y > 294247 || y < -290308 {
			return 0, false
		}
		day = DaysFromCivil(y, int(m), int(d))
	}
	if f.weekday >= 0 && FloorMod(day+3, 7) != f.weekday {
		return 0, false
	}
	h := max(f.hour, 0)
	if f.hour < 0 && f.clock >= 0 {
		h = f.clock + 12*max(f.half, 0)
	} else if f.hour < 0 && f.half > 0 {
		h = 12
	}
	mi, sec := max(f.min, 0), max(f.sec, 0)
	if h > 23 || mi > 59 || sec > 59 {
		return 0, false
	}
	if day > 106751990 || day < -106751990 {
		return 0, false
	}
	return day*MicrosPerDay + (h*3600+mi*60+sec)*MicrosPerSecond + max(f.us, 0), true
}

// numberWidth is how many digits a field of digits takes; variable ones take from least up to most.
func (it *patternItem) numberWidth() (least, most int, number bool) {
	switch it.letter {
	case 'y':
		if it.n == 2 {
			return 2, 2, true
		}
		return it.n, 19, true
	case 'M', 'L', 'Q', 'q':
		if it.n > 2 {
			return 0, 0, false
		}
		fallthrough
	case 'd', 'h', 'H', 'k', 'K', 'm', 's':
		if it.n == 2 {
			return 2, 2, true
		}
		return 1, 19, true
	case 'F':
		return 1, 1, true
	case 'D':
		if it.n == 1 {
			return 1, 19, true
		}
		return it.n, 3, true
	case 'S':
		return 1, it.n, true
	}
	return 0, 0, false
}

func (f *patternParse) read(items []patternItem, s string, at int) (int, bool) {
	for i := range items {
		it := &items[i]
		if it.letter == 0 {
			if it.optional != nil {
				saved := *f
				if end, ok := f.read(it.optional, s, at); ok {
					at = end
				} else {
					*f = saved
				}
				continue
			}
			if len(s)-at < len(it.text) || !strings.EqualFold(s[at:at+len(it.text)], it.text) {
				return at, false
			}
			at += len(it.text)
			continue
		}
		least, most, number := it.numberWidth()
		if !number {
			n := f.word(it, s[at:])
			if n <= 0 {
				return at, false
			}
			at += n
			continue
		}
		// Fields of fixed width that follow directly keep their digits.
		kept := 0
		if least != most {
			for k := i + 1; k < len(items) && items[k].letter != 0; k++ {
				l, m, num := items[k].numberWidth()
				if !num || l != m && items[k].letter != 'S' {
					break
				}
				kept += l
			}
		}
		start, neg := at, false
		if it.letter == 'y' && it.n != 2 && at < len(s) && (s[at] == '+' || s[at] == '-') {
			neg = s[at] == '-'
			at++
		}
		digits := 0
		for at+digits < len(s) && s[at+digits] >= '0' && s[at+digits] <= '9' {
			digits++
		}
		if kept > 0 && digits > least {
			digits = max(least, digits-kept)
		}
		digits = min(digits, most)
		if digits < least || digits > 18 {
			return start, false
		}
		v := int64(0)
		for k := 0; k < digits; k++ {
			v = v*10 + int64(s[at+k]-'0')
		}
		if it.letter == 'y' && it.n >= 4 && start == at && digits > it.n && it.n != 6 {
			return start, false // more digits need a sign
		}
		if neg {
			v = -v
		}
		if !f.set(it, v, digits) {
			return start, false
		}
		at += digits
	}
	return at, true
}

// set keeps a field; it is false for a value out of range, and for another value than the field has.
func (f *patternParse) set(it *patternItem, v int64, digits int) bool {
	keep := func(to *int64, unset, v int64) bool {
		same := *to == unset || *to == v
		*to = v
		return same
	}
	switch it.letter {
	case 'y':
		if it.n == 2 {
			v += 2000
		}
		return keep(&f.y, noYear, v)
	case 'M', 'L':
		return keep(&f.m, -1, v) && v >= 1 && v <= 12
	case 'd':
		return keep(&f.d, -1, v) && v >= 1 && v <= 31
	case 'D':
		return keep(&f.yday, -1, v) && v >= 1 && v <= 366
	case 'Q', 'q':
		return keep(&f.quarter, -1, v) && v >= 1 && v <= 4
	case 'H':
		return keep(&f.hour, -1, v) && v <= 23
	case 'k':
		return keep(&f.hour, -1, v%24) && v >= 1 && v <= 24
	case 'h':
		return keep(&f.clock, -1, v%12) && v >= 1 && v <= 12
	case 'K':
		return keep(&f.clock, -1, v) && v <= 11
	case 'm':
		return keep(&f.min, -1, v) && v <= 59
	case 's':
		return keep(&f.sec, -1, v) && v <= 59
	case 'S':
		for ; digits < 6; digits++ {
			v *= 10
		}
		for ; digits > 6; digits-- {
			v /= 10
		}
		return keep(&f.us, -1, v)
	}
	return true
}

func prefixFold(s, p string) bool { return len(s) >= len(p) && strings.EqualFold(s[:len(p)], p) }

// word reads a field of letters and gives the bytes taken, 0: it isn't there.
func (f *patternParse) word(it *patternItem, s string) int {
	name := func(names []string, full bool, to *int64, base int64) int {
		for k, n := range names {
			if !full {
				n = n[:3]
			}
			if prefixFold(s, n) {
				*to = int64(k) + base
				return len(n)
			}
		}
		return 0
	}
	switch it.letter {
	case 'M', 'L':
		return name(monthNames[:], it.n == 4, &f.m, 1)
	case 'E':
		return name(dayNames[:], it.n == 4, &f.weekday, 0)
	case 'Q', 'q':
		if it.n == 4 {
			return name(quarterNames[:], true, &f.quarter, 1)
		}
		if len(s) >= 2 && (s[0] == 'Q' || s[0] == 'q') && s[1] >= '1' && s[1] <= '4' {
			f.quarter = int64(s[1] - '0')
			return 2
		}
	case 'a':
		switch {
		case prefixFold(s, "AM"):
			f.half = 0
			return 2
		case prefixFold(s, "PM"):
			f.half = 1
			return 2
		}
	case 'G':
		for _, e := range []string{"Anno Domini", "AD", "Before Christ", "BC"} {
			if prefixFold(s, e) {
				f.bc = e[0] == 'B'
				return len(e)
			}
		}
	case 'V', 'z', 'O', 'X', 'x', 'Z':
		return f.readZone(it, s)
	}
	return 0
}

func (f *patternParse) readZone(it *patternItem, s string) int {
	if s == "" {
		return 0
	}
	if (it.letter == 'X' || it.letter == 'Z' && it.n == 5) && s[0] == 'Z' {
		f.zone = time.UTC
		return 1
	}
	n := 0
	if it.letter == 'V' || it.letter == 'z' || it.letter == 'O' || it.letter == 'Z' && it.n == 4 {
		for n < len(s) && (s[n] >= 'a' && s[n] <= 'z' || s[n] >= 'A' && s[n] <= 'Z' || n > 0 && (s[n] == '/' || s[n] == '_')) {
			n++
		}
	}
	if n < len(s) && (s[n] == '+' || s[n] == '-') && (n == 0 || n <= 3) {
		n++
		for n < len(s) && (s[n] >= '0' && s[n] <= '9' || s[n] == ':') {
			n++
		}
	}
	for ; n > 0; n-- {
		if loc, err := LoadZone(s[:n]); err == nil {
			f.zone = loc
			return n
		}
	}
	return 0
}
