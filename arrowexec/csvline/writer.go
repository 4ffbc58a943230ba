package csvline

import "strings"

// Writer is the dialect that CSV is written in.
type Writer struct {
	sep           string
	quote, escape byte
	escapeEscape  byte // 0: the escape character isn't escaped
	null, empty   string
	all           bool // every field is quoted
	inside        bool // fields with a quote inside are quoted
	left, right   bool // blanks are cut off
}

// NewWriter reads the options of a write; their names are in lower case.
func NewWriter(o map[string]string) (Writer, error) {
	d, err := New(o)
	if err != nil {
		return Writer{}, err
	}
	w := Writer{sep: d.Sep, quote: d.Quote, escape: d.Escape, escapeEscape: d.EscapeEscape, null: d.Null, empty: `""`,
		all: strings.EqualFold(o["quoteall"], "true"), inside: !strings.EqualFold(o["escapequotes"], "false"),
		left: !strings.EqualFold(o["ignoreleadingwhitespace"], "false"), right: !strings.EqualFold(o["ignoretrailingwhitespace"], "false")}
	if v, ok := o["emptyvalue"]; ok {
		w.empty = v
	}
	return w, nil
}

// Append appends field number k of a row.
func (w *Writer) Append(dst []byte, k int, x string, null bool) []byte {
	if k > 0 {
		dst = append(dst, w.sep...)
	}
	if null {
		if x = w.null; x == "" && !w.all {
			return dst
		}
	} else {
		if w.left {
			x = strings.TrimLeftFunc(x, blank)
		}
		if w.right {
			x = strings.TrimRightFunc(x, blank)
		}
		if x == "" {
			if w.all && w.empty != `""` {
				return w.quoted(dst, w.empty)
			}
			return append(dst, w.empty...)
		}
	}
	if w.all || w.special(x) {
		return w.quoted(dst, x)
	}
	return append(dst, x...)
}

func blank(r rune) bool { return r <= ' ' }

// special reports whether a field has to be quoted.
func (w *Writer) special(x string) bool {
	if strings.Contains(x, w.sep) || strings.ContainsAny(x, "\n\r") {
		return true
	}
	return w.inside && w.quote != 0 && (strings.IndexByte(x, w.quote) >= 0 || w.escape != 0 && strings.IndexByte(x, w.escape) >= 0)
}

func (w *Writer) quoted(dst []byte, x string) []byte {
	if w.quote != 0 {
		dst = append(dst, w.quote)
	}
	for i := range len(x) {
		switch c := x[i]; {
		case c == w.quote && w.quote != 0 && w.escape != 0:
			dst = append(dst, w.escape, c)
		case c == w.escape && w.escape != 0 && w.escapeEscape != 0:
			dst = append(dst, w.escapeEscape, c)
		default:
			dst = append(dst, c)
		}
	}
	if w.quote != 0 {
		dst = append(dst, w.quote)
	}
	return dst
}
