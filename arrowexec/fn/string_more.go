package fn

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"

	"neptune/arrowexec/vec"
	"neptune/internal/collation"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// tryText makes a kernel that writes one text a row and may fail, or give null (ok false).
func tryText(f func(a *Args, i int, dst []byte) (out []byte, ok bool, err error)) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		b, next := newStrings(a.N, 8*a.N), 0
		for i := range a.N {
			start := len(b.buf)
			if a.skipped(i) {
				b.end(start)
				continue
			}
			out, ok, err := f(a, i, b.buf)
			if err != nil {
				return nil, err
			}
			if !ok {
				b.addNull(a.N)
				continue
			}
			b.buf = out
			b.end(start)
			a.grown(&next, len(b.buf))
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return b.finish(a.Ret), nil
	}
}

func concatWs(a *Args) (*vec.Vector, error) {
	sep := a.V[0]
	b, next := newStrings(a.N, 16*a.N), 0
	for i := range a.N {
		if sep.IsNull(i) {
			b.addNull(a.N)
			continue
		}
		start, first := len(b.buf), true
		put := func(x []byte) {
			if !first {
				b.buf = append(b.buf, sep.Bytes(i)...)
			}
			first = false
			a.grown(&next, len(b.buf))
			b.buf = append(b.buf, x...)
		}
		for _, v := range a.V[1:] {
			switch {
			case v.IsNull(i):
			case v.Layout == vec.List:
				r := vec.Refs(v)[i]
				for k := r.Start(); k < r.Start()+r.Len(); k++ {
					if !v.Child[0].IsNull(k) {
						put(v.Child[0].Bytes(k))
					}
				}
			default:
				put(v.Bytes(i))
			}
		}
		b.end(start)
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return b.finish(a.Ret), nil
}

// initcap starts words, which blanks part, with a capital and puts the rest in small letters.
func initcap(a *Args, i int, dst []byte) []byte {
	s := a.V[0].Bytes(i)
	if ascii(s) && collationOf(a.V[0].Type) == nil {
		start := true
		for _, c := range s {
			switch {
			case start && c >= 'a' && c <= 'z':
				c -= 'a' - 'A'
			case !start && c >= 'A' && c <= 'Z':
				c += 'a' - 'A'
			}
			dst = append(dst, c)
			start = c == ' '
		}
		return dst
	}
	low := []rune(string(caserOf(a, cases.Lower).Bytes(s)))
	words := searched(a.V[0].Type) != nil
	for k, r := range low {
		var start bool
		if words {
			start = inWord(r) && (k == 0 || !inWord(low[k-1]) && !joins(low, k-1))
		} else {
			start = k == 0 || low[k-1] == ' '
		}
		if start {
			dst = append(dst, titleOf(r)...)
		} else {
			dst = utf8.AppendRune(dst, r)
		}
	}
	return dst
}

func inWord(r rune) bool {
	return unicode.IsLetter(r) || unicode.IsDigit(r) || unicode.Is(unicode.M, r) || r == '_'
}

// joins reports whether the mark at a place of a text keeps the letters around it in one word.
func joins(s []rune, k int) bool {
	return k > 0 && k+1 < len(s) && strings.ContainsRune("'’.·:", s[k]) && unicode.IsLetter(s[k-1]) && unicode.IsLetter(s[k+1])
}

// titleOf is a character at the start of a word; a ligature becomes several.
func titleOf(r rune) string {
	if t := unicode.ToTitle(r); t != r || !unicode.IsLower(r) {
		return string(t)
	}
	return cases.Title(language.Und).String(string(r))
}

// substringIndexCollated counts the matches of a finder from the start, or from the end where n is negative.
func substringIndexCollated(f *collation.Finder, s []byte, n int) (int, int) {
	if f.Empty() {
		return 0, 0
	}
	for at := 0; n > 0; n-- {
		k, _ := f.Next(s, at)
		if k < 0 {
			break
		}
		if at = f.After(s, k); n == 1 { // matches may overlap
			return 0, k
		}
	}
	for to := len(s); n < 0; n++ {
		k, end := f.Last(s, to)
		if k < 0 {
			break
		}
		if n == -1 {
			return end, len(s)
		}
		to = f.Before(s, end)
	}
	return 0, len(s)
}

func substringIndex(a *Args, i int, s []byte) (int, int) {
	sep, n := a.V[1].Bytes(i), a.i32(2, i)
	if c := collationOf(a.V[0].Type); c != nil && !c.Lower() && !c.ICU() {
		sep = bytes.TrimRight(sep, " ") // the collation differs from the default one in that
	}
	if len(sep) == 0 || n == 0 {
		return 0, 0
	}
	if c := searched(a.V[0].Type); c != nil {
		return substringIndexCollated(searchesOf(a).finder(a, c, sep), s, n)
	}
	if n > 0 {
		at := 0
		for ; n > 0; n-- {
			k := bytes.Index(s[at:], sep)
			if k < 0 {
				return 0, len(s)
			}
			if at += k; n == 1 {
				return 0, at
			}
			at++
		}
		return 0, at
	}
	end := len(s)
	for ; n < 0; n++ {
		k := bytes.LastIndex(s[:end], sep)
		if k < 0 {
			return 0, len(s)
		}
		if n == -1 {
			return k + len(sep), len(s)
		}
		end = min(k+len(sep)-1, len(s))
	}
	return 0, len(s)
}

func translate(a *Args, i int, dst []byte) []byte {
	from, to := []rune(a.V[1].Str(i)), []rune(a.V[2].Str(i))
	if c := searched(a.V[0].Type); c != nil {
		st := searchesOf(a)
		for s := a.V[0].Bytes(i); len(s) > 0; {
			n := charLen(c, s)
			switch k := st.inSet(c, a.V[1].Bytes(i), s[:n]); {
			case k < 0:
				dst = append(dst, s[:n]...)
			case k < len(to):
				dst = utf8.AppendRune(dst, to[k])
			}
			s = s[n:]
		}
		return dst
	}
next:
	for _, r := range a.V[0].Str(i) {
		for k, f := range from {
			if f == r {
				if k < len(to) {
					dst = utf8.AppendRune(dst, to[k])
				}
				continue next
			}
		}
		dst = utf8.AppendRune(dst, r)
	}
	return dst
}

// intIfAny is the type of an INT that may be null where an argument may be.
func intIfAny(c *plan.Call) (*types.Type, bool, error) {
	return types.Int32Type, slices.ContainsFunc(c.Args, plan.Expr.Nullable), nil
}

// levenshtein counts edits, up to a threshold that is 0 where it is null, unless it is NULL itself.
func levenshtein(a *Args) (*vec.Vector, error) {
	if len(a.V) > 2 && a.Const[2] != nil && a.Const[2].Value == nil {
		return vec.MakeNull(a.Ret, a.N), nil
	}
	a.Skip = make([]bool, a.N)
	for i := range a.Skip {
		a.Skip[i] = a.V[0].IsNull(i) || a.V[1].IsNull(i)
	}
	var prev, cur []int
	return intKernel(func(a *Args, i int) int {
		x, y := []rune(a.V[0].Str(i)), []rune(a.V[1].Str(i))
		prev, cur = prev[:0], cur[:0]
		for k := range len(y) + 1 {
			prev, cur = append(prev, k), append(cur, 0)
		}
		for p, r := range x {
			cur[0] = p + 1
			for q, s := range y {
				cost := 1
				if r == s {
					cost = 0
				}
				cur[q+1] = min(prev[q]+cost, prev[q+1]+1, cur[q]+1)
			}
			prev, cur = cur, prev
		}
		d := prev[len(y)]
		if len(a.V) > 2 && (d > 0 && a.V[2].IsNull(i) || !a.V[2].IsNull(i) && d > a.i32(2, i)) {
			return -1
		}
		return d
	})(a)
}

// soundexCode has the digit of each letter; 7 marks H and W, which don't part equal digits.
const soundexCode = "01230127022455012623017202"

func soundex(a *Args, i int, dst []byte) []byte {
	s := a.V[0].Bytes(i)
	letter := func(c byte) (byte, bool) { c &^= 0x20; return c, c >= 'A' && c <= 'Z' }
	if len(s) == 0 {
		return dst
	}
	first, ok := letter(s[0])
	if !ok {
		return append(dst, s...)
	}
	start := len(dst)
	dst = append(dst, first)
	last := soundexCode[first-'A']
	for _, c := range s[1:] {
		if len(dst)-start == 4 {
			break
		}
		c, ok := letter(c)
		if !ok {
			last = '0'
			continue
		}
		code := soundexCode[c-'A']
		if code == '7' {
			continue
		}
		if code != '0' && code != last {
			dst = append(dst, code)
		}
		last = code
	}
	for len(dst)-start < 4 {
		dst = append(dst, '0')
	}
	return dst
}

func chr(a *Args, i int, dst []byte) []byte {
	n := vec.Of[int64](a.V[0])[i]
	if n < 0 {
		return dst
	}
	return utf8.AppendRune(dst, rune(n&0xff))
}

func appendBase64(dst, s []byte) []byte { return base64.StdEncoding.AppendEncode(dst, s) }

// decodeBase64 is lenient about line breaks and padding, as MIME is.
func decodeBase64(dst, s []byte) ([]byte, bool) {
	clean := make([]byte, 0, len(s))
	for _, c := range s {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '+', c == '/':
			clean = append(clean, c)
		}
	}
	out, err := base64.RawStdEncoding.AppendDecode(dst, clean)
	return out, err == nil
}

