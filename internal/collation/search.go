package collation

import (
	"bytes"
	"unicode"
	"unicode/utf8"
)

// Finder looks for one string in others under a collation. It is for one goroutine.
type Finder struct {
	c     *Collation
	part  []byte
	want  []byte // its key
	empty bool   // part equals the empty string
	key   []byte
	// Yield is called every now and then in long strings; a search that it stops finds nothing.
	Yield func() error
}

// Finder makes the finder of part.
func (c *Collation) Finder(part []byte) *Finder {
	f := &Finder{c: c, part: bytes.Clone(part)}
	switch {
	case c.locale != "":
		f.want = c.icuKey(nil, part)
		f.empty = bytes.Equal(f.want, c.icuKey(nil, nil))
	case c.lower:
		f.want = AppendLower(nil, part)
		f.empty = len(part) == 0
	default:
		f.want, f.empty = f.part, len(part) == 0
	}
	return f
}

// Part is what the finder looks for.
func (f *Finder) Part() []byte { return f.part }

// Empty reports whether what is looked for equals the empty string.
func (f *Finder) Empty() bool { return f.empty }

// Next finds the first match at or after from, and its end; -1: there is none.
func (f *Finder) Next(s []byte, from int) (at, end int) {
	if f.empty {
		return from, from
	}
	for n := 1; from < len(s); n++ {
		if end := f.At(s, from); end >= 0 {
			return from, end
		}
		from = f.After(s, from)
		if n%64 == 0 && f.Yield != nil && f.Yield() != nil {
			break
		}
	}
	return -1, -1
}

// Last finds the last match that ends at or before to; -1: there is none.
func (f *Finder) Last(s []byte, to int) (at, end int) {
	if f.empty {
		return to, to
	}
	for from, n := to, 1; from > 0; n++ {
		from = f.Before(s, from)
		if end := f.At(s[:to], from); end >= 0 {
			return from, end
		}
		if n%64 == 0 && f.Yield != nil && f.Yield() != nil {
			break
		}
	}
	return -1, -1
}

// starts reports whether a match may start or end at place i of s: between characters, and under the collation
// algorithm not before a mark that belongs to the character in front of it.
func (f *Finder) starts(s []byte, i int) bool {
	if i <= 0 || i >= len(s) {
		return true
	}
	if !utf8.RuneStart(s[i]) {
		return false
	}
	if f.c.locale == "" || s[i] < utf8.RuneSelf {
		return true
	}
	r, _ := utf8.DecodeRune(s[i:])
	return !unicode.Is(unicode.M, r)
}

// After is the next place behind i where a match may start.
func (f *Finder) After(s []byte, i int) int {
	for i++; i < len(s) && !f.starts(s, i); i++ {
	}
	return i
}

// Before is the place in front of i where a match may start.
func (f *Finder) Before(s []byte, i int) int {
	for i--; i > 0 && !f.starts(s, i); i-- {
	}
	return i
}

// At is the end of the match that starts at a place of s; -1: none does.
func (f *Finder) At(s []byte, from int) int {
	if f.empty {
		return from
	}
	switch {
	case f.c.locale != "":
		// A string is a match if its key is; one with a longer key than what is wanted can't become one.
		for end := from; end < len(s); {
			first := end == from
			end = f.After(s, end)
			f.key = f.c.icuKey(f.key[:0], s[from:end])
			switch {
			case bytes.Equal(f.key, f.want):
				return end
			case len(f.key) > len(f.want),
				// In the root collation the first character decides on the first weight.
				first && f.c.locale == "UNICODE" && len(f.key) > 1 && len(f.want) > 1 && f.key[0]|f.key[1] != 0 && (f.key[0] != f.want[0] || f.key[1] != f.want[1]):
				return -1
			}
		}
		return -1
	case f.c.lower:
		var low [2 * utf8.UTFMax]byte
		rest := f.want
		for len(rest) > 0 && from < len(s) {
			_, n := utf8.DecodeRune(s[from:])
			l := AppendLower(low[:0], s[from:from+n])
			if !bytes.HasPrefix(rest, l) {
				return -1
			}
			rest, from = rest[len(l):], from+n
		}
		if len(rest) == 0 {
			return from
		}
		return -1
	}
	if bytes.HasPrefix(s[from:], f.want) {
		return from + len(f.want)
	}
	return -1
}

// EndsWith reports whether a match ends where s does.
func (f *Finder) EndsWith(s []byte) bool {
	if f.empty {
		return true
	}
	for from := len(s); from > 0; {
		from = f.Before(s, from)
		if f.At(s, from) == len(s) {
			return true
		}
		if f.c.locale == "" && 4*len(f.want) < len(s)-from {
			return false
		}
		if f.c.locale != "" {
			if f.key = f.c.icuKey(f.key[:0], s[from:]); len(f.key) > len(f.want) {
				return false
			}
		}
	}
	return false
}
