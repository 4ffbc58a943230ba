package fn

import (
	"encoding/base32"
	"strconv"
	"strings"
	"unicode/utf8"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// appendValid copies a text with U+FFFD in the place of each maximal run of bytes that no character starts with.
func appendValid(dst, s []byte) []byte {
	for len(s) > 0 {
		r, w := utf8.DecodeRune(s)
		if r != utf8.RuneError || w > 1 {
			dst = append(dst, s[:w]...)
			s = s[w:]
			continue
		}
		dst = append(dst, "\uFFFD"...)
		s = s[brokenPrefix(s):]
	}
	return dst
}

// brokenPrefix is how many bytes of an invalid start could have begun one character (Unicode's maximal subpart).
func brokenPrefix(s []byte) int {
	lo, hi, need := byte(0x80), byte(0xbf), 0
	switch c := s[0]; {
	case c >= 0xc2 && c <= 0xdf:
		need = 1
	case c >= 0xe0 && c <= 0xef:
		need = 2
		if c == 0xe0 {
			lo = 0xa0
		} else if c == 0xed {
			hi = 0x9f
		}
	case c >= 0xf0 && c <= 0xf4:
		need = 3
		if c == 0xf0 {
			lo = 0x90
		} else if c == 0xf4 {
			hi = 0x8f
		}
	}
	n := 1
	for n <= need && n < len(s) && s[n] >= lo && s[n] <= hi {
		n++
		lo, hi = 0x80, 0xbf
	}
	return n
}

// invalidBytes writes a text for a message, with the bytes that are no UTF-8 as \x80.
func invalidBytes(s []byte) string {
	var b strings.Builder
	for len(s) > 0 {
		r, w := utf8.DecodeRune(s)
		if r == utf8.RuneError && w == 1 {
			b.WriteString(`\x` + strings.ToUpper(strconv.FormatUint(uint64(s[0]), 16)))
		} else {
			b.Write(s[:w])
		}
		s = s[w:]
	}
	return b.String()
}

func validateText(try bool) Kernel {
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		s := a.V[0].Bytes(i)
		switch {
		case utf8.Valid(s):
			return append(dst, s...), true, nil
		case try:
			return nil, false, nil
		}
		return nil, false, errs.New(errs.IllegalArgument, "INVALID_UTF8_STRING", "str", invalidBytes(s)).At(a.pos())
	})
}

// jaroWinkler is the similarity of two texts, 0 to 1.
func jaroWinkler(x, y []rune, used *[]bool) float64 {
	if len(x) == 0 && len(y) == 0 {
		return 1
	}
	if len(x) == 0 || len(y) == 0 {
		return 0
	}
	reach := max(len(x), len(y))/2 - 1
	reach = max(reach, 0)
	need := len(x) + len(y)
	if cap(*used) < need {
		*used = make([]bool, need)
	}
	in := (*used)[:need]
	clear(in)
	a, b := in[:len(x)], in[len(x):]
	m := 0
	for i, r := range x {
		for k := max(0, i-reach); k < min(len(y), i+reach+1); k++ {
			if !b[k] && y[k] == r {
				a[i], b[k] = true, true
				m++
				break
			}
		}
	}
	if m == 0 {
		return 0
	}
	swapped, k := 0, 0
	for i := range x {
		if !a[i] {
			continue
		}
		for !b[k] {
			k++
		}
		if x[i] != y[k] {
			swapped++
		}
		k++
	}
	n := float64(m)
	jaro := (n/float64(len(x)) + n/float64(len(y)) + (n-float64(swapped)/2)/n) / 3
	prefix := 0
	for prefix < min(4, len(x), len(y)) && x[prefix] == y[prefix] {
		prefix++
	}
	return jaro + float64(prefix)*0.1*(1-jaro)
}

