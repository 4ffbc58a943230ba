// Package collation compares strings as Spark's collations do: UTF8_BINARY and
// UTF8_LCASE by code points, UNICODE and the locales by the Unicode Collation
// Algorithm with CLDR's tailorings. Every comparison goes by keys: equal keys
// are equal strings, and the order of keys is the order of strings.
package collation

import (
	"bytes"
	"slices"
	"strings"
	"sync"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/collate"
	"golang.org/x/text/language"
	"golang.org/x/text/unicode/norm"
)

// Collation is one of the collations; immutable, and safe for use by many.
type Collation struct {
	name   string
	locale string // of ICU collations
	lower  bool   // UTF8_LCASE
	trim   bool   // _RTRIM: blanks at the end don't count
	ci, ai bool
	pool   sync.Pool // of *worker
}

type worker struct {
	c   *collate.Collator
	buf collate.Buffer
}

// locales are those that Spark lists, in the form of their names.
const locales = `UNICODE af am ar ar_SAU as az be bg blo bn bo br bs bs_Cyrl ca ceb chr cs cy da de de_AUT dsb dz ee el en en_USA eo es et fa ` +
	`fa_AFG ff ff_Adlm fi fil fo fr fr_CAN fy ga gl gu ha haw he he_ISR hi hr hsb hu hy id id_IDN ig is it ja ka kk kk_Arab kl km kn ko kok ku ` +
	`ky lb lij lkt ln lo lt lv mk ml mn mr ms mt my nb nb_NOR ne nl nn no nso om or pa pa_Guru pa_Guru_IND pl ps pt ro ru sa se si sk sl smn sq ` +
	`sr sr_Cyrl sr_Cyrl_BIH sr_Cyrl_MNE sr_Cyrl_SRB sr_Latn sr_Latn_BIH sr_Latn_SRB st sv sw ta te th tk tn to tr ug uk ur uz vi wae wo xh yi yo ` +
	`zh zh_Hans zh_Hans_CHN zh_Hans_SGP zh_Hant zh_Hant_HKG zh_Hant_MAC zh_Hant_TWN zu`

// countries are the regions of locales: ISO 3166-1's three letters, which names have, and two, which tags have.
var countries = map[string]string{"SAU": "SA", "AUT": "AT", "USA": "US", "AFG": "AF", "CAN": "CA", "ISR": "IL", "IDN": "ID", "NOR": "NO", "IND": "IN",
	"BIH": "BA", "MNE": "ME", "SRB": "RS", "CHN": "CN", "SGP": "SG", "HKG": "HK", "MAC": "MO", "TWN": "TW"}

var byUpper = sync.OnceValue(func() map[string]string {
	m := map[string]string{}
	for l := range strings.FieldsSeq(locales) {
		m[strings.ToUpper(l)] = l
	}
	return m
})

var known sync.Map // upper-case name to *Collation

// Lookup finds a collation by its name, in any case and with its modifiers in any order.
func Lookup(name string) (*Collation, bool) {
	up := strings.ToUpper(name)
	if c, ok := known.Load(up); ok {
		return c.(*Collation), true
	}
	c := parse(up)
	if c == nil {
		return nil, false
	}
	if c.name != name {
		if same, ok := known.Load(strings.ToUpper(c.name)); ok {
			c = same.(*Collation)
		}
	}
	got, _ := known.LoadOrStore(up, c)
	return got.(*Collation), true
}

func parse(up string) *Collation {
	if rest, ok := strings.CutPrefix(up, "UTF8_BINARY"); ok {
		return plain("UTF8_BINARY", rest, false)
	}
	if rest, ok := strings.CutPrefix(up, "UTF8_LCASE"); ok {
		return plain("UTF8_LCASE", rest, true)
	}
	parts := strings.Split(up, "_")
	n := len(parts)
	for ; n > 0; n-- { // the longest locale
		if _, ok := byUpper()[strings.Join(parts[:n], "_")]; ok {
			break
		}
	}
	if n == 0 {
		return nil
	}
	c := &Collation{locale: byUpper()[strings.Join(parts[:n], "_")]}
	cased, accented := false, false
	for _, p := range parts[n:] {
		switch {
		case c.trim:
			return nil // RTRIM is last
		case (p == "CI" || p == "CS") && !cased:
			cased, c.ci = true, p == "CI"
		case (p == "AI" || p == "AS") && !accented:
			accented, c.ai = true, p == "AI"
		case p == "RTRIM":
			c.trim = true
		default:
			return nil
		}
	}
	c.name = c.locale
	if c.ci {
		c.name += "_CI"
	}
	if c.ai {
		c.name += "_AI"
	}
	if c.trim {
		c.name += "_RTRIM"
	}
	return c
}

