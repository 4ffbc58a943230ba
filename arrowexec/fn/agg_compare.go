package fn

import (
	"bytes"
	"cmp"
	"hash/maphash"
	"math"

	"neptune/arrowexec/vec"
	"neptune/internal/collation"
	"neptune/internal/types"
)

// compareFn compares value i of a with value j of b, both not null: Spark's
// order, in which NaN is the greatest double and -0.0 equals 0.0.
type compareFn func(a *vec.Vector, i int, b *vec.Vector, j int) int

// comparer returns the order of a type's values; inside of arrays and structs nulls come first.
func comparer(t *types.Type) compareFn {
	switch vec.LayoutOf(t) {
	case vec.Byte:
		return compareFixed[uint8]
	case vec.I8:
		return compareFixed[int8]
	case vec.I16:
		return compareFixed[int16]
	case vec.I32:
		return compareFixed[int32]
	case vec.I64:
		return compareFixed[int64]
	case vec.F32:
		return compareFloat[float32]
	case vec.F64:
		return compareFloat[float64]
	case vec.I128:
		return func(a *vec.Vector, i int, b *vec.Vector, j int) int {
			return vec.Of[types.Int128](a)[i].Cmp(vec.Of[types.Int128](b)[j])
		}
	case vec.CalI:
		return func(a *vec.Vector, i int, b *vec.Vector, j int) int {
			x, y := vec.Of[types.CalendarValue](a)[i], vec.Of[types.CalendarValue](b)[j]
			return cmp.Or(cmp.Compare(x.Months, y.Months), cmp.Compare(x.Days, y.Days), cmp.Compare(x.Micros, y.Micros))
		}
	case vec.Bytes:
		if c := collationOf(t); c != nil {
			return collatedOrder(c)
		}
		return func(a *vec.Vector, i int, b *vec.Vector, j int) int { return bytes.Compare(a.Bytes(i), b.Bytes(j)) }
	case vec.List:
		elem := make([]compareFn, 0, 2)
		if t.Kind == types.Map {
			elem = append(elem, comparer(t.Key))
		}
		elem = append(elem, comparer(t.Elem))
		return func(a *vec.Vector, i int, b *vec.Vector, j int) int {
			x, y := vec.Refs(a)[i], vec.Refs(b)[j]
			for k := 0; k < min(x.Len(), y.Len()); k++ {
				for c, f := range elem {
					if d := compareNulls(f, a.Child[c], x.Start()+k, b.Child[c], y.Start()+k); d != 0 {
						return d
					}
				}
			}
			return cmp.Compare(x.Len(), y.Len())
		}
	case vec.Group:
		var field []compareFn
		if t.Kind == types.Struct {
			for i := range t.Fields {
				field = append(field, comparer(t.Fields[i].Type))
			}
		} else {
			field = []compareFn{comparer(types.BinaryType), comparer(types.BinaryType)}
		}
		return func(a *vec.Vector, i int, b *vec.Vector, j int) int {
			for c, f := range field {
				if d := compareNulls(f, a.Child[c], i, b.Child[c], j); d != 0 {
					return d
				}
			}
			return 0
		}
	}
	return func(*vec.Vector, int, *vec.Vector, int) int { return 0 }
}

// collatedOrder compares strings by their keys.
func collatedOrder(c *collation.Collation) compareFn {
	var x, y []byte
	return func(a *vec.Vector, i int, b *vec.Vector, j int) int {
		x, y = c.Key(x[:0], a.Bytes(i)), c.Key(y[:0], b.Bytes(j))
		return bytes.Compare(x, y)
	}
}

func compareNulls(f compareFn, a *vec.Vector, i int, b *vec.Vector, j int) int {
	switch x, y := a.IsNull(i), b.IsNull(j); {
	case x && y:
		return 0
	case x:
		return -1
	case y:
		return 1
	}
	return f(a, i, b, j)
}

