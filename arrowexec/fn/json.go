package fn

import (
	"bytes"
	"strconv"
	"unicode/utf16"
	"unicode/utf8"
)

// jsonScan walks over a JSON text; its methods report false where the text is malformed.
type jsonScan struct {
	s []byte
	i int
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
			if utf16.IsSurrogate(r) && j.i+2 < len(j.s) && j.s[j.i+1] == '\\' && j.s[j.i+2] == 'u' {
				j.i += 2
				low, ok := j.hex4()
				if !ok {
					return nil, false
				}
				r = utf16.DecodeRune(r, low)
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

// compactJSON copies a valid JSON text without the blanks between its tokens.
func compactJSON(dst, s []byte) []byte {
	in := false
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !in && (c == ' ' || c == '\n' || c == '\t' || c == '\r') {
			continue
		}
		dst = append(dst, c)
		switch {
		case in && c == '\\':
			i++
			dst = append(dst, s[i])
		case c == '"':
			in = !in
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

// jsonStep is a step of a path: a name, an index, or all members (wild).
type jsonStep struct {
	name  string
	index int // -1: a name
	wild  bool
}

// parseJSONPath reads $.a['b'][0][*]; ok is false for what is no path.
func parseJSONPath(p string) (steps []jsonStep, ok bool) {
	if p == "" || p[0] != '$' {
		return nil, false
	}
	for p = p[1:]; p != ""; {
		switch {
		case p[0] == '.':
			n := 1
			for n < len(p) && p[n] != '.' && p[n] != '[' {
				n++
			}
			if n == 1 {
				return nil, false
			}
			steps = append(steps, jsonStep{name: p[1:n], index: -1, wild: p[1:n] == "*"})
			p = p[n:]
		case len(p) > 1 && p[0] == '[' && p[1] == '\'':
			end := bytes.Index([]byte(p), []byte("']"))
			if end < 2 {
				return nil, false
			}
			steps = append(steps, jsonStep{name: p[2:end], index: -1, wild: p[2:end] == "*"})
			p = p[end+2:]
		case p[0] == '[':
			end := bytes.IndexByte([]byte(p), ']')
			if end < 2 {
				return nil, false
			}
			if p[1:end] == "*" {
				steps = append(steps, jsonStep{wild: true})
			} else {
				n, err := strconv.Atoi(p[1:end])
				if err != nil || n < 0 {
					return nil, false
				}
				steps = append(steps, jsonStep{index: n})
			}
			p = p[end+1:]
		default:
			return nil, false
		}
	}
	return steps, true
}

// followJSON collects the values that a path leads to.
func followJSON(out [][]byte, s []byte, steps []jsonStep) [][]byte {
	if len(steps) == 0 {
		return append(out, s)
	}
	st := steps[0]
	j := &jsonScan{s: s}
	switch c := j.peek(); {
	case c == '{' && st.index < 0:
		found := false
		j.members(func(key []byte) bool {
			v, ok := j.skip()
			if ok && !found && (st.wild || string(key) == st.name) {
				found = !st.wild
				out = followJSON(out, v, steps[1:])
			}
			return ok
		})
	case c == '[' && st.index >= 0:
		n := 0
		j.members(func([]byte) bool {
			v, ok := j.skip()
			if ok && (st.wild || n == st.index) {
				out = followJSON(out, v, steps[1:])
			}
			n++
			return ok
		})
	}
	return out
}