func plain(name, rest string, lower bool) *Collation {
	switch rest {
	case "":
		return &Collation{name: name, lower: lower}
	case "_RTRIM":
		return &Collation{name: name + rest, lower: lower, trim: true}
	}
	return nil
}

// Name is the collation's name as Spark writes it.
func (c *Collation) Name() string { return c.name }

// Binary reports whether strings compare by their bytes.
func (c *Collation) Binary() bool { return c.locale == "" && !c.lower && !c.trim }

// Trims reports whether blanks at the end don't count.
func (c *Collation) Trims() bool { return c.trim }

// Lower reports whether the collation is UTF8_LCASE, with or without RTRIM.
func (c *Collation) Lower() bool { return c.lower }

// ICU reports whether the collation is one of the Unicode Collation Algorithm.
func (c *Collation) ICU() bool { return c.locale != "" }

// Fold reports whether letters that differ in case only are equal.
func (c *Collation) Fold() bool { return c.lower || c.ci }

// Empty reports whether s equals the empty string.
func (c *Collation) Empty(s []byte) bool {
	return len(s) == 0 || (c.trim || c.locale != "") && bytes.Equal(c.Key(nil, s), c.Key(nil, nil))
}

// CaseOnly reports whether case counts and accents don't.
func (c *Collation) CaseOnly() bool { return c.ai && !c.ci }

// Key appends the key of s to dst.
func (c *Collation) Key(dst, s []byte) []byte {
	if c.trim {
		s = bytes.TrimRight(s, " ")
	}
	switch {
	case c.locale != "":
		return c.icuKey(dst, s)
	case c.lower:
		return AppendLower(dst, s)
	}
	return append(dst, s...)
}

func (c *Collation) icuKey(dst, s []byte) []byte {
	w, _ := c.pool.Get().(*worker)
	if w == nil {
		w = &worker{c: collate.New(c.tag(), c.options()...)}
	}
	if !utf8.Valid(s) {
		s = bytes.ToValidUTF8(s, []byte("\uFFFD"))
	}
	if c.ai && !c.ci {
		s = withoutMarks(s)
	}
	w.buf.Reset()
	dst = append(dst, w.c.Key(&w.buf, s)...)
	c.pool.Put(w)
	return dst
}

func (c *Collation) tag() language.Tag {
	if c.locale == "UNICODE" {
		return language.Und
	}
	parts := strings.Split(c.locale, "_")
	if last := countries[parts[len(parts)-1]]; last != "" {
		parts[len(parts)-1] = last
	}
	return language.Make(strings.Join(parts, "-"))
}

func (c *Collation) options() []collate.Option {
	var o []collate.Option
	if c.ci {
		o = append(o, collate.IgnoreCase, collate.IgnoreWidth)
	}
	if c.ai {
		o = append(o, collate.IgnoreDiacritics)
	}
	return o
}

// withoutMarks takes accents away: what is compared without accents but with case.
func withoutMarks(s []byte) []byte {
	d := norm.NFD.Bytes(s)
	return bytes.Map(func(r rune) rune {
		if unicode.Is(unicode.Mn, r) {
			return -1
		}
		return r
	}, d)
}

// AppendLower appends s in lower case, code point by code point, as UTF8_LCASE compares: the capital I with a dot
// becomes two code points, and a final sigma is a sigma.
func AppendLower(dst, s []byte) []byte {
	for len(s) > 0 {
		if b := s[0]; b < utf8.RuneSelf {
			if 'A' <= b && b <= 'Z' {
				b += 'a' - 'A'
			}
			dst = append(dst, b)
			s = s[1:]
			continue
		}
		r, n := utf8.DecodeRune(s)
		switch {
		case r == utf8.RuneError && n == 1:
			dst = utf8.AppendRune(dst, r)
		case r == 0x130:
			dst = append(dst, "i\u0307"...)
		case r == 0x3c2:
			dst = utf8.AppendRune(dst, 0x3c3)
		default:
			dst = utf8.AppendRune(dst, unicode.ToLower(r))
		}
		s = s[n:]
	}
	return dst
}

// Suggest lists three known names that are like one that isn't known.
func Suggest(name string) string {
	up := strings.ToUpper(name)
	type near struct {
		name string
		d    int
	}
	var l []near
	for n := range strings.FieldsSeq("UTF8_BINARY UTF8_LCASE " + locales) {
		l = append(l, near{n, distance(up, strings.ToUpper(n))})
	}
	slices.SortStableFunc(l, func(a, b near) int { return a.d - b.d })
	return l[0].name + ", " + l[1].name + ", " + l[2].name
}

// distance is Levenshtein's.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		prev := row[0]
		row[0] = i + 1
		for j := range len(b) {
			d := prev
			if a[i] != b[j] {
				d++
			}
			prev = row[j+1]
			row[j+1] = min(d, row[j]+1, prev+1)
		}
	}
	return row[len(b)]
}
