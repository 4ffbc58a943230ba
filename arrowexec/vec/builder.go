package vec

import (
	"fmt"
	"unsafe"

	"neptune/internal/types"
)

// Builder grows a vector: from other vectors' rows (copying what refs point
// at, so that the result owns its memory) or value by value. The zero Builder
// isn't usable; call NewBuilder.
type Builder struct {
	t     *types.Type
	lay   Layout
	n     int
	data  []byte
	null  []bool // nil until the first null
	buf   []byte
	child []*Builder
}

// NewBuilder returns an empty builder of vectors of t with room for n values.
func NewBuilder(t *types.Type, n int) *Builder {
	b := &Builder{t: t, lay: LayoutOf(t)}
	b.data = alloc(n * b.lay.Width())[:0]
	switch t.Kind {
	case types.Struct:
		for i := range t.Fields {
			b.child = append(b.child, NewBuilder(t.Fields[i].Type, n))
		}
	case types.Variant:
		b.child = []*Builder{NewBuilder(types.BinaryType, n), NewBuilder(types.BinaryType, n)}
	case types.Array:
		b.child = []*Builder{NewBuilder(t.Elem, n)}
	case types.Map:
		b.child = []*Builder{NewBuilder(t.Key, n), NewBuilder(t.Elem, n)}
	}
	return b
}

// Len is the number of values so far.
func (b *Builder) Len() int { return b.n }

// Size is the memory held, in bytes.
func (b *Builder) Size() int64 {
	n := int64(cap(b.data)) + int64(cap(b.null)) + int64(cap(b.buf))
	for _, c := range b.child {
		n += c.Size()
	}
	return n
}

func (b *Builder) extend(n int) []byte {
	w := n * b.lay.Width()
	need := len(b.data) + w
	if need > cap(b.data) {
		grown := dirty(max(need, 2*cap(b.data), 64))[:len(b.data)]
		copy(grown, b.data)
		b.data = grown
	}
	from := len(b.data)
	b.data = b.data[:need]
	return b.data[from:need]
}

// Room makes room for the values of v at idx (nil: all), so that adding them next
// doesn't move what is there: that would take milliseconds for tens of megabytes, in
// one step; this calls yield in between.
func (b *Builder) Room(v *Vector, idx []int32, yield func() error) error {
	n := v.N
	if idx != nil {
		n = len(idx)
	}
	var err error
	if b.data, err = growSteps(b.data, n*b.lay.Width(), yield); err != nil || b.lay != Bytes {
		return err
	}
	size := 0
	if refs := Refs(v); idx == nil {
		for i, r := range refs[:n] {
			if v.Null == nil || !v.Null[i] {
				size += r.Len()
			}
		}
	} else {
		for _, i := range idx {
			if v.Null == nil || !v.Null[i] {
				size += refs[i].Len()
			}
		}
	}
	b.buf, err = growSteps(b.buf, size, yield)
	return err
}

// growSteps returns b with room for more bytes.
func growSteps(b []byte, more int, yield func() error) ([]byte, error) {
	if len(b)+more <= cap(b) {
		return b, nil
	}
	out := dirty(max(len(b)+more, 2*cap(b), 64))[:len(b)]
	for from := 0; from < len(b); from += clearStep {
		copy(out[from:], b[from:min(len(b), from+clearStep)])
		if err := yield(); err != nil {
			return nil, err
		}
	}
	return out, nil
}

func (b *Builder) setNulls(from int, src []bool) {
	if b.null == nil {
		any := false
		for _, x := range src {
			if x {
				any = true
				break
			}
		}
		if !any {
			return
		}
		b.null = make([]bool, from, max(2*from, from+len(src)))
	}
	for len(b.null) < from {
		b.null = append(b.null, false)
	}
	b.null = append(b.null, src...)
}

// AppendNull adds one null.
func (b *Builder) AppendNull() {
	clear(b.extend(1))
	if b.lay != None {
		b.setNulls(b.n, []bool{true})
	}
	if b.lay == Group {
		for _, c := range b.child {
			c.AppendNull()
		}
	}
	b.n++
}

// Append adds one fixed-width value; T must match the layout's width.
func Append[T Fixed](b *Builder, x T) {
	*(*T)(unsafe.Pointer(unsafe.SliceData(b.extend(1)))) = x
	b.n++
}

// AppendBytes adds one string or binary value, copying it.
func (b *Builder) AppendBytes(x []byte) {
	start := len(b.buf)
	b.buf = append(b.buf, x...)
	Append(b, MakeRef(start, len(x)))
}

// AppendString adds one string value, copying it.
func (b *Builder) AppendString(x string) {
	start := len(b.buf)
	b.buf = append(b.buf, x...)
	Append(b, MakeRef(start, len(x)))
}

// Child returns the builder of a list's elements (0), a map's keys (0) and
// values (1), or a struct's field i. Append to the children first, then call
// EndList, or EndGroup, on the parent.
func (b *Builder) Child(i int) *Builder { return b.child[i] }