type aggInt interface {
	~int8 | ~uint8 | ~int16 | ~int32 | ~int64
}

func compareFixed[T interface {
	aggInt
	vec.Fixed
}](a *vec.Vector, i int, b *vec.Vector, j int) int {
	return cmp.Compare(vec.Of[T](a)[i], vec.Of[T](b)[j])
}

func compareFloat[T ~float32 | ~float64](a *vec.Vector, i int, b *vec.Vector, j int) int {
	x, y := vec.Of[T](a)[i], vec.Of[T](b)[j]
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	case x == y:
		return 0
	case x != x && y != y:
		return 0
	case x != x:
		return 1
	}
	return -1
}

// zerosApart is comparer, but with -0.0 before 0.0, as Java sorts doubles; with desc, for an order that
// is read from its end, after it.
func zerosApart(t *types.Type, desc bool) compareFn {
	switch vec.LayoutOf(t) {
	case vec.F32:
		return compareSigned[float32](desc)
	case vec.F64:
		return compareSigned[float64](desc)
	}
	return comparer(t)
}

func compareSigned[T ~float32 | ~float64](desc bool) compareFn {
	negative := -1
	if desc {
		negative = 1
	}
	return func(a *vec.Vector, i int, b *vec.Vector, j int) int {
		if d := compareFloat[T](a, i, b, j); d != 0 {
			return d
		}
		x, y := math.Signbit(float64(vec.Of[T](a)[i])), math.Signbit(float64(vec.Of[T](b)[j]))
		switch {
		case x == y || vec.Of[T](a)[i] != 0:
			return 0
		case x:
			return negative
		}
		return -negative
	}
}

// Compare compares two values of one type, not null at top level, in Spark's order.
func Compare(t *types.Type) func(a *vec.Vector, i int, b *vec.Vector, j int) int { return comparer(t) }

var hashSeed = maphash.MakeSeed()

// hashValue is a hash under which equal values (see comparer) are equal; good for one process only.
func hashValue(v *vec.Vector, i int, h uint64) uint64 {
	if v.IsNull(i) {
		return mix(h, 0x9e3779b97f4a7c15)
	}
	switch v.Layout {
	case vec.Byte, vec.I8:
		return mix(h, uint64(vec.Of[uint8](v)[i]))
	case vec.I16:
		return mix(h, uint64(vec.Of[int16](v)[i]))
	case vec.I32:
		return mix(h, uint64(vec.Of[int32](v)[i]))
	case vec.I64:
		return mix(h, uint64(vec.Of[int64](v)[i]))
	case vec.F32:
		return mix(h, normalBits(float64(vec.Of[float32](v)[i])))
	case vec.F64:
		return mix(h, normalBits(vec.Of[float64](v)[i]))
	case vec.I128:
		x := vec.Of[types.Int128](v)[i]
		return mix(mix(h, x.Lo), uint64(x.Hi))
	case vec.CalI:
		x := vec.Of[types.CalendarValue](v)[i]
		return mix(mix(h, uint64(uint32(x.Months))<<32|uint64(uint32(x.Days))), uint64(x.Micros))
	case vec.Bytes:
		return mix(h, maphash.Bytes(hashSeed, v.Bytes(i)))
	case vec.List:
		r := vec.Refs(v)[i]
		h = mix(h, uint64(r.Len()))
		for k := 0; k < r.Len(); k++ {
			for _, c := range v.Child {
				h = hashValue(c, r.Start()+k, h)
			}
		}
		return h
	case vec.Group:
		for _, c := range v.Child {
			h = hashValue(c, i, h)
		}
	}
	return h
}

func normalBits(f float64) uint64 {
	if f != f {
		return 0x7ff8000000000000
	}
	if f == 0 {
		return 0
	}
	return math.Float64bits(f)
}

func mix(h, x uint64) uint64 {
	h = (h ^ x) * 0x9fb21c651e98df25
	return h ^ h>>32
}
