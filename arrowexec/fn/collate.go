package fn

import (
	"bytes"
	"unicode"
	"unicode/utf8"

	"neptune/arrowexec/vec"
	"neptune/internal/collation"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// KeyType is the type of the keys by which values of t compare: binary for
// strings that don't compare by their bytes; nil where values compare as they are.
func KeyType(t *types.Type) *types.Type {
	switch {
	case t == nil:
		return nil
	case t.IsString():
		if collationOf(t) == nil {
			return nil
		}
		return types.BinaryType
	case t.Kind == types.Array:
		if e := KeyType(t.Elem); e != nil {
			return types.NewArray(e, t.ElemNulls)
		}
	case t.Kind == types.Struct:
		var fields []types.Field
		for i, f := range t.Fields {
			if k := KeyType(f.Type); k != nil {
				if fields == nil {
					fields = append(fields, t.Fields...)
				}
				fields[i].Type = k
			}
		}
		if fields != nil {
			return types.NewStruct(fields...)
		}
	}
	return nil
}

// keysOf makes the keys of the values of v.
func keysOf(v *vec.Vector, t, to *types.Type, yield func(int) error) (*vec.Vector, error) {
	switch {
	case to == nil || v.Layout == vec.None:
		return v, nil
	case to.Kind == types.Binary:
		c := collationOf(t)
		b := newStrings(v.N, 2*len(v.Buf))
		for i := range v.N {
			start := len(b.buf)
			if !v.IsNull(i) {
				b.buf = c.Key(b.buf, v.Bytes(i))
			}
			b.end(start)
			if err := yield(i); err != nil {
				return nil, err
			}
		}
		out := b.finish(to)
		out.Null = v.Null
		return out, nil
	}
	out := *v
	out.Type = to
	out.Child = append([]*vec.Vector{}, v.Child...)
	for k, c := range v.Child {
		ct := t.Elem
		if t.Kind == types.Struct {
			ct = t.Fields[k].Type
		}
		kt := KeyType(ct)
		if kt == nil {
			continue
		}
		x, err := keysOf(c, ct, kt, yield)
		if err != nil {
			return nil, err
		}
		out.Child[k] = x
	}
	return &out, nil
}

func collationKey(a *Args) (*vec.Vector, error) {
	t := a.Call.Args[0].Type()
	return keysOf(a.V[0], t, KeyType(t), a.yields)
}

func collationName(a *Args) (*vec.Vector, error) {
	name := "UTF8_BINARY"
	if c := collationOf(a.Call.Args[0].Type()); c != nil {
		name = c.Name()
	}
	return textKernel(func(_ *Args, _ int, dst []byte) []byte { return append(append(dst, "SYSTEM.BUILTIN."...), name...) })(a)
}

func collated(a *Args) (*vec.Vector, error) {
	v := *a.V[0]
	v.Type = a.Ret
	return &v, nil
}

// Folds reports whether strings of t compare as they do in lower case, blanks included.
func Folds(t *types.Type) bool {
	c := collationOf(t)
	return c != nil && c.Lower() && !c.Trims()
}

// searches are what one kernel keeps of looking for strings under a collation.
type searches struct {
	find *collation.Finder
	set  []byte   // of characters, as given
	keys [][]byte // and their keys
	buf  []byte
}

func (s *searches) finder(a *Args, c *collation.Collation, part []byte) *collation.Finder {
	if s.find == nil || !bytes.Equal(s.find.Part(), part) {
		s.find = c.Finder(part)
		s.find.Yield = a.Env.Yield
	}
	return s.find
}

// inSet is the place of a character's like in a set of characters; -1: there is none.
func (s *searches) inSet(c *collation.Collation, set, char []byte) int {
	if s.keys == nil || !bytes.Equal(s.set, set) {
		s.set, s.keys = append(s.set[:0], set...), [][]byte{}
		for rest := set; len(rest) > 0; {
			_, n := utf8.DecodeRune(rest)
			s.keys = append(s.keys, c.Key(nil, rest[:n]))
			rest = rest[n:]
		}
	}
	s.buf = c.Key(s.buf[:0], char)
	for k, key := range s.keys {
		if bytes.Equal(key, s.buf) {
			return k
		}
	}
	return -1
}

// equal compares two strings by their keys.
func (s *searches) equal(c *collation.Collation, x, y []byte) bool {
	s.buf = c.Key(s.buf[:0], x)
	n := len(s.buf)
	s.buf = c.Key(s.buf, y)
	return bytes.Equal(s.buf[:n], s.buf[n:])
}

// charLen is the length of the first character of s, under the collation algorithm with the marks that belong to it.
func charLen(c *collation.Collation, s []byte) int {
	_, n := utf8.DecodeRune(s)
	for c.ICU() && n < len(s) && s[n] >= utf8.RuneSelf {
		r, k := utf8.DecodeRune(s[n:])
		if !unicode.Is(unicode.M, r) {
			break
		}
		n += k
	}
	return n
}

func searchesOf(a *Args) *searches {
	s, _ := state(a, func() (*searches, error) { return &searches{}, nil })
	return s
}

// searched is the collation under which strings of t are looked into otherwise than by their bytes, or nil.
func searched(t *types.Type) *collation.Collation {
	if c := collationOf(t); c != nil && (c.Lower() || c.ICU()) {
		return c
	}
	return nil
}

// collatedTest is contains, startswith or endswith over strings of a collation: f by the finder of the part, or, where
// only blanks at the end don't count, plain of the keys.
func collatedTest(plain Kernel, keys func(s, part []byte) bool, f func(find *collation.Finder, s []byte) bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		c := collationOf(a.V[0].Type)
		if c == nil {
			return plain(a)
		}
		st := searchesOf(a)
		out := make([]bool, a.N)
		var x, y []byte
		for i := range out {
			if a.skipped(i) || a.V[0].IsNull(i) || a.V[1].IsNull(i) {
				continue
			}
			s, part := a.V[0].Bytes(i), a.V[1].Bytes(i)
			if c.Trims() {
				s, part = bytes.TrimRight(s, " "), bytes.TrimRight(part, " ")
			}
			if searched(a.V[0].Type) != nil {
				out[i] = f(st.finder(a, c, part), s)
			} else {
				x, y = c.Key(x[:0], s), c.Key(y[:0], part)
				out[i] = keys(x, y)
			}
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return vec.FromSlice(types.BoolType, out, nil), nil
	}
}

// collatedSearch adds to the overloads of a test of two strings the test under a collation.
func collatedSearch(o []Overload, keys func(s, part []byte) bool, f func(find *collation.Finder, s []byte) bool) []Overload {
	for i := range o {
		o[i].Eval = collatedTest(o[i].Eval, keys, f)
	}
	return o
}

// indexOf finds the first place of part in s at or after from, and its end, as strings of t are compared; -1: nowhere.
func indexOf(a *Args, t *types.Type, s, part []byte, from int) (at, end int) {
	if c := searched(t); c != nil {
		return searchesOf(a).finder(a, c, part).Next(s, from)
	}
	if at = bytes.Index(s[from:], part); at < 0 {
		return -1, -1
	}
	return from + at, from + at + len(part)
}

const dot = "\u0307"

// dotted is the length of an i with a dot that s starts with, in two characters as UTF8_LCASE has the capital one; else 0.
func dotted(c *collation.Collation, s []byte) int {
	if c.Lower() && len(s) > len(dot) && s[0]|0x20 == 'i' && string(s[1:1+len(dot)]) == dot {
		return 1 + len(dot)
	}
	return 0
}

// trimSet takes the characters of a set off the ends of s, as strings of the collation compare.
func trimSet(a *Args, c *collation.Collation, s, set []byte, left, right bool) (from, to int) {
	st := searchesOf(a)
	for to = len(s); left && from < to; {
		n := charLen(c, s[from:to])
		if p := dotted(c, s[from:to]); p > 0 && st.inSet(c, set, s[from:from+p]) >= 0 {
			n = p
		}
		if st.inSet(c, set, s[from:from+n]) < 0 {
			break
		}
		from += n
	}
	for right && from < to {
		n := 0
		for r := rune(0); n == 0 || n < to-from && c.ICU() && unicode.Is(unicode.M, r); {
			var k int
			r, k = utf8.DecodeLastRune(s[from : to-n])
			n += k
		}
		if p := n + 1; n == len(dot) && p <= to-from && dotted(c, s[to-p:to]) == p && st.inSet(c, set, s[to-p:to]) >= 0 {
			n = p
		}
		if st.inSet(c, set, s[to-n:to]) < 0 {
			break
		}
		to -= n
	}
	return from, to
}

func collationFunctions() []Def {
	return []Def{
		{Name: "collate", Since: "4.0.0", Group: "string_funcs", Usage: "Marks a string with a collation.", Kind: plan.FnScalar, Nulls: NullIn,
			Overloads: []Overload{sig(gives(types.StringType), collated, stringP, stringP)}, Examples: []Example{{"SELECT collation('Spark SQL' collate UTF8_LCASE)", "SYSTEM.BUILTIN.UTF8_LCASE"}}},
		{Name: "collation", Since: "4.0.0", Group: "string_funcs", Usage: "Names the collation of a string.", Kind: plan.FnScalar, Nulls: NullNever,
			Overloads: []Overload{sig(gives(types.StringType), collationName, stringP)}, Examples: []Example{{"SELECT collation('Spark SQL')", "SYSTEM.BUILTIN.UTF8_BINARY"}}},
		{Name: "collation_key", Since: "4.0.0", Group: "internal", Usage: "The key by which a string compares.", Kind: plan.FnScalar, Nulls: NullIn,
			Overloads: []Overload{{Params: params(anyP), RetExpr: func(c *plan.Call) (*types.Type, bool, error) {
				return KeyType(c.Args[0].Type()), c.Args[0].Nullable(), nil
			}, Eval: collationKey}}},
	}
}
