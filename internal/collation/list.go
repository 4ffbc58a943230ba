package collation

import (
	_ "embed"
	"slices"
	"strings"
	"sync"
)

// Entry is a collation as the table function collations() tells of it.
type Entry struct {
	Name, Language, Country string // Language and Country are English names, and empty where there is none
	Accents, Case, Trim     bool   // whether accents and case tell strings apart, and whether blanks at the end don't
	Version                 string // of ICU that the names are from; empty for collations that aren't ICU's
}

// Row is the collation as SHOW COLLATIONS and the function collations list it; what it lacks is "".
func (e Entry) Row() []string {
	pad := "NO_PAD"
	if e.Trim {
		pad = "RTRIM"
	}
	return []string{e.Name, e.Language, e.Country, "ACCENT_" + sensitivity(e.Accents), "CASE_" + sensitivity(e.Case), pad, e.Version}
}

func sensitivity(yes bool) string {
	if yes {
		return "SENSITIVE"
	}
	return "INSENSITIVE"
}

// localeNames has a line a locale: its name, and the names of its language and country, of ICU 78.3.
//
//go:embed locales.tsv
var localeNames string

// All lists the collations in Spark's order: those by code points, then those of locales by name.
var All = sync.OnceValue(func() []Entry {
	out := []Entry{
		{Name: "UTF8_BINARY", Accents: true, Case: true}, {Name: "UTF8_LCASE", Accents: true},
		{Name: "UTF8_BINARY_RTRIM", Accents: true, Case: true, Trim: true}, {Name: "UTF8_LCASE_RTRIM", Accents: true, Trim: true},
	}
	n := len(out)
	for line := range strings.Lines(localeNames) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		for i := range 8 {
			e := Entry{Name: f[0], Language: f[1], Country: f[2], Case: i&4 == 0, Accents: i&2 == 0, Trim: i&1 == 1, Version: "78.3.0.0"}
			for _, m := range []struct {
				on   bool
				name string
			}{{!e.Case, "_CI"}, {!e.Accents, "_AI"}, {e.Trim, "_RTRIM"}} {
				if m.on {
					e.Name += m.name
				}
			}
			out = append(out, e)
		}
	}
	slices.SortFunc(out[n:], func(a, b Entry) int { return strings.Compare(a.Name, b.Name) })
	return out
})
