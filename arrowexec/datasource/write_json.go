package datasource

import (
	"encoding/base64"
	"strings"
	"unicode/utf16"
	"unicode/utf8"

	"neptune/arrowexec/vec"
	"neptune/internal/types"
)

// object appends a row or a struct; fields that are null are left out, unless they are to be kept.
func (s *textSink) object(cols []*vec.Vector, fields []types.Field, i int) {
	s.buf = append(s.buf, '{')
	first := true
	for k, c := range cols {
		if c.IsNull(i) && !s.keep {
			continue
		}
		if !first {
			s.buf = append(s.buf, ',')
		}
		first = false
		s.text(fields[k].Name)
		s.buf = append(s.buf, ':')
		s.value(c, i)
	}
	s.buf = append(s.buf, '}')
}

func (s *textSink) value(v *vec.Vector, i int) {
	if v.IsNull(i) || v.Type.Kind == types.Null {
		s.buf = append(s.buf, "null"...)
		return
	}
	switch v.Type.Kind {
	case types.Array:
		r := vec.Refs(v)[i]
		s.buf = append(s.buf, '[')
		for k := range r.Len() {
			if k > 0 {
				s.buf = append(s.buf, ',')
			}
			s.value(v.Child[0], r.Start()+k)
		}
		s.buf = append(s.buf, ']')
	case types.Map:
		r := vec.Refs(v)[i]
		s.buf = append(s.buf, '{')
		for k := range r.Len() {
			if k > 0 {
				s.buf = append(s.buf, ',')
			}
			key, _ := s.values.text(v.Child[0], r.Start()+k)
			s.text(key)
			s.buf = append(s.buf, ':')
			s.value(v.Child[1], r.Start()+k)
		}
		s.buf = append(s.buf, '}')
	case types.Struct:
		s.object(v.Child, v.Type.Fields, i)
	case types.Binary:
		s.text(base64.StdEncoding.EncodeToString(v.Bytes(i)))
	case types.String, types.Date, types.Timestamp, types.TimestampNTZ, types.YearMonthInterval, types.DayTimeInterval:
		text, _ := s.values.text(v, i)
		s.text(text)
	case types.Float32, types.Float64:
		text, _ := s.values.text(v, i)
		if text == "NaN" || strings.HasSuffix(text, "Infinity") {
			s.text(text)
		} else {
			s.buf = append(s.buf, text...)
		}
	default:
		text, _ := s.values.text(v, i)
		s.buf = append(s.buf, text...)
	}
}

const hexDigits = "0123456789ABCDEF"

// text appends a string in quotes.
func (s *textSink) text(x string) {
	b := append(s.buf, '"')
	for i := 0; i < len(x); {
		c := x[i]
		if c >= utf8.RuneSelf {
			r, n := utf8.DecodeRuneInString(x[i:])
			switch {
			case !s.ascii && (r != utf8.RuneError || n > 1):
				b = append(b, x[i:i+n]...)
			case !s.ascii:
				b = append(b, "\ufffd"...)
			case r > 0xffff:
				hi, lo := utf16.EncodeRune(r)
				b = appendEscape(appendEscape(b, hi), lo)
			default:
				b = appendEscape(b, r)
			}
			i += n
			continue
		}
		i++
		switch c {
		case '"', '\\':
			b = append(b, '\\', c)
		case '\n':
			b = append(b, '\\', 'n')
		case '\r':
			b = append(b, '\\', 'r')
		case '\t':
			b = append(b, '\\', 't')
		case '\b':
			b = append(b, '\\', 'b')
		case '\f':
			b = append(b, '\\', 'f')
		default:
			if c < ' ' {
				b = appendEscape(b, rune(c))
			} else {
				b = append(b, c)
			}
		}
	}
	s.buf = append(b, '"')
}

func appendEscape(b []byte, r rune) []byte {
	return append(b, '\\', 'u', hexDigits[r>>12&15], hexDigits[r>>8&15], hexDigits[r>>4&15], hexDigits[r&15])
}
