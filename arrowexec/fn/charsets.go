package fn

import "strings"

// Character sets that are read and written where spark.sql.legacy.javaCharsets is set.

// latinGaps has, for a set of single bytes, the characters of 0x80 on where they aren't Latin-1's; 0 is none.
var latinGaps = map[string][]rune{
	"WINDOWS-1252": {0x20ac, 0, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160, 0x2039, 0x0152, 0, 0x017d, 0,
		0, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022, 0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0, 0x017e, 0x0178},
}

var charsetNames = map[string]string{"CP1252": "WINDOWS-1252", "WINDOWS-1252": "WINDOWS-1252", "UTF8": "UTF-8", "ASCII": "US-ASCII", "LATIN1": "ISO-8859-1", "ISO8859-1": "ISO-8859-1", "ISO_8859-1": "ISO-8859-1"}

// charsetOf is the name of a set; legacy ones only where the session takes Java's.
func charsetOf(a *Args, name string) string {
	name = strings.ToUpper(name)
	if a.legacy("spark.sql.legacy.javaCharsets") {
		if n := charsetNames[name]; n != "" {
			return n
		}
	}
	return name
}

// legacy reports whether a setting of the session is true.
func (a *Args) legacy(key string) bool {
	return a.Env.Conf != nil && strings.EqualFold(a.Env.Conf.Keys[key], "true")
}

func encodeByte(set string, r rune) (byte, bool) {
	gaps := latinGaps[set]
	if r < 0x80 || r <= 0xff && set != "US-ASCII" && (gaps == nil || r >= 0xa0) {
		return byte(r), true
	}
	for k, g := range gaps {
		if g == r {
			return byte(0x80 + k), true
		}
	}
	return '?', false
}

func decodeByte(set string, c byte) (rune, bool) {
	switch gaps := latinGaps[set]; {
	case c < 0x80, gaps == nil && set != "US-ASCII", gaps != nil && c >= 0xa0:
		return rune(c), true
	case gaps != nil && gaps[c-0x80] != 0:
		return gaps[c-0x80], true
	}
	return 0xfffd, false
}