// EndList adds one list (or map) made of the last n child values.
func (b *Builder) EndList(n int) {
	Append(b, MakeRef(b.child[0].n-n, n))
}

// EndGroup adds one struct made of the last value of each field.
func (b *Builder) EndGroup() { b.n++ }

// AppendVector adds all values of v, which must have the builder's type
// (nullability aside).
func (b *Builder) AppendVector(v *Vector) {
	if v.N == 0 {
		return
	}
	from := b.n
	switch b.lay {
	case None:
	case Bytes:
		b.appendRefs(v, nil)
	case List:
		b.appendLists(v, nil)
	case Group:
		for i, c := range b.child {
			c.AppendVector(v.Child[i].Slice(0, v.N))
		}
	default:
		copy(b.extend(v.N), v.Data[:v.N*v.Layout.Width()])
	}
	b.n = from + v.N
	if v.Null != nil {
		b.setNulls(from, v.Null[:v.N])
	}
}

// AppendRows adds the values of v at idx.
func (b *Builder) AppendRows(v *Vector, idx []int32) {
	switch b.lay {
	case Bytes, List:
		from := b.n
		if b.lay == Bytes {
			b.appendRefs(v, idx)
		} else {
			b.appendLists(v, idx)
		}
		b.n = from + len(idx)
		if v.Null != nil {
			nulls := make([]bool, len(idx))
			gather(nulls, v.Null, idx)
			b.setNulls(from, nulls)
		}
	default:
		b.AppendVector(v.Gather(idx))
	}
}

func (b *Builder) appendRefs(v *Vector, idx []int32) {
	src := Refs(v)
	n := v.N
	if idx != nil {
		n = len(idx)
	}
	dst := unsafe.Slice((*Ref)(unsafe.Pointer(unsafe.SliceData(b.extend(n)))), n)
	for i := range dst {
		j := i
		if idx != nil {
			j = int(idx[i])
		}
		r := src[j]
		if v.Null != nil && v.Null[j] {
			dst[i] = 0
			continue
		}
		dst[i] = MakeRef(len(b.buf), r.Len())
		b.buf = append(b.buf, v.Buf[r.Start():r.Start()+r.Len()]...)
	}
}

func (b *Builder) appendLists(v *Vector, idx []int32) {
	src := Refs(v)
	n := v.N
	if idx != nil {
		n = len(idx)
	}
	dst := unsafe.Slice((*Ref)(unsafe.Pointer(unsafe.SliceData(b.extend(n)))), n)
	for i := range dst {
		j := i
		if idx != nil {
			j = int(idx[i])
		}
		r := src[j]
		if v.Null != nil && v.Null[j] {
			dst[i] = 0
			continue
		}
		dst[i] = MakeRef(b.child[0].n, r.Len())
		for k, c := range b.child {
			c.AppendVector(v.Child[k].Slice(r.Start(), r.Start()+r.Len()))
		}
	}
}

// Finish returns the vector and leaves the builder empty, without its memory.
func (b *Builder) Finish() *Vector {
	v := &Vector{Type: b.t, Layout: b.lay, N: b.n, Data: b.data, Buf: b.buf}
	if b.null != nil {
		for len(b.null) < b.n {
			b.null = append(b.null, false)
		}
		v.Null = b.null
	}
	for _, c := range b.child {
		v.Child = append(v.Child, c.Finish())
	}
	b.n, b.data, b.null, b.buf = 0, nil, nil, nil
	return v
}

// AppendValue adds one value in the Go form that types documents for literals
// (nil is null). It allocates: for literals and tests, not for kernels.
func (b *Builder) AppendValue(x any) error {
	if x == nil {
		b.AppendNull()
		return nil
	}
	bad := func() error { return fmt.Errorf("a %T is no value of type %s", x, b.t) }
	switch b.lay {
	case Byte:
		v, ok := x.(bool)
		if !ok {
			return bad()
		}
		Append(b, v)
	case I8:
		v, ok := x.(int8)
		if !ok {
			return bad()
		}
		Append(b, v)
	case I16:
		v, ok := x.(int16)
		if !ok {
			return bad()
		}
		Append(b, v)
	case I32:
		v, ok := x.(int32)
		if !ok {
			return bad()
		}
		Append(b, v)
	case I64:
		switch v := x.(type) {
		case int64:
			Append(b, v)
		case types.Int128:
			Append(b, int64(v.Lo))
		default:
			return bad()
		}
	case F32:
		v, ok := x.(float32)
		if !ok {
			return bad()
		}
		Append(b, v)
	case F64:
		v, ok := x.(float64)
		if !ok {
			return bad()
		}
		Append(b, v)
	case I128:
		v, ok := x.(types.Int128)
		if !ok {
			return bad()
		}
		Append(b, v)
	case CalI:
		v, ok := x.(types.CalendarValue)
		if !ok {
			return bad()
		}
		Append(b, v)
	case Bytes:
		switch v := x.(type) {
		case string:
			b.AppendString(v)
		case []byte:
			b.AppendBytes(v)
		default:
			return bad()
		}
	case List:
		if m, ok := x.(types.MapValue); ok && b.t.Kind == types.Map {
			for i := range m.Keys {
				if err := b.child[0].AppendValue(m.Keys[i]); err != nil {
					return err
				}
				if err := b.child[1].AppendValue(m.Values[i]); err != nil {
					return err
				}
			}
			b.EndList(len(m.Keys))
			return nil
		}
		list, ok := x.([]any)
		if !ok || b.t.Kind != types.Array {
			return bad()
		}
		for _, e := range list {
			if err := b.child[0].AppendValue(e); err != nil {
				return err
			}
		}
		b.EndList(len(list))
	case Group:
		var fields []any
		switch v := x.(type) {
		case types.StructValue:
			fields = v
		case types.VariantValue:
			fields = []any{v.Value, v.Metadata}
		default:
			return bad()
		}
		if len(fields) != len(b.child) {
			return bad()
		}
		for i, e := range fields {
			if err := b.child[i].AppendValue(e); err != nil {
				return err
			}
		}
		b.EndGroup()
	default:
		return bad()
	}
	return nil
}

