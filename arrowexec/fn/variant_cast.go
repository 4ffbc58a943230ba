package fn

import (
	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/plan"
	"neptune/internal/types"
)

// malformedVariant is the error of bytes that are no variant.
func malformedVariant(pos *errs.Origin) error {
	return errs.New(errs.Runtime, "MALFORMED_VARIANT").At(pos)
}

// toVariant casts values of another type to VARIANT.
func toVariant(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	return variantsOf(c.to, v, c.pos, func(i int) error {
		if c.env != nil && c.env.Yield != nil && i%yieldEach == yieldEach-1 {
			return c.env.Yield()
		}
		return nil
	})
}

// variantsOf makes a variant of each value; null stays null.
func variantsOf(t *types.Type, v *vec.Vector, pos *errs.Origin, yield func(i int) error) (*vec.Vector, error) {
	b := vec.NewBuilder(t, v.N)
	var w variantWriter
	for i := range v.N {
		if v.IsNull(i) {
			b.AppendNull()
			continue
		}
		w.reset()
		if !w.value(v, i) {
			return nil, malformedVariant(pos)
		}
		w.end(b)
		if err := yield(i); err != nil {
			return nil, err
		}
	}
	return b.Finish(), nil
}

// fromVariant casts VARIANT to another type.
func fromVariant(c *Caster, v *vec.Vector) (*vec.Vector, error) {
	list := make([]variant, v.N)
	for i := range list {
		if !v.IsNull(i) {
			list[i] = variantAt(v, i)
		}
	}
	return c.variants(list, c.to)
}

// variants casts values to t, all of one kind at a time. One without bytes is
// null, and so is a variant null. What doesn't cast is an error, of the innermost value, or null.
func (c *Caster) variants(list []variant, t *types.Type) (*vec.Vector, error) {
	bad := func(v variant) error {
		if c.mode == plan.Try { // outside ANSI mode too it fails, as in Spark
			return nil
		}
		text, ok := v.json(nil, c.loc)
		if !ok {
			return malformedVariant(c.pos)
		}
		return errs.New(errs.Runtime, "INVALID_VARIANT_CAST", "value", string(text), "dataType", errs.Quote(t.SQL())).At(c.pos)
	}
	switch t.Kind {
	case types.Variant:
		b := vec.NewBuilder(t, len(list))
		var w variantWriter
		for _, v := range list {
			if v.val == nil {
				b.AppendNull()
				continue
			}
			w.reset()
			if !w.copy(v) {
				return nil, malformedVariant(c.pos)
			}
			w.end(b)
		}
		return b.Finish(), nil
	case types.Struct, types.Array, types.Map:
		return c.variantNested(list, t, bad)
	}
	return c.variantAtoms(list, t, bad)
}

func (c *Caster) variantNested(list []variant, t *types.Type, bad func(variant) error) (*vec.Vector, error) {
	want := variantObject
	if t.Kind == types.Array {
		want = variantArray
	}
	null := make([]bool, len(list))
	refs := make([]vec.Ref, len(list))
	parts := make([][]variant, len(t.Fields))
	for k := range parts {
		parts[k] = make([]variant, len(list))
	}
	var elems []variant
	keys := newStrings(0, 0)
	for i, v := range list {
		null[i] = true
		if v.val == nil {
			continue
		}
		k, id := v.kind()
		if k == variantBad {
			return nil, malformedVariant(c.pos)
		}
		if k == variantNull {
			continue
		}
		if k != want {
			if err := bad(v); err != nil {
				return nil, err
			}
			continue
		}
		null[i] = false
		box, ok := v.container(k, id)
		if !ok {
			return nil, malformedVariant(c.pos)
		}
		if t.Kind == types.Struct {
			for m := range box.n {
				if f := t.FieldIndex(string(box.key(m))); f >= 0 {
					parts[f][i] = box.at(m)
				}
			}
			continue
		}
		refs[i] = vec.MakeRef(len(elems), box.n)
		for m := range box.n {
			x := box.at(m)
			if x.val == nil {
				return nil, malformedVariant(c.pos)
			}
			elems = append(elems, x)
			if t.Kind == types.Map {
				keys.add(box.key(m))
			}
		}
	}
	if t.Kind == types.Struct {
		out := &vec.Vector{Type: t, Layout: vec.Group, N: len(list), Null: null}
		for k, f := range t.Fields {
			x, err := c.variants(parts[k], f.Type)
			if err != nil {
				return nil, err
			}
			out.Child = append(out.Child, x)
		}
		return out, nil
	}
	out := vec.FromSlice(t, refs, null)
	x, err := c.variants(elems, t.Elem)
	if err != nil {
		return nil, err
	}
	if t.Kind == types.Map {
		out.Child = []*vec.Vector{keys.finish(t.Key)}
	}
	out.Child = append(out.Child, x)
	return out, nil
}

