package fn

import (
	"bytes"
	"encoding/binary"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"

	"neptune/arrowexec/vec"
	"neptune/internal/collation"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"

	"golang.org/x/text/cases"
	"golang.org/x/text/language"
)

// textKernel makes a kernel that writes one string (or binary) a row.
func textKernel(f func(a *Args, i int, dst []byte) []byte) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		size := 8 * a.N
		if len(a.V) > 0 && a.V[0].Layout == vec.Bytes && a.N > 0 {
			size = 0
			for _, r := range vec.Refs(a.V[0]) {
				size += r.Len()
			}
		}
		b := newStrings(a.N, size)
		next := size
		for i := range a.N {
			start := len(b.buf)
			if !a.skipped(i) {
				b.buf = f(a, i, b.buf)
			}
			b.end(start)
			a.grown(&next, len(b.buf))
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return b.finish(a.Ret), nil
	}
}

// cutKernel makes a kernel that gives a part of its first argument, which isn't copied.
func cutKernel(f func(a *Args, i int, s []byte) (from, to int)) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		src := a.V[0]
		out := make([]vec.Ref, a.N)
		for i, r := range vec.Refs(src) {
			if a.skipped(i) {
				continue
			}
			from, to := f(a, i, src.Buf[r.Start():r.Start()+r.Len()])
			if to > from {
				out[i] = vec.MakeRef(r.Start()+from, to-from)
			}
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		v := vec.FromSlice(a.Ret, out, nil)
		v.Buf = src.Buf
		return v, nil
	}
}

func intKernel(f func(a *Args, i int) int) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := make([]int32, a.N)
		for i := range out {
			if !a.skipped(i) {
				out[i] = int32(f(a, i))
			}
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return vec.FromSlice(a.Ret, out, nil), nil
	}
}

func boolKernel(f func(x, y []byte) bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		out := make([]bool, a.N)
		for i := range out {
			if !a.skipped(i) {
				out[i] = f(a.V[0].Bytes(i), a.V[1].Bytes(i))
			}
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return vec.FromSlice(types.BoolType, out, nil), nil
	}
}

// i32 is an INT argument of row i.
func (a *Args) i32(arg, i int) int { return int(vec.Of[int32](a.V[arg])[i]) }

// ascii reports whether characters are bytes.
func ascii(s []byte) bool {
	for _, c := range s {
		if c >= utf8.RuneSelf {
			return false
		}
	}
	return true
}

// runeOffset is the byte offset of character n, or len(s).
func runeOffset(s []byte, n int) int {
	i := 0
	for ; n > 0 && i < len(s); n-- {
		if s[i] < utf8.RuneSelf {
			i++
			continue
		}
		_, w := utf8.DecodeRune(s[i:])
		i += w
	}
	return i
}

// substringRange is the range of bytes of substring(s, pos, n): pos counts from 1, or from the end when negative.
func substringRange(s []byte, pos, n int, chars bool) (int, int) {
	if n <= 0 {
		return 0, 0
	}
	plain := !chars
	if chars && pos > 0 && pos+n-1 <= len(s) && pos+n > 0 && ascii(s[:pos+n-1]) {
		return pos - 1, pos + n - 1
	}
	total := len(s)
	if !plain && !ascii(s) {
		total = utf8.RuneCount(s)
	} else {
		plain = true
	}
	start := pos
	switch {
	case pos > 0:
		start = pos - 1
	case pos < 0:
		start = total + pos
	}
	end := min(start+n, total)
	start = max(start, 0)
	if end <= start {
		return 0, 0
	}
	if plain {
		return start, end
	}
	from := runeOffset(s, start)
	return from, from + runeOffset(s[from:], end-start)
}

