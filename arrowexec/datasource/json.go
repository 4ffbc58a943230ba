package datasource

import (
	"encoding/base64"
	"errors"
	"math"
	"strconv"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"neptune/arrowexec/fn"
	"neptune/internal/types"
)

// jsonOptions say which texts besides RFC 8259's are JSON, and how types are inferred.
type jsonOptions struct {
	dropNulls                                                                        bool // inference leaves out what has no value
	comments, bareNames, singleQuotes, leadingZeros, nonNumbers, anyEscape, controls bool
	asString, decimals, times                                                        bool
}

func newJSONOptions(o map[string]string) jsonOptions {
	off := func(k string) bool { return strings.EqualFold(o[k], "false") }
	return jsonOptions{
		comments: isTrue(o["allowcomments"]), bareNames: isTrue(o["allowunquotedfieldnames"]), singleQuotes: !off("allowsinglequotes"),
		leadingZeros: isTrue(o["allownumericleadingzeros"]), nonNumbers: !off("allownonnumericnumbers"),
		anyEscape: isTrue(o["allowbackslashescapinganycharacter"]), controls: isTrue(o["allowunquotedcontrolchars"]),
		asString: isTrue(o["primitivesasstring"]), decimals: isTrue(o["prefersdecimal"]), times: isTrue(o["infertimestamp"]),
	}
}

// node is a JSON value. kind is its first byte: { [ " t f n, 0 for an integer,
// . for another number, N for NaN and infinities.
type node struct {
	kind byte
	raw  []byte // as written
	text string // of strings
	keys []string
	kids []node
}

var errJSON = errors.New("no JSON")

// jsonDepth is how deep values may nest (Jackson: 1000).
const jsonDepth = 1000

type jsonParser struct {
	b     []byte
	i     int
	depth int
	o     *jsonOptions
}

// parseJSON reads the first value of b; what follows isn't looked at. ok is
// false where there is none at all.
func parseJSON(b []byte, o *jsonOptions) (n node, ok bool, err error) {
	p := jsonParser{b: b, o: o}
	if err := p.space(); err != nil {
		return n, true, err
	}
	if p.i == len(b) {
		return n, false, nil
	}
	n, err = p.value()
	return n, true, err
}

func (p *jsonParser) space() error {
	for p.i < len(p.b) {
		switch c := p.b[p.i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			p.i++
		case c == '/' && p.o.comments && p.i+1 < len(p.b) && p.b[p.i+1] == '/':
			for p.i < len(p.b) && p.b[p.i] != '\n' {
				p.i++
			}
		case c == '/' && p.o.comments && p.i+1 < len(p.b) && p.b[p.i+1] == '*':
			end := strings.Index(str(p.b[p.i+2:]), "*/")
			if end < 0 {
				return errJSON
			}
			p.i += end + 4
		default:
			return nil
		}
	}
	return nil
}

func (p *jsonParser) word(w string) bool {
	if !strings.HasPrefix(str(p.b[p.i:]), w) {
		return false
	}
	if end := p.i + len(w); end < len(p.b) {
		if c := p.b[end]; c == '_' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z' {
			return false
		}
	}
	p.i += len(w)
	return true
}

func (p *jsonParser) value() (n node, err error) {
	if p.i >= len(p.b) {
		return n, errJSON
	}
	start := p.i
	switch c := p.b[p.i]; {
	case c == '{' || c == '[':
		if p.depth++; p.depth > jsonDepth {
			return n, errJSON
		}
		n.kind = c
		p.i++
		err = p.group(&n)
		p.depth--
	case c == '"' || c == '\'' && p.o.singleQuotes:
		n.kind = '"'
		n.text, err = p.str()
	case c == 't' && p.word("true"), c == 'f' && p.word("false"), c == 'n' && p.word("null"):
		n.kind = c
	case p.o.nonNumbers && (p.word("NaN") || p.word("Infinity") || p.word("-Infinity") || p.word("+Infinity") || p.word("-INF") || p.word("+INF")):
		n.kind = 'N'
	case c == '-' || c >= '0' && c <= '9':
		n.kind, err = p.number()
	default:
		err = errJSON
	}
	n.raw = p.b[start:p.i]
	return n, err
}

func (p *jsonParser) group(n *node) error {
	end := n.kind + 2 // ASCII: [ ] and { } are two apart
	for first := true; ; first = false {
		if err := p.space(); err != nil {
			return err
		}
		if p.i >= len(p.b) {
			return errJSON
		}
		if p.b[p.i] == end && first {
			p.i++
			return nil
		}
		if n.kind == '{' {
			key, err := p.key()
			if err != nil {
				return err
			}
			n.keys = append(n.keys, key)
			if err := p.space(); err != nil {
				return err
			}
			if p.i >= len(p.b) || p.b[p.i] != ':' {
				return errJSON
			}
			p.i++
			if err := p.space(); err != nil {
				return err
			}
		}
		kid, err := p.value()
		if err != nil {
			return err
		}
		n.kids = append(n.kids, kid)
		if err := p.space(); err != nil {
			return err
		}
		if p.i >= len(p.b) {
			return errJSON
		}
		c := p.b[p.i]
		p.i++
		if c == end {
			return nil
		}
		if c != ',' {
			return errJSON
		}
	}
}