// variantAtoms casts to a type without parts.
func (c *Caster) variantAtoms(list []variant, t *types.Type, bad func(variant) error) (*vec.Vector, error) {
	type lot struct {
		b   *vec.Builder
		row []int32
	}
	lots := map[*types.Type]*lot{}
	from := make([]int32, len(list)) // where the value of a row is in the casts of all lots; -1: null
	decimals := map[[2]int]*types.Type{}
	var order []*lot
	var kinds []*types.Type
	put := func(t *types.Type, i int) *vec.Builder {
		l := lots[t]
		if l == nil {
			l = &lot{b: vec.NewBuilder(t, 16)}
			lots[t] = l
			order, kinds = append(order, l), append(kinds, t)
		}
		l.row = append(l.row, int32(i))
		return l.b
	}
	for i, v := range list {
		from[i] = -1
		if v.val == nil {
			continue
		}
		k, id := v.kind()
		switch k {
		case variantBad:
			return nil, malformedVariant(c.pos)
		case variantNull:
		case variantBool:
			vec.Append(put(types.BoolType, i), id == vTrue)
		case variantLong:
			vec.Append(put(types.Int64Type, i), v.long(id))
		case variantDouble:
			vec.Append(put(types.Float64Type, i), v.float64())
		case variantFloat:
			vec.Append(put(types.Float32Type, i), v.float32())
		case variantDecimal:
			x, p, s := v.stripped(id)
			d := decimals[[2]int{p, s}]
			if d == nil {
				d = types.NewDecimal(p, s)
				decimals[[2]int{p, s}] = d
			}
			if vec.LayoutOf(d) == vec.I64 {
				vec.Append(put(d, i), int64(x.Lo))
			} else {
				vec.Append(put(d, i), x)
			}
		case variantDate:
			vec.Append(put(types.DateType, i), int32(v.long(id)))
		case variantStamp:
			vec.Append(put(types.TimestampType, i), v.long(id))
		case variantStampNTZ:
			vec.Append(put(types.TimestampNTZType, i), v.long(id))
		case variantBinary:
			put(types.BinaryType, i).AppendBytes(v.text(id))
		case variantString:
			put(types.StringType, i).AppendBytes(v.text(id))
		case variantObject, variantArray:
			if t.IsString() {
				text, ok := v.json(nil, c.loc)
				if !ok {
					return nil, malformedVariant(c.pos)
				}
				put(types.StringType, i).AppendBytes(text)
			} else if err := bad(v); err != nil {
				return nil, err
			}
		}
	}
	all := vec.NewBuilder(t, len(list))
	n := 0
	for k, l := range order {
		var x *vec.Vector
		if variantCasts(kinds[k], t) {
			cast, err := NewCaster(kinds[k], t, plan.Try, c.env, c.pos)
			if err != nil {
				return nil, err
			}
			if x, err = cast.Cast(l.b.Finish()); err != nil {
				return nil, err
			}
		} else {
			x = vec.MakeNull(t, len(l.row))
		}
		for m, i := range l.row {
			from[i] = int32(n + m)
			if x.IsNull(m) {
				if err := bad(list[i]); err != nil {
					return nil, err
				}
			}
		}
		all.AppendVector(x)
		n += x.N
	}
	return all.Finish().GatherNulls(from), nil
}

// variantCasts reports whether a value of type a inside of a variant casts to b: what ANSI mode casts.
func variantCasts(a, b *types.Type) bool {
	switch {
	case types.Equal(a, b), b.IsString(), a.IsString():
		return !b.IsAnsiInterval()
	case b.Kind == types.Binary:
		return false
	case a.Kind == types.Binary:
		return false
	case b.Kind == types.Bool:
		return a.IsNumeric()
	case b.IsNumeric():
		return a.IsNumeric() || a.Kind == types.Bool || a.Kind == types.Timestamp
	case b.Kind == types.Timestamp:
		return a.IsNumeric() || a.IsDatetime()
	case b.IsDatetime():
		return a.IsDatetime()
	}
	return false
}
