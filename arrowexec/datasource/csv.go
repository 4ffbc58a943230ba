package datasource

import (
	"bytes"
	"strconv"
	"strings"
	"unsafe"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// dialect is how CSV is written. A quote, escape or comment of 0 is none.
type dialect struct {
	sep                         string
	quote, escape, escapeEscape byte
	comment                     byte
	null, empty                 string
	trimLeft, trimRt            bool
	ends                        string // multiLine: what ends a record, \n standing for \r\n and \r too
}

// csvField is a field as split; quoted ones lost their quotes.
type csvField struct {
	text   []byte
	quoted bool
}

func newDialect(o map[string]string) (dialect, error) {
	d := dialect{sep: ",", quote: '"', escape: '\\', null: o["nullvalue"], empty: o["emptyvalue"], trimLeft: isTrue(o["ignoreleadingwhitespace"]), trimRt: isTrue(o["ignoretrailingwhitespace"])}
	for _, k := range []string{"delimiter", "sep"} {
		v, ok := o[k]
		if !ok {
			continue
		}
		sep, err := separator(v)
		if err != nil {
			return d, err
		}
		d.sep = sep
	}
	one := func(to *byte, name, shown string) error {
		v, ok := o[name]
		switch {
		case !ok:
			return nil
		case len([]rune(v)) > 1:
			return errs.New(errs.Runtime, "OPTION_VALUE_EXCEEDS_ONE_CHARACTER", "paramName", shown, "actualValue", v)
		case len(v) > 1:
			return errs.NotSupported("option " + shown + " that is not an ASCII character")
		}
		if *to = 0; v != "" {
			*to = v[0]
		}
		return nil
	}
	if err := one(&d.quote, "quote", "quote"); err != nil {
		return d, err
	}
	if err := one(&d.escape, "escape", "escape"); err != nil {
		return d, err
	}
	if d.escape != d.quote {
		d.escapeEscape = d.escape
	}
	if err := one(&d.comment, "comment", "comment"); err != nil {
		return d, err
	}
	return d, one(&d.escapeEscape, "chartoescapequoteescaping", "charToEscapeQuoteEscaping")
}

// separator resolves the escapes that Spark knows in the option sep.
func separator(v string) (string, error) {
	if v == "" {
		return "", errs.New(errs.IllegalArgument, "INVALID_DELIMITER_VALUE.EMPTY_STRING")
	}
	if v == `\` {
		return "", errs.New(errs.IllegalArgument, "INVALID_DELIMITER_VALUE.SINGLE_BACKSLASH")
	}
	var b strings.Builder
	for i := 0; i < len(v); i++ {
		if v[i] != '\\' || i+1 == len(v) {
			b.WriteByte(v[i])
			continue
		}
		i++
		switch v[i] {
		case 't':
			b.WriteByte('\t')
		case 'r':
			b.WriteByte('\r')
		case 'b':
			b.WriteByte('\b')
		case 'f':
			b.WriteByte('\f')
		case '"', '\'', '\\':
			b.WriteByte(v[i])
		default:
			if v[i:] == "u0000" {
				b.WriteByte(0)
				i = len(v)
				continue
			}
			return "", errs.New(errs.IllegalArgument, "INVALID_DELIMITER_VALUE.UNSUPPORTED_SPECIAL_CHARACTER", "str", v)
		}
	}
	return b.String(), nil
}

// value is the field's text, or null: an empty field without quotes, or the option nullValue.
func (d *dialect) value(f csvField) (text []byte, null bool) {
	if len(f.text) == 0 {
		if !f.quoted {
			return nil, true
		}
		f.text = []byte(d.empty)
	}
	return f.text, string(f.text) == d.null
}

// end is how many bytes of a record's end are at b[i:]; 0: none.
func (d *dialect) end(b []byte, i int) int {
	switch {
	case d.ends == "":
		return 0
	case d.ends != "\n":
		if len(b)-i >= len(d.ends) && string(b[i:i+len(d.ends)]) == d.ends {
			return len(d.ends)
		}
		return 0
	case b[i] == '\n':
		return 1
	case b[i] == '\r':
		if i+1 < len(b) && b[i+1] == '\n' {
			return 2
		}
		return 1
	}
	return 0
}

func (d *dialect) sepAt(b []byte, i int) bool {
	return b[i] == d.sep[0] && (len(d.sep) == 1 || len(b)-i >= len(d.sep) && string(b[i:i+len(d.sep)]) == d.sep)
}

// split cuts the first record of b into fields and says how many bytes it
// took, its end included. Texts share b unless they were escaped. A quote
// inside a quoted field that isn't escaped makes the field end at the next
// separator, quotes kept.
func (d *dialect) split(b []byte, out []csvField) ([]csvField, int) {
	i := 0
	for {
		if d.trimLeft {
			for i < len(b) && b[i] <= ' ' && !d.sepAt(b, i) && d.end(b, i) == 0 {
				i++
			}
		}
		start := i
		done := false
		if d.quote != 0 && i < len(b) && b[i] == d.quote {
			var f csvField
			if f, i, done = d.quotedField(b, i+1); done {
				out = append(out, f)
			}
		}
		if !done {
			for i < len(b) && !d.sepAt(b, i) && d.end(b, i) == 0 {
				i++
			}
			text := b[start:i]
			if d.trimRt {
				for len(text) > 0 && text[len(text)-1] <= ' ' {
					text = text[:len(text)-1]
				}
			}
			out = append(out, csvField{text: text})
		}
		if i >= len(b) {
			return out, i
		}
		if n := d.end(b, i); n > 0 {
			return out, i + n
		}
		i += len(d.sep)
	}
}

// quotedField reads a field after its opening quote, up to a separator or end. done
// false: a stray quote; reading goes on at the position given.
func (d *dialect) quotedField(b []byte, i int) (f csvField, at int, done bool) {
	from := i
	var text []byte // what was unescaped; nil: nothing yet
	for i < len(b) {
		c := b[i]
		if i+1 < len(b) {
			next := b[i+1]
			if c == d.escapeEscape && c != 0 && next == d.escape && d.escape != d.quote || c == d.escape && c != 0 && next == d.quote {
				text = append(text, b[from:i]...)
				text = append(text, next)
				i += 2
				from = i
				continue
			}
		}
		if c == d.quote {
			k := i + 1
			for k < len(b) && b[k] <= ' ' && !d.sepAt(b, k) && d.end(b, k) == 0 {
				k++
			}
			if k < len(b) && !d.sepAt(b, k) && d.end(b, k) == 0 {
				return f, i, false
			}
			if text == nil {
				return csvField{b[from:i], true}, k, true
			}
			return csvField{append(text, b[from:i]...), true}, k, true
		}
		i++
	}
	return csvField{append(text, b[from:]...), true}, i, true
}

// blank reports whether a record is passed over: empty, or a comment.
func (d *dialect) blank(line []byte) bool {
	for _, c := range line {
		if c > ' ' {
			return d.comment != 0 && line[0] == d.comment
		}
	}
	return true
}

// convert appends a text as a value of the builder's type. false: it is none, and nothing was appended.
type convert func(b *vec.Builder, text []byte) bool

func integer[T int8 | int16 | int32 | int64](bits int) convert {
	return func(b *vec.Builder, text []byte) bool {
		v, err := strconv.ParseInt(str(text), 10, bits)
		if err == nil {
			vec.Append(b, T(v))
		}
		return err == nil
	}
}

// str is b as a string that must not be kept.
func str(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }

// double reads a floating point number as Java does, and the words of the options.
func (t *textOptions) double(s string, bits int) (float64, bool) {
	switch s {
	case t.nan:
		s = "NaN"
	case t.posInf:
		s = "Infinity"
	case t.negInf:
		s = "-Infinity"
	default:
		if w := strings.TrimLeft(s, "+-"); strings.ContainsAny(w, "iInN") && w != "NaN" && w != "Infinity" {
			return 0, false
		}
	}
	return types.ParseDouble(s, bits)
}

// csvConvert is how CSV fields become values of a type.
func (t *textOptions) csvConvert(to *types.Type) (convert, error) {
	switch to.Kind {
	case types.String:
		return func(b *vec.Builder, x []byte) bool { b.AppendBytes(x); return true }, nil
	case types.Int8:
		return integer[int8](8), nil
	case types.Int16:
		return integer[int16](16), nil
	case types.Int32:
		return integer[int32](32), nil
	case types.Int64:
		return integer[int64](64), nil
	case types.Float32:
		return func(b *vec.Builder, x []byte) bool {
			v, ok := t.double(str(x), 32)
			if ok {
				vec.Append(b, float32(v))
			}
			return ok
		}, nil
	case types.Float64:
		return func(b *vec.Builder, x []byte) bool {
			v, ok := t.double(str(x), 64)
			if ok {
				vec.Append(b, v)
			}
			return ok
		}, nil
	case types.Bool:
		return func(b *vec.Builder, x []byte) bool {
			yes := bytes.EqualFold(x, []byte("true"))
			if !yes && !bytes.EqualFold(x, []byte("false")) {
				return false
			}
			vec.Append(b, yes)
			return true
		}, nil
	case types.Decimal:
		narrow := vec.LayoutOf(to) == vec.I64
		return func(b *vec.Builder, x []byte) bool {
			v, ok := parseDecimal(str(x), to)
			switch {
			case !ok:
			case narrow:
				vec.Append(b, int64(v.Lo))
			default:
				vec.Append(b, v)
			}
			return ok
		}, nil
	case types.Date:
		return appendParsed(t.parseDate), nil
	case types.Timestamp:
		return appendParsed(t.parseStamp), nil
	case types.TimestampNTZ:
		return appendParsed(t.parseNTZ), nil
	}
	return nil, errs.New(errs.Analysis, "UNSUPPORTED_DATA_TYPE_FOR_DATASOURCE", "format", "CSV", "columnName", errs.ID(""), "columnType", errs.Quote(to.SQL()))
}

func appendParsed[T int32 | int64](parse func(string) (T, bool)) convert {
	return func(b *vec.Builder, x []byte) bool {
		v, ok := parse(str(x))
		if ok {
			vec.Append(b, v)
		}
		return ok
	}
}

// csvType is the type of a field for inferSchema.
func (t *textOptions) csvType(s string) *types.Type {
	if _, err := strconv.ParseInt(s, 10, 32); err == nil {
		return types.Int32Type
	}
	if _, err := strconv.ParseInt(s, 10, 64); err == nil {
		return types.Int64Type
	}
	if d := strings.TrimLeft(s, "+-"); len(s)-len(d) <= 1 && d != "" && len(d) <= types.MaxPrecision && strings.Trim(d, "0123456789") == "" {
		return types.NewDecimal(len(strings.TrimLeft(d, "0")), 0)
	}
	if _, ok := t.double(s, 64); ok {
		return types.Float64Type
	}
	if t.dates {
		if t.date != nil {
			if _, ok := t.parseDate(s); ok {
				return types.DateType
			}
		} else if len(s) == 10 && s[4] == '-' {
			if _, ok := types.ParseDate(s); ok {
				return types.DateType
			}
		}
	}
	if t.stamp != nil {
		if _, ok := t.parseStamp(s); ok {
			return types.TimestampType
		}
	} else if p, ok := types.ParseTimestampParts(s); ok && !p.JustTime && len(s) > 4 {
		return types.TimestampType
	}
	if strings.EqualFold(s, "true") || strings.EqualFold(s, "false") {
		return types.BoolType
	}
	return types.StringType
}

// csvWider is the type of a column with values of both types.
func csvWider(a, b *types.Type) *types.Type {
	if a == nil {
		return b
	}
	is := func(k, l types.Kind) bool { return a.Kind == k && b.Kind == l || a.Kind == l && b.Kind == k }
	if is(types.Float64, types.Decimal) {
		return types.Float64Type
	}
	if t := types.Wider(a, b, false, true); t != nil {
		return t
	}
	return types.StringType
}

// csvNames names the columns by the header, or _c0, _c1; names that occur more than once get their position behind.
func csvNames(fields []csvField, d *dialect, header bool) []string {
	out := make([]string, len(fields))
	count := map[string]int{}
	for i, f := range fields {
		text, null := d.value(f)
		if header && !null {
			out[i] = string(text)
			count[strings.ToLower(out[i])]++
		}
	}
	for i, n := range out {
		switch {
		case n == "":
			out[i] = "_c" + strconv.Itoa(i)
		case count[strings.ToLower(n)] > 1:
			out[i] = n + strconv.Itoa(i)
		}
	}
	return out
}
