package csvline

import (
	"strings"
	"unicode/utf8"
)

// Writer is the dialect that CSV is written in.
type Writer struct {
	sep           string
	quote, escape string // a character each, or ""
	escapeEscape  string // "": the escape character isn't escaped
	null, empty   string
	all           bool   // every field is quoted
	inside        bool   // fields with a quote inside are quoted
	left, right   bool   // blanks are cut off
	newline       string // not "": what a line feed inside a field is written as
}

// NewWriter reads the options of a write; their names are in lower case.
func NewWriter(o map[string]string) (Writer, error) {
	w := Writer{sep: ",", quote: `"`, escape: `\`, null: o["nullvalue"], empty: `""`,
		all: strings.EqualFold(o["quoteall"], "true"), inside: !strings.EqualFold(o["escapequotes"], "false"),
		left: !strings.EqualFold(o["ignoreleadingwhitespace"], "false"), right: !strings.EqualFold(o["ignoretrailingwhitespace"], "false")}
	if v, ok := first(o, "sep", "delimiter"); ok {
		sep, err := separator(v)
		if err != nil {
			return w, err
		}
		w.sep = sep
	}
	set := func(to *string, name string) error {
		v, ok, err := character(o, name)
		if ok {
			*to = v
		}
		return err
	}
	if v, ok := o["linesep"]; ok && utf8.RuneCountInString(v) == 2 {
		w.newline = v
	}
	if err := set(&w.quote, "quote"); err != nil {
		return w, err
	}
	if err := set(&w.escape, "escape"); err != nil {
		return w, err
	}
	if w.quote == "" {
		w.quote = "\x00" // there is no way to have none
	}
	if w.escape != w.quote {
		w.escapeEscape = w.escape
	}
	if err := set(&w.escapeEscape, "charToEscapeQuoteEscaping"); err != nil {
		return w, err
	}
	if w.escapeEscape == "\x00" {
		w.escapeEscape = ""
	}
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
	return w.inside && strings.Contains(x, w.quote)
}

func (w *Writer) quoted(dst []byte, x string) []byte {
	dst = append(dst, w.quote...)
	for i := 0; i < len(x); {
		switch {
		case w.newline != "" && x[i] == '\n':
			dst = append(dst, w.newline...)
			i++
		case w.escape != "" && strings.HasPrefix(x[i:], w.quote):
			dst = append(append(dst, w.escape...), w.quote...)
			i += len(w.quote)
		case w.escape != "" && w.escapeEscape != "" && strings.HasPrefix(x[i:], w.escape):
			dst = append(append(dst, w.escapeEscape...), w.escape...)
			i += len(w.escape)
		default:
			dst = append(dst, x[i])
			i++
		}
	}
	return append(dst, w.quote...)
}
