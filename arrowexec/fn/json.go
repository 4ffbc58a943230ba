package fn

import (
	"bytes"
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"

	"neptune/internal/types"
)

// jsonScan walks over a JSON text; its methods report false where the text is malformed.
type jsonScan struct {
	s []byte
	i int
	// lone is set where a string has half of a surrogate pair, which is no character: it becomes a question mark, as in Java,
	// or, if wtf is set, the bytes that UTF-8 would have for it if it were one.
	lone, wtf bool
}

func (j *jsonScan) space() {
	for j.i < len(j.s) && (j.s[j.i] == ' ' || j.s[j.i] == '\n' || j.s[j.i] == '\t' || j.s[j.i] == '\r') {
		j.i++
	}
}

// peek is the first byte of the value that follows, 0 at the end.
func (j *jsonScan) peek() byte {
	j.space()
	if j.i < len(j.s) {
		return j.s[j.i]
	}
	return 0
}

func (j *jsonScan) take(c byte) bool {
	if j.peek() != c {
		return false
	}
	j.i++
	return true
}

// noNumber stands before N, I or M in a text that was read laxly: NaN, Infinity and -Infinity, written as numbers are. Where the
// text of JSON comes from somebody else, validJSON refuses the byte.
const noNumber = 2

// nonNumeric is the number that is written so, and its text.
func nonNumeric(v []byte) (float64, string) {
	switch v[1] {
	case 'I':
		return math.Inf(1), "Infinity"
	case 'M':
		return math.Inf(-1), "-Infinity"
	}
	return math.NaN(), "NaN"
}

// jsonDeep is how deep values may be nested.
const jsonDeep = 1000

// skip passes over a value and gives its text.
func (j *jsonScan) skip() ([]byte, bool) { return j.skipDeep(0) }

func (j *jsonScan) skipDeep(depth int) ([]byte, bool) {
	if depth > jsonDeep {
		return nil, false
	}
	c := j.peek()
	from := j.i
	ok := false
	switch {
	case c == '{' || c == '[':
		ok = j.members(func(_ []byte) bool {
			_, ok := j.skipDeep(depth + 1)
			return ok
		})
	case c == '"':
		_, ok = j.text(nil)
	case c == '-' || c >= '0' && c <= '9':
		ok = j.number()
	case c == noNumber:
		ok = j.i+1 < len(j.s)
		j.i += 2
	default:
		for _, w := range [...]string{"true", "false", "null"} {
			if bytes.HasPrefix(j.s[j.i:], []byte(w)) {
				j.i += len(w)
				ok = true
				break
			}
		}
	}
	if !ok {
		return nil, false
	}
	return j.s[from:j.i], true
}

func (j *jsonScan) digits() bool {
	from := j.i
	for j.i < len(j.s) && j.s[j.i] >= '0' && j.s[j.i] <= '9' {
		j.i++
	}
	return j.i > from
}

func (j *jsonScan) number() bool {
	if j.s[j.i] == '-' {
		j.i++
	}
	from := j.i
	if !j.digits() || j.s[from] == '0' && j.i > from+1 {
		return false
	}
	if j.i < len(j.s) && j.s[j.i] == '.' {
		j.i++
		if !j.digits() {
			return false
		}
	}
	if j.i < len(j.s) && (j.s[j.i] == 'e' || j.s[j.i] == 'E') {
		j.i++
		if j.i < len(j.s) && (j.s[j.i] == '+' || j.s[j.i] == '-') {
			j.i++
		}
		return j.digits()
	}
	return true
}

// members calls f at each value of the object or array that follows, with the
// key (nil in an array); f passes over the value.
func (j *jsonScan) members(f func(key []byte) bool) bool {
	open := j.peek()
	end := byte(']')
	if open == '{' {
		end = '}'
	}
	j.i++
	if j.take(end) {
		return true
	}
	for {
		var key []byte
		if open == '{' {
			if j.peek() != '"' {
				return false
			}
			var ok bool
			if key, ok = j.text([]byte{}); !ok || !j.take(':') {
				return false
			}
		}
		if !f(key) {
			return false
		}
		if j.take(end) {
			return true
		}
		if !j.take(',') {
			return false
		}
	}
}

// text reads a string and appends what it means to dst; with a nil dst it only passes over it.
func (j *jsonScan) text(dst []byte) ([]byte, bool) {
	if !j.take('"') {
		return nil, false
	}
	for j.i < len(j.s) {
		c := j.s[j.i]
		switch {
		case c == '"':
			j.i++
			return dst, true
		case c < 0x20:
			return nil, false
		case c != '\\':
			from := j.i
			for j.i < len(j.s) && j.s[j.i] != '"' && j.s[j.i] != '\\' && j.s[j.i] >= 0x20 {
				j.i++
			}
			if dst != nil {
				dst = append(dst, j.s[from:j.i]...)
			}
			continue
		}
		if j.i++; j.i >= len(j.s) {
			return nil, false
		}
		r := rune(0)
		switch e := j.s[j.i]; e {
		case '"', '\\', '/':
			r = rune(e)
		case 'b':
			r = '\b'
		case 'f':
			r = '\f'
		case 'n':
			r = '\n'
		case 'r':
			r = '\r'
		case 't':
			r = '\t'
		case 'u':
			var ok bool
			if r, ok = j.hex4(); !ok {
				return nil, false
			}
			if utf16.IsSurrogate(r) {
				at, half := j.i, r
				r = utf8.RuneError
				if j.i+2 < len(j.s) && j.s[j.i+1] == '\\' && j.s[j.i+2] == 'u' {
					j.i += 2
					low, ok := j.hex4()
					if !ok {
						return nil, false
					}
					r = utf16.DecodeRune(half, low)
				}
				if r == utf8.RuneError {
					j.i, j.lone = at+1, true
					if dst != nil && j.wtf {
						dst = append(dst, 0xe0|byte(half>>12), 0x80|byte(half>>6)&0x3f, 0x80|byte(half)&0x3f)
					} else if dst != nil {
						dst = append(dst, '?')
					}
					continue
				}
			}
		default:
			return nil, false
		}
		j.i++
		if dst != nil {
			dst = utf8.AppendRune(dst, r)
		}
	}
	return nil, false
}

