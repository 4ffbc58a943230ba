package fn

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// digitsOf is the exact decimal text of a number, or of a float rounded half to even at places.
func digitsOf(v *vec.Vector, i, places int) string {
	switch v.Layout {
	case vec.F64:
		return strconv.FormatFloat(vec.Of[float64](v)[i], 'f', places, 64)
	case vec.F32:
		return strconv.FormatFloat(float64(vec.Of[float32](v)[i]), 'f', places, 64)
	}
	if v.Type.Kind == types.Decimal {
		var x types.Int128
		if v.Layout == vec.I64 {
			x = types.I128(vec.Of[int64](v)[i])
		} else {
			x = vec.Of[types.Int128](v)[i]
		}
		return roundHalfEven(string(types.AppendDecimal(nil, x, v.Type.Scale)), places)
	}
	return roundHalfEven(strconv.FormatInt(getInt(v, i), 10), places)
}

// roundHalfEven rounds a decimal text to so many places.
func roundHalfEven(s string, places int) string {
	whole, frac, _ := strings.Cut(s, ".")
	if len(frac) <= places {
		if places == 0 {
			return whole
		}
		return whole + "." + frac + strings.Repeat("0", places-len(frac))
	}
	sign := ""
	if strings.HasPrefix(whole, "-") {
		sign, whole = "-", whole[1:]
	}
	digits := []byte("0" + whole + frac[:places])
	rest := frac[places:]
	half := "5" + strings.Repeat("0", len(rest)-1)
	if rest > half || rest == half && (digits[len(digits)-1]-'0')%2 == 1 {
		for k := len(digits) - 1; ; k-- {
			if digits[k] != '9' {
				digits[k]++
				break
			}
			digits[k] = '0'
		}
	}
	if digits[0] == '0' && len(digits)-places > 1 {
		digits = digits[1:]
	}
	n := len(digits) - places
	if places == 0 {
		return sign + string(digits)
	}
	return sign + string(digits[:n]) + "." + string(digits[n:])
}

// appendGrouped writes a decimal text with a comma between each three digits before the point.
func appendGrouped(dst []byte, s string) []byte {
	if strings.HasPrefix(s, "-") {
		dst, s = append(dst, '-'), s[1:]
	}
	whole, frac, point := strings.Cut(s, ".")
	for k := range len(whole) {
		if k > 0 && (len(whole)-k)%3 == 0 {
			dst = append(dst, ',')
		}
		dst = append(dst, whole[k])
	}
	if point {
		dst = append(append(dst, '.'), frac...)
	}
	return dst
}

// numberPattern is a format in the way of Java's DecimalFormat: #,##0.00 between a prefix and a suffix.
type numberPattern struct {
	prefix, suffix    string
	minInt            int
	minFrac, maxFrac  int
	grouped, anyDigit bool
}

func parseNumberPattern(p string) numberPattern {
	var n numberPattern
	p, _, _ = strings.Cut(p, ";")
	start := strings.IndexAny(p, "#0,.")
	if start < 0 {
		n.prefix = p
		return n
	}
	end := strings.LastIndexAny(p, "#0,.") + 1
	n.prefix, n.suffix, n.anyDigit = p[:start], p[end:], true
	whole, frac, _ := strings.Cut(p[start:end], ".")
	n.grouped = strings.Contains(whole, ",")
	n.minInt = strings.Count(whole, "0")
	n.minFrac, n.maxFrac = strings.Count(frac, "0"), len(frac)
	return n
}

func formatNumber(a *Args) (*vec.Vector, error) {
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		v := a.V[0]
		x := 0.0
		if v.Layout == vec.F64 || v.Layout == vec.F32 {
			x = getFloat(v, i)
		}
		special := ""
		switch {
		case math.IsNaN(x):
			special = "NaN"
		case math.IsInf(x, 1):
			special = "∞"
		case math.IsInf(x, -1):
			special = "-∞"
		}
		if a.V[1].Layout == vec.I32 {
			d := a.i32(1, i)
			if d < 0 {
				return nil, false, nil
			}
			if special != "" {
				return append(dst, special...), true, nil
			}
			a.room(len(dst), 2*d)
			return appendGrouped(dst, digitsOf(v, i, d)), true, nil
		}
		p := numberPattern{minInt: 1, maxFrac: 0, grouped: true}
		if f := a.V[1].Str(i); f != "" {
			p = parseNumberPattern(f)
		}
		if special != "" {
			return append(dst, special...), true, nil
		}
		s := digitsOf(v, i, p.maxFrac)
		sign := strings.HasPrefix(s, "-")
		whole, frac, _ := strings.Cut(strings.TrimPrefix(s, "-"), ".")
		for len(frac) > p.minFrac && frac[len(frac)-1] == '0' {
			frac = frac[:len(frac)-1]
		}
		whole = strings.TrimLeft(whole, "0")
		if need := p.minInt - len(whole); need > 0 {
			whole = strings.Repeat("0", need) + whole
		}
		if whole == "" && frac == "" {
			whole = "0"
		}
		if sign {
			dst = append(dst, '-')
		}
		dst = append(dst, p.prefix...)
		if p.grouped {
			dst = appendGrouped(dst, whole)
		} else {
			dst = append(dst, whole...)
		}
		if frac != "" {
			dst = append(append(dst, '.'), frac...)
		}
		return append(dst, p.suffix...), true, nil
	})(a)
}

