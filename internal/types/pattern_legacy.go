package types

import (
	"strings"
	"time"
)

// Patterns in the letters of Java's SimpleDateFormat, which Spark uses where
// spark.sql.legacy.timeParserPolicy is LEGACY. Fields repeat without a limit,
// S counts milliseconds, [ and ] are plain text, and reading stops where the
// pattern ends. Dates before 1582-10-15 are those of the Gregorian calendar.

const legacyLetters = "GyYMLwWDdFEuaHkKhmsSzZX"

// LegacyPattern reports whether SimpleDateFormat takes a pattern.
func LegacyPattern(p string) bool {
	_, err := CompileLegacyPattern(p)
	return err == nil
}

// CompileLegacyPattern reads a pattern of SimpleDateFormat. The error is a *PatternError.
func CompileLegacyPattern(p string) (*Pattern, error) {
	out := &Pattern{legacy: true}
	text := func(s string) {
		if n := len(out.items); n > 0 && out.items[n-1].letter == 0 {
			out.items[n-1].text += s
			return
		}
		out.items = append(out.items, patternItem{text: s})
	}
	for i := 0; i < len(p); {
		c := p[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			n := 1
			for i+n < len(p) && p[i+n] == c {
				n++
			}
			if strings.IndexByte(legacyLetters, c) < 0 {
				return nil, &PatternError{Pattern: p, Illegal: c}
			}
			if c == 'X' && n > 3 {
				return nil, &PatternError{Pattern: p}
			}
			out.items = append(out.items, patternItem{letter: c, n: n})
			i += n
		case c == '\'':
			i++
			if i < len(p) && p[i] == '\'' {
				text("'")
				i++
				continue
			}
			for {
				if i >= len(p) {
					return nil, &PatternError{Pattern: p}
				}
				if p[i] == '\'' {
					if i+1 < len(p) && p[i+1] == '\'' {
						text("'")
						i += 2
						continue
					}
					i++
					break
				}
				text(p[i : i+1])
				i++
			}
		default:
			text(p[i : i+1])
			i++
		}
	}
	return out, nil
}

// weekOfYear is the week that Sunday starts and January 1 is in the first of.
func weekOfYear(day, y int64) int64 {
	first := DaysFromCivil(y, 1, 1)
	if DaysFromCivil(y+1, 1, 1)-1-day < 6 && FloorMod(DaysFromCivil(y+1, 1, 1)+4, 7) > FloorMod(day+4, 7) {
		return 1
	}
	return (day-first+FloorMod(first+4, 7))/7 + 1
}

func (f *patternFormat) writeLegacy(dst []byte, items []patternItem) []byte {
	hour := f.us / MicrosPerHour
	for i := range items {
		it := &items[i]
		switch it.letter {
		case 'G':
			if f.y > 0 {
				dst = append(dst, "AD"...)
			} else {
				dst = append(dst, "BC"...)
			}
		case 'y', 'Y':
			y := f.y
			if y <= 0 {
				y = 1 - y
			}
			if it.letter == 'Y' && f.m == 12 && weekOfYear(f.day, f.y) == 1 {
				y++
			}
			if it.n == 2 {
				dst = appendWidth(dst, y%100, 2)
			} else {
				dst = appendWidth(dst, y, it.n)
			}
		case 'M', 'L':
			dst = appendName(dst, int64(f.m), it.n, monthNames[f.m-1])
		case 'w':
			dst = appendWidth(dst, weekOfYear(f.day, f.y), it.n)
		case 'W':
			first := DaysFromCivil(f.y, f.m, 1)
			dst = appendWidth(dst, (f.day-first+FloorMod(first+4, 7))/7+1, it.n)
		case 'F':
			dst = appendWidth(dst, int64((f.d-1)/7+1), it.n)
		case 'u':
			dst = appendWidth(dst, FloorMod(f.day+3, 7)+1, it.n)
		case 'S':
			dst = appendWidth(dst, f.us%MicrosPerSecond/1000, it.n)
		case 'a':
			if hour < 12 {
				dst = append(dst, "AM"...)
			} else {
				dst = append(dst, "PM"...)
			}
		case 'z':
			dst = f.zone(dst, &patternItem{letter: 'z', n: min(it.n, 4)})
		case 'Z':
			dst = appendOffset(dst, f.off, 2)
		case 'X':
			switch {
			case f.off == 0:
				dst = append(dst, 'Z')
			case it.n == 1:
				dst = appendOffset(dst, f.off, 2)[:len(dst)+3]
			default:
				dst = appendOffset(dst, f.off, it.n)
			}
		default:
			dst = f.write(dst, items[i:i+1])
		}
	}
	return dst
}