// Value returns value i in the Go form that types documents for literals.
// It allocates: for literals, results of folding and tests, not for kernels.
func (v *Vector) Value(i int) any {
	if v.IsNull(i) {
		return nil
	}
	switch v.Layout {
	case Byte:
		return Of[bool](v)[i]
	case I8:
		return Of[int8](v)[i]
	case I16:
		return Of[int16](v)[i]
	case I32:
		return Of[int32](v)[i]
	case I64:
		x := Of[int64](v)[i]
		if v.Type.Kind == types.Decimal {
			return types.I128(x)
		}
		return x
	case F32:
		return Of[float32](v)[i]
	case F64:
		return Of[float64](v)[i]
	case I128:
		return Of[types.Int128](v)[i]
	case CalI:
		return Of[types.CalendarValue](v)[i]
	case Bytes:
		if v.Type.Kind == types.Binary {
			return append([]byte{}, v.Bytes(i)...)
		}
		return string(v.Bytes(i))
	case List:
		r := Refs(v)[i]
		part := func(c *Vector) []any {
			out := make([]any, r.Len())
			for k := range out {
				out[k] = c.Value(r.Start() + k)
			}
			return out
		}
		if v.Type.Kind == types.Map {
			return types.MapValue{Keys: part(v.Child[0]), Values: part(v.Child[1])}
		}
		return part(v.Child[0])
	case Group:
		if v.Type.Kind == types.Variant {
			return types.VariantValue{Value: append([]byte{}, v.Child[0].Bytes(i)...), Metadata: append([]byte{}, v.Child[1].Bytes(i)...)}
		}
		out := make(types.StructValue, len(v.Child))
		for k, c := range v.Child {
			out[k] = c.Value(i)
		}
		return out
	}
	return nil
}

// Repeat returns a vector of n copies of one value in the literals' Go form.
func Repeat(t *types.Type, x any, n int) (*Vector, error) {
	b := NewBuilder(t, 1)
	if err := b.AppendValue(x); err != nil {
		return nil, err
	}
	return b.Finish().Gather(make([]int32, n)), nil
}

// Concat appends batches of the same columns into one dense batch that owns its memory.
func Concat(schema []*types.Type, batches []*Batch) *Batch {
	b, _ := ConcatSteps(schema, batches, func() error { return nil })
	return b
}

// concatStep is how many values are copied between two yield points.
const concatStep = 1024

// ConcatSteps is Concat with calls of yield.
func ConcatSteps(schema []*types.Type, batches []*Batch, yield func() error) (*Batch, error) {
	total := 0
	for _, b := range batches {
		total += b.N
	}
	out := &Batch{N: total, Cols: make([]*Vector, len(schema))}
	for c, t := range schema {
		bl := NewBuilder(t, total)
		for _, b := range batches {
			v := b.Cols[c]
			if err := bl.Room(v, b.Sel, yield); err != nil {
				return nil, err
			}
			for from := 0; from < b.N; from += concatStep {
				to := min(b.N, from+concatStep)
				if b.Sel != nil {
					bl.AppendRows(v, b.Sel[from:to])
				} else {
					bl.AppendVector(v.Slice(from, to))
				}
				if err := yield(); err != nil {
					return nil, err
				}
			}
		}
		out.Cols[c] = bl.Finish()
	}
	return out, nil
}

// View is the vector of the values so far. It shares the builder's memory,
// which later values don't change.
func (b *Builder) View() *Vector {
	v := &Vector{Type: b.t, Layout: b.lay, N: b.n, Data: b.data, Buf: b.buf}
	if b.null != nil {
		for len(b.null) < b.n {
			b.null = append(b.null, false)
		}
		v.Null = b.null
	}
	for _, c := range b.child {
		v.Child = append(v.Child, c.View())
	}
	return v
}
