package fn

import (
	"slices"
	"strings"
	"sync"
	"time"
)

// Conf is the part of the session's configuration that kernels use.
type Conf struct {
	TimeZone *time.Location
	ANSI     bool
	Keys     map[string]string // all settings, for the few functions that look at a legacy one
}

// groups lists the files of the table.
func groups() [][]Def {
	return [][]Def{
		arithmetic(), comparison(), conditional(), patterns(), textCore(), datetimeCore(), datetimeParts(), datetimePatterns(), arrayFunctions(), mapFunctions(), lambdaFunctions(), regexpFunctions(), textMore(), formatFunctions(), jsonFunctions(), csvFunctions(), xmlFunctions(), collationFunctions(), thetaFunctions(), hllSketches(), countMinFunctions(), frequentItems(), kllTables(), tupleFunctions(), spatialFunctions(), mathCore(), valuesCore(), misc(), numberBases(),
		charVarchar(), variantFunctions(), variantChanges(), placing(),
		collectUnion(), counters(), tableFunctions(),
		timeFunctions(), numberFormats(), vectorFunctions(), cryptoFunctions(), textFunctions(), randomFunctions(), documented(), bitmapFunctions(),
		aggregates(), windows(), generators(),
	}
}

var table = sync.OnceValue(func() map[string]*Def {
	m := map[string]*Def{}
	for _, g := range groups() {
		for i := range g {
			d := &g[i]
			m[d.Name] = d
			for _, a := range d.Aliases {
				m[a] = d
			}
		}
	}
	return m
})

var all = sync.OnceValue(func() []*Def {
	var out []*Def
	for n, d := range table() {
		if n == d.Name {
			out = append(out, d)
		}
	}
	slices.SortFunc(out, func(a, b *Def) int { return strings.Compare(a.Name, b.Name) })
	return out
})
