package sqlparse

import (
	"strings"

	"neptune/internal/errs"
)

// properties parses (key = value, 'key' 'value', a.b.c = 1).
func (p *parser) properties() map[string]string {
	out := map[string]string{}
	if !p.expect(tLParen) {
		return out
	}
	for {
		s := p.i
		key := p.propertyKey()
		value := ""
		eq := p.accept(tEq)
		switch k := p.peek(); {
		case k == tInt || k == tDecimal:
			value = p.text(p.next())
		case k == kwTrue || k == kwFalse:
			value = strings.ToLower(p.text(p.next()))
		case k == tString || k == tQuestion || k == tColon:
			value = p.stringLit()
		case eq:
			p.syntax()
		}
		if p.err != nil {
			return out
		}
		if _, ok := out[key]; ok {
			p.fail(s, "DUPLICATE_KEY", "keyColumn", errs.ID(key))
		}
		out[key] = value
		if !p.accept(tComma) {
			break
		}
	}
	p.expect(tRParen)
	return out
}

// propertyKey parses a.b.c or 'a.b.c'. Without an equals sign a string key and
// a string value stand side by side, so the key is one literal.
func (p *parser) propertyKey() string {
	if p.peek() == tString {
		return p.stringValue(p.next())
	}
	return strings.Join(p.multipart(), ".")
}
