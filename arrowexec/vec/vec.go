// Package vec holds columns in memory. The layout is Arrow's but for three
// points, each chosen so that gathering rows (filters, joins, sorts) never
// copies variable-length data (docs/design/0001-vectors.md):
//
//   - nulls and booleans are bytes, not bits;
//   - strings, binaries and lists are references, start<<32|length, into a
//     shared buffer or child;
//   - a decimal of precision <= 18 is an int64.
//
// Package arrowio turns vectors into Arrow arrays and back.
package vec

import (
	"unsafe"

	"neptune/internal/types"
)

// Layout is how the values of a type lie in memory.
type Layout uint8

// The layouts.
const (
	None  Layout = iota // Null type: no data
	Byte                // bool (0 or 1)
	I8                  // int8
	I16                 // int16
	I32                 // int32: Int32, Date, YearMonthInterval
	I64                 // int64: Int64, Timestamp, TimestampNTZ, Time, DayTimeInterval, Decimal(p<=18)
	F32                 // float32
	F64                 // float64
	I128                // types.Int128: Decimal(p>18)
	CalI                // types.CalendarValue, 16 bytes
	Bytes               // Ref into Buf: String, Char, Varchar, Binary, Object
	List                // Ref into Child[0]: Array; Map has Child[0] keys, Child[1] values
	Group               // Struct: Child[i] has the same length. Variant: Child[0] value, Child[1] metadata (binary)
)

// LayoutOf returns the layout of values of t.
func LayoutOf(t *types.Type) Layout {
	switch t.Kind {
	case types.Null:
		return None
	case types.Bool:
		return Byte
	case types.Int8:
		return I8
	case types.Int16:
		return I16
	case types.Int32, types.Date, types.YearMonthInterval:
		return I32
	case types.Int64, types.Timestamp, types.TimestampNTZ, types.Time, types.DayTimeInterval:
		return I64
	case types.Float32:
		return F32
	case types.Float64:
		return F64
	case types.Decimal:
		if t.Precision <= types.MaxInt64Precision {
			return I64
		}
		return I128
	case types.CalendarInterval:
		return CalI
	case types.Array, types.Map:
		return List
	case types.Struct, types.Variant:
		return Group
	}
	return Bytes
}

var widths = [...]int{None: 0, Byte: 1, I8: 1, I16: 2, I32: 4, I64: 8, F32: 4, F64: 8, I128: 16, CalI: 16, Bytes: 8, List: 8, Group: 0}

// Width is the size of one value in Data, in bytes.
func (l Layout) Width() int { return widths[l] }

// Ref points at a run of bytes in Buf, or of elements in a child: start<<32 | length.
type Ref uint64

// MaxBuf is the most bytes, or elements, that the values of one vector may have together: more than a Ref can tell.
const MaxBuf = 1<<32 - 1

// MakeRef builds a Ref. It panics beyond MaxBuf.
func MakeRef(start, length int) Ref {
	if uint64(start)|uint64(length) > MaxBuf {
		panic("the values of a batch are longer than 4 GiB")
	}
	return Ref(uint64(start)<<32 | uint64(length))
}

// Start is where the run begins.
func (r Ref) Start() int { return int(r >> 32) }

// Len is the number of bytes or elements.
func (r Ref) Len() int { return int(uint32(r)) }

// Vector is a column of N values. A Vector is immutable once it has left the
// function that made it; slices may be shared between vectors.
//
// Where Null[i] is true the value in Data is unspecified but safe to read
// (a Ref there is within bounds).
type Vector struct {
	Type   *types.Type
	Layout Layout
	N      int
	Null   []bool // nil: no value is null. Else len >= N, true is null
	Data   []byte // N values of Layout.Width() bytes, native endian, aligned to 8
	Buf    []byte // of Bytes
	Child  []*Vector
}

// Fixed is what a fixed-width Data can hold.
type Fixed interface {
	~bool | ~int8 | ~uint8 | ~int16 | ~int32 | ~int64 | ~uint64 | ~float32 | ~float64 | types.Int128 | types.CalendarValue
}

