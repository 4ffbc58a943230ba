package fn

import (
	"slices"

	"neptune/arrowexec/vec"
	"neptune/internal/errs"
	"neptune/internal/types"
)

// The parts of a shredded variant, by the names that Parquet's VariantShredding document gives them.
const (
	VariantMetadata = "metadata"
	VariantValue    = "value"
	VariantTyped    = "typed_value"
)

// shredded are the parts of a variant, or of a value in one, that are columns of their own; what there is none of is nil.
type shredded struct {
	value  *vec.Vector // variants as they are
	typed  *vec.Vector // values of one type
	elem   *shredded   // of a typed array
	names  []string    // of a typed object's fields
	fields []*shredded
}

// newShredded finds the parts in a struct; nil: it isn't one of theirs.
func newShredded(v *vec.Vector) *shredded {
	if v.Type.Kind != types.Struct {
		return nil
	}
	s := &shredded{}
	for k, f := range v.Type.Fields {
		switch f.Name {
		case VariantValue:
			s.value = v.Child[k]
		case VariantTyped:
			s.typed = v.Child[k]
		}
	}
	if s.typed == nil {
		return s
	}
	switch t := s.typed.Type; t.Kind {
	case types.Array:
		if s.elem = newShredded(s.typed.Child[0]); s.elem == nil {
			return nil
		}
	case types.Struct:
		for k, f := range t.Fields {
			part := newShredded(s.typed.Child[k])
			if part == nil {
				return nil
			}
			s.names, s.fields = append(s.names, f.Name), append(s.fields, part)
		}
	}
	return s
}

// Unshred makes variants of type t of their parts, as Parquet's files hold them: v are structs of VariantMetadata and, where
// there are such, VariantValue and VariantTyped. Parts that don't fit together are MALFORMED_VARIANT. yield is called now and then.
func Unshred(t *types.Type, v *vec.Vector, yield func() error) (*vec.Vector, error) {
	s := newShredded(v)
	at := v.Type.FieldIndex(VariantMetadata)
	if s == nil || at < 0 {
		return nil, errs.Internalf("a shredded variant of %s", v.Type)
	}
	b := vec.NewBuilder(t, v.N)
	var w variantWriter
	for i := range v.N {
		if v.IsNull(i) {
			b.AppendNull()
			continue
		}
		w.reset()
		if v.Child[at].IsNull(i) || !w.unshred(s, i, v.Child[at].Bytes(i)) {
			return nil, malformedVariant(nil)
		}
		w.end(b)
		if i%yieldEach == yieldEach-1 {
			if err := yield(); err != nil {
				return nil, err
			}
		}
	}
	return b.Finish(), nil
}

// missing reports whether there is no value i at all.
func (s *shredded) missing(i int) bool {
	return (s.value == nil || s.value.IsNull(i)) && (s.typed == nil || s.typed.IsNull(i))
}

// unshred writes value i of the parts; false if they don't fit together.
func (w *variantWriter) unshred(s *shredded, i int, meta []byte) bool {
	var rest variant
	if s.value != nil && !s.value.IsNull(i) {
		rest = variant{s.value.Bytes(i), meta}
	}
	if s.typed == nil || s.typed.IsNull(i) {
		return w.copy(rest) // which isn't there: malformed
	}
	start := len(w.val)
	switch s.typed.Type.Kind {
	case types.Array:
		r := vec.Refs(s.typed)[i]
		at := make([]int, r.Len())
		for k := range at {
			at[k] = len(w.val) - start
			if !w.unshred(s.elem, r.Start()+k, meta) {
				return false
			}
		}
		w.array(start, at)
		return true
	case types.Struct:
		fields := make([]variantField, 0, len(s.names))
		for k, name := range s.names {
			if s.fields[k].missing(i) {
				continue
			}
			fields = append(fields, variantField{name, w.id(name), len(w.val) - start})
			if !w.unshred(s.fields[k], i, meta) {
				return false
			}
		}
		if rest.val != nil { // the object's other fields
			kind, id := rest.kind()
			c, ok := rest.container(kind, id)
			if kind != variantObject || !ok {
				return false
			}
			fields = slices.Grow(fields, c.n)
			for k := range c.n {
				key := c.key(k)
				if key == nil {
					return false
				}
				name := string(key)
				fields = append(fields, variantField{name, w.id(name), len(w.val) - start})
				if !w.copy(c.at(k)) {
					return false
				}
			}
		}
		return w.object(start, fields)
	}
	return w.value(s.typed, i)
}