const charsets = "UTF-8, US-ASCII, ISO-8859-1, UTF-16, UTF-16BE, UTF-16LE, UTF-32"

func badCharset(a *Args, name string) error {
	return errs.New(errs.IllegalArgument, "INVALID_PARAMETER_VALUE.CHARSET", "parameter", errs.ID("charset"), "functionName", errs.ID(a.Call.Name), "charset", name, "charsets", charsets).At(a.pos())
}

func badCoding(a *Args, name string) error {
	return errs.New(errs.Runtime, "MALFORMED_CHARACTER_CODING", "function", errs.ID(a.Call.Name), "charset", name).At(a.pos())
}

func encodeText(a *Args, i int, dst []byte) ([]byte, bool, error) {
	s, name := a.V[0].Str(i), charsetOf(a, a.V[1].Str(i))
	if latinGaps[name] != nil && !a.legacy("spark.sql.legacy.javaCharsets") {
		return nil, false, badCharset(a, a.V[1].Str(i))
	}
	switch name {
	case "UTF-8":
		return append(dst, s...), true, nil
	case "US-ASCII", "ISO-8859-1", "WINDOWS-1252":
		for _, r := range s {
			c, ok := encodeByte(name, r)
			if !ok && !a.legacy("spark.sql.legacy.codingErrorAction") {
				return nil, false, badCoding(a, name)
			}
			dst = append(dst, c)
		}
		return dst, true, nil
	case "UTF-16", "UTF-16BE", "UTF-16LE":
		units := utf16.Encode([]rune(s))
		if name == "UTF-16" && len(units) > 0 {
			dst = append(dst, 0xfe, 0xff)
		}
		for _, u := range units {
			if name == "UTF-16LE" {
				dst = append(dst, byte(u), byte(u>>8))
			} else {
				dst = append(dst, byte(u>>8), byte(u))
			}
		}
		return dst, true, nil
	case "UTF-32":
		for _, r := range s {
			dst = append(dst, byte(r>>24), byte(r>>16), byte(r>>8), byte(r))
		}
		return dst, true, nil
	}
	return nil, false, badCharset(a, a.V[1].Str(i))
}