func textFunctions() []Def {
	str, bin := gives(types.StringType), gives(types.BinaryType)
	def := func(name, since, usage string, nulls NullRule, k Kernel, ret retFn, ex []Example, p ...Accept) Def {
		return Def{Name: name, Since: since, Group: "string_funcs", Usage: usage, Kind: plan.FnScalar, Nulls: nulls, Overloads: []Overload{sig(ret, k, p...)}, Examples: ex}
	}
	fromBase32 := textKernel(func(a *Args, i int, dst []byte) []byte {
		clean := make([]byte, 0, 16)
		for _, c := range a.V[0].Bytes(i) {
			if c >= 'a' && c <= 'z' {
				c -= 'a' - 'A'
			}
			if c == '=' {
				break
			}
			if c >= 'A' && c <= 'Z' || c >= '2' && c <= '7' { // the rest isn't looked at
				clean = append(clean, c)
			}
		}
		bits, n := uint64(0), 0
		for _, c := range clean {
			v := uint64(c - 'A')
			if c < 'A' {
				v = uint64(c-'2') + 26
			}
			if bits, n = bits<<5|v, n+1; n == 8 {
				dst = append(dst, byte(bits>>32), byte(bits>>24), byte(bits>>16), byte(bits>>8), byte(bits))
				bits, n = 0, 0
			}
		}
		// A last group gives its whole bytes; one of a single character gives a byte too.
		shift, whole := [...]int{0, 2, 2, 7, 4, 1, 6, 3}[n], [...]int{0, 1, 1, 1, 2, 3, 3, 4}[n]
		for whole--; whole >= 0; whole-- {
			dst = append(dst, byte(bits>>(shift+8*whole)))
		}
		return dst
	})
	jaro := func(a *Args) (*vec.Vector, error) {
		out := make([]float64, a.N)
		var used []bool
		for i := range out {
			if !a.skipped(i) {
				out[i] = jaroWinkler([]rune(a.V[0].Str(i)), []rune(a.V[1].Str(i)), &used)
			}
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return vec.FromSlice(a.Ret, out, nil), nil
	}
	return []Def{
		def("make_valid_utf8", "4.0.0", "Gives the text with U+FFFD in the place of what isn't UTF-8.", NullMaybe, textKernel(func(a *Args, i int, dst []byte) []byte { return appendValid(dst, a.V[0].Bytes(i)) }), str, []Example{{"SELECT make_valid_utf8('Spark')", "Spark"}, {"SELECT hex(make_valid_utf8(x'61C262'))", "61EFBFBD62"}}, stringP),
		def("validate_utf8", "4.0.0", "Gives the text, and fails when it isn't UTF-8.", NullMaybe, validateText(false), str, []Example{{"SELECT validate_utf8('Spark')", "Spark"}}, stringP),
		def("try_validate_utf8", "4.0.0", "Gives the text, or NULL when it isn't UTF-8.", NullMaybe, validateText(true), str, []Example{{"SELECT try_validate_utf8(x'80')", "NULL"}, {"SELECT try_validate_utf8('Spark')", "Spark"}}, stringP),
		def("to_base32", "4.3.0", "Writes a binary in base 32.", NullIn, textKernel(func(a *Args, i int, dst []byte) []byte { return base32.StdEncoding.AppendEncode(dst, a.V[0].Bytes(i)) }), str, []Example{{"SELECT to_base32('foobar')", "MZXW6YTBOI======"}}, binaryP),
		def("from_base32", "4.3.0", "Reads base 32.", NullIn, fromBase32, bin, []Example{{"SELECT decode(from_base32('MZXW6YTBOI======'), 'utf-8')", "foobar"}}, stringP),
		def("jaro_winkler_similarity", "4.3.0", "Gives how alike two texts are, from 0 to 1, by Jaro and Winkler.", NullMaybe, jaro, gives(types.Float64Type), []Example{{"SELECT jaro_winkler_similarity('MARTHA', 'MARHTA')", "0.9611111111111111"}, {"SELECT jaro_winkler_similarity('ABC', 'XYZ')", "0.0"}}, stringP, stringP),
	}
}
