package sqlparse

import (
	"regexp"
	"strings"
)

// reference is ${name} or ${prefix:name} in a text.
var reference = regexp.MustCompile(`\$\{(?:(\w+?):)?(\S+?)\}`)

// maxSubstituted bounds the text that references make.
const maxSubstituted = 64 << 20

// substitute puts the values of configuration keys in the place of references
// to them, and of those in the values. What names nothing stays as it is, and
// so do references to the server's environment, which no client may read.
func substitute(sql string, get func(string) (string, bool)) string {
	if get == nil || !strings.Contains(sql, "${") {
		return sql
	}
	size := len(sql)
	var expand func(text string, seen []string) string
	expand = func(text string, seen []string) string {
		return reference.ReplaceAllStringFunc(text, func(ref string) string {
			m := reference.FindStringSubmatch(ref)
			switch m[1] {
			case "", "spark", "sparkconf", "hivevar", "hiveconf":
			default:
				return ref
			}
			for _, s := range seen {
				if s == ref {
					return ref
				}
			}
			v, ok := get(m[2])
			if size += len(v); !ok || size > maxSubstituted {
				return ref
			}
			return expand(v, append(seen[:len(seen):len(seen)], ref))
		})
	}
	return expand(sql, nil)
}

// Markers reports whether a text has parameters by name and by position.
func Markers(sql string, o Options) (named, positional bool, err error) {
	p, err := newParser(substitute(sql, o.Substitute), o)
	if err != nil {
		return false, false, err
	}
	for i, t := range p.toks {
		switch t.kind {
		case tQuestion:
			positional = true
		case tColon:
			// v:path is a field of a VARIANT: a marker follows no operand.
			k := kind(tEOF)
			if i > 0 {
				k = p.toks[i-1].kind
			}
			operand := k == tRParen || k == tRBracket || k == tQuoted || k == tIdent
			if i+1 < len(p.toks) && p.isIdent(p.toks[i+1].kind) && (!operand || p.toks[i-1].end < t.start) {
				named = true
			}
		}
	}
	return named, positional, nil
}