// Of views Data as a slice of N values of T, without a copy. T must match the
// layout's width.
func Of[T Fixed](v *Vector) []T {
	if v.N == 0 {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(v.Data))), v.N)
}

// FromSlice makes a vector that shares s. null may be nil.
func FromSlice[T Fixed](t *types.Type, s []T, null []bool) *Vector {
	var z T
	v := &Vector{Type: t, Layout: LayoutOf(t), N: len(s), Null: null}
	if len(s) > 0 {
		v.Data = unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(s))), len(s)*int(unsafe.Sizeof(z)))
	}
	return v
}

// Refs views Data of a Bytes or List vector.
func Refs(v *Vector) []Ref { return Of[Ref](v) }

// Bytes returns the bytes of value i of a Bytes vector, without a copy.
func (v *Vector) Bytes(i int) []byte {
	r := Refs(v)[i]
	return v.Buf[r.Start() : r.Start()+r.Len()]
}

// Str returns value i of a Bytes vector as a string that shares Buf: valid as long as the vector is.
func (v *Vector) Str(i int) string {
	r := Refs(v)[i]
	if r.Len() == 0 {
		return ""
	}
	return unsafe.String(&v.Buf[r.Start()], r.Len())
}

// IsNull reports whether value i is null.
func (v *Vector) IsNull(i int) bool { return v.Layout == None || v.Null != nil && v.Null[i] }

// HasNulls reports whether any of the N values is null.
func (v *Vector) HasNulls() bool {
	if v.Layout == None {
		return v.N > 0
	}
	if v.Null == nil {
		return false
	}
	for _, n := range v.Null[:v.N] {
		if n {
			return true
		}
	}
	return false
}

// alloc returns n zeroed bytes, aligned to 8.
func alloc(n int) []byte {
	if n == 0 {
		return nil
	}
	words := make([]uint64, (n+7)/8)
	return unsafe.Slice((*byte)(unsafe.Pointer(&words[0])), n)
}

// dirty is alloc for memory that is overwritten at once.
func dirty(n int) []byte {
	if n <= smallObject {
		return alloc(n)
	}
	return Uncleared[byte](n)
}

// Make returns a vector of n zero values of t without nulls. Children of a
// Group are made too; those of a List are empty.
func Make(t *types.Type, n int) *Vector {
	v := &Vector{Type: t, Layout: LayoutOf(t), N: n}
	v.Data = alloc(n * v.Layout.Width())
	switch {
	case t.Kind == types.Struct:
		v.Child = make([]*Vector, len(t.Fields))
		for i := range t.Fields {
			v.Child[i] = Make(t.Fields[i].Type, n)
		}
	case t.Kind == types.Variant:
		v.Child = []*Vector{Make(types.BinaryType, n), Make(types.BinaryType, n)}
	case t.Kind == types.Array:
		v.Child = []*Vector{Make(t.Elem, 0)}
	case t.Kind == types.Map:
		v.Child = []*Vector{Make(t.Key, 0), Make(t.Elem, 0)}
	}
	return v
}

// MakeNull returns a vector of n nulls of t.
func MakeNull(t *types.Type, n int) *Vector {
	v := Make(t, n)
	if v.Layout != None {
		v.Null = make([]bool, n)
		for i := range v.Null {
			v.Null[i] = true
		}
	}
	return v
}

// Slice returns values from..to, sharing memory.
func (v *Vector) Slice(from, to int) *Vector {
	if from == 0 && to == v.N {
		return v
	}
	o := &Vector{Type: v.Type, Layout: v.Layout, N: to - from, Buf: v.Buf, Child: v.Child}
	if w := v.Layout.Width(); w > 0 {
		o.Data = v.Data[from*w : to*w]
	}
	if v.Null != nil {
		o.Null = v.Null[from:to]
	}
	if v.Layout == Group {
		o.Child = make([]*Vector, len(v.Child))
		for i, c := range v.Child {
			o.Child[i] = c.Slice(from, to)
		}
	}
	return o
}

