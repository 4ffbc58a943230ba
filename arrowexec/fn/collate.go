package fn

import (
	"bytes"
	"strings"

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

// ICU reports whether strings of t compare by the Unicode Collation Algorithm.
func ICU(t *types.Type) bool {
	c := collationOf(t)
	return c != nil && c.ICU()
}

// Folds reports whether strings of t compare as they do in lower case, blanks included.
func Folds(t *types.Type) bool {
	c := collationOf(t)
	return c != nil && c.Lower() && !c.Trims()
}

// collatedTest is contains, startswith or endswith over strings of a collation.
func collatedTest(plain Kernel, f func(s, part []byte) bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		c := collationOf(a.V[0].Type)
		if c == nil {
			return plain(a)
		}
		out := make([]bool, a.N)
		var x, y []byte
		for i := range out {
			if a.skipped(i) || a.V[0].IsNull(i) || a.V[1].IsNull(i) {
				continue
			}
			x, y = c.Key(x[:0], a.V[0].Bytes(i)), c.Key(y[:0], a.V[1].Bytes(i))
			out[i] = f(x, y)
			if err := a.yields(i); err != nil {
				return nil, err
			}
		}
		return vec.FromSlice(types.BoolType, out, nil), nil
	}
}

// collatedSearch adds to the overloads of a test of two strings the test of their keys.
func collatedSearch(o []Overload, f func(s, part []byte) bool) []Overload {
	for i := range o {
		o[i].Eval = collatedTest(o[i].Eval, f)
	}
	return o
}

// indexOf finds the first place of part in s and its end, under UTF8_LCASE in any case; -1: nowhere.
func indexOf(c *collation.Collation, s, part []byte) (from, to int) {
	if c != nil && c.Lower() {
		return collation.IndexLower(s, part)
	}
	from = bytes.Index(s, part)
	return from, from + len(part)
}

// trimCollated is the set of characters that TRIM takes away under UTF8_LCASE: both cases of each.
func trimCollated(t *types.Type, set string) string {
	c := collationOf(t)
	if c == nil || !c.Lower() {
		return set
	}
	low := string(collation.AppendLower(nil, []byte(set)))
	return set + low + strings.ToUpper(low)
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