func substring(chars bool) Kernel {
	each := cutKernel(func(a *Args, i int, s []byte) (int, int) {
		n := math.MaxInt32
		if len(a.V) > 2 {
			n = a.i32(2, i)
		}
		return substringRange(s, a.i32(1, i), n, chars)
	})
	return func(a *Args) (*vec.Vector, error) {
		if a.N > 0 && len(a.V) == 3 && a.Const[1] != nil && a.Const[2] != nil && !a.V[1].IsNull(0) && !a.V[2].IsNull(0) {
			if pos, n := a.i32(1, 0), a.i32(2, 0); pos > 0 && n > 0 && pos+n-1 <= 8 {
				return cutFirst(a, pos-1, pos+n-1, chars)
			}
		}
		return each(a)
	}
}

// cutFirst gives characters (or bytes) from to to, both of them among the first eight.
func cutFirst(a *Args, from, to int, chars bool) (*vec.Vector, error) {
	src := a.V[0]
	buf := src.Buf
	out := make([]vec.Ref, a.N)
	var high uint64 // the high bits of the bytes that must be characters
	if chars {
		high = 0x8080808080808080 >> (8 * (8 - to))
	}
	for i, r := range vec.Refs(src)[:a.N] {
		if at, n := r.Start(), r.Len(); n >= to && at+8 <= len(buf) && binary.LittleEndian.Uint64(buf[at:])&high == 0 {
			out[i] = vec.MakeRef(at+from, to-from)
		} else if !a.skipped(i) {
			if lo, hi := substringRange(buf[at:at+n], from+1, to-from, chars); hi > lo {
				out[i] = vec.MakeRef(at+lo, hi-lo)
			}
		}
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	v := vec.FromSlice(a.Ret, out, nil)
	v.Buf = buf
	return v, nil
}

// concat joins strings, binaries or arrays.
func concat(a *Args) (*vec.Vector, error) {
	if len(a.V) == 0 {
		return textKernel(func(_ *Args, _ int, dst []byte) []byte { return dst })(a)
	}
	if a.Ret.Kind == types.Array {
		return concatArrays(a)
	}
	return textKernel(func(a *Args, i int, dst []byte) []byte {
		for _, v := range a.V {
			dst = append(dst, v.Bytes(i)...)
		}
		return dst
	})(a)
}

func concatArrays(a *Args) (*vec.Vector, error) {
	b := vec.NewBuilder(a.Ret, a.N)
	for i := range a.N {
		n := 0
		if !a.skipped(i) {
			for _, v := range a.V {
				r := vec.Refs(v)[i]
				b.Child(0).AppendVector(retypeVec(v.Child[0], a.Ret.Elem).Slice(r.Start(), r.Start()+r.Len()))
				n += r.Len()
			}
		}
		b.EndList(n)
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return b.Finish(), nil
}

func retypeVec(v *vec.Vector, t *types.Type) *vec.Vector {
	if v.Layout == vec.None && t.Kind != types.Null {
		return vec.MakeNull(t, v.N)
	}
	return v
}

// trim takes characters of a set (a blank by default, or the second argument) off the ends.
func trim(left, right bool) Kernel {
	return cutKernel(func(a *Args, i int, s []byte) (int, int) {
		if len(a.V) == 1 {
			from, to := 0, len(s)
			for left && from < to && s[from] == ' ' {
				from++
			}
			for right && to > from && s[to-1] == ' ' {
				to--
			}
			return from, to
		}
		if c := searched(a.V[0].Type); c != nil {
			return trimSet(a, c, s, a.V[1].Bytes(i), left, right)
		}
		set := a.V[1].Str(i)
		from, to := 0, len(s)
		if left {
			from = to - len(bytes.TrimLeft(s, set))
		}
		if right {
			to = from + len(bytes.TrimRight(s[from:], set))
		}
		return from, to
	})
}

func pad(left bool) Kernel {
	return textKernel(func(a *Args, i int, dst []byte) []byte {
		s, n := a.V[0].Bytes(i), a.i32(1, i)
		fill := []byte{' '}
		chars := a.Ret.Kind != types.Binary
		if !chars {
			fill[0] = 0
		}
		if len(a.V) > 2 {
			fill = a.V[2].Bytes(i)
		}
		if n <= 0 {
			return dst
		}
		have := len(s)
		if chars {
			have = utf8.RuneCount(s)
		}
		if have >= n || len(fill) == 0 {
			if chars {
				return append(dst, s[:runeOffset(s, n)]...)
			}
			return append(dst, s[:min(n, have)]...)
		}
		chunk := len(fill)
		if chars {
			chunk = utf8.RuneCount(fill)
		}
		need := n - have
		rest := need % chunk // of fill, at the end
		if chars {
			rest = runeOffset(fill, rest)
		}
		a.room(len(dst), len(s)+need/chunk*len(fill)+rest)
		if !left {
			dst = append(dst, s...)
		}
		dst = append(a.fill(dst, fill, need/chunk), fill[:rest]...)
		if left {
			dst = append(dst, s...)
		}
		return dst
	})
}

// locateFrom is the position, from 1, of sub in s at or after position from; 0: nowhere.
func locateFrom(a *Args, t *types.Type, sub, s []byte, from int) int {
	if from < 1 {
		return 0
	}
	off := runeOffset(s, from-1)
	if len(sub) > 0 && utf8.RuneCount(s[:off]) < from-1 {
		return 0
	}
	if len(sub) == 0 {
		return 1
	}
	i, _ := indexOf(a, t, s, sub, off)
	if i < 0 {
		return 0
	}
	return from + utf8.RuneCount(s[off:i])
}

// locate is locate(part, text[, position]): 0 where the position is NULL, be the rest what it may.
func locate(a *Args) (*vec.Vector, error) {
	out, null := make([]int32, a.N), make([]bool, a.N)
	for i := range out {
		switch {
		case len(a.V) > 2 && a.V[2].IsNull(i):
		case a.V[0].IsNull(i) || a.V[1].IsNull(i):
			null[i] = true
		default:
			from := 1
			if len(a.V) > 2 {
				from = a.i32(2, i)
			}
			out[i] = int32(locateFrom(a, a.V[0].Type, a.V[0].Bytes(i), a.V[1].Bytes(i), from))
		}
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return vec.FromSlice(a.Ret, out, null), nil
}

// instrFrom is instr(text, part, position[, occurrence]): a negative position counts from the end, and
// the search then goes backwards. Occurrences may overlap.
func instrFrom(a *Args) (*vec.Vector, error) {
	out := make([]int32, a.N)
	for i := range out {
		if a.skipped(i) {
			continue
		}
		at, nth := a.i32(2, i), 1
		if len(a.V) > 3 {
			nth = a.i32(3, i)
		}
		if nth < 1 {
			return nil, errs.New(errs.Runtime, "INVALID_PARAMETER_VALUE.OCCURRENCE", "functionName", errs.ID(a.Call.Name), "parameter", errs.ID("occurrence"), "actual", strconv.Itoa(nth)).At(a.pos())
		}
		out[i] = int32(nthPlace(a, a.V[0].Type, a.V[1].Bytes(i), a.V[0].Bytes(i), at, nth))
		if err := a.yields(i); err != nil {
			return nil, err
		}
	}
	return vec.FromSlice(a.Ret, out, nil), nil
}

// nthPlace is the place, from 1, of the nth occurrence of sub in s from position at on, or, if that is negative, from there backwards; 0: there is none.
func nthPlace(a *Args, t *types.Type, sub, s []byte, at, nth int) int {
	switch {
	case len(sub) == 0:
		return 1
	case at > 0:
		for at = locateFrom(a, t, sub, s, at); at > 0 && nth > 1; nth-- {
			at = locateFrom(a, t, sub, s, at+1)
		}
		return at
	case at == 0:
		return 0
	}
	last := utf8.RuneCount(s) + at + 1
	var places []int
	for p := locateFrom(a, t, sub, s, 1); p > 0 && p <= last; p = locateFrom(a, t, sub, s, p+1) {
		places = append(places, p)
	}
	if nth > len(places) {
		return 0
	}
	return places[len(places)-nth]
}

func chars(v *vec.Vector, i int) int {
	b := v.Bytes(i)
	if v.Type.Kind == types.Binary {
		return len(b)
	}
	return utf8.RuneCount(b)
}

func reverseText(a *Args, i int, dst []byte) []byte {
	s := a.V[0].Bytes(i)
	for len(s) > 0 {
		_, w := utf8.DecodeLastRune(s)
		dst = append(dst, s[len(s)-w:]...)
		s = s[:len(s)-w]
	}
	return dst
}

func reverseBytes(a *Args, i int, dst []byte) []byte {
	from := len(dst)
	dst = append(dst, a.V[0].Bytes(i)...)
	slices.Reverse(dst[from:])
	return dst
}

// caserOf is the kernel's mapping of cases by the full tables: a letter may become several, and a sigma at the end of
// a word is a final one.
func caserOf(a *Args, kind func(language.Tag, ...cases.Option) cases.Caser) cases.Caser {
	c, _ := state(a, func() (*cases.Caser, error) { c := kind(language.Und); return &c, nil })
	return *c
}

func upper(a *Args, i int, dst []byte) []byte {
	s := a.V[0].Bytes(i)
	if !ascii(s) {
		return append(dst, caserOf(a, cases.Upper).Bytes(s)...)
	}
	for _, c := range s {
		if c >= 'a' && c <= 'z' {
			c -= 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

func lower(a *Args, i int, dst []byte) []byte {
	s := a.V[0].Bytes(i)
	if !ascii(s) {
		return append(dst, caserOf(a, cases.Lower).Bytes(s)...)
	}
	for _, c := range s {
		if c >= 'A' && c <= 'Z' {
			c += 'a' - 'A'
		}
		dst = append(dst, c)
	}
	return dst
}

func textCore() []Def {
	str, i32 := gives(types.StringType), gives(types.Int32Type)
	textP := Accept{Name: `("STRING" or "BINARY")`, Types: []*types.Type{types.StringType}, Test: func(t *types.Type) bool { return t.IsString() || t.Kind == types.Binary }}
	def := func(name, since, usage string, ex Example, o ...Overload) Def {
		return Def{Name: name, Since: since, Group: "string_funcs", Usage: usage, Kind: plan.FnScalar, Overloads: o, Examples: []Example{ex}}
	}
	alias := func(d Def, names ...string) Def { d.Aliases = names; return d }
	kernelNulls := func(d Def) Def { d.Nulls = NullKernel; return d }
	len2 := func(f func(v *vec.Vector, i int) int) Kernel {
		return intKernel(func(a *Args, i int) int { return f(a.V[0], i) })
	}
	replace := textKernel(func(a *Args, i int, dst []byte) []byte {
		s, from, to := a.V[0].Bytes(i), a.V[1].Bytes(i), []byte(nil)
		if len(a.V) > 2 {
			to = a.V[2].Bytes(i)
		}
		if len(from) == 0 {
			return append(dst, s...)
		}
		for at, next := 0, 0; ; {
			a.grown(&next, len(dst))
			k, end := indexOf(a, a.V[0].Type, s, from, at)
			if k < 0 || end == at {
				return append(dst, s[at:]...)
			}
			dst = append(append(dst, s[at:k]...), to...)
			at = end
		}
	})
	bool2 := func(k Kernel) []Overload {
		return []Overload{sig(gives(types.BoolType), k, stringP, stringP), {Params: params(binaryP, binaryP), RetExpr: retNullable(types.BoolType), Eval: k}}
	}
	found := func(c *plan.Call) (*types.Type, bool, error) {
		return types.Int32Type, c.Args[0].Nullable() || c.Args[1].Nullable(), nil
	}
	return []Def{
		alias(def("substring", "1.0.0", "Gives the part of a text from a position (from 1, or from the end when negative) on, of a length.", Example{"SELECT substring('Spark SQL', 5, 1)", "k"},
			sig(str, substring(true), stringP, int32P), sig(str, substring(true), stringP, int32P, int32P),
			sig(gives(types.BinaryType), substring(false), binaryP, int32P), sig(gives(types.BinaryType), substring(false), binaryP, int32P, int32P)), "substr"),
		alias(def("length", "1.0.0", "Counts the characters of a text, or the bytes of a binary.", Example{"SELECT length('Spark SQL ')", "10"}, sig(i32, len2(chars), textP)), "char_length", "character_length", "len"),
		def("octet_length", "2.3.0", "Counts bytes.", Example{"SELECT octet_length('Spark SQL')", "9"}, sig(i32, len2(func(v *vec.Vector, i int) int { return len(v.Bytes(i)) }), textP)),
		def("bit_length", "2.3.0", "Counts bits.", Example{"SELECT bit_length('Spark SQL')", "72"}, sig(i32, len2(func(v *vec.Vector, i int) int { return 8 * len(v.Bytes(i)) }), textP)),
		alias(def("upper", "1.0.1", "Puts a text in capitals.", Example{"SELECT upper('SparkSql')", "SPARKSQL"}, sig(str, textKernel(upper), stringP)), "ucase"),
		alias(def("lower", "1.0.1", "Puts a text in small letters.", Example{"SELECT lower('SparkSql')", "sparksql"}, sig(str, textKernel(lower), stringP)), "lcase"),
		{Name: "concat", Since: "1.5.0", Group: "collection_funcs", Usage: "Joins texts, binaries or arrays.", Kind: plan.FnScalar, Examples: []Example{{"SELECT concat('Spark', 'SQL')", "SparkSQL"}},
			Overloads: []Overload{{Params: params(stringP), Variadic: true, VarMin0: true, Ret: str, Eval: concat},
				{Params: params(binaryP), Variadic: true, Ret: gives(types.BinaryType), Eval: concat},
				{Params: params(arrayP), Variadic: true, Same: []int{}, Ret: givesArg(0), Eval: concat}}},
		def("trim", "1.5.0", "Takes blanks, or the characters given, off both ends.", Example{"SELECT trim('    SparkSQL   ')", "SparkSQL"}, sig(str, trim(true, true), stringP), sig(str, trim(true, true), stringP, stringP)),
		def("ltrim", "1.5.0", "Takes blanks, or the characters given, off the start.", Example{"SELECT ltrim('    SparkSQL')", "SparkSQL"}, sig(str, trim(true, false), stringP), sig(str, trim(true, false), stringP, stringP)),
		def("rtrim", "1.5.0", "Takes blanks, or the characters given, off the end.", Example{"SELECT rtrim('SparkSQL   ')", "SparkSQL"}, sig(str, trim(false, true), stringP), sig(str, trim(false, true), stringP, stringP)),
		def("lpad", "1.5.0", "Fills a text up to a length at its start, or cuts it.", Example{"SELECT lpad('hi', 5, '??')", "???hi"}, sig(str, pad(true), stringP, int32P), sig(str, pad(true), stringP, int32P, stringP), sig(gives(types.BinaryType), pad(true), onlyBinaryP, int32P), sig(gives(types.BinaryType), pad(true), onlyBinaryP, int32P, onlyBinaryP)),
		def("rpad", "1.5.0", "Fills a text up to a length at its end, or cuts it.", Example{"SELECT rpad('hi', 5, '??')", "hi???"}, sig(str, pad(false), stringP, int32P), sig(str, pad(false), stringP, int32P, stringP), sig(gives(types.BinaryType), pad(false), onlyBinaryP, int32P), sig(gives(types.BinaryType), pad(false), onlyBinaryP, int32P, onlyBinaryP)),
		def("replace", "2.3.0", "Puts a text in the place of each occurrence of another.", Example{"SELECT replace('ABCabc', 'abc', 'DEF')", "ABCDEF"}, sig(str, replace, stringP, stringP), sig(str, replace, stringP, stringP, stringP)),
		def("instr", "1.5.0", "Gives the position of the second text in the first, from 1; 0 if it isn't there.", Example{"SELECT instr('SparkSQL', 'SQL')", "6"},
			sig(i32, intKernel(func(a *Args, i int) int { return locateFrom(a, a.V[0].Type, a.V[1].Bytes(i), a.V[0].Bytes(i), 1) }), stringP, stringP),
			sig(i32, instrFrom, stringP, stringP, int32P), sig(i32, instrFrom, stringP, stringP, int32P, int32P)),
		alias(kernelNulls(def("locate", "1.5.0", "Gives the position of the first text in the second, from a position on; 0 if it isn't there.", Example{"SELECT locate('bar', 'foobarbar', 5)", "7"}, Overload{Params: params(stringP, stringP), RetExpr: found, Eval: locate},
			Overload{Params: params(stringP, stringP, int32P), RetExpr: found, Eval: locate})), "position"),
		def("repeat", "1.5.0", "Repeats a text.", Example{"SELECT repeat('123', 2)", "123123"}, sig(str, textKernel(func(a *Args, i int, dst []byte) []byte {
			return a.fill(dst, a.V[0].Bytes(i), max(a.i32(1, i), 0))
		}), stringP, int32P)),
		def("reverse", "1.5.0", "Turns a text round.", Example{"SELECT reverse('Spark SQL')", "LQS krapS"}, sig(str, textKernel(reverseText), stringP), sig(givesArg(0), reverseLists, arrayP),
			sig(gives(types.BinaryType), textKernel(reverseBytes), onlyBinaryP)),
		def("left", "2.3.0", "Gives the first characters.", Example{"SELECT left('Spark SQL', 3)", "Spa"}, sig(str, cutKernel(func(a *Args, i int, s []byte) (int, int) { return substringRange(s, 1, a.i32(1, i), true) }), stringP, int32P),
			sig(gives(types.BinaryType), cutKernel(func(a *Args, i int, s []byte) (int, int) { return substringRange(s, 1, a.i32(1, i), false) }), onlyBinaryP, int32P)),
		def("right", "2.3.0", "Gives the last characters.", Example{"SELECT right('Spark SQL', 3)", "SQL"}, Overload{Params: params(stringP, int32P), RetExpr: retNullable(types.StringType), Eval: cutKernel(func(a *Args, i int, s []byte) (int, int) {
			n := a.i32(1, i)
			if n <= 0 {
				return 0, 0
			}
			return substringRange(s, -n, n, true)
		})}),
		{Name: "startswith", Since: "3.3.0", Group: "string_funcs", Usage: "Is true when the text starts with the other.", Kind: plan.FnScalar, Overloads: collatedSearch(bool2(boolKernel(bytes.HasPrefix)), bytes.HasPrefix, func(f *collation.Finder, s []byte) bool { return f.At(s, 0) >= 0 }), Examples: []Example{{"SELECT startswith('Spark SQL', 'Spark')", "true"}}},
		{Name: "endswith", Since: "3.3.0", Group: "string_funcs", Usage: "Is true when the text ends with the other.", Kind: plan.FnScalar, Overloads: collatedSearch(bool2(boolKernel(bytes.HasSuffix)), bytes.HasSuffix, func(f *collation.Finder, s []byte) bool { return f.EndsWith(s) }), Examples: []Example{{"SELECT endswith('Spark SQL', 'SQL')", "true"}}},
		{Name: "contains", Since: "3.3.0", Group: "string_funcs", Usage: "Is true when the other occurs in the text.", Kind: plan.FnScalar, Overloads: collatedSearch(bool2(contains), bytes.Contains, func(f *collation.Finder, s []byte) bool { at, _ := f.Next(s, 0); return at >= 0 }), Examples: []Example{{"SELECT contains('Spark SQL', 'Spark')", "true"}}},
	}
}