func decodeText(a *Args, i int, dst []byte) ([]byte, bool, error) {
	s, name := a.V[0].Bytes(i), charsetOf(a, a.V[1].Str(i))
	lenient := a.legacy("spark.sql.legacy.codingErrorAction")
	if latinGaps[name] != nil && !a.legacy("spark.sql.legacy.javaCharsets") {
		return nil, false, badCharset(a, a.V[1].Str(i))
	}
	switch name {
	case "UTF-8":
		switch {
		case utf8.Valid(s):
			return append(dst, s...), true, nil
		case lenient:
			return appendValid(dst, s), true, nil
		}
		return nil, false, badCoding(a, name)
	case "US-ASCII", "ISO-8859-1", "WINDOWS-1252":
		for _, c := range s {
			r, ok := decodeByte(name, c)
			if !ok && !lenient {
				return nil, false, badCoding(a, name)
			}
			dst = utf8.AppendRune(dst, r)
		}
		return dst, true, nil
	case "UTF-16", "UTF-16BE", "UTF-16LE":
		little := name == "UTF-16LE"
		if name == "UTF-16" && len(s) >= 2 && (s[0] == 0xfe && s[1] == 0xff || s[0] == 0xff && s[1] == 0xfe) {
			little = s[0] == 0xff
			s = s[2:]
		}
		if len(s)%2 != 0 {
			return nil, false, badCoding(a, name)
		}
		units := make([]uint16, 0, len(s)/2)
		for ; len(s) > 0; s = s[2:] {
			if little {
				units = append(units, uint16(s[1])<<8|uint16(s[0]))
			} else {
				units = append(units, uint16(s[0])<<8|uint16(s[1]))
			}
		}
		return append(dst, string(utf16.Decode(units))...), true, nil
	case "UTF-32":
		if len(s)%4 != 0 {
			return nil, false, badCoding(a, name)
		}
		for ; len(s) > 0; s = s[4:] {
			dst = utf8.AppendRune(dst, rune(s[0])<<24|rune(s[1])<<16|rune(s[2])<<8|rune(s[3]))
		}
		return dst, true, nil
	}
	return nil, false, badCharset(a, a.V[1].Str(i))
}

// overlay puts a text over another from a position on, over as many characters as it has or as are told.
func overlay(chars bool) Kernel {
	return textKernel(func(a *Args, i int, dst []byte) []byte {
		s, r, pos := a.V[0].Bytes(i), a.V[1].Bytes(i), a.i32(2, i)
		n := -1
		if len(a.V) > 3 {
			n = a.i32(3, i)
		}
		if n < 0 {
			if n = len(r); chars {
				n = utf8.RuneCount(r)
			}
		}
		from, to := substringRange(s, 1, pos-1, chars)
		dst = append(append(dst, s[from:to]...), r...)
		if from, to = substringRange(s, pos+n, math.MaxInt32-max(pos+n, 0), chars); to > from {
			dst = append(dst, s[from:to]...)
		}
		return dst
	})
}

