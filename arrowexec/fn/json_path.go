package fn

import (
	"strconv"
	"strings"
)

// jsonStep is a step of a path: a name, an index, or all members (wild): those of a list where index is 0, else those
// of an object.
type jsonStep struct {
	name  string
	index int // -1: a name
	wild  bool
}

func (s jsonStep) each() bool { return s.wild && s.index >= 0 }

// parseJSONPath reads $.a['b'][0][*]; ok is false for what is no path. Blanks may stand where Spark's JsonPathParser
// passes over them: in front of names, of indices and of quoted parts.
func parseJSONPath(p string) (steps []jsonStep, ok bool) {
	p, ok = strings.CutPrefix(p, "$")
	if !ok {
		return nil, false
	}
	for p != "" {
		if rest, ok := strings.CutPrefix(trimBlanks(p), "['"); ok {
			name, rest, ok := strings.Cut(trimBlanks(rest), "']")
			if !ok || name == "" || strings.Contains(name, "'") {
				return nil, false
			}
			steps, p = append(steps, jsonStep{name: name, index: -1, wild: name == "*"}), rest
			continue
		}
		switch rest := p[1:]; p[0] {
		case '.':
			if after, ok := strings.CutPrefix(rest, "*"); ok {
				steps, p = append(steps, jsonStep{index: -1, wild: true}), after
				continue
			}
			rest = trimBlanks(rest)
			n := strings.IndexAny(rest, ".[")
			if n < 0 {
				n = len(rest)
			}
			if n == 0 {
				return nil, false
			}
			steps, p = append(steps, jsonStep{name: rest[:n], index: -1}), rest[n:]
		case '[':
			in, after, ok := strings.Cut(rest, "]")
			if !ok {
				return nil, false
			}
			p = after
			if in == "*" {
				steps = append(steps, jsonStep{wild: true})
				continue
			}
			n, err := strconv.ParseUint(trimBlanks(in), 10, 63)
			if err != nil {
				return nil, false
			}
			steps = append(steps, jsonStep{index: int(n)})
		default:
			return nil, false
		}
	}
	return steps, true
}

func trimBlanks(s string) string { return strings.TrimLeft(s, " \t\n\v\f\r") }

// pathStyle is how get_json_object writes what it finds (Spark: GetJsonObjectEvaluator).
type pathStyle uint8

const (
	rawStyle     pathStyle = iota // the one value: a string has no quotes
	quotedStyle                   // an element of a list that is written
	flattenStyle                  // as quotedStyle, and lists are dissolved in it
)

// findJSON appends to dst what steps lead to in the value v; found is false where that is nothing, though something may
// have been written then. Its rules are Hive's: of [*] that finds one value the list is left out, after [*][*] lists
// are dissolved, and of equal names the first that leads to something counts.
func findJSON(dst, v []byte, steps []jsonStep, style pathStyle) (out []byte, found bool) {
	member := func(v []byte, steps []jsonStep, style pathStyle) bool {
		var ok bool
		dst, ok = findJSON(dst, v, steps, style)
		found = found || ok
		return ok
	}
	// elements calls f for the elements of a list, or the names and values of an object.
	elements := func(f func(name, v []byte)) {
		j := &jsonScan{s: v}
		j.members(func(name []byte) bool {
			v, ok := j.skip()
			f(name, v)
			return ok
		})
	}
	open := func() {
		if n := len(dst); style != rawStyle && n > 0 && dst[n-1] != '[' {
			dst = append(dst, ',')
		}
	}
	if len(steps) == 0 {
		switch {
		case style == rawStyle && v[0] == '"':
			j := &jsonScan{s: v}
			t, _ := j.text([]byte{})
			return append(dst, t...), !j.lone
		case style == flattenStyle && v[0] == '[':
			elements(func(_, v []byte) { member(v, nil, style) })
			return dst, found
		}
		open()
		return CopyJSON(dst, v), true
	}
	st, rest := steps[0], steps[1:]
	switch {
	case v[0] == '{' && st.index < 0 && !st.wild:
		elements(func(name, v []byte) {
			if !found && string(name) == st.name && v[0] != 'n' {
				member(v, rest, style)
			}
		})
	case v[0] != '[' || st.index < 0:
	case st.each() && len(rest) > 0 && rest[0].each():
		open()
		dst = append(dst, '[')
		elements(func(_, v []byte) { member(v, rest[1:], flattenStyle) })
		dst = append(dst, ']')
	case st.each() && style == quotedStyle:
		open()
		dst = append(dst, '[')
		elements(func(_, v []byte) { member(v, rest, style) })
		dst = append(dst, ']')
	case st.each():
		open()
		start, n := len(dst), 0
		dst = append(dst, '[')
		elements(func(_, v []byte) {
			if member(v, rest, max(style, quotedStyle)) {
				n++
			}
		})
		switch n {
		case 0:
			dst = dst[:start]
		case 1:
			dst = append(dst[:start], dst[start+1:]...)
		default:
			dst = append(dst, ']')
		}
	default:
		if len(rest) > 0 && rest[0].each() {
			style = quotedStyle
		}
		k := 0
		elements(func(_, v []byte) {
			if k == st.index {
				member(v, rest, style)
			}
			k++
		})
	}
	return dst, found
}
