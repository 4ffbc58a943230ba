package types

import (
	"strconv"
	"strings"
	"time"
)

// Pattern is a compiled date-time pattern in the letters of Java's
// DateTimeFormatter, as far as Spark lets them be used.
type Pattern struct {
	items  []patternItem
	legacy bool // letters and rules are those of SimpleDateFormat
}

// patternItem is a field (letter repeated n times), a text, or an optional section.
type patternItem struct {
	letter   byte
	n        int
	text     string
	optional []patternItem
}

// PatternError says why a pattern is refused: for a week-based letter Week is
// set, for a letter that means nothing Illegal; neither: it is malformed otherwise.
type PatternError struct {
	Pattern       string
	Week, Illegal byte
}

func (e *PatternError) Error() string { return "no date-time pattern: " + e.Pattern }

// patternMax is how often a letter may be repeated.
var patternMax = map[byte]int{'G': 4, 'y': 6, 'M': 4, 'L': 4, 'd': 2, 'D': 3, 'Q': 4, 'q': 4, 'E': 4, 'F': 1, 'a': 1, 'h': 2, 'H': 2, 'k': 2, 'K': 2,
	'm': 2, 's': 2, 'S': 9, 'V': 2, 'z': 4, 'O': 4, 'X': 5, 'x': 5, 'Z': 5}

// CompilePattern reads a pattern for writing. The error is a *PatternError.
func CompilePattern(p string) (*Pattern, error) { return compilePattern(p, false) }

// CompileReader reads a pattern for reading: days of the week and quarters aren't taken there.
func CompileReader(p string) (*Pattern, error) { return compilePattern(p, true) }

func compilePattern(p string, reading bool) (*Pattern, error) {
	// stack[0] is the whole; each [ opens another level.
	stack := [][]patternItem{nil}
	put := func(it patternItem) {
		top := &stack[len(stack)-1]
		if it.letter == 0 && it.optional == nil && len(*top) > 0 {
			if last := &(*top)[len(*top)-1]; last.letter == 0 && last.optional == nil {
				last.text += it.text
				return
			}
		}
		*top = append(*top, it)
	}
	bad := func() (*Pattern, error) { return nil, &PatternError{Pattern: p} }
	for i := 0; i < len(p); {
		c := p[i]
		switch {
		case c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z':
			n := 1
			for i+n < len(p) && p[i+n] == c {
				n++
			}
			if strings.IndexByte("YWwuec", c) >= 0 {
				return nil, &PatternError{Pattern: p, Week: c}
			}
			most, ok := patternMax[c]
			if !ok || reading && strings.IndexByte("EFqQ", c) >= 0 {
				return nil, &PatternError{Pattern: p, Illegal: c}
			}
			if n > most || c == 'V' && n != 2 || c == 'O' && n != 1 && n != 4 {
				return bad()
			}
			put(patternItem{letter: c, n: n})
			i += n
		case c == '\'':
			end := i + 1
			var b strings.Builder
			for {
				if end >= len(p) {
					return bad()
				}
				if p[end] == '\'' {
					if end+1 < len(p) && p[end+1] == '\'' {
						b.WriteByte('\'')
						end += 2
						continue
					}
					break
				}
				b.WriteByte(p[end])
				end++
			}
			if b.Len() == 0 {
				b.WriteByte('\'')
			}
			put(patternItem{text: b.String()})
			i = end + 1
		case c == '[':
			stack = append(stack, []patternItem{})
			i++
		case c == ']':
			if len(stack) == 1 {
				return bad()
			}
			inner := stack[len(stack)-1]
			stack = stack[:len(stack)-1]
			put(patternItem{optional: inner})
			i++
		case c == '{' || c == '}' || c == '#':
			return nil, &PatternError{Pattern: p, Illegal: c}
		default:
			put(patternItem{text: p[i : i+1]})
			i++
		}
	}
	for len(stack) > 1 { // an open section ends with the pattern
		inner := stack[len(stack)-1]
		stack = stack[:len(stack)-1]
		put(patternItem{optional: inner})
	}
	return &Pattern{items: stack[0]}, nil
}