func (p *jsonParser) key() (string, error) {
	switch c := p.b[p.i]; {
	case c == '"' || c == '\'' && p.o.singleQuotes:
		return p.str()
	case p.o.bareNames:
		start := p.i
		for p.i < len(p.b) {
			if c := p.b[p.i]; c != '_' && c != '$' && c != '-' && c < 0x80 && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
				break
			}
			p.i++
		}
		if p.i > start {
			return string(p.b[start:p.i]), nil
		}
	}
	return "", errJSON
}

func (p *jsonParser) number() (byte, error) {
	kind := byte('0')
	if p.b[p.i] == '-' {
		p.i++
	}
	digits := func() int {
		from := p.i
		for p.i < len(p.b) && p.b[p.i] >= '0' && p.b[p.i] <= '9' {
			p.i++
		}
		return p.i - from
	}
	from := p.i
	n := digits()
	if n == 0 || n > 1 && p.b[from] == '0' && !p.o.leadingZeros {
		return 0, errJSON
	}
	if p.i < len(p.b) && p.b[p.i] == '.' {
		kind = '.'
		p.i++
		if digits() == 0 {
			return 0, errJSON
		}
	}
	if p.i < len(p.b) && p.b[p.i]|0x20 == 'e' {
		kind = '.'
		if p.i++; p.i < len(p.b) && (p.b[p.i] == '+' || p.b[p.i] == '-') {
			p.i++
		}
		if digits() == 0 {
			return 0, errJSON
		}
	}
	if p.i < len(p.b) && strings.IndexByte(" \t\r\n,]}/", p.b[p.i]) < 0 {
		return 0, errJSON
	}
	return kind, nil
}

func (p *jsonParser) str() (string, error) {
	quote := p.b[p.i]
	p.i++
	from := p.i
	var out []byte
	for p.i < len(p.b) {
		c := p.b[p.i]
		switch {
		case c == quote:
			s := p.b[from:p.i]
			p.i++
			if out != nil {
				s = append(out, s...)
			}
			if !utf8.Valid(s) {
				return "", errJSON
			}
			return string(s), nil
		case c == '\\':
			out = append(out, p.b[from:p.i]...)
			p.i++
			if p.i >= len(p.b) {
				return "", errJSON
			}
			switch e := p.b[p.i]; e {
			case 'b':
				out = append(out, '\b')
			case 'f':
				out = append(out, '\f')
			case 'n':
				out = append(out, '\n')
			case 'r':
				out = append(out, '\r')
			case 't':
				out = append(out, '\t')
			case '"', '\\', '/':
				out = append(out, e)
			case 'u':
				r, ok := p.hex(p.i + 1)
				if !ok {
					return "", errJSON
				}
				p.i += 4
				if utf16.IsSurrogate(r) {
					low, ok := rune(0), false
					if p.i+2 < len(p.b) && p.b[p.i+1] == '\\' && p.b[p.i+2] == 'u' {
						low, ok = p.hex(p.i + 3)
					}
					if pair := utf16.DecodeRune(r, low); ok && pair != utf8.RuneError {
						r = pair
						p.i += 6
					} else {
						r = '?'
					}
				}
				out = utf8.AppendRune(out, r)
			default:
				if !p.o.anyEscape && !(e == '\'' && p.o.singleQuotes && quote == '\'') {
					return "", errJSON
				}
				out = append(out, e)
			}
			p.i++
			from = p.i
			if out == nil {
				out = []byte{}
			}
		case c < ' ' && !p.o.controls:
			return "", errJSON
		default:
			p.i++
		}
	}
	return "", errJSON
}

func (p *jsonParser) hex(at int) (rune, bool) {
	if at+4 > len(p.b) {
		return 0, false
	}
	v, err := strconv.ParseUint(str(p.b[at:at+4]), 16, 32)
	return rune(v), err == nil
}

// fit says how a JSON value went as a value of a type.
type fit uint8

const (
	fits    fit = iota
	partial     // a value, but some field inside it is null for being bad
	unfit       // no value of the type
)

