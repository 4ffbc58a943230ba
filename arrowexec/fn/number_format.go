package fn

import (
	"strconv"
	"strings"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// Number formats of to_number and to_char: [<] [MI|S] [$] digits and grouping
// [. digits] [$] [PR|MI|S].

// numberToken is a part of a number format: 'd' a group of digits, else the
// character itself ('.', ',', '$', 'S', 'M' for MI, '<' and '>' for PR).
type numberToken struct {
	kind byte
	n    int
	// zeros: so many digits exactly; else so many at most.
	zeros bool
	bad   rune
}

type numberFormat struct {
	text         string
	tokens       []numberToken
	whole, parts int // digits before and behind the decimal point
}

func formatError(cond, format string, kv ...string) error {
	return errs.New(errs.Analysis, "INVALID_FORMAT."+cond, append([]string{"format", "'" + format + "'"}, kv...)...)
}

// compileNumberFormat reads a number format and checks it.
func compileNumberFormat(text string) (*numberFormat, error) {
	f := &numberFormat{text: strings.ToUpper(text)}
	s := []rune(f.text)
	for i := 0; i < len(s); {
		c := s[i]
		next := func(r rune) bool { return i+1 < len(s) && s[i+1] == r }
		n := 1
		switch {
		case c == '0' || c == '9':
			for i+n < len(s) && (s[i+n] == '0' || s[i+n] == '9') {
				n++
			}
			f.tokens = append(f.tokens, numberToken{kind: 'd', n: n, zeros: c == '0'})
		case c == '.' || c == 'D':
			f.tokens = append(f.tokens, numberToken{kind: '.'})
		case c == ',' || c == 'G':
			f.tokens = append(f.tokens, numberToken{kind: ','})
		case c == '$' || c == 'S':
			f.tokens = append(f.tokens, numberToken{kind: byte(c)})
		case c == 'M' && next('I'):
			n = 2
			f.tokens = append(f.tokens, numberToken{kind: 'M'})
		case c == 'P' && next('R'):
			n = 2
			f.tokens = append(append([]numberToken{{kind: '<'}}, f.tokens...), numberToken{kind: '>'})
		default:
			f.tokens = append(f.tokens, numberToken{kind: '?', bad: c})
		}
		i += n
	}
	return f, f.check()
}

func (f *numberFormat) check() error {
	if len(f.tokens) == 0 {
		return formatError("EMPTY", f.text)
	}
	first := func(k byte) int {
		for i, t := range f.tokens {
			if t.kind == k {
				return i
			}
		}
		return -1
	}
	digit, point, dollar := first('d'), first('.'), first('$')
	if digit < 0 {
		return formatError("WRONG_NUM_DIGIT", f.text)
	}
	for _, k := range []struct {
		kind byte
		name string
	}{{'.', ". or D"}, {'S', "S"}, {'M', "MI"}, {'$', "$"}, {'>', "PR"}} {
		n := 0
		for _, t := range f.tokens {
			if t.kind == k.kind {
				n++
			}
		}
		if n > 1 {
			return formatError("WRONG_NUM_TOKEN", f.text, "token", k.name)
		}
	}
	switch {
	case dollar >= 0 && digit < dollar:
		return formatError("CUR_MUST_BEFORE_DIGIT", f.text)
	case dollar >= 0 && point >= 0 && point < dollar:
		return formatError("CUR_MUST_BEFORE_DEC", f.text)
	}
	for i, t := range f.tokens {
		switch {
		case t.kind != ',':
		case point >= 0 && i > point:
			return formatError("THOUSANDS_SEPS_MUST_BEFORE_DEC", f.text)
		case i == 0 || f.tokens[i-1].kind != 'd' || i+1 == len(f.tokens) || f.tokens[i+1].kind != 'd':
			return formatError("CONT_THOUSANDS_SEPS", f.text)
		}
	}
	// The order of what a format may have.
	at := 0
	take := func(kinds string) {
		if at < len(f.tokens) && strings.IndexByte(kinds, f.tokens[at].kind) >= 0 {
			at++
		}
	}
	digits := func() {
		for at < len(f.tokens) && (f.tokens[at].kind == 'd' || f.tokens[at].kind == ',') {
			at++
		}
	}
	take("<")
	take("MS")
	take("$")
	digits()
	take(".")
	digits()
	take("$")
	take("MS>")
	if at < len(f.tokens) {
		t := f.tokens[at]
		name := map[byte]string{'d': "digit sequence", '.': ". or D", ',': ", or G", '$': "$", 'S': "S", 'M': "MI", '<': "PR", '>': "PR"}[t.kind]
		if t.kind == '?' {
			name = "character '" + string(t.bad) + "''"
		}
		return formatError("UNEXPECTED_TOKEN", f.text, "token", name)
	}
	for i, t := range f.tokens {
		if t.kind == 'd' {
			if point >= 0 && i > point {
				f.parts += t.n
			} else {
				f.whole += t.n
			}
		}
	}
	return nil
}

// parse reads a number written by the format; ok is false when it isn't.
func (f *numberFormat) parse(s string) (x types.Int128, ok bool) {
	if s = strings.Trim(s, " "); s == "" {
		return x, false
	}
	at, negative, point := 0, false, false
	var digits []byte
	behind := 0
	has := func(c byte) bool {
		if at < len(s) && s[at] == c {
			at++
			return true
		}
		return false
	}
	for i := 0; i < len(f.tokens); i++ {
		switch t := f.tokens[i]; t.kind {
		case 'd':
			groups := []numberToken{t}
			for i+2 < len(f.tokens) && f.tokens[i+1].kind == ',' {
				i += 2
				groups = append(groups, f.tokens[i])
			}
			counts := []int{0}
			for ; at < len(s) && (s[at] >= '0' && s[at] <= '9' || s[at] == ',' && !point); at++ {
				if s[at] == ',' {
					counts = append(counts, 0)
					continue
				}
				digits = append(digits, s[at])
				counts[len(counts)-1]++
			}
			if len(counts) > len(groups) {
				return x, false
			}
			for k, g := range groups { // from the right
				n := 0
				if at := len(counts) - len(groups) + k; at >= 0 {
					n = counts[at]
				}
				if n > g.n || g.zeros && !point && n != g.n {
					return x, false
				}
			}
			if point {
				behind += counts[0]
			}
		case '.':
			point = point || has('.')
			if !point { // no digits may follow, and none are asked for
				if i+1 < len(f.tokens) && f.tokens[i+1].kind == 'd' {
					i++
				}
			}
		case '$':
			if !has('$') {
				return x, false
			}
		case 'S':
			if !has('+') {
				negative = has('-') || negative
			}
		case 'M':
			negative = has('-') || negative
		case '<':
			negative = has('<')
		case '>':
			if negative && !has('>') {
				return x, false
			}
		}
	}
	if at < len(s) {
		return x, false
	}
	for ; behind < f.parts; behind++ {
		digits = append(digits, '0')
	}
	ten := types.I128(10)
	for _, c := range digits {
		y, fits := types.MulRound(x, ten, 0)
		if !fits {
			return x, false
		}
		x = y.Add(types.I128(int64(c - '0')))
	}
	if negative {
		x = x.Neg()
	}
	return x, true
}

// write writes a number by the format; one that has more digits than the format gets # for each.
func (f *numberFormat) write(dst []byte, x types.Int128, scale int) []byte {
	neg := x.Sign() < 0
	text := strings.TrimPrefix(string(types.AppendDecimal(nil, x, scale)), "-")
	before, after, _ := strings.Cut(text, ".")
	before, after = strings.TrimLeft(before, "0"), strings.TrimRight(after, "0")
	if len(before) > f.whole || len(after) > f.parts {
		before, after = strings.Repeat("#", f.whole), strings.Repeat("#", f.parts)
	}
	before = strings.Repeat(" ", f.whole-len(before)) + before
	after += strings.Repeat("0", f.parts-len(after))
	start := len(dst)
	last := func() byte {
		if len(dst) > start {
			return dst[len(dst)-1]
		}
		return 0
	}
	space := func() { // a sign moves behind the blanks
		if c := last(); c == '+' || c == '-' || c == '<' {
			dst[len(dst)-1] = ' '
			dst = append(dst, c)
			return
		}
		dst = append(dst, ' ')
	}
	mark := func(c byte) {
		end := len(dst)
		for end > start && dst[end-1] == ' ' {
			end--
		}
		if end < len(dst) {
			dst[end] = c
		} else {
			dst = append(dst, c)
		}
	}
	lonePoint := func() {
		if last() == '.' {
			dst[len(dst)-1] = ' '
		}
	}
	b, a, point := 0, 0, false
	for _, t := range f.tokens {
		switch t.kind {
		case 'd':
			for range t.n {
				if point {
					dst = append(dst, after[a])
					a++
					continue
				}
				c := before[b]
				b++
				switch {
				case c == ' ' && t.zeros:
					dst = append(dst, '0')
				case c == ' ':
					space()
				default:
					dst = append(dst, c)
				}
			}
		case ',':
			if c := last(); c >= '0' && c <= '9' {
				dst = append(dst, ',')
			} else {
				space()
			}
		case '.':
			if last() == ' ' {
				dst[len(dst)-1] = '0'
			}
			dst = append(dst, '.')
			point = true
		case '$':
			dst = append(dst, '$')
		case 'S':
			lonePoint()
			if neg {
				mark('-')
			} else {
				mark('+')
			}
		case 'M':
			if neg {
				lonePoint()
				mark('-')
			} else {
				dst = append(dst, ' ')
			}
		case '<':
			if neg {
				dst = append(dst, '<')
			}
		case '>':
			lonePoint()
			if neg {
				mark('>')
			} else {
				dst = append(dst, "  "...)
			}
		}
	}
	lonePoint()
	return dst
}

// constantFormat is the number format that an argument of a call is; nil for NULL.
func constantFormat(c *plan.Call) (*numberFormat, error) {
	v, ok := constant(c.Args[1])
	if !ok {
		return nil, errs.New(errs.Analysis, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT", "sqlExpr", "", "inputName", errs.ID("format"), "inputType", errs.Quote(c.Args[1].Type().SQL()), "inputExpr", "format")
	}
	text, ok := v.(string)
	if !ok {
		return nil, nil
	}
	return compileNumberFormat(text)
}

// rowFormat is the format of a kernel's constant argument, compiled once a task.
func rowFormat(a *Args, i int) (*numberFormat, error) {
	return state(a, func() (*numberFormat, error) { return compileNumberFormat(a.V[1].Str(i)) })
}

func toNumber(try bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := vec.Make(a.Ret, a.N)
		for i := range a.N {
			if a.skipped(i) || a.V[0].IsNull(i) || a.V[1].IsNull(i) {
				setNull(out, i)
				continue
			}
			f, err := rowFormat(a, i)
			if err != nil {
				return nil, err
			}
			x, ok := f.parse(a.V[0].Str(i))
			switch {
			case ok:
				putDecimal(out, i, x)
			case try:
				setNull(out, i)
			default:
				return nil, errs.New(errs.IllegalArgument, "INVALID_FORMAT.MISMATCH_INPUT", "inputType", `"STRING"`, "input", a.V[0].Str(i), "format", f.text).At(a.pos())
			}
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return out, nil
	}
}

func numberFormats() []Def {
	number := func(name, usage string, try bool, ex ...Example) Def {
		ret := func(c *plan.Call) (*types.Type, bool, error) {
			f, err := constantFormat(c)
			if err != nil {
				return nil, false, err
			}
			if f == nil {
				return types.NewDecimal(10, 0), true, nil
			}
			if f.whole+f.parts > types.MaxPrecision {
				return nil, false, errs.New(errs.Analysis, "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "precision", strconv.Itoa(f.whole+f.parts), "maxPrecision", strconv.Itoa(types.MaxPrecision))
			}
			return types.NewDecimal(f.whole+f.parts, f.parts), try || c.Args[0].Nullable(), nil
		}
		return Def{Name: name, Since: "3.3.0", Group: "string_funcs", Usage: usage, Kind: plan.FnScalar, Nulls: NullKernel, Examples: ex,
			Overloads: []Overload{{Params: params(stringP, stringP), RetExpr: ret, Eval: toNumber(try)}}}
	}
	decimalP := Accept{Name: "DECIMAL", Types: []*types.Type{types.NewDecimal(38, 18)}, Test: func(t *types.Type) bool { return t.Kind == types.Decimal || t.IsIntegral() }}
	char := Def{Name: "to_char", Aliases: []string{"to_varchar"}, Since: "3.4.0", Group: "string_funcs", Usage: "Writes a number, a date, a timestamp, a time or a binary by a format.", Kind: plan.FnScalar,
		Examples: []Example{{"SELECT to_char(454.00, '000D00')", "454.00"}, {"SELECT to_char(-12454.8, '99G999D9S')", "12,454.8-"}, {"SELECT to_char(date'2016-04-08', 'y')", "2016"}, {"SELECT to_char(x'537061726b2053514c', 'hex')", "537061726B2053514C"}}}
	char.Overloads = []Overload{{Params: params(decimalP, stringP), RetExpr: func(c *plan.Call) (*types.Type, bool, error) {
		_, err := constantFormat(c)
		return types.StringType, c.Args[0].Nullable() || c.Args[1].Nullable(), err
	}, Eval: tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		f, err := rowFormat(a, i)
		if err != nil {
			return nil, false, err
		}
		x, scale := types.Int128{}, 0
		if v := a.V[0]; v.Type.Kind == types.Decimal {
			x, scale = getDecimal(v, i), v.Type.Scale
		} else {
			x = types.I128(getInt(v, i))
		}
		return f.write(dst, x, scale), true, nil
	})}}
	return []Def{
		number("to_number", "Reads a number by a format.", false, Example{"SELECT to_number('454', '999')", "454"}, Example{"SELECT to_number('$78.12', '$99.99')", "78.12"}, Example{"SELECT to_number('12,454.8-', '99,999.9S')", "-12454.8"}),
		number("try_to_number", "Is to_number, with NULL for what isn't written by the format.", true, Example{"SELECT try_to_number('45a', '999')", "NULL"}, Example{"SELECT try_to_number('12,454', '99,999')", "12454"}),
		char,
	}
}