var monthNames = [...]string{"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}
var dayNames = [...]string{"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}
var quarterNames = [...]string{"1st quarter", "2nd quarter", "3rd quarter", "4th quarter"}

// Format writes a local time (microseconds since 1970 on the local clock)
// whose offset from UTC is off seconds, in zone loc.
func (p *Pattern) Format(dst []byte, local, off int64, loc *time.Location) []byte {
	f := patternFormat{day: FloorDiv(local, MicrosPerDay), us: FloorMod(local, MicrosPerDay), utc: FloorDiv(local, MicrosPerSecond) - off, off: off, loc: loc}
	f.y, f.m, f.d = CivilFromDays(f.day)
	if p.legacy {
		return f.writeLegacy(dst, p.items)
	}
	return f.write(dst, p.items)
}

type patternFormat struct {
	day, us, utc, off int64
	y                 int64
	m, d              int
	loc               *time.Location
}

func appendWidth(dst []byte, v int64, n int) []byte {
	if v < 0 {
		dst = append(dst, '-')
		v = -v
	}
	var tmp [20]byte
	s := strconv.AppendInt(tmp[:0], v, 10)
	for k := len(s); k < n; k++ {
		dst = append(dst, '0')
	}
	return append(dst, s...)
}

func (f *patternFormat) write(dst []byte, items []patternItem) []byte {
	for i := range items {
		it := &items[i]
		hour := f.us / MicrosPerHour
		switch it.letter {
		case 0:
			if it.optional != nil {
				dst = f.write(dst, it.optional)
			} else {
				dst = append(dst, it.text...)
			}
		case 'G':
			era := [2]string{"BC", "AD"}
			switch it.n {
			case 4:
				era = [2]string{"Before Christ", "Anno Domini"}
			}
			if f.y > 0 {
				dst = append(dst, era[1]...)
			} else {
				dst = append(dst, era[0]...)
			}
		case 'y':
			switch {
			case it.n == 2:
				dst = appendWidth(dst, FloorMod(f.y, 100), 2)
			case it.n >= 4 && f.y > 0 && len(strconv.FormatInt(f.y, 10)) > it.n:
				dst = appendWidth(append(dst, '+'), f.y, it.n)
			default:
				dst = appendWidth(dst, f.y, it.n)
			}
		case 'M', 'L':
			dst = appendName(dst, int64(f.m), it.n, monthNames[f.m-1])
		case 'd':
			dst = appendWidth(dst, int64(f.d), it.n)
		case 'D':
			dst = appendWidth(dst, f.day-DaysFromCivil(f.y, 1, 1)+1, it.n)
		case 'Q', 'q':
			q := (f.m-1)/3 + 1
			switch it.n {
			case 3:
				dst = append(dst, 'Q', byte('0'+q))
			case 4:
				dst = append(dst, quarterNames[q-1]...)
			default:
				dst = appendWidth(dst, int64(q), it.n)
			}
		case 'E':
			dst = appendName(dst, 0, max(it.n, 3), dayNames[FloorMod(f.day+3, 7)])
		case 'F':
			dst = appendWidth(dst, int64((f.d-1)%7+1), 1)
		case 'a':
			if hour < 12 {
				dst = append(dst, "AM"...)
			} else {
				dst = append(dst, "PM"...)
			}
		case 'h':
			dst = appendWidth(dst, (hour+11)%12+1, it.n)
		case 'K':
			dst = appendWidth(dst, hour%12, it.n)
		case 'H':
			dst = appendWidth(dst, hour, it.n)
		case 'k':
			dst = appendWidth(dst, (hour+23)%24+1, it.n)
		case 'm':
			dst = appendWidth(dst, f.us/MicrosPerMinute%60, it.n)
		case 's':
			dst = appendWidth(dst, f.us/MicrosPerSecond%60, it.n)
		case 'S':
			var tmp [12]byte
			dst = append(dst, appendWidth(tmp[:0], f.us%MicrosPerSecond*1000, 9)[:it.n]...)
		default:
			dst = f.zone(dst, it)
		}
	}
	return dst
}

// appendName writes a number (1 or 2 letters), a short name (3) or a name (4).
func appendName(dst []byte, v int64, n int, name string) []byte {
	switch {
	case n < 3:
		return appendWidth(dst, v, n)
	case n == 3:
		return append(dst, name[:3]...)
	}
	return append(dst, name...)
}

func (f *patternFormat) zone(dst []byte, it *patternItem) []byte {
	loc := f.loc
	if loc == nil {
		loc = time.UTC
	}
	switch it.letter {
	case 'V':
		return append(dst, loc.String()...)
	case 'z':
		name, _ := time.Unix(f.utc, 0).In(loc).Zone()
		if it.n == 4 {
			if full := zoneName(loc.String(), time.Unix(f.utc, 0).In(loc).IsDST()); full != "" {
				return append(dst, full...)
			}
		}
		if name == "LMT" { // before there were zones: the name that came later
			name, _ = time.Date(2000, 1, 1, 0, 0, 0, 0, loc).Zone()
		}
		if name == "" || name[0] == '+' || name[0] == '-' {
			name = loc.String()
		}
		return append(dst, name...)
	case 'O':
		dst = append(dst, "GMT"...)
		if f.off == 0 {
			return dst
		}
		if it.n == 4 {
			return appendOffset(dst, f.off, 5)
		}
		return appendOffset(dst, f.off, 0)
	case 'Z':
		switch it.n {
		case 4:
			dst = append(dst, "GMT"...)
			if f.off == 0 {
				return dst
			}
			return appendOffset(dst, f.off, 5)
		case 5:
			if f.off == 0 {
				return append(dst, 'Z')
			}
			return appendOffset(dst, f.off, 5)
		}
		return appendOffset(dst, f.off, 2)
	case 'X':
		if f.off == 0 {
			return append(dst, 'Z')
		}
	}
	return appendOffset(dst, f.off, it.n)
}

// appendOffset writes an offset: form 0 +h[:mm], 1 +hh[mm], 2 +hhmm, 3 +hh:mm, 4 +hhmm[ss], 5 +hh:mm[:ss].
func appendOffset(dst []byte, off int64, form int) []byte {
	sign := byte('+')
	if off < 0 {
		sign, off = '-', -off
	}
	h, m, s := off/3600, off/60%60, off%60
	dst = append(dst, sign)
	if form == 0 {
		dst = appendWidth(dst, h, 1)
		if m != 0 || s != 0 {
			dst = appendWidth(append(dst, ':'), m, 2)
		}
		if s != 0 {
			dst = appendWidth(append(dst, ':'), s, 2)
		}
		return dst
	}
	dst = appendWidth(dst, h, 2)
	if form == 1 && m == 0 {
		return dst
	}
	colon := form == 3 || form == 5
	if colon {
		dst = append(dst, ':')
	}
	dst = appendWidth(dst, m, 2)
	if form >= 4 && s != 0 {
		if colon {
			dst = append(dst, ':')
		}
		dst = appendWidth(dst, s, 2)
	}
	return dst
}