// Gather returns the values at idx, in that order. Buf and the children of
// lists are shared, not copied.
func (v *Vector) Gather(idx []int32) *Vector {
	return v.gatherInto(dirty(len(idx)*v.Layout.Width()), idx)
}

func (v *Vector) gatherInto(data []byte, idx []int32) *Vector {
	o := &Vector{Type: v.Type, Layout: v.Layout, N: len(idx), Data: data, Buf: v.Buf, Child: v.Child}
	switch v.Layout.Width() {
	case 1:
		gather(Of[uint8](o), Of[uint8](v), idx)
	case 2:
		gather(Of[int16](o), Of[int16](v), idx)
	case 4:
		gather(Of[int32](o), Of[int32](v), idx)
	case 8:
		gather(Of[int64](o), Of[int64](v), idx)
	case 16:
		gather(Of[types.Int128](o), Of[types.Int128](v), idx)
	}
	if v.Null != nil {
		o.Null = make([]bool, len(idx))
		gather(o.Null, v.Null, idx)
	}
	if v.Layout == Group {
		o.Child = make([]*Vector, len(v.Child))
		for i, c := range v.Child {
			o.Child[i] = c.Gather(idx)
		}
	}
	return o
}

func gather[T Fixed](dst, src []T, idx []int32) {
	dst = dst[:len(idx)]
	for i, j := range idx {
		dst[i] = src[j]
	}
}

// GatherNulls is Gather where a negative index gives null (outer joins).
func (v *Vector) GatherNulls(idx []int32) *Vector {
	neg := false
	for _, j := range idx {
		if j < 0 {
			neg = true
			break
		}
	}
	if !neg {
		return v.Gather(idx)
	}
	if v.N == 0 {
		return MakeNull(v.Type, len(idx))
	}
	safe := make([]int32, len(idx))
	for i, j := range idx {
		safe[i] = max(j, 0)
	}
	o := v.Gather(safe)
	if o.Layout == None {
		return o
	}
	if o.Null == nil {
		o.Null = make([]bool, len(idx))
	}
	for i, j := range idx {
		if j < 0 {
			o.Null[i] = true
		}
	}
	return o
}

// Size is the memory that v keeps alive, in bytes, shared buffers in full.
func (v *Vector) Size() int64 {
	n := int64(len(v.Data)) + int64(len(v.Null)) + int64(len(v.Buf))
	for _, c := range v.Child {
		n += c.Size()
	}
	return n
}

// Batch is N rows. Columns are dense, of Rows values each; where Sel is not
// nil the batch's rows are those at Sel, in that order, and N == len(Sel).
type Batch struct {
	N    int
	Cols []*Vector
	Sel  []int32

	owned []owned // memory that Free gives back
}

// Compact returns the batch without a selection: columns gathered by Sel.
func (b *Batch) Compact() *Batch {
	if b.Sel == nil {
		return b
	}
	cols := make([]*Vector, len(b.Cols))
	for i, c := range b.Cols {
		cols[i] = c.Gather(b.Sel)
	}
	return &Batch{N: b.N, Cols: cols}
}

// Slice returns rows from..to, sharing memory.
func (b *Batch) Slice(from, to int) *Batch {
	if from == 0 && to == b.N {
		return b
	}
	if b.Sel != nil {
		return &Batch{N: to - from, Cols: b.Cols, Sel: b.Sel[from:to]}
	}
	cols := make([]*Vector, len(b.Cols))
	for i, c := range b.Cols {
		cols[i] = c.Slice(from, to)
	}
	return &Batch{N: to - from, Cols: cols}
}

// Size is the memory of all columns, in bytes.
func (b *Batch) Size() int64 {
	n := int64(4 * len(b.Sel))
	for _, c := range b.Cols {
		n += c.Size()
	}
	return n
}

// DefaultRows is the usual number of rows of a batch inside a pipeline.
const DefaultRows = 8192