// formatString is printf in the way of Java's Formatter.
func formatString(a *Args) (*vec.Vector, error) {
	bad := func(f string) error {
		return errs.New(errs.IllegalArgument, "INVALID_FORMAT.MISMATCH_INPUT", "format", errs.Text(f), "inputType", "arguments", "input", strconv.Itoa(len(a.V)-1)).At(a.pos())
	}
	s, err := clockStateOf(a)
	if err != nil {
		return nil, err
	}
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		if a.V[0].IsNull(i) {
			return nil, false, nil
		}
		f := a.V[0].Str(i)
		next := 1
		for k := 0; k < len(f); k++ {
			if f[k] != '%' {
				dst = append(dst, f[k])
				continue
			}
			spec := f[k:]
			k++
			digits := func() int {
				from := k
				for k < len(f) && f[k] >= '0' && f[k] <= '9' {
					k++
				}
				n, _ := strconv.Atoi(f[from:k])
				return n
			}
			arg := -1
			from := k
			if n := digits(); k < len(f) && f[k] == '$' && k > from {
				if n == 0 {
					return nil, false, errs.New(errs.IllegalArgument, "INVALID_PARAMETER_VALUE.ZERO_INDEX", "parameter", errs.ID("strfmt"), "functionName", errs.ID(a.Call.Name)).At(a.pos())
				}
				arg = n
				k++
			} else {
				k = from
			}
			flags := from
			if arg >= 0 {
				flags = k
			}
			for k < len(f) && strings.IndexByte("-#+ 0,(<", f[k]) >= 0 {
				k++
			}
			flag := f[flags:k]
			width := digits()
			a.room(len(dst), width)
			prec := -1
			if k < len(f) && f[k] == '.' {
				k++
				prec = digits()
			}
			if k >= len(f) {
				return nil, false, bad(spec)
			}
			conv := f[k]
			if conv != 's' && conv != 'S' {
				a.room(len(dst), prec)
			}
			if conv == '%' || conv == 'n' {
				text := "%"
				if conv == 'n' {
					text = "\n"
				}
				dst = padText(dst, text, width, strings.Contains(flag, "-"))
				continue
			}
			if arg < 0 {
				arg = next
				next++
			}
			if arg >= len(a.V) {
				return nil, false, bad(f)
			}
			text, ok := formatOne(a.V[arg], i, conv, flag, width, prec, s)
			if !ok {
				return nil, false, bad(f)
			}
			dst = padText(dst, text, width, strings.Contains(flag, "-"))
		}
		return dst, true, nil
	})(a)
}

func padText(dst []byte, s string, width int, left bool) []byte {
	fill := width - utf8.RuneCountInString(s)
	if left {
		dst = append(dst, s...)
	}
	for ; fill > 0; fill-- {
		dst = append(dst, ' ')
	}
	if !left {
		dst = append(dst, s...)
	}
	return dst
}

// countsUnits reports whether values of a type are a number of units to Spark's run time: of days, months, microseconds.
func countsUnits(t *types.Type) bool {
	return t.IsDatetime() || t.Kind == types.Time || t.IsAnsiInterval()
}

