package fn

import (
	"strings"
	"unicode"

	"neptune/arrowexec/vec"
)

// endOfSentence finds where the first sentence of a text ends. A full stop ends one only before a space and
// what doesn't start with a small letter; other marks always do. Closing marks belong to the sentence.
func endOfSentence(text []rune) int {
	for i := 0; i < len(text); i++ {
		full := text[i] == '.'
		if !full && !strings.ContainsRune("!?。！？", text[i]) {
			continue
		}
		for i+1 < len(text) && strings.ContainsRune(".!?。！？)]}\"'”’", text[i+1]) {
			i++
			full = full && strings.ContainsRune(".)]}\"'”’", text[i])
		}
		next := i + 1
		for next < len(text) && unicode.IsSpace(text[next]) {
			next++
		}
		if !full || next > i+1 && (next == len(text) || !unicode.IsLower(text[next])) {
			return i + 1
		}
	}
	return len(text)
}

// words cuts a sentence: letters and digits go together, and so do letters around a mark as in "isn't" and
// "well-known", and digits around one as in "1,000.5". A sign before a number belongs to it, and what doesn't start with a
// letter or a digit is left out.
func words(text []rune, add func(string)) int {
	n := 0
	for i := 0; i < len(text); {
		from := i
		digit := func(k int) bool { return k < len(text) && unicode.IsDigit(text[k]) }
		letter := func(k int) bool { return k < len(text) && (unicode.IsLetter(text[k]) || text[k] == '_') }
		for (unicode.Is(unicode.Sc, text[i]) || text[i] == '#' || text[i] == '.') && i+1 < len(text) && (digit(i+1) || i > from) && !digit(i) {
			i++
		}
		for i < len(text) {
			r := text[i]
			switch {
			case letter(i), digit(i), unicode.Is(unicode.M, r):
				i++
				continue
			case i > from && letter(i-1) && letter(i+1) && (r == '\'' || r == '.' || r == '"' || unicode.Is(unicode.Pd, r)),
				i > from && digit(i-1) && digit(i+1) && (r == ',' || r == '.' || r == '\'' || r == '"'):
				i += 2
				continue
			case i > from && digit(i-1) && (r == '%' || r == '&'):
				i++
			}
			break
		}
		if i == from {
			i++
			continue
		}
		if unicode.IsLetter(text[from]) || unicode.IsDigit(text[from]) {
			add(string(text[from:i]))
			n++
		}
	}
	return n
}

// sentences cuts a text into sentences, and these into words. Language and country don't matter, and may be NULL.
func sentences(a *Args) (*vec.Vector, error) {
	b := vec.NewBuilder(a.Ret, a.N)
	for i := range a.N {
		if a.skipped(i) || a.V[0].IsNull(i) {
			b.AppendNull()
			continue
		}
		n := 0
		for text := []rune(a.V[0].Str(i)); len(text) > 0; {
			end := endOfSentence(text)
			inner := b.Child(0)
			// A sentence without words counts too, but blanks at the end belong to the one before.
			if k := words(text[:end], inner.Child(0).AppendString); k > 0 || n == 0 || strings.TrimSpace(string(text[:end])) != "" {
				inner.EndList(k)
				n++
			}
			text = text[end:]
		}
		b.EndList(n)
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return b.Finish(), nil
}
