package fn

import (
	"strconv"
	"unicode/utf8"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// charVarchar has what reading and writing columns of type CHAR(n) and
// VARCHAR(n) does to their values. The second argument is the column's type in
// JSON, in which those types may stand at any depth; lengths count characters.
func charVarchar() []Def {
	def := func(name, usage string, store bool) Def {
		return Def{Name: name, Since: "3.1.0", Group: "internal", Usage: usage, Kind: plan.FnScalar,
			Overloads: []Overload{sig(givesArg(0), fitKernel(store), anyP, stringP)}}
	}
	return []Def{
		def("char_read", "Fills values of CHAR(n) up to n characters with blanks.", false),
		def("char_write", "Fits values to CHAR(n) and VARCHAR(n): blanks are added or taken off, and longer texts fail.", true),
	}
}

func fitKernel(store bool) Kernel {
	return func(a *Args) (*vec.Vector, error) {
		t, _ := (*a.State).(*types.Type)
		if t == nil {
			text, ok := "", false
			if a.Const[1] != nil {
				text, ok = a.Const[1].Value.(string)
			}
			var err error
			if t, err = types.ParseJSON(text); !ok || err != nil {
				return nil, errs.Internalf("no type to fit values to: %v", err)
			}
			*a.State = t
		}
		live := make([]bool, a.N)
		for i := range live {
			live[i] = !a.skipped(i)
		}
		return fit(a, a.V[0], t, live, store)
	}
}

// hasChars reports whether values of a type may change: t has CHAR or VARCHAR somewhere.
func hasChars(t *types.Type) bool { return t.Has(types.Char) || t.Has(types.Varchar) }

// fit returns v with the values that live marks made fit for t.
func fit(a *Args, v *vec.Vector, t *types.Type, live []bool, store bool) (*vec.Vector, error) {
	if !hasChars(t) || !store && t.Kind == types.Varchar {
		return v, nil
	}
	out := *v
	switch t.Kind {
	case types.Char, types.Varchar:
		return fitTexts(a, v, t, live, store)
	case types.Struct:
		out.Child = make([]*vec.Vector, len(v.Child))
		inner := make([]bool, v.N)
		for i := range inner {
			inner[i] = live[i] && !v.IsNull(i)
		}
		for k, c := range v.Child {
			var err error
			if out.Child[k], err = fit(a, c, t.Fields[k].Type, inner, store); err != nil {
				return nil, err
			}
		}
		return &out, nil
	}
	out.Child = make([]*vec.Vector, len(v.Child))
	inner := make([]bool, v.Child[0].N) // values that no list has may be anything
	refs := vec.Refs(v)
	for i := range v.N {
		if live[i] && !v.IsNull(i) {
			for k := refs[i].Start(); k < refs[i].Start()+refs[i].Len(); k++ {
				inner[k] = true
			}
		}
	}
	elems := []*types.Type{t.Elem}
	if t.Kind == types.Map {
		elems = []*types.Type{t.Key, t.Elem}
	}
	for k, c := range v.Child {
		if k >= len(elems) {
			out.Child[k] = c
			continue
		}
		var err error
		if out.Child[k], err = fit(a, c, elems[k], inner, store); err != nil {
			return nil, err
		}
	}
	return &out, nil
}

func fitTexts(a *Args, v *vec.Vector, t *types.Type, live []bool, store bool) (*vec.Vector, error) {
	b := vec.NewBuilder(v.Type, v.N)
	var buf []byte
	for i := range v.N {
		if i&4095 == 4095 {
			if err := a.Env.Yield(); err != nil {
				return nil, err
			}
		}
		if v.IsNull(i) || !live[i] {
			b.AppendNull()
			continue
		}
		s := v.Bytes(i)
		n := utf8.RuneCount(s)
		if store && n > t.Length {
			end := len(s)
			for ; n > t.Length && s[end-1] == ' '; n-- {
				end--
			}
			if n > t.Length {
				return nil, errs.New(errs.Runtime, "EXCEED_LIMIT_LENGTH", "limit", strconv.Itoa(t.Length)).At(a.Call.Origin)
			}
			s = s[:end]
		}
		if t.Kind == types.Char && n < t.Length {
			buf = append(buf[:0], s...)
			for ; n < t.Length; n++ {
				buf = append(buf, ' ')
			}
			s = buf
		}
		b.AppendBytes(s)
	}
	return b.Finish(), nil
}