// formatOne writes one argument by one conversion; ok is false when they don't go together.
func formatOne(v *vec.Vector, i int, conv byte, flag string, width, prec int, s *clockState) (text string, ok bool) {
	upper := conv >= 'A' && conv <= 'Z'
	defer func() {
		if upper {
			text = strings.ToUpper(text)
		}
	}()
	null := v.IsNull(i)
	switch conv {
	case 'b', 'B':
		if null || v.Type.Kind == types.Bool {
			return strconv.FormatBool(!null && vec.Of[bool](v)[i]), true
		}
		return "true", true
	case 's', 'S':
		text = string(appendInternal(nil, v, i))
		if prec >= 0 {
			text = text[:runeOffset([]byte(text), prec)]
		}
		return text, true
	}
	if null {
		return "null", true
	}
	sign := func(text string) string {
		switch {
		case strings.HasPrefix(text, "-") && strings.Contains(flag, "("):
			return "(" + text[1:] + ")"
		case strings.HasPrefix(text, "-"):
		case strings.Contains(flag, "+"):
			text = "+" + text
		case strings.Contains(flag, " "):
			text = " " + text
		}
		if n := width - len(text); strings.Contains(flag, "0") && n > 0 {
			at := 0
			if text != "" && strings.IndexByte("+- ", text[0]) >= 0 {
				at = 1
			}
			text = text[:at] + strings.Repeat("0", n) + text[at:]
		}
		return text
	}
	group := func(text string) string {
		if strings.Contains(flag, ",") {
			return string(appendGrouped(nil, text))
		}
		return text
	}
	integral := v.Type.IsIntegral() || countsUnits(v.Type)
	switch conv {
	case 'c', 'C':
		if v.Type.IsString() {
			r, _ := utf8.DecodeRune(v.Bytes(i))
			return string(r), true
		}
		if integral {
			return string(rune(getInt(v, i))), true
		}
	case 'd':
		if integral {
			return sign(group(strconv.FormatInt(getInt(v, i), 10))), true
		}
	case 'x', 'X', 'o':
		if integral {
			x := uint64(getInt(v, i))
			switch v.Layout {
			case vec.I8:
				x &= 0xff
			case vec.I16:
				x &= 0xffff
			case vec.I32:
				x &= 0xffffffff
			}
			base, mark := 16, "0x"
			if conv == 'o' {
				base, mark = 8, "0"
			}
			text = strconv.FormatUint(x, base)
			if strings.Contains(flag, "#") {
				text = mark + text
			}
			return sign(text), true
		}
	case 'f', 'e', 'E', 'g', 'G':
		if prec < 0 {
			prec = 6
		}
		if v.Type.Kind == types.Decimal && conv == 'f' {
			return sign(group(roundHalfEven(digitsOf(v, i, v.Type.Scale), prec))), true
		}
		if v.Layout != vec.F64 && v.Layout != vec.F32 {
			return "", false
		}
		x := getFloat(v, i)
		switch {
		case math.IsNaN(x):
			return "NaN", true
		case math.IsInf(x, 0):
			return strings.Replace(sign(strconv.FormatFloat(x, 'f', 0, 64)), "+Inf", "Infinity", 1), true
		}
		c := byte('f')
		switch {
		case conv == 'e' || conv == 'E':
			c = 'e'
		case conv == 'g' || conv == 'G':
			prec = max(prec, 1)
			if y := math.Abs(x); y != 0 && (y < 1e-4 || y >= math.Pow10(prec)) {
				c, prec = 'e', prec-1
			} else if y != 0 {
				prec -= int(math.Floor(math.Log10(y))) + 1
			} else {
				prec--
			}
		}
		text = strconv.FormatFloat(x, c, prec, 64)
		if c == 'f' {
			text = group(text)
		}
		return sign(text), true
	}
	return "", false
}

func formatFunctions() []Def {
	str := gives(types.StringType)
	def := func(name, since, usage, sql, want string, nulls NullRule, o ...Overload) Def {
		return Def{Name: name, Since: since, Group: "string_funcs", Usage: usage, Kind: plan.FnScalar, Nulls: nulls, Overloads: o, Examples: []Example{{sql, want}}}
	}
	format := def("format_string", "1.5.0", "Writes values into a format, as printf does.", "SELECT format_string('Hello World %d %s', 100, 'days')", "Hello World 100 days", NullKernel,
		Overload{Params: params(stringP, anyP), Variadic: true, VarMin0: true, RetExpr: func(c *plan.Call) (*types.Type, bool, error) {
			return types.StringType, c.Args[0].Nullable(), nil
		}, Eval: formatString})
	format.Aliases = []string{"printf"}
	return []Def{
		def("format_number", "1.5.0", "Writes a number with grouped digits and so many places, or by a pattern.", "SELECT format_number(12332.123456, 4)", "12,332.1235", NullMaybe, sig(str, formatNumber, numericP, onlyInt32P), sig(str, formatNumber, numericP, onlyTextP)),
		format,
	}
}