// hex4 reads the digits after the u that j stands at, and stays at the last.
func (j *jsonScan) hex4() (rune, bool) {
	if j.i+4 >= len(j.s) {
		return 0, false
	}
	x, err := strconv.ParseUint(string(j.s[j.i+1:j.i+5]), 16, 32)
	j.i += 4
	return rune(x), err == nil
}

// CopyJSON appends a valid JSON text as Jackson's generator writes it when it copies tokens: without blanks, with the
// escapes that strings need, and with fractions as Java prints a double: 1.50 is 1.5, 1e400 is "Infinity".
func CopyJSON(dst, s []byte) []byte {
	text := []byte{}
	for i := 0; i < len(s); {
		switch c := s[i]; {
		case c == ' ' || c == '\n' || c == '\t' || c == '\r':
			i++
		case c == '"':
			end, plain := i+1, true
			for end < len(s) && s[end] != '"' {
				switch {
				case s[end] == '\\':
					end++
					plain = false
				case s[end] >= 0xf0:
					plain = false
				}
				end++
			}
			if end++; plain {
				dst = append(dst, s[i:end]...)
			} else {
				j := &jsonScan{s: s[i:end], wtf: true}
				text, _ = j.text(text[:0])
				dst = appendJSONCopy(dst, text)
			}
			i = end
		case c == noNumber:
			_, word := nonNumeric(s[i:])
			dst = append(append(append(dst, '"'), word...), '"')
			i += 2
		case c == 'N' || c == 'I' || c == '-' && i+1 < len(s) && s[i+1] == 'I': // NaN, Infinity, INF
			end := i + 1
			for end < len(s) && isWordByte(s[end]) {
				end++
			}
			dst = append(append(append(dst, '"'), s[i:end]...), '"')
			i = end
		case c == '-' || c >= '0' && c <= '9':
			end := i + 1
			for end < len(s) && isNumberByte(s[end]) {
				end++
			}
			dst = appendJSONNumber(dst, s[i:end])
			i = end
		default:
			dst = append(dst, c)
			i++
		}
	}
	return dst
}

func isNumberByte(c byte) bool {
	return c >= '0' && c <= '9' || c == '.' || c == 'e' || c == 'E' || c == '+' || c == '-'
}

// appendJSONNumber appends a number: integers of any length as they are.
func appendJSONNumber(dst, s []byte) []byte {
	if bytes.IndexByte(s, '.') < 0 && bytes.IndexAny(s, "eE") < 0 {
		if string(s) == "-0" {
			s = s[1:]
		}
		return append(dst, s...)
	}
	x, _ := strconv.ParseFloat(string(s), 64) // beyond a double's range: an infinity or zero, as in Java
	if math.IsInf(x, 0) {
		return append(types.AppendDouble(append(dst, '"'), x), '"')
	}
	return types.AppendDouble(dst, x)
}

// appendJSONCopy writes a JSON string with characters beyond U+FFFF as two escapes: Jackson's generator of bytes does
// (COMBINE_UNICODE_SURROGATES_IN_UTF8 is off), that of characters doesn't.
func appendJSONCopy(dst, s []byte) []byte {
	from := len(dst)
	dst = appendJSONText(dst, s)
	for i := from; i < len(dst); i++ {
		if dst[i] == 0xed && i+2 < len(dst) && dst[i+1] >= 0xa0 { // half a pair
			half := rune(dst[i]&0xf)<<12 | rune(dst[i+1]&0x3f)<<6 | rune(dst[i+2]&0x3f)
			dst = slices.Replace(dst, i, i+3, fmt.Appendf(nil, "\\u%04X", half)...)
		}
		if dst[i] < 0xf0 {
			continue
		}
		if r, n := utf8.DecodeRune(dst[i:]); n == 4 {
			hi, lo := utf16.EncodeRune(r)
			dst = slices.Replace(dst, i, i+n, fmt.Appendf(nil, "\\u%04X\\u%04X", hi, lo)...)
		}
	}
	return dst
}

// appendJSONText writes a JSON string.
func appendJSONText(dst, s []byte) []byte {
	const digits = "0123456789ABCDEF"
	dst = append(dst, '"')
	for _, c := range s {
		switch {
		case c == '"' || c == '\\':
			dst = append(dst, '\\', c)
		case c == '\n':
			dst = append(dst, '\\', 'n')
		case c == '\r':
			dst = append(dst, '\\', 'r')
		case c == '\t':
			dst = append(dst, '\\', 't')
		case c == '\b':
			dst = append(dst, '\\', 'b')
		case c == '\f':
			dst = append(dst, '\\', 'f')
		case c < 0x20:
			dst = append(dst, '\\', 'u', '0', '0', digits[c>>4], digits[c&15])
		default:
			dst = append(dst, c)
		}
	}
	return append(dst, '"')
}