func elt(a *Args) (*vec.Vector, error) {
	b := newStrings(a.N, 0)
	for i := range a.N {
		if a.V[0].IsNull(i) {
			b.addNull(a.N)
			continue
		}
		n := a.i32(0, i)
		if n < 1 || n >= len(a.V) {
			if a.Mode == plan.ANSI {
				return nil, errs.New(errs.ArrayIndex, "INVALID_ARRAY_INDEX", "indexValue", strconv.Itoa(n), "arraySize", strconv.Itoa(len(a.V)-1)).At(a.pos())
			}
			b.addNull(a.N)
			continue
		}
		if a.V[n].IsNull(i) {
			b.addNull(a.N)
		} else {
			b.add(a.V[n].Bytes(i))
		}
	}
	return b.finish(a.Ret), nil
}

func findInSet(a *Args, i int) int {
	x, set := a.V[0].Bytes(i), a.V[1].Bytes(i)
	c := collationOf(a.V[1].Type)
	var st *searches
	if c != nil {
		st = searchesOf(a)
	}
	if bytes.IndexByte(x, ',') >= 0 {
		return 0
	}
	for n := 1; ; n++ {
		part, rest, more := bytes.Cut(set, []byte(","))
		if c == nil && bytes.Equal(part, x) || c != nil && st.equal(c, part, x) {
			return n
		}
		if !more {
			return 0
		}
		set = rest
	}
}

func urlDecode(try bool) Kernel {
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		s, err := url.QueryUnescape(a.V[0].Str(i))
		if err != nil {
			if try {
				return nil, false, nil
			}
			return nil, false, errs.New(errs.IllegalArgument, "CANNOT_DECODE_URL", "url", a.V[0].Str(i)).Because(err).At(a.pos())
		}
		return append(dst, s...), true, nil
	})
}

func urlEncode(a *Args, i int, dst []byte) []byte {
	const digits = "0123456789ABCDEF"
	s := a.V[0].Bytes(i)
	if !utf8.Valid(s) {
		s = appendValid(nil, s)
	}
	for _, c := range s {
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '.', c == '-', c == '*', c == '_':
			dst = append(dst, c)
		case c == ' ':
			dst = append(dst, '+')
		default:
			dst = append(dst, '%', digits[c>>4], digits[c&15])
		}
	}
	return dst
}

func parseURL(try bool) Kernel {
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		text := a.V[0].Str(i)
		u, err := url.Parse(text)
		if err == nil && strings.ContainsAny(text, " <>{}|\\^`\"") {
			err = url.InvalidHostError(text)
		}
		if err != nil {
			if try || a.Mode != plan.ANSI {
				return nil, false, nil
			}
			return nil, false, errs.New(errs.IllegalArgument, "INVALID_URL", "url", text).Because(err).At(a.pos())
		}
		part, some := "", true
		query := u.RawQuery
		switch a.V[1].Str(i) {
		case "HOST":
			part = u.Hostname()
			some = part != ""
		case "PATH":
			part = u.EscapedPath()
		case "QUERY":
			part, some = query, query != "" || u.ForceQuery
			if len(a.V) > 2 {
				some = false
				for _, kv := range strings.Split(query, "&") {
					if k, v, ok := strings.Cut(kv, "="); ok && k == a.V[2].Str(i) {
						part, some = v, true
						break
					}
				}
			}
		case "REF":
			part = u.EscapedFragment()
			some = part != ""
		case "PROTOCOL":
			part = u.Scheme
			some = part != ""
		case "FILE":
			if part = u.EscapedPath(); query != "" {
				part += "?" + query
			}
		case "AUTHORITY":
			if part = u.Host; u.User != nil {
				part = u.User.String() + "@" + part
			}
			some = part != ""
		case "USERINFO":
			if some = u.User != nil; some {
				part = u.User.String()
			}
		default:
			some = false
		}
		if len(a.V) > 2 && a.V[1].Str(i) != "QUERY" {
			some = false
		}
		return append(dst, part...), some, nil
	})
}

// mask replaces letters and digits; a null replacement keeps what it would replace.
func mask(a *Args) (*vec.Vector, error) {
	def := [4]string{"X", "x", "n", ""}
	b := newStrings(a.N, 8*a.N)
	for i := range a.N {
		if a.V[0].IsNull(i) {
			b.addNull(a.N)
			continue
		}
		var to [4]rune // 0 keeps
		for k := range to {
			s := def[k]
			if k+1 < len(a.V) {
				if s = ""; !a.V[k+1].IsNull(i) {
					s = a.V[k+1].Str(i)
				}
			}
			for _, r := range s {
				to[k] = r
				break
			}
		}
		start := len(b.buf)
		for _, r := range string(a.V[0].Bytes(i)) {
			k := 3
			switch {
			case unicode.IsUpper(r):
				k = 0
			case unicode.IsLower(r):
				k = 1
			case unicode.IsDigit(r):
				k = 2
			}
			if to[k] != 0 {
				r = to[k]
			}
			b.buf = utf8.AppendRune(b.buf, r)
		}
		b.end(start)
	}
	return b.finish(a.Ret), nil
}

