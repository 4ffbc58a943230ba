// Package csvline splits records of CSV into fields, as the options of Spark's CSV describe it.
package csvline

import (
	"strings"

	"neptune/internal/errs"
)

// Dialect is how CSV is written. A quote, escape or comment of 0 is none.
type Dialect struct {
	Sep                         string
	Quote, Escape, EscapeEscape byte
	Comment                     byte
	Null, Empty                 string
	TrimLeft, TrimRight         bool
	Ends                        string // multiLine: what ends a record, \n standing for \r\n and \r too
}

// Field is a field as split; quoted ones lost their quotes.
type Field struct {
	Text   []byte
	Quoted bool
}

// New reads the options of CSV; their names are in lower case.
func New(o map[string]string) (Dialect, error) {
	d := Dialect{Sep: ",", Quote: '"', Escape: '\\', Null: o["nullvalue"], Empty: o["emptyvalue"], TrimLeft: strings.EqualFold("true", o["ignoreleadingwhitespace"]), TrimRight: strings.EqualFold("true", o["ignoretrailingwhitespace"])}
	if v, ok := first(o, "sep", "delimiter"); ok {
		sep, err := separator(v)
		if err != nil {
			return d, err
		}
		d.Sep = sep
	}
	one := func(to *byte, name string) error {
		v, ok, err := character(o, name)
		switch {
		case err != nil || !ok:
			return err
		case len(v) > 1:
			return errs.NotSupported("option " + name + " that is not an ASCII character")
		}
		if *to = 0; v != "" {
			*to = v[0]
		}
		return nil
	}
	if err := one(&d.Quote, "quote"); err != nil {
		return d, err
	}
	if err := one(&d.Escape, "escape"); err != nil {
		return d, err
	}
	if d.Escape != d.Quote {
		d.EscapeEscape = d.Escape
	}
	if err := one(&d.Comment, "comment"); err != nil {
		return d, err
	}
	return d, one(&d.EscapeEscape, "charToEscapeQuoteEscaping")
}

// separator resolves the escapes that Spark knows in the option sep.
func separator(v string) (string, error) {
	if v == "" {
		return "", errs.Refused(errs.IllegalArgument, "Delimiter cannot be empty")
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

// Value is the field's text, or null: an empty field without quotes, or the option nullValue.
func (d *Dialect) Value(f Field) (text []byte, null bool) {
	if len(f.Text) == 0 {
		if !f.Quoted {
			return nil, true
		}
		f.Text = []byte(d.Empty)
	}
	return f.Text, string(f.Text) == d.Null
}

// end is how many bytes of a record's end are at b[i:]; 0: none.
func (d *Dialect) end(b []byte, i int) int {
	switch {
	case d.Ends == "":
		return 0
	case d.Ends != "\n":
		if len(b)-i >= len(d.Ends) && string(b[i:i+len(d.Ends)]) == d.Ends {
			return len(d.Ends)
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

func (d *Dialect) sepAt(b []byte, i int) bool {
	return b[i] == d.Sep[0] && (len(d.Sep) == 1 || len(b)-i >= len(d.Sep) && string(b[i:i+len(d.Sep)]) == d.Sep)
}

// Split cuts the first record of b into fields and says how many bytes it
// took, its end included. Texts share b unless they were escaped. A quote
// inside a quoted field that isn't escaped makes the field end at the next
// separator, quotes kept.
func (d *Dialect) Split(b []byte, out []Field) ([]Field, int) {
	i := 0
	for {
		if d.TrimLeft {
			for i < len(b) && b[i] <= ' ' && !d.sepAt(b, i) && d.end(b, i) == 0 {
				i++
			}
		}
		start := i
		done := false
		if d.Quote != 0 && i < len(b) && b[i] == d.Quote {
			var f Field
			if f, i, done = d.quotedField(b, i+1); done {
				out = append(out, f)
			}
		}
		if !done {
			for i < len(b) && !d.sepAt(b, i) && d.end(b, i) == 0 {
				i++
			}
			text := b[start:i]
			if d.TrimRight {
				for len(text) > 0 && text[len(text)-1] <= ' ' {
					text = text[:len(text)-1]
				}
			}
			out = append(out, Field{Text: text})
		}
		if i >= len(b) {
			return out, i
		}
		if n := d.end(b, i); n > 0 {
			return out, i + n
		}
		i += len(d.Sep)
	}
}

// quotedField reads a field after its opening quote, up to a separator or end. done
// false: a stray quote; reading goes on at the position given.
func (d *Dialect) quotedField(b []byte, i int) (f Field, at int, done bool) {
	from := i
	var text []byte // what was unescaped; nil: nothing yet
	for i < len(b) {
		c := b[i]
		if i+1 < len(b) {
			next := b[i+1]
			if c == d.EscapeEscape && c != 0 && next == d.Escape && d.Escape != d.Quote || c == d.Escape && c != 0 && next == d.Quote {
				text = append(text, b[from:i]...)
				text = append(text, next)
				i += 2
				from = i
				continue
			}
		}
		if c == d.Quote {
			k := i + 1
			for k < len(b) && b[k] <= ' ' && !d.sepAt(b, k) && d.end(b, k) == 0 {
				k++
			}
			if k < len(b) && !d.sepAt(b, k) && d.end(b, k) == 0 {
				return f, i, false
			}
			if text == nil {
				return Field{b[from:i], true}, k, true
			}
			return Field{append(text, b[from:i]...), true}, k, true
		}
		i++
	}
	return Field{append(text, b[from:]...), true}, i, true
}

// Blank reports whether a record is passed over: empty, or a comment.
func (d *Dialect) Blank(line []byte) bool {
	for _, c := range line {
		if c > ' ' {
			return d.Comment != 0 && line[0] == d.Comment
		}
	}
	return true
}
