package translate

import (
	"strings"

	"neptune/internal/errs"
)

// SplitName cuts a name at its dots; parts may be in backticks, doubled
// inside. It is for column names: every character but a dot and a backtick may stand bare.
// Error: INVALID_ATTRIBUTE_NAME_SYNTAX.
func SplitName(name string) ([]string, error) {
	bad := func() error {
		return errs.New(errs.Analysis, "INVALID_ATTRIBUTE_NAME_SYNTAX", "name", name)
	}
	var parts []string
	var b strings.Builder
	for i := 0; ; {
		b.Reset()
		if i < len(name) && name[i] == '`' {
			closed := false
			for i++; i < len(name); i++ {
				if name[i] != '`' {
					b.WriteByte(name[i])
					continue
				}
				if i+1 < len(name) && name[i+1] == '`' {
					b.WriteByte('`')
					i++
					continue
				}
				i++
				closed = true
				break
			}
			if !closed || i < len(name) && name[i] != '.' {
				return nil, bad()
			}
		} else {
			for ; i < len(name) && name[i] != '.'; i++ {
				if name[i] == '`' {
					return nil, bad()
				}
				b.WriteByte(name[i])
			}
			if b.Len() == 0 && name != "" {
				return nil, bad()
			}
		}
		parts = append(parts, b.String())
		if i >= len(name) {
			return parts, nil
		}
		i++ // the dot
		if i >= len(name) {
			return nil, bad()
		}
	}
}

// splitTable cuts a table's or function's name: error PARSE_SYNTAX_ERROR, as the SQL parser would give it.
func splitTable(name string) ([]string, error) {
	parts, err := SplitName(strings.TrimSpace(name))
	if err != nil || name == "" {
		at := "end of input"
		if name != "" {
			at = "'" + name + "'"
		}
		return nil, errs.New(errs.Parse, "PARSE_SYNTAX_ERROR", "error", at, "hint", "")
	}
	return parts, nil
}