// retMask checks that the replacements are constants of one character.
func retMask(c *plan.Call) (*types.Type, bool, error) {
	for i, name := range []string{"", "upperChar", "lowerChar", "digitChar", "otherChar"}[:len(c.Args)] {
		if i == 0 {
			continue
		}
		if err := mustBeConstant(c, i, name, `"STRING"`); err != nil {
			return nil, false, err
		}
		if v, ok := constant(c.Args[i]); ok {
			if s, isText := v.(string); isText && utf8.RuneCountInString(s) != 1 {
				return nil, false, errs.New(errs.Analysis, "DATATYPE_MISMATCH.INPUT_SIZE_NOT_ONE", "sqlExpr", "", "exprName", errs.ID(name))
			}
		}
	}
	return types.StringType, true, nil
}

func luhn(a *Args) (*vec.Vector, error) {
	out := make([]bool, a.N)
	for i := range out {
		if a.skipped(i) {
			continue
		}
		s := a.V[0].Bytes(i)
		sum, ok := 0, len(s) > 0
		for k := range s {
			d := int(s[len(s)-1-k]) - '0'
			if d < 0 || d > 9 {
				ok = false
				break
			}
			if k%2 == 1 {
				if d *= 2; d > 9 {
					d -= 9
				}
			}
			sum += d
		}
		out[i] = ok && sum%10 == 0
	}
	return vec.FromSlice(types.BoolType, out, nil), nil
}

func toBinary(try bool) Kernel {
	return tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		s, format := a.V[0].Bytes(i), "hex"
		if len(a.V) > 1 {
			format = a.V[1].Str(i)
		}
		ok := true
		switch strings.ToLower(format) {
		case "hex":
			if len(s)%2 != 0 {
				s = append([]byte{'0'}, s...)
			}
			var err error
			var out []byte
			if out, err = hex.AppendDecode(nil, s); err != nil {
				ok = false
			}
			dst = append(dst, out...)
		case "utf-8", "utf8":
			dst = append(dst, s...)
		case "base64":
			var out []byte
			if out, ok = decodeBase64(nil, s); ok && base64Valid(s) {
				dst = append(dst, out...)
			} else {
				ok = false
			}
		default:
			return nil, false, badBinaryFormat(format).At(a.pos())
		}
		if !ok {
			if try {
				return nil, false, nil
			}
			return nil, false, errs.New(errs.IllegalArgument, "CONVERSION_INVALID_INPUT", "str", errs.Text(string(s)), "fmt", errs.Text(strings.ToUpper(format)), "targetType", `"BINARY"`, "suggestion", errs.ID("try_to_binary")).At(a.pos())
		}
		return dst, true, nil
	})
}

func badBinaryFormat(s string) *errs.Error {
	return errs.New(errs.Analysis, "DATATYPE_MISMATCH.INVALID_ARG_VALUE", "sqlExpr", "to_binary", "inputName", "fmt", "requireType", `case-insensitive "STRING"`, "validValues", "'hex', 'utf-8', 'utf8', or 'base64'", "inputValue", errs.Text(s))
}

// base64Valid is stricter than reading: blanks may stand between the digits, and
// nothing behind the padding, which fills the last four.
func base64Valid(s []byte) bool {
	digits, pad := 0, 0
	for _, c := range s {
		switch {
		case c == '=':
			if pad++; pad > 2 {
				return false
			}
		case pad > 0:
			return false
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c == '+', c == '/':
			digits++
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
		default:
			return false
		}
	}
	if pad > 0 {
		return (digits+pad)%4 == 0
	}
	return digits%4 != 1
}

// retToBinary checks the format, which must be a constant.
func retToBinary(c *plan.Call) (*types.Type, bool, error) {
	if len(c.Args) > 1 {
		if err := mustBeConstant(c, 1, "fmt", `"STRING"`); err != nil {
			return nil, false, err
		}
		if v, ok := constant(c.Args[1]); ok {
			s, isText := v.(string)
			switch strings.ToLower(s) {
			case "hex", "utf-8", "utf8", "base64":
			default:
				if isText {
					return nil, false, badBinaryFormat(s)
				}
			}
		}
	}
	return types.BinaryType, true, nil
}

