package fn

import (
	"bytes"
	"strings"
)

// jsonLax rewrites a text that isn't JSON by its own rules, but by the options
// of Spark's JSON: texts in single quotes (allowed unless said otherwise),
// names without quotes, comments, numbers with zeros in front, NaN and the
// infinities.
type jsonLax struct {
	s   []byte
	i   int
	o   *formatOptions
	out []byte
	// infers: only the types count, and what is no number in JSON's own rules (NaN, INF) is of a number's type.
	infers bool
}

func (l *jsonLax) space() bool {
	for l.i < len(l.s) {
		switch c := l.s[l.i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			l.i++
		case c == '/' && l.o.is("allowcomments") && l.i+1 < len(l.s) && l.s[l.i+1] == '*':
			end := bytes.Index(l.s[l.i+2:], []byte("*/"))
			if end < 0 {
				return false
			}
			l.i += end + 4
		case c == '/' && l.o.is("allowcomments") && l.i+1 < len(l.s) && l.s[l.i+1] == '/':
			end := bytes.IndexByte(l.s[l.i:], '\n')
			if end < 0 {
				end = len(l.s) - l.i
			}
			l.i += end
		default:
			return true
		}
	}
	return true
}

func (l *jsonLax) take(c byte) bool {
	if !l.space() || l.i >= len(l.s) || l.s[l.i] != c {
		return false
	}
	l.i++
	return true
}

func (l *jsonLax) value(depth int) bool {
	if depth > jsonDeep || !l.space() || l.i >= len(l.s) {
		return false
	}
	switch c := l.s[l.i]; {
	case c == '{':
		return l.list('{', '}', depth)
	case c == '[':
		return l.list('[', ']', depth)
	case c == '"' || c == '\'':
		return l.text()
	default:
		return l.word()
	}
}

func (l *jsonLax) list(open, end byte, depth int) bool {
	l.i++
	l.out = append(l.out, open)
	if l.take(end) {
		l.out = append(l.out, end)
		return true
	}
	for {
		if open == '{' {
			if !l.space() || l.i >= len(l.s) || !l.name() || !l.take(':') {
				return false
			}
			l.out = append(l.out, ':')
		}
		if !l.value(depth + 1) {
			return false
		}
		if l.take(end) {
			l.out = append(l.out, end)
			return true
		}
		if !l.take(',') {
			return false
		}
		l.out = append(l.out, ',')
	}
}

func (l *jsonLax) name() bool {
	if c := l.s[l.i]; c == '"' || c == '\'' {
		return l.text()
	}
	from := l.i
	for l.i < len(l.s) && (l.s[l.i] == '_' || l.s[l.i] == '$' || l.s[l.i] >= 0x80 || isWordByte(l.s[l.i])) {
		l.i++
	}
	if !l.o.is("allowunquotedfieldnames") || l.i == from {
		return false
	}
	l.out = appendJSONText(l.out, l.s[from:l.i])
	return true
}

func isWordByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

func (l *jsonLax) text() bool {
	q := l.s[l.i]
	if q == '\'' && l.o.not("allowsinglequotes") {
		return false
	}
	l.out = append(l.out, '"')
	for l.i++; l.i < len(l.s); l.i++ {
		switch c := l.s[l.i]; {
		case c == q:
			l.i++
			l.out = append(l.out, '"')
			return true
		case c == '"':
			l.out = append(l.out, '\\', '"')
		case c == '\\' && l.i+1 < len(l.s):
			l.i++
			switch e := l.s[l.i]; {
			case e == '\'' && q == '\'':
				l.out = append(l.out, e)
			case strings.IndexByte(`"\/bfnrtu`, e) >= 0:
				l.out = append(l.out, '\\', e)
			case l.o.is("allowbackslashescapinganycharacter"):
				l.out = append(l.out, e)
			default:
				return false
			}
		case c < 0x20:
			if !l.o.is("allowunquotedcontrolchars") {
				return false
			}
			t := appendJSONText(nil, []byte{c})
			l.out = append(l.out, t[1:len(t)-1]...)
		default:
			l.out = append(l.out, c)
		}
	}
	return false
}

func (l *jsonLax) word() bool {
	from := l.i
	for l.i < len(l.s) && (isWordByte(l.s[l.i]) || l.s[l.i] == '-' || l.s[l.i] == '+' || l.s[l.i] == '.') {
		l.i++
	}
	w := string(l.s[from:l.i])
	switch w {
	case "true", "false", "null":
		l.out = append(l.out, w...)
		return true
	case "NaN", "Infinity", "+Infinity", "-Infinity", "+INF", "-INF":
		if l.o.not("allownonnumericnumbers") {
			return false
		}
		if l.infers {
			l.out = append(l.out, "0.5"...)
			return true
		}
		kind := byte('I')
		switch w[0] {
		case 'N':
			kind = 'N'
		case '-':
			kind = 'M'
		}
		l.out = append(l.out, noNumber, kind)
		return true
	}
	sign, digits := "", w
	if rest, ok := strings.CutPrefix(w, "-"); ok {
		sign, digits = "-", rest
	}
	if l.o.is("allownumericleadingzeros") {
		for len(digits) > 1 && digits[0] == '0' && digits[1] >= '0' && digits[1] <= '9' {
			digits = digits[1:]
		}
	}
	w = sign + digits
	j := &jsonScan{s: []byte(w)}
	if w == "" || !(w[0] == '-' || w[0] >= '0' && w[0] <= '9') || !j.number() || j.i != len(w) {
		return false
	}
	l.out = append(l.out, w...)
	return true
}

// verbatim stands around a variant in a JSON text that is to be laid out: a variant isn't. No text has the byte itself.
const verbatim = 1

// prettyJSON writes a compact JSON text on many lines, as the option pretty wants it.
func prettyJSON(dst, s []byte) []byte {
	depth := 0
	newline := func() {
		dst = append(dst, '\n')
		for range depth {
			dst = append(dst, "  "...)
		}
	}
	var open []byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; c {
		case verbatim:
			n := bytes.IndexByte(s[i+1:], verbatim)
			dst = append(dst, s[i+1:i+1+n]...)
			i += n + 1
		case '"':
			from := i
			for i++; s[i] != '"'; i++ {
				if s[i] == '\\' {
					i++
				}
			}
			dst = append(dst, s[from:i+1]...)
		case '{', '[':
			dst = append(dst, c)
			if s[i+1] == c+2 {
				dst = append(dst, ' ', c+2)
				i++
				continue
			}
			open = append(open, c)
			if c == '{' {
				depth++
				newline()
			} else {
				dst = append(dst, ' ')
			}
		case '}', ']':
			open = open[:len(open)-1]
			if c == '}' {
				depth--
				newline()
			} else {
				dst = append(dst, ' ')
			}
			dst = append(dst, c)
		case ',':
			dst = append(dst, ',')
			if open[len(open)-1] == '{' {
				newline()
			} else {
				dst = append(dst, ' ')
			}
		case ':':
			dst = append(dst, " : "...)
		default:
			dst = append(dst, c)
		}
	}
	return dst
}