// legacyNumeric are the letters that digits are read for.
const legacyNumeric = "yYwWDdFuHkKhmsS"

func (it *patternItem) legacyNumber() bool {
	return strings.IndexByte(legacyNumeric, it.letter) >= 0 && it.letter != 0 || (it.letter == 'M' || it.letter == 'L') && it.n <= 2
}

// readLegacy reads a text as SimpleDateFormat does when it isn't lenient.
func (p *Pattern) readLegacy(s string) (local int64, zone *time.Location, at int, ok bool) {
	f := newPatternParse()
	var date legacyDate
	for i := range p.items {
		it := &p.items[i]
		if it.letter == 0 {
			if !strings.HasPrefix(s[at:], it.text) {
				return 0, nil, at, false
			}
			at += len(it.text)
			continue
		}
		for at < len(s) && (s[at] == ' ' || s[at] == '\t') {
			at++
		}
		if !it.legacyNumber() {
			n := f.legacyWord(it, s[at:])
			if n <= 0 {
				return 0, nil, at, false
			}
			at += n
			switch it.letter {
			case 'M', 'L':
				date.set(legacyMonth, f.m)
			case 'E':
				date.set(legacyWeekday, f.weekday+1)
			}
			continue
		}
		start := at
		neg := at < len(s) && s[at] == '-'
		if neg {
			at++
		}
		most := 18
		if i+1 < len(p.items) && p.items[i+1].legacyNumber() {
			most = it.n
		}
		from, v := at, int64(0)
		for at < len(s) && at-from < most && s[at] >= '0' && s[at] <= '9' {
			v = v*10 + int64(s[at]-'0')
			at++
		}
		digits := at - from
		if digits == 0 {
			return 0, nil, start, false
		}
		if neg {
			v = -v
		}
		switch it.letter {
		case 'y', 'Y':
			if it.n <= 2 && digits == 2 && !neg {
				// Two digits are a year from 80 years ago to 20 years ahead.
				first := time.Now().AddDate(-80, 0, 0)
				v += int64(first.Year()) / 100 * 100
				if v < int64(first.Year()) {
					v += 100
				}
			}
			if it.letter == 'Y' {
				date.set(legacyWeekYear, v)
			} else {
				date.set(legacyYear, v)
			}
		case 'M', 'L':
			if date.set(legacyMonth, v); v < 1 || v > 12 {
				return 0, nil, start, false
			}
		case 'd':
			date.set(legacyDay, v)
		case 'D':
			date.set(legacyYearDay, v)
		case 'w':
			date.set(legacyWeek, v)
		case 'W':
			date.set(legacyMonthWeek, v)
		case 'F':
			date.set(legacyNth, v)
		case 'u':
			date.set(legacyWeekday, v)
		case 'H', 'k':
			if it.letter == 'k' && v == 24 {
				v = 0
			}
			if f.hour = v; v < 0 || v > 23 {
				return 0, nil, start, false
			}
		case 'h', 'K':
			if it.letter == 'h' && v == 12 {
				v = 0
			}
			if f.clock = v; v < 0 || v > 11 {
				return 0, nil, start, false
			}
		case 'm':
			f.min = v
		case 's':
			f.sec = v
		case 'S':
			if f.us = v * 1000; v < 0 || v > 999 {
				return 0, nil, start, false
			}
		}
		if f.min > 59 || f.sec > 59 || f.min < -1 || f.sec < -1 {
			return 0, nil, start, false
		}
	}
	day, ok := date.resolve(f.bc)
	if !ok {
		return 0, nil, 0, false
	}
	y, m, d := CivilFromDays(day)
	f.y, f.m, f.d, f.weekday, f.bc = y, int64(m), int64(d), -1, false
	local, ok = f.resolve()
	return local, f.zone, 0, ok
}

// legacyWord reads names of any length, and zones.
func (f *patternParse) legacyWord(it *patternItem, s string) int {
	name := func(names []string, to *int64, base int64) int {
		best := 0
		for k, n := range names {
			for _, form := range []string{n, n[:3]} {
				if len(form) > best && prefixFold(s, form) {
					best, *to = len(form), int64(k)+base
				}
			}
		}
		return best
	}
	switch it.letter {
	case 'M', 'L':
		return name(monthNames[:], &f.m, 1)
	case 'E':
		return name(dayNames[:], &f.weekday, 0)
	case 'z', 'Z', 'X':
		return f.readZone(&patternItem{letter: it.letter, n: min(it.n, 4)}, s)
	}
	return f.word(it, s)
}
