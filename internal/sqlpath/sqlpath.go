// Package sqlpath reads the lists of SET PATH and spark.sql.defaultPath: where
// names without a qualifier are looked for, in turn.
package sqlpath

import (
	"strings"

	"neptune/internal/types"
)

// Entry is one element of a list: a schema by its catalog and name, or a word
// that stands for schemas.
type Entry struct {
	Word  Word
	Parts []string // of a schema
	Text  string   // as written
}

// Word is what an element stands for.
type Word int

// The words of a path. Current stays what it is in a path that is set: it
// follows USE.
const (
	None    Word = iota // a schema
	Current             // CURRENT_SCHEMA, CURRENT_DATABASE
	Default             // DEFAULT_PATH
	System              // SYSTEM_PATH
	Path                // PATH: the one that is set now
)

var words = map[string]Word{"CURRENT_SCHEMA": Current, "CURRENT_DATABASE": Current, "DEFAULT_PATH": Default, "SYSTEM_PATH": System, "PATH": Path}

// Parse reads a list of elements; ok is false for what is none.
func Parse(text string) (list []Entry, ok bool) {
	s := text
	skip := func() { s = strings.TrimLeft(s, " \t\r\n") }
	for {
		var e Entry
		quoted := false
		for {
			skip()
			part, rest, q, ok := ident(s)
			if !ok {
				return nil, false
			}
			quoted = quoted || q
			e.Parts = append(e.Parts, part)
			s = rest
			skip()
			if !strings.HasPrefix(s, ".") {
				break
			}
			s = s[1:]
		}
		e.Text = Name(e.Parts)
		if w := words[strings.ToUpper(e.Parts[0])]; len(e.Parts) == 1 && !quoted && w != None {
			e.Word, e.Parts = w, nil
		}
		list = append(list, e)
		if s == "" {
			return list, true
		}
		if s[0] != ',' {
			return nil, false
		}
		s = s[1:]
	}
}

// ident takes an identifier off the front of s.
func ident(s string) (name, rest string, quoted, ok bool) {
	if strings.HasPrefix(s, "`") {
		for i := 1; i < len(s); i++ {
			if s[i] != '`' {
				continue
			}
			if i+1 < len(s) && s[i+1] == '`' {
				i++
				continue
			}
			return strings.ReplaceAll(s[1:i], "``", "`"), s[i+1:], true, true
		}
		return "", s, true, false
	}
	n := 0
	for n < len(s) && (s[n] == '_' || s[n] >= '0' && s[n] <= '9' || s[n]|0x20 >= 'a' && s[n]|0x20 <= 'z') {
		n++
	}
	return s[:n], s[n:], false, n > 0
}

// Name writes a schema's name, with quotes where they are needed.
func Name(parts []string) string {
	q := make([]string, len(parts))
	for i, p := range parts {
		q[i] = types.QuoteIfNeeded(p)
	}
	return strings.Join(q, ".")
}