// jsonValue is n as a literal of t. Keys are matched by case; of equal ones the last counts.
func (o *textOptions) jsonValue(n *node, t *types.Type) (any, fit) {
	if n.kind == 'n' {
		return nil, fits
	}
	switch t.Kind {
	case types.Bool:
		if n.kind == 't' || n.kind == 'f' {
			return n.kind == 't', fits
		}
	case types.Int8, types.Int16, types.Int32, types.Int64:
		if n.kind != '0' {
			return nil, unfit
		}
		bits := map[types.Kind]int{types.Int8: 8, types.Int16: 16, types.Int32: 32, types.Int64: 64}[t.Kind]
		v, err := strconv.ParseInt(str(n.raw), 10, bits)
		if err != nil {
			return nil, unfit
		}
		switch bits {
		case 8:
			return int8(v), fits
		case 16:
			return int16(v), fits
		case 32:
			return int32(v), fits
		}
		return v, fits
	case types.Float32, types.Float64:
		s := string(n.raw)
		if n.kind == '"' {
			s = n.text
		}
		switch {
		case n.kind == '0' || n.kind == '.':
		case n.kind != '"' && n.kind != 'N' || n.kind == '"' && !o.json.nonNumbers:
			return nil, unfit
		case s == "+INF" || s == "INF" || s == "+Infinity":
			s = "Infinity"
		case s == "-INF":
			s = "-Infinity"
		case s != "NaN" && s != "Infinity" && s != "-Infinity":
			return nil, unfit
		}
		bits := 64
		if t.Kind == types.Float32 {
			bits = 32
		}
		v, ok := types.ParseDouble(s, bits)
		switch {
		case !ok:
			return nil, unfit
		case bits == 32:
			return float32(v), fits
		}
		return v, fits
	case types.String:
		if n.kind == '"' {
			return n.text, fits
		}
		if o.encoded {
			return string(fn.CopyJSON(nil, n.raw)), fits
		}
		return string(n.raw), fits
	case types.Decimal:
		s := n.text
		if n.kind == '0' || n.kind == '.' {
			s = str(n.raw)
		}
		if v, ok := parseDecimal(s, t); ok {
			return v, fits
		}
	case types.YearMonthInterval:
		if n.kind == '"' {
			if v, ok := types.ParseYearMonth(n.text, t); ok {
				return v, fits
			}
		}
	case types.DayTimeInterval:
		if n.kind == '"' {
			if v, ok := types.ParseDayTime(n.text, t); ok {
				return v, fits
			}
		}
	case types.Date:
		if n.kind == '"' {
			if v, ok := o.parseDate(n.text); ok {
				return v, fits
			}
		}
	case types.Timestamp:
		switch n.kind {
		case '"':
			if v, ok := o.parseStamp(n.text); ok {
				return v, fits
			}
		case '0':
			if v, err := strconv.ParseInt(str(n.raw), 10, 64); err == nil && v <= math.MaxInt64/types.MicrosPerSecond && v >= math.MinInt64/types.MicrosPerSecond {
				return v * types.MicrosPerSecond, fits
			}
		}
	case types.TimestampNTZ:
		if n.kind == '"' {
			if v, ok := o.parseNTZ(n.text); ok {
				return v, fits
			}
		}
	case types.Binary:
		if n.kind == '"' {
			if v, err := base64.StdEncoding.DecodeString(n.text); err == nil {
				return v, fits
			}
		}
	case types.Array:
		if n.kind == '[' {
			out := make([]any, len(n.kids))
			whole := fits
			for i := range n.kids {
				v, f := o.jsonValue(&n.kids[i], t.Elem)
				if f == unfit {
					return nil, unfit
				}
				out[i], whole = v, max(whole, f)
			}
			return out, whole
		}
	case types.Map:
		if n.kind == '{' {
			var m types.MapValue
			whole := fits
			at := map[string]int{}
			for i := range n.kids {
				v, f := o.jsonValue(&n.kids[i], t.Elem)
				if f == unfit {
					return nil, unfit
				}
				whole = max(whole, f)
				if k, ok := at[n.keys[i]]; ok {
					m.Values[k] = v
					continue
				}
				at[n.keys[i]] = len(m.Keys)
				m.Keys = append(m.Keys, n.keys[i])
				m.Values = append(m.Values, v)
			}
			return m, whole
		}
	case types.Struct:
		if n.kind == '{' {
			return o.jsonFields(n, t.Fields, nil)
		}
	}
	return nil, unfit
}

// jsonFields are an object's fields as a struct's; only those wanted, where that is given.
func (o *textOptions) jsonFields(n *node, fields []types.Field, wanted []bool) (types.StructValue, fit) {
	out := make(types.StructValue, len(fields))
	whole := fits
	for i := range n.kids {
		for k := range fields {
			if fields[k].Name != n.keys[i] || wanted != nil && !wanted[k] {
				continue
			}
			v, f := o.jsonValue(&n.kids[i], fields[k].Type)
			if f != fits {
				whole = partial
			}
			out[k] = v
			break
		}
	}
	return out, whole
}
