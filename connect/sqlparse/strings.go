package sqlparse

import (
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// unescape is the value of a string literal, quotes and prefix included, by
// Spark's rules: a doubled quote is a quote; \uXXXX, \UXXXXXXXX, \ooo octal
// (up to \177), \0 \b \n \r \t \Z; \% and \_ keep their backslash, for LIKE; a
// backslash before anything else goes away.
func unescape(s string, joined bool) string {
	if s[0] == 'r' || s[0] == 'R' {
		return s[2 : len(s)-1]
	}
	q := s[0]
	s = s[1 : len(s)-1]
	if strings.IndexByte(s, '\\') < 0 && strings.IndexByte(s, q) < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); {
		c := s[i]
		switch {
		case c == q && i+1 < len(s) && s[i+1] == q:
			if !joined { // else one text ends here and another begins
				b.WriteByte(q)
			}
			i += 2
		case c != '\\' || i+1 == len(s):
			b.WriteByte(c)
			i++
		default:
			i += 1 + escape(&b, s[i+1:])
		}
	}
	return b.String()
}

// escape writes what stands behind a backslash and returns its length.
func escape(b *strings.Builder, s string) int {
	switch c := s[0]; {
	case c == 'u' && isHex(s, 1, 4):
		v, _ := strconv.ParseUint(s[1:5], 16, 32)
		r := rune(v)
		if utf16.IsSurrogate(r) && isHexEscape(s[5:]) {
			low, _ := strconv.ParseUint(s[7:11], 16, 32)
			if full := utf16.DecodeRune(r, rune(low)); full != utf8.RuneError {
				b.WriteRune(full)
				return 11
			}
		}
		b.WriteRune(r)
		return 5
	case c == 'U' && isHex(s, 1, 8):
		v, _ := strconv.ParseUint(s[1:9], 16, 64)
		if v > utf8.MaxRune {
			v = utf8.RuneError
		}
		b.WriteRune(rune(v))
		return 9
	case (c == '0' || c == '1') && len(s) >= 3 && s[1] >= '0' && s[1] <= '7' && s[2] >= '0' && s[2] <= '7':
		b.WriteRune(rune(c-'0')<<6 | rune(s[1]-'0')<<3 | rune(s[2]-'0'))
		return 3
	default:
		switch c {
		case '0':
			b.WriteByte(0)
		case 'b':
			b.WriteByte('\b')
		case 'n':
			b.WriteByte('\n')
		case 'r':
			b.WriteByte('\r')
		case 't':
			b.WriteByte('\t')
		case 'Z':
			b.WriteByte(0x1A)
		case '%', '_':
			b.WriteByte('\\')
			b.WriteByte(c)
		default:
			b.WriteByte(c)
		}
		return 1
	}
}

func isHexEscape(s string) bool {
	return len(s) >= 6 && s[0] == '\\' && s[1] == 'u' && isHex(s, 2, 4)
}

func isHex(s string, at, n int) bool {
	if len(s) < at+n {
		return false
	}
	for _, c := range []byte(s[at : at+n]) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') && (c < 'A' || c > 'F') {
			return false
		}
	}
	return true
}