func quoteText(a *Args, i int, dst []byte) []byte {
	dst = append(dst, '\'')
	for _, c := range a.V[0].Bytes(i) {
		if c == '\'' {
			dst = append(dst, '\\')
		}
		dst = append(dst, c)
	}
	return append(dst, '\'')
}

func uuids(a *Args) (*vec.Vector, error) {
	r, err := rowRandom(a, 0)
	if err != nil {
		return nil, err
	}
	return textKernel(func(_ *Args, _ int, dst []byte) []byte {
		hi, lo := r.uint64()&^0xf000|0x4000, r.uint64()&^(1<<62)|1<<63
		var b [16]byte
		for k := range 8 {
			b[k], b[8+k] = byte(hi>>(56-8*k)), byte(lo>>(56-8*k))
		}
		for k, part := range [][]byte{b[:4], b[4:6], b[6:8], b[8:10], b[10:]} {
			if k > 0 {
				dst = append(dst, '-')
			}
			dst = hex.AppendEncode(dst, part)
		}
		return dst
	})(a)
}

// noBlock is what there is of rows that are of no file: those of files get a column of the scan instead.
func noBlock(a *Args) (*vec.Vector, error) { return vec.Repeat(types.Int64Type, int64(-1), a.N) }

func textMore() []Def {
	str, i32, bin := gives(types.StringType), gives(types.Int32Type), gives(types.BinaryType)
	def := func(name, since, usage, sql, want string, o ...Overload) Def {
		return Def{Name: name, Since: since, Group: "string_funcs", Usage: usage, Kind: plan.FnScalar, Overloads: o, Examples: []Example{{sql, want}}}
	}
	alias := func(d Def, n ...string) Def { d.Aliases = n; return d }
	nulls := func(d Def, r NullRule) Def { d.Nulls = r; return d }
	group := func(d Def, g string) Def { d.Group = g; return d }
	random := func(d Def) Def { d.Random, d.Nulls = true, NullNever; return d }
	wsP := Accept{Name: `("STRING" or "ARRAY<STRING>")`, Types: []*types.Type{types.StringType}, Test: func(t *types.Type) bool {
		return t.IsString() || t.Kind == types.Array && t.Elem.IsString()
	}}
	ws := nulls(def("concat_ws", "1.5.0", "Joins texts and arrays of texts with a separator; nulls are left out.", "SELECT concat_ws(' ', 'Spark', 'SQL')", "Spark SQL", Overload{Params: params(stringP, wsP), Variadic: true, VarMin0: true, RetExpr: func(c *plan.Call) (*types.Type, bool, error) {
		return types.StringType, c.Args[0].Nullable(), nil
	}, Eval: concatWs}), NullKernel)
	ascii := intKernel(func(a *Args, i int) int {
		r, w := utf8.DecodeRune(a.V[0].Bytes(i))
		if w == 0 {
			return 0
		}
		return int(r)
	})
	unbase := tryText(func(a *Args, i int, dst []byte) ([]byte, bool, error) {
		out, ok := decodeBase64(dst, a.V[0].Bytes(i))
		if !ok {
			return nil, false, errs.New(errs.IllegalArgument, "CONVERSION_INVALID_INPUT", "str", errs.Text(a.V[0].Str(i)), "fmt", `"BASE64"`, "targetType", `"BINARY"`, "suggestion", errs.ID("try_to_binary")).At(a.pos())
		}
		return out, true, nil
	})
	space := textKernel(func(a *Args, i int, dst []byte) []byte {
		return a.fill(dst, []byte{' '}, max(a.i32(0, i), 0))
	})
	sub := cutKernel(substringIndex)
	maskO := func(n int) Overload {
		p := params(onlyTextP, onlyTextP, onlyTextP, onlyTextP, onlyTextP)[:n]
		return Overload{Params: p, RetExpr: retMask, Eval: mask}
	}
	masked := nulls(def("mask", "3.4.0", "Replaces capitals by X, small letters by x and digits by n, or by what is given; a NULL keeps them.", "SELECT mask('abcd-EFGH-8765-4321')", "xxxx-XXXX-nnnn-nnnn", maskO(1), maskO(2), maskO(3), maskO(4), maskO(5)), NullKernel)
	masked.Pretty = withDefaults("mask", 1, "X", "x", "n", "NULL")
	constText := func(s string) Kernel {
		return textKernel(func(_ *Args, _ int, dst []byte) []byte { return append(dst, s...) })
	}
	ids := func(a *Args) (*vec.Vector, error) {
		next, err := state(a, func() (*int64, error) { n := int64(a.Env.Partition) << 33; return &n, nil })
		if err != nil {
			return nil, err
		}
		out := make([]int64, a.N)
		for i := range out {
			out[i] = *next
			*next++
		}
		return vec.FromSlice(types.Int64Type, out, nil), nil
	}
	part := func(a *Args) (*vec.Vector, error) {
		out := make([]int32, a.N)
		for i := range out {
			out[i] = int32(a.Env.Partition)
		}
		return vec.FromSlice(types.Int32Type, out, nil), nil
	}
	words := gives(types.NewArray(types.NewArray(types.StringType, false), false))
	eltDef := nulls(def("elt", "2.0.0", "Gives the n-th of the texts that follow, from 1.", "SELECT elt(1, 'scala', 'java')", "scala", Overload{Params: params(int32P, stringP), Variadic: true, Ret: str, Eval: elt}, Overload{Params: params(int32P, onlyBinaryP), Variadic: true, Ret: bin, Eval: elt}), NullKernel)
	eltDef.Ansi = true
	urlPart := func(name string, try bool, sql, want string) Def {
		k := parseURL(try)
		return group(nulls(def(name, "2.0.0", "Gives a part of a URL: HOST, PATH, QUERY (or one of its values), REF, PROTOCOL, FILE, AUTHORITY or USERINFO.", sql, want, sig(str, k, onlyTextP, onlyTextP), sig(str, k, onlyTextP, onlyTextP, onlyTextP)), NullMaybe), "url_funcs")
	}
	return []Def{
		ws,
		def("initcap", "1.5.0", "Starts each word with a capital, with the rest in small letters.", "SELECT initcap('sPark sql')", "Spark Sql", sig(str, textKernel(initcap), stringP)),
		def("substring_index", "1.5.0", "Gives what stands before the n-th delimiter, or after it when counting from the end.", "SELECT substring_index('www.apache.org', '.', 2)", "www.apache", sig(str, sub, stringP, stringP, int32P)),
		def("translate", "1.5.0", "Replaces characters one by one.", "SELECT translate('AaBbCc', 'abc', '123')", "A1B2C3", sig(str, textKernel(translate), stringP, stringP, stringP)),
		{Name: "levenshtein", Since: "1.5.0", Group: "string_funcs", Usage: "Counts the edits that turn one text into another; -1 when they are more than a threshold.", Kind: plan.FnScalar, Nulls: NullKernel,
			Examples:  []Example{{"SELECT levenshtein('kitten', 'sitting')", "3"}},
			Overloads: []Overload{{Params: params(stringP, stringP), RetExpr: intIfAny, Eval: levenshtein}, {Params: params(stringP, stringP, int32P), RetExpr: intIfAny, Eval: levenshtein}}},
		def("soundex", "1.5.0", "Gives the Soundex code of a word.", "SELECT soundex('Miller')", "M460", sig(str, textKernel(soundex), onlyTextP)),
		def("ascii", "1.5.0", "Gives the number of the first character.", "SELECT ascii('222')", "50", sig(i32, ascii, stringP)),
		alias(def("chr", "2.3.0", "Gives the character of a number, modulo 256.", "SELECT chr(65)", "A", sig(str, textKernel(chr), int64P)), "char"),
		def("base64", "1.5.0", "Writes a binary in base 64.", "SELECT base64('Spark SQL')", "U3BhcmsgU1FM", sig(str, textKernel(func(a *Args, i int, dst []byte) []byte { return appendBase64(dst, a.V[0].Bytes(i)) }), binaryP)),
		def("unbase64", "1.5.0", "Reads base 64.", "SELECT unbase64('U3BhcmsgU1FM')", "Spark SQL", sig(bin, unbase, stringP)),
		nulls(def("encode", "1.5.0", "Writes a text in a character set.", "SELECT encode('abc', 'utf-8')", "abc", sig(bin, tryText(encodeText), stringP, stringP)), NullMaybe),
		nulls(def("decode", "1.5.0", "Reads a text in a character set.", "SELECT decode(encode('abc', 'utf-8'), 'utf-8')", "abc", sig(str, tryText(decodeText), binaryP, stringP)), NullMaybe),
		def("overlay", "3.0.0", "Puts a text over a part of another.", "SELECT overlay('Spark SQL' PLACING '_' FROM 6)", "Spark_SQL", sig(str, overlay(true), stringP, stringP, int32P), sig(str, overlay(true), stringP, stringP, int32P, int32P), sig(bin, overlay(false), binaryP, binaryP, int32P), sig(bin, overlay(false), binaryP, binaryP, int32P, int32P)),
		def("space", "1.5.0", "Gives so many blanks.", "SELECT concat(space(2), '1')", "  1", sig(str, space, int32P)),
		nulls(def("sentences", "2.0.0", "Cuts a text into sentences of words.", "SELECT sentences('Hi there! Good morning.')", `[["Hi","there"],["Good","morning"]]`, sig(words, sentences, stringP), sig(words, sentences, stringP, stringP), sig(words, sentences, stringP, stringP, stringP)), NullKernel),
		eltDef,
		def("find_in_set", "1.5.0", "Gives the position of a text in a list parted by commas, from 1; 0 if it isn't there.", "SELECT find_in_set('ab', 'abc,b,ab,c,def')", "3", sig(i32, intKernel(findInSet), stringP, stringP)),
		group(nulls(def("url_encode", "3.4.0", "Writes a text so that it can be part of a URL.", "SELECT url_encode('https://spark.apache.org')", "https%3A%2F%2Fspark.apache.org", sig(str, textKernel(urlEncode), stringP)), NullMaybe), "url_funcs"),
		group(nulls(def("url_decode", "3.4.0", "Reads a part of a URL.", "SELECT url_decode('https%3A%2F%2Fspark.apache.org')", "https://spark.apache.org", sig(str, urlDecode(false), stringP)), NullMaybe), "url_funcs"),
		group(nulls(def("try_url_decode", "4.0.0", "Is url_decode, with NULL for what can't be read.", "SELECT try_url_decode('https%3A%2F%2Fspark.apache.org')", "https://spark.apache.org", sig(str, urlDecode(true), stringP)), NullMaybe), "url_funcs"),
		urlPart("parse_url", false, "SELECT parse_url('http://spark.apache.org/path?query=1', 'QUERY', 'query')", "1"),
		urlPart("try_parse_url", true, "SELECT try_parse_url('inva lid://spark.apache.org/path?query=1', 'QUERY')", "NULL"),
		masked,
		nulls(def("luhn_check", "3.5.0", "Is true when a text is a number whose last digit is its Luhn check digit.", "SELECT luhn_check('8112189876')", "true", sig(gives(types.BoolType), luhn, stringP)), NullMaybe),
		def("btrim", "3.2.0", "Takes blanks, or the characters given, off both ends.", "SELECT btrim('    SparkSQL   ')", "SparkSQL", sig(str, trim(true, true), stringP), sig(str, trim(true, true), stringP, stringP)),
		nulls(def("to_binary", "3.3.0", "Reads a binary written as 'hex', 'utf-8' or 'base64'.", "SELECT to_binary('abc', 'utf-8')", "abc", Overload{Params: params(stringP), RetExpr: retToBinary, Eval: toBinary(false)}, Overload{Params: params(stringP, stringP), RetExpr: retToBinary, Eval: toBinary(false)}), NullMaybe),
		nulls(def("try_to_binary", "3.3.0", "Is to_binary, with NULL for what can't be read.", "SELECT try_to_binary('a!', 'hex')", "NULL", Overload{Params: params(stringP), RetExpr: retToBinary, Eval: toBinary(true)}, Overload{Params: params(stringP, stringP), RetExpr: retToBinary, Eval: toBinary(true)}), NullMaybe),
		nulls(def("quote", "4.1.0", "Puts a text in quotes, with a backslash before those inside.", `SELECT quote('Don\'t')`, `'Don\'t'`, sig(str, textKernel(quoteText), stringP)), NullMaybe),
		nulls(def("is_valid_utf8", "4.0.0", "Is true when the text is valid UTF-8.", "SELECT is_valid_utf8('Spark')", "true", sig(gives(types.BoolType), func(a *Args) (*vec.Vector, error) {
			out := make([]bool, a.N)
			for i := range out {
				out[i] = utf8.Valid(a.V[0].Bytes(i))
			}
			return vec.FromSlice(types.BoolType, out, nil), nil
		}, stringP)), NullMaybe),
		group(random(def("uuid", "2.3.0", "Gives a random UUID.", "SELECT length(uuid())", "36", sig(str, uuids), sig(str, uuids, int64P))), "misc_funcs"),
		group(nulls(def("version", "3.0.0", "Gives the version of Spark that answers are those of.", "SELECT version() LIKE '4.3%'", "true", sig(str, constText("4.3.0"))), NullNever), "misc_funcs"),
		group(random(def("spark_partition_id", "1.4.0", "Gives the number of the task's partition.", "SELECT spark_partition_id()", "0", sig(i32, part))), "misc_funcs"),
		group(random(def("monotonically_increasing_id", "1.4.0", "Gives numbers that grow within a partition and differ between partitions.", "SELECT monotonically_increasing_id()", "0", sig(gives(types.Int64Type), ids))), "misc_funcs"),
		group(random(def("input_file_block_start", "2.2.0", "Gives where the block of a file that is read begins, 0 as files are read in one block each; -1 of other rows.", "SELECT input_file_block_start()", "-1", sig(gives(types.Int64Type), noBlock))), "misc_funcs"),
		group(random(def("input_file_block_length", "2.2.0", "Gives how many bytes the block of a file that is read has, as many as the file; -1 of other rows.", "SELECT input_file_block_length()", "-1", sig(gives(types.Int64Type), noBlock))), "misc_funcs"),
		group(random(def("input_file_name", "1.5.0", "Gives the file that is read, or an empty text.", "SELECT input_file_name()", "", sig(str, constText("")))), "misc_funcs"),
	}
}
